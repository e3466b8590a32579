//! The rules of section 8 one by one; those about bits that turn (I30) are in `turned`.

use crate::{
    driver::{Do, World},
    world::DEVICE,
};
use suyuan_sync::{
    admission::{Outcome, Remark},
    chain,
    finding::{FindingCode, Subject},
    limits::UNSENT_WARNING,
    outbox::{
        Action, BATCH_MAX, Command, Disk, FLIGHT_MS, Fate, Input, KeptAnchor, Notice, Outbox,
    },
    wire::{Base64Url, EventResult, FindingNote, Ranges, Receipt, Status},
};

pub const DAY: i64 = 86_400_000_000;

pub fn take(outbox: &mut Outbox, now: u64, command: Command) -> Vec<Action> {
    outbox.take(Input {
        now,
        jitter: 0,
        command,
    })
}

pub fn outbox() -> Outbox {
    Outbox::new(Disk::new(DEVICE, 1, None))
}

pub fn capture(count: usize) -> Command {
    let texts = vec!["text".to_owned(); count];
    Command::Capture { texts }
}

pub fn sends(actions: &[Action]) -> Vec<(u64, u64, u64)> {
    let send = |action: &Action| match action {
        Action::Send {
            flight,
            first,
            last,
            ..
        } => Some((*flight, *first, *last)),
        _ => None,
    };
    actions.iter().filter_map(send).collect()
}

pub fn notices(actions: &[Action]) -> Vec<Notice> {
    let notice = |action: &Action| match action {
        Action::Show { notice } => Some(notice.clone()),
        _ => None,
    };
    actions.iter().filter_map(notice).collect()
}

/// An outbox in which so many events are durable.
pub fn with(count: usize) -> (Outbox, Vec<(u64, u64, u64)>) {
    let mut outbox = outbox();
    take(&mut outbox, 0, capture(count));
    let actions = take(&mut outbox, 0, Command::Committed { write: 1 });
    (outbox, sends(&actions))
}

pub fn receipt(outbox: &Outbox, held: Ranges, stamp: i64) -> Receipt {
    receipt_of(1, outbox, held, stamp)
}

pub fn receipt_of(epoch: u32, outbox: &Outbox, held: Ranges, stamp: i64) -> Receipt {
    let contiguous = held.contiguous();
    let row = outbox.disk().rows.get(&(epoch, contiguous));
    Receipt {
        device: DEVICE,
        epoch,
        contiguous_seq: contiguous,
        missing_ranges: held.gaps(),
        held_ranges: held,
        head_hash: row.map_or(chain::genesis(DEVICE, epoch), |row| row.hash),
        stamp,
        key: 1,
        sig: Base64Url::of(&"A".repeat(86)).expect("86 characters"),
    }
}

pub fn answer(flight: u64, first: u64, fates: &[Fate], receipt: Receipt) -> Command {
    Command::Answer {
        flight,
        first,
        fates: fates.to_vec(),
        anchor: format!("{:016x}", receipt.stamp),
        receipt,
        wall: 0,
        credit: 500,
        retry_after: None,
    }
}

#[test]
fn the_durable_commit_comes_before_the_success_sound_and_before_sending() {
    let mut outbox = outbox();
    let actions = take(&mut outbox, 0, capture(2));
    assert!(notices(&actions).is_empty() && sends(&actions).is_empty());
    assert_eq!(outbox.picture().states.captured, [(1, 1, 2)]);
    let actions = take(&mut outbox, 0, Command::Committed { write: 1 });
    assert_eq!(notices(&actions), [Notice::Saved(vec![(1, 1), (1, 2)])]);
    assert_eq!(sends(&actions), [(1, 1, 2)], "and then at once");
    assert_eq!(outbox.picture().states.sent, [(1, 1, 2)]);
}

#[test]
fn event_and_chain_head_stand_in_one_transaction() {
    let mut outbox = outbox();
    let slot = outbox.slot(0);
    assert_eq!((slot.seq, slot.prev_hash), (1, chain::genesis(DEVICE, 1)));
    take(&mut outbox, 0, capture(1));
    assert_eq!(
        outbox.slot(0).seq,
        2,
        "capture does not wait for the storage"
    );
    let lost = Outbox::new(outbox.clone().crash(0));
    assert_eq!(lost.slot(0), slot, "nothing of it");
    let kept = Outbox::new(outbox.clone().crash(1));
    assert_eq!(kept.slot(0), outbox.slot(0), "or all of it");
}

