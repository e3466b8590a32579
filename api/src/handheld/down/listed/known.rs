//! Units that must not be sold, by what the public side is shown of them: bits by code space for
//! those we minted, keys for others. Each has the hash it has in lists, which is worked out once,
//! when it comes in: what costs is opening the permutation of its serial, about a microsecond.
//!
//! Pure: what changed is handed in, and so is whoever names units. It holds 16 bytes a unit.

use crate::projection::{
    CHUNK_VOID,
    units::{CHUNK_COLLECTED, CHUNK_DESTROYED, CHUNK_RECALLED, UnitStatus},
};
use roaring::RoaringBitmap;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    recall_list::{Marks, UnitHash},
    unit::UnitKey,
};
use uuid::Uuid;

/// Kinds of `public_chunk` that stop units.
pub const KINDS: [&str; 4] = [CHUNK_RECALLED, CHUNK_VOID, CHUNK_DESTROYED, CHUNK_COLLECTED];

/// Why a row of `public_chunk` stops what it holds.
fn marks_of(kind: &str) -> Marks {
    match kind {
        CHUNK_RECALLED => Marks::RECALLED,
        CHUNK_VOID => Marks::VOID,
        CHUNK_DESTROYED => Marks::DESTROYED,
        CHUNK_COLLECTED => Marks::COLLECTED,
        _ => Marks::NONE,
    }
}

/// What became of a unit, as marks.
pub fn marks_of_status(status: UnitStatus) -> Marks {
    let mut marks = Marks::NONE;
    if status.collected {
        marks = marks.and(Marks::COLLECTED);
    }
    if status.destroyed {
        marks = marks.and(Marks::DESTROYED);
    }
    marks
}

/// 65 536 indices of a code space, of one kind, for one recall (nil where none is meant): all of
/// them as they stand now.
#[derive(Debug, Clone)]
pub struct ChunkRow {
    /// Code space.
    pub space: String,
    /// Which 65 536.
    pub chunk: u32,
    /// One of [`KINDS`].
    pub kind: String,
    /// Which recall.
    pub recall: Uuid,
    /// The indices' low halves.
    pub bits: RoaringBitmap,
}

/// A unit whose code was minted elsewhere.
#[derive(Debug, Clone)]
pub struct OtherRow {
    /// Which.
    pub unit: UnitKey,
    /// What became of it.
    pub ended: Marks,
    /// Recalls that name it, open or closed.
    pub recalls: BTreeSet<Uuid>,
}

/// A recall of single units.
#[derive(Debug, Clone, Copy)]
pub struct RecallRow {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub enterprise: Uuid,
    /// Is it open?
    pub open: bool,
}

/// What changed between two positions.
#[derive(Debug, Default)]
pub struct Changes {
    /// Units we minted.
    pub chunks: Vec<ChunkRow>,
    /// Others.
    pub others: Vec<OtherRow>,
    /// Recalls.
    pub recalls: Vec<RecallRow>,
}

impl Changes {
    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.others.is_empty() && self.recalls.is_empty()
    }
}

/// Whose list: units of these spaces, and what this enterprise recalled besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The enterprise.
    pub enterprise: Uuid,
    /// Code spaces of products it handles.
    pub spaces: BTreeSet<String>,
}

/// When what a scope covers last changed: as long as these are the same, so is its list.
pub type Stamps = (u64, Vec<(String, u64)>);

/// See the file's header.
#[derive(Debug, Default)]
pub struct Known {
    recalls: BTreeMap<Uuid, RecallRow>,
    spaces: BTreeMap<String, Space>,
    others: BTreeMap<UnitKey, OtherRow>,
    others_changed: u64,
    generation: u64,
}

#[derive(Debug, Default)]
struct Space {
    changed: u64,
    blocks: BTreeMap<u32, Block>,
}

#[derive(Debug, Default)]
struct Block {
    rows: BTreeMap<(String, Uuid), RoaringBitmap>,
    /// Those with marks, by index.
    units: Vec<Named>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Named {
    hash: UnitHash,
    offset: u16,
    marks: Marks,
}

impl Known {
    /// Spaces of which units may have to be named to take these changes in.
    pub fn to_be_named(&self, changes: &Changes) -> BTreeSet<String> {
        let closed_or_opened: BTreeSet<Uuid> = changes.recalls.iter().map(|row| row.id).collect();
        let touched = self.spaces.iter().filter(|(_, space)| {
            let mut rows = space.blocks.values().flat_map(|block| block.rows.keys());
            rows.any(|(_, recall)| closed_or_opened.contains(recall))
        });
        let touched = touched.map(|(name, _)| name.clone());
        let changed = changes.chunks.iter().map(|row| row.space.clone());
        touched.chain(changed).collect()
    }

