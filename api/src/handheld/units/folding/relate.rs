//! Which units facts are about besides those they name: what retracts strike, and what decides
//! whether a correction counts (`corrections`).

use super::{Change, Folding, corrections::Turned};
use crate::{
    handheld::units::store::{self, DECIDES, STRIKES, is_sweep},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::Fact,
    fold::{misses, strikes},
    ids::EventId,
    unit::UnitKey,
};
use uuid::Uuid;

/// How many retracts of retracts are followed to where ids that several enterprises use end.
const RETRACTS_DEEP: usize = 16;

/// What came in, and what that is about. Of whoever only looks there is none.
#[derive(Default)]
pub(super) struct Related {
    /// What came in.
    pub(super) arrived: Vec<Arc<Fact>>,
    /// By which events units are newly touched.
    pub(super) about: About,
    /// Retracts that came in: whose they are, the ids they name, and where they stand.
    pub(super) targets: Vec<(Uuid, EventId, Position)>,
    /// Retracts and what they strike, where either came in.
    pub(super) strikes: Vec<Strike>,
    /// New events of corrections that are worth something else now.
    pub(super) turned: Turned,
    /// Of what came in, the complete counts.
    pub(super) sweeps: Vec<Arc<Fact>>,
}

/// A retract, and what it means, if that is in.
type Strike = (Arc<Fact>, Option<Arc<Fact>>);

/// By which events units are newly touched, and how.
#[derive(Default)]
pub(super) struct About(BTreeMap<UnitKey, BTreeMap<Position, (i64, Arc<Fact>)>>);

impl About {
    /// A unit is touched by an event; the strongest role goes.
    pub(super) fn relate(&mut self, unit: UnitKey, role: i64, fact: &Arc<Fact>) {
        let facts = self.0.entry(unit).or_default();
        let entry = facts.entry(fact.gseq).or_insert((role, fact.clone()));
        entry.0 = entry.0.min(role);
    }

    /// All units that are.
    pub(super) fn units(&self) -> impl Iterator<Item = &UnitKey> {
        self.0.keys()
    }

    /// By which events one is, and in which roles, in the order of their positions.
    pub(super) fn of(&self, unit: &UnitKey) -> impl Iterator<Item = (i64, &Arc<Fact>)> {
        let facts = self.0.get(unit).into_iter().flat_map(BTreeMap::values);
        facts.map(|(role, fact)| (*role, fact))
    }
}

