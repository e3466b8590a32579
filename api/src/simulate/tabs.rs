//! A second tab in a handset's browser. One tab writes; another takes over when the lock says so. Here
//! the lock is broken for a moment: the tab that wrote before does not notice, scans and sends what it
//! read of the storage, until somebody closes it. The storage takes nothing from it any more: whoever
//! began last is the writer, and a transaction of another is refused (sync.md section 8: one writer, and
//! what is told to be safe is on the storage).

use super::{
    dice::Dice,
    handset::{Flight, Handset},
    post::{Asking, What},
    run::{Run, Stop},
    scans,
};
use crate::played::is_signed;
use std::collections::BTreeSet;
use suyuan_sync::{
    chain::{self, Hash},
    ids::Micros,
    invariants::{Broken, Made, Whereabouts},
    outbox::{Action, Command, Input, Key, Notice, Outbox},
    wire::PushAnswer,
};

/// See the file's header.
pub struct Tab {
    /// Its outbox, as of when it was the writer.
    pub outbox: Outbox,
    /// Which session it is.
    pub session: u64,
    /// What it said is saved.
    pub(super) saved: BTreeSet<Key>,
    /// When somebody closes it at the latest.
    pub(super) until: Micros,
    /// When its timer fires.
    pub due: Option<u64>,
    pub(super) begun: Micros,
}

impl Tab {
    pub(super) fn session_ms(&self, now: Micros) -> u64 {
        u64::try_from(now.saturating_sub(self.begun) / 1000).unwrap_or(0)
    }

    /// One command, its actions done. What it wants written is refused.
    pub(super) fn take(&mut self, command: Command, now: Micros, dice: &mut Dice) -> Vec<Flight> {
        let (mut commands, mut flights) = (vec![command], Vec::new());
        while let Some(command) = commands.pop() {
            let input = Input {
                now: self.session_ms(now),
                jitter: dice.below(1001) as u16,
                command,
            };
            for action in self.outbox.take(input) {
                match action {
                    Action::Persist { write } => {
                        commands.push(Command::NotWritten { write: write.id });
                    }
                    Action::Send { .. } => flights.extend(Flight::of(&action)),
                    Action::WaitUntil { at } => self.due = Some(at),
                    Action::Show {
                        notice: Notice::Saved(keys),
                    } => self.saved.extend(keys),
                    Action::Show { .. } => {}
                }
            }
        }
        flights
    }
}

impl Run {
    /// A second tab takes over though the first still runs; or the first is closed.
    pub(super) fn tab(&mut self, n: usize) -> Result<(), Stop> {
        let now = self.now;
        let Some((handset, history)) = self.handsets.get_mut(n).zip(self.histories.get_mut(n))
        else {
            return Ok(());
        };
        if handset.other.take().is_some() {
            self.note("tab closed", &n.to_string());
            return Ok(());
        }
        let (flights, beside) = handset.second_tab(now, &mut self.dice, history);
        self.note("second tab", &n.to_string());
        self.send_all(n, flights)?;
        self.send_beside(n, beside)
    }

    /// Somebody scans in the tab that is not the writer any more: he is told that it is not saved, and
    /// it is never sent.
    pub(super) fn scan_beside(&mut self, n: usize) -> Result<(), Stop> {
        let Some((handset, history)) = self.handsets.get_mut(n).zip(self.histories.get_mut(n))
        else {
            return Ok(());
        };
        let (dice, memory) = (&mut self.dice, &mut self.memory);
        let texts = scans::scan(dice, &self.world, memory, handset, self.now);
        let Some(tab) = &mut handset.other else {
            return Ok(());
        };
        let slot = tab.outbox.slot(tab.session_ms(self.now));
        let plain = texts.iter().map(|(_, text)| text.clone()).collect();
        let flights = tab.take(Command::Capture { texts: plain }, self.now, dice);
        let (mut hash, mut seq) = (slot.prev_hash, slot.seq);
        for (event, text) in texts {
            hash = chain::next(hash, text.as_bytes());
            let whereabouts = if tab.saved.contains(&(slot.epoch, seq)) {
                Whereabouts::Waiting
            } else {
                handset.unsaved.insert(hash);
                Whereabouts::NeverPromised
            };
            history.made.push(Made {
                epoch: slot.epoch,
                seq,
                event,
                text,
                hash,
                whereabouts,
            });
            seq += 1;
        }
        self.note("scan beside", &n.to_string());
        self.send_beside(n, flights)
    }

    /// When the timer of a tab beside fires next, and whose.
    pub(super) fn timer_beside(&self) -> Option<(Micros, usize)> {
        let due = |(n, handset): (usize, &Handset)| {
            let tab = handset.other.as_ref()?;
            let wait = tab.due?.saturating_sub(tab.session_ms(self.now));
            let wait = i64::try_from(wait).ok()?.saturating_mul(1000);
            let at = self.now.saturating_add(wait);
            (at <= tab.until).then_some((at, n))
        };
        self.handsets.iter().enumerate().filter_map(due).min()
    }

    /// A command to the outbox of a tab beside.
    pub(super) fn command_beside(&mut self, n: usize, command: Command) -> Result<(), Stop> {
        let tab = self.handsets.get_mut(n).and_then(|it| it.other.as_mut());
        let Some(tab) = tab else {
            return Ok(());
        };
        if matches!(command, Command::Due) {
            tab.due = None;
        }
        let flights = tab.take(command, self.now, &mut self.dice);
        self.send_beside(n, flights)
    }

    /// An answer to a session that is over, or to a tab beside.
    pub(super) fn heard_beside(
        &mut self,
        to: &Asking,
        status: u16,
        body: &[u8],
    ) -> Result<(), Stop> {
        let handset = self.handsets.get(to.from);
        let Some(handset) = handset.filter(|it| {
            let tab = it.other.as_ref();
            tab.is_some_and(|tab| tab.session == to.session && self.now <= tab.until)
        }) else {
            return Ok(());
        };
        let What::Push { flight, first, .. } = &to.what else {
            return Ok(());
        };
        if status != 200 {
            let refused = Command::Refused {
                flight: *flight,
                status,
                retry_after: (status == 503).then_some(2),
            };
            return self.command_beside(to.from, refused);
        }
        let answer: PushAnswer = serde_json::from_slice(body)?;
        if !is_signed(&answer.receipt, &handset.trust) {
            return Err(Broken::new("I5", "a receipt is not signed").into());
        }
        let wall = handset.wall(self.now);
        let command = Command::answered(*flight, *first, answer, wall);
        self.command_beside(to.from, command)
    }

    /// What was told as not saved is nowhere, and nobody sends it.
    pub(super) fn what_is_not_saved_is_not_sent(&self) -> Result<(), Broken> {
        let unsaved: BTreeSet<Hash> = self
            .handsets
            .iter()
            .flat_map(|it| &it.unsaved)
            .copied()
            .collect();
        let sent = self
            .log
            .events
            .iter()
            .find(|logged| unsaved.contains(&logged.hash));
        match sent {
            None => Ok(()),
            Some(logged) => {
                let what = format!("position {} was told as not saved", logged.gseq);
                Err(Broken::new("I2", what))
            }
        }
    }
}
