//! What becomes of each push, by `suyuan_sync::admission`: the new ones are numbered at once, since
//! every decision takes the next positions.

use super::{Admitting, Engine, Incoming};
use crate::{
    handheld::push::{PushError, store::Known},
    log::Block,
};
use std::collections::BTreeMap;
use suyuan_sync::admission::{self, FrameFault};

/// What was decided on the pushes of an act.
pub(super) struct Decided<'p> {
    /// Those that are admitted.
    pub(super) admitting: Vec<Admitting<'p>>,
    /// Those that are not, by their place among all.
    pub(super) refused: BTreeMap<usize, FrameFault>,
    /// How many new events there are.
    pub(super) taken: usize,
}

impl Engine {
    /// Decides on each push, and numbers what is new.
    pub(super) async fn decide<'p>(
        &self,
        block: &Block,
        pushes: &'p [Incoming],
        known: Vec<Known>,
    ) -> Result<Decided<'p>, PushError> {
        let mut decided = Decided {
            admitting: Vec::with_capacity(pushes.len()),
            refused: BTreeMap::new(),
            taken: 0,
        };
        for (n, (push, known)) in pushes.iter().zip(known).enumerate() {
            match admission::admit(&known.held, &push.batch) {
                Err(fault) => {
                    decided.refused.insert(n, fault);
                }
                Ok(decision) => {
                    let new = self
                        .numbered(block, push, &known, &decision, &mut decided.taken)
                        .await?;
                    decided.admitting.push(Admitting {
                        push,
                        known,
                        decision,
                        new,
                        broken: Vec::new(),
                    });
                }
            }
        }
        Ok(decided)
    }
}
