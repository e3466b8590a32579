//! Suspicions over HTTP.

use super::{
    store,
    wire::{ClearingIn, Place, SuspicionOut, UnitQueriesOut},
};
use crate::{
    app::Internal,
    free_text::{self, Lines},
    http::{
        auth::{EnterpriseAdmin, Staff},
        body::{KeyHeader, Keyed},
        page::{Page, PageQuery},
    },
    problem::{Problem, ProblemBody},
};
use actix_web::{
    get, post,
    web::{self, Data, Path, Query},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// Longest note.
const NOTE_MAX: usize = 1000;
/// Entries of the query log in one answer.
const QUERIES_MAX: usize = 500;

/// Which suspicions.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct SuspicionQuery {
    /// Only open ones, or only cleared ones.
    pub open: Option<bool>,
    /// `next` of the page before.
    pub after: Option<Uuid>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// Which entries of the query log.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct AfterQuery {
    /// `next` of the answer before.
    pub after: Option<String>,
}

/// Suspicions about units of the caller's enterprise.
#[utoipa::path(tag = "suspicions", operation_id = "list_suspicions", params(SuspicionQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<SuspicionOut>)))]
#[get("/v1/suspicions")]
pub async fn list_suspicions(
    state: Data<Internal>,
    caller: Staff,
    query: Query<SuspicionQuery>,
) -> Result<web::Json<Page<SuspicionOut>>, Problem> {
    let (after, limit) = (query.after, query.limit);
    let paging = PageQuery { after, limit }.check()?;
    let items = store::list(&state.db, caller.enterprise, query.open, paging).await?;
    Ok(web::Json(Page::new(items, paging, |s: &SuspicionOut| s.id)))
}

/// One suspicion with its evidence.
#[utoipa::path(tag = "suspicions", operation_id = "get_suspicion", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = SuspicionOut), (status = 404, body = ProblemBody)))]
#[get("/v1/suspicions/{id}")]
pub async fn get_suspicion(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
) -> Result<web::Json<SuspicionOut>, Problem> {
    let out = store::get(&state.db, caller.enterprise, *id).await?;
    Ok(web::Json(out))
}

/// The entries of the query log about a suspected unit, newest first, at most 500 a page.
#[utoipa::path(tag = "suspicions", operation_id = "list_suspicion_queries",
    params(("id" = Uuid, Path), AfterQuery), security(("bearer" = [])),
    responses((status = 200, body = UnitQueriesOut), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[get("/v1/suspicions/{id}/queries")]
pub async fn list_suspicion_queries(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
    query: Query<AfterQuery>,
) -> Result<web::Json<UnitQueriesOut>, Problem> {
    let unreadable = || {
        let (en, zh) = ("`next` of the answer before", "须为上一页返回的 next");
        Problem::field("after", "format", en, zh)
    };
    let after = match query.after.as_deref() {
        Some(text) => Some(Place::parse(text).ok_or_else(unreadable)?),
        None => None,
    };
    let (items, last) =
        store::queries(&state.db, caller.enterprise, *id, after, QUERIES_MAX).await?;
    let full = items.len() == QUERIES_MAX;
    Ok(web::Json(UnitQueriesOut {
        next: last.filter(|_| full).map(|place| place.to_string()),
        items,
    }))
}

/// Clear a suspicion after looking into it. Only an administrator of the enterprise may. What
/// speaks against the unit later can raise it again.
#[utoipa::path(tag = "suspicions", operation_id = "clear_suspicion", request_body = ClearingIn,
    params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 200, body = SuspicionOut), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/suspicions/{id}/clear")]
pub async fn clear_suspicion(
    state: Data<Internal>,
    caller: EnterpriseAdmin,
    id: Path<Uuid>,
    body: Keyed<ClearingIn>,
) -> Result<web::Json<SuspicionOut>, Problem> {
    free_text::check("note", &body.value.note, NOTE_MAX, Lines::Any)?;
    let (enterprise, actor) = (caller.enterprise, caller.actor);
    let out = store::clear(&state.log, enterprise, actor, body.key, *id, body.value).await?;
    Ok(web::Json(out))
}