#[test]
fn a_write_that_fails_is_told_and_takes_what_followed_with_it() {
    let mut outbox = outbox();
    take(&mut outbox, 0, capture(1));
    take(&mut outbox, 0, capture(1));
    take(&mut outbox, 0, capture(2));
    take(&mut outbox, 0, Command::Committed { write: 1 });
    let actions = take(&mut outbox, 0, Command::NotWritten { write: 2 });
    let lost = [
        Notice::NotSaved(vec![(1, 2)]),
        Notice::NotSaved(vec![(1, 3), (1, 4)]),
    ];
    assert_eq!(notices(&actions), lost);
    assert_eq!((outbox.slot(0).seq, outbox.unsent()), (2, 1));
}

#[test]
fn only_what_the_push_held_and_its_receipt_covers_is_receipted() {
    let (mut outbox, sent) = with(3);
    assert_eq!(sent, [(1, 1, 3)]);
    // The server got number 2 only, and whoever pushed 9 was not this device.
    let held = Ranges::from_iter([(2, 2), (9, 9)]);
    let receipt = receipt(&outbox, held, 5);
    take(&mut outbox, 10, answer(1, 1, &[Fate::Settled; 3], receipt));
    let states = outbox.picture().states;
    assert_eq!(states.settled, [(1, 2, 2)]);
    assert_eq!(outbox.unsent(), 2);
    // Numbers below contiguous_seq are not covered by that.
    let mut gone = self::receipt(&outbox, Ranges::of(2, 2), 6);
    gone.contiguous_seq = 3;
    gone.head_hash = outbox.disk().rows[&(1, 3)].hash;
    take(&mut outbox, 11, answer(2, 1, &[Fate::Settled], gone));
    assert_eq!(outbox.unsent(), 2);
}

#[test]
fn a_receipt_that_covers_what_another_push_held_lets_nothing_go() {
    let (mut outbox, _) = with(3);
    let all = receipt(&outbox, Ranges::of(1, 3), 5);
    take(&mut outbox, 10, answer(1, 1, &[Fate::Settled], all));
    assert_eq!(outbox.picture().states.settled, [(1, 1, 1)]);
}

#[test]
fn a_late_answer_counts_and_an_older_receipt_replaces_no_newer_one() {
    let (mut outbox, _) = with(2);
    take(&mut outbox, 10, Command::Lost { flight: 1 });
    let newer = receipt(&outbox, Ranges::of(1, 1), 9);
    let older = receipt(&outbox, Ranges::of(1, 2), 7);
    take(&mut outbox, 11, answer(0, 1, &[Fate::Settled], newer));
    take(&mut outbox, 12, answer(1, 1, &[Fate::Settled; 2], older));
    assert_eq!(outbox.unsent(), 0);
    for write in 2..=4 {
        take(&mut outbox, 13, Command::Committed { write });
    }
    let held = outbox.disk().receipts.get(&1).expect("a receipt");
    assert_eq!(held.stamp, 9);
    let anchor = outbox.disk().anchor.as_ref().expect("an anchor");
    assert_eq!(anchor.text, format!("{:016x}", 9), "the greatest is kept");
}

#[test]
fn what_is_settled_is_kept_seven_days_by_the_servers_clock() {
    let (mut outbox, _) = with(2);
    let fates = [Fate::Settled, Fate::Attention];
    let first = receipt(&outbox, Ranges::of(1, 2), 5);
    take(&mut outbox, 0, answer(1, 1, &fates, first));
    let later = |outbox: &mut Outbox, stamp| {
        let receipt = receipt(outbox, Ranges::of(1, 2), stamp);
        take(outbox, 1, answer(0, 3, &[], receipt));
        let picture = outbox.picture();
        (picture.states.settled, picture.states.needs_attention)
    };
    assert_eq!(
        later(&mut outbox, 4 + 7 * DAY),
        (vec![(1, 1, 1)], vec![(1, 2, 2)])
    );
    assert_eq!(
        later(&mut outbox, 5 + 7 * DAY + 1),
        (vec![], vec![(1, 2, 2)])
    );
    let settled = Command::Checkpoint {
        cursor: 1,
        anchor: String::new(),
        wall: 0,
        fates: vec![(1, 2, Fate::Settled)],
        anew: false,
    };
    let actions = take(&mut outbox, 2, settled);
    assert_eq!(notices(&actions), [Notice::Resolved((1, 2))]);
    assert_eq!(later(&mut outbox, 6 + 7 * DAY + 1), (vec![], vec![]));
}

