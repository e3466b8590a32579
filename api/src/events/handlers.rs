//! Events over HTTP.

use super::{
    told,
    wire::{EventOut, EventQuery},
};
use crate::{
    app::Internal,
    http::auth::Sees,
    problem::{Problem, ProblemBody},
};
use actix_web::{
    get,
    web::{self, Data, Path, Query},
};
use suyuan_sync::ids::EventId;
use uuid::Uuid;

/// One event: its text byte for byte, what it says in types, what became of it, what it strikes and what
/// strikes it, and what was found where it was judged. All of that is told to the enterprise whose device stated
/// it, and to the platform's administrator and a regulator by their role; these are not told what an event says
/// that stands aside, since nobody has read it. Any other enterprise is told of an event what the timeline of a
/// unit tells it, and nothing besides: it names the enterprise that stated it, and a unit (the issuer of a unit
/// that the event itself names need not). To anybody else it does not exist. What claims no id, because it cannot
/// be read or is the second under an id of its enterprise, stands aside for good: `GET /v1/quarantine/{position}`.
#[utoipa::path(tag = "units", operation_id = "get_event", params(("id" = Uuid, Path), EventQuery),
    security(("bearer" = [])),
    responses((status = 200, body = EventOut), (status = 400, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[get("/v1/events/{id}")]
pub async fn get_event(
    state: Data<Internal>,
    caller: Sees,
    event: Path<Uuid>,
    query: Query<EventQuery>,
) -> Result<web::Json<EventOut>, Problem> {
    let out = told::tell(&state, caller.0, EventId(*event), &query).await?;
    Ok(web::Json(out))
}
