//! The units an event names, as they were read. Each of a thousand units is folded from events that name a
//! thousand: whoever asks for one must not look at all, so where there are many they are kept in order of
//! their keys as well. Knows no rule.

use super::UnitRead;
use crate::unit::UnitKey;
use std::{fmt, ops::Deref, sync::OnceLock};

/// Up to so many are looked through.
const FEW: usize = 8;

/// Codes as they were read, in the event's order: a slice that is quick to find a unit in.
#[derive(Clone, Default)]
pub struct Reads {
    list: Vec<UnitRead>,
    /// Places in the list by the units there, and of one unit in the list's order.
    by_unit: OnceLock<Box<[u32]>>,
}

impl Reads {
    /// How a unit was read, as often as it was.
    pub fn of<'r>(&'r self, unit: &UnitKey) -> impl Iterator<Item = &'r UnitRead> {
        let (few, many): (&[UnitRead], &[u32]) = if self.list.len() <= FEW {
            (&self.list, &[])
        } else {
            let order = self.by_unit.get_or_init(|| self.in_order());
            let from = order.partition_point(|place| self.key(*place) < Some(unit));
            let many = order[from..].partition_point(|place| self.key(*place) == Some(unit));
            (&[], &order[from..from + many])
        };
        let few = few.iter().filter(|read| read.unit.as_ref() == Some(unit));
        few.chain(many.iter().map(|place| &self.list[*place as usize]))
    }

    /// Is a unit among them?
    pub fn name(&self, unit: &UnitKey) -> bool {
        self.of(unit).next().is_some()
    }

    /// One more.
    pub fn push(&mut self, read: UnitRead) {
        self.extend([read]);
    }

    /// Changes each.
    pub(super) fn each(&mut self, change: impl FnMut(&mut UnitRead)) {
        self.list.iter_mut().for_each(change);
        self.by_unit = OnceLock::new();
    }

    /// None any more.
    pub fn clear(&mut self) {
        *self = Reads::default();
    }

    fn key(&self, place: u32) -> Option<&UnitKey> {
        self.list[place as usize].unit.as_ref()
    }

    fn in_order(&self) -> Box<[u32]> {
        let mut order: Vec<u32> = (0..self.list.len() as u32).collect();
        order.sort_by_key(|place| self.key(*place));
        order.into_boxed_slice()
    }
}

impl Deref for Reads {
    type Target = [UnitRead];

    fn deref(&self) -> &[UnitRead] {
        &self.list
    }
}

impl Extend<UnitRead> for Reads {
    fn extend<I: IntoIterator<Item = UnitRead>>(&mut self, more: I) {
        self.list.extend(more);
        self.by_unit = OnceLock::new();
    }
}

impl From<Vec<UnitRead>> for Reads {
    fn from(list: Vec<UnitRead>) -> Reads {
        Reads {
            list,
            by_unit: OnceLock::new(),
        }
    }
}

impl FromIterator<UnitRead> for Reads {
    fn from_iter<I: IntoIterator<Item = UnitRead>>(reads: I) -> Reads {
        reads.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'r> IntoIterator for &'r Reads {
    type Item = &'r UnitRead;
    type IntoIter = std::slice::Iter<'r, UnitRead>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl PartialEq for Reads {
    fn eq(&self, other: &Reads) -> bool {
        self.list == other.list
    }
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Input;
    use proptest::prelude::*;

    fn read(serial: u8) -> UnitRead {
        let code = format!("(01)06901234567892(21)A{serial}");
        let code = if serial == 0 { "?" } else { &code };
        UnitRead::of(code, Input::Wedge)
    }

    proptest! {
        #[test]
        fn a_unit_is_found_as_if_all_were_looked_at(
            serials in proptest::collection::vec(0..12_u8, 0..40),
            more in proptest::collection::vec(0..12_u8, 0..3),
        ) {
            let mut reads: Reads = serials.iter().map(|serial| read(*serial)).collect();
            let _ = read(1).unit.is_some_and(|unit| reads.name(&unit));
            reads.extend(more.iter().map(|serial| read(*serial)));
            for serial in 1..12 {
                let unit = read(serial).unit.expect("a unit");
                let all = reads.iter().filter(|read| read.unit.as_ref() == Some(&unit));
                prop_assert!(reads.of(&unit).map(std::ptr::from_ref).eq(all.map(std::ptr::from_ref)));
            }
        }
    }
}
