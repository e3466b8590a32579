//! What inspections find sellable of lots (C6): whether it is released goes by the recalls that cover it, so these
//! are put in while what facts say of lines is worked out, and only then. When the record changes it is worked out
//! anew, as what went is judged anew.
//!
//! What is read for it: nothing, where no recall ever covered a batch of what was found sellable.

use super::Asked;
use crate::handheld::{units::folding::Folding, world::WorldError};
use sea_orm::ConnectionTrait;
use std::collections::BTreeSet;
use suyuan_sync::{facts::RecallSpan, ids::BatchId, lots as rules};

/// Recalls that were there for units.
pub(super) type Before = Option<Vec<RecallSpan>>;

impl Folding<'_> {
    /// Puts in the recalls of what was found sellable. Tells what was there before, if that is another.
    pub(super) async fn put_in_for_released(
        &mut self,
        conn: &impl ConnectionTrait,
        asked: &Asked,
    ) -> Result<Before, WorldError> {
        let world = self.source.world();
        let mut batches: BTreeSet<BatchId> = BTreeSet::new();
        let released = asked.facts.values();
        for fact in released.filter(|fact| rules::releases(&fact.event)) {
            let lines = rules::named(&fact.event).into_keys();
            batches.extend(lines.filter_map(|key| rules::batch_of(&key, fact.enterprise, world)));
        }
        batches.retain(|batch| self.source.was_recalled(*batch));
        if batches.is_empty() {
            return Ok(None);
        }
        let recalls = self.source.recalls_of(conn, &batches).await?;
        let before = &mut self.source.world_mut().recalls;
        Ok(Some(std::mem::replace(before, recalls)))
    }

    /// Takes them out again.
    pub(super) fn take_out(&mut self, before: Before) {
        if let Some(before) = before {
            self.source.world_mut().recalls = before;
        }
    }
}
