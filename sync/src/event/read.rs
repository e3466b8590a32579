//! Reading an event's text (sync.md section 2).
//!
//! A text is no event (T9) when it is not JSON of an event's shape: no version, kind, ids, epoch,
//! sequence number or time, a value of another type, a name twice, more than the limits allow.
//! It is an event, whatever it says, in every other case: what is missing is told by `required`,
//! a code or a reference that cannot be read stays as text or is left open, and a kind or version
//! of a later program waits for that program (T7).

use super::{
    Actor, Counterpart, Disposition, Document, Environment, Event, EventFault, Group, Header,
    Input, Kind, LotLine, Override, Proof, Reads, UnitRead, VERSION,
    bounded::{Bounded, Short},
    depth, halves, instant,
    shape::{
        ActorShape, CounterpartOnly, CounterpartShape, EnvShape, GroupShape, LotShape,
        OverrideShape, Shape, UnitShape,
    },
};
use crate::{
    ids::{DeviceId, EnterpriseId, EventId, GroupId, Gseq, LocationId, RecallId},
    limits::{
        EVENT_BYTES_MAX, GROUP_EVENTS_MAX, JSON_DEPTH_MAX, QTY_MAX, SEQ_MAX, UNITS_PER_EVENT_MAX,
    },
};
use serde_json::{Number, error::Category};
use uuid::Uuid;

/// Reads the bytes of an event as they came over the wire.
pub fn parse_bytes(bytes: &[u8]) -> Result<Event, EventFault> {
    within_length(bytes)?;
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text),
        Err(error) => Err(EventFault::NotUtf8 {
            at: error.valid_up_to(),
        }),
    }
}

/// Reads the text of an event.
///
/// ```
/// use suyuan_sync::event::{self, Kind};
///
/// let event = event::parse(r#"{"v":1,"kind":"sale",
///     "event_id":"018f2f6e-0000-7000-8000-000000000001",
///     "device":"5b0c1c5e-7f39-4f53-9a0c-3f0a4e1d2c3b","epoch":1,"seq":7,
///     "at":"2026-01-15T09:30:00.250+08:00",
///     "units":[{"code":"(01)06901234567892(21)A9","input":"camera"},{"code":"?"}]}"#)?;
/// assert_eq!(event.kind, Kind::Sale);
/// assert_eq!(event.units[0].unit.as_ref().unwrap().as_str(), "/01/06901234567892/21/A9");
/// assert_eq!(event.units[1].unit, None);
/// # Ok::<(), event::EventFault>(())
/// ```
pub fn parse(text: &str) -> Result<Event, EventFault> {
    within_length(text.as_bytes())?;
    if let Some(at) = depth::exceeded(text.as_bytes(), JSON_DEPTH_MAX) {
        return Err(EventFault::TooDeep {
            at,
            max: JSON_DEPTH_MAX,
        });
    }
    let text = halves::replaced(text);
    match serde_json::from_str::<Shape<'_>>(&text) {
        Ok(shape) => event(&shape),
        Err(error) => Err(refusal(&text, &error)),
    }
}

fn within_length(bytes: &[u8]) -> Result<(), EventFault> {
    if bytes.len() > EVENT_BYTES_MAX {
        return Err(EventFault::TooLong {
            bytes: bytes.len(),
            max: EVENT_BYTES_MAX,
        });
    }
    Ok(())
}

/// What a text is that has not the shape of an event: one of a later program may look different,
/// as long as it is JSON and says where it belongs.
fn refusal(text: &str, error: &serde_json::Error) -> EventFault {
    let why = error.to_string();
    if error.classify() != Category::Data {
        return EventFault::NotJson { why };
    }
    let header = Header::read(text.as_bytes());
    if !header.whole {
        return EventFault::NotJson { why };
    }
    let placed = header.event_id.is_some()
        && header.device.is_some()
        && header.epoch.is_some()
        && header.seq.is_some_and(|seq| (1..=SEQ_MAX).contains(&seq));
    later(header.v, header.kind.as_deref())
        .filter(|_| placed)
        .unwrap_or(EventFault::NotAnEvent { why })
}

/// Is it of a version or kind that only a later program knows?
fn later(v: Option<u64>, kind: Option<&str>) -> Option<EventFault> {
    match (v?, kind) {
        (v, _) if v > VERSION => Some(EventFault::NewerVersion { v }),
        (VERSION, Some(kind)) if Kind::of_name(kind).is_none() => Some(EventFault::UnknownKind {
            kind: kind.to_owned(),
        }),
        _ => None,
    }
}

