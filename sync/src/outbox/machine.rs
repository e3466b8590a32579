//! The machine: takes commands one by one, keeps storage and session apart, asks for actions.
//!
//! `disk` is what is committed, `view` the same with all that is being written; whatever was only
//! in the view is gone after a crash, so nothing is promised from it. Knows no storage, no network
//! and no clock.

use super::{
    Action, Command, Disk, Fate, Input, KeptAnchor, Key, Mark, Notice, Pace, Row, RowState, Write,
};
use crate::{
    bugs::{self, Bug},
    chain::{self, Hash},
    ids::{DeviceId, Epoch, Gseq, Micros, Seq},
    limits::{SEQ_MAX, TAIL_DAYS, UNSENT_WARNING},
    wire::Receipt,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A push under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) id: u64,
    pub(super) epoch: Epoch,
    pub(super) first: Seq,
    pub(super) last: Seq,
    pub(super) sent_at: u64,
}

/// A transaction that is being written.
#[derive(Clone, Debug, PartialEq)]
struct Pending {
    write: Write,
    /// When its anchor was received, by the session's clock.
    heard: Option<u64>,
}

/// Everything the next event has to state about its place in the chain and in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which device.
    pub device: DeviceId,
    /// Which life of it.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
    /// The hash before it.
    pub prev_hash: Hash,
    /// The greatest anchor on the storage.
    pub anchor: Option<String>,
    /// The wall clock when that was received.
    pub anchor_wall: Option<Micros>,
    /// Milliseconds since, if it was received in this session; else 0.
    pub mono_ms: u64,
    /// The position of the pull.
    pub cursor: Gseq,
}

/// An outbox in one session of its device.
#[derive(Clone, Debug, PartialEq)]
pub struct Outbox {
    pub(super) disk: Disk,
    pub(super) view: Disk,
    pending: VecDeque<Pending>,
    next_write: u64,
    /// When the anchor on the disk was received, if in this session.
    heard: Option<u64>,
    /// What is committed and not receipted, in the order of the queue.
    pub(super) open: BTreeSet<Key>,
    /// What is settled, by the stamp of its receipt: the tail that is kept a while.
    tail: BTreeSet<(Micros, Key)>,
    /// What went out in this session.
    pub(super) sent: BTreeSet<Key>,
    pub(super) flight: Option<Flight>,
    pub(super) next_flight: u64,
    pub(super) pace: Pace,
    /// Refused frame by frame; tried again when nothing else is left.
    pub(super) skipped: BTreeSet<Key>,
    /// Lives whose signature the server does not know; likewise.
    pub(super) shut: BTreeSet<Epoch>,
    pub(super) timer: Option<u64>,
    warned: bool,
}

const TAIL: Micros = TAIL_DAYS as Micros * 86_400 * 1_000_000;

impl Outbox {
    /// Begins a session with what is on the storage.
    pub fn new(disk: Disk) -> Outbox {
        let mut outbox = Outbox {
            view: disk.clone(),
            disk,
            pending: VecDeque::new(),
            next_write: 1,
            heard: None,
            open: BTreeSet::new(),
            tail: BTreeSet::new(),
            sent: BTreeSet::new(),
            flight: None,
            next_flight: 1,
            pace: Pace::default(),
            skipped: BTreeSet::new(),
            shut: BTreeSet::new(),
            timer: None,
            warned: false,
        };
        outbox.index();
        outbox
    }

    /// The session ends without warning, after the first `reached` of the transactions that were
    /// being written came through; what is on the storage then.
    pub fn crash(mut self, reached: usize) -> Disk {
        for pending in self.pending.iter().take(reached) {
            self.disk.apply(&pending.write);
        }
        self.disk
    }

    /// What the next event has to state. Always at hand: capture waits for nothing.
    pub fn slot(&self, now: u64) -> Slot {
        let anchor = self.disk.anchor.as_ref();
        // An anchor of an earlier life means nothing in this one.
        let anchor = anchor.filter(|_| self.disk.epoch == self.view.epoch);
        Slot {
            device: self.view.device,
            epoch: self.view.epoch,
            seq: self.view.next,
            prev_hash: self.view.head,
            anchor: anchor.map(|anchor| anchor.text.clone()),
            anchor_wall: anchor.map(|anchor| anchor.wall),
            mono_ms: match (anchor, self.heard) {
                (Some(_), Some(heard)) => now.saturating_sub(heard),
                _ => 0,
            },
            cursor: self.disk.cursor,
        }
    }

    /// What is on the storage.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// How many events are unsent or not receipted.
    pub fn unsent(&self) -> u64 {
        self.open.len() as u64
    }

    /// How many transactions are being written.
    pub fn writing(&self) -> usize {
        self.pending.len()
    }

