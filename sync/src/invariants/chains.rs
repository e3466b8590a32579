//! That history stays what it was.

use super::{Broken, Holds, LogHistory};
use crate::chain;

/// I7: of what was in the log, nothing is gone and no byte, number or stamp is another. Only what
/// an entry is now may move: its fate and its place among its device's events.
pub fn i7_nothing_is_rewritten(earlier: &LogHistory, later: &LogHistory) -> Holds {
    for (n, before) in earlier.events.iter().enumerate() {
        let kept = later.events.get(n).is_some_and(|after| {
            (
                after.gseq,
                after.recv,
                after.device,
                after.epoch,
                after.seq,
                after.event,
                after.prev_hash,
                after.hash,
                after.interval,
            ) == (
                before.gseq,
                before.recv,
                before.device,
                before.epoch,
                before.seq,
                before.event,
                before.prev_hash,
                before.hash,
                before.interval,
            ) && after.body == before.body
        });
        if !kept {
            return Err(Broken::new(
                "I7",
                format!("position {} was changed or is gone", before.gseq),
            ));
        }
    }
    Ok(())
}

/// I30: each event's bytes still give its hash; a flipped bit is found, and located.
pub fn i30_every_flipped_bit_is_found(log: &LogHistory) -> Holds {
    for logged in &log.events {
        if chain::next(logged.prev_hash, &logged.body) != logged.hash {
            return Err(Broken::new(
                "I30",
                format!(
                    "position {} ({} of epoch {} of {}) does not give its hash",
                    logged.gseq, logged.seq, logged.epoch, logged.device
                ),
            ));
        }
    }
    Ok(())
}
