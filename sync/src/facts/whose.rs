//! Statements by whose they are: what one enterprise or device is told costs no fold of another's. It must
//! not know what is stated.

use super::{Accepted, Shared, ShiftClosed};
use crate::ids::{DeviceId, EnterpriseId};
use std::collections::BTreeMap;

/// Whose a statement is.
pub trait Whose {
    /// What tells these apart.
    type Key: Ord;

    /// Whose it is.
    fn whose(&self) -> Self::Key;
}

impl Whose for Accepted {
    type Key = EnterpriseId;

    fn whose(&self) -> EnterpriseId {
        self.issuer
    }
}

impl Whose for ShiftClosed {
    type Key = DeviceId;

    fn whose(&self) -> DeviceId {
        self.device
    }
}

/// Statements, those of each in the order they were put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByWhose<T: Whose>(BTreeMap<T::Key, Vec<T>>);

impl<T: Whose> ByWhose<T> {
    /// One more.
    pub fn push(&mut self, statement: T) {
        self.0.entry(statement.whose()).or_default().push(statement);
    }

    /// Those of one.
    pub fn of(&self, whose: &T::Key) -> &[T] {
        self.0.get(whose).map_or(&[], Vec::as_slice)
    }

    /// All.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.values().flatten()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Whose> Default for ByWhose<T> {
    fn default() -> ByWhose<T> {
        ByWhose(BTreeMap::new())
    }
}

impl<T: Whose> From<Vec<T>> for Shared<ByWhose<T>> {
    fn from(statements: Vec<T>) -> Shared<ByWhose<T>> {
        let mut all = ByWhose::default();
        for statement in statements {
            all.push(statement);
        }
        all.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{AcceptScope, StatedAt, World};
    use uuid::Uuid;

    #[test]
    fn c14_an_issuer_is_asked_for_its_own_word_and_for_what_was_known() {
        let who = |n: u128| EnterpriseId(Uuid::from_u128(n));
        let accepted = |issuer: u128, gseq| Accepted {
            at: StatedAt { at: 0, gseq },
            issuer: who(issuer),
            partner: who(9),
            scope: AcceptScope::Partner(who(9)),
            from: 0,
        };
        let mut world = World {
            accepted: vec![accepted(1, 5), accepted(2, 6), accepted(1, 7)].into(),
            ..World::default()
        };
        let told = |world: &World, of| -> Vec<i64> {
            let told = world.accepted_by(who(of));
            told.map(|accepted| accepted.at.gseq).collect()
        };
        assert_eq!(told(&world, 1), [5, 7]);
        assert_eq!(told(&world, 2), [6]);
        assert!(told(&world, 3).is_empty());
        world.known_to = Some(6);
        assert_eq!(told(&world, 1), [5]);
        world.known_to = Some(5);
        assert!(told(&world, 2).is_empty());
        assert_eq!(world.accepted.iter().count(), 3);
    }
}
