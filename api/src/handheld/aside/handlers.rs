//! What stands aside, over HTTP.

use super::{
    AsideError, store, tend,
    wire::{AdmitIn, AdmittedOut, AsideOut, AsidePage, AsideQuery},
};
use crate::{
    app::Internal,
    free_text::{self, Lines},
    http::{
        auth::{EnterpriseAdmin, Looks, Staff},
        body::{KeyHeader, Keyed},
        page,
    },
    problem::{Problem, ProblemBody},
};
use actix_web::{
    get, post,
    web::{self, Data, Path, Query},
};

/// Events of the enterprise's devices that stand aside: in quarantine until somebody decides, or
/// parked until what they wait for comes. Of each text the first 1 024 bytes are told, and how long it
/// is: `GET /v1/quarantine/{position}` tells all of one. A regulator is told of the events of an
/// enterprise's devices that it names, without their texts.
#[utoipa::path(tag = "handheld", operation_id = "list_quarantine", params(AsideQuery),
    security(("bearer" = [])),
    responses((status = 200, body = AsidePage), (status = 422, body = ProblemBody)))]
#[get("/v1/quarantine")]
pub async fn list_quarantine(
    state: Data<Internal>,
    caller: Looks,
    query: Query<AsideQuery>,
) -> Result<web::Json<AsidePage>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::from_zero("after", query.after)?;
    let enterprise = caller.at(query.enterprise_id)?;
    let mut items = store::page(&state.db, enterprise, after, limit).await?;
    if caller == Looks::Regulator {
        // Nobody has read them: there may be anything in them.
        for item in &mut items {
            item.text = None;
        }
    }
    let next = page::next(&items, limit, |item| item.position);
    Ok(web::Json(AsidePage { items, next }))
}

/// One event that stands aside, with all of its text.
#[utoipa::path(tag = "handheld", operation_id = "get_quarantined",
    params(("position" = i64, Path)), security(("bearer" = [])),
    responses((status = 200, body = AsideOut), (status = 404, body = ProblemBody)))]
#[get("/v1/quarantine/{position}")]
pub async fn get_quarantined(
    state: Data<Internal>,
    caller: Staff,
    position: Path<i64>,
) -> Result<web::Json<AsideOut>, Problem> {
    let found = store::whole(&state.db, caller.enterprise, *position).await?;
    Ok(web::Json(found.ok_or(AsideError::Unknown)?))
}

/// Take an event in that stands aside: of a revoked device, or of a second copy of one. The decision
/// is an entry of the log; the event keeps its id, its bytes and its time. One of a kind or version that
/// this program does not know is refused (`kind-unknown`): it is taken in by itself after an update.
#[utoipa::path(tag = "handheld", operation_id = "admit_event", params(("position" = i64, Path), KeyHeader),
    request_body = AdmitIn, security(("bearer" = [])),
    responses((status = 200, body = AdmittedOut), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/quarantine/{position}/admit")]
pub async fn admit_event(
    state: Data<Internal>,
    caller: EnterpriseAdmin,
    position: Path<i64>,
    body: Keyed<AdmitIn>,
) -> Result<web::Json<AdmittedOut>, Problem> {
    let note = body.value.note;
    free_text::check("note", &note, 500, Lines::Any)?;
    let ingest = &state.handheld.ingest;
    let asked = (*position, note);
    let out = tend::admit(ingest, caller.enterprise, caller.actor, body.key, asked).await?;
    Ok(web::Json(out))
}