    /// Takes changes in. `name` tells which unit stands at an index of a space.
    pub fn apply(&mut self, changes: Changes, name: impl Fn(&str, u64) -> Option<UnitKey>) {
        self.generation += 1;
        let mut dirty: BTreeSet<(String, u32)> = BTreeSet::new();
        for row in changes.recalls {
            let before = self.recalls.insert(row.id, row);
            if before.is_some_and(|before| before.open == row.open) {
                continue;
            }
            self.others_changed = self.generation;
            for (name, space) in &self.spaces {
                let blocks = space.blocks.iter();
                let of_it = blocks.filter(|(_, block)| {
                    let mut rows = block.rows.keys();
                    rows.any(|(_, recall)| *recall == row.id)
                });
                dirty.extend(of_it.map(|(chunk, _)| (name.clone(), *chunk)));
            }
        }
        for row in changes.chunks {
            let space = self.spaces.entry(row.space.clone()).or_default();
            let block = space.blocks.entry(row.chunk).or_default();
            block.rows.insert((row.kind, row.recall), row.bits);
            dirty.insert((row.space, row.chunk));
        }
        for row in changes.others {
            self.others_changed = self.generation;
            self.others.insert(row.unit.clone(), row);
        }
        let recalls = &self.recalls;
        let open = |recall: &Uuid| recalls.get(recall).is_some_and(|row| row.open);
        for (space_name, chunk) in dirty {
            let Some(space) = self.spaces.get_mut(&space_name) else {
                continue;
            };
            let Some(block) = space.blocks.get_mut(&chunk) else {
                continue;
            };
            let first = u64::from(chunk) << 16;
            if block.settle(open, |offset| name(&space_name, first | u64::from(offset))) {
                space.changed = self.generation;
            }
        }
    }

    /// See [`Stamps`].
    pub fn stamps(&self, scope: &Scope) -> Stamps {
        let stamp = |name: &String| {
            let space = self.spaces.get(name)?;
            Some((name.clone(), space.changed))
        };
        let stamps = scope.spaces.iter().filter_map(stamp).collect();
        (self.others_changed, stamps)
    }

    /// The units of a scope, in any order; those without marks are in no list.
    pub fn units(&self, scope: &Scope) -> Vec<(UnitHash, Marks)> {
        let spaces = scope.spaces.iter().filter_map(|name| self.spaces.get(name));
        let units = spaces.flat_map(|space| space.blocks.values().flat_map(|block| &block.units));
        let minted = units.map(|unit| (unit.hash, unit.marks));
        let others = self.others.values().map(|row| {
            let marks = self.marks_of_other(row, scope);
            (UnitHash::of(&row.unit), marks)
        });
        minted.chain(others).collect()
    }

