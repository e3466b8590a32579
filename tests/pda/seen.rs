//! What was seen of devices, people and answers, and the judgement of it by what the server's log
//! holds: the invariants that the simulator and the tests under load are judged by. That devices'
//! own numbers and chain have no gap, and that each act that was heard is one event and no event is
//! there besides, is judged on top.
//!
//! It knows nothing of browsers, and of the app only what it handed to its storage.

use crate::verdict::standing;
use serde::Deserialize;
use std::collections::BTreeMap;
use suyuan_sync::{
    chain::{self, Hash},
    event::{self, Event},
    ids::{DeviceId, EnterpriseId, Epoch, Seq},
    invariants::{
        Broken, DeviceHistory, Holds, LogHistory, Logged, Made, Told, Whereabouts,
        i4_a_retry_is_answered_alike, i5_receipts_tell_the_truth, i7_nothing_is_rewritten,
        i11_the_order_is_total, i26_every_outbox_drains,
    },
    order::{Interval, Order},
    wire::{Push, PushAnswer, Status},
};
use suyuan_tests::pda;
use uuid::Uuid;

/// What the story saw.
#[derive(Deserialize)]
pub struct Seen {
    devices: Vec<SeenDevice>,
    acts: Vec<Act>,
    told: Vec<Answered>,
}

/// A device: what it handed to its storage, and what that holds in the end.
#[derive(Deserialize)]
struct SeenDevice {
    device: DeviceId,
    made: Vec<Row>,
    kept: Vec<Row>,
}

/// A row of an outbox.
#[derive(Deserialize)]
struct Row {
    epoch: Epoch,
    seq: Seq,
    text: String,
    hash: Hash,
    #[serde(default)]
    state: String,
}

/// What a person heard to be saved, and how many events its device had made before it was stated. Of
/// those it is none: what was handed to the storage as the battery was pulled, or refused by a full
/// disk, was not heard, and the same was stated once more.
#[derive(Deserialize)]
struct Act {
    device: usize,
    kind: String,
    codes: Vec<String>,
    behind: usize,
}

/// A push or deposit, and what the server answered, whether or not that was heard.
#[derive(Deserialize)]
struct Answered {
    push: Push,
    answer: PushAnswer,
}

/// Is this event what was done there?
fn is_of(event: &Event, act: &Act) -> bool {
    let codes = event.units.iter().map(|unit| &unit.code);
    event.kind.name() == act.kind && codes.eq(&act.codes)
}

/// The histories the invariants judge: each promise that was heard is of one event that was made.
fn histories(seen: &Seen) -> Result<Vec<DeviceHistory>, Broken> {
    let devices = seen.devices.iter().enumerate();
    devices
        .map(|(n, device)| {
            let mut heard: Vec<&Act> = seen.acts.iter().filter(|act| act.device == n).collect();
            let rows = device.made.iter().enumerate();
            let made = rows.map(|(at, row)| made(device, at, row, &mut heard));
            let made = made.collect();
            if let Some(Act { kind, codes, .. }) = heard.first() {
                let what = format!(
                    "{kind} of {codes:?} was said to be saved, and {} gave no such event to its \
                     storage",
                    device.device
                );
                return Err(Broken::new("I1", what));
            }
            let (told, device) = (told(seen, device.device), device.device);
            Ok(DeviceHistory { device, made, told })
        })
        .collect()
}

/// An event that a device made, behind `at` others, promised by the act that it is of among those that
/// were heard.
fn made(device: &SeenDevice, at: usize, row: &Row, heard: &mut Vec<&Act>) -> Made {
    let event = event::parse_bytes(row.text.as_bytes()).expect("an event");
    let of = |act: &&Act| act.behind <= at && is_of(&event, act);
    let act = heard.iter().position(of);
    let kept = device.kept.iter().find(|kept| kept.hash == row.hash);
    let is_promised = act.map(|act| heard.remove(act)).is_some();
    Made {
        epoch: row.epoch,
        seq: row.seq,
        event: event.id,
        text: row.text.clone(),
        hash: row.hash,
        whereabouts: match kept {
            Some(kept) if kept.state == "durable" => Whereabouts::Waiting,
            None if !is_promised => Whereabouts::NeverPromised,
            _ => Whereabouts::Dropped,
        },
    }
}

