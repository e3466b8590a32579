//! The machine: takes commands one by one, keeps storage and session apart, asks for actions.
//!
//! `disk` is what is committed, `view` the same with all that is being written; whatever was only
//! in the view is gone after a crash, so nothing is promised from it. Knows no storage, no network
//! and no clock.

use super::{
    Action, Command, Disk, Input, KeptAnchor, Key, Mark, Notice, Pace, Row, RowState, Write,
};
use crate::{
    chain::{self, Hash},
    ids::{DeviceId, Epoch, Gseq, Micros, Seq},
    limits::{SEQ_MAX, UNSENT_WARNING},
    wire::Receipt,
};
use std::collections::{BTreeSet, VecDeque};

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
    pub(super) tail: BTreeSet<(Micros, Key)>,
    /// What went out in this session.
    pub(super) sent: BTreeSet<Key>,
    pub(super) flight: Option<Flight>,
    pub(super) next_flight: u64,
    pub(super) pace: Pace,
    /// Refused one by one; tried again by turns when nothing else is left.
    pub(super) skipped: BTreeSet<Key>,
    /// Found not to be what was made, in this session; a new one looks again.
    pub(super) damaged: BTreeSet<Key>,
    /// Said to be on the server by their states alone, since no receipt is kept that holds and covers them
    /// (I30). The first of them is sent again where nothing else brings one.
    pub(super) doubted: BTreeSet<Key>,
    /// What was found when the session began, and not told yet.
    found: Vec<Notice>,
    /// Lives whose signature the server does not know; likewise.
    pub(super) shut: BTreeSet<Epoch>,
    /// Where the next turn of what is refused begins.
    pub(super) turn: Key,
    pub(super) timer: Option<u64>,
    warned: bool,
}

impl Outbox {
    /// Begins a session with what is on a storage that may turn bits: a kept receipt counts if `believes`
    /// finds its signature good (I30).
    pub fn begin(mut disk: Disk, believes: impl Fn(&Receipt) -> bool) -> Outbox {
        let found = disk.doubt(believes);
        let mut outbox = Outbox {
            found,
            ..Outbox::new(disk)
        };
        // Those whose states say otherwise than a receipt that is good.
        let receipts = &outbox.view.receipts;
        let lives = outbox.doubted.iter().map(|(epoch, _)| *epoch);
        let lives: BTreeSet<Epoch> = lives.filter(|life| receipts.contains_key(life)).collect();
        outbox.found.extend(lives.into_iter().map(Notice::Doubted));
        outbox
    }

    /// Begins a session with what is on a storage that never does, as one in memory.
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
            damaged: BTreeSet::new(),
            doubted: BTreeSet::new(),
            found: Vec::new(),
            shut: BTreeSet::new(),
            turn: (0, 0),
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

    /// How many events are unsent or not receipted, and can be sent.
    pub fn unsent(&self) -> u64 {
        self.open.len() as u64
    }

    /// Those that were found not to be what was made (I30).
    pub fn damaged(&self) -> &BTreeSet<Key> {
        &self.damaged
    }

    /// Is this event on the server, by its state and by a receipt that is kept?
    pub fn is_safe(&self, row: &Row) -> bool {
        let known = [&self.open, &self.doubted, &self.damaged];
        row.state.is_receipted() && !known.iter().any(|keys| keys.contains(&row.key))
    }

    /// Those that are said to be on the server without a receipt that holds (I30).
    pub fn doubted(&self) -> &BTreeSet<Key> {
        &self.doubted
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
        let found = std::mem::take(&mut self.found).into_iter();
        let mut actions: Vec<Action> = found.map(|notice| Action::Show { notice }).collect();
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
                let refused = self.skipped.len() + self.shut.len();
                self.pace.wake(now, refused);
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
                let kept = KeptAnchor::new(anchor, wall);
                let landed = self.land(flight);
                let brought = self.answer(first, &fates, receipt, kept, now, &mut actions);
                match landed {
                    Some(flight) if brought > 0 || self.is_home(&flight) => {
                        let took = now.saturating_sub(flight.sent_at);
                        self.pace.went_well(fates.len() as u64, took);
                        if self.skipped.is_empty() && self.shut.is_empty() {
                            self.pace.refused = 0;
                        }
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
            Command::Damaged { keys } => self.set_aside(&keys, &mut actions),
            Command::Checkpoint {
                cursor,
                anchor,
                wall,
                fates,
                anew,
            } => {
                let kept = KeptAnchor::new(anchor, wall);
                let held = if anew { 0 } else { self.view.cursor };
                self.checkpoint(cursor.max(held), kept, &fates, now, &mut actions);
            }
            Command::NewEpoch {
                epoch,
                anchor,
                wall,
            } => {
                let write = Write {
                    epoch: Some(epoch),
                    anchor: Some(KeptAnchor::new(anchor, wall)),
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
    pub(super) fn persist(
        &mut self,
        mut write: Write,
        heard: Option<u64>,
        actions: &mut Vec<Action>,
    ) {
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

    /// Keeps the indexes with a change of state.
    fn note(&mut self, mark: Mark) {
        let Mark { key, state } = mark;
        let Some(stamp) = state.stamp() else {
            self.doubted.remove(&key);
            self.open.insert(key);
            return;
        };
        // What a pull tells of an event in doubt is no receipt.
        if self.doubted.contains(&key) {
            return;
        }
        self.open.remove(&key);
        self.sent.remove(&key);
        self.skipped.remove(&key);
        self.damaged.remove(&key);
        if let RowState::Settled(stamp) = state {
            self.tail.insert((stamp, key));
        } else {
            self.tail.remove(&(stamp, key));
        }
    }

    /// Puts an event where it belongs: what is safe on the server is what a receipt covers.
    fn place(&mut self, key: Key, state: RowState) {
        if self.damaged.contains(&key) {
            return;
        }
        match state {
            // What is not on the disk yet is not open: it must not be sent before it is durable.
            RowState::Durable if !self.disk.rows.contains_key(&key) => {}
            RowState::Durable => {
                self.open.insert(key);
            }
            _ if !self.view.covers(key) => {
                self.doubted.insert(key);
            }
            RowState::Settled(stamp) => {
                self.tail.insert((stamp, key));
            }
            _ => {}
        }
    }

    /// A receipt of this life may be kept: those it covers and proves, which the others are apart from by
    /// now, are in doubt no more.
    pub(super) fn resolve(&mut self, epoch: Epoch) {
        let of_life = (epoch, 0)..=(epoch, Seq::MAX);
        let doubted: Vec<Key> = self.doubted.range(of_life).copied().collect();
        for key in doubted {
            self.doubted.remove(&key);
            self.skipped.remove(&key);
            if let Some(state) = self.view.rows.get(&key).map(|row| row.state) {
                self.place(key, state);
            }
        }
    }

    /// Makes the indexes anew.
    fn index(&mut self) {
        self.open.clear();
        self.doubted.clear();
        self.tail.clear();
        let rows = self.view.rows.values().map(|row| (row.key, row.state));
        let rows: Vec<(Key, RowState)> = rows.collect();
        for (key, state) in rows {
            self.place(key, state);
        }
        let open = &self.open;
        self.sent.retain(|key| open.contains(key));
        self.skipped.retain(|key| open.contains(key));
    }
}
