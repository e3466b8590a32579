//! Devices and enrolment over HTTP.

use super::{
    schema::EnrolledOut,
    store::{self, Ticket},
    ticket,
    wire::{DeviceIn, DeviceOut, DeviceTicketOut, RevocationIn},
};
use crate::{
    app::Internal,
    handheld::{frame_problem, keys::point},
    http::{
        auth::Staff,
        body::{self, Key, KeyHeader, Keyed},
        page::{Page, PageQuery},
    },
    problem::{Problem, ProblemBody},
};
use actix_web::{
    HttpResponse, get,
    http::header,
    post,
    web::{self, Data, Path, Query},
};
use suyuan_sync::{limits::ENROL_BYTES_MAX, wire::Enrol};
use uuid::Uuid;

/// Make a device, with the one-time code and QR it enrols by within ten minutes. They are shown
/// once, and again only to who sends the same request under the same key: no longer good than they
/// were. A new code is a new ticket.
#[utoipa::path(tag = "handheld", operation_id = "create_device", request_body = DeviceIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = DeviceTicketOut), (status = 422, body = ProblemBody)))]
#[post("/v1/devices")]
pub async fn create_device(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<DeviceIn>,
) -> Result<HttpResponse, Problem> {
    body.value.check()?;
    let (log, enterprise) = (&state.log, caller.enterprise);
    let retry = body.key.map(|key| (key, &state.sealer));
    let made = store::create(log, enterprise, caller.actor, retry, body.value).await?;
    Ok(told(&state, enterprise, made))
}

/// A new one-time code for a device: after loss of its data, a restore, or when the first ran out.
/// It begins a new epoch with a new key; what was signed before stays good unless it is revoked. The key
/// before reads nothing any more: of two copies of one device (fork) one enrols with this, and the other as a
/// device of its own.
#[utoipa::path(tag = "handheld", operation_id = "create_device_ticket",
    params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = DeviceTicketOut), (status = 404, body = ProblemBody)))]
#[post("/v1/devices/{id}/tickets")]
pub async fn create_device_ticket(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
    key: Key,
) -> Result<HttpResponse, Problem> {
    let (log, enterprise) = (&state.log, caller.enterprise);
    let retry = key.0.map(|key| (key, &state.sealer));
    let made = store::ticket(log, enterprise, caller.actor, retry, *id).await?;
    Ok(told(&state, enterprise, made))
}

/// Devices of the caller's enterprise.
#[utoipa::path(tag = "handheld", operation_id = "list_devices", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<DeviceOut>)))]
#[get("/v1/devices")]
pub async fn list_devices(
    state: Data<Internal>,
    caller: Staff,
    query: Query<PageQuery>,
) -> Result<web::Json<Page<DeviceOut>>, Problem> {
    let paging = query.check()?;
    let rows = store::list(&state.db, caller.enterprise, paging).await?;
    let items = rows.into_iter().map(DeviceOut::from).collect();
    Ok(web::Json(Page::new(items, paging, |d: &DeviceOut| d.id)))
}

/// One device.
#[utoipa::path(tag = "handheld", operation_id = "get_device", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = DeviceOut), (status = 404, body = ProblemBody)))]
#[get("/v1/devices/{id}")]
pub async fn get_device(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
) -> Result<web::Json<DeviceOut>, Problem> {
    let row = store::get(&state.db, caller.enterprise, *id).await?;
    Ok(web::Json(row.into()))
}

/// Revoke a device that was lost or stolen. What its keys sign from now on is kept in quarantine,
/// not refused: its unsent true sales matter.
#[utoipa::path(tag = "handheld", operation_id = "revoke_device", params(("id" = Uuid, Path), KeyHeader),
    request_body = RevocationIn, security(("bearer" = [])),
    responses((status = 200, body = DeviceOut), (status = 404, body = ProblemBody),
    (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[post("/v1/devices/{id}/revoke")]
pub async fn revoke_device(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
    body: Keyed<RevocationIn>,
) -> Result<web::Json<DeviceOut>, Problem> {
    body.value.check()?;
    let (enterprise, actor) = (caller.enterprise, caller.actor);
    let asked = (*id, body.value.reason.as_str());
    let out = store::revoke(&state.log, enterprise, actor, body.key, asked).await?;
    Ok(web::Json(out))
}

/// Enrol: whoever holds the one-time code of a ticket brings a public key (P-256, as JWK) and begins
/// an epoch. Sent again with the same key while the code would hold, it gets the same device and epoch
/// again, since the answer may have been lost. The answer holds device id, epoch, the chain of keys
/// receipts and lists are signed with, the limits of the protocol, and the first time anchor.
#[utoipa::path(tag = "handheld", operation_id = "enrol",
    request_body(content = Object, description = "`{v: 1, code, key: {kty, crv, x, y}, program?}`, \
        at most 16 KiB"),
    responses((status = 201, body = EnrolledOut),
    (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/enrol")]
pub async fn enrol(state: Data<Internal>, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let bytes = body::read(payload.into_inner(), ENROL_BYTES_MAX).await?;
    let asked = Enrol::read(&bytes).map_err(|fault| frame_problem(&fault))?;
    let key = point::read(&asked.key).ok_or_else(|| {
        Problem::field(
            "key",
            "malformed",
            "not a point of the curve P-256",
            "不是 P-256 曲线上的点",
        )
    })?;
    let enrolled = store::enrol(&state.db, &state.log, &asked.code, &key).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ticket::welcome(&state, &enrolled).await?))
}

fn told(state: &Internal, enterprise: Uuid, made: (DeviceOut, Ticket)) -> HttpResponse {
    let authority = state.authority.as_ref();
    // A code that is good for a device must not lie about in caches.
    HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ticket::told(&state.settings, authority, enterprise, made))
}
