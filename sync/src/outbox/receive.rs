//! What the server's answers mean for the queue: which events are home, what anybody has to look
//! at, which anchor and receipt are kept, and whether there is a second copy of this device.
//!
//! It believes what it is given: whether a receipt's signature holds was asked before.

use super::{
    Action, Fate, KeptAnchor, Key, Mark, Notice, Outbox, RowState, Write, machine::Flight,
};
use crate::{
    bugs::{self, Bug},
    ids::{Epoch, Gseq, Micros, Seq},
    limits::TAIL_DAYS,
    wire::Receipt,
};
use std::collections::{BTreeMap, BTreeSet};

const TAIL: Micros = TAIL_DAYS as Micros * 86_400 * 1_000_000;

impl Outbox {
    /// An answer to a push of `first` and the following. Returns how many events it brought home.
    pub(super) fn answer(
        &mut self,
        first: Seq,
        fates: &[Fate],
        receipt: Receipt,
        anchor: KeptAnchor,
        now: u64,
        actions: &mut Vec<Action>,
    ) -> usize {
        if receipt.device != self.view.device {
            return 0;
        }
        let (epoch, stamp) = (receipt.epoch, receipt.stamp);
        self.shut.remove(&epoch);
        let newer = self.is_newest(&receipt);
        let mut write = Write::default();
        let mut unproven = self.unproven(&receipt);
        for (seq, fate) in (first..).zip(fates) {
            let key = (epoch, seq);
            // It was good when this push was made.
            let damaged = self.damaged.contains(&key);
            let waits = damaged || self.open.contains(&key) || unproven.contains(&key);
            // Only what was in this push and is covered by its receipt is safe.
            if receipt.covers(seq) && waits {
                self.doubted.remove(&key);
                unproven.remove(&key);
                let state = fate.state(stamp);
                write.marks.push(Mark { key, state });
                if *fate == Fate::Attention {
                    let notice = Notice::Attention(key);
                    actions.push(Action::Show { notice });
                } else if damaged {
                    let notice = Notice::Resolved(key);
                    actions.push(Action::Show { notice });
                }
            }
        }
        let brought = write.marks.len();
        if epoch == self.view.epoch {
            let copied = self.is_a_copy(&receipt);
            if copied && !self.view.enrol_again {
                write.enrol_again = Some(true);
                let notice = Notice::EnrolAgain;
                actions.push(Action::Show { notice });
            }
            write.anchor = self.greater(anchor);
        }
        write.receipt = newer.then_some(receipt);
        // The tail is measured by the server's clock, so a wrong one here drops nothing early.
        let until = (stamp.saturating_sub(TAIL), (Epoch::MAX, Seq::MAX));
        let kept = self.tail.split_off(&until);
        let over = std::mem::replace(&mut self.tail, kept).into_iter();
        // Of the receipt that is held now, or comes with this.
        let held = |key: &Key| match &write.receipt {
            Some(receipt) if receipt.epoch == key.0 => receipt.covers(key.1),
            _ => self.view.covers(*key),
        };
        let (drop, lost): (Vec<Key>, Vec<Key>) = over.map(|(_, key)| key).partition(held);
        write.drop = drop;
        // A server that was set back holds less than it receipted: it is told again. So is what is in
        // doubt and not proven, whatever is held under its number: with the receipt comes that it is unsent.
        let unsent = unproven.into_iter().filter(|_| newer).chain(lost);
        let state = RowState::Durable;
        write.marks.extend(unsent.map(|key| Mark { key, state }));
        write.forget = self.view.over(epoch);
        let heard = write.anchor.is_some().then_some(now);
        if write != Write::default() {
            self.persist(write, heard, actions);
        }
        self.resolve(epoch);
        brought
    }

    /// Is all of this push receipted, if only by another answer?
    pub(super) fn is_home(&self, flight: &Flight) -> bool {
        let of = |seq| (flight.epoch, seq);
        let held = of(flight.first)..=of(flight.last);
        let none = |keys: &BTreeSet<Key>| keys.range(held.clone()).next().is_none();
        none(&self.open) && none(&self.doubted)
    }

    /// Those in doubt, of the life of this receipt, of which it does not prove that the server holds them.
    /// Where one is kept and did not cover them, what their states say is known to be untrue.
    fn unproven(&self, receipt: &Receipt) -> BTreeSet<Key> {
        let of_life = (receipt.epoch, 0)..=(receipt.epoch, Seq::MAX);
        let is_kept = self.view.receipts.contains_key(&receipt.epoch);
        let is_proof = !is_kept && self.view.is_proven_by(receipt);
        let upto = if is_proof { receipt.contiguous_seq } else { 0 };
        let doubted = self.doubted.range(of_life);
        doubted.filter(|(_, seq)| *seq > upto).copied().collect()
    }

    /// Does the server hold another event than this device at the head it receipts, or more than
    /// this device ever made?
    fn is_a_copy(&self, receipt: &Receipt) -> bool {
        let at = receipt.contiguous_seq;
        let own = self.view.rows.get(&(receipt.epoch, at));
        at >= self.view.next || own.is_some_and(|row| row.hash != receipt.head_hash)
    }

    fn is_newest(&self, receipt: &Receipt) -> bool {
        let held = self.view.receipts.get(&receipt.epoch);
        held.is_none_or(|held| receipt.stamp > held.stamp)
    }

    /// An anchor if it is greater than the one held.
    fn greater(&self, anchor: KeptAnchor) -> Option<KeptAnchor> {
        let held = self.view.anchor.as_ref();
        let greater = held.is_none_or(|held| anchor.text > held.text);
        (greater || bugs::on(Bug::LatestAnchorKept)).then_some(anchor)
    }

    /// Anchor, position and what the page tells go into one transaction. What position holds was
    /// decided before.
    pub(super) fn checkpoint(
        &mut self,
        cursor: Gseq,
        anchor: KeptAnchor,
        fates: &[(Epoch, Seq, Fate)],
        now: u64,
        actions: &mut Vec<Action>,
    ) {
        let mut states: BTreeMap<Key, RowState> = BTreeMap::new();
        for (epoch, seq, fate) in fates {
            let key = (*epoch, *seq);
            let row = self.view.rows.get(&key).map(|row| row.state);
            let was = states.get(&key).copied().or(row);
            let Some((was, stamp)) = was.and_then(|was| Some((was, was.stamp()?))) else {
                continue;
            };
            let state = fate.state(stamp);
            if state == was {
                continue;
            }
            states.insert(key, state);
            let notice = match (was, state) {
                (_, RowState::NeedsAttention(_)) => Notice::Attention(key),
                (RowState::NeedsAttention(_), RowState::Settled(_)) => Notice::Resolved(key),
                _ => continue,
            };
            actions.push(Action::Show { notice });
        }
        let anchor = self.greater(anchor);
        let heard = anchor.is_some().then_some(now);
        let mark = |(key, state)| Mark { key, state };
        let write = Write {
            marks: states.into_iter().map(mark).collect(),
            anchor,
            cursor: Some(cursor),
            ..Write::default()
        };
        self.persist(write, heard, actions);
    }
}
