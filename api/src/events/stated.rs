//! What an event's text says, in types. Pure.

use super::wire::{ActorSaid, EnvSaid, GroupSaid, LotSaid, OverrideSaid, ReadOut, SaidOut};
use crate::{
    clock::rfc3339,
    units::{rules::disposition, timeline::doc, wire::PartnerOut},
};
use suyuan_sync::event::{Counterpart, Event, Proof, UnitRead};

/// All that an event says but who stated it, what it is and where, and with whom.
pub fn said(event: &Event) -> SaidOut {
    let tenths = |value: i32| f64::from(value) / 10.0;
    let actor = &event.actor;
    let names_nobody = actor.id.is_empty() && actor.proof == Proof::None && !actor.supervisor;
    SaidOut {
        at: rfc3339(event.at),
        zone_minutes: event.zone_minutes,
        actor: (!names_nobody).then(|| ActorSaid {
            id: actor.id.clone(),
            proof: actor.proof.name().to_owned(),
            login_age_s: actor.login_age_s,
            supervisor: actor.supervisor,
        }),
        units: event.units.iter().map(read).collect(),
        parent: event.parent.as_ref().map(read),
        declared: event.declared,
        lots: event
            .lots
            .iter()
            .map(|line| LotSaid {
                gtin: line.gtin.clone(),
                lot: line.lot.clone(),
                qty: line.qty,
            })
            .collect(),
        doc: event.doc.as_ref().map(doc),
        env: event.env.map(|env| EnvSaid {
            temperature: env.temperature.map(tenths),
            humidity: env.humidity.map(tenths),
        }),
        disposition: event.disposition.map(|it| disposition(it).to_owned()),
        overruled: event.overridden.as_ref().map(|stop| OverrideSaid {
            code: stop.code.clone(),
            reason: stop.reason.clone(),
            supervisor: stop.supervisor.clone(),
            recall_id: stop.recall.map(|id| id.0),
        }),
        group: event.group.map(|group| GroupSaid {
            id: group.id.0,
            n: group.n,
            of: group.of,
            correct: group.correct,
        }),
        list_version: event.list_version,
        cursor: event.cursor,
        mono_ms: event.mono_ms,
        body: event.body.clone(),
    }
}

fn read(read: &UnitRead) -> ReadOut {
    ReadOut {
        code: read.code.clone(),
        input: read.input.name().to_owned(),
        unit: read.unit.as_ref().map(|unit| unit.as_str().to_owned()),
    }
}

/// The other side of a movement, for whoever is told all.
pub fn partner(counterpart: &Counterpart) -> PartnerOut {
    let (kind, id, name) = match counterpart {
        Counterpart::Enterprise(id) => ("enterprise", Some(id.0), None),
        Counterpart::Location(id) => ("location", Some(id.0), None),
        Counterpart::Named(name) => ("named", None, Some(name.clone())),
    };
    PartnerOut {
        kind: kind.into(),
        id,
        name,
    }
}
