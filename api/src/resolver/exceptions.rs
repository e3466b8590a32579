//! What speaks against single units: bits among 65 536 indices for units we minted, one entry each
//! for any other code. All of it is in memory; an unset bit needs no read.

use crate::projection::units::UnitStatus;
use roaring::RoaringBitmap;
use uuid::Uuid;

/// Exceptions among 65 536 indices.
#[derive(Default, Clone)]
pub struct Chunk {
    pub(super) void: RoaringBitmap,
    pub(super) queried_often: RoaringBitmap,
    pub(super) copy_by_queries: RoaringBitmap,
    pub(super) copy_by_events: RoaringBitmap,
    pub(super) collected: RoaringBitmap,
    pub(super) destroyed: RoaringBitmap,
    /// Commissioned one by one, per batch.
    listed: Vec<(Uuid, RoaringBitmap)>,
    /// Put in a batch by events of their issuer, per batch.
    stated: Vec<(Uuid, RoaringBitmap)>,
    /// Containers of goods of another batch, per batch.
    holding: Vec<(Uuid, RoaringBitmap)>,
    /// Covered by a recall of single units, per recall.
    recalled: Vec<(Uuid, RoaringBitmap)>,
}

/// What is known against a unit, besides its recalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub struct Against {
    /// It was queried unusually often.
    pub queried_often: bool,
    /// A copy of it is about.
    pub copy: bool,
    /// It was fetched back under a recall.
    pub collected: bool,
    /// It was destroyed.
    pub destroyed: bool,
}

/// A unit whose code we did not mint, and of which something is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtherUnit {
    /// What became of it.
    pub status: UnitStatus,
    /// Recalls that named it, open or not.
    pub recalls: Vec<Uuid>,
    /// The batches of what is in it, its own apart.
    pub holds: Vec<Uuid>,
}

impl Chunk {
    /// What is known against the unit at this place.
    pub fn against(&self, offset: u32) -> Against {
        Against {
            queried_often: self.queried_often.contains(offset),
            copy: self.copy_by_queries.contains(offset) || self.copy_by_events.contains(offset),
            collected: self.collected.contains(offset),
            destroyed: self.destroyed.contains(offset),
        }
    }

    /// Was its code destroyed before use?
    pub fn is_void(&self, offset: u32) -> bool {
        self.void.contains(offset)
    }

    /// The batch it was commissioned to one by one.
    pub fn batch(&self, offset: u32) -> Option<Uuid> {
        let held = |(_, bits): &&(Uuid, RoaringBitmap)| bits.contains(offset);
        self.listed.iter().find(held).map(|(batch, _)| *batch)
    }

    /// The batch that events put it in.
    pub fn stated(&self, offset: u32) -> Option<Uuid> {
        let held = |(_, bits): &&(Uuid, RoaringBitmap)| bits.contains(offset);
        self.stated.iter().find(held).map(|(batch, _)| *batch)
    }

    /// The batches of what is in it, its own apart.
    pub fn holds(&self, offset: u32) -> impl Iterator<Item = Uuid> {
        let held = move |(_, bits): &&(Uuid, RoaringBitmap)| bits.contains(offset);
        self.holding.iter().filter(held).map(|(batch, _)| *batch)
    }

    /// Recalls that name it.
    pub fn recalls(&self, offset: u32) -> impl Iterator<Item = Uuid> {
        let held = move |(_, bits): &&(Uuid, RoaringBitmap)| bits.contains(offset);
        self.recalled.iter().filter(held).map(|(recall, _)| *recall)
    }

    pub(super) fn set_listed(&mut self, batch: Uuid, bits: RoaringBitmap) {
        set(&mut self.listed, batch, bits);
    }

    pub(super) fn set_stated(&mut self, batch: Uuid, bits: RoaringBitmap) {
        set(&mut self.stated, batch, bits);
    }

    pub(super) fn set_holding(&mut self, batch: Uuid, bits: RoaringBitmap) {
        if bits.is_empty() {
            self.holding.retain(|(known, _)| *known != batch);
        } else {
            set(&mut self.holding, batch, bits);
        }
    }

    pub(super) fn set_recalled(&mut self, recall: Uuid, bits: RoaringBitmap) {
        set(&mut self.recalled, recall, bits);
    }

    pub(super) fn is_recalled_by(&self, recall: Uuid) -> bool {
        self.recalled.iter().any(|(known, _)| *known == recall)
    }

    pub(super) fn let_go(&mut self, recall: Uuid) {
        self.recalled.retain(|(known, _)| *known != recall);
    }
}

fn set(all: &mut Vec<(Uuid, RoaringBitmap)>, of: Uuid, bits: RoaringBitmap) {
    match all.iter_mut().find(|(known, _)| *known == of) {
        Some(known) => known.1 = bits,
        None => all.push((of, bits)),
    }
}

impl From<&UnitStatus> for Against {
    fn from(status: &UnitStatus) -> Against {
        Against {
            queried_often: false,
            copy: status.suspected_copy,
            collected: status.collected,
            destroyed: status.destroyed,
        }
    }
}
