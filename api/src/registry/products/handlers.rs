//! Products over HTTP.

use super::{
    store::{self, NewProduct, NewVersion},
    wire::{ProductIn, ProductOut, ProductVersionIn},
};
use crate::{
    app::Internal,
    catalogue::{Home, Profile},
    http::{
        auth::{Looks, Staff},
        body::{KeyHeader, Keyed},
        page::{Page, WhosePageQuery, WhoseQuery},
    },
    problem::{Problem, ProblemBody},
    registry::{RegistryError, batches::publication, fields},
};
use actix_web::{
    HttpResponse, get, post,
    web::{self, Data, Path, Query},
};
use suyuan_sync::trace_code::Gtin;
use uuid::Uuid;

/// Register a product and open its code spaces.
#[utoipa::path(tag = "registry", operation_id = "create_product", request_body = ProductIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = ProductOut), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/products")]
pub async fn create_product(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<ProductIn>,
) -> Result<HttpResponse, Problem> {
    let product = body.value;
    fields::check_code("code", &product.code, 20)?;
    fields::check_name("name", &product.name)?;
    let profile = profile_of(&state, &product)?;
    fields::check(profile, Home::Product, &product.fields.0)?;
    let new = NewProduct {
        code: product.code,
        name: product.name,
        profile: profile.id.clone(),
        category: product.category,
        gtin: gtin("gtin", product.gtin.as_deref())?,
        case_gtin: gtin("case_gtin", product.case_gtin.as_deref())?,
        mint_profile: product.mint_profile,
        fields: product.fields.0,
    };
    let out = store::create(
        &state.log,
        &state.sealer,
        caller.actor,
        body.key,
        caller.enterprise,
        new,
    )
    .await?;
    Ok(HttpResponse::Created().json(out))
}

fn profile_of<'a>(state: &'a Internal, product: &ProductIn) -> Result<&'a Profile, RegistryError> {
    let id = match (&product.category, &product.profile) {
        (Some(category), given) => {
            let category = state.catalogue.category(category).ok_or_else(|| {
                RegistryError::field("category", "unknown", "no such category", "没有该类别")
            })?;
            if given
                .as_ref()
                .is_some_and(|given| *given != category.profile)
            {
                return Err(RegistryError::field(
                    "profile",
                    "contradicts-category",
                    "the category belongs to another profile",
                    "类别属于其他标准",
                ));
            }
            category.profile.as_str()
        }
        (None, Some(profile)) => profile,
        (None, None) => "",
    };
    state.catalogue.profile(id).ok_or_else(|| {
        RegistryError::field(
            "profile",
            "unknown",
            "give a profile such as infant-formula, or a category",
            "请指定适用标准（如 infant-formula）或类别",
        )
    })
}

fn gtin(field: &str, text: Option<&str>) -> Result<Option<Gtin>, RegistryError> {
    let Some(text) = text else {
        return Ok(None);
    };
    match Gtin::parse(text) {
        Ok(gtin) => Ok(Some(gtin)),
        Err(error) => Err(RegistryError::field(
            field,
            error.fault.code(),
            error.fault.en(),
            error.fault.zh(),
        )),
    }
}

/// Products of the caller's enterprise; for a regulator, of one that it names.
#[utoipa::path(tag = "registry", operation_id = "list_products", params(WhosePageQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<ProductOut>)))]
#[get("/v1/products")]
pub async fn list_products(
    state: Data<Internal>,
    caller: Looks,
    query: Query<WhosePageQuery>,
) -> Result<web::Json<Page<ProductOut>>, Problem> {
    let paging = query.check()?;
    let enterprise = caller.at(query.enterprise_id)?;
    let items = store::list(&state.db, enterprise, paging).await?;
    Ok(web::Json(Page::new(items, paging, |p: &ProductOut| p.id)))
}

/// One product.
#[utoipa::path(tag = "registry", operation_id = "get_product",
    params(("id" = Uuid, Path), WhoseQuery),
    security(("bearer" = [])),
    responses((status = 200, body = ProductOut), (status = 404, body = ProblemBody)))]
#[get("/v1/products/{id}")]
pub async fn get_product(
    state: Data<Internal>,
    caller: Looks,
    id: Path<Uuid>,
    query: Query<WhoseQuery>,
) -> Result<web::Json<ProductOut>, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    Ok(web::Json(store::get(&state.db, enterprise, *id).await?))
}

/// A new version of the class-level values; public once published.
#[utoipa::path(tag = "registry", operation_id = "revise_product", request_body = ProductVersionIn,
    params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = ProductOut), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/products/{id}/versions")]
pub async fn revise_product(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
    body: Keyed<ProductVersionIn>,
) -> Result<HttpResponse, Problem> {
    let ProductVersionIn {
        name,
        valid_from,
        fields,
    } = body.value;
    fields::check_name("name", &name)?;
    fields::check_date("valid_from", &valid_from)?;
    let row = store::row(state.db.reader(), caller.enterprise, *id).await?;
    let profile = state
        .catalogue
        .profile(&row.profile)
        .ok_or(RegistryError::Unknown)?;
    fields::check(profile, Home::Product, &fields.0)?;
    let version = NewVersion {
        name,
        valid_from,
        fields: fields.0,
    };
    let out = store::revise(
        &state.log,
        caller.actor,
        body.key,
        caller.enterprise,
        *id,
        version,
    )
    .await?;
    Ok(HttpResponse::Created().json(out))
}

/// Publish the newest version: every class-level item of Table 8 must be there.
#[utoipa::path(tag = "registry", operation_id = "publish_product",
    params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 200, body = ProductOut), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/products/{id}/publish")]
pub async fn publish_product(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
) -> Result<web::Json<ProductOut>, Problem> {
    publication::publish_product(&state, caller.actor, caller.enterprise, *id).await?;
    Ok(web::Json(
        store::get(&state.db, caller.enterprise, *id).await?,
    ))
}