    /// Takes a command; the actions are to be done in their order.
    pub fn take(&mut self, input: Input) -> Vec<Action> {
        let Input {
            now,
            jitter,
            command,
        } = input;
        let mut actions = Vec::new();
        match command {
            Command::Capture { texts } => self.capture(texts, &mut actions),
            Command::Committed { write } => self.committed(write, &mut actions),
            Command::NotWritten { write } => self.not_written(write, (now, jitter), &mut actions),
            Command::Due => {
                self.timer = None;
                if self
                    .flight
                    .is_some_and(|flight| Outbox::overdue(&flight, now))
                {
                    self.lost(now, jitter);
                }
            }
            Command::Wake => {
                self.pace.wake(now);
                self.skipped.clear();
                self.shut.clear();
            }
            Command::Answer {
                flight,
                first,
                fates,
                receipt,
                anchor,
                wall,
                credit,
                retry_after,
            } => {
                let kept = KeptAnchor { text: anchor, wall };
                let landed = self.land(flight);
                let brought = self.answer(first, &fates, receipt, kept, now, &mut actions);
                match landed {
                    Some(flight) if brought > 0 || self.is_home(&flight) => {
                        let took = now.saturating_sub(flight.sent_at);
                        self.pace.went_well(fates.len() as u64, took);
                    }
                    Some(_) => self.pace.failed(now, jitter),
                    None => {}
                }
                self.pace.told(now, jitter, credit, retry_after);
            }
            Command::Lost { flight } => {
                if self.flight.is_some_and(|current| current.id == flight) {
                    self.lost(now, jitter);
                }
            }
            Command::Refused {
                flight,
                status,
                retry_after,
            } => {
                if let Some(flight) = self.land(flight) {
                    self.refused(flight, status, retry_after, (now, jitter), &mut actions);
                }
            }
            Command::Checkpoint {
                cursor,
                anchor,
                wall,
                fates,
            } => {
                let kept = KeptAnchor { text: anchor, wall };
                self.checkpoint(cursor, kept, &fates, now, &mut actions);
            }
            Command::NewEpoch {
                epoch,
                anchor,
                wall,
            } => {
                let write = Write {
                    epoch: Some(epoch),
                    anchor: Some(KeptAnchor { text: anchor, wall }),
                    enrol_again: Some(false),
                    ..Write::default()
                };
                if epoch > self.view.epoch {
                    self.persist(write, Some(now), &mut actions);
                }
            }
        }
        self.plan(now, &mut actions);
        actions
    }

    /// Chain and event go into one transaction, all events of an act into the same.
    fn capture(&mut self, texts: Vec<String>, actions: &mut Vec<Action>) {
        let (epoch, mut seq, mut head) = (self.view.epoch, self.view.next, self.view.head);
        let mut rows = Vec::with_capacity(texts.len());
        if seq.saturating_add(texts.len() as u64) > SEQ_MAX {
            let keys = (seq..).take(texts.len()).map(|seq| (epoch, seq));
            let notice = Notice::NotSaved(keys.collect());
            actions.push(Action::Show { notice });
            return;
        }
        for text in texts {
            let prev_hash = head;
            head = chain::next(prev_hash, text.as_bytes());
            rows.push(Row {
                key: (epoch, seq),
                prev_hash,
                hash: head,
                text: text.into(),
                state: RowState::Durable,
            });
            seq = seq.saturating_add(1);
        }
        if !rows.is_empty() {
            let write = Write {
                rows,
                ..Write::default()
            };
            self.persist(write, None, actions);
        }
    }

    /// Asks for a transaction.
    fn persist(&mut self, mut write: Write, heard: Option<u64>, actions: &mut Vec<Action>) {
        write.id = self.next_write;
        self.next_write = self.next_write.saturating_add(1);
        self.view.apply(&write);
        for mark in &write.marks {
            self.note(*mark);
        }
        let pending = Pending {
            write: write.clone(),
            heard,
        };
        self.pending.push_back(pending);
        actions.push(Action::Persist {
            write: Box::new(write),
        });
    }

    fn committed(&mut self, write: u64, actions: &mut Vec<Action>) {
        while let Some(pending) = self.pending.pop_front_if(|next| next.write.id <= write) {
            let Pending { write, heard } = pending;
            self.disk.apply(&write);
            if write.anchor.is_some() {
                self.heard = heard;
            }
            if write.rows.is_empty() {
                continue;
            }
            let saved: Vec<Key> = write.rows.iter().map(|row| row.key).collect();
            self.open.extend(&saved);
            let notice = Notice::Saved(saved);
            actions.push(Action::Show { notice });
            if self.unsent() < UNSENT_WARNING {
                self.warned = false;
            } else if !self.warned {
                self.warned = true;
                let notice = Notice::ManyUnsent(self.unsent());
                actions.push(Action::Show { notice });
            }
        }
    }