/// What the server said of a device's events, whoever brought them.
fn told(seen: &Seen, device: DeviceId) -> Vec<Told> {
    let own = seen.told.iter().filter(|said| said.push.device == device);
    own.flat_map(|Answered { push, answer }| pda::told(push, answer))
        .collect()
}

/// The log has each device's events from the first on, each behind the one before it, and all of
/// them count; and it has no others.
fn one_chain_each(log: &LogHistory, devices: &[DeviceHistory]) -> Holds {
    let mut lives: BTreeMap<(DeviceId, Epoch), Vec<_>> = BTreeMap::new();
    for logged in &log.events {
        let known = devices.iter().any(|known| known.device == logged.device);
        if !known || !logged.counts() {
            let what = format!("position {}: {:?}", logged.gseq, logged.fate);
            return Err(Broken::new("log", what));
        }
        let life = lives.entry((logged.device, logged.epoch)).or_default();
        life.push(logged);
    }
    for ((device, epoch), mut events) in lives {
        events.sort_by_key(|logged| logged.seq);
        let mut head = chain::genesis(device, epoch);
        for (logged, seq) in events.iter().zip(1..) {
            if (logged.seq, logged.prev_hash) != (seq, head) {
                let what = format!("{} of {device} stands where {seq} should", logged.seq);
                return Err(Broken::new("chain", what));
            }
            head = logged.hash;
        }
    }
    Ok(())
}

/// Judges what was seen by what the tables hold; `earlier` is what they held at each kill.
/// Says how many events were sent again after they were stored.
pub fn judge(seen: &Seen, log: &LogHistory, earlier: &[LogHistory]) -> Result<usize, Broken> {
    let devices = histories(seen)?;
    standing(log, &devices)?;
    i4_a_retry_is_answered_alike(&devices)?;
    i5_receipts_tell_the_truth(log, &devices)?;
    for before in earlier {
        i7_nothing_is_rewritten(before, log)?;
    }
    i11_the_order_is_total(log)?;
    i26_every_outbox_drains(&devices)?;
    one_chain_each(log, &devices)?;
    let (events, acts) = (log.events.len(), seen.acts.len());
    if events != acts {
        let what = format!("{events} events for {acts} acts");
        return Err(Broken::new("acts", what));
    }
    let told = devices.iter().flat_map(|device| &device.told);
    let is_again =
        |told: &&Told| matches!(told, Told::Result { status, .. } if *status == Status::Duplicate);
    Ok(told.filter(is_again).count())
}

/// An inbound of one tin that a device made first, and what the log holds of it.
fn one() -> (Seen, LogHistory) {
    let device = DeviceId(Uuid::from_u128(7));
    let text = format!(
        r#"{{"v":1,"kind":"inbound","event_id":"{}","device":"{}","epoch":1,"seq":1,"at":"2026-11-26T11:48:32.104Z","units":[{{"code":"A","input":"wedge"}}],"cursor":1}}"#,
        Uuid::from_u128(9),
        device.0
    );
    let prev_hash = chain::genesis(device, 1);
    let hash = chain::next(prev_hash, text.as_bytes());
    let event = event::parse(&text).expect("an event").id;
    let row = || Row {
        epoch: 1,
        seq: 1,
        text: text.clone(),
        hash,
        state: "receipted".to_owned(),
    };
    let act = Act {
        device: 0,
        kind: "inbound".to_owned(),
        codes: vec!["A".to_owned()],
        behind: 0,
    };
    let (made, kept) = (vec![row()], vec![row()]);
    let seen = Seen {
        devices: vec![SeenDevice { device, made, kept }],
        acts: vec![act],
        told: Vec::new(),
    };
    let (eff, epoch, seq) = (5, 1, 1);
    let logged = Logged {
        gseq: 1,
        recv: 10,
        enterprise: EnterpriseId(Uuid::from_u128(3)),
        device,
        epoch,
        seq,
        event: Some(event),
        group: None,
        prev_hash,
        hash,
        body: text.into_bytes(),
        fate: Status::Stored,
        order: Some(Order {
            eff,
            device,
            epoch,
            seq,
            event,
        }),
        interval: Interval {
            lo: 0,
            est: eff,
            hi: 10,
        },
    };
    let events = vec![logged];
    (seen, LogHistory { events })
}

