//! Locations over HTTP.

use super::{
    store,
    wire::{LocationIn, LocationOut},
};
use crate::{
    app::Internal,
    http::{
        auth::{Looks, Staff},
        body::{KeyHeader, Keyed},
        page::{Page, WhosePageQuery, WhoseQuery},
    },
    problem::{Problem, ProblemBody},
    registry::{RegistryError, fields},
};
use actix_web::{
    HttpResponse, get, post,
    web::{self, Data, Path, Query},
};
use suyuan_sync::trace_code::Gln;
use uuid::Uuid;

/// Register a location.
#[utoipa::path(tag = "registry", operation_id = "create_location", request_body = LocationIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = LocationOut), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/locations")]
pub async fn create_location(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<LocationIn>,
) -> Result<HttpResponse, Problem> {
    let LocationIn {
        code,
        kind,
        name,
        gln,
        fields,
    } = body.value;
    fields::check_code("code", &code, 20)?;
    fields::check_name("name", &name)?;
    fields::check_enterprise(&state.catalogue, &fields.0)?;
    if gln.as_deref().is_some_and(|gln| Gln::parse(gln).is_err()) {
        return Err(Problem::field(
            "gln",
            "malformed",
            "13 digits with a right check digit",
            "13 位数字且校验位正确",
        ));
    }
    let new = LocationOut {
        id: Uuid::now_v7(),
        code,
        kind,
        name,
        gln,
        fields: serde_json::to_value(&fields.0).map_err(RegistryError::from)?,
    };
    let out = store::create(&state.log, caller.actor, body.key, caller.enterprise, new).await?;
    Ok(HttpResponse::Created().json(out))
}

/// Locations of the caller's enterprise; for a regulator, of one that it names.
#[utoipa::path(tag = "registry", operation_id = "list_locations", params(WhosePageQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<LocationOut>)))]
#[get("/v1/locations")]
pub async fn list_locations(
    state: Data<Internal>,
    caller: Looks,
    query: Query<WhosePageQuery>,
) -> Result<web::Json<Page<LocationOut>>, Problem> {
    let paging = query.check()?;
    let enterprise = caller.at(query.enterprise_id)?;
    let items = store::list(&state.db, enterprise, paging).await?;
    Ok(web::Json(Page::new(items, paging, |l: &LocationOut| l.id)))
}

/// One location.
#[utoipa::path(tag = "registry", operation_id = "get_location",
    params(("id" = Uuid, Path), WhoseQuery),
    security(("bearer" = [])),
    responses((status = 200, body = LocationOut), (status = 404, body = ProblemBody)))]
#[get("/v1/locations/{id}")]
pub async fn get_location(
    state: Data<Internal>,
    caller: Looks,
    id: Path<Uuid>,
    query: Query<WhoseQuery>,
) -> Result<web::Json<LocationOut>, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    Ok(web::Json(store::get(&state.db, enterprise, *id).await?))
}
