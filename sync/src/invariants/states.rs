//! That what was made of the events follows from them.

use super::{Broken, DeviceHistory, Holds, LogHistory, Told};
use crate::{
    finding::{Finding, FindingCode, LotKey, Subject},
    fold::{Folded, Phase, UnitState, state_hash},
    ids::{BatchId, EventId},
    lots::Tally,
    unit::UnitKey,
    wire::Status,
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// I8: states and open findings as they are kept equal those rebuilt from the log.
pub fn i8_replay_gives_the_same(
    kept: &BTreeMap<UnitKey, (UnitState, Vec<Finding>)>,
    rebuilt: &BTreeMap<UnitKey, (UnitState, Vec<Finding>)>,
) -> Holds {
    for (unit, live) in kept {
        match rebuilt.get(unit) {
            None => {
                return Err(Broken::new(
                    "I8",
                    format!("{unit} is kept and not in the log"),
                ));
            }
            Some(again) if again.0 != live.0 => {
                return Err(Broken::new(
                    "I8",
                    format!("{unit} is kept as {:?} and folds to {:?}", live.0, again.0),
                ));
            }
            Some(again) => {
                let (live, again): (BTreeSet<_>, BTreeSet<_>) =
                    (live.1.iter().collect(), again.1.iter().collect());
                if live != again {
                    let only: Vec<_> = live.symmetric_difference(&again).collect();
                    return Err(Broken::new(
                        "I8",
                        format!("{unit}: findings differ by {only:?}"),
                    ));
                }
            }
        }
    }
    match rebuilt.keys().find(|unit| !kept.contains_key(*unit)) {
        None => Ok(()),
        Some(unit) => Err(Broken::new(
            "I8",
            format!("{unit} is in the log and not kept"),
        )),
    }
}

/// I13: each unit is in one state; a unit that is in a container is where its container is, as far as
/// the same enterprise's word counts for both (section 5). One that ended is where it ended, whatever is
/// put into it elsewhere: that is found (C12). One that is recalled stays as it was where it is released with
/// its container, and a container with what is in it: that is found, too, and is among what is `open` (C6).
pub fn i13_each_unit_is_in_one_state(
    states: &BTreeMap<UnitKey, UnitState>,
    open: &[Finding],
) -> Holds {
    let released = open.iter().filter_map(|finding| match &finding.subject {
        Subject::Unit(unit) if finding.code == FindingCode::ReleaseRecalled => {
            Some((unit, finding.batch))
        }
        _ => None,
    });
    let released: HashSet<(&UnitKey, Option<BatchId>)> = released.collect();
    for (unit, state) in states {
        let Some(inside) = &state.inside else {
            continue;
        };
        let Some(parent) = states.get(inside) else {
            continue;
        };
        let ended = |state: &UnitState| {
            matches!(
                state.phase,
                Phase::Sold | Phase::Destroyed | Phase::Collected
            )
        };
        // Of what is in a container it is found of the container, batch by batch (C13).
        let stays = [(unit, None), (inside, None), (inside, state.batch)];
        let stays = stays.iter().any(|of| released.contains(of));
        if !ended(state)
            && !ended(parent)
            && !stays
            && state.holder == parent.holder
            && state.place != parent.place
        {
            return Err(Broken::new(
                "I13",
                format!("{unit} is in a container and elsewhere than it"),
            ));
        }
    }
    Ok(())
}

/// I17 for goods without codes of their own: what came of a lot is there, or went, place by place and
/// altogether; and what there is, is what is kept.
pub fn i17_goods_of_lots_add_up(
    kept: &BTreeMap<LotKey, i64>,
    told: &BTreeMap<LotKey, Tally>,
) -> Holds {
    let mut all: BTreeMap<(&str, Option<&str>), Tally> = BTreeMap::new();
    for (key, tally) in told {
        let balance = kept.get(key).copied().unwrap_or_default();
        if !tally.adds_up() || tally.on_hand.saturating_sub(tally.short) != balance {
            return Err(Broken::new(
                "I17",
                format!("{key:?} has a balance of {balance}, of {tally:?}"),
            ));
        }
        let lot = (key.gtin.as_str(), key.lot.as_deref());
        *all.entry(lot).or_default() += *tally;
    }
    match all.iter().find(|(_, tally)| !tally.adds_up()) {
        Some((lot, tally)) => Err(Broken::new("I17", format!("{lot:?} comes to {tally:?}"))),
        None => Ok(()),
    }
}

/// I14: each event that was received shows: in the timeline of a unit, in a line of goods, struck,
/// in a finding, or as parked or quarantined. That the fates add up, [`i14_fates_add_up`] says.
pub fn i14_no_silent_effect(
    log: &LogHistory,
    reflected: &BTreeSet<EventId>,
    findings: &[Finding],
) -> Holds {
    let told: HashSet<EventId> = findings
        .iter()
        .flat_map(|finding| finding.witnesses.iter().copied().chain([finding.event]))
        .collect();
    for logged in &log.events {
        let shown = match logged.fate {
            Status::Parked | Status::Quarantined => true,
            Status::Stored | Status::StoredFlagged => logged
                .event
                .is_some_and(|event| reflected.contains(&event) || told.contains(&event)),
            Status::Duplicate => false, // a copy that is held twice
        };
        if !shown {
            return Err(Broken::new(
                "I14",
                format!("the event at position {} shows nowhere", logged.gseq),
            ));
        }
    }
    Ok(())
}

/// I14 of the whole log: stored + parked + quarantined = received distinct. Received is what the log
/// holds, each copy once, and what a device was told a result of.
pub fn i14_fates_add_up(log: &LogHistory, devices: &[DeviceHistory]) -> Holds {
    let held = log.events.iter();
    let held = held.map(|logged| (logged.device, logged.epoch, logged.seq, logged.hash));
    let told = devices.iter().flat_map(|device| {
        device.told.iter().filter_map(|told| match told {
            Told::Result {
                epoch, seq, hash, ..
            } => Some((device.device, *epoch, *seq, *hash)),
            Told::Receipt(_) => None,
        })
    });
    let received: HashSet<_> = held.chain(told).collect();
    let (mut stored, mut parked, mut quarantined) = (0, 0, 0);
    for logged in &log.events {
        match logged.fate {
            Status::Stored | Status::StoredFlagged => stored += 1,
            Status::Parked => parked += 1,
            Status::Quarantined => quarantined += 1,
            Status::Duplicate => {} // no fate of what was received
        }
    }
    if stored + parked + quarantined == received.len() {
        return Ok(());
    }
    let received = received.len();
    Err(Broken::new(
        "I14",
        format!(
            "{received} were received, and {stored} stored, {parked} parked, {quarantined} quarantined"
        ),
    ))
}

/// I16: an open finding has witnesses, all of them in the log and counting, the judged event among
/// them.
pub fn i16_no_finding_without_witnesses(log: &LogHistory, open: &[Finding]) -> Holds {
    let counting: HashSet<EventId> = log
        .events
        .iter()
        .filter(|logged| logged.counts())
        .filter_map(|logged| logged.event)
        .collect();
    for finding in open {
        let about_event = finding.subject == Subject::Event;
        let witnessed = finding.witnesses.contains(&finding.event)
            && finding
                .witnesses
                .iter()
                .all(|event| about_event || counting.contains(event));
        if !witnessed {
            return Err(Broken::new(
                "I16",
                format!(
                    "{} of {:?} stands on what is not there",
                    finding.code.name(),
                    finding.subject
                ),
            ));
        }
    }
    Ok(())
}

/// I9: of the same facts in another order of arrival, some of them twice, every unit becomes what it
/// became: `once` is what the fold says of them as they came in, `again` what it says of the others.
pub fn i9_arrival_changes_nothing(
    once: &BTreeMap<UnitKey, Folded>,
    again: &BTreeMap<UnitKey, Folded>,
) -> Holds {
    let hash = |key: &UnitKey, of: &BTreeMap<UnitKey, Folded>| {
        let unit = of.get(key);
        unit.map(|unit| state_hash(key, unit))
    };
    let mut keys = once.keys().chain(again.keys());
    match keys.find(|key| hash(key, once) != hash(key, again)) {
        None => Ok(()),
        Some(key) => {
            let what = format!("{key} depends on what came first, or how often");
            Err(Broken::new("I9", what))
        }
    }
}