#[test]
fn batches_are_first_in_first_out_and_sized_for_five_seconds() {
    let (mut outbox, sent) = with(900);
    assert_eq!(sent, [(1, 1, 100)]);
    let held = receipt(&outbox, Ranges::of(1, 100), 5);
    let actions = take(
        &mut outbox,
        2_500,
        answer(1, 1, &[Fate::Settled; 100], held),
    );
    assert_eq!(sends(&actions), [(2, 101, 300)]);
    let held = receipt(&outbox, Ranges::of(1, 300), 6);
    let actions = take(
        &mut outbox,
        2_501,
        answer(2, 101, &[Fate::Settled; 200], held),
    );
    assert_eq!(sends(&actions), [(3, 301, 300 + BATCH_MAX)]);
    assert_eq!(
        sends(&take(&mut outbox, 2_502, capture(1))),
        [],
        "one under way"
    );
}

#[test]
fn an_answer_that_does_not_come_is_lost_after_a_while_and_waiting_grows() {
    let (mut outbox, _) = with(1);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..12 {
        let before = take(&mut outbox, now + FLIGHT_MS - 1, Command::Due);
        assert!(sends(&before).is_empty());
        let lost = take(&mut outbox, now + FLIGHT_MS, Command::Due);
        let Some(Action::WaitUntil { at }) = lost.last() else {
            panic!("{lost:?}")
        };
        waits.push(at - now - FLIGHT_MS);
        let again = take(&mut outbox, *at, Command::Due);
        assert_eq!(sends(&again).len(), 1);
        now = *at;
    }
    assert_eq!(waits[..4], [500, 1_000, 2_000, 4_000]);
    assert_eq!(
        waits[11], 150_000,
        "half of five minutes, and jitter on top"
    );
}

#[test]
fn waking_tries_at_once_unless_the_server_said_when() {
    let (mut outbox, _) = with(1);
    take(&mut outbox, 10, Command::Lost { flight: 1 });
    assert_eq!(sends(&take(&mut outbox, 11, Command::Wake)).len(), 1);
    let refused = Command::Refused {
        flight: 2,
        status: 503,
        retry_after: Some(60),
    };
    take(&mut outbox, 12, refused);
    assert!(sends(&take(&mut outbox, 13, Command::Wake)).is_empty());
    assert_eq!(sends(&take(&mut outbox, 60_012, Command::Due)).len(), 1);
}

#[test]
fn a_401_never_clears_the_queue() {
    let (mut outbox, _) = with(5);
    let refused = Command::Refused {
        flight: 1,
        status: 401,
        retry_after: None,
    };
    let actions = take(&mut outbox, 1, refused);
    assert_eq!(notices(&actions), [Notice::SignIn(1)]);
    assert_eq!(outbox.unsent(), 5);
    assert_eq!(sends(&take(&mut outbox, 501, Command::Due)), [(2, 1, 5)]);
}

#[test]
fn an_old_life_that_is_refused_does_not_block_the_new_one() {
    let (mut outbox, _) = with(2);
    let enrolled = Command::NewEpoch {
        epoch: 2,
        anchor: "1".to_owned(),
        wall: 0,
    };
    take(&mut outbox, 1, enrolled);
    take(&mut outbox, 1, capture(1));
    take(&mut outbox, 1, Command::Committed { write: 3 });
    let refused = Command::Refused {
        flight: 1,
        status: 401,
        retry_after: None,
    };
    take(&mut outbox, 2, refused);
    let actions = take(&mut outbox, 600, Command::Due);
    let Some(Action::Send { epoch, .. }) = actions.first() else {
        panic!("{actions:?}")
    };
    assert_eq!(*epoch, 2);
    assert_eq!(outbox.unsent(), 3);
    assert_eq!(outbox.export().0.len(), 2, "a push for each life");
}

