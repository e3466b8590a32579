//! Which units facts are about besides those they name: what retracts strike, and what decides
//! whether a correction counts.

use super::{Change, Folding, counts::is_sweep};
use crate::handheld::units::store::{self, DECIDES, STRIKES};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::Fact,
    ids::{EventId, GroupId},
};
use uuid::Uuid;

impl Folding<'_> {
    /// Which units the new facts are about, beside those they name.
    pub(super) async fn relate(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
    ) -> Result<(), DbErr> {
        let arrived = &change.arrived[..];
        for fact in arrived {
            for (unit, role) in store::named(fact) {
                self.relation(unit, role, fact);
            }
            if is_sweep(fact) {
                self.source.note_counted(fact.event.location.0);
                self.sweeps.push(fact.clone());
            }
        }
        let by_id: BTreeMap<(Uuid, EventId), &Arc<Fact>> = arrived
            .iter()
            .map(|fact| ((fact.enterprise.0, fact.event.id), fact))
            .collect();
        // What new retracts strike: new as well, or in before.
        let mut wanted = BTreeSet::new();
        for fact in arrived {
            if let (Kind::Retract, Some(target)) = (fact.event.kind, fact.event.target) {
                self.targets.push((fact.enterprise.0, target, fact.gseq));
                if !by_id.contains_key(&(fact.enterprise.0, target)) {
                    wanted.insert(target);
                }
            }
        }
        let before = store::by_event_id(conn, self.reader, &wanted).await?;
        // Ids are unique per enterprise only: its own event first, then anybody's, which it may not
        // strike.
        let find = |enterprise: Uuid, id: EventId| {
            let named: Vec<&Arc<Fact>> = arrived
                .iter()
                .chain(&before)
                .filter(|fact| fact.event.id == id)
                .collect();
            let own = named.iter().find(|fact| fact.enterprise.0 == enterprise);
            own.or(named.first()).map(|fact| (*fact).clone())
        };
        let mut strikes: Vec<(Arc<Fact>, Option<Arc<Fact>>)> = Vec::new();
        for (enterprise, target, gseq) in &self.targets {
            if let Some(retract) = arrived.iter().find(|fact| fact.gseq == *gseq) {
                strikes.push((retract.clone(), find(*enterprise, *target)));
            }
        }
        // Retracts that were in before what they strike.
        let ids: BTreeSet<EventId> = arrived.iter().map(|fact| fact.event.id).collect();
        let waiting = store::retracts_of(conn, &ids).await?;
        let positions = waiting.iter().map(|(.., gseq)| *gseq).collect();
        let retracts = store::by_position(conn, self.reader, &positions).await?;
        for (enterprise, target, gseq) in waiting {
            let retract = retracts.iter().find(|fact| fact.gseq == gseq);
            let own = by_id.get(&(enterprise, target)).copied();
            let found = own.or_else(|| arrived.iter().find(|fact| fact.event.id == target));
            if let (Some(retract), Some(target)) = (retract, found) {
                strikes.push((retract.clone(), Some(target.clone())));
            }
        }
        for (retract, target) in &strikes {
            let units = target.iter().flat_map(|target| store::named(target));
            for (unit, _) in units.collect::<Vec<_>>() {
                self.relation(unit, STRIKES, retract);
            }
            // What a retract that names a unit is worth shows by what it strikes.
            if let Some(target) = target {
                for (unit, _) in store::named(retract) {
                    self.relation(unit, DECIDES, target);
                }
            }
        }
        // A retract that moves may come to stand after the end of a shift, or before it.
        let moved: BTreeSet<EventId> = change.moved.iter().filter_map(|f| f.event.target).collect();
        for target in store::by_event_id(conn, self.reader, &moved).await? {
            let units = store::named(&target).into_iter().map(|(unit, _)| unit);
            self.judged_by_moved.extend(units);
        }
        self.corrections(conn, arrived, &strikes).await?;
        self.strikes = strikes;
        Ok(())
    }

    /// Whether the new event of a correction counts depends on its retracts, and on what they strike.
    pub(super) async fn corrections(
        &mut self,
        conn: &impl ConnectionTrait,
        arrived: &[Arc<Fact>],
        strikes: &[(Arc<Fact>, Option<Arc<Fact>>)],
    ) -> Result<(), DbErr> {
        let correcting = |fact: &Fact| fact.event.group.filter(|group| group.correct);
        let groups: BTreeSet<GroupId> = arrived
            .iter()
            .chain(strikes.iter().map(|(retract, _)| retract))
            .filter_map(|fact| correcting(fact).map(|group| group.id))
            .collect();
        if groups.is_empty() {
            return Ok(());
        }
        let mut members = store::by_group(conn, self.reader, &groups).await?;
        members.extend(arrived.iter().cloned());
        let retracts: Vec<&Arc<Fact>> = members
            .iter()
            .filter(|fact| fact.event.kind == Kind::Retract && correcting(fact).is_some())
            .collect();
        let targets: BTreeSet<EventId> = retracts
            .iter()
            .filter_map(|fact| fact.event.target)
            .collect();
        let mut struck = store::by_event_id(conn, self.reader, &targets).await?;
        struck.extend(arrived.iter().cloned());
        for retract in retracts {
            let of = |fact: &&Arc<Fact>| {
                fact.enterprise == retract.enterprise
                    && fact.event.kind != Kind::Retract
                    && correcting(fact).map(|group| group.id)
                        == correcting(retract).map(|group| group.id)
            };
            let target = struck.iter().find(|fact| {
                fact.enterprise == retract.enterprise && Some(fact.event.id) == retract.event.target
            });
            for member in members.iter().filter(of) {
                for (unit, _) in store::named(member) {
                    self.relation(unit.clone(), DECIDES, retract);
                    if let Some(target) = target {
                        self.relation(unit, DECIDES, target);
                    }
                }
            }
        }
        Ok(())
    }
}
