//! That devices are told the truth, and the same truth each time.

use super::{Broken, DeviceHistory, Holds, LogHistory, Told};
use crate::{
    chain::Hash,
    ids::{Epoch, Gseq, Micros, Seq},
    wire::Status,
};
use std::collections::HashMap;

/// I4: an event sent again is a duplicate of what it was told first, at the same position.
pub fn i4_a_retry_is_answered_alike(devices: &[DeviceHistory]) -> Holds {
    for device in devices {
        let mut first: HashMap<(Epoch, Seq, Hash), Option<Gseq>> = HashMap::new();
        for told in &device.told {
            let Told::Result {
                epoch,
                seq,
                hash,
                status,
                gseq,
                ..
            } = told
            else {
                continue;
            };
            let place = (*epoch, *seq, *hash);
            match first.get(&place) {
                None => {
                    first.insert(place, *gseq);
                }
                Some(before) if before == gseq && *status == Status::Duplicate => {}
                Some(before) => {
                    return Err(Broken::new(
                        "I4",
                        format!(
                            "{seq} of epoch {epoch} of {} was told {before:?} first, and then \
                             {status:?} at {gseq:?}",
                            device.device
                        ),
                    ));
                }
            }
        }
    }
    Ok(())
}

/// I5: what a receipt says is held is held, from a copy received no later than the receipt's
/// stamp; and receipts never go back.
pub fn i5_receipts_tell_the_truth(log: &LogHistory, devices: &[DeviceHistory]) -> Holds {
    for device in devices {
        let mut newest: HashMap<Epoch, (Micros, Seq, u64)> = HashMap::new();
        for told in &device.told {
            let Told::Receipt(receipt) = told else {
                continue;
            };
            let mut held: Vec<Seq> = log
                .of(receipt.device, receipt.epoch)
                .filter(|logged| logged.recv <= receipt.stamp)
                .map(|logged| logged.seq)
                .collect();
            held.sort_unstable();
            held.dedup();
            let said: Vec<Seq> = receipt.held_ranges.numbers().take(held.len() + 1).collect();
            if let Some(seq) = said.iter().find(|seq| held.binary_search(seq).is_err()) {
                return Err(Broken::new(
                    "I5",
                    format!(
                        "the receipt of {} for {} of epoch {} covers {seq}, which is not held",
                        receipt.stamp, receipt.device, receipt.epoch
                    ),
                ));
            }
            let waited = receipt
                .missing_ranges
                .numbers()
                .take(1)
                .find(|seq| held.binary_search(seq).is_ok());
            if let Some(seq) = waited {
                return Err(Broken::new(
                    "I5",
                    format!(
                        "a receipt of {} misses {seq}, which is held",
                        receipt.device
                    ),
                ));
            }
            let now = (
                receipt.stamp,
                receipt.contiguous_seq,
                receipt.held_ranges.count(),
            );
            if let Some(before) = newest.get(&receipt.epoch)
                && before.0 <= now.0
                && (before.1 > now.1 || before.2 > now.2)
            {
                return Err(Broken::new(
                    "I5",
                    format!(
                        "a receipt of {} went back from {before:?} to {now:?}",
                        receipt.device
                    ),
                ));
            }
            let latest = newest.entry(receipt.epoch).or_insert(now);
            if latest.0 < now.0 {
                *latest = now;
            }
        }
    }
    Ok(())
}
