//! What devices read, over HTTP; and outboxes that somebody brings.

use super::{
    ack_store::{self, acknowledge},
    listed::ListError,
    look_up,
    part_store::Within,
    pull::{self, PullError},
    snapshot, status,
};
use crate::{
    app::Internal,
    handheld::{
        push::{
            handlers::{encoding, read},
            receive,
        },
        schema::{
            SyncDeposit, SyncLookUpAnswer, SyncPullAnswer, SyncPushAnswer, SyncSnapshot,
            SyncStatusAnswer,
        },
        world::WorldError,
    },
    http::{
        body::DeviceJson,
        device::{Carrier, DeviceKnown, DeviceRead},
    },
    problem::{Problem, ProblemBody, ProblemCode},
};
use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header,
    post,
    web::{Data, Payload, Query},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use suyuan_sync::{
    chain::Hash,
    event::required,
    limits::{LOOK_UP_CODES_MAX, PULL_ITEMS_MAX},
    trace_code,
    unit::UnitKey,
    wire::{LookUpAnswer, PullAnswer, RulesAnswer, V},
};
use utoipa::{IntoParams, ToSchema};

/// Where a pull goes on.
#[derive(Debug, Deserialize, IntoParams)]
pub struct PullQuery {
    /// The cursor of the last page that was stored. Asking with it acknowledges everything before it.
    /// Absent or 0: from the beginning of the log, page by page, with all that ended since; whoever has
    /// nothing begins with `GET /v1/sync/snapshot`, which spares that.
    pub cursor: Option<i64>,
    /// About how many items of each sort, 1 to 500 (default 500); with what containers hold, at most
    /// four times as many units. What changed at one position comes together, or in parts.
    pub limit: Option<usize>,
    /// The next part of a position: `within` of the page before, with the same cursor.
    pub within: Option<String>,
    /// Which recall list the device holds with all its chunks: `content` of the newest it was told,
    /// 64 hexadecimal digits. It is told a list only when another one holds.
    pub list: Option<String>,
}

/// Codes somebody looks up.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LookUpIn {
    /// Version of this message: 1.
    pub v: u32,
    /// The codes as read, at most 100.
    pub codes: Vec<String>,
}

/// What the service holds of the device that asks: how far its sequence came, events that stand
/// aside and why, and findings that need its user. The bearer token is a JWT of type
/// `suyuan-read+jwt` that the device signs (ES256) over the newest anchor it holds; its times are not
/// judged. An anchor older than 15 minutes is answered with 401 `stale-anchor` and a fresh `anchor`.
///
/// At most 500 of each are told, the oldest; `more_parked`, `more_quarantined` and `more_findings` say how
/// many more there are, and are absent where there are none. A device whose key is revoked may ask this
/// too, and is told `re_enrol`.
#[utoipa::path(tag = "handheld", operation_id = "get_sync_status", security(("device" = [])),
    responses((status = 200, body = SyncStatusAnswer), (status = 401, body = ProblemBody)))]
#[get("/v1/sync/status")]
pub async fn get_sync_status(
    state: Data<Internal>,
    device: DeviceKnown,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&status::of(&state, &device).await?))
}

