//! I30 on the device: what turned on its storage, in an event or beside it, is found, told and believed by
//! nobody; and what the version before left there is no damage.

use crate::rules::{DAY, answer, capture, notices, outbox, receipt, receipt_of, sends, take, with};
use suyuan_sync::{
    chain::Hash,
    outbox::{Command, Disk, Fate, KeptAnchor, Notice, Outbox, RowState},
    wire::{Push, Ranges, Receipt},
};

/// The storage of an outbox in which so many events are durable, with a bit of one of them turned.
fn with_damage(count: usize, seq: u64) -> Disk {
    let (outbox, _) = with(count);
    let mut disk = outbox.crash(0);
    let row = disk.rows.get_mut(&(1, seq)).expect("a row");
    row.text = "tex\u{34}".into();
    disk
}

#[test]
fn i30_a_damaged_event_is_found_told_kept_and_never_sent_and_those_behind_it_are() {
    let mut outbox = Outbox::new(with_damage(4, 2));
    let actions = take(&mut outbox, 0, Command::Wake);
    assert_eq!(sends(&actions), [(1, 1, 4)]);
    let keys = outbox.push(1, 1, 4).expect_err("nothing is signed");
    assert_eq!(keys, [(1, 2)]);
    let actions = take(&mut outbox, 0, Command::Damaged { keys });
    assert_eq!(notices(&actions), [Notice::Damaged((1, 2))]);
    assert_eq!(sends(&actions), [(2, 1, 1)], "at once, up to the gap");
    assert_eq!(outbox.unsent(), 3);
    assert_eq!(outbox.picture().states.damaged, [(1, 2, 2)]);
    let held = receipt(&outbox, Ranges::of(1, 1), 5);
    let actions = take(&mut outbox, 1, answer(2, 1, &[Fate::Settled], held));
    assert_eq!(sends(&actions), [(3, 3, 4)], "and behind it");
    let push = outbox.push(1, 3, 4).expect("they are whole");
    assert_eq!(push.prev_hash, outbox.disk().rows[&(1, 2)].hash);
    // Scanning goes on, in the same chain.
    take(&mut outbox, 1, capture(1));
    assert_eq!(outbox.picture().states.captured, [(1, 5, 5)]);
    // The server may hold that number of a second copy: only an answer to a push that held the event
    // while it was whole settles it.
    let mut held = receipt(&outbox, Ranges::of(1, 4), 6);
    held.head_hash = outbox.disk().rows[&(1, 4)].hash;
    take(&mut outbox, 2, answer(3, 3, &[Fate::Settled; 2], held));
    let states = outbox.picture().states;
    assert_eq!(
        (states.damaged, states.settled),
        (vec![(1, 2, 2)], vec![(1, 1, 1), (1, 3, 4)])
    );
    assert_eq!(outbox.unsent(), 0);
    // It is found again by the next session, and its bytes are there for ever.
    let mut next = Outbox::new(outbox.crash(usize::MAX));
    take(&mut next, 0, Command::Wake);
    assert_eq!(next.push(1, 2, 2), Err(vec![(1, 2)]));
    assert_eq!(&*next.disk().rows[&(1, 2)].text, "tex4");
}

#[test]
fn i30_a_late_answer_to_a_push_that_held_it_whole_settles_a_damaged_event() {
    let (mut outbox, _) = with(2);
    take(&mut outbox, 10, Command::Lost { flight: 1 });
    // Something wrote over the memory since.
    take(&mut outbox, 11, Command::Damaged { keys: vec![(1, 1)] });
    let held = receipt(&outbox, Ranges::of(1, 2), 5);
    let actions = take(&mut outbox, 12, answer(1, 1, &[Fate::Settled; 2], held));
    assert_eq!(notices(&actions), [Notice::Resolved((1, 1))]);
    let states = outbox.picture().states;
    assert_eq!((states.damaged, states.settled), (vec![], vec![(1, 1, 2)]));
}

#[test]
fn i30_a_turned_bit_in_a_hash_is_found_as_well() {
    let (outbox, _) = with(3);
    let good = outbox.crash(0);
    let turns: [fn(&mut Hash, &mut Hash); 2] =
        [|prev, _| prev.0[7] ^= 4, |_, hash| hash.0[31] ^= 1];
    for turn in turns {
        let mut disk = good.clone();
        let row = disk.rows.get_mut(&(1, 2)).expect("a row");
        turn(&mut row.prev_hash, &mut row.hash);
        assert_eq!(Outbox::new(disk).push(1, 1, 3), Err(vec![(1, 2)]));
    }
}