fn event(shape: &Shape<'_>) -> Result<Event, EventFault> {
    let id = uuid(&shape.event_id).ok_or_else(|| no_event("event_id", "is no UUID"))?;
    let device = uuid(&shape.device).ok_or_else(|| no_event("device", "is no UUID"))?;
    if shape.epoch == 0 {
        return Err(no_event("epoch", "begins at 1"));
    }
    if !(1..=SEQ_MAX).contains(&shape.seq) {
        return Err(no_event("seq", "is not between 1 and 2^53 - 1"));
    }
    if let Some(later) = later(Some(shape.v), Some(shape.kind.as_str())) {
        return Err(later);
    }
    let kind = Kind::of_name(shape.kind.as_str())
        .filter(|_| shape.v == VERSION)
        .ok_or_else(|| no_event("v", "is no version"))?;
    let (at, zone_minutes) = instant::read(shape.at.as_str())
        .ok_or_else(|| no_event("at", "is no RFC 3339 time with a zone"))?;
    let mono_ms = shape.mono.unwrap_or_default();
    if mono_ms > SEQ_MAX {
        return Err(no_event("mono", "is more than 2^53 - 1"));
    }
    let units = listed(shape.units.as_ref())
        .chain(listed(shape.children.as_ref()))
        .map(unit)
        .collect::<Reads>();
    if units.len() > UNITS_PER_EVENT_MAX {
        let why = format!("and children are more than {UNITS_PER_EVENT_MAX} together");
        return Err(no_event("units", &why));
    }
    Ok(Event {
        id: EventId(id),
        device: DeviceId(device),
        epoch: shape.epoch,
        seq: shape.seq,
        kind,
        actor: actor(shape.actor.as_ref()),
        location: shape
            .location
            .as_ref()
            .and_then(uuid)
            .map_or(LocationId(Uuid::nil()), LocationId),
        units,
        lots: listed(shape.lots.as_ref())
            .map(lot)
            .collect::<Result<_, _>>()?,
        counterpart: shape.counterpart.as_ref().and_then(counterpart),
        doc: shape.doc.as_ref().map(|doc| Document {
            no: text(doc.no.as_ref()).unwrap_or_default(),
            at: text(doc.at.as_ref()),
        }),
        at,
        zone_minutes,
        mono_ms,
        anchor: text(shape.anchor.as_ref()),
        anchor_wall: shape
            .anchor_wall
            .as_ref()
            .and_then(|wall| instant::read(wall.as_str()))
            .map(|(at, _)| at),
        list_version: shape
            .list_version
            .map(|position| gseq("list_version", position))
            .transpose()?,
        cursor: gseq("cursor", shape.cursor.unwrap_or_default())?,
        env: shape.env.as_ref().map(environment),
        overridden: shape.overridden.as_ref().map(overridden),
        target: shape.target.as_ref().and_then(uuid).map(EventId),
        parent: shape.parent.as_ref().map(unit),
        declared: shape.declared,
        disposition: shape.disposition.as_ref().and_then(disposition),
        group: shape.group.as_ref().map(group).transpose()?,
        body: shape
            .body
            .as_ref()
            .map(|body| body.0.clone())
            .unwrap_or_default(),
    })
}

fn no_event(field: &str, what: &str) -> EventFault {
    EventFault::NotAnEvent {
        why: format!("`{field}` {what}"),
    }
}

/// Only the form with hyphens, and never the nil UUID: under that the server speaks.
pub(super) fn uuid(text: &Short<'_>) -> Option<Uuid> {
    read_uuid(text.as_str())
}

/// See [`uuid()`].
pub(super) fn read_uuid(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    (text.len() == 36 && !uuid.is_nil()).then_some(uuid)
}

/// A text, unless it is empty.
fn text(text: Option<&Short<'_>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
        .filter(|text| !text.is_empty())
}

fn listed<T, const MAX: usize>(list: Option<&Bounded<T, MAX>>) -> impl Iterator<Item = &T> {
    list.into_iter().flat_map(|list| &list.0)
}

fn gseq(field: &str, position: u64) -> Result<Gseq, EventFault> {
    if position > SEQ_MAX {
        return Err(no_event(field, "is more than 2^53 - 1"));
    }
    Gseq::try_from(position).map_err(|_| no_event(field, "is no position"))
}

