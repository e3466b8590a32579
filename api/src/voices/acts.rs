//! What staff do with voices: enter, move on, open, erase. Each is one act with its entry.

use super::{
    VoiceError, receipt,
    record::{self, Facts},
    rules::{self, Asked, Draft, HANDLING_MAX, Personal, State, VoiceKind, asked},
    store::{self, NewVoice},
    wire::{PersonalState, StepIn, VoiceIn, VoiceOut},
};
use crate::{
    accounts::{Account, Role},
    app::Internal,
    catalogue::Values,
    clock::{Micros, rfc3339},
    entities::voice,
    free_text::{self, Lines},
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    problem::Problem,
};
use serde_json::json;
use suyuan_sync::trace_code::TraceCode;
use uuid::Uuid;

/// Who handles: an enterprise its own, the platform those of nobody here. What consumers told is no
/// regulator's.
fn home(caller: &Account) -> Result<Uuid, VoiceError> {
    match caller.role {
        Role::PlatformAdmin => Ok(Uuid::nil()),
        Role::EnterpriseAdmin | Role::Operator => caller.enterprise.ok_or(VoiceError::NotAllowed),
        Role::Regulator => Err(VoiceError::NotAllowed),
    }
}

/// A voice the caller may see: the platform all, an enterprise its own.
fn seen(caller: &Account, row: Option<voice::Model>) -> Result<voice::Model, VoiceError> {
    let home = home(caller)?;
    row.filter(|row| caller.role == Role::PlatformAdmin || row.enterprise_id == home)
        .ok_or(VoiceError::Unknown)
}

/// A voice the caller may handle.
async fn handled(act: &Act, caller: &Account, id: Uuid) -> Result<voice::Model, VoiceError> {
    let row = seen(caller, store::find(act.tx(), id).await?)?;
    if row.enterprise_id != home(caller)? {
        return Err(VoiceError::NotAllowed);
    }
    Ok(row)
}

async fn begin(log: &Log, caller: &Account) -> Result<Act, VoiceError> {
    match log.begin::<()>(Actor::User(caller.id), None).await? {
        Begun::Act(act) => Ok(act),
        Begun::Answered(()) => Err(VoiceError::Unknown), // no key was given
    }
}

/// Enters what somebody told staff. Returns it with the receipt.
pub(super) async fn enter(
    state: &Internal,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    new: VoiceIn,
) -> Result<(VoiceOut, String), VoiceError> {
    let code = read_code(state, &new.code)?;
    let (owner, product) = store::owner(state.db.reader(), &code).await?;
    if owner != enterprise {
        return Err(field(
            "code",
            "not-ours",
            "no code of yours",
            "不是本企业的追溯码",
        ));
    }
    let product = store::product(state.db.reader(), enterprise, product).await?;
    let profile = product.as_ref().map(|product| product.profile.as_str());
    let asked = asked(&state.catalogue, profile, new.kind);
    let told_at = told_at(new.told_at.as_deref(), state.clock.now())?;
    let told = check(new.kind, asked, &new)?;
    let id = Uuid::now_v7();
    let given = receipt_of(state, id);
    let personal = serde_json::to_vec(&told.personal)?;
    // Before the head is held: an act must never wait for another connection.
    let seal = state.seals.seal(given.message, new.kind.name(), &personal);
    let sealed = seal.await?;
    let act = match state.log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => {
            let out: VoiceOut = out;
            let receipt = receipt_of(state, out.id).receipt.to_string();
            return Ok((out, receipt));
        }
    };
    let new = NewVoice {
        id,
        message: given.message,
        kind: new.kind,
        receipt: given.receipt.digest(),
        code,
        lot: None,
        place: told.place,
        told_at,
        sealed,
        by_staff: true,
        keep_days: state.settings.voices.keep_days,
    };
    let out = out(&store::add(&act, new).await?);
    let body = json!({"kind": out.kind, "code": out.code, "entered_by": out.entered_by});
    act.commit(entry(Kind::VoiceReceived, &out, &body), &out)
        .await?;
    Ok((out, given.receipt.to_string()))
}