#[test]
fn i30_what_follows_a_turned_head_goes_by_itself_and_says_what_it_follows() {
    let (outbox, _) = with(2);
    let mut disk = outbox.crash(0);
    disk.head.0[0] ^= 1;
    let head = disk.head;
    let mut outbox = Outbox::new(disk);
    take(&mut outbox, 0, capture(2));
    take(&mut outbox, 0, Command::Committed { write: 1 });
    let (pushes, damaged) = outbox.export();
    let held = |push: &Push| (push.first_seq, push.last_seq());
    assert_eq!(
        pushes.iter().map(held).collect::<Vec<_>>(),
        [(1, 2), (3, 4)]
    );
    assert_eq!((pushes[1].prev_hash, damaged), (head, vec![]));
}

#[test]
fn i30_an_export_holds_nothing_damaged_and_names_it() {
    let outbox = Outbox::new(with_damage(5, 3));
    let (pushes, damaged) = outbox.export();
    let held = |push: &Push| (push.first_seq, push.last_seq());
    assert_eq!(
        pushes.iter().map(held).collect::<Vec<_>>(),
        [(1, 2), (4, 5)]
    );
    assert_eq!(damaged, [(1, 3)]);
}

/// The storage of an outbox of which so many events are settled, at this stamp.
fn with_settled(count: usize, stamp: i64) -> Disk {
    let (mut outbox, _) = with(count);
    let held = receipt(&outbox, Ranges::of(1, count as u64), stamp);
    let fates = vec![Fate::Settled; count];
    take(&mut outbox, 1, answer(1, 1, &fates, held));
    outbox.crash(usize::MAX)
}

#[test]
fn i30_a_kept_receipt_that_nobody_signed_is_told_and_lets_nothing_go_until_there_is_another() {
    let (late, again) = (5 + 8 * DAY, 5 + 16 * DAY);
    let mut outbox = Outbox::begin(with_settled(3, 5), |_| false);
    let actions = take(&mut outbox, 0, Command::Wake);
    assert_eq!(notices(&actions), [Notice::Doubted(1)]);
    // One event brings a receipt; the states of the others are not lost.
    assert_eq!(sends(&actions), [(1, 1, 1)]);
    assert_eq!(outbox.picture().states.doubted, [(1, 1, 3)]);
    assert_eq!(outbox.push(1, 1, 1).expect("whole").last_receipt, None);
    assert_eq!(outbox.export().0.len(), 1, "and all are in an export");
    let held = receipt(&outbox, Ranges::of(1, 2), late);
    let actions = take(&mut outbox, 1, answer(1, 1, &[Fate::Settled], held));
    let states = outbox.picture().states;
    assert_eq!((states.settled, states.doubted), (vec![(1, 1, 2)], vec![]));
    assert_eq!(
        sends(&actions),
        [(2, 3, 3)],
        "what it does not cover is sent"
    );
    let held = receipt(&outbox, Ranges::of(1, 3), again);
    take(&mut outbox, 2, answer(2, 3, &[Fate::Settled], held));
    let disk = outbox.crash(usize::MAX);
    let left: Vec<_> = disk.rows.keys().copied().collect();
    assert_eq!(left, [(1, 3)], "and only now the others go");
}

#[test]
fn i30_a_receipt_of_another_device_or_life_counts_for_none() {
    let turns: [fn(&mut Receipt); 2] = [
        |receipt| receipt.epoch = 2,
        |receipt| receipt.device.0 = uuid::Uuid::from_u128(9),
    ];
    for turn in turns {
        let mut disk = with_settled(2, 5);
        turn(disk.receipts.get_mut(&1).expect("a receipt"));
        let mut outbox = Outbox::begin(disk, |_| true);
        let actions = take(&mut outbox, 0, Command::Wake);
        assert_eq!(notices(&actions), [Notice::Doubted(1)]);
        assert_eq!(sends(&actions), [(1, 1, 1)]);
    }
}

