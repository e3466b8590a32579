//! The log over HTTP: who changed what, for those whose data it is.

use super::wire::{EntryOut, LogPage, LogQuery};
use crate::{
    accounts::Role,
    app::Internal,
    http::{auth::SignedIn, page},
    log::ActError,
    problem::{Problem, ProblemBody, ProblemCode},
};
use actix_web::{
    get,
    web::{self, Data, Query},
};

/// Entries of the log: all for a platform administrator and a regulator, an enterprise's own for its people. What
/// became of consumers' words, and what stands on badges, is no regulator's: of these entries `body` is empty.
#[utoipa::path(tag = "log", operation_id = "list_log", params(LogQuery),
    security(("bearer" = [])),
    responses((status = 200, body = LogPage), (status = 422, body = ProblemBody)))]
#[get("/v1/log")]
pub async fn list_log(
    state: Data<Internal>,
    caller: SignedIn,
    query: Query<LogQuery>,
) -> Result<web::Json<LogPage>, Problem> {
    let limit = page::limit(query.limit)?;
    let from = page::from_zero("from", query.from)?;
    let scope = match (caller.0.role, caller.0.enterprise) {
        (Role::PlatformAdmin | Role::Regulator, _) => None,
        (Role::EnterpriseAdmin | Role::Operator, Some(enterprise)) => Some(enterprise),
        (Role::EnterpriseAdmin | Role::Operator, None) => {
            return Err(Problem::new(ProblemCode::NotAllowed));
        }
    };
    let mut items: Vec<EntryOut> = state.log.page(scope, from, limit).await?;
    if caller.0.role == Role::Regulator {
        for entry in &mut items {
            entry.keep_from_regulators();
        }
    }
    let next = page::next(&items, limit, |entry| entry.position + 1);
    Ok(web::Json(LogPage { items, next }))
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Problem {
        match error {
            ActError::Db(error) => error.into(),
            ActError::Json(error) => Problem::internal(&error),
            ActError::ClockJumped => Problem::new(ProblemCode::ClockJumped),
            ActError::AnswerUnreadable => Problem::new(ProblemCode::AnswerUnreadable).detail(
                "look it up in its list or in the log; nothing was done a second time",
                "请在相应列表或日志中查看结果；本次没有重复执行",
            ),
            ActError::KeyReused => Problem::new(ProblemCode::IdempotencyKeyReused),
        }
    }
}
