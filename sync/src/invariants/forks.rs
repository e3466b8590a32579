//! That two copies of one device are found out (T3).

use super::{Broken, DeviceHistory, Holds, LogHistory, Logged, Told};
use crate::{
    admission::Remark,
    chain::Hash,
    ids::{DeviceId, Epoch, Gseq, Seq},
};
use std::collections::{BTreeMap, HashMap};

/// Where an event stands: a number in a life of a device.
type Number = (DeviceId, Epoch, Seq);

/// I31 of the log: of different events that were received under one number, no more than one counts in
/// the life it was made in; and none does that chains to another of them and came in after it.
///
/// That the others are quarantined as a fork, and not merely wait, the log does not tell: a decision may
/// have lifted it since. What devices were told does ([`i31_forks_are_told`]).
pub fn i31_forks_are_found(log: &LogHistory) -> Holds {
    let mut numbers: HashMap<Number, Vec<&Logged>> = HashMap::new();
    for logged in &log.events {
        let number = (logged.device, logged.epoch, logged.seq);
        numbers.entry(number).or_default().push(logged);
    }
    // The second copies, and when they came in.
    let mut second: HashMap<(DeviceId, Epoch, Seq, Hash), Gseq> = HashMap::new();
    for ((device, epoch, seq), copies) in &numbers {
        let mut standing = copies.iter().filter(|copy| stands(copy));
        let Some(first) = standing.next() else {
            continue;
        };
        if standing.any(|other| other.hash != first.hash) {
            let what = format!("two events of {device} count under {seq} of epoch {epoch}");
            return Err(Broken::new("I31", what));
        }
        let others = copies.iter().filter(|copy| copy.hash != first.hash);
        second.extend(others.map(|copy| ((*device, *epoch, *seq, copy.hash), copy.gseq)));
    }
    for logged in log.events.iter().filter(|logged| stands(logged)) {
        let before = logged.seq.checked_sub(1).map(|seq| {
            let root = (logged.device, logged.epoch, seq, logged.prev_hash);
            second.get(&root)
        });
        if let Some(Some(root)) = before
            && *root < logged.gseq
        {
            let what = format!(
                "position {} counts, and chains to the second copy at {root}",
                logged.gseq
            );
            return Err(Broken::new("I31", what));
        }
    }
    Ok(())
}

/// I31 of the answers, at the first contact of the second copy: of different events that were received
/// under one number, all but one were told that they are quarantined as a fork, or what goes before that.
pub fn i31_forks_are_told(devices: &[DeviceHistory]) -> Holds {
    let mut taken: BTreeMap<Number, Hash> = BTreeMap::new();
    for device in devices {
        for told in &device.told {
            let Told::Result {
                epoch,
                seq,
                hash,
                code,
                ..
            } = told
            else {
                continue;
            };
            let remark = code.as_deref().and_then(Remark::of_name);
            // A duplicate is told the original result. In the order of precedence.
            if remark.is_some_and(|remark| remark.keeps_out() && remark <= Remark::Fork) {
                continue;
            }
            let first = taken.entry((device.device, *epoch, *seq)).or_insert(*hash);
            if first != hash {
                return Err(Broken::new(
                    "I31",
                    format!(
                        "two events of {} were received under {seq} of epoch {epoch}, and neither was \
                         told of a fork",
                        device.device
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// Does it count in the life it was made in? What was taken in from a second copy counts in the next.
fn stands(logged: &Logged) -> bool {
    logged.counts() && logged.is_on_first()
}
