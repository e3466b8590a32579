//! A storage that turns a bit of an event that is not on the server yet, and does not tell (I30). The
//! outbox must find it and say which it is, never sign it as if it were good, and go on with all others:
//! that nothing is in the log that nobody made, and that everything else arrives, is looked at by what
//! looks at that anyway (I1, I2, I26).

use super::{
    dice::Dice,
    handset::{Flight, Handset},
    run::{Run, Stop},
};
use suyuan_sync::{
    ids::Micros,
    invariants::{Broken, DeviceHistory, Whereabouts},
    outbox::Key,
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

    /// Does this lie on its storage otherwise than it was made, and unsent?
    fn is_flipped(&self, key: &Key) -> bool {
        let row = self.outbox.disk().rows.get(key);
        let row = row.filter(|row| !row.state.is_receipted());
        row.is_some_and(|row| self.flipped.get(key) == Some(&row.text))
    }
}

impl Run {
    /// A bit turns on the storage of a handset whose queue is not empty.
    pub(super) fn flip(&mut self) -> Result<(), Stop> {
        let now = self.now;
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