/// The receipt of what staff entered follows from the master key and the id, which tells its time:
/// it need not be kept to answer the same request again.
fn receipt_of(state: &Internal, id: Uuid) -> receipt::Given {
    let digest = state
        .sealer
        .keyed_digest(format!("receipt/{id}").as_bytes());
    let (seconds, _) = id.get_timestamp().map_or((0, 0), |at| at.to_unix());
    receipt::give(id, digest.as_bytes(), seconds as Micros * 1_000_000)
}

fn check(kind: VoiceKind, asked: Asked, new: &VoiceIn) -> Result<rules::Told, VoiceError> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let draft = Draft {
        content: new.content.clone(),
        place: text(&new.place),
        bought_at: text(&new.bought_at),
        name: text(&new.name),
        contact: text(&new.contact),
    };
    rules::check(kind, asked, &draft).map_err(VoiceError::Fields)
}

fn told_at(given: Option<&str>, now: Micros) -> Result<Micros, VoiceError> {
    let Some(given) = given else {
        return Ok(now);
    };
    let instant = rules::instant(given).and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let instant = instant.map(jiff::Timestamp::as_microsecond);
    instant.filter(|at| *at <= now).ok_or_else(|| {
        field(
            "told_at",
            "bad-datetime",
            "an instant of the past as of RFC 3339",
            "须为不晚于现在的 RFC 3339 时间",
        )
    })
}

