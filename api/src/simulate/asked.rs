//! What some handsets and somebody at a desk would be told at this moment, while everything still goes wrong,
//! held against the log as it was just looked at: others each time, so that a run takes little longer. At the
//! end everybody is asked (`compare_readers`).
//!
//! Nobody is told anything by it: it reads what pages are made of, and nothing is kept of that.

use super::{
    SimulateError,
    handset::{ASTRAY, Handset},
    run::{Run, Stop},
    seen::Seen,
};
use crate::{
    handheld::down::{pull, store::Window},
    log::head_in,
};
use suyuan_sync::ids::Gseq;

/// Handsets that are asked at a look; where there is one every few steps, a single one, and a clerk not at
/// each of them.
const HANDSETS: usize = 3;
const FEW_STEPS: u32 = 10;
/// Who reads everything is told it in pages of so many items, and who goes on in smaller ones.
const MUCH: i64 = 500;
const LITTLE: i64 = 30;

impl Run {
    /// See the file's header.
    pub(super) async fn some_are_told_the_log(&self) -> Result<(), Stop> {
        let often = self.options.every < FEW_STEPS;
        let few = if often { 1 } else { HANDSETS };
        let all = self.handsets.len().max(1);
        for n in 0..few.min(all) {
            let handset = self.handsets.get((self.looks * few + n) % all);
            if let Some(handset) = handset.filter(|handset| !handset.over) {
                self.is_told_the_log(handset).await?;
            }
        }
        if often && !self.looks.is_multiple_of(HANDSETS) {
            return Ok(());
        }
        let turn = if often {
            self.looks / HANDSETS
        } else {
            self.looks
        };
        match self.clerks.get(turn % self.clerks.len().max(1)) {
            Some(clerk) => self.findings_are_told(clerk).await,
            None => Ok(()),
        }
    }

    /// I19, I24, I5 and I20 of one that may be cut off, and behind.
    async fn is_told_the_log(&self, handset: &Handset) -> Result<(), Stop> {
        let fresh = self.read_on(handset, Seen::default(), 0, MUCH).await?;
        self.only_what_is_here(handset, &fresh)?;
        let cursor = handset.outbox.disk().cursor;
        if handset.seen.begun && cursor < ASTRAY {
            let held = handset.seen.clone();
            let held = self.read_on(handset, held, cursor, LITTLE).await?;
            self.holds_all(handset, &held, &fresh)?;
            let lists = handset.seen.list.is_some();
            if lists && handset.seen.list_version >= self.recalls_changed() {
                self.list_stops_what_is_recalled(handset)?;
            }
        }
        for told in [
            self.status_tells_the_log(handset).await,
            self.look_ups_tell_the_log(handset).await,
        ] {
            match told {
                // Its key is revoked, or another copy was enrolled again: it learns so with its next call.
                Err(Stop::Failed(SimulateError::Answered(_, 403))) => {}
                told => told?,
            }
        }
        Ok(())
    }

    /// What a handset holds when it has read on from a cursor.
    async fn read_on(
        &self,
        handset: &Handset,
        mut held: Seen,
        mut after: Gseq,
        most: i64,
    ) -> Result<Seen, Stop> {
        let state = self.node()?.state.clone();
        let tx = state.db.begin_reading().await?;
        let (upto, _) = head_in(&tx).await?;
        let mut within = None;
        while after < upto || within.is_some() {
            let window = Window {
                enterprise: handset.site.enterprise.0,
                location: handset.site.id.0,
                device: handset.device.0,
                after,
                upto,
                ended: 0,
            };
            let part = pull::read(&state.sealer, &tx, window, within, most).await?;
            for told in part.items {
                held.put(told.gseq, told.item);
            }
            (after, within) = (part.upto, part.within);
        }
        tx.commit().await?;
        Ok(held)
    }

    /// Where a recall last changed.
    fn recalls_changed(&self) -> Option<Gseq> {
        let spans = self.told.1.recalls.iter();
        let changes = spans.flat_map(|span| [Some(span.from), span.closed]);
        changes.flatten().map(|at| at.gseq).max()
    }
}
