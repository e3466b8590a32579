//! That what devices stated is in the log, once, whole, and nothing else is.

use super::{Broken, DeviceHistory, Holds, LogHistory, Told, Whereabouts};
use crate::{
    chain::Hash,
    ids::{DeviceId, Epoch, GroupId, Gseq, Micros},
    wire::Status,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// I1: every event that a device sent and a receipt covers is in the log, byte for byte; and none
/// that it promised its user is gone: it is in the log or waits in the outbox.
pub fn i1_nothing_is_lost(log: &LogHistory, devices: &[DeviceHistory]) -> Holds {
    let held: HashMap<Hash, &[u8]> = log
        .events
        .iter()
        .map(|logged| (logged.hash, logged.body.as_slice()))
        .collect();
    for device in devices {
        for made in device
            .made
            .iter()
            .filter(|made| made.whereabouts != Whereabouts::NeverPromised)
        {
            match held.get(&made.hash) {
                Some(body) if *body == made.text.as_bytes() => {}
                Some(_) => {
                    return Err(Broken::new(
                        "I1",
                        format!("{} of {} was changed", made.event, device.device),
                    ));
                }
                None if made.whereabouts != Whereabouts::Dropped => {}
                None => {
                    return Err(Broken::new(
                        "I1",
                        format!(
                            "{} ({} of epoch {}) of {} is neither in the log nor in the outbox",
                            made.event, made.seq, made.epoch, device.device
                        ),
                    ));
                }
            }
        }
        for told in &device.told {
            if let Told::Result {
                epoch, seq, hash, ..
            } = told
                && !held.contains_key(hash)
            {
                return Err(Broken::new(
                    "I1",
                    format!(
                        "{seq} of epoch {epoch} of {} was told a result and is not in the log",
                        device.device
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// I2: every event in the log was made by a device, byte for byte.
pub fn i2_nothing_is_invented(log: &LogHistory, devices: &[DeviceHistory]) -> Holds {
    let made: HashSet<(&[u8], Hash)> = devices
        .iter()
        .flat_map(|device| &device.made)
        .map(|made| (made.text.as_bytes(), made.hash))
        .collect();
    let known: HashSet<DeviceId> = devices.iter().map(|device| device.device).collect();
    for logged in &log.events {
        if known.contains(&logged.device) && !made.contains(&(logged.body.as_slice(), logged.hash))
        {
            return Err(Broken::new(
                "I2",
                format!("position {} was made by nobody", logged.gseq),
            ));
        }
    }
    Ok(())
}

/// I3: one event counts under an id of an enterprise and under a number of an epoch; and no copy
/// is held twice.
pub fn i3_exactly_once(log: &LogHistory) -> Holds {
    let (mut ids, mut numbers, mut copies, mut positions) = (
        HashSet::new(),
        HashSet::new(),
        HashSet::new(),
        HashSet::new(),
    );
    for logged in &log.events {
        let twice = |what: &str| {
            Err(Broken::new(
                "I3",
                format!("position {}: {what} is there twice", logged.gseq),
            ))
        };
        if !positions.insert(logged.gseq) {
            return twice("the position");
        }
        if !copies.insert((logged.device, logged.epoch, logged.seq, logged.hash)) {
            return twice("the copy");
        }
        if !logged.counts() {
            continue;
        }
        if let Some(event) = logged.event
            && !ids.insert((logged.enterprise, event))
        {
            return twice("the id");
        }
        // Branches that were taken in later (T3) count beside the first one, under their own ids.
        if logged.is_on_first() && !numbers.insert((logged.device, logged.epoch, logged.seq)) {
            return twice("the number");
        }
    }
    Ok(())
}

/// I6: of a group, either all members count or none does, unless it was released (T8).
pub fn i6_groups_stand_whole(log: &LogHistory, released: &BTreeSet<GroupId>) -> Holds {
    let mut groups: BTreeMap<(DeviceId, GroupId), (u32, u32)> = BTreeMap::new();
    for logged in &log.events {
        if let Some((group, of)) = logged.group
            && logged.counts()
            && !released.contains(&group)
        {
            groups.entry((logged.device, group)).or_insert((0, of)).0 += 1;
        }
    }
    match groups.into_iter().find(|(_, (n, of))| n != of) {
        None => Ok(()),
        Some(((device, group), (n, of))) => Err(Broken::new(
            "I6",
            format!("{n} of {of} events of group {} of {device} count", group.0),
        )),
    }
}

/// I26: once all is healed, no outbox waits.
pub fn i26_every_outbox_drains(devices: &[DeviceHistory]) -> Holds {
    for device in devices {
        let waiting = device
            .made
            .iter()
            .filter(|made| made.whereabouts == Whereabouts::Waiting)
            .count();
        if waiting > 0 {
            return Err(Broken::new(
                "I26",
                format!("{waiting} events still wait on {}", device.device),
            ));
        }
    }
    Ok(())
}

/// I28: what waits for the rest of its group does not wait longer than it may: `waiting` has the position
/// of each and when it came in.
pub fn i28_what_is_parked_leaves_parking(
    waiting: &[(Gseq, Micros)],
    now: Micros,
    at_most: Micros,
) -> Holds {
    match waiting.iter().find(|(_, since)| now - since > at_most) {
        None => Ok(()),
        Some((gseq, since)) => {
            let hours = (now - since) / 3_600_000_000;
            let what = format!("position {gseq} waits for its group for {hours} h");
            Err(Broken::new("I28", what))
        }
    }
}

/// I32: nothing that came under a revoked key counts before somebody decided so.
pub fn i32_the_revoked_stay_out(
    log: &LogHistory,
    revoked_at: &BTreeMap<(DeviceId, Epoch), i64>,
    admitted: &BTreeSet<crate::ids::EventId>,
) -> Holds {
    for logged in &log.events {
        let revoked = revoked_at
            .get(&(logged.device, logged.epoch))
            .is_some_and(|at| logged.gseq > *at);
        let decided = logged.event.is_some_and(|event| admitted.contains(&event));
        if revoked && !decided && logged.fate != Status::Quarantined {
            return Err(Broken::new(
                "I32",
                format!(
                    "position {} came under a revoked key and counts",
                    logged.gseq
                ),
            ));
        }
    }
    Ok(())
}
