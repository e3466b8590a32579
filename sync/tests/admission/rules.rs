//! Each rule of the transport table by its number, and the precedence among them.

use crate::world::{DEVICE, Device, Push, Store};
use suyuan_sync::{
    admission::{
        Branch, FrameFault, Gap, Remark,
        Remark::{
            ChainBreak, Fork, GroupIncomplete, IdReuse, Later, PartialGroup, Revoked, SeqMismatch,
            Unreadable,
        },
        Standing,
        Status::{Duplicate, Parked, Quarantined, Stored, StoredFlagged},
        is_provisional,
    },
    chain::{self, Hash},
    finding::FindingCode,
    ids::{DeviceId, EventId, Micros},
    limits::{EVENTS_PER_PUSH_MAX, RANGES_MAX, SEQ_MAX},
};
use uuid::Uuid;

const HOUR: Micros = 3_600_000_000;

fn with_sales(count: usize) -> (Device, Store) {
    let mut device = Device::new();
    device.sales(count);
    let mut store = Store::new();
    store.push(device.all());
    (device, store)
}

#[test]
fn a_push_in_order_is_stored_and_receipted() {
    let mut device = Device::new();
    device.sales(3);
    let answer = Store::new().push(device.all());
    assert_eq!(answer.statuses, [Stored; 3]);
    assert_eq!(answer.receipt.contiguous, 3);
    assert_eq!(answer.receipt.held.ranges(), [(1, 3)]);
    assert!(answer.receipt.missing.is_empty());
    assert_eq!(answer.receipt.head, device.head());
}

#[test]
fn an_empty_push_stores_nothing_and_is_receipted() {
    let (device, mut store) = with_sales(2);
    let empty = Push {
        first: 3,
        prev: device.head(),
        texts: vec![],
    };
    let receipt = store.push(empty).receipt;
    assert_eq!((receipt.contiguous, receipt.head), (2, device.head()));
}

#[test]
fn t1_the_same_bytes_again_are_a_duplicate_with_the_original_result() {
    let (mut device, mut store) = with_sales(2);
    device.put("no event").of_tomorrow().member(1, 1, 2);
    let first = store.push(device.push(3, 5));
    let again = store.push(device.all());
    assert_eq!(again.statuses, [Duplicate; 5], "whatever fate they had");
    assert_eq!(again.remarks[2..], first.remarks[..]);
    assert_eq!(store.rows.len(), 5);
}

#[test]
fn t1_holds_whatever_the_push_says_stands_before() {
    let (device, mut store) = with_sales(2);
    let mut push = device.push(2, 2);
    push.prev = Hash([9; 32]);
    assert_eq!(store.push(push).statuses, [Duplicate]);
}

#[test]
fn t2_the_same_id_with_other_bytes_is_quarantined_and_fills_its_number() {
    let (mut device, mut store) = with_sales(2);
    let mut second = device.bare();
    second.id = device.id(1);
    device.put(second.write()).sale();
    let answer = store.push(device.push(3, 4));
    assert_eq!(answer.statuses, [Quarantined, Stored]);
    assert_eq!(answer.remarks[0], [IdReuse]);
    assert_eq!(answer.receipt.contiguous, 4);
    assert_eq!(
        store.rows[2].kept.event, None,
        "the id stays with the first copy"
    );
    assert_eq!(store.push(device.push(3, 3)).statuses, [Duplicate]);
}

#[test]
fn t2_within_one_push_the_second_copy_is_the_later() {
    let mut device = Device::new();
    device.sale();
    let mut second = device.bare();
    second.id = device.id(1);
    device.put(second.write());
    assert_eq!(
        Store::new().push(device.all()).statuses,
        [Stored, Quarantined]
    );
}

/// Five events; a copy made after the third went its own way.
fn forked() -> (Device, Device, Store) {
    let mut device = Device::new();
    device.sales(3);
    let mut copy = device.copy(1);
    device.sales(2);
    copy.sales(4);
    let mut store = Store::new();
    store.push(device.all());
    (device, copy, store)
}

