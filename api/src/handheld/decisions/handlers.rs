//! Decisions over HTTP.

use super::{
    DecisionError, store,
    wire::{
        AcceptanceIn, AcceptanceOut, Noted, PeriodIn, PeriodOut, PolicyIo, PositionPage,
        PositionQuery, RestatementPage, RestatementQuery, ShiftOut,
    },
};
use crate::{
    app::Internal,
    clock::Micros,
    http::{
        auth::{EnterpriseAdmin, PlatformAdmin, SignedIn, Staff},
        body::{Key, KeyHeader, Keyed},
        page,
    },
    problem::{Problem, ProblemBody, ProblemCode},
};
use actix_web::{
    HttpResponse, get, post,
    web::{self, Data, Path, Query},
};
use suyuan_sync::{ids::EnterpriseId, unit::UnitKey};
use uuid::Uuid;

/// 2000-01-01T00:00:00Z: what is said to have ended before was mistyped.
const PERIODS_FROM: Micros = 946_684_800_000_000;

/// The windows in force: when the same scan says nothing new, and how old a till's recall list may
/// be.
#[utoipa::path(tag = "handheld", operation_id = "get_policy", security(("bearer" = [])),
    responses((status = 200, body = PolicyIo)))]
#[get("/v1/policy")]
pub async fn get_policy(
    state: Data<Internal>,
    _caller: SignedIn,
) -> Result<web::Json<PolicyIo>, Problem> {
    Ok(web::Json(store::policy(state.db.reader()).await?.into()))
}

/// Put other windows in force, from now on in the order of events: what came before is judged as it
/// was.
#[utoipa::path(tag = "handheld", operation_id = "change_policy", request_body = PolicyIo,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[post("/v1/policy")]
pub async fn change_policy(
    state: Data<Internal>,
    caller: PlatformAdmin,
    body: Keyed<PolicyIo>,
) -> Result<HttpResponse, Problem> {
    let policy = body.value.checked()?;
    store::change_policy(&state.log, caller.actor, body.key, policy).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Let another enterprise's events count on units of one's own, though no delivery links it to
/// them: one unit, a batch, or all. Until then they are kept and flagged `UNEXPECTED_HOLDER`, and so is
/// ever after what it states at a place that is on record as another's than its own. A unit that the
/// caller's enterprise did not issue is not found, nor is a batch that is not its own.
#[utoipa::path(tag = "handheld", operation_id = "create_acceptance", request_body = AcceptanceIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = AcceptanceOut), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[post("/v1/acceptances")]
pub async fn create_acceptance(
    state: Data<Internal>,
    caller: EnterpriseAdmin,
    body: Keyed<AcceptanceIn>,
) -> Result<HttpResponse, Problem> {
    let (log, issuer) = (&state.log, caller.enterprise);
    if let Some(unit) = body.value.named()? {
        own(&state, issuer, &unit).await?;
    }
    let out = store::accept(log, issuer, caller.actor, body.key, body.value).await?;
    Ok(HttpResponse::Created().json(out))
}

/// Only who issued a unit says whose events count on it; to anybody else it does not exist.
async fn own(state: &Internal, enterprise: Uuid, unit: &UnitKey) -> Result<(), DecisionError> {
    let mut snapshot = state.handheld.reading.begin(&state.db).await?;
    let issuer = snapshot.issuer(unit).await?;
    let own = issuer == Some(EnterpriseId(enterprise));
    own.then_some(()).ok_or(DecisionError::Unknown)
}

/// Whose events count on units of one's own.
#[utoipa::path(tag = "handheld", operation_id = "list_acceptances", params(PositionQuery),
    security(("bearer" = [])),
    responses((status = 200, body = PositionPage<AcceptanceOut>), (status = 422, body = ProblemBody)))]
#[get("/v1/acceptances")]
pub async fn list_acceptances(
    state: Data<Internal>,
    caller: Staff,
    query: Query<PositionQuery>,
) -> Result<web::Json<PositionPage<AcceptanceOut>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::from_zero("after", query.after)?;
    let items = store::acceptances(&state.db, caller.enterprise, after, limit).await?;
    let next = page::next(&items, limit, |item| item.position);
    Ok(web::Json(PositionPage { items, next }))
}

/// State that a shift ended on a device: what was done before can be retracted by a supervisor only,
/// or with a remark (`LATE_RETRACT`).
#[utoipa::path(tag = "handheld", operation_id = "close_shift",
    params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = ShiftOut), (status = 404, body = ProblemBody)))]