#[test]
fn a_refused_frame_is_split_and_a_single_event_lets_the_next_pass() {
    let (mut outbox, _) = with(4);
    let mut now = 0;
    let mut refuse = |outbox: &mut Outbox, flight, status| {
        let refused = Command::Refused {
            flight,
            status,
            retry_after: None,
        };
        let told = notices(&take(outbox, now, refused));
        now += 400_000;
        (told, sends(&take(outbox, now, Command::Due)))
    };
    assert_eq!(refuse(&mut outbox, 1, 413), (vec![], vec![(2, 1, 2)]));
    assert_eq!(refuse(&mut outbox, 2, 400), (vec![], vec![(3, 1, 1)]));
    let stuck = vec![Notice::Stuck((1, 1))];
    assert_eq!(refuse(&mut outbox, 3, 400), (stuck, vec![(4, 2, 2)]));
    assert_eq!(outbox.unsent(), 4, "it stays");
}

#[test]
fn what_is_parked_or_quarantined_blocks_nothing() {
    let (mut outbox, _) = with(3);
    take(&mut outbox, 0, capture(1));
    take(&mut outbox, 0, Command::Committed { write: 2 });
    let held = receipt(&outbox, Ranges::of(1, 3), 5);
    let fates = [Fate::Waiting, Fate::Attention, Fate::Settled];
    let actions = take(&mut outbox, 1, answer(1, 1, &fates, held));
    assert_eq!(notices(&actions), [Notice::Attention((1, 2))]);
    assert_eq!(sends(&actions), [(2, 4, 4)]);
    let states = outbox.picture().states;
    assert_eq!(states.receipted, [(1, 1, 1)]);
    assert_eq!(states.needs_attention, [(1, 2, 2)]);
    assert_eq!(states.settled, [(1, 3, 3)]);
}

#[test]
fn t1_an_event_that_is_sent_again_has_the_fate_it_was_told_first() {
    for (one, other) in Remark::ALL
        .iter()
        .flat_map(|one| Remark::ALL.iter().map(move |other| (*one, *other)))
    {
        let outcome = Outcome::of(vec![one, other]);
        let note = |code: FindingCode| FindingNote {
            code,
            severity: code.severity(),
            subject: Subject::Event,
            closed_by: None,
            closed_entry: None,
            closed: false,
        };
        let first = EventResult {
            seq: 1,
            status: outcome.status,
            code: outcome.decisive().map(|remark| remark.name().to_owned()),
            reason: None,
            gseq: None,
            findings: outcome.findings().map(note).collect(),
            more_findings: 0,
            pending: false,
        };
        let again = EventResult {
            status: Status::Duplicate,
            ..first.clone()
        };
        let fate = Fate::of_result(&first);
        assert_eq!(Fate::of_result(&again), fate, "{one:?} {other:?}");
        let is_apart = outcome.status == Status::Quarantined;
        assert!(!is_apart || fate == Fate::Attention, "{one:?} {other:?}");
        let waits = outcome.status == Status::Parked && first.findings.is_empty();
        assert_eq!(waits, fate == Fate::Waiting, "{one:?} {other:?}");
    }
}

#[test]
fn an_anchor_stands_in_the_transaction_of_its_checkpoint_and_counts_once_committed() {
    let mut outbox = outbox();
    let page = |cursor, anchor: &str| Command::Checkpoint {
        cursor,
        anchor: anchor.to_owned(),
        wall: 7,
        fates: vec![],
        anew: false,
    };
    take(&mut outbox, 100, page(9, "b"));
    assert_eq!(
        (outbox.slot(150).anchor, outbox.slot(150).cursor),
        (None, 0)
    );
    take(&mut outbox, 150, Command::Committed { write: 1 });
    let slot = outbox.slot(160);
    assert_eq!(slot.anchor.as_deref(), Some("b"));
    assert_eq!(
        (slot.cursor, slot.mono_ms, slot.anchor_wall),
        (9, 60, Some(7))
    );
    take(&mut outbox, 170, page(8, "a"));
    take(&mut outbox, 170, Command::Committed { write: 2 });
    let slot = outbox.slot(180);
    assert_eq!(
        (slot.anchor.as_deref(), slot.cursor, slot.mono_ms),
        (Some("b"), 9, 80)
    );
    let snapshot = Command::Checkpoint {
        cursor: 4,
        anchor: "c".to_owned(),
        wall: 8,
        fates: vec![],
        anew: true,
    };
    take(&mut outbox, 190, snapshot);
    take(&mut outbox, 190, Command::Committed { write: 3 });
    let slot = outbox.slot(200);
    assert_eq!(
        (slot.anchor.as_deref(), slot.cursor),
        (Some("c"), 4),
        "the position that is gone is not held on to"
    );
    let next = Outbox::new(outbox.crash(0));
    assert_eq!(
        next.slot(500).mono_ms,
        0,
        "another session tells nothing of the anchor"
    );
}

