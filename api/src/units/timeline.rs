//! What a unit's timeline tells whom: which unit is looked at on which moment, what the caller may see of it, and
//! entries as they are told. Who asks for an event through a unit is decided here, too. Knows no HTTP.

use super::{
    UnitError,
    people::{People, sees},
    rules, store,
    wire::{DocOut, PartnerOut, TimelineEntryOut},
};
use crate::{
    app::Internal,
    clock::rfc3339,
    handheld::units::{folding::look::Looked, read::Snapshot, store::NOW},
    log::Position,
    resolver::decide::Standing,
};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::{Document, Event, Kind},
    facts::{Fact, World},
    finding::FindingCode,
    fold::{Entry, Partner, Reader, Step, View, strikes, visible},
    ids::{DeviceId, EnterpriseId, EventId},
    unit::UnitKey,
};
use uuid::Uuid;

/// A unit as of a position, and the snapshot it was read on. Of those about which there is very much to
/// read, with all they were ever packed into, few are read at a time, by turns of the enterprises that ask.
pub async fn look(
    state: &Internal,
    unit: &UnitKey,
    who: Reader,
    at: Option<Position>,
) -> Result<(Snapshot, Looked), UnitError> {
    let reading = &state.handheld.reading;
    let mut snapshot = reading.begin(&state.db).await?;
    if at.is_some_and(|at| at < 1 || at > snapshot.position) {
        return Err(UnitError::Ahead);
    }
    let upto = at.unwrap_or(NOW);
    if let Some(looked) = snapshot.unit_if_short(unit, upto).await? {
        return Ok((snapshot, looked));
    }
    // Whoever waits holds no connection.
    drop(snapshot);
    let enterprise = match who {
        Reader::Enterprise(EnterpriseId(id)) => id,
        Reader::All => Uuid::nil(),
    };
    let mut snapshot = reading.begin_long(&state.db, enterprise).await?;
    let looked = snapshot.unit(unit, upto).await?;
    Ok((snapshot, looked))
}

/// How its code stands on record now; none where nobody here issues such codes.
pub async fn standing(
    snapshot: &mut Snapshot,
    unit: &UnitKey,
) -> Result<Option<Standing>, UnitError> {
    let mut standing = snapshot.standing(&BTreeSet::from([unit.clone()])).await?;
    Ok(standing.remove(unit))
}

/// What the caller may see of a unit. What nobody allocated, and nothing happened to, is none; as of a
/// position that is not asked, since more is allocated as time goes by.
pub fn seen(
    (looked, standing): (&Looked, Option<Standing>),
    who: Reader,
    upto: Position,
) -> Result<View, UnitError> {
    let folded = &looked.folded;
    let allocated = upto != NOW || standing != Some(Standing::NotAllocated);
    if looked.id.is_none() && !(looked.code.is_some() && allocated) {
        return Err(UnitError::Unknown);
    }
    visible(&folded.state, &folded.steps, who).ok_or(UnitError::Unknown)
}

/// Entries as they are told.
pub async fn timeline(
    snapshot: &Snapshot,
    (who, looked): (Reader, &Looked),
    entries: &[&Entry],
    upto: Position,
) -> Result<Vec<TimelineEntryOut>, UnitError> {
    let steps = looked.folded.steps.iter();
    let facts: BTreeMap<(EnterpriseId, EventId), &Fact> = steps
        .map(|step| ((step.fact.enterprise, step.event), &step.fact))
        .collect();
    let fact = |entry: &Entry| facts.get(&(entry.enterprise, entry.event)).copied();
    let positions = entries.iter().filter_map(|entry| Some(fact(entry)?.gseq));
    let positions: BTreeSet<Position> = positions.collect();
    let provisional = if upto == NOW {
        store::provisional(snapshot.tx(), &positions).await?
    } else {
        BTreeSet::new()
    };
    let imported = store::imported(snapshot.tx(), &positions).await?;
    let strikers = strikers(&looked.folded.steps, &facts);
    let people = People::of(snapshot.tx(), who, entries.iter().copied().filter_map(fact)).await?;
    let tell = |entry: &Entry| {
        let fact = fact(entry)?;
        let of_stater = sees(who, fact);
        let striker = strikers.get(&(entry.enterprise, entry.event));
        Some(TimelineEntryOut {
            event: entry.event.0,
            kind: entry.kind.name().into(),
            enterprise_id: entry.enterprise.0,
            location_id: Some(entry.location.0).filter(|id| !id.is_nil()),
            partner: entry.partner.as_ref().map(partner),
            at: rfc3339(entry.at),
            not_before: rfc3339(entry.between.0),
            received_at: rfc3339(entry.between.1),
            position: fact.gseq,
            actor: people.actor(who, fact),
            overruled: people.overruled(who, fact),
            via: entry.via.as_ref().map(|key| key.as_str().to_owned()),
            device_id: of_stater.then_some(fact.event.device.0),
            doc: fact.event.doc.as_ref().filter(|_| of_stater).map(doc),
            disposition: inspected(&fact.event).map(Into::into),
            target: retracted(&fact.event).map(|id| id.0),
            struck: entry.struck,
            struck_by: striker.filter(|_| entry.struck).map(|id| id.0),
            stranger: entry.stranger,
            late: fact.flags.contains(&FindingCode::Late),
            provisional: provisional.contains(&fact.gseq),
            imported: imported.contains(&fact.gseq),
        })
    };
    Ok(entries.iter().copied().filter_map(tell).collect())
}