#[test]
fn t3_the_branch_received_first_stays_and_the_other_with_its_descendants_is_quarantined() {
    let (mut device, copy, mut store) = forked();
    let answer = store.push(copy.push(4, 6));
    assert_eq!(answer.statuses, [Quarantined; 3]);
    assert_eq!(answer.remarks, [[Fork], [Fork], [Fork]]);
    let roots: Vec<_> = answer
        .decision
        .forks
        .iter()
        .map(|fork| (fork.seq, fork.root))
        .collect();
    assert_eq!(roots, [(4, copy.made[3].hash)]);
    // Its number 6 is free on the first branch, and stays so.
    assert_eq!(answer.decision.extent.held.ranges(), [(1, 5)]);
    device.sale();
    assert_eq!(store.push(device.push(6, 6)).statuses, [Stored]);
}

#[test]
fn t3_a_descendant_is_found_by_its_chain_in_a_later_push_or_deposit() {
    let (_, copy, mut store) = forked();
    store.push(copy.push(4, 5));
    let answer = store.push(copy.push(7, 7));
    assert_eq!(
        answer.statuses,
        [Stored],
        "its chain does not reach back to what is held"
    );
    let answer = store.push(copy.push(6, 6));
    assert_eq!(answer.remarks, [[Fork]]);
    assert!(answer.decision.forks.is_empty(), "found before");
}

#[test]
fn t3_a_retry_that_reaches_back_over_the_fork_is_told_apart_event_by_event() {
    let (_, copy, mut store) = forked();
    store.push(copy.push(4, 5));
    let answer = store.push(copy.push(2, 7));
    let expected = [
        Duplicate,
        Duplicate,
        Duplicate,
        Duplicate,
        Quarantined,
        Quarantined,
    ];
    assert_eq!(answer.statuses, expected);
}

#[test]
fn t3_the_receipt_covers_both_branches_and_its_head_is_that_of_the_one_in_state() {
    let (mut device, copy, mut store) = forked();
    let receipt = store.push(copy.push(4, 7)).receipt;
    assert_eq!(receipt.held.ranges(), [(1, 7)], "all of it is durable");
    assert_eq!((receipt.contiguous, receipt.head), (5, device.head()));
    device.sale();
    let receipt = store.push(device.push(6, 6)).receipt;
    assert_eq!(receipt.held.ranges(), [(1, 7)]);
    assert_eq!((receipt.contiguous, receipt.head), (6, device.head()));
}

#[test]
fn t3_admitted_takes_the_second_branch_in() {
    let (_, copy, mut store) = forked();
    store.push(copy.push(4, 6));
    store.readmit(Fork);
    let forked = store
        .rows
        .iter()
        .filter(|row| row.kept.branch != Branch::First);
    assert!(forked.clone().all(|row| row.now.status == Stored));
    assert_eq!(forked.count(), 3);
    assert_eq!(
        store.push(copy.push(4, 6)).remarks,
        [[Fork], [Fork], [Fork]],
        "I4"
    );
}

#[test]
fn t4_what_lies_behind_a_gap_is_stored_at_once_and_provisional() {
    let (mut device, mut store) = with_sales(2);
    device.sales(4);
    let answer = store.push(device.push(5, 6));
    assert_eq!(answer.statuses, [Stored; 2]);
    assert_eq!(answer.receipt.contiguous, 2);
    assert_eq!(answer.receipt.held.ranges(), [(1, 2), (5, 6)]);
    assert_eq!(answer.receipt.missing.ranges(), [(3, 4)]);
    let provisional = |seq| is_provisional(store.extent.contiguous, seq);
    assert!(provisional(5) && !provisional(2));
    let answer = store.push(device.push(3, 4));
    assert_eq!(answer.receipt.contiguous, 6);
    assert_eq!(answer.receipt.head, device.head());
    assert!(!is_provisional(store.extent.contiguous, 6));
}

#[test]
fn t4_a_gap_is_forced_after_72_hours_and_stays_missing_and_late_fillers_are_admitted() {
    let (mut device, mut store) = with_sales(1);
    device.sales(5);
    store.push(device.push(4, 4));
    store.push(device.push(6, 6));
    let gap = Gap {
        first: 2,
        last: 3,
        then: 4,
    };
    assert_eq!(store.extent.gap(), Some(gap));
    store.now = HOUR * 72 - 1;
    assert!(!store.tend());
    store.now = HOUR * 72;
    assert!(store.tend());
    assert_eq!(
        (store.extent.contiguous, store.extent.head),
        (4, device.made[3].hash)
    );
    assert_eq!(store.extent.missing().ranges(), [(2, 3), (5, 5)]);
    assert_eq!(
        store.extent.gap(),
        Some(Gap {
            first: 5,
            last: 5,
            then: 6
        })
    );
    let answer = store.push(device.push(2, 3));
    assert_eq!(answer.statuses, [Stored; 2]);
    assert_eq!(answer.receipt.contiguous, 4, "never backwards");
    assert_eq!(answer.receipt.held.ranges(), [(1, 4), (6, 6)]);
    assert_eq!(store.push(device.push(5, 5)).receipt.contiguous, 6);
    let filled = store.extent.clone();
    assert_eq!(
        filled.forced(gap, Hash([0; 32])),
        filled,
        "it was filled meanwhile"
    );
}

