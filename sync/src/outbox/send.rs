//! What is sent next, and when: the queue first in, first out, one push under way, nothing that is
//! refused or damaged in the way of what follows it.

use super::{Action, FLIGHT_MS, Key, Notice, Outbox, machine::Flight};
use crate::{
    ids::{Epoch, Seq},
    limits::PUSH_BYTES_MAX,
    wire::{Push, V},
};
use std::collections::BTreeSet;

impl Outbox {
    /// The push that [`Action::Send`] asks for. What it holds are the very texts that were made:
    /// where one is not (I30) there is no push, but the keys for [`Command::Damaged`].
    ///
    /// [`Command::Damaged`]: super::Command::Damaged
    pub fn push(&self, epoch: Epoch, first: Seq, last: Seq) -> Result<Push, Vec<Key>> {
        let rows = self.view.rows.range((epoch, first)..=(epoch, last));
        let damaged = rows.filter(|(_, row)| !row.is_whole());
        let damaged: Vec<Key> = damaged.map(|(key, _)| *key).collect();
        if damaged.is_empty() {
            Ok(self.frame(epoch, first, last))
        } else {
            Err(damaged)
        }
    }

    fn frame(&self, epoch: Epoch, first: Seq, last: Seq) -> Push {
        let rows = self.view.rows.range((epoch, first)..=(epoch, last));
        let rows: Vec<_> = rows.map(|(_, row)| row).collect();
        Push {
            v: V,
            device: self.view.device,
            epoch,
            first_seq: first,
            prev_hash: rows.first().map_or(self.view.head, |row| row.prev_hash),
            last_receipt: self.view.receipts.get(&epoch).cloned(),
            queue_depth: self.unsent(),
            events: rows.iter().map(|row| row.text.to_string()).collect(),
        }
    }

    /// Everything that no receipt covers, as pushes for a file or another device to carry
    /// (a deposit), and what was found damaged of it, which is in none of them. It stays in the queue
    /// until a receipt covers it.
    pub fn export(&self) -> (Vec<Push>, Vec<Key>) {
        let row = |key: &Key| self.view.rows.get(key);
        let damaged = |key: &&Key| row(key).is_some_and(|row| !row.is_whole());
        let open = &self.open | &self.doubted;
        let damaged: BTreeSet<Key> = open.iter().filter(damaged).copied().collect();
        let mut pushes = Vec::new();
        let mut rest = open.difference(&damaged).copied().peekable();
        while let Some(first) = rest.next() {
            let last = self.run(first, super::BATCH_MAX, &open, &damaged);
            while rest.next_if(|key| *key <= last).is_some() {}
            pushes.push(self.frame(first.0, first.1, last.1));
        }
        (pushes, damaged.into_iter().collect())
    }

    /// What is damaged (I30) is neither sent nor let go: what follows is sent behind the gap (T4), and
    /// whoever stated it is told. Only an answer to a push that held it while it was whole settles it.
    pub(super) fn set_aside(&mut self, keys: &[Key], actions: &mut Vec<Action>) {
        self.flight.take_if(|flight| {
            let held = (flight.epoch, flight.first)..=(flight.epoch, flight.last);
            keys.iter().any(|key| held.contains(key))
        });
        for key in keys.iter().copied() {
            if !self.open.remove(&key) && !self.doubted.remove(&key) {
                continue;
            }
            self.sent.remove(&key);
            self.skipped.remove(&key);
            self.damaged.insert(key);
            let notice = Notice::Damaged(key);
            actions.push(Action::Show { notice });
        }
    }

    /// Sends if it may, else says when to come back.
    pub(super) fn plan(&mut self, now: u64, actions: &mut Vec<Action>) {
        let next = match self.flight {
            Some(_) => None,
            None => self.next(),
        };
        if let Some((first, _)) = next.filter(|(_, from)| now >= *from) {
            self.send(first, now, actions);
        }
        let at = match self.flight {
            Some(flight) => Some(flight.sent_at.saturating_add(FLIGHT_MS)),
            None => next.map(|(_, from)| from),
        };
        if let Some(at) = at
            && self.timer != Some(at)
        {
            self.timer = Some(at);
            actions.push(Action::WaitUntil { at });
        }
    }

    fn is_refused(&self, key: Key) -> bool {
        self.skipped.contains(&key) || self.shut.contains(&key.0)
    }

