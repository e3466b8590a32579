//! The log over HTTP: who changed what, for those whose data it is.

use super::wire::{EntryOut, LogPage, LogQuery};
use crate::{
    accounts::Role,
    app::Internal,
    http::{auth::SignedIn, page::PAGE_MAX},
    log::ActError,
    problem::{Problem, ProblemBody, ProblemCode},
};
use actix_web::{
    get,
    web::{self, Data, Query},
};

/// Entries of the log: all for a platform administrator, an enterprise's own for its people.
#[utoipa::path(tag = "log", operation_id = "list_log", params(LogQuery),
    security(("bearer" = [])),
    responses((status = 200, body = LogPage), (status = 422, body = ProblemBody)))]
#[get("/v1/log")]
pub async fn list_log(
    state: Data<Internal>,
    caller: SignedIn,
    query: Query<LogQuery>,
) -> Result<web::Json<LogPage>, Problem> {
    let limit = query.limit.unwrap_or(100);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::field(
            "limit",
            "out-of-range",
            "limit must lie between 1 and 500",
            "limit 须在 1 到 500 之间",
        ));
    }
    let scope = match (caller.0.role, caller.0.enterprise) {
        (Role::PlatformAdmin, _) => None,
        (_, Some(enterprise)) => Some(enterprise),
        (_, None) => return Err(Problem::new(ProblemCode::NotAllowed)),
    };
    let items: Vec<EntryOut> = state.log.page(scope, query.from, limit).await?;
    let full = items.len() as u64 == limit;
    let next = items
        .last()
        .filter(|_| full)
        .map(|entry| entry.position + 1);
    Ok(web::Json(LogPage { items, next }))
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Problem {
        match error {
            ActError::Db(error) => error.into(),
            ActError::Json(error) => Problem::internal(&error),
            ActError::KeyReused => Problem::new(ProblemCode::IdempotencyKeyReused),
        }
    }
}