    /// The storage failed: what was being written is not, and the person is told what is lost.
    fn not_written(&mut self, write: u64, time: (u64, u16), actions: &mut Vec<Action>) {
        let mut lost = Vec::new();
        while let Some(pending) = self.pending.pop_back_if(|last| last.write.id >= write) {
            lost.push(pending.write);
        }
        if lost.is_empty() {
            return;
        }
        self.view = self.disk.clone();
        for pending in &self.pending {
            self.view.apply(&pending.write);
        }
        self.index();
        // What was sent for nothing is not sent again at once.
        let (now, jitter) = time;
        self.pace.failed(now, jitter);
        for write in lost.iter().rev().filter(|write| !write.rows.is_empty()) {
            let keys = write.rows.iter().map(|row| row.key).collect();
            let notice = Notice::NotSaved(keys);
            actions.push(Action::Show { notice });
        }
    }

    /// An answer to a push of `first` and the following. Returns how many events it brought home.
    fn answer(
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
        let mut write = Write::default();
        for (seq, fate) in (first..).zip(fates) {
            // Only what was in this push and is covered by its receipt is safe.
            if receipt.covers(seq) && self.open.contains(&(epoch, seq)) {
                write.marks.push(Mark {
                    key: (epoch, seq),
                    state: fate.state(stamp),
                });
                if *fate == Fate::Attention {
                    let notice = Notice::Attention((epoch, seq));
                    actions.push(Action::Show { notice });
                }
            }
        }
        let brought = write.marks.len();
        if epoch == self.view.epoch {
            let (newer, copied) = (self.is_newest(&receipt), self.is_a_copy(&receipt));
            if copied && !self.view.enrol_again {
                write.enrol_again = Some(true);
                let notice = Notice::EnrolAgain;
                actions.push(Action::Show { notice });
            }
            if newer {
                write.receipt = Some(receipt);
            }
            write.anchor = self.greater(anchor);
        }
        // The tail is measured by the server's clock, so a wrong one here drops nothing early.
        let until = (stamp.saturating_sub(TAIL), (Epoch::MAX, Seq::MAX));
        let kept = self.tail.split_off(&until);
        let over = std::mem::replace(&mut self.tail, kept);
        write.drop = over.into_iter().map(|(_, key)| key).collect();
        let heard = write.anchor.is_some().then_some(now);
        if write != Write::default() {
            self.persist(write, heard, actions);
        }
        brought
    }

    /// Is all of this push receipted, if only by another answer?
    fn is_home(&self, flight: &Flight) -> bool {
        let of = |seq| (flight.epoch, seq);
        let mut open = self.open.range(of(flight.first)..=of(flight.last));
        open.next().is_none()
    }

    /// Does the server hold another event than this device at the head it receipts, or more than
    /// this device ever made?
    fn is_a_copy(&self, receipt: &Receipt) -> bool {
        let at = receipt.contiguous_seq;
        let own = self.view.rows.get(&(receipt.epoch, at));
        at >= self.view.next || own.is_some_and(|row| row.hash != receipt.head_hash)
    }

    fn is_newest(&self, receipt: &Receipt) -> bool {
        let held = self.view.receipt.as_ref();
        held.is_none_or(|held| receipt.stamp > held.stamp)
    }

    /// An anchor if it is greater than the one held.
    fn greater(&self, anchor: KeptAnchor) -> Option<KeptAnchor> {
        let held = self.view.anchor.as_ref();
        let greater = held.is_none_or(|held| anchor.text > held.text);
        (greater || bugs::on(Bug::AnchorEqualsStamp)).then_some(anchor)
    }

    /// Anchor, position and what the page tells go into one transaction.
    fn checkpoint(
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
            cursor: Some(cursor.max(self.view.cursor)),
            ..Write::default()
        };
        self.persist(write, heard, actions);
    }

    /// Keeps the indexes with a change of state.
    fn note(&mut self, mark: Mark) {
        self.open.remove(&mark.key);
        self.sent.remove(&mark.key);
        self.skipped.remove(&mark.key);
        if let RowState::Settled(stamp) = mark.state {
            self.tail.insert((stamp, mark.key));
        } else if let Some(stamp) = mark.state.stamp() {
            self.tail.remove(&(stamp, mark.key));
        }
    }

    /// Makes the indexes anew.
    fn index(&mut self) {
        let rows = || self.view.rows.values();
        // What is not on the disk yet is not open: it must not be sent before it is durable.
        self.open = rows()
            .filter(|row| !row.state.is_receipted() && self.disk.rows.contains_key(&row.key))
            .map(|row| row.key)
            .collect();
        self.tail = rows()
            .filter_map(|row| match row.state {
                RowState::Settled(stamp) => Some((stamp, row.key)),
                _ => None,
            })
            .collect();
        let open = &self.open;
        self.sent.retain(|key| open.contains(key));
        self.skipped.retain(|key| open.contains(key));
    }
}