    /// What is sent next, and not before when. Where nothing else is left that is what was refused, by
    /// turns, more and more rarely; each has one when the device wakes.
    fn next(&self) -> Option<(Key, u64)> {
        let at = self.pace.not_before;
        let may = |key: &&Key| !self.is_refused(**key);
        // Any answer brings a receipt, by which those in doubt are judged.
        let doubted = || self.doubted.iter().find(may);
        if let Some(free) = self.open.iter().find(may).or_else(doubted) {
            return Some((*free, at));
        }
        let from = |key: Key| {
            let first = |keys: &BTreeSet<Key>| keys.range(key..).next().copied();
            let firsts = [first(&self.open), first(&self.doubted)];
            firsts.into_iter().flatten().min()
        };
        let next = from(self.turn).or_else(|| from((0, 0)))?;
        let again = match self.pace.turns {
            0 => self.pace.again,
            _ => 0,
        };
        Some((next, at.max(again)))
    }

    fn send(&mut self, first: Key, now: u64, actions: &mut Vec<Action>) {
        if self.is_refused(first) {
            let (epoch, seq) = first;
            self.pace.turns = self.pace.turns.saturating_sub(1);
            self.turn = if self.shut.contains(&epoch) {
                (epoch.saturating_add(1), 0)
            } else {
                (epoch, seq.saturating_add(1))
            };
        }
        let (epoch, last) = if self.doubted.contains(&first) {
            first
        } else {
            self.run(first, self.pace.size, &self.open, &self.skipped)
        };
        let flight = Flight {
            id: self.next_flight,
            epoch,
            first: first.1,
            last,
            sent_at: now,
        };
        self.next_flight = self.next_flight.saturating_add(1);
        self.flight = Some(flight);
        self.sent
            .extend((flight.first..=last).map(|seq| (epoch, seq)));
        actions.push(Action::Send {
            flight: flight.id,
            epoch,
            first: flight.first,
            last,
        });
    }

    /// The last of the events `of` these from `first` on that follow each other and fit one push, without
    /// some.
    fn run(&self, first: Key, size: u64, of: &BTreeSet<Key>, without: &BTreeSet<Key>) -> Key {
        let row = |key: &Key| self.view.rows.get(key);
        let bytes_of = |key: &Key| row(key).map_or(0, |row| row.text.len());
        // What was chained to another head than the event before has (I30: the head turned) begins a
        // push that says what it follows: so the server finds the break, and where (T5).
        let chained = |last: &Key, next: &Key| {
            row(last).map(|row| row.hash) == row(next).map(|row| row.prev_hash)
        };
        let (mut last, mut bytes, mut count) = (first, bytes_of(&first), 1);
        for key in of.range(first..).skip(1) {
            let next = (last.0, last.1.saturating_add(1));
            bytes = bytes.saturating_add(bytes_of(key));
            let fits = *key == next && count < size && bytes <= PUSH_BYTES_MAX;
            if !fits || without.contains(key) || !chained(&last, key) {
                break;
            }
            (last, count) = (*key, count + 1);
        }
        last
    }

    pub(super) fn overdue(flight: &Flight, now: u64) -> bool {
        now >= flight.sent_at.saturating_add(FLIGHT_MS)
    }

    /// Takes a push as no longer under way.
    pub(super) fn land(&mut self, id: u64) -> Option<Flight> {
        self.flight.take_if(|flight| flight.id == id)
    }

    /// The push under way is lost, or its answer: it may have arrived.
    pub(super) fn lost(&mut self, now: u64, jitter: u16) {
        self.flight = None;
        self.pace.slower();
        self.pace.failed(now, jitter);
    }

    /// A push was refused as a whole. The queue stays as it is, whatever the reason.
    pub(super) fn refused(
        &mut self,
        flight: Flight,
        status: u16,
        retry_after: Option<u32>,
        (now, jitter): (u64, u16),
        actions: &mut Vec<Action>,
    ) {
        match status {
            400 | 401 | 403 | 413 => self.pace.refused(now, jitter),
            _ => self.pace.failed(now, jitter),
        }
        match status {
            // Too much, or not to be read: in smaller parts. A single event that is refused lets
            // those behind it pass.
            400 | 413 if flight.first == flight.last => {
                let key = (flight.epoch, flight.first);
                self.skipped.insert(key);
                let notice = Notice::Stuck(key);
                actions.push(Action::Show { notice });
            }
            400 | 413 => self.pace.split(flight.last - flight.first + 1),
            // Whoever signed in or not: what is queued is signed by the device, and stays queued.
            401 | 403 => {
                self.shut.insert(flight.epoch);
                let notice = Notice::SignIn(flight.epoch);
                actions.push(Action::Show { notice });
            }
            429 | 503 => self.pace.told(now, jitter, 1, retry_after.or(Some(5))),
            _ => self.pace.slower(),
        }
    }
}
