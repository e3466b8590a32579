//! Recalls over HTTP.

use super::{
    RecallError, store,
    wire::{BATCHES_MAX, RecallCloseIn, RecallIn, RecallOut},
};
use crate::{
    app::Internal,
    free_text,
    http::{
        auth::{EnterpriseAdmin, Staff},
        body::Json,
        page::{Page, PageQuery},
    },
    problem::{Problem, ProblemBody},
};
use actix_web::{
    HttpResponse, get, post,
    web::{self, Data, Path, Query},
};
use uuid::Uuid;

/// Open a recall: within a second every answer about these batches says stop.
#[utoipa::path(tag = "recalls", operation_id = "open_recall", request_body = RecallIn,
    security(("bearer" = [])),
    responses((status = 201, body = RecallOut), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/recalls")]
pub async fn open_recall(
    state: Data<Internal>,
    caller: Staff,
    body: Json<RecallIn>,
) -> Result<HttpResponse, Problem> {
    let recall = body.value;
    if recall.batch_ids.is_empty() || recall.batch_ids.len() > BATCHES_MAX {
        return Err(Problem::field(
            "batch_ids",
            "length",
            "1 to 200 batches",
            "1 到 200 个批次",
        ));
    }
    check_text("reason", &recall.reason, 1000)?;
    check_text("instructions", &recall.instructions, 2000)?;
    let out = store::open(
        &state.log,
        caller.enterprise,
        caller.actor,
        body.key,
        recall,
    )
    .await?;
    Ok(HttpResponse::Created().json(out))
}

/// Recalls of the caller's enterprise.
#[utoipa::path(tag = "recalls", operation_id = "list_recalls", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<RecallOut>)))]
#[get("/v1/recalls")]
pub async fn list_recalls(
    state: Data<Internal>,
    caller: Staff,
    query: Query<PageQuery>,
) -> Result<web::Json<Page<RecallOut>>, Problem> {
    let paging = query.check()?;
    let items = store::list(&state.db, caller.enterprise, paging).await?;
    Ok(web::Json(Page::new(items, paging, |r: &RecallOut| r.id)))
}

/// One recall.
#[utoipa::path(tag = "recalls", operation_id = "get_recall", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = RecallOut), (status = 404, body = ProblemBody)))]
#[get("/v1/recalls/{id}")]
pub async fn get_recall(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
) -> Result<web::Json<RecallOut>, Problem> {
    Ok(web::Json(
        store::get(&state.db, caller.enterprise, *id).await?,
    ))
}

/// Close a recall. Only an administrator of the enterprise may.
#[utoipa::path(tag = "recalls", operation_id = "close_recall", request_body = RecallCloseIn,
    params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 200, body = RecallOut), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
#[post("/v1/recalls/{id}/close")]
pub async fn close_recall(
    state: Data<Internal>,
    caller: EnterpriseAdmin,
    id: Path<Uuid>,
    body: Json<RecallCloseIn>,
) -> Result<web::Json<RecallOut>, Problem> {
    check_text("note", &body.value.note, 1000)?;
    let out = store::close(
        &state.log,
        caller.enterprise,
        caller.actor,
        body.key,
        *id,
        body.value,
    )
    .await?;
    Ok(web::Json(out))
}

fn check_text(field: &str, text: &str, max: usize) -> Result<(), RecallError> {
    if free_text::is_shown(text, max) {
        return Ok(());
    }
    let (en, zh) = (
        format!("1 to {max} characters"),
        format!("1 到 {max} 个字符"),
    );
    Err(RecallError::Fields(
        Problem::field(field, "length", &en, &zh).errors,
    ))
}