#[test]
fn t4_what_fills_a_gap_in_part_does_not_begin_its_wait_anew() {
    let (mut device, mut store) = with_sales(1);
    device.sales(5);
    for (hours, seq) in [(0, 6), (30, 5), (60, 3), (71, 4)] {
        store.now = HOUR * hours;
        assert!(!store.tend());
        store.push(device.push(seq, seq));
    }
    store.now = HOUR * 72 - 1;
    assert!(!store.tend(), "2 has been missing since 6 came");
    store.now = HOUR * 72;
    assert!(store.tend());
    assert_eq!(store.extent.contiguous, 6);
    // One from whose beginning on was filled is missing as long as its end was.
    let (mut device, mut store) = with_sales(1);
    device.sales(3);
    store.push(device.push(4, 4));
    store.now = HOUR * 71;
    store.push(device.push(2, 2));
    store.now = HOUR * 72;
    assert!(store.tend());
    assert_eq!(store.extent.missing().ranges(), [(3, 3)]);
}

#[test]
fn t5_a_break_in_the_chain_is_flagged_and_stored() {
    let (mut device, mut store) = with_sales(2);
    device.sales(2);
    let mut push = device.push(3, 4);
    push.prev = Hash([9; 32]);
    let answer = store.push(push);
    assert_eq!(
        answer.statuses,
        [StoredFlagged, Stored],
        "it goes on from there"
    );
    assert_eq!(answer.remarks[0], [ChainBreak]);
}

#[test]
fn t5_the_first_event_chains_to_the_epochs_genesis() {
    let mut device = Device::new();
    device.sale();
    let mut push = device.push(1, 1);
    push.prev = chain::genesis(DEVICE, 2);
    assert_eq!(Store::new().push(push).statuses, [StoredFlagged]);
}

#[test]
fn t5_a_break_shows_on_the_same_event_whichever_side_came_first() {
    let mut device = Device::new();
    device.sales(3);
    let mut broken = device.push(3, 3);
    broken.prev = Hash([9; 32]);
    let mut in_order = Store::new();
    in_order.push(device.push(1, 2));
    in_order.push(broken.clone());
    let mut other = Store::new();
    other.push(broken);
    let answer = other.push(device.push(1, 2));
    assert_eq!(
        answer.statuses, [Stored; 2],
        "what came later is not at fault"
    );
    assert_eq!(answer.decision.breaks, [3]);
    assert_eq!(in_order.content(), other.content());
}

#[test]
fn t6_events_of_a_revoked_key_are_quarantined_and_fill_their_numbers() {
    let (mut device, mut store) = with_sales(2);
    device.sales(2);
    store.revoked = true;
    let answer = store.push(device.all());
    assert_eq!(
        answer.statuses,
        [Duplicate, Duplicate, Quarantined, Quarantined]
    );
    assert_eq!(answer.remarks[0], [], "what was stored before stays stored");
    assert_eq!(answer.remarks[2], [Revoked]);
    assert_eq!(answer.receipt.contiguous, 4);
    store.readmit(Revoked);
    assert_eq!(store.now(3).status, Stored);
}

#[test]
fn t7_an_unknown_kind_is_parked_raw_and_readmitted_after_the_upgrade() {
    let mut device = Device::new();
    device.sale().of_tomorrow().sale();
    let mut store = Store::new();
    let answer = store.push(device.all());
    assert_eq!(answer.statuses, [Stored, Parked, Stored]);
    assert_eq!(answer.remarks[1], [Later]);
    store.readmit(Later);
    assert_eq!(store.now(2).status, Parked, "not known yet");
    store.upgraded = true;
    store.readmit(Later);
    assert_eq!(store.now(2).status, Stored);
    assert_eq!(
        store.push(device.push(2, 2)).remarks,
        [[Later]],
        "the original result"
    );
}