#[test]
fn i30_a_state_that_no_signed_receipt_covers_lets_nothing_go() {
    // There is a receipt, and it does not cover it: it is sent.
    let (mut outbox, _) = with(2);
    let held = receipt(&outbox, Ranges::of(1, 1), 5);
    take(&mut outbox, 1, answer(1, 1, &[Fate::Settled; 2], held));
    let mut disk = outbox.crash(usize::MAX);
    assert_eq!(disk.rows[&(1, 2)].state, RowState::Durable);
    disk.rows.get_mut(&(1, 2)).expect("a row").state = RowState::Settled(5);
    let mut outbox = Outbox::begin(disk, |_| true);
    let actions = take(&mut outbox, 0, Command::Wake);
    assert_eq!(notices(&actions), [Notice::Doubted(1)]);
    assert_eq!(sends(&actions), [(1, 2, 2)]);
    let states = outbox.picture().states;
    assert_eq!(
        (states.doubted, states.settled),
        (vec![(1, 2, 2)], vec![(1, 1, 1)])
    );
    // What it said is not believed when the next covers it: the answer tells what became of it.
    let held = receipt(&outbox, Ranges::of(1, 2), 6);
    take(&mut outbox, 1, answer(1, 2, &[Fate::Attention], held));
    assert_eq!(outbox.picture().states.needs_attention, [(1, 2, 2)]);
    // There is none: the first that comes decides.
    let (outbox, _) = with(2);
    let mut disk = outbox.crash(0);
    disk.rows.get_mut(&(1, 2)).expect("a row").state = RowState::Settled(0);
    let mut outbox = Outbox::begin(disk, |_| true);
    let actions = take(&mut outbox, 0, Command::Wake);
    assert_eq!(sends(&actions), [(1, 1, 1)]);
    let held = receipt(&outbox, Ranges::of(1, 1), 8 * DAY);
    let actions = take(&mut outbox, 1, answer(1, 1, &[Fate::Settled], held));
    assert_eq!(sends(&actions), [(2, 2, 2)]);
    assert!(outbox.disk().rows.contains_key(&(1, 2)));
}

#[test]
fn i30_the_receipt_of_a_second_copy_lets_nothing_go_that_is_in_doubt() {
    // Of a copy's first event, which is unsent, a state turned, and under its number the other's is held.
    let (outbox, _) = with(3);
    let mut disk = outbox.crash(0);
    disk.rows.get_mut(&(1, 1)).expect("a row").state = RowState::Settled(0);
    let mut outbox = Outbox::begin(disk, |_| true);
    let actions = take(&mut outbox, 0, Command::Wake);
    assert_eq!(sends(&actions), [(1, 2, 3)]);
    let mut held = receipt(&outbox, Ranges::of(1, 3), 5);
    held.head_hash = Hash([7; 32]);
    let fates = [Fate::Attention; 2];
    let actions = take(&mut outbox, 1, answer(1, 2, &fates, held.clone()));
    assert_eq!(
        sends(&actions),
        [(2, 1, 1)],
        "it is sent, and so kept as a fork"
    );
    // It stays unsent with that receipt on the storage, and a session later.
    let disk = outbox.crash(usize::MAX);
    assert_eq!(disk.rows[&(1, 1)].state, RowState::Durable);
    let mut outbox = Outbox::begin(disk, |_| true);
    assert_eq!(sends(&take(&mut outbox, 0, Command::Wake)), [(1, 1, 1)]);
    held.stamp = 6;
    take(&mut outbox, 1, answer(1, 1, &[Fate::Attention], held));
    assert_eq!(outbox.picture().states.needs_attention, [(1, 1, 3)]);
}

#[test]
fn i30_what_a_receipt_holds_beyond_its_head_is_not_proven_by_it() {
    let mut outbox = Outbox::begin(with_settled(3, 5), |_| false);
    take(&mut outbox, 0, Command::Wake);
    let mut held = Ranges::of(1, 1);
    held.add(3, 3);
    let held = receipt(&outbox, held, 6);
    let actions = take(&mut outbox, 1, answer(1, 1, &[Fate::Settled], held));
    let states = outbox.picture().states;
    assert_eq!((states.settled, states.doubted), (vec![(1, 1, 1)], vec![]));
    assert_eq!(sends(&actions), [(2, 2, 3)]);
}

