//! Pushes over HTTP.

use super::{
    PushError,
    memory::Body,
    receive::{self, ReceiveError},
};
use crate::{
    app::Internal,
    handheld::{
        frame_problem,
        inflate::Encoding,
        schema::{SyncPush, SyncPushAnswer},
        world::WorldError,
    },
    http::{self, auth::PlatformAdmin, body},
    problem::{Problem, ProblemBody, ProblemCode},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    post,
    web::{Data, Payload},
};
use suyuan_sync::limits::PUSH_BYTES_MAX;
use uuid::Uuid;

/// Push events of a device: at most 500, at most 1 MiB as sent (gzip and zstd are taken) and 8 MiB
/// inflated. The bearer token is a JWT of type `suyuan-push+jwt` that the device signs (ES256) over
/// the chain's hash after the batch; its times are not judged.
///
/// The body is read as JSON whatever its `Content-Type` says, and so is that of a deposit: a device may send
/// none, since what counts is what it signed. `Content-Encoding` is judged: a body that is not compressed as
/// it says, or was damaged on the way, is 400.
///
/// Answered once every event is durable, one result each: `stored`, `duplicate`, `stored_flagged`,
/// `parked` or `quarantined`, all of which fill their numbers, and a signed receipt. Only a frame
/// that cannot be read, a body that is too large or has an event of more than 512 KiB (413), a wrong
/// signature, and a service that is busy are errors; they fill nothing. `stored_flagged` is for an event
/// with the remark `CHAIN_BREAK` (T5) or `PARTIAL_GROUP` (T8), which `code` tells; `findings` of what an
/// event states never give it: it is `stored`. `reason` tells why a text is no
/// event (`UNREADABLE`), and which limit it exceeds, in at most 200 characters. `pull_hint`: master
/// data, a recall or a decision came in since the newest `cursor` the events saw; goods that set out
/// for the place and verdicts do not set it. `findings` has at most 100 of what was found about an event at
/// once, the worst; `more_findings` says how many more are on record. `pending: true` says that not everything
/// the event is about was judged at once, since there was too much to read: what is found of that comes with a
/// pull.
#[utoipa::path(tag = "handheld", operation_id = "push_events", security(("device" = [])),
    request_body = SyncPush,
    responses((status = 200, body = SyncPushAnswer),
    (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
    (status = 413, body = ProblemBody), (status = 415, body = ProblemBody),
    (status = 503, body = ProblemBody)))]
#[post("/v1/sync/push")]
pub async fn push_events(
    state: Data<Internal>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let token =
        http::auth::bearer(&request).ok_or_else(|| Problem::new(ProblemCode::DeviceNotKnown))?;
    let encoding = encoding(&request)?;
    let signed = receive::signer(&state, token).await?;
    let body = read(&state, signed.device(), payload).await?;
    let answer = receive::push(&state, signed, encoding, body).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(answer))
}

/// The operator has looked and says that the server's clock is right, after it jumped by more than a
/// minute, or was found wrong at the start: everything that writes goes on, in every process. Each
/// confirmation is an entry of the log.
#[utoipa::path(tag = "handheld", operation_id = "confirm_clock", security(("bearer" = [])),
    responses((status = 204), (status = 403, body = ProblemBody)))]
#[post("/v1/clock/confirm")]
pub async fn confirm_clock(
    state: Data<Internal>,
    caller: PlatformAdmin,
) -> Result<HttpResponse, Problem> {
    state.log.confirm_clock(caller.actor).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Reads a body that somebody sends as long as there is memory for it.
pub async fn read(state: &Internal, whose: Uuid, payload: Payload) -> Result<Body, Problem> {
    let mut held = state.handheld.memory.nothing(whose);
    let more = |bytes| Ok(held.grow(bytes)?);
    let bytes = body::read_within(payload.into_inner(), PUSH_BYTES_MAX, more).await?;
    Ok(Body { bytes, held })
}

/// How a body of a device is compressed.
pub fn encoding(request: &HttpRequest) -> Result<Encoding, Problem> {
    let name = http::header_text(request, &header::CONTENT_ENCODING);
    Encoding::parse(name).ok_or_else(|| {
        Problem::new(ProblemCode::UnsupportedMediaType).detail(
            "Content-Encoding may be gzip or zstd",
            "Content-Encoding 仅支持 gzip 和 zstd",
        )
    })
}

impl From<ReceiveError> for Problem {
    fn from(error: ReceiveError) -> Problem {
        match error {
            ReceiveError::Unsigned => Problem::new(ProblemCode::DeviceNotKnown),
            ReceiveError::Encoding => Problem::new(ProblemCode::MalformedBody).detail(
                format!("not_as_encoded: {error}"),
                "not_as_encoded：消息与 Content-Encoding 所称的压缩方式不符，或在传输中受损；请重新压缩后重发",
            ),
            ReceiveError::Frame(fault) => frame_problem(&fault),
            ReceiveError::Push(error) => error.into(),
            ReceiveError::Db(error) => error.into(),
            ReceiveError::Key(_) | ReceiveError::Cut => Problem::internal(&error),
        }
    }
}

impl From<PushError> for Problem {
    fn from(error: PushError) -> Problem {
        match error {
            PushError::Act(error) => error.into(),
            PushError::Frame(fault) => frame_problem(&fault),
            PushError::ClockJumped => Problem::new(ProblemCode::ClockJumped),
            PushError::Full => Problem::new(ProblemCode::Unavailable),
            PushError::World(WorldError::Db(error)) => error.into(),
            // What is on record cannot be read by this program: it is not the device's fault.
            PushError::World(_) => {
                tracing::error!(error = ?error, "master data cannot be read");
                Problem::new(ProblemCode::Unavailable)
            }
            PushError::Broken => Problem::internal(&error),
        }
    }
}
