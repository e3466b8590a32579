//! Buyers over HTTP, for staff of the enterprise whose device stated the sale.

use super::{
    acts,
    wire::{BuyerIn, BuyerOpenedOut, BuyerOut},
};
use crate::{
    app::Internal,
    http::{
        auth::{EnterpriseAdmin, Staff},
        body::Json,
    },
    problem::{Problem, ProblemBody},
};
use actix_web::{
    HttpResponse, delete, get, post, put,
    web::{self, Data, Path},
};
use uuid::Uuid;

/// File what the standards ask about the buyer of a sale (消费者信息, 购买信息), in the place of what was filed
/// before. It is sealed, kept apart from the event, which is kept for ever and must name no consumer, and erased
/// after `voices.keep_days`. Mandatory items follow the standards of the goods.
#[utoipa::path(tag = "units", operation_id = "file_buyer", params(("id" = Uuid, Path)),
    request_body = BuyerIn, security(("bearer" = [])),
    responses((status = 200, body = BuyerOut), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[put("/v1/events/{id}/buyer")]
pub async fn file_buyer(
    state: Data<Internal>,
    caller: Staff,
    event: Path<Uuid>,
    body: Json<BuyerIn>,
) -> Result<web::Json<BuyerOut>, Problem> {
    let who = (caller.enterprise, caller.actor);
    let out = acts::file(&state, who, *event, &body.value).await?;
    Ok(web::Json(out))
}

/// Whether something is filed about the buyer of a sale, and until when; nothing personal.
#[utoipa::path(tag = "units", operation_id = "get_buyer", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = BuyerOut), (status = 404, body = ProblemBody)))]
#[get("/v1/events/{id}/buyer")]
pub async fn get_buyer(
    state: Data<Internal>,
    caller: Staff,
    event: Path<Uuid>,
) -> Result<web::Json<BuyerOut>, Problem> {
    let out = acts::get(&state, caller.enterprise, *event).await?;
    Ok(web::Json(out))
}

/// Read what is filed about the buyer of a sale. The reader is named in the log.
#[utoipa::path(tag = "units", operation_id = "open_buyer", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = BuyerOpenedOut), (status = 404, body = ProblemBody)))]
#[post("/v1/events/{id}/buyer/openings")]
pub async fn open_buyer(
    state: Data<Internal>,
    caller: Staff,
    event: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let opened = acts::open(&state, (caller.enterprise, caller.actor), *event).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(opened))
}

/// Erase what is filed about the buyer of a sale; the event stays. Only an administrator may.
#[utoipa::path(tag = "units", operation_id = "erase_buyer", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 204), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody)))]
#[delete("/v1/events/{id}/buyer")]
pub async fn erase_buyer(
    state: Data<Internal>,
    caller: EnterpriseAdmin,
    event: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    acts::erase(&state, (caller.enterprise, caller.actor), *event).await?;
    Ok(HttpResponse::NoContent().finish())
}
