//! Batches over HTTP.

use super::{
    publication, store,
    wire::{BatchIn, BatchOut, BatchVersionIn},
};
use crate::{
    app::Internal,
    catalogue::{Home, Profile, Values},
    http::{
        auth::{Looks, Staff},
        body::{KeyHeader, Keyed},
        page::{Page, PageQuery, WhoseQuery},
    },
    problem::{Problem, ProblemBody},
    registry::{RegistryError, fields, products},
};
use actix_web::{
    HttpResponse, get, post,
    web::{self, Data, Path, Query},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// Register a batch.
#[utoipa::path(tag = "registry", operation_id = "create_batch", request_body = BatchIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = BatchOut), (status = 404, body = ProblemBody),
    (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[post("/v1/batches")]
pub async fn create_batch(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<BatchIn>,
) -> Result<HttpResponse, Problem> {
    let batch = body.value;
    let product =
        products::store::row(state.db.reader(), caller.enterprise, batch.product_id).await?;
    let profile = state
        .catalogue
        .profile(&product.profile)
        .ok_or(RegistryError::Unknown)?;
    let new = checked(profile, batch)?;
    let out = store::create(&state.log, caller.actor, body.key, caller.enterprise, new).await?;
    Ok(HttpResponse::Created().json(out))
}

/// Checks a batch and works out its expiry. Pure.
pub fn checked(profile: &Profile, batch: BatchIn) -> Result<BatchOut, RegistryError> {
    let lot_fits = (1..=20).contains(&batch.lot.len())
        && batch
            .lot
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._/+".contains(&b));
    if !lot_fits {
        return Err(RegistryError::field(
            "lot",
            "malformed",
            "1 to 20 letters, digits and - . _ / +",
            "1 到 20 个字母、数字或 - . _ / +",
        ));
    }
    let produced = fields::check_date("production_date", &batch.production_date)?;
    check_fields(profile, &batch.fields.0)?;
    let expiry = match &batch.expiry_date {
        Some(text) => Some(fields::check_date("expiry_date", text)?),
        None => shelf_life_end(profile, &batch.fields.0, &batch.production_date),
    };
    if expiry.is_some_and(|expiry| expiry < produced) {
        return Err(RegistryError::field(
            "expiry_date",
            "before-production",
            "before the production date",
            "早于生产日期",
        ));
    }
    Ok(BatchOut {
        id: Uuid::now_v7(),
        product_id: batch.product_id,
        lot: batch.lot,
        plant_id: batch.plant_id,
        production_date: batch.production_date,
        expiry_date: expiry.map(|date| date.to_string()).unwrap_or_default(),
        version: 1,
        published_version: None,
        fields: serde_json::to_value(&batch.fields.0)?,
    })
}

fn shelf_life_end(profile: &Profile, values: &Values, produced: &str) -> Option<jiff::civil::Date> {
    let mut values = values.clone();
    for path in fields::identity_paths(profile) {
        if path.ends_with(".production_date") {
            values.insert(path, produced.into());
        }
    }
    profile.expiry(&values)
}

fn check_fields(profile: &Profile, values: &Values) -> Result<(), RegistryError> {
    if let Some(path) = fields::identity_paths(profile)
        .into_iter()
        .find(|path| values.contains_key(path))
    {
        return Err(RegistryError::field(
            &format!("fields/{path}"),
            "given-above",
            "given as lot, production_date or expiry_date of the batch",
            "请用批次的 lot、production_date、expiry_date 填写",
        ));
    }
    fields::check(profile, Home::Batch, values)
}

/// Which batches.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct BatchQuery {
    /// Whose; a regulator has to say.
    pub enterprise_id: Option<Uuid>,
    /// Only of this product.
    pub product_id: Option<Uuid>,
    /// `next` of the page before.
    pub after: Option<Uuid>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// Batches of the caller's enterprise; for a regulator, of one that it names.
#[utoipa::path(tag = "registry", operation_id = "list_batches", params(BatchQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<BatchOut>)))]
#[get("/v1/batches")]
pub async fn list_batches(
    state: Data<Internal>,
    caller: Looks,
    query: Query<BatchQuery>,
) -> Result<web::Json<Page<BatchOut>>, Problem> {
    let paging = PageQuery {
        after: query.after,
        limit: query.limit,
    }
    .check()?;
    let enterprise = caller.at(query.enterprise_id)?;
    let items = store::list(&state.db, enterprise, query.product_id, paging).await?;
    Ok(web::Json(Page::new(items, paging, |b: &BatchOut| b.id)))
}

/// One batch.
#[utoipa::path(tag = "registry", operation_id = "get_batch",
    params(("id" = Uuid, Path), WhoseQuery),
    security(("bearer" = [])),
    responses((status = 200, body = BatchOut), (status = 404, body = ProblemBody)))]
#[get("/v1/batches/{id}")]
pub async fn get_batch(
    state: Data<Internal>,
    caller: Looks,
    id: Path<Uuid>,
    query: Query<WhoseQuery>,
) -> Result<web::Json<BatchOut>, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    Ok(web::Json(store::get(&state.db, enterprise, *id).await?))
}

/// New batch-level values; public once published.
#[utoipa::path(tag = "registry", operation_id = "revise_batch", request_body = BatchVersionIn,
    params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = BatchOut), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/batches/{id}/versions")]
pub async fn revise_batch(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
    body: Keyed<BatchVersionIn>,
) -> Result<HttpResponse, Problem> {
    let row = store::row(state.db.reader(), caller.enterprise, *id).await?;
    let product =
        products::store::row(state.db.reader(), caller.enterprise, row.product_id).await?;
    let profile = state
        .catalogue
        .profile(&product.profile)
        .ok_or(RegistryError::Unknown)?;
    let values = body.value.fields.0;
    check_fields(profile, &values)?;
    let fields = serde_json::to_value(&values).map_err(RegistryError::from)?;
    let out = store::revise(
        &state.log,
        caller.actor,
        body.key,
        caller.enterprise,
        *id,
        fields,
    )
    .await?;
    Ok(HttpResponse::Created().json(out))
}

/// Publish the newest version: every item of Table 8 must be there. What is missing is named.
#[utoipa::path(tag = "registry", operation_id = "publish_batch",
    params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 200, body = BatchOut), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/batches/{id}/publish")]
pub async fn publish_batch(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
) -> Result<web::Json<BatchOut>, Problem> {
    publication::publish_batch(&state, caller.actor, caller.enterprise, *id).await?;
    Ok(web::Json(
        store::get(&state.db, caller.enterprise, *id).await?,
    ))
}