#[test]
fn a_second_copy_is_told_by_the_head_of_the_receipt_and_loses_nothing() {
    let (mut outbox, _) = with(3);
    let mut other = receipt(&outbox, Ranges::of(1, 3), 5);
    other.head_hash = chain::genesis(DEVICE, 9);
    let actions = take(&mut outbox, 1, answer(1, 1, &[Fate::Attention], other));
    assert!(notices(&actions).contains(&Notice::EnrolAgain));
    assert_eq!(outbox.unsent(), 2);
    let enrolled = Command::NewEpoch {
        epoch: 2,
        anchor: "1".to_owned(),
        wall: 0,
    };
    take(&mut outbox, 2, enrolled);
    let slot = outbox.slot(2);
    assert_eq!(
        (slot.epoch, slot.seq, slot.prev_hash),
        (2, 1, chain::genesis(DEVICE, 2))
    );
    assert_eq!(
        slot.anchor, None,
        "the old one means nothing in the new life"
    );
    assert!(!outbox.picture().enrol_again);
}

#[test]
fn a_device_that_was_set_back_is_told_by_a_receipt_beyond_what_it_made() {
    let (mut outbox, _) = with(1);
    let ahead = receipt(&outbox, Ranges::of(1, 2), 5);
    let actions = take(&mut outbox, 1, answer(1, 1, &[Fate::Settled], ahead));
    assert!(notices(&actions).contains(&Notice::EnrolAgain));
}

#[test]
fn many_unsent_are_warned_of_once() {
    let mut outbox = outbox();
    take(&mut outbox, 0, capture(UNSENT_WARNING as usize - 1));
    take(&mut outbox, 0, capture(1));
    take(&mut outbox, 0, capture(1));
    let mut told = Vec::new();
    for write in 1..=3 {
        told.extend(notices(&take(&mut outbox, 0, Command::Committed { write })));
    }
    told.retain(|notice| !matches!(notice, Notice::Saved(_)));
    assert_eq!(told, [Notice::ManyUnsent(UNSENT_WARNING)]);
    assert_eq!(
        outbox.slot(0).seq,
        UNSENT_WARNING + 2,
        "and none is overwritten"
    );
}

#[test]
fn a_receipt_of_another_device_is_none() {
    let (mut outbox, _) = with(1);
    let mut other = receipt(&outbox, Ranges::of(1, 1), 5);
    other.device = suyuan_sync::ids::DeviceId::SERVER;
    take(&mut outbox, 1, answer(1, 1, &[Fate::Settled], other));
    assert_eq!(outbox.unsent(), 1);
}

#[test]
fn a_day_in_the_life_of_a_device() {
    let mut world = World::new();
    for _ in 0..200 {
        world.run(Do::Scan(1));
        world.commit(u8::MAX);
    }
    assert_eq!(world.promised.len(), 200);
    assert!(world.heal(60_000).is_some());
    assert_eq!(world.store(1).extent.contiguous, 200);
    let kept = KeptAnchor::clone(world.outbox.disk().anchor.as_ref().expect("an anchor"));
    assert!(kept.text > format!("{:016x}", 1_800_000_000_000_000_i64));
}

/// The checker is checked.
#[cfg(feature = "bugs")]
#[test]
fn an_anchor_that_is_merely_the_latest_is_caught() {
    use suyuan_sync::bugs::{Bug, with};
    let test = a_late_answer_counts_and_an_older_receipt_replaces_no_newer_one;
    assert!(with(Bug::LatestAnchorKept, || std::panic::catch_unwind(test)).is_err());
}
