//! A storage that turns a bit of an event that is not on the server yet, and does not tell (I30). The
//! outbox must find it and say which it is, never sign it as if it were good, and go on with all others:
//! that nothing is in the log that nobody made, and that everything else arrives, is looked at by what
//! looks at that anyway (I1, I2, I26). So does it where a receipt, a state or the next number turns:
//! nothing is taken to be on the server but by a receipt that is signed.

use super::{
    dice::Dice,
    handset::{Flight, Handset},
    run::{Run, Stop},
};
use crate::played::is_signed;
use suyuan_sync::{
    ids::Micros,
    invariants::{Broken, DeviceHistory, Whereabouts},
    outbox::{Disk, Key, RowState},
    wire::{Ranges, Receipt},
};

/// The text with one bit turned, at this character or the next that is a single byte.
fn turned(text: &str, at: usize, bit: usize) -> Option<String> {
    let (at, byte) = (text.bytes().enumerate().skip(at)).find(|(_, byte)| byte.is_ascii())?;
    let mut bytes = text.as_bytes().to_vec();
    *bytes.get_mut(at)? = byte ^ (1 << (bit % 7));
    String::from_utf8(bytes).ok()
}

impl Handset {
    /// A bit of an event that is not receipted turns on its storage; then the program starts again.
    pub fn flip(
        &mut self,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> Vec<Flight> {
        let mut disk = self.outbox.disk().clone();
        let unsent = disk.rows.values().filter(|row| !row.state.is_receipted());
        // A second turn might set it right again.
        let good = unsent.filter(|row| row.is_whole());
        let unsent: Vec<Key> = good.map(|row| row.key).collect();
        let picked = dice.pick(&unsent).and_then(|key| disk.rows.get_mut(key));
        let Some(row) = picked else {
            return Vec::new();
        };
        let Some(text) = turned(&row.text, dice.below(row.text.len()), dice.below(7)) else {
            return Vec::new();
        };
        row.text = text.into();
        self.flipped.insert(row.key, row.text.clone());
        self.refresh(history);
        let flights = self.start(disk, now, dice);
        self.forget(history, Whereabouts::NeverPromised);
        flights
    }

    /// A receipt, a state or the next number turns on its storage; then the program starts again.
    pub fn turn(
        &mut self,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> Vec<Flight> {
        let mut disk = self.outbox.disk().clone();
        match dice.below(4) {
            0 | 1 => turn_receipt(&mut disk, dice),
            2 => turn_state(&mut disk, dice),
            _ => disk.next &= !(1 << dice.below(12)),
        }
        self.refresh(history);
        let flights = self.start(disk, now, dice);
        self.forget(history, Whereabouts::NeverPromised);
        flights
    }

    /// Does this lie on its storage otherwise than it was made, and unsent?
    fn is_flipped(&self, key: &Key) -> bool {
        let row = self.outbox.disk().rows.get(key);
        let row = row.filter(|row| !self.outbox.is_safe(row));
        row.is_some_and(|row| self.flipped.get(key) == Some(&row.text))
    }
}

/// It says that more is held, or that it is older or newer.
fn turn_receipt(disk: &mut Disk, dice: &mut Dice) {
    let lives: Vec<_> = disk.receipts.keys().copied().collect();
    let picked = dice
        .pick(&lives)
        .and_then(|life| disk.receipts.get_mut(life));
    let Some(receipt) = picked else { return };
    if dice.happens(500) {
        receipt.held_ranges = Ranges::of(1, 1 << dice.below(20));
    } else {
        receipt.stamp ^= 1 << dice.below(50);
    }
}

/// What is on the server is said to be unsent, and what is unsent to be there, for a week. Whether that is so where
/// there is a second copy of the device, no receipt tells: under its number the other's may be held.
fn turn_state(disk: &mut Disk, dice: &mut Dice) {
    let covers = |(life, seq): &Key| disk.receipts.get(life).is_some_and(|it| it.covers(*seq));
    let rows = disk.rows.values();
    let rows = rows.filter(|row| row.state.is_receipted() || !covers(&row.key));
    let keys: Vec<Key> = rows.map(|row| row.key).collect();
    let picked = dice.pick(&keys).and_then(|key| disk.rows.get_mut(key));
    let Some(row) = picked else { return };
    row.state = match row.state {
        RowState::Durable => RowState::Settled(1),
        _ => RowState::Durable,
    };
}

impl Run {
    /// A bit turns on the storage of a handset whose queue is not empty, or something beside its events on
    /// that of any.
    pub(super) fn flip(&mut self, n: usize) -> Result<(), Stop> {
        let now = self.now;
        if self.dice.happens(500) {
            self.note("turned", &n.to_string());
            return self.hurt(n, |handset, history, dice| handset.turn(now, dice, history));
        }
        let waits = |n: &usize| {
            self.handsets
                .get(*n)
                .is_some_and(|it| it.outbox.unsent() > 0)
        };
        let waiting: Vec<usize> = (0..self.handsets.len()).filter(waits).collect();
        let Some(n) = self.dice.pick(&waiting).copied() else {
            return Ok(());
        };
        self.note("bit turned", &n.to_string());
        self.hurt(n, |handset, history, dice| handset.flip(now, dice, history))
    }

    /// I30: what an outbox takes to be on the server is so by a signed receipt.
    pub(super) fn nothing_is_safe_without_a_receipt(&self) -> Result<(), Broken> {
        // What is being written is not on the disk yet.
        let at_rest = |it: &&Handset| it.outbox.writing() == 0;
        for handset in self.handsets.iter().filter(at_rest) {
            let disk = handset.outbox.disk();
            let signed = |receipt: &&Receipt| is_signed(receipt, &handset.trust);
            let receipts: Vec<&Receipt> = disk.receipts.values().filter(signed).collect();
            let has_one = |(life, seq): Key| {
                let mut receipts = receipts.iter();
                receipts.any(|receipt| receipt.epoch == life && receipt.covers(seq))
            };
            let safe = disk.rows.values().filter(|row| handset.outbox.is_safe(row));
            if let Some((epoch, seq)) = safe.map(|row| row.key).find(|key| !has_one(*key)) {
                let what = format!(
                    "{} takes {seq} of epoch {epoch} to be on the server, and no receipt says so",
                    handset.device
                );
                return Err(Broken::new("I30", what));
            }
        }
        Ok(())
    }

    /// I30: what an outbox says is damaged is.
    pub(super) fn nothing_else_is_found_damaged(&self) -> Result<(), Broken> {
        for handset in &self.handsets {
            let good = |key: &&Key| !handset.is_flipped(key);
            if let Some((epoch, seq)) = handset.outbox.damaged().iter().find(good) {
                let what = format!(
                    "{seq} of epoch {epoch} of {} is no damaged event",
                    handset.device
                );
                return Err(Broken::new("I30", what));
            }
        }
        Ok(())
    }

    /// I30: once an outbox had its turn, it has found all that is damaged in it.
    pub(super) fn all_damage_is_found(&self) -> Result<(), Broken> {
        for handset in &self.handsets {
            let found = handset.outbox.damaged();
            let missed = |key: &&Key| handset.is_flipped(key) && !found.contains(key);
            if let Some((epoch, seq)) = handset.flipped.keys().find(missed) {
                let what = format!(
                    "{seq} of epoch {epoch} of {} is damaged, and its outbox does not say so",
                    handset.device
                );
                return Err(Broken::new("I30", what));
            }
        }
        Ok(())
    }
}
