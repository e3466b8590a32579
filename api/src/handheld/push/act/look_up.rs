//! What an act knows before it decides: what was read ahead, as far as it still stands under the lock of
//! the head; and what it leaves behind, by which the next act judges what was read ahead meanwhile.

use super::{Admitting, Engine, Incoming};
use crate::{
    handheld::{
        push::{
            PushError,
            ahead::{Ahead, Since, Touched, held},
            store::Known,
        },
        units::{
            self,
            folding::{Change, Moment},
        },
        world::Source,
    },
    log::{Block, Position},
};
use sea_orm::ConnectionTrait;
use std::collections::BTreeSet;
use suyuan_sync::{
    bugs::{self, Bug},
    unit::UnitKey,
};

impl Engine {
    /// What was read ahead, unless more happened since than the act before this one. Then what is held is
    /// read now, while the head is not locked yet; the units are left to the fold.
    pub(super) async fn look_up(
        &mut self,
        pushes: &[Incoming],
        ahead: Option<Ahead>,
    ) -> Result<Ahead, PushError> {
        let (head, _) = self.log.head().await?;
        let stands = |ahead: &Ahead| !matches!(self.since(ahead.seen, head), Since::Anything);
        let ahead = match ahead {
            Some(ahead) if stands(&ahead) || bugs::on(Bug::ReadBeforeLock) => ahead,
            _ => Ahead {
                seen: head,
                known: held(self.db.reader(), pushes).await?,
                units: units::ahead::Ahead::default(),
            },
        };
        let touched = self.touched.as_ref();
        bring_up(&mut self.source, touched, self.db.reader(), head).await?;
        Ok(ahead)
    }

    /// What of that still stands under the lock of the head; what is held is read anew if it may not.
    pub(super) async fn still_so(
        &mut self,
        block: &Block,
        pushes: &[Incoming],
        ahead: Ahead,
    ) -> Result<(Vec<Known>, units::ahead::Ahead), PushError> {
        let Ahead {
            seen,
            mut known,
            mut units,
        } = ahead;
        match self.since(seen, block.before()) {
            Since::Nothing => self.scout.was_worth_it(true),
            Since::One(touched) => {
                self.scout.was_worth_it(true);
                units.forget(&touched.units);
                if touched.concerns(pushes) {
                    known = held(block.tx(), pushes).await?;
                }
            }
            Since::Anything => {
                self.scout.was_worth_it(false);
                known = held(block.tx(), pushes).await?;
                // The mistake that the lock of the head is there against: units as of before, whatever was
                // committed since.
                if !bugs::on(Bug::ReadBeforeLock) {
                    units = units::ahead::Ahead::default();
                }
            }
        }
        Ok((known, units))
    }

    /// Master data as of the position before an act.
    pub(super) async fn catch_up(&mut self, block: &Block) -> Result<(), PushError> {
        let touched = self.touched.as_ref();
        bring_up(&mut self.source, touched, block.tx(), block.before()).await
    }

    fn since(&self, after: Position, upto: Position) -> Since<'_> {
        Since::of(self.touched.as_ref(), after, upto)
    }

    /// After the commit: remembers what this act admitted as if it had been read, and what it touched. An
    /// act that moved what was there before, or left something of it, touched more than is known here.
    pub(super) fn remember(
        &mut self,
        change: &Change,
        (pushes, admitted): (&[Incoming], &[Admitting<'_>]),
        (moment, units): (Moment, BTreeSet<UnitKey>),
        whole: bool,
    ) {
        let plain = whole
            && change.moved.is_empty()
            && change.recheck.is_empty()
            && change.arrived.iter().all(|fact| fact.gseq >= moment.first);
        // What waits for the rest of its group as well: all of it is asked for when that is whole.
        for push in admitted {
            for new in &push.new {
                let read = push.push.batch.events.get(new.at).map(|event| &event.read);
                if let Some(event) = read.and_then(|read| read.event()) {
                    self.reader.remember(new.gseq, event);
                }
            }
        }
        let batches = pushes.iter().map(|push| &push.batch);
        let ids = batches.clone().flat_map(|batch| &batch.events);
        self.touched = plain.then(|| Touched {
            positions: (moment.first - 1, moment.last),
            devices: batches.map(|batch| (batch.device, batch.epoch)).collect(),
            ids: ids.filter_map(|event| event.read.id()).collect(),
            units,
        });
    }
}

/// Brings master data up to a position. An act of this engine changed none of it.
async fn bring_up(
    source: &mut Source,
    touched: Option<&Touched>,
    conn: &impl ConnectionTrait,
    head: Position,
) -> Result<(), PushError> {
    match Since::of(touched, source.position(), head) {
        Since::Nothing => {}
        Since::One(_) => source.pass(head),
        Since::Anything => source.refresh(conn, head).await?,
    }
    Ok(())
}