#[post("/v1/devices/{id}/shift-closures")]
pub async fn close_shift(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
    key: Key,
) -> Result<HttpResponse, Problem> {
    let (log, enterprise) = (&state.log, caller.enterprise);
    let out = store::close_shift(log, enterprise, caller.actor, key.0, *id).await?;
    Ok(HttpResponse::Created().json(out))
}

/// Close a period: what is known at the position of this entry is what stands of it. Uploads that belong
/// to it are still folded, and what changes it is listed as restatements (T10). What can be read as it
/// was known at a position is a unit, with `GET /v1/units/{code}?at=`, and balances of goods without codes, with
/// `GET /v1/stock/lots?at=`; stock of units and recalls are told as of now only. It is closed whatever of what had
/// come in was still to be worked in: `settled` says whether anything was, and what belongs to the period is
/// listed as a restatement once it is worked in.
#[utoipa::path(tag = "handheld", operation_id = "close_period", request_body = PeriodIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = PeriodOut), (status = 403, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/periods")]
pub async fn close_period(
    state: Data<Internal>,
    caller: EnterpriseAdmin,
    body: Keyed<PeriodIn>,
) -> Result<HttpResponse, Problem> {
    let until: Result<jiff::Timestamp, _> = body.value.until.parse();
    let until = until.map_err(|_| {
        Problem::field(
            "until",
            "malformed",
            "an instant by RFC 3339, such as 2026-11-30T16:00:00Z",
            "须为 RFC 3339 时间，例如 2026-11-30T16:00:00Z",
        )
    })?;
    let until = until.as_microsecond();
    if until < PERIODS_FROM {
        return Err(Problem::field(
            "until",
            "out-of-range",
            "not before 2000-01-01T00:00:00Z",
            "不得早于 2000-01-01T00:00:00Z",
        ));
    }
    let (log, enterprise) = (&state.log, caller.enterprise);
    let out = store::close_period(log, enterprise, caller.actor, body.key, until).await?;
    Ok(HttpResponse::Created().json(out))
}

/// Closed periods.
#[utoipa::path(tag = "handheld", operation_id = "list_periods", params(PositionQuery),
    security(("bearer" = [])),
    responses((status = 200, body = PositionPage<PeriodOut>), (status = 422, body = ProblemBody)))]
#[get("/v1/periods")]
pub async fn list_periods(
    state: Data<Internal>,
    caller: Staff,
    query: Query<PositionQuery>,
) -> Result<web::Json<PositionPage<PeriodOut>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::from_zero("after", query.after)?;
    let items = store::list_periods(&state.db, caller.enterprise, after, limit).await?;
    let next = page::next(&items, limit, |item| item.position);
    Ok(web::Json(PositionPage { items, next }))
}

/// What a report of a closed period must name as restated, in the order in which it was noted: what came
/// in after it was closed and belongs to it, or moved in it, into it or out of it; what of it was struck, and the
/// retract that did so, whenever that was made; what was taken in from aside; what a partner said that
/// begins to count, or counts no more, in the partner's period and in that of the issuer of the code; what had come
/// in before it was closed and was worked in later, and whatever changed a balance by that. An
/// event of which this is found again is listed anew, behind the others.
#[utoipa::path(tag = "handheld", operation_id = "list_restatements",
    params(("position" = i64, Path), RestatementQuery), security(("bearer" = [])),
    responses((status = 200, body = RestatementPage), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[get("/v1/periods/{position}/restatements")]
pub async fn list_restatements(
    state: Data<Internal>,
    caller: Staff,
    position: Path<i64>,
    query: Query<RestatementQuery>,
) -> Result<web::Json<RestatementPage>, Problem> {
    let limit = page::limit(query.limit)?;
    let after: Option<Result<Noted, _>> = query.after.as_deref().map(str::parse);
    let after = after.transpose().map_err(|_| {
        Problem::new(ProblemCode::MalformedRequest).detail(
            "after: the cursor of an item of this list",
            "after 须为本列表某一项的游标",
        )
    })?;
    let (enterprise, period) = (caller.enterprise, *position);
    let after = after.unwrap_or_default();
    let items = store::restatements(&state.db, enterprise, period, after, limit).await?;
    let next = page::next(&items, limit, |item| item.cursor.clone());
    Ok(web::Json(RestatementPage { items, next }))
}