#[test]
fn i30_what_a_pull_tells_of_an_event_in_doubt_is_no_receipt() {
    let mut disk = with_settled(2, 5);
    for row in disk.rows.values_mut() {
        row.state = RowState::Receipted(5);
    }
    let mut outbox = Outbox::begin(disk, |_| false);
    let page = Command::Checkpoint {
        cursor: 9,
        anchor: "bb".into(),
        wall: 7,
        fates: vec![(1, 1, Fate::Attention), (1, 2, Fate::Settled)],
        anew: false,
    };
    take(&mut outbox, 0, page);
    let states = outbox.picture().states;
    assert_eq!((states.doubted, states.settled), (vec![(1, 1, 2)], vec![]));
    // A week on, the receipt of a second copy covers both.
    let mut held = receipt(&outbox, Ranges::of(1, 2), 5 + 8 * DAY);
    held.head_hash = Hash([7; 32]);
    take(&mut outbox, 1, answer(1, 1, &[Fate::Attention], held));
    let disk = outbox.crash(usize::MAX);
    assert_eq!(
        disk.rows.get(&(1, 2)).map(|row| row.state),
        Some(RowState::Durable)
    );
}

#[test]
fn i30_a_turned_anchor_or_position_is_told_and_had_again_with_the_next_answer() {
    let page = |cursor, at: &str| Command::Checkpoint {
        cursor,
        anchor: at.to_owned(),
        wall: 7,
        fates: vec![],
        anew: false,
    };
    let mut outbox = outbox();
    take(&mut outbox, 0, page(9, "bb"));
    let good = outbox.crash(1);
    let whole = Outbox::begin(good.clone(), |_| true).slot(0);
    assert_eq!((whole.cursor, whole.anchor.as_deref()), (9, Some("bb")));
    let anchor = |disk: &mut Disk| disk.anchor.take().expect("an anchor");
    let turns: [fn(&mut KeptAnchor); 3] = [
        |kept| kept.text = "zb".into(),
        |kept| kept.wall ^= 4,
        |kept| kept.check = kept.check.map(|check| check ^ 1),
    ];
    for turn in turns {
        let mut disk = good.clone();
        let mut kept = anchor(&mut disk);
        turn(&mut kept);
        disk.anchor = Some(kept);
        let mut outbox = Outbox::begin(disk, |_| true);
        let actions = take(&mut outbox, 0, Command::Wake);
        assert_eq!(notices(&actions), [Notice::Strayed]);
        assert_eq!((outbox.slot(0).anchor, outbox.slot(0).cursor), (None, 9));
        // A smaller one than what stood there counts.
        take(&mut outbox, 0, page(10, "bc"));
        take(&mut outbox, 0, Command::Committed { write: 1 });
        assert_eq!(outbox.slot(0).anchor.as_deref(), Some("bc"));
    }
    for bit in 0..62 {
        let mut disk = good.clone();
        disk.cursor ^= 1 << bit;
        let mut outbox = Outbox::begin(disk, |_| true);
        let actions = take(&mut outbox, 0, Command::Wake);
        assert_eq!(notices(&actions), [Notice::Strayed]);
        assert_eq!(
            (outbox.slot(0).cursor, outbox.slot(0).anchor),
            (0, whole.anchor.clone())
        );
        take(&mut outbox, 0, page(3, "bc"));
        take(&mut outbox, 0, Command::Committed { write: 1 });
        assert_eq!(outbox.slot(0).cursor, 3, "and goes on from where it begins");
    }
    // What programs of before kept has no check value, and counts.
    let mut disk = good;
    disk.cursor_check = None;
    disk.anchor.as_mut().expect("an anchor").check = None;
    assert_eq!(Outbox::begin(disk, |_| true).slot(0), whole);
}

#[test]
fn i30_no_event_is_written_in_the_place_of_another() {
    let mut disk = with(3).0.crash(0);
    disk.next = 2;
    let mut outbox = Outbox::begin(disk, |_| true);
    take(&mut outbox, 0, capture(1));
    assert_eq!(outbox.picture().states.captured, [(1, 4, 4)]);
}

/// A new life begins on this storage; its first event is settled.
fn new_life(disk: Disk, epoch: u32, stamp: i64) -> Disk {
    let mut outbox = Outbox::begin(disk, |_| true);
    let enrolled = Command::NewEpoch {
        epoch,
        anchor: format!("{stamp:016x}"),
        wall: 0,
    };
    take(&mut outbox, 0, enrolled);
    take(&mut outbox, 0, capture(1));
    let actions = take(&mut outbox, 0, Command::Committed { write: 2 });
    assert_eq!(sends(&actions), [(1, 1, 1)]);
    let held = receipt_of(epoch, &outbox, Ranges::of(1, 1), stamp);
    take(&mut outbox, 1, answer(1, 1, &[Fate::Settled], held));
    outbox.crash(usize::MAX)
}

