//! Badges over HTTP.

use super::{
    rules::is_number,
    store,
    wire::{BadgeIn, BadgeOut, BadgeRoleIn},
};
use crate::{
    app::Internal,
    http::{
        auth::{EnterpriseAdmin, Staff},
        body::{KeyHeader, Keyed},
        page::{Page, PageQuery},
    },
    problem::{Problem, ProblemBody},
};
use actix_web::{
    HttpResponse, get, post,
    web::{self, Data, Path, Query},
};
use uuid::Uuid;

/// Make a badge of somebody who works with devices: a number, and no name. From the first badge of a
/// place on (one without a location is a badge of every place), only badges that are known work on its
/// devices, and supervisors overrule stops there; so make all of a place at once. An enterprise has at
/// most 10 000 that are not withdrawn.
#[utoipa::path(tag = "registry", operation_id = "create_badge", request_body = BadgeIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = BadgeOut), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/badges")]
pub async fn create_badge(
    state: Data<Internal>,
    caller: EnterpriseAdmin,
    body: Keyed<BadgeIn>,
) -> Result<HttpResponse, Problem> {
    if body
        .value
        .number
        .as_deref()
        .is_some_and(|number| !is_number(number))
    {
        return Err(Problem::field(
            "number",
            "malformed",
            "2 to 40 capitals, digits and hyphens between them",
            "2 到 40 个大写字母、数字，中间可用连字符",
        ));
    }
    let (log, enterprise) = (&state.log, caller.enterprise);
    let out = store::create(log, caller.actor, body.key, enterprise, body.value).await?;
    Ok(HttpResponse::Created().json(out))
}

/// Badges of the caller's enterprise, withdrawn ones too.
#[utoipa::path(tag = "registry", operation_id = "list_badges", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<BadgeOut>)))]
#[get("/v1/badges")]
pub async fn list_badges(
    state: Data<Internal>,
    caller: Staff,
    query: Query<PageQuery>,
) -> Result<web::Json<Page<BadgeOut>>, Problem> {
    let paging = query.check()?;
    let items = store::list(&state.db, caller.enterprise, paging).await?;
    Ok(web::Json(Page::new(items, paging, |b: &BadgeOut| b.id)))
}

/// One badge.
#[utoipa::path(tag = "registry", operation_id = "get_badge", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = BadgeOut), (status = 404, body = ProblemBody)))]
#[get("/v1/badges/{id}")]
pub async fn get_badge(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
) -> Result<web::Json<BadgeOut>, Problem> {
    Ok(web::Json(
        store::get(&state.db, caller.enterprise, *id).await?,
    ))
}

/// Give a badge another role. Devices know it with their next pull; what they stated before stays as
/// it was stated. A withdrawn badge has none any more (409). The role it has already changes nothing, and
/// nothing is kept of it under a key.
#[utoipa::path(tag = "registry", operation_id = "change_badge_role", params(("id" = Uuid, Path), KeyHeader),
    request_body = BadgeRoleIn, security(("bearer" = [])),
    responses((status = 200, body = BadgeOut), (status = 404, body = ProblemBody),
    (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[post("/v1/badges/{id}/role")]
pub async fn change_badge_role(
    state: Data<Internal>,
    caller: EnterpriseAdmin,
    id: Path<Uuid>,
    body: Keyed<BadgeRoleIn>,
) -> Result<web::Json<BadgeOut>, Problem> {
    let which = (caller.enterprise, *id);
    let out =
        store::change_role(&state.log, caller.actor, body.key, which, body.value.role).await?;
    Ok(web::Json(out))
}

/// Withdraw a badge that was lost, or whose wearer left. It works on no device from that device's next
/// pull on, and its number is never given again.
#[utoipa::path(tag = "registry", operation_id = "withdraw_badge", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = BadgeOut), (status = 404, body = ProblemBody)))]
#[post("/v1/badges/{id}/withdraw")]
pub async fn withdraw_badge(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
) -> Result<web::Json<BadgeOut>, Problem> {
    let out = store::withdraw(&state.log, caller.actor, caller.enterprise, *id).await?;
    Ok(web::Json(out))
}