/// The other side of an entry as it is told.
pub fn partner(partner: &Partner) -> PartnerOut {
    let (kind, id, name) = match partner {
        Partner::Enterprise(id) => ("enterprise", Some(id.0), None),
        Partner::Location(id) => ("location", Some(id.0), None),
        Partner::Named(name) => ("named", None, Some(name.clone())),
    };
    PartnerOut {
        kind: kind.into(),
        id,
        name,
    }
}

/// An event as a unit's timeline tells it.
pub struct Told {
    /// The moment it was read on.
    pub snapshot: Snapshot,
    /// Its entry.
    pub entry: TimelineEntryOut,
    /// Which device stated it: not told to everybody, but what is found of it stands under it.
    pub device: DeviceId,
}

/// An event, of this enterprise if one is named, as `who` is told it of a unit now.
pub async fn told_of(
    state: &Internal,
    who: Reader,
    unit: &UnitKey,
    (enterprise, event): (Option<Uuid>, EventId),
) -> Result<Told, UnitError> {
    let (mut snapshot, looked) = look(state, unit, who, None).await?;
    let standing = standing(&mut snapshot, unit).await?;
    let view = seen((&looked, standing), who, NOW)?;
    let is = |entry: &&Entry| {
        entry.event == event && enterprise.is_none_or(|of| of == entry.enterprise.0)
    };
    let entry = view.entries.iter().find(is).ok_or(UnitError::Unknown)?;
    let step = |step: &&Step| (step.fact.enterprise, step.event) == (entry.enterprise, event);
    let step = looked.folded.steps.iter().find(step);
    let device = step.ok_or(UnitError::Unknown)?.fact.event.device;
    let mut told = timeline(&snapshot, (who, &looked), &[entry], NOW).await?;
    Ok(Told {
        entry: told.pop().ok_or(UnitError::Unknown)?,
        snapshot,
        device,
    })
}

/// Of what was struck, the first in the order of those that struck it.
fn strikers(
    steps: &[Step],
    facts: &BTreeMap<(EnterpriseId, EventId), &Fact>,
) -> BTreeMap<(EnterpriseId, EventId), EventId> {
    let mut out = BTreeMap::new();
    for step in steps {
        let Some(target) = retracted(&step.fact.event) else {
            continue;
        };
        let named = (step.fact.enterprise, target);
        let strikes = |target: &&Fact| strikes(&step.fact, target, &World::default());
        if facts.get(&named).is_some_and(strikes) {
            out.entry(named).or_insert(step.event);
        }
    }
    out
}

/// What a retract means to strike.
fn retracted(event: &Event) -> Option<EventId> {
    event.target.filter(|_| event.kind == Kind::Retract)
}

/// What an inspection decided.
fn inspected(event: &Event) -> Option<&'static str> {
    let decided = event.disposition.filter(|_| event.kind == Kind::Inspect);
    decided.map(rules::disposition)
}

/// A paper as it is told.
pub fn doc(doc: &Document) -> DocOut {
    DocOut {
        no: doc.no.clone(),
        at: doc.at.clone(),
    }
}
