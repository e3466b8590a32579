//! What is sent next, and when: the queue first in, first out, one push under way, nothing that is
//! refused in the way of what follows it.

use super::{Action, FLIGHT_MS, Key, Notice, Outbox, machine::Flight};
use crate::{
    ids::{Epoch, Seq},
    limits::PUSH_BYTES_MAX,
    wire::{Push, V},
};

impl Outbox {
    /// The push that [`Action::Send`] asks for. What it holds are the very texts that were made.
    pub fn push(&self, epoch: Epoch, first: Seq, last: Seq) -> Push {
        let rows = self.view.rows.range((epoch, first)..=(epoch, last));
        let rows: Vec<_> = rows.map(|(_, row)| row).collect();
        Push {
            v: V,
            device: self.view.device,
            epoch,
            first_seq: first,
            prev_hash: rows.first().map_or(self.view.head, |row| row.prev_hash),
            last_receipt: self.view.receipt.clone().filter(|kept| kept.epoch == epoch),
            queue_depth: self.unsent(),
            events: rows.iter().map(|row| row.text.to_string()).collect(),
        }
    }

    /// Everything that is not receipted, as pushes for a file or another device to carry
    /// (a deposit). It stays in the queue until a receipt covers it.
    pub fn export(&self) -> Vec<Push> {
        let mut pushes = Vec::new();
        let mut rest = self.open.iter().copied().peekable();
        while let Some(first) = rest.next() {
            let last = self.run(first, super::BATCH_MAX, false);
            while rest.next_if(|key| *key <= last).is_some() {}
            pushes.push(self.push(first.0, first.1, last.1));
        }
        pushes
    }

    /// Sends if it may, else says when to come back.
    pub(super) fn plan(&mut self, now: u64, actions: &mut Vec<Action>) {
        if self.flight.is_none() && now >= self.pace.not_before {
            self.send(now, actions);
        }
        let at = match self.flight {
            Some(flight) => Some(flight.sent_at.saturating_add(FLIGHT_MS)),
            None if self.open.is_empty() => None,
            None => Some(self.pace.not_before),
        };
        if let Some(at) = at
            && self.timer != Some(at)
        {
            self.timer = Some(at);
            actions.push(Action::WaitUntil { at });
        }
    }

    fn send(&mut self, now: u64, actions: &mut Vec<Action>) {
        let free = |outbox: &Outbox| {
            let may = |key: &&Key| !outbox.skipped.contains(*key) && !outbox.shut.contains(&key.0);
            outbox.open.iter().find(may).copied()
        };
        // What was refused is tried again when nothing else is left.
        let first = free(self).or_else(|| {
            self.skipped.clear();
            self.shut.clear();
            free(self)
        });
        let Some(first) = first else { return };
        let (epoch, last) = self.run(first, self.pace.size, true);
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

    /// The last of the events from `first` on that follow each other and fit one push.
    fn run(&self, first: Key, size: u64, leave_out: bool) -> Key {
        let bytes_of = |key: &Key| self.view.rows.get(key).map_or(0, |row| row.text.len());
        let (mut last, mut bytes, mut count) = (first, bytes_of(&first), 1);
        for key in self.open.range(first..).skip(1) {
            let next = (last.0, last.1.saturating_add(1));
            bytes = bytes.saturating_add(bytes_of(key));
            let fits = *key == next && count < size && bytes <= PUSH_BYTES_MAX;
            if !fits || leave_out && self.skipped.contains(key) {
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
        self.pace.failed(now, jitter);
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
