//! Which things in containers are judged by themselves while their container moves (C13). All others
//! share what becomes of it, and are folded when somebody reads them.

use super::{Folding, is_container};
use std::{collections::BTreeMap, sync::Arc};
use suyuan_sync::{
    event::Kind,
    facts::Fact,
    fold::{self, Folded, Member, Sign},
    unit::UnitKey,
};

impl Folding<'_> {
    /// Which units inside containers are judged by themselves from now on.
    pub(super) fn exceptional(
        &self,
        arrived: &[Arc<Fact>],
        folded: &BTreeMap<UnitKey, Folded>,
    ) -> BTreeMap<UnitKey, bool> {
        let world = self.source.world();
        let mut out: BTreeMap<UnitKey, bool> = BTreeMap::new();
        for (key, unit) in &self.units {
            let own = unit.dirty.is_some_and(|cause| cause.own);
            let inside = folded
                .get(key)
                .and_then(|folded| folded.state.inside.as_ref());
            let was = unit.exceptional;
            out.insert(key.clone(), inside.is_some() && (was || own));
        }
        // Those that were just packed are held against each other.
        for pack in arrived.iter().filter(|fact| fact.event.kind == Kind::Pack) {
            let parent = pack
                .event
                .parent
                .as_ref()
                .and_then(|read| read.unit.as_ref());
            let Some((parent, container)) = parent.and_then(|p| folded.get_key_value(p)) else {
                continue;
            };
            let named = pack
                .event
                .units
                .iter()
                .filter_map(|read| read.unit.as_ref());
            let members: Vec<Member> = named
                .filter_map(|key| {
                    let child = folded.get(key)?;
                    let last = child.state.last.is_some_and(|last| last == pack.order);
                    (child.state.inside.as_ref() == Some(parent)).then(|| Member {
                        unit: key.clone(),
                        batch: child.state.batch,
                        sign: Sign::of(key, child, world),
                        own_event_since: !last,
                    })
                })
                .collect();
            let unlike = fold::exceptional(container, &members, world);
            for member in &members {
                // A case is found by its batch; what it holds may be of several.
                let holds = self.units.get(&member.unit).is_some_and(|unit| {
                    unit.facts
                        .values()
                        .any(|fact| is_container(fact, &member.unit))
                });
                let judged =
                    unlike.contains(&member.unit) || holds && self.holds_exceptional(&member.unit);
                out.insert(member.unit.clone(), judged);
            }
        }
        // Whoever holds something exceptional is looked at when its own container moves.
        let above: Vec<UnitKey> = out
            .iter()
            .filter(|(_, exceptional)| **exceptional)
            .filter_map(|(key, _)| folded.get(key)?.state.inside.clone())
            .collect();
        for key in above {
            let is_inside = folded.get(&key).is_some_and(|f| f.state.inside.is_some());
            if is_inside {
                out.insert(key, true);
            }
        }
        out
    }

    /// Was anything in it exceptional before?
    pub(super) fn holds_exceptional(&self, key: &UnitKey) -> bool {
        let Some(unit) = self.units.get(key) else {
            return false;
        };
        self.units
            .values()
            .any(|inner| inner.inside == Some(unit.id) && inner.exceptional)
    }
}