    fn marks_of_other(&self, row: &OtherRow, scope: &Scope) -> Marks {
        let open = || row.recalls.iter().filter_map(|id| self.recalls.get(id));
        let mut open = open().filter(|recall| recall.open).peekable();
        let gtin = row.unit.gtin();
        let handled = gtin.is_some_and(|gtin| scope.spaces.contains(&format!("01/{gtin}")));
        let recalled = open.peek().is_some();
        if handled && recalled {
            row.ended.and(Marks::RECALLED)
        } else if handled {
            row.ended
        } else if open.any(|recall| recall.enterprise == scope.enterprise) {
            Marks::RECALLED
        } else {
            Marks::NONE
        }
    }
}

impl Block {
    /// Works out which units have which marks; says whether that changed.
    fn settle(
        &mut self,
        open: impl Fn(&Uuid) -> bool,
        name: impl Fn(u16) -> Option<UnitKey>,
    ) -> bool {
        let mut marks = vec![Marks::NONE; 1 << 16];
        for ((kind, recall), bits) in &self.rows {
            if kind == CHUNK_RECALLED && !open(recall) {
                continue;
            }
            for offset in bits {
                if let Some(held) = marks.get_mut(offset as usize) {
                    *held = held.and(marks_of(kind));
                }
            }
        }
        let mut before = self.units.iter().copied().peekable();
        let mut units = Vec::with_capacity(self.units.len());
        for (offset, marks) in (0..=u16::MAX).zip(marks) {
            while before.next_if(|unit| unit.offset < offset).is_some() {}
            let held = before.next_if(|unit| unit.offset == offset);
            if marks.is_empty() {
                continue;
            }
            let held = held.map(|unit| unit.hash);
            let Some(hash) = held.or_else(|| Some(UnitHash::of(&name(offset)?))) else {
                // Nothing was ever allocated there, so nobody carries it.
                continue;
            };
            units.push(Named {
                hash,
                offset,
                marks,
            });
        }
        let changed = units != self.units;
        self.units = units;
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use suyuan_sync::recall_list::UnitList;

    fn row(kind: &str, recall: u128, bits: &[u32]) -> ChunkRow {
        ChunkRow {
            space: "01/x".into(),
            chunk: 1,
            kind: kind.into(),
            recall: Uuid::from_u128(recall),
            bits: bits.iter().copied().collect(),
        }
    }

    fn recall(id: u128, open: bool) -> RecallRow {
        RecallRow {
            id: Uuid::from_u128(id),
            enterprise: Uuid::nil(),
            open,
        }
    }

    fn named(space: &str, index: u64) -> UnitKey {
        UnitKey::kept(&format!("{space}#{index}"))
    }

    fn scope() -> Scope {
        Scope {
            enterprise: Uuid::nil(),
            spaces: BTreeSet::from(["01/x".to_owned()]),
        }
    }

    fn listed(known: &Known, scope: &Scope) -> UnitList {
        UnitList::of(known.units(scope))
    }

    fn marks(known: &Known, index: u64) -> Marks {
        let unit = UnitHash::of(&named("01/x", index));
        listed(known, &scope()).marks(unit)
    }

    #[test]
    fn a_unit_is_named_once_and_has_the_marks_that_hold_now() {
        let (mut known, names) = (Known::default(), Cell::new(0));
        let name = |space: &str, index| {
            names.set(names.get() + 1);
            Some(named(space, index))
        };
        let first = 1 << 16;
        let opened = Changes {
            chunks: vec![row(CHUNK_RECALLED, 7, &[3, 9]), row(CHUNK_VOID, 0, &[9])],
            recalls: vec![recall(7, true)],
            ..Changes::default()
        };
        known.apply(opened, name);
        assert_eq!(names.get(), 2);
        assert_eq!(marks(&known, first | 3), Marks::RECALLED);
        assert_eq!(marks(&known, first | 9), Marks::RECALLED.and(Marks::VOID));
        let stamps = known.stamps(&scope());
        let widened = Changes {
            chunks: vec![row(CHUNK_RECALLED, 7, &[3, 4, 9])],
            ..Changes::default()
        };
        known.apply(widened, name);
        assert_eq!((names.get(), listed(&known, &scope()).len()), (3, 3));
        assert_ne!(known.stamps(&scope()), stamps);
        let closed = Changes {
            recalls: vec![recall(7, false)],
            ..Changes::default()
        };
        assert_eq!(known.to_be_named(&closed).len(), 1);
        known.apply(closed, name);
        assert_eq!(names.get(), 3);
        assert_eq!(marks(&known, first | 3), Marks::NONE);
        assert_eq!(marks(&known, first | 9), Marks::VOID);
        let stamps = known.stamps(&scope());
        known.apply(Changes::default(), name);
        assert_eq!(known.stamps(&scope()), stamps);
    }

    #[test]
    fn what_others_minted_is_told_to_who_handles_it_or_recalled_it() {
        let mut known = Known::default();
        let unit = UnitKey::kept("/01/04012345678901/21/a");
        let other = OtherRow {
            unit: unit.clone(),
            ended: Marks::DESTROYED,
            recalls: BTreeSet::from([Uuid::from_u128(7)]),
        };
        let changes = Changes {
            others: vec![other],
            recalls: vec![recall(7, true)],
            ..Changes::default()
        };
        known.apply(changes, |_, _| None);
        let told = |known: &Known, enterprise: u128, space: &str| {
            let scope = Scope {
                enterprise: Uuid::from_u128(enterprise),
                spaces: BTreeSet::from([space.to_owned()]),
            };
            listed(known, &scope).marks(UnitHash::of(&unit))
        };
        let both = Marks::DESTROYED.and(Marks::RECALLED);
        assert_eq!(told(&known, 5, "01/04012345678901"), both);
        assert_eq!(told(&known, 0, "01/x"), Marks::RECALLED);
        assert_eq!(told(&known, 5, "01/x"), Marks::NONE);
        let closed = Changes {
            recalls: vec![recall(7, false)],
            ..Changes::default()
        };
        known.apply(closed, |_, _| None);
        assert_eq!(told(&known, 5, "01/04012345678901"), Marks::DESTROYED);
        assert_eq!(told(&known, 0, "01/x"), Marks::NONE);
    }
}
