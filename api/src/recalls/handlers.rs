//! Recalls over HTTP.

use super::{
    RecallError, acts,
    reach::{self, wire::ReachOut},
    rules, store,
    wire::{NOTE_MAX, RecallCloseIn, RecallIn, RecallOut, RecallWidenIn},
};
use crate::{
    app::Internal,
    http::{
        auth::{EnterpriseAdmin, Looks, Staff},
        body::{KeyHeader, Keyed, LARGE_MAX},
        page::{Page, WhosePageQuery, WhoseQuery},
    },
    problem::{Problem, ProblemBody},
};
use actix_web::{
    HttpResponse, get, post,
    web::{self, Data, Path, Query},
};
use uuid::Uuid;

/// Open a recall of batches, of single units, or of both: within a second every answer about them
/// says stop. Sent again under its key it is told as it stands by then.
#[utoipa::path(tag = "recalls", operation_id = "open_recall", request_body = RecallIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = RecallOut), (status = 404, body = ProblemBody),
    (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[post("/v1/recalls")]
pub async fn open_recall(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<RecallIn, LARGE_MAX>,
) -> Result<HttpResponse, Problem> {
    let out = acts::open(
        &state,
        caller.enterprise,
        caller.actor,
        body.key,
        body.value,
    )
    .await?;
    Ok(HttpResponse::Created().json(out))
}

/// Let a recall cover more batches and units. What it covers already stays covered since it was.
/// Sent again under its key it is told as it stands by then.
#[utoipa::path(tag = "recalls", operation_id = "widen_recall", request_body = RecallWidenIn,
    params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 200, body = RecallOut), (status = 404, body = ProblemBody),
    (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[post("/v1/recalls/{id}/widen")]
pub async fn widen_recall(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
    body: Keyed<RecallWidenIn, LARGE_MAX>,
) -> Result<web::Json<RecallOut>, Problem> {
    let out = acts::widen(
        &state,
        caller.enterprise,
        caller.actor,
        body.key,
        *id,
        body.value,
    )
    .await?;
    Ok(web::Json(out))
}

/// Recalls of the caller's enterprise; for a regulator, of one that it names.
#[utoipa::path(tag = "recalls", operation_id = "list_recalls", params(WhosePageQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<RecallOut>)))]
#[get("/v1/recalls")]
pub async fn list_recalls(
    state: Data<Internal>,
    caller: Looks,
    query: Query<WhosePageQuery>,
) -> Result<web::Json<Page<RecallOut>>, Problem> {
    let paging = query.check()?;
    let items = store::list(&state.db, caller.at(query.enterprise_id)?, paging).await?;
    Ok(web::Json(Page::new(items, paging, |r: &RecallOut| r.id)))
}

/// One recall.
#[utoipa::path(tag = "recalls", operation_id = "get_recall",
    params(("id" = Uuid, Path), WhoseQuery),
    security(("bearer" = [])),
    responses((status = 200, body = RecallOut), (status = 404, body = ProblemBody)))]
#[get("/v1/recalls/{id}")]
pub async fn get_recall(
    state: Data<Internal>,
    caller: Looks,
    id: Path<Uuid>,
    query: Query<WhoseQuery>,
) -> Result<web::Json<RecallOut>, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    Ok(web::Json(store::get(&state.db, enterprise, *id).await?))
}

/// Where every unit a recall covers is now: each is exactly one of located, on its way, sold, collected,
/// destroyed, or not accounted for. One moment of the log; collections that were scanned without
/// network count as soon as they come in.
#[utoipa::path(tag = "recalls", operation_id = "get_recall_reach",
    params(("id" = Uuid, Path), WhoseQuery),
    security(("bearer" = [])),
    responses((status = 200, body = ReachOut), (status = 404, body = ProblemBody)))]
#[get("/v1/recalls/{id}/reach")]
pub async fn get_recall_reach(
    state: Data<Internal>,
    caller: Looks,
    id: Path<Uuid>,
    query: Query<WhoseQuery>,
) -> Result<web::Json<ReachOut>, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    Ok(web::Json(reach::reach(&state, enterprise, *id).await?))
}

/// Close a recall. Only an administrator of the enterprise may. Sent again under its key it is told as
/// it stands by then.
#[utoipa::path(tag = "recalls", operation_id = "close_recall", request_body = RecallCloseIn,
    params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 200, body = RecallOut), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
#[post("/v1/recalls/{id}/close")]
pub async fn close_recall(
    state: Data<Internal>,
    caller: EnterpriseAdmin,
    id: Path<Uuid>,
    body: Keyed<RecallCloseIn>,
) -> Result<web::Json<RecallOut>, Problem> {
    rules::check_text("note", &body.value.note, NOTE_MAX)
        .map_err(|fault| RecallError::Fields(vec![fault]))?;
    let out = acts::close(
        &state,
        caller.enterprise,
        caller.actor,
        body.key,
        *id,
        body.value,
    )
    .await?;
    Ok(web::Json(out))
}