/// The same act was stated before, and that was not heard: another event in the same place.
fn stated_twice(seen: &mut Seen) {
    let row = &seen.devices[0].made[0];
    let text = row.text.replace(
        &Uuid::from_u128(9).to_string(),
        &Uuid::from_u128(8).to_string(),
    );
    let hash = chain::next(chain::genesis(seen.devices[0].device, 1), text.as_bytes());
    let (epoch, seq, state) = (1, 1, String::new());
    let first = Row {
        epoch,
        seq,
        text,
        hash,
        state,
    };
    seen.devices[0].made.insert(0, first);
    seen.acts[0].behind = 1;
}

/// What is named when this is changed of what holds.
fn named(change: impl FnOnce(&mut Seen, &mut LogHistory)) -> String {
    let (mut seen, mut log) = one();
    change(&mut seen, &mut log);
    let judged = judge(&seen, &log, &[]);
    judged.map_or_else(|broken| broken.to_string(), |_| "nothing".to_owned())
}

#[test]
fn what_is_not_as_it_was_said_to_be_is_named() {
    assert_eq!(named(|_, _| {}), "nothing");
    let starts = |change: fn(&mut Seen, &mut LogHistory), with: &str| {
        let said = named(change);
        assert!(said.starts_with(with), "{said}");
    };
    // Heard and kept, and the server has it not; heard, and neither of the two has it; heard, and
    // there never was anything to keep.
    starts(|_, log| log.events.clear(), "I1 ");
    let nowhere = |seen: &mut Seen, log: &mut LogHistory| {
        log.events.clear();
        seen.devices[0].kept.clear();
    };
    starts(nowhere, "I1 ");
    starts(|seen, _| seen.devices[0].made.clear(), "I1 ");
    starts(|_, log| log.events[0].body[1] ^= 1, "I1 ");
    // Stated twice, and the second time it was heard: that one has to be there, whichever else is.
    assert_eq!(named(|seen, _| stated_twice(seen)), "nothing");
    let lost = |seen: &mut Seen, log: &mut LogHistory| {
        stated_twice(seen);
        log.events.clear();
        seen.devices[0].kept.clear();
    };
    starts(lost, "I1 ");
    let other = |seen: &mut Seen, log: &mut LogHistory| {
        stated_twice(seen);
        let first = &seen.devices[0].made[0];
        (log.events[0].body, log.events[0].hash) = (first.text.clone().into_bytes(), first.hash);
        log.events[0].event = Some(event::parse(&first.text).expect("an event").id);
        seen.devices[0].kept.clear();
    };
    starts(other, "I1 ");
    // It waits, and has not come.
    let waits = |seen: &mut Seen, log: &mut LogHistory| {
        log.events.clear();
        seen.devices[0].kept[0].state = "durable".to_owned();
    };
    starts(waits, "I26 ");
    starts(|_, log| log.events.push(log.events[0].clone()), "I3 ");
    let invented = |_: &mut Seen, log: &mut LogHistory| {
        let mut other = log.events[0].clone();
        (other.gseq, other.seq, other.event) = (2, 2, None);
        (other.prev_hash, other.hash) = (other.hash, chain::next(other.hash, &other.body));
        log.events.push(other);
    };
    starts(invented, "I2 ");
    starts(|_, log| log.events[0].prev_hash = Hash([1; 32]), "I30 ");
    starts(|_, log| log.events[0].fate = Status::Quarantined, "log ");
    starts(|seen, _| seen.acts.clear(), "acts ");
}
