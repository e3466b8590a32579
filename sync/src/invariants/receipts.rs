//! That devices are told the truth, and the same truth each time.

use super::{Broken, DeviceHistory, Holds, LogHistory, Told};
use crate::{
    chain::Hash,
    ids::{Epoch, Gseq, Micros, Seq},
    wire::Status,
};
use std::{
    collections::{BTreeSet, HashMap},
    fmt::Debug,
};

/// I4: all answers about an event tell the same position, and all but one of them that it is a duplicate.
/// Which one was given first nobody who hears them knows: where a device sent again, the answer to
/// the first copy may come behind that to the second.
pub fn i4_a_retry_is_answered_alike(devices: &[DeviceHistory]) -> Holds {
    for device in devices {
        let mut heard: HashMap<(Epoch, Seq, Hash), (Option<Gseq>, bool)> = HashMap::new();
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
            let is_first = *status != Status::Duplicate;
            let before = heard.entry((*epoch, *seq, *hash));
            let mut is_new = false;
            let (position, had_first) = before.or_insert_with(|| {
                is_new = true;
                (*gseq, is_first)
            });
            if is_new {
                continue;
            }
            if position != gseq || (*had_first && is_first) {
                return Err(Broken::new(
                    "I4",
                    format!(
                        "{seq} of epoch {epoch} of {} was told {position:?}, and then {status:?} at \
                         {gseq:?}",
                        device.device
                    ),
                ));
            }
            *had_first |= is_first;
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

/// I18: what the events of a push were told while all were sound, and what with a bad one among them,
/// each by its place: nobody else is told otherwise. `tied` is the bad one, with those of its group and
/// of its id.
pub fn i18_a_bad_event_changes_no_others_result<T: PartialEq + Debug>(
    sound: &[T],
    spoilt: &[T],
    tied: &BTreeSet<usize>,
) -> Holds {
    let most = sound.len().max(spoilt.len());
    for at in (0..most).filter(|at| !tied.contains(at)) {
        let (before, after) = (sound.get(at), spoilt.get(at));
        if before != after {
            let what = format!("event {at} was told {before:?}, beside a bad one {after:?}");
            return Err(Broken::new("I18", what));
        }
    }
    Ok(())
}

/// I18: whatever is sent, the answer is no fault of ours: 503 says to come back, anything else from 500
/// on that something broke, for everybody in the same act.
pub fn i18_nothing_sent_is_a_fault_of_ours(path: &str, status: u16, said: &str) -> Holds {
    if status < 500 || status == 503 {
        return Ok(());
    }
    let what = format!("{path} was answered {status}: {said}");
    Err(Broken::new("I18", what))
}