#[test]
fn t7_what_could_never_be_found_again_does_not_wait() {
    let mut device = Device::new();
    device.put(r#"{"v":99,"kind":"teleport","seq":1}"#);
    let elsewhere = device.bare().write().replace(r#""v":1"#, r#""v":99"#);
    device.put(elsewhere.replace(r#""seq":2"#, r#""seq":9"#));
    let answer = Store::new().push(device.all());
    assert_eq!(answer.statuses, [Quarantined; 2]);
    assert_eq!(answer.remarks, [[Unreadable], [SeqMismatch]]);
}

#[test]
fn t8_a_group_waits_until_it_is_whole_and_is_admitted_whole() {
    let mut device = Device::new();
    device
        .member(1, 1, 3)
        .sale()
        .member(1, 3, 3)
        .member(1, 2, 3);
    let mut store = Store::new();
    let answer = store.push(device.push(1, 3));
    assert_eq!(answer.statuses, [Parked, Stored, Parked]);
    assert_eq!(answer.remarks[0], [GroupIncomplete]);
    assert_eq!(answer.receipt.contiguous, 3, "what waits is held");
    let answer = store.push(device.push(4, 4));
    assert_eq!(answer.statuses, [Stored]);
    let left: Vec<_> = answer
        .decision
        .leaving
        .iter()
        .map(|left| left.seq)
        .collect();
    assert_eq!(left, [1, 3]);
    assert!((1..=4).all(|seq| store.now(seq).status == Stored));
    assert_eq!(
        store.push(device.push(1, 1)).remarks,
        [[GroupIncomplete]],
        "I4"
    );
}

#[test]
fn t8_a_whole_group_in_one_push_never_waits() {
    let mut device = Device::new();
    device.member(1, 2, 2).member(1, 1, 2);
    assert_eq!(Store::new().push(device.all()).statuses, [Stored; 2]);
}

#[test]
fn t8_group_released_takes_the_members_in_as_singles() {
    let mut device = Device::new();
    device.member(1, 1, 3).member(1, 2, 3).member(1, 3, 3);
    let mut store = Store::new();
    store.push(device.push(1, 1));
    store.release(1);
    assert_eq!(store.now(1).remarks, [PartialGroup]);
    let answer = store.push(device.push(2, 2));
    assert_eq!(
        answer.statuses,
        [StoredFlagged],
        "latecomers wait for nobody"
    );
    let standing = store.groups.values().map(|group| group.standing);
    assert!(standing.eq([Standing::Released]));
    store.release(1);
    assert_eq!(store.now(1).status, StoredFlagged);
}

#[test]
fn t8_what_was_missing_of_a_released_group_makes_it_whole() {
    let mut device = Device::new();
    device.member(1, 1, 3).member(1, 3, 3).member(1, 2, 3);
    device.member(1, 2, 3).member(1, 1, 4);
    let mut store = Store::new();
    store.push(device.push(1, 1));
    store.release(1);
    store.push(device.push(2, 2));
    assert_eq!(store.now(2).remarks, [PartialGroup]);
    // Nothing is wrong with any of them any more; what they were told first is told again (I4).
    assert_eq!(store.push(device.push(3, 3)).statuses, [Stored]);
    assert!((1..=3).all(|seq| store.now(seq).status == Stored));
    assert_eq!(store.push(device.push(2, 2)).remarks, [[PartialGroup]]);
    // What does not fit does not even now.
    let answer = store.push(device.push(4, 5));
    assert_eq!(answer.remarks, [[PartialGroup]; 2]);
    assert!((1..=3).all(|seq| store.now(seq).status == Stored));
}

#[test]
fn t8_a_released_group_of_which_no_member_is_known_becomes_whole_by_none() {
    let mut device = Device::new();
    device.member(1, 1, 2).member(1, 1, 2).member(1, 2, 2);
    let mut store = Store::new();
    store.push(device.push(1, 1));
    store.release(1);
    // As they were kept once.
    store
        .groups
        .values_mut()
        .for_each(|group| group.members.clear());
    let answer = store.push(device.push(2, 3));
    assert_eq!(answer.remarks, [[PartialGroup]; 2]);
    assert!((1..=3).all(|seq| store.now(seq).status == StoredFlagged));
    let standing = store.groups.values().map(|group| group.standing);
    assert!(standing.eq([Standing::Released]));
}

#[test]
fn t8_what_does_not_fit_its_group_waits_for_nothing() {
    let mut device = Device::new();
    device.member(1, 1, 3).member(1, 1, 3).member(1, 2, 4);
    let answer = Store::new().push(device.all());
    assert_eq!(answer.statuses, [Parked, StoredFlagged, StoredFlagged]);
    assert_eq!(answer.remarks[1], [PartialGroup]);
}

#[test]
fn t8_a_quarantined_member_is_none() {
    let mut device = Device::new();
    device.sale().member(1, 1, 2);
    let mut second = device.bare();
    second.id = device.id(1);
    device.put(second.write()).member(1, 2, 2);
    let mut store = Store::new();
    store.revoked = true;
    store.push(device.push(2, 2));
    store.revoked = false;
    assert_eq!(store.push(device.push(4, 4)).statuses, [Parked]);
    store.readmit(Revoked);
    assert!(
        store.now(2).in_state() && store.now(4).in_state(),
        "admitted, it completes the group"
    );
}

#[test]
fn t9_a_text_that_does_not_parse_is_quarantined_verbatim_and_fills_its_number() {
    let mut device = Device::new();
    device.sale().put("\u{0}{not json").put("").sale();
    let mut store = Store::new();
    let answer = store.push(device.all());
    assert_eq!(answer.statuses, [Stored, Quarantined, Quarantined, Stored]);
    assert_eq!(answer.remarks[1], [Unreadable]);
    assert_eq!(store.rows[1].text, "\u{0}{not json");
    assert_eq!(answer.receipt.contiguous, 4);
}

#[test]
fn t9_an_event_out_of_its_place_is_quarantined_and_does_not_take_the_place_of_the_true_one() {
    let mut device = Device::new();
    device.sale();
    let mut ahead = device.bare();
    ahead.seq = 3;
    ahead.id = device.id(3);
    device.put(ahead.write()).sale();
    let mut foreign = device.bare();
    foreign.device = DeviceId(Uuid::from_u128(0xbad));
    device.put(foreign.write());
    let mut other_life = device.bare();
    other_life.epoch = 2;
    device.put(other_life.write());
    let answer = Store::new().push(device.all());
    assert_eq!(
        answer.statuses,
        [Stored, Quarantined, Stored, Quarantined, Quarantined]
    );
    assert_eq!(answer.remarks[1], [SeqMismatch]);
    assert_eq!(answer.remarks[3], [SeqMismatch]);
}

#[test]
fn t10_a_closed_period_is_no_matter_of_admission() {
    // Nothing an admission reads tells of periods: an old event is stored as any other.
    let (mut device, mut store) = with_sales(1);
    let mut old = device.bare();
    old.at = 0;
    device.put(old.write());
    assert_eq!(store.push(device.push(2, 2)).statuses, [Stored]);
}

#[test]
fn precedence_is_t9_t6_t7_t3_t2_t5_t8() {
    let order: Vec<&str> = Remark::ALL.iter().map(|remark| remark.rule()).collect();
    // The T9 behind T7 is UNFOLDABLE: nothing is wrong with its text.
    assert_eq!(
        order,
        ["T9", "T9", "T6", "T7", "T9", "T3", "T2", "T5", "T8", "T8"]
    );
    let (device, copy, mut store) = forked();
    // A copy of number 4 in which everything is wrong at once, then less and less.
    let mut event = device.copy(2).bare();
    event.seq = 4;
    event.id = device.id(1);
    let text = event.write();
    let later = text.replace(r#""kind":"sale""#, r#""kind":"teleport""#);
    let decisive = |text: &str, revoked: bool| {
        let mut store = store.clone();
        store.revoked = revoked;
        let push = Push {
            first: 4,
            prev: copy.made[2].hash,
            texts: vec![text.to_owned()],
        };
        let answer = store.push(push);
        assert_eq!(
            answer.decision.forks.len(),
            1,
            "I31: found at the first contact"
        );
        answer.decision.judged[0].kept().outcome.decisive()
    };
    assert_eq!(decisive("rubbish", true), Some(Unreadable));
    assert_eq!(decisive(&later, true), Some(Revoked));
    assert_eq!(decisive(&later, false), Some(Later));
    assert_eq!(decisive(&text, false), Some(Fork));
    // Off the fork: the id before the chain, and the chain before the group.
    event.seq = 6;
    let push = |event: &suyuan_sync::event::Event| Push {
        first: 6,
        prev: Hash([9; 32]),
        texts: vec![event.write()],
    };
    let answer = store.clone().push(push(&event));
    assert_eq!(answer.remarks, [[IdReuse, ChainBreak]]);
    event.id = EventId(Uuid::from_u128(77));
    event.group = Some(suyuan_sync::event::Group {
        id: suyuan_sync::ids::GroupId(Uuid::from_u128(1)),
        n: 1,
        of: 2,
        correct: false,
    });
    let answer = store.push(push(&event));
    assert_eq!(answer.remarks, [[ChainBreak, GroupIncomplete]]);
    assert_eq!(
        answer.statuses,
        [Parked],
        "a break does not tear a group apart"
    );
}

#[test]
fn what_is_lifted_shows_what_lies_behind_it() {
    let (_, copy, mut store) = forked();
    store.revoked = true;
    store.push(copy.push(4, 4));
    store.readmit(Revoked);
    let row = store.rows.last().expect("the copy");
    assert_eq!(
        (row.now.status, row.now.decisive()),
        (Quarantined, Some(Fork))
    );
}

#[test]
fn a_frame_that_is_none_fills_nothing() {
    let mut store = Store::new();
    let mut push = |first, count| {
        let push = Push {
            first,
            prev: Hash([0; 32]),
            texts: vec![String::new(); count],
        };
        store.try_push(&push).err()
    };
    let beyond = Some(FrameFault::BadSeq);
    assert_eq!(push(0, 1), beyond);
    assert_eq!(push(SEQ_MAX, 2), beyond);
    assert_eq!(push(1 << 63, 1), beyond);
    assert_eq!(push(u64::MAX, 500), beyond);
    let many = FrameFault::TooManyEvents {
        max: EVENTS_PER_PUSH_MAX,
    };
    assert_eq!(push(1, 501), Some(many));
    assert_eq!(push(SEQ_MAX, 1), None);
    assert_eq!(store.rows.len(), 1);
}

#[test]
fn more_gaps_than_a_receipt_can_name_are_refused_and_filling_them_never_is() {
    let mut store = Store::new();
    let push = |seq| Push {
        first: seq,
        prev: Hash([0; 32]),
        texts: vec![String::new()],
    };
    for n in 1..=RANGES_MAX as u64 {
        store.push(push(2 * n));
    }
    let refused = store.try_push(&push(9999)).err();
    assert_eq!(refused, Some(FrameFault::TooManyGaps { max: RANGES_MAX }));
    assert!(store.try_push(&push(3)).is_ok());
    assert!(store.try_push(&push(9999)).is_ok());
}

#[test]
fn every_remark_has_a_name_and_what_is_wrong_a_finding() {
    for remark in Remark::ALL {
        assert_eq!(Remark::of_name(remark.name()), Some(*remark));
        assert_eq!(remark.finding().is_none(), remark.status() == Parked);
        if let Some(code) = remark.finding() {
            assert_eq!((code.name(), code.rule()), (remark.name(), remark.rule()));
        }
    }
    assert_eq!(
        FindingCode::of_name("DEVICE_REVOKED"),
        Some(FindingCode::DeviceRevoked)
    );
}

/// The checker is checked: each of these bugs makes the test of its rule fail.
#[cfg(feature = "bugs")]
#[test]
fn bugs_of_admission_are_caught() {
    use suyuan_sync::bugs::{Bug, with};
    let caught: [(Bug, fn()); 5] = [
        (
            Bug::ReceiptOneTooHigh,
            a_push_in_order_is_stored_and_receipted,
        ),
        (
            Bug::ForkOverwrites,
            t3_the_branch_received_first_stays_and_the_other_with_its_descendants_is_quarantined,
        ),
        (
            Bug::GapBlocks,
            t4_what_lies_behind_a_gap_is_stored_at_once_and_provisional,
        ),
        (
            Bug::PoisonFailsBatch,
            t9_a_text_that_does_not_parse_is_quarantined_verbatim_and_fills_its_number,
        ),
        (
            Bug::HashOverRewritten,
            a_push_in_order_is_stored_and_receipted,
        ),
    ];
    for (bug, test) in caught {
        assert!(
            with(bug, || std::panic::catch_unwind(test)).is_err(),
            "{bug:?}"
        );
    }
}