/// Who acted; nobody when that is not said.
fn actor(shape: Option<&ActorShape<'_>>) -> Actor {
    let proof = shape.and_then(|actor| actor.proof.as_ref());
    Actor {
        id: shape
            .and_then(|actor| text(actor.id.as_ref()))
            .unwrap_or_default(),
        proof: proof
            .and_then(|proof| Proof::of_name(proof.as_str()))
            .unwrap_or(Proof::None),
        login_age_s: shape.and_then(|actor| actor.login_age_s),
        supervisor: shape.and_then(|actor| actor.supervisor) == Some(true),
    }
}

/// A way of reading that is not known counts as typed: nobody is suspected by it.
fn unit(shape: &UnitShape<'_>) -> UnitRead {
    let input = shape
        .input
        .as_ref()
        .and_then(|input| Input::of_name(input.as_str()))
        .unwrap_or(Input::Typed);
    UnitRead::of(shape.code.as_ref().map_or("", Short::as_str), input)
}

fn lot(shape: &LotShape<'_>) -> Result<LotLine, EventFault> {
    if shape.qty > QTY_MAX {
        return Err(no_event("qty", &format!("is more than {QTY_MAX}")));
    }
    Ok(LotLine {
        gtin: gtin14(shape.gtin.as_ref().map_or("", Short::as_str)),
        lot: text(shape.lot.as_ref()),
        qty: shape.qty,
    })
}

/// A number of a trade item as GTIN-14; anything else stays as it is.
pub fn gtin14(text: &str) -> String {
    let text = text.trim();
    if matches!(text.len(), 8 | 12 | 13) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{text:0>14}")
    } else {
        text.to_owned()
    }
}

/// To or from whom an event was that was read before, without all it names; nothing of what is no event.
pub fn counterpart_of(bytes: &[u8]) -> Option<Counterpart> {
    let shape: CounterpartOnly<'_> = serde_json::from_slice(bytes).ok()?;
    counterpart(&shape.counterpart?)
}

/// An id that cannot be read makes a name of what stands there: it links nobody.
fn counterpart(shape: &CounterpartShape<'_>) -> Option<Counterpart> {
    let id = shape.id.as_ref().and_then(uuid);
    match (shape.kind.as_ref().map(Short::as_str), id) {
        (Some("enterprise"), Some(id)) => Some(Counterpart::Enterprise(EnterpriseId(id))),
        (Some("location"), Some(id)) => Some(Counterpart::Location(LocationId(id))),
        _ => text(shape.name.as_ref())
            .or_else(|| text(shape.id.as_ref()))
            .map(Counterpart::Named),
    }
}

/// What a broken sensor says (−9999 °C) was not measured.
fn environment(shape: &EnvShape) -> Environment {
    Environment {
        temperature: shape
            .temperature
            .as_ref()
            .and_then(|t| tenths(t, -1000.0, 2000.0)),
        humidity: shape.humidity.as_ref().and_then(|h| tenths(h, 0.0, 1000.0)),
    }
}

fn tenths(number: &Number, least: f64, most: f64) -> Option<i32> {
    let tenths = (number.as_f64()? * 10.0).round();
    (least..=most).contains(&tenths).then_some(tenths as i32)
}

fn overridden(shape: &OverrideShape<'_>) -> Override {
    Override {
        code: text(shape.code.as_ref()).unwrap_or_default(),
        reason: text(shape.reason.as_ref()).unwrap_or_default(),
        supervisor: text(shape.supervisor.as_ref()),
        recall: shape.recall.as_ref().and_then(uuid).map(RecallId),
    }
}

fn disposition(name: &Short<'_>) -> Option<Disposition> {
    match name.as_str() {
        "sellable" => Some(Disposition::Sellable),
        "hold" => Some(Disposition::Hold),
        "destroy" => Some(Disposition::Destroy),
        _ => None,
    }
}

/// A group that could never be whole is none.
fn group(shape: &GroupShape<'_>) -> Result<Group, EventFault> {
    if shape.of > GROUP_EVENTS_MAX {
        let why = format!("has more than {GROUP_EVENTS_MAX} events");
        return Err(no_event("group", &why));
    }
    if shape.n == 0 || shape.n > shape.of {
        return Err(no_event("group", "has no such number"));
    }
    Ok(Group {
        id: GroupId(uuid(&shape.id).ok_or_else(|| no_event("group", "has no UUID"))?),
        n: shape.n,
        of: shape.of,
        correct: shape.correct == Some(true),
    })
}
