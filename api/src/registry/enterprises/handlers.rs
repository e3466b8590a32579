//! Enterprises over HTTP.

use super::{
    store::{self, NewEnterprise},
    wire::{EnterpriseIn, EnterpriseOut, EnterpriseVersionIn},
};
use crate::{
    app::Internal,
    http::{
        auth::{EnterpriseAdmin, PlatformAdmin, SeesAll, SignedIn},
        body::{KeyHeader, Keyed},
        page::{Page, PageQuery},
    },
    problem::{Problem, ProblemBody, ProblemCode},
    registry::{RegistryError, batches, fields},
};
use actix_web::{
    HttpResponse, get, post,
    web::{self, Data, Path, Query},
};
use uuid::Uuid;

/// Register an enterprise.
#[utoipa::path(tag = "registry", operation_id = "create_enterprise", request_body = EnterpriseIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = EnterpriseOut), (status = 403, body = ProblemBody),
    (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[post("/v1/enterprises")]
pub async fn create_enterprise(
    state: Data<Internal>,
    caller: PlatformAdmin,
    body: Keyed<EnterpriseIn>,
) -> Result<HttpResponse, Problem> {
    let EnterpriseIn {
        code,
        name,
        gs1_prefixes,
        fields,
    } = body.value;
    fields::check_code("code", &code, 12)?;
    if code.contains('-') {
        return Err(Problem::field(
            "code",
            "malformed",
            "no '-' here",
            "此处不能使用 -",
        ));
    }
    fields::check_name("name", &name)?;
    fields::check_enterprise(&state.catalogue, &fields.0)?;
    if gs1_prefixes.len() > 20 {
        return Err(Problem::field(
            "gs1_prefixes",
            "too-many",
            "at most 20",
            "最多 20 个",
        ));
    }
    for prefix in &gs1_prefixes {
        if !(4..=12).contains(&prefix.len()) || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Problem::field(
                "gs1_prefixes",
                "malformed",
                "a company prefix has 4 to 12 digits",
                "厂商识别代码为 4 到 12 位数字",
            ));
        }
    }
    let new = NewEnterprise {
        code,
        name,
        prefixes: gs1_prefixes,
        fields: fields.0,
    };
    let out = store::create(&state.log, &state.sealer, caller.actor, body.key, new).await?;
    Ok(HttpResponse::Created().json(out))
}

/// All enterprises, for a platform administrator and a regulator.
#[utoipa::path(tag = "registry", operation_id = "list_enterprises", params(PageQuery),
    security(("bearer" = [])),
    responses((status = 200, body = Page<EnterpriseOut>), (status = 403, body = ProblemBody)))]
#[get("/v1/enterprises")]
pub async fn list_enterprises(
    state: Data<Internal>,
    _caller: SeesAll,
    query: Query<PageQuery>,
) -> Result<web::Json<Page<EnterpriseOut>>, Problem> {
    let paging = query.check()?;
    let items = store::list(&state.db, paging).await?;
    Ok(web::Json(Page::new(items, paging, |e: &EnterpriseOut| {
        e.id
    })))
}

/// One enterprise: any for a platform administrator and a regulator, its own for its people.
#[utoipa::path(tag = "registry", operation_id = "get_enterprise", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = EnterpriseOut), (status = 404, body = ProblemBody)))]
#[get("/v1/enterprises/{id}")]
pub async fn get_enterprise(
    state: Data<Internal>,
    caller: SignedIn,
    id: Path<Uuid>,
) -> Result<web::Json<EnterpriseOut>, Problem> {
    if caller.0.role.belongs_to_enterprise() && caller.0.enterprise != Some(*id) {
        return Err(Problem::new(ProblemCode::NotFound));
    }
    Ok(web::Json(store::get(&state.db, *id).await?))
}

/// A new version of what the caller's enterprise says of itself. Published batches made while it
/// is in force show it at once.
#[utoipa::path(tag = "registry", operation_id = "revise_enterprise",
    request_body = EnterpriseVersionIn, params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = EnterpriseOut), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/enterprises/{id}/versions")]
pub async fn revise_enterprise(
    state: Data<Internal>,
    caller: EnterpriseAdmin,
    id: Path<Uuid>,
    body: Keyed<EnterpriseVersionIn>,
) -> Result<HttpResponse, Problem> {
    if caller.enterprise != *id {
        return Err(RegistryError::Unknown.into());
    }
    let EnterpriseVersionIn {
        name,
        valid_from,
        fields,
    } = body.value;
    fields::check_name("name", &name)?;
    fields::check_date("valid_from", &valid_from)?;
    fields::check_enterprise(&state.catalogue, &fields.0)?;
    let out = store::revise(
        &state.log,
        caller.actor,
        body.key,
        *id,
        name,
        valid_from,
        fields.0,
    )
    .await?;
    batches::publication::refresh_all(&state, caller.actor, *id, None).await?;
    Ok(HttpResponse::Created().json(out))
}
