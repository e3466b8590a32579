//! Writing an event as a device does: devices in tests, the simulator and the load generator.
//!
//! The text is canonical: names in one order, nothing written that says nothing, no white space.
//! `parse(write(e))` is `e` for every event that keeps the limits and whose further items hold no
//! number of more than 15 digits with a fraction. Nobody writes an event again that was read: its
//! bytes are kept.

use super::{
    Actor, Counterpart, Disposition, Event, Kind, Proof, UnitRead, VERSION,
    bounded::{Body, Bounded, Short},
    instant,
    shape::{
        ActorShape, CounterpartShape, DocShape, EnvShape, GroupShape, LotShape, OverrideShape,
        Shape, UnitShape,
    },
};
use serde_json::Number;
use std::{borrow::Cow, fmt::Display};

impl Event {
    /// The text of this event.
    pub fn write(&self) -> String {
        // Every value is of a type that JSON has, so nothing can fail here.
        serde_json::to_string(&shape(self)).unwrap_or_default()
    }
}

fn shape(event: &Event) -> Shape<'_> {
    let holds_children = matches!(event.kind, Kind::Pack | Kind::Unpack);
    let units = (!event.units.is_empty()).then(|| Bounded(event.units.iter().map(unit).collect()));
    let (children, units) = if holds_children {
        (units, None)
    } else {
        (None, units)
    };
    Shape {
        v: VERSION,
        kind: kept(event.kind.name()),
        event_id: made(event.id),
        device: made(event.device),
        epoch: event.epoch,
        seq: event.seq,
        at: made(instant::write(event.at, event.zone_minutes)),
        actor: actor(&event.actor),
        location: (!event.location.0.is_nil()).then(|| made(event.location)),
        parent: event.parent.as_ref().map(unit),
        children,
        declared: event.declared,
        units,
        lots: (!event.lots.is_empty()).then(|| {
            Bounded(
                event
                    .lots
                    .iter()
                    .map(|line| LotShape {
                        gtin: said(&line.gtin),
                        lot: line.lot.as_deref().map(kept),
                        qty: line.qty,
                    })
                    .collect(),
            )
        }),
        counterpart: event.counterpart.as_ref().map(counterpart),
        doc: event.doc.as_ref().map(|doc| DocShape {
            no: said(&doc.no),
            at: doc.at.as_deref().map(kept),
        }),
        mono: (event.mono_ms > 0).then_some(event.mono_ms),
        anchor: event.anchor.as_deref().map(kept),
        anchor_wall: event
            .anchor_wall
            .map(|at| made(instant::write(at, event.zone_minutes))),
        list_version: event.list_version.map(i64::unsigned_abs),
        cursor: (event.cursor != 0).then(|| event.cursor.unsigned_abs()),
        env: event.env.map(|env| EnvShape {
            temperature: env.temperature.map(tenths),
            humidity: env.humidity.map(tenths),
        }),
        overridden: event.overridden.as_ref().map(|stop| OverrideShape {
            code: said(&stop.code),
            reason: said(&stop.reason),
            supervisor: stop.supervisor.as_deref().map(kept),
            recall: stop.recall.map(made),
        }),
        target: event.target.map(made),
        disposition: event.disposition.map(|disposition| {
            kept(match disposition {
                Disposition::Sellable => "sellable",
                Disposition::Hold => "hold",
                Disposition::Destroy => "destroy",
            })
        }),
        group: event.group.map(|group| GroupShape {
            id: made(group.id),
            n: group.n,
            of: group.of,
            correct: group.correct.then_some(true),
        }),
        body: (!event.body.is_empty()).then(|| Body(event.body.clone())),
    }
}

fn kept(text: &str) -> Short<'_> {
    Short(Cow::Borrowed(text))
}

fn made(value: impl Display) -> Short<'static> {
    Short(Cow::Owned(value.to_string()))
}

/// A text, unless it is empty.
fn said(text: &str) -> Option<Short<'_>> {
    (!text.is_empty()).then(|| kept(text))
}

fn actor(actor: &Actor) -> Option<ActorShape<'_>> {
    let nobody = actor.id.is_empty()
        && actor.proof == Proof::None
        && actor.login_age_s.is_none()
        && !actor.supervisor;
    (!nobody).then(|| ActorShape {
        id: said(&actor.id),
        proof: Some(kept(actor.proof.name())),
        login_age_s: actor.login_age_s,
        supervisor: actor.supervisor.then_some(true),
    })
}

fn unit(read: &UnitRead) -> UnitShape<'_> {
    UnitShape {
        code: Some(kept(&read.code)),
        input: Some(kept(read.input.name())),
    }
}

fn counterpart(counterpart: &Counterpart) -> CounterpartShape<'_> {
    let (kind, id, name) = match counterpart {
        Counterpart::Enterprise(id) => ("enterprise", Some(made(id)), None),
        Counterpart::Location(id) => ("location", Some(made(id)), None),
        Counterpart::Named(name) => ("named", None, Some(kept(name))),
    };
    CounterpartShape {
        kind: Some(kept(kind)),
        id,
        name,
    }
}

/// Whole degrees and per cents without a fraction, as a browser prints them.
fn tenths(tenths: i32) -> Number {
    if tenths % 10 == 0 {
        (tenths / 10).into()
    } else {
        Number::from_f64(f64::from(tenths) / 10.0).unwrap_or_else(|| 0.into())
    }
}