impl Folding<'_> {
    /// Which units the new facts are about, beside those they name.
    pub(super) async fn relate(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
    ) -> Result<Related, DbErr> {
        let arrived = &change.arrived[..];
        let (mut about, mut sweeps) = (About::default(), Vec::new());
        for fact in arrived {
            for (unit, role) in store::named(fact) {
                about.relate(unit, role, fact);
            }
            if is_sweep(fact) && misses(self.source.world(), fact) {
                self.source.note_counted(fact.event.location.0);
                sweeps.push(fact.clone());
            }
        }
        let new: BTreeSet<(Uuid, EventId)> = arrived
            .iter()
            .map(|fact| (fact.enterprise.0, fact.event.id))
            .collect();
        // What new retracts strike: new as well, or in before.
        let (mut targets, mut wanted) = (Vec::new(), BTreeSet::new());
        for fact in arrived {
            if let (Kind::Retract, Some(target)) = (fact.event.kind, fact.event.target) {
                targets.push((fact.enterprise.0, target, fact.gseq));
                if !new.contains(&(fact.enterprise.0, target)) {
                    wanted.insert(target);
                }
            }
        }
        // Retracts that were in before something of the id they name.
        let ids: BTreeSet<EventId> = arrived.iter().map(|fact| fact.event.id).collect();
        let waiting = store::retracts_of(conn, &ids).await?;
        wanted.extend(waiting.iter().map(|(_, target, _)| *target));
        let before = store::by_event_id(conn, self.reader, &wanted).await?;
        let before: Vec<Arc<Fact>> = before
            .into_iter()
            .filter(|fact| !is_among(arrived, fact))
            .collect();
        let mut struck: Vec<Strike> = Vec::new();
        for (_, target, gseq) in &targets {
            if let Some(retract) = arrived.iter().find(|fact| fact.gseq == *gseq) {
                let named = arrived.iter().chain(&before);
                struck.push((retract.clone(), meant(retract, *target, named).cloned()));
            }
        }
        let positions = waiting.iter().map(|(.., gseq)| *gseq).collect();
        let retracts = store::by_position(conn, self.reader, &positions).await?;
        let mut meant_no_more = Vec::new();
        // Retracts whose target shares its id with something that came in.
        let mut shared: Vec<Arc<Fact>> = Vec::new();
        for (_, target, gseq) in waiting {
            let Some(retract) = retracts.iter().find(|fact| fact.gseq == gseq) else {
                continue;
            };
            let now = meant(retract, target, arrived.iter().chain(&before));
            let Some(now) = now else {
                continue;
            };
            if !is_among(arrived, now) {
                // Not what came in under that id; the units that names must know as well.
                let others = arrived.iter().filter(|fact| fact.event.id == target);
                meant_no_more.extend(others.map(|other| (other.clone(), now.clone())));
                shared.push(retract.clone());
                continue;
            }
            struck.push((retract.clone(), Some(now.clone())));
            // It was taken to mean somebody else's event of that id, while its own was not in.
            if let Some(old) = meant(retract, target, before.iter()) {
                struck.push((retract.clone(), Some(old.clone())));
                meant_no_more.push((old.clone(), now.clone()));
            }
        }
        for (old, now) in meant_no_more {
            for (unit, _) in store::named(&old) {
                about.relate(unit, DECIDES, &now);
            }
        }
        for (retract, target) in &struck {
            // What strikes nothing is nothing to what its target names (C10).
            let world = self.source.world();
            let own = target.iter().filter(|t| strikes(retract, t, world));
            for (unit, _) in own.flat_map(|target| store::named(target)) {
                about.relate(unit, STRIKES, retract);
            }
            // What a retract that names a unit is worth shows by what it strikes.
            if let Some(target) = target {
                for (unit, _) in store::named(retract) {
                    about.relate(unit, DECIDES, target);
                }
            }
        }
        shared.extend(struck.iter().map(|(retract, _)| retract.clone()));
        let turned = self.corrections(conn, change, &shared, &mut about).await?;
        self.what_retracts_mean(conn, arrived, &mut about).await?;
        Ok(Related {
            arrived: change.arrived.clone(),
            about,
            targets,
            strikes: struck,
            turned,
            sweeps,
        })
    }

    /// A retract that only decides on something must not seem to mean somebody else's event of the id
    /// it names: where several have that id, it comes with the one it means.
    async fn what_retracts_mean(
        &mut self,
        conn: &impl ConnectionTrait,
        arrived: &[Arc<Fact>],
        about: &mut About,
    ) -> Result<(), DbErr> {
        let mut seen: BTreeSet<(UnitKey, i64)> = BTreeSet::new();
        for _ in 0..RETRACTS_DEEP {
            let mut deciding: Vec<(UnitKey, Arc<Fact>, EventId)> = Vec::new();
            for (unit, facts) in &about.0 {
                for (role, fact) in facts.values() {
                    let new = (unit.clone(), fact.gseq);
                    if let (DECIDES, Some(target)) = (*role, fact.event.target)
                        && seen.insert(new)
                    {
                        deciding.push((unit.clone(), fact.clone(), target));
                    }
                }
            }
            if deciding.is_empty() {
                break;
            }
            let targets = deciding.iter().map(|(.., target)| *target).collect();
            let mut named = store::by_event_id(conn, self.reader, &targets).await?;
            named.retain(|fact| !is_among(arrived, fact));
            named.extend(arrived.iter().cloned());
            for (unit, retract, target) in deciding {
                let several = named.iter().filter(|fact| fact.event.id == target).nth(1);
                let meant = several.and_then(|_| meant(&retract, target, named.iter()));
                if let Some(meant) = meant {
                    about.relate(unit, DECIDES, meant);
                }
            }
        }
        Ok(())
    }
}

/// What a retract means by an id: ids are unique in an enterprise only, so its own event first, then
/// anybody's, which it may not strike.
pub(super) fn meant<'f>(
    retract: &Fact,
    target: EventId,
    facts: impl Iterator<Item = &'f Arc<Fact>>,
) -> Option<&'f Arc<Fact>> {
    let named = facts.filter(|fact| fact.event.id == target);
    named.min_by_key(|fact| (fact.enterprise != retract.enterprise, fact.order))
}

pub(super) fn is_among(facts: &[Arc<Fact>], one: &Fact) -> bool {
    facts.iter().any(|fact| fact.gseq == one.gseq)
}
