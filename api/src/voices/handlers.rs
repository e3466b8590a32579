//! Voices over HTTP, for staff: the enterprise whose code it is, and the platform for codes that
//! are nobody's here.

use super::{
    acts,
    store::{self, Filter},
    wire::{StepIn, VoiceIn, VoiceMadeOut, VoiceOut, VoiceQuery, VoiceRecordOut},
};
use crate::{
    accounts::Role,
    app::Internal,
    http::{
        auth::{SignedIn, Staff},
        body::{KeyHeader, Keyed},
        page::{Page, PageQuery},
    },
    problem::{Problem, ProblemBody, ProblemCode},
};
use actix_web::{
    HttpResponse, get, post,
    web::{self, Data, Path, Query},
};
use uuid::Uuid;

/// Complaints and feedback: an enterprise's own; all for a platform administrator.
#[utoipa::path(tag = "voices", operation_id = "list_voices", params(VoiceQuery),
    security(("bearer" = [])),
    responses((status = 200, body = Page<VoiceOut>), (status = 422, body = ProblemBody)))]
#[get("/v1/voices")]
pub async fn list_voices(
    state: Data<Internal>,
    caller: SignedIn,
    query: Query<VoiceQuery>,
) -> Result<web::Json<Page<VoiceOut>>, Problem> {
    let query = query.into_inner();
    let paging = PageQuery {
        after: query.after,
        limit: query.limit,
    }
    .check()?;
    let code = query.code.as_deref();
    let code = code.map(|text| acts::read_code(&state, text)).transpose()?;
    let enterprise = match (caller.0.role, caller.0.enterprise) {
        (Role::PlatformAdmin, _) => None,
        (Role::EnterpriseAdmin | Role::Operator, Some(enterprise)) => Some(enterprise),
        (Role::EnterpriseAdmin | Role::Operator, None) | (Role::Regulator, _) => {
            return Err(Problem::new(ProblemCode::NotAllowed));
        }
    };
    let filter = Filter {
        enterprise,
        kind: query.kind,
        state: query.state,
        code: code.map(|code| code.canonical_path().to_string()),
    };
    let rows = store::list(&state.db, &filter, paging).await?;
    let items = rows.iter().map(acts::out).collect();
    Ok(web::Json(Page::new(items, paging, |v: &VoiceOut| v.id)))
}

/// Enter a complaint or feedback by hand: the same record as from the page. Mandatory items follow
/// the standard of the product.
#[utoipa::path(tag = "voices", operation_id = "create_voice", request_body = VoiceIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = VoiceMadeOut), (status = 422, body = ProblemBody)))]
#[post("/v1/voices")]
pub async fn create_voice(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<VoiceIn>,
) -> Result<HttpResponse, Problem> {
    let (voice, receipt) = acts::enter(
        &state,
        caller.enterprise,
        caller.actor,
        body.key,
        body.value,
    )
    .await?;
    Ok(HttpResponse::Created().json(VoiceMadeOut {
        id: voice.id,
        receipt,
        voice,
    }))
}

/// One voice in the words of its standard, without its personal part.
#[utoipa::path(tag = "voices", operation_id = "get_voice", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = VoiceRecordOut), (status = 404, body = ProblemBody)))]
#[get("/v1/voices/{id}")]
pub async fn get_voice(
    state: Data<Internal>,
    caller: SignedIn,
    id: Path<Uuid>,
) -> Result<web::Json<VoiceRecordOut>, Problem> {
    let (voice, values) = acts::get(&state, &caller.0, *id).await?;
    Ok(web::Json(VoiceRecordOut {
        voice,
        record: serde_json::json!(values),
    }))
}

/// Read the personal part. The reader is named in the log.
#[utoipa::path(tag = "voices", operation_id = "open_voice", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = VoiceRecordOut), (status = 404, body = ProblemBody),
    (status = 409, body = ProblemBody)))]
#[post("/v1/voices/{id}/openings")]
pub async fn open_voice(
    state: Data<Internal>,
    caller: SignedIn,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (voice, values) = acts::open(&state, &caller.0, *id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(VoiceRecordOut {
            voice,
            record: serde_json::json!(values),
        }))
}

/// Move a voice on: take it up, answer it, close it.
#[utoipa::path(tag = "voices", operation_id = "handle_voice", request_body = StepIn,
    params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 200, body = VoiceOut), (status = 404, body = ProblemBody),
    (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[post("/v1/voices/{id}/steps")]
pub async fn handle_voice(
    state: Data<Internal>,
    caller: SignedIn,
    id: Path<Uuid>,
    body: Keyed<StepIn>,
) -> Result<web::Json<VoiceOut>, Problem> {
    let out = acts::step(&state, &caller.0, body.key, *id, body.value).await?;
    Ok(web::Json(out))
}

/// Erase the personal part; the record stays, with a pseudonym. Only an administrator may.
#[utoipa::path(tag = "voices", operation_id = "erase_voice", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = VoiceOut), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody)))]
#[post("/v1/voices/{id}/erasure")]
pub async fn erase_voice(
    state: Data<Internal>,
    caller: SignedIn,
    id: Path<Uuid>,
) -> Result<web::Json<VoiceOut>, Problem> {
    if caller.0.role == Role::Operator {
        return Err(Problem::new(ProblemCode::NotAllowed));
    }
    Ok(web::Json(acts::erase(&state, &caller.0, *id).await?))
}
