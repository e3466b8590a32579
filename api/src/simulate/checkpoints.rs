//! What a handset shows at each cursor it may stand at (I22), kept beside its storage: a checkpoint is put
//! together here whole, while it is written there in a transaction that may never come through.
//!
//! It must not know what became of that transaction; the cursor on the storage tells.

use super::{
    handset::{ASTRAY, Handset},
    seen::{Effect, Seen, name},
};
use std::collections::BTreeMap;
use suyuan_sync::{
    ids::Gseq,
    invariants::{Holds, i22_whole_checkpoints_only as i22},
    wire::Item,
};

/// What is shown, by what it is of: the position it is as of.
pub type Shown = BTreeMap<String, Gseq>;

/// See the file's header. Of one cursor there are several where a page brings something and no position.
#[derive(Clone, Default)]
pub struct Checkpoints(BTreeMap<Gseq, Vec<Shown>>);

impl Checkpoints {
    /// A checkpoint goes to the storage. Of those before it may stand at these two still.
    pub fn put_together(
        &mut self,
        seen: &Seen,
        effect: &Effect,
        (held, kept): (Gseq, Option<Gseq>),
    ) {
        self.0.retain(|at, _| *at == held || Some(*at) == kept);
        let (cursor, shown) = match effect {
            Effect::Knows(_) => return,
            Effect::Page(_, page) => {
                let mut shown = shown(seen);
                for told in &page.items {
                    put(&mut shown, told.gseq, &told.item);
                }
                (page.cursor, shown)
            }
            Effect::Anew(anew) => {
                let mut shown = Shown::new();
                for item in &anew.items {
                    put(&mut shown, anew.watermark, item);
                }
                (anew.watermark, shown)
            }
        };
        let of = self.0.entry(cursor).or_default();
        if !of.contains(&shown) {
            of.push(shown);
        }
    }

    /// Is this what stands at that cursor, all of it?
    fn stand_at(&self, cursor: Gseq, shown: &Shown) -> Holds {
        let nothing = [Shown::new()];
        let of = self.0.get(&cursor).map_or(&nothing[..], Vec::as_slice);
        let mut held = Ok(());
        for whole in of {
            held = i22(shown, whole);
            if held.is_ok() {
                break;
            }
        }
        held
    }
}

impl Handset {
    /// I22: what is shown is what was put together for the cursor, all of it.
    pub(super) fn shows_whole_checkpoints(&self) -> Holds {
        let cursor = self.outbox.disk().cursor;
        // One that leads nowhere is no checkpoint: it begins anew.
        if cursor >= ASTRAY {
            return Ok(());
        }
        self.checkpoints.stand_at(cursor, &shown(&self.seen))
    }
}

fn shown(seen: &Seen) -> Shown {
    let items = seen.items.iter();
    items.map(|(what, (at, _))| (what.clone(), *at)).collect()
}

fn put(shown: &mut Shown, at: Gseq, item: &Item) {
    if matches!(item, Item::Removed(_)) {
        shown.remove(&name(item));
    } else {
        shown.insert(name(item), at);
    }
}