/// Moves a voice on.
pub(super) async fn step(
    state: &Internal,
    caller: &Account,
    key: Option<IdempotencyKey>,
    id: Uuid,
    step: StepIn,
) -> Result<VoiceOut, VoiceError> {
    for (name, text) in [
        ("plan", &step.plan),
        ("answer", &step.answer),
        ("result", &step.result),
    ] {
        if let Some(text) = text {
            free_text::check(name, text, HANDLING_MAX, Lines::Any)
                .map_err(|fault| VoiceError::Fields(vec![fault]))?;
        }
    }
    let act = match state.log.begin(Actor::User(caller.id), key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let mut row = handled(&act, caller, id).await?;
    let now = State::parse(&row.state).ok_or(VoiceError::Unknown)?;
    if !now.may_become(step.state) {
        return Err(VoiceError::WrongStep);
    }
    if step.answer.is_some() {
        row.answered_at = Some(act.stamp());
    }
    row.plan = step.plan.or(row.plan);
    row.answer = step.answer.or(row.answer);
    row.result = step.result.or(row.result);
    if step.state == State::Answered && row.answer.is_none() {
        return Err(field(
            "answer",
            "missing",
            "answer with a text",
            "请填写答复",
        ));
    }
    let complaint = row.kind == VoiceKind::Complaint.name();
    if step.state == State::Closed && complaint && row.result.is_none() {
        return Err(field(
            "result",
            "missing",
            "a complaint is closed with its result",
            "投诉结案须填写处理结果",
        ));
    }
    row.state = step.state.name().into();
    row.handler = Some(caller.id);
    row.handled_at = Some(act.stamp());
    if step.state == State::Closed {
        row.closed_at = Some(act.stamp());
    }
    let out = out(&store::change(&act, row).await?);
    let body = json!({"state": out.state, "answer": out.answer, "result": out.result});
    act.commit(entry(Kind::VoiceHandled, &out, &body), &out)
        .await?;
    Ok(out)
}

/// One voice with its record, the personal part left out.
pub(super) async fn get(
    state: &Internal,
    caller: &Account,
    id: Uuid,
) -> Result<(VoiceOut, Values), VoiceError> {
    let row = seen(caller, store::find(state.db.reader(), id).await?)?;
    let values = values(state, &row, None).await?;
    Ok((out(&row), values))
}

/// The same with the personal part. Whoever reads it is named in the log, which is written before
/// anything is told.
pub(super) async fn open(
    state: &Internal,
    caller: &Account,
    id: Uuid,
) -> Result<(VoiceOut, Values), VoiceError> {
    let act = begin(&state.log, caller).await?;
    let row = handled(&act, caller, id).await?;
    let sealed = store::sealed(act.tx(), &row).await?;
    let sealed = sealed.ok_or(VoiceError::Erased)?;
    let out = out(&row);
    act.commit(entry(Kind::PersonalDataOpened, &out, &json!({})), &())
        .await?;
    let plain = state.seals.open(row.message_id, &row.kind, &sealed).await?;
    let personal: Personal = serde_json::from_slice(&plain)?;
    let values = values(state, &row, Some(&personal)).await?;
    Ok((out, values))
}

/// Erases the personal part. Doing it twice changes nothing.
pub(super) async fn erase(
    state: &Internal,
    caller: &Account,
    id: Uuid,
) -> Result<VoiceOut, VoiceError> {
    let act = begin(&state.log, caller).await?;
    let row = handled(&act, caller, id).await?;
    if row.erased_at.is_some() {
        act.abandon().await?;
        return Ok(out(&row));
    }
    let out = out(&store::erase(&act, row).await?);
    act.commit(
        entry(Kind::PersonalDataErased, &out, &json!({"by": "staff"})),
        &(),
    )
    .await?;
    Ok(out)
}

async fn values(
    state: &Internal,
    row: &voice::Model,
    personal: Option<&Personal>,
) -> Result<Values, VoiceError> {
    let product = store::product(state.db.reader(), row.enterprise_id, row.product_id).await?;
    let profile = product
        .as_ref()
        .and_then(|product| state.catalogue.profile(&product.profile));
    let facts = Facts {
        row,
        kind: kind_of(row),
        product: product.as_ref().map(|product| product.name.as_str()),
        personal,
    };
    // Of goods that nobody here made no standard is known; the loosest reading tells all there is.
    let profile = profile.or_else(|| state.catalogue.profile("maternal-baby"));
    Ok(profile.map_or_else(Values::new, |profile| record::values(profile, &facts)))
}

/// Any form of a code a person may type.
pub(super) fn read_code(state: &Internal, typed: &str) -> Result<TraceCode, VoiceError> {
    let read = state.settings.codes.profiles.parse(typed.trim());
    read.map(|scanned| scanned.code).map_err(|error| {
        field(
            "code",
            error.fault.code(),
            error.fault.en(),
            error.fault.zh(),
        )
    })
}

fn kind_of(row: &voice::Model) -> VoiceKind {
    VoiceKind::parse(&row.kind).unwrap_or(VoiceKind::Complaint)
}

/// A row as staff see it.
pub(super) fn out(row: &voice::Model) -> VoiceOut {
    VoiceOut {
        id: row.id,
        enterprise_id: store::tenant(row),
        kind: kind_of(row),
        state: State::parse(&row.state).unwrap_or(State::Received),
        code: row.code.clone(),
        lot: row.lot.clone(),
        product_id: row.product_id,
        told_at: rfc3339(row.told_at),
        place: row.place.clone(),
        entered_by: row.entered_by.clone(),
        plan: row.plan.clone(),
        answer: row.answer.clone(),
        result: row.result.clone(),
        handler: row.handler,
        answered_at: row.answered_at.map(rfc3339),
        handled_at: row.handled_at.map(rfc3339),
        closed_at: row.closed_at.map(rfc3339),
        satisfaction: row.satisfaction,
        personal: if row.erased_at.is_some() {
            PersonalState::Erased
        } else {
            PersonalState::Sealed
        },
    }
}

fn entry<'a>(kind: Kind, out: &VoiceOut, body: &'a serde_json::Value) -> Entry<'a> {
    Entry {
        kind,
        enterprise: out.enterprise_id,
        subject: format!("voice:{}", out.id),
        body,
    }
}

fn field(field: &str, code: &str, en: &str, zh: &str) -> VoiceError {
    VoiceError::Fields(Problem::field(field, code, en, zh).errors)
}