#[test]
fn i30_a_storage_of_the_version_before_opens_with_nothing_lost_and_no_alarm() {
    // It kept the receipt of this life alone, and no check values.
    let mut disk = new_life(with_settled(2, 5), 2, 7);
    disk.receipts.remove(&1);
    disk.cursor_check = None;
    disk.anchor.as_mut().expect("an anchor").check = None;
    let slot = Outbox::new(disk.clone()).slot(0);
    assert_eq!((slot.seq, slot.prev_hash), (2, disk.head));
    assert_eq!(slot.anchor.as_deref(), Some("0000000000000007"));
    let mut outbox = Outbox::begin(disk, |_| true);
    assert_eq!(outbox.slot(0), slot);
    let actions = take(&mut outbox, 0, Command::Wake);
    assert_eq!(notices(&actions), []);
    // What is said to be on the server in an earlier life waits for a receipt, which one event brings.
    let states = outbox.picture().states;
    assert_eq!(states.settled, [(2, 1, 1)]);
    assert_eq!((states.doubted, outbox.unsent()), (vec![(1, 1, 2)], 0));
    assert_eq!(sends(&actions), [(1, 1, 1)]);
    let held = receipt(&outbox, Ranges::of(1, 2), 9);
    let actions = take(&mut outbox, 1, answer(1, 1, &[Fate::Attention], held));
    assert_eq!((notices(&actions), sends(&actions)), (vec![], vec![]));
    let states = outbox.picture().states;
    assert_eq!(states.settled, [(1, 1, 2), (2, 1, 1)]);
    let disk = outbox.crash(usize::MAX);
    assert_eq!((disk.rows.len(), disk.receipts.len()), (3, 2));
}

#[test]
fn i30_receipts_of_lives_of_which_nothing_is_left_go() {
    let mut disk = with_settled(1, 5);
    for life in 2..=30 {
        disk = new_life(disk, life, i64::from(life) * 8 * DAY);
        let kept: Vec<u32> = disk.receipts.keys().copied().collect();
        assert!(kept.len() <= 3 && kept.contains(&life), "{kept:?}");
        let is_kept = |(life, _): &(u32, u64)| disk.receipts.contains_key(life);
        assert!(disk.rows.keys().all(is_kept), "those of which there is one");
    }
}

#[test]
fn i30_a_late_answer_of_a_life_of_which_nothing_is_left_leaves_no_receipt_behind() {
    // The second event of the new life drops the one of the old.
    let disk = new_life(with_settled(1, 5), 2, 8 * DAY);
    assert!(disk.receipts.contains_key(&1) && !disk.rows.contains_key(&(1, 1)));
    let mut outbox = Outbox::begin(disk, |_| true);
    let mut late = receipt_of(1, &outbox, Ranges::of(1, 1), 8 * DAY + 1);
    for stamp in [late.stamp, late.stamp + 1] {
        late.stamp = stamp;
        take(&mut outbox, 1, answer(0, 1, &[Fate::Settled], late.clone()));
        let kept: Vec<u32> = outbox
            .clone()
            .crash(usize::MAX)
            .receipts
            .into_keys()
            .collect();
        assert_eq!(
            kept,
            [2],
            "whether it was let go already or goes with this answer"
        );
    }
}

#[test]
fn i30_a_push_that_was_not_made_is_not_waited_for_though_a_late_answer_settles_what_is_damaged() {
    let (mut outbox, _) = with(3);
    take(&mut outbox, 10, Command::Lost { flight: 1 });
    assert_eq!(sends(&take(&mut outbox, 600, Command::Due)), [(2, 1, 3)]);
    // While the texts are held against their hashes, the answer to the first push comes.
    let held = receipt(&outbox, Ranges::of(2, 2), 5);
    take(&mut outbox, 601, answer(1, 1, &[Fate::Settled; 3], held));
    assert_eq!(outbox.picture().states.settled, [(1, 2, 2)]);
    let actions = take(&mut outbox, 602, Command::Damaged { keys: vec![(1, 2)] });
    assert_eq!(
        (notices(&actions), sends(&actions)),
        (vec![], vec![(3, 1, 1)])
    );
}
