//! Who acted on a unit, and whether the enterprise's badges stand behind what the device said of them.
//! A remark on reading: what a device stated is kept and counts as said (C9, C10), whatever this says.
//! It never changes once told: a badge's later entries are later than the event was received.

use super::wire::{ActorOut, OverrideOut};
use crate::registry::{self, Supervisor};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{event::Event, facts::Fact, fold::Reader, ids::EnterpriseId};

/// What was found on record about those that events name.
#[derive(Default)]
pub struct People(BTreeMap<EnterpriseId, BTreeMap<String, Supervisor>>);

impl People {
    /// Looks up whom these events name as supervisors, of those whose people the reader may see.
    pub async fn of(
        conn: &impl ConnectionTrait,
        who: Reader,
        facts: impl Iterator<Item = &Fact>,
    ) -> Result<People, DbErr> {
        let mut named: BTreeMap<EnterpriseId, BTreeSet<String>> = BTreeMap::new();
        for fact in facts.filter(|fact| sees(who, fact)) {
            let numbers = named.entry(fact.enterprise).or_default();
            numbers.extend(supervisors(&fact.event).map(str::to_owned));
        }
        let mut people = People::default();
        for (enterprise, numbers) in named {
            if numbers.is_empty() {
                continue;
            }
            let found = registry::supervisors(conn, enterprise.0, numbers).await?;
            people.0.insert(enterprise, found);
        }
        Ok(people)
    }

    /// Who acted, for whoever may know.
    pub fn actor(&self, who: Reader, fact: &Fact) -> Option<ActorOut> {
        let actor = &fact.event.actor;
        (sees(who, fact) && !actor.id.is_empty()).then(|| ActorOut {
            id: actor.id.clone(),
            supervisor: actor.supervisor,
            not_on_record: actor.supervisor && !self.stand_behind(&actor.id, fact),
        })
    }

    /// Which stop was overruled, for whoever may know.
    pub fn overruled(&self, who: Reader, fact: &Fact) -> Option<OverrideOut> {
        let said = fact.event.overridden.as_ref().filter(|_| sees(who, fact))?;
        let another = said.supervisor.as_deref();
        let another = another.filter(|number| *number != fact.event.actor.id);
        Some(OverrideOut {
            code: said.code.clone(),
            reason: said.reason.clone(),
            supervisor: said.supervisor.clone(),
            recall_id: said.recall.map(|id| id.0),
            not_on_record: another.is_none_or(|number| !self.stand_behind(number, fact)),
        })
    }

    fn stand_behind(&self, number: &str, fact: &Fact) -> bool {
        let badge = self.0.get(&fact.enterprise).and_then(|of| of.get(number));
        let between = (fact.interval.lo, fact.interval.hi);
        badge.is_some_and(|badge| badge.was_at(fact.event.location.0, between))
    }
}

/// The platform sees everybody's people, an enterprise its own.
pub(super) fn sees(who: Reader, fact: &Fact) -> bool {
    match who {
        Reader::All => true,
        Reader::Enterprise(own) => own == fact.enterprise,
    }
}

/// Whom an event names as supervisors.
fn supervisors(event: &Event) -> impl Iterator<Item = &str> {
    let actor = event.actor.supervisor.then_some(event.actor.id.as_str());
    let overruling = event.overridden.as_ref();
    actor
        .into_iter()
        .chain(overruling.and_then(|said| said.supervisor.as_deref()))
}
