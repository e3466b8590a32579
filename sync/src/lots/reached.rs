//! Whose word about the goods of a lot counts in the reach of a recall (C14, I17): links as units have
//! them, of a lot. It must not know where legs are kept, nor what anybody has.
//!
//! Goods of a lot are no things of their own: anybody may say to have some, and no code shows that it is
//! not so. They are goods of this lot where its issuer brought them, by legs that who was reached states.

use super::{Change, Movement};
use crate::{
    event::Kind,
    facts::{Fact, World},
    finding::LotKey,
    fold::counterpart,
    ids::EnterpriseId,
    order::Order,
};
use std::collections::{BTreeMap, BTreeSet};

/// Enterprises that legs of this lot reached, as far as they were followed.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    all: BTreeSet<EnterpriseId>,
    open: BTreeSet<EnterpriseId>,
}

impl Reached {
    /// From these on: who issues the lot, and whom that enterprise accepts.
    pub fn from(begin: impl IntoIterator<Item = EnterpriseId>) -> Reached {
        let mut reached = Reached::default();
        for who in begin {
            reached.leg_to(who);
        }
        reached
    }

    /// One of them whose legs were not asked for yet: each once, and nobody else's.
    pub fn to_ask(&mut self) -> Option<EnterpriseId> {
        self.open.pop_first()
    }

    /// One of them states a leg to or from this enterprise.
    pub fn leg_to(&mut self, counterpart: EnterpriseId) {
        if self.all.insert(counterpart) {
            self.open.insert(counterpart);
        }
    }

    /// Is it one of them?
    pub fn has(&self, enterprise: EnterpriseId) -> bool {
        self.all.contains(&enterprise)
    }
}

/// Who states a leg, and the other side of it, by name and lot.
pub type Legs = BTreeMap<(String, Option<String>), BTreeSet<(EnterpriseId, EnterpriseId)>>;

/// Who states to have sent goods of which name and lot to whom, or got them from there: by whatever moved
/// their lines.
pub fn legs(movements: &BTreeMap<LotKey, Vec<Movement>>, facts: &[&Fact], world: &World) -> Legs {
    let leg = |fact: &&&Fact| matches!(fact.event.kind, Kind::Inbound | Kind::Outbound);
    let facts: BTreeMap<Order, &Fact> = facts
        .iter()
        .filter(leg)
        .map(|fact| (fact.order, *fact))
        .collect();
    let mut out = Legs::new();
    for (key, movements) in movements {
        let count = movements
            .iter()
            .filter(|movement| !matches!(movement.change, Change::Found { .. }));
        let legs = count.filter_map(|movement| {
            let fact = facts.get(&movement.order)?;
            let other = counterpart(world, fact.event.counterpart.as_ref())?;
            Some((fact.enterprise, other))
        });
        let name = (key.gtin.clone(), key.lot.clone());
        out.entry(name).or_default().extend(legs);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn who(n: u8) -> EnterpriseId {
        EnterpriseId(Uuid::from_u128(n.into()))
    }

    proptest! {
        /// Who states what they like of themselves is not reached; else a way leads there, however legs are
        /// asked for.
        #[test]
        fn c14_reached_is_whom_a_way_of_legs_leads_to(
            legs in prop::collection::vec((0_u8..8, 0_u8..8), 0..24),
        ) {
            let mut reached = Reached::from([who(0)]);
            let mut asked = Vec::new();
            while let Some(stater) = reached.to_ask() {
                asked.push(stater);
                for (_, other) in legs.iter().filter(|(by, _)| who(*by) == stater) {
                    reached.leg_to(who(*other));
                }
            }
            // Ways of every length, by the table of who states a leg with whom.
            let mut way = [[false; 8]; 8];
            for (by, other) in &legs {
                way[usize::from(*by)][usize::from(*other)] = true;
            }
            for via in 0..8 {
                for from in 0..8 {
                    for to in 0..8 {
                        way[from][to] |= way[from][via] && way[via][to];
                    }
                }
            }
            for n in 0..8_u8 {
                let wanted = n == 0 || way[0][usize::from(n)];
                prop_assert_eq!(reached.has(who(n)), wanted);
                prop_assert_eq!(asked.contains(&who(n)), wanted);
            }
            let once: BTreeSet<_> = asked.iter().collect();
            prop_assert_eq!(once.len(), asked.len());
        }
    }
}