/// What changed for a device since a cursor: products, partners, units at its place or on the way
/// there with what containers hold, what left, the recall list, and what was found about its own
/// events, also when it closed. Signed as `GET /v1/sync/status` is.
///
/// A page is applied whole, and counts as applied once the chunks of a recall list in it are fetched
/// (`GET /v1/sync/chunks/{hash}`). `list` says, signed, which list holds (`content`), as of which
/// position and instant; a device that holds it holds it as of then, so that no list looks old
/// because nothing happened. `rules` and `badges` say which version holds of `GET /v1/sync/rules` and
/// `GET /v1/sync/badges`, and `list_age_s` how old the list may be at a sale (`GET /v1/policy`).
/// `told_until` is the instant up to which what counts shows in cards, once there is no more: events with a later
/// receipt may be left for later (`pending`), and a device judges by its own as well.
/// A page with `within` is a part of a position that changed more than fits:
/// it is kept aside, the next part is asked for with it, and all are applied with the last, which has
/// none. A list is exact as of the moment it is asked for: what was recalled
/// before reaches a till with its next pull.
///
/// 403 when the device has to enrol again; 410 when the cursor cannot be followed, as after the log
/// was set back: begin with `GET /v1/sync/snapshot`.
#[utoipa::path(tag = "handheld", operation_id = "pull_changes", params(PullQuery),
    security(("device" = [])),
    responses((status = 200, body = SyncPullAnswer),
    (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
    (status = 403, body = ProblemBody), (status = 410, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[get("/v1/sync/pull")]
pub async fn pull_changes(
    state: Data<Internal>,
    device: DeviceRead,
    query: Query<PullQuery>,
) -> Result<HttpResponse, Problem> {
    let device = device.0;
    let cursor = query.cursor.unwrap_or(0);
    let limit = query.limit.unwrap_or(PULL_ITEMS_MAX);
    if cursor < 0 || !(1..=PULL_ITEMS_MAX).contains(&limit) {
        return Err(Problem::field(
            if cursor < 0 { "cursor" } else { "limit" },
            "out-of-range",
            "cursor is a position; limit lies between 1 and 500",
            "cursor 为位置；limit 须在 1 到 500 之间",
        ));
    }
    let holds = query.list.as_deref().map(str::parse::<Hash>).transpose();
    let holds = holds.map_err(|_| {
        Problem::field(
            "list",
            "malformed",
            "64 hexadecimal digits",
            "须为 64 位十六进制数字",
        )
    })?;
    let within = query
        .within
        .as_deref()
        .map(str::parse::<Within>)
        .transpose();
    let within = within.map_err(|()| Problem::new(ProblemCode::MalformedRequest))?;
    if within.is_some_and(|within| within.at != cursor + 1) {
        return Err(Problem::new(ProblemCode::MalformedRequest));
    }
    let page = pull::page(&state, &device, (cursor, within), limit as i64, holds).await?;
    if cursor > 0 {
        let who = ack_store::Device {
            enterprise: device.enterprise,
            id: device.device,
            epoch: device.epoch,
        };
        acknowledge(&state.db, who, cursor, device.anchor).await?;
    }
    let (anchors, now) = (&state.handheld.anchors, state.log.now());
    Ok(answer(&PullAnswer {
        v: V,
        items: page.items,
        cursor: page.cursor,
        more: page.more,
        within: page.within.map(|within| within.to_string()),
        list: Some(page.list),
        rules: Some(required::version().to_owned()),
        badges: page.badges,
        list_age_s: u32::try_from(page.policy.list_age_us / 1_000_000).ok(),
        told_until: Some(page.told_until),
        anchor: anchors.issue(device.device, device.epoch, page.stamp, now),
    }))
}

/// What events have to say besides what no event can lack: the mandatory items of the standards, by
/// kind of event and profile of the goods. They change with the program; `rules` in the answer of a
/// pull says which version holds. Signed as `GET /v1/sync/status` is.
#[utoipa::path(tag = "handheld", operation_id = "get_rules", security(("device" = [])),
    responses((status = 200, body = Object, description = "`{v, version, rules[{profile, kind, item, \
        source, said}], anchor}`"),
    (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
#[get("/v1/sync/rules")]
pub async fn get_rules(state: Data<Internal>, device: DeviceRead) -> Result<HttpResponse, Problem> {
    let (_, stamp) = state.log.head().await?;
    let (anchors, now) = (&state.handheld.anchors, state.log.now());
    Ok(answer(&RulesAnswer {
        v: V,
        version: required::version().to_owned(),
        rules: required::RULES.to_vec(),
        anchor: anchors.issue(device.0.device, device.0.epoch, stamp, now),
    }))
}

/// Everything a device is told, as of one position: for one that has nothing, or whose cursor
/// cannot be followed. The manifest names chunks of at most 256 KiB by their SHA-256, each
/// `{v, items[]}`, to be fetched from `GET /v1/sync/chunks/{hash}` within 48 hours, in any order, and
/// applied in that of the manifest; a later item of a thing takes the place of an earlier one. The
/// pull goes on from `watermark`. `trust_keys` are all keys the installation ever signed with, each signed by
/// the one before. Signed as `GET /v1/sync/status` is.
///
/// One that is not there within 10 s is answered with 503 `snapshot-not-ready`: it is made while nobody
/// waits, and whoever asks again within ten minutes finds it, or goes on waiting for it; later it is given up. So
/// ask again after `Retry-After`, for as long as that is the answer. Two are made at once, of an enterprise
/// one at a time, enterprises in turn. Each process of a server makes its own; the chunks can be had from all.
#[utoipa::path(tag = "handheld", operation_id = "get_snapshot", security(("device" = [])),
    responses((status = 200, body = SyncSnapshot),
    (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 503, body = ProblemBody)))]
#[get("/v1/sync/snapshot")]
pub async fn get_snapshot(
    state: Data<Internal>,
    device: DeviceRead,
) -> Result<HttpResponse, Problem> {
    let patience = snapshot::Patience::default();
    Ok(answer(&snapshot::make(&state, &device.0, patience).await?))
}

/// What is known of codes somebody holds in front of a device, of those that nothing happened to yet by the
/// record of codes: a card for each, or null where nothing is known, or was allocated, or the enterprise may not know it; whoever had the goods and sent them on is not told the
/// place they went on to. Signed as `GET /v1/sync/status` is.
#[utoipa::path(tag = "handheld", operation_id = "look_up_units", request_body = LookUpIn,
    security(("device" = [])),
    responses((status = 200, body = SyncLookUpAnswer),
    (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/sync/lookups")]
pub async fn look_up_units(
    state: Data<Internal>,
    device: DeviceRead,
    asked: DeviceJson<LookUpIn>,
) -> Result<HttpResponse, Problem> {
    let (device, asked) = (device.0, asked.0);
    if asked.v != 1 || asked.codes.len() > LOOK_UP_CODES_MAX {
        return Err(Problem::field(
            if asked.v == 1 { "codes" } else { "v" },
            "out-of-range",
            "version 1, at most 100 codes",
            "版本须为 1，最多 100 个追溯码",
        ));
    }
    let key = |code: &String| UnitKey::of(&trace_code::parse(code).ok()?.code);
    let keys: Vec<Option<UnitKey>> = asked.codes.iter().map(key).collect();
    let named: BTreeSet<UnitKey> = keys.iter().flatten().cloned().collect();
    let looked = look_up::look_up(&state, &device, &named).await?;
    let card = |key: Option<UnitKey>| looked.cards.get(&key?).cloned();
    let (anchors, now) = (&state.handheld.anchors, state.log.now());
    Ok(answer(&LookUpAnswer {
        v: V,
        cards: keys.into_iter().map(card).collect(),
        position: looked.position,
        told_until: Some(looked.told_until),
        anchor: anchors.issue(device.device, device.epoch, looked.stamp, now),
    }))
}

/// An exported outbox of a device, brought by another device or a file: `{v: 1, token, push}`, where
/// `push` is what `POST /v1/sync/push` takes and `token` what its device signed over it. The caller is
/// any device (as for reads) or somebody of an enterprise. Admitted like a push, marked `imported`. The receipt is
/// of the device that signed; the anchor is of the device that asks, where one does. One
/// whose frame cannot be read fills nothing (400) and is kept as a dead letter of who brought it.
#[utoipa::path(tag = "handheld", operation_id = "deposit_events",
    security(("device" = []), ("bearer" = [])),
    request_body = SyncDeposit,
    responses((status = 200, body = SyncPushAnswer),
    (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
    (status = 403, body = ProblemBody), (status = 413, body = ProblemBody), (status = 415, body = ProblemBody),
    (status = 503, body = ProblemBody)))]
#[post("/v1/sync/deposit")]
pub async fn deposit_events(
    state: Data<Internal>,
    carrier: Carrier,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let encoding = encoding(&request)?;
    let who = carrier.who();
    let whose = who.1.map_or(who.0, |(device, _)| device);
    let body = read(&state, whose, payload).await?;
    let deposited = receive::deposit(&state, who, encoding, body).await?;
    Ok(answer(&deposited))
}

pub(super) fn answer(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(body)
}

impl From<PullError> for Problem {
    fn from(error: PullError) -> Problem {
        match error {
            PullError::Gone => Problem::new(ProblemCode::CursorGone),
            PullError::Db(error) | PullError::List(ListError::Db(error)) => error.into(),
            PullError::List(_) => Problem::internal(&error),
            PullError::Policy(error) => error.into(),
        }
    }
}

impl From<WorldError> for Problem {
    fn from(error: WorldError) -> Problem {
        match error {
            WorldError::Db(error) => error.into(),
            WorldError::Key(_) | WorldError::Stored(_) => Problem::internal(&error),
        }
    }
}
