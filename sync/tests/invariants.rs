//! Each invariant is broken once, and says so: a checker that cannot fail proves nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    chain::{self, Hash},
    event::{Event, Group, Kind, LotLine},
    facts::{Corrected, Fact, PlaceInfo, World},
    finding::{Detail, Finding, FindingCode, LotKey, Subject},
    ids::{DeviceId, EnterpriseId, EventId, GroupId, LocationId, Micros, Seq},
    invariants::{
        Delivered, DeviceHistory, Holds, KeptLine, LogHistory, Logged, Made, Told, Whereabouts,
        i1_nothing_is_lost, i2_nothing_is_invented, i3_exactly_once, i4_a_retry_is_answered_alike,
        i5_receipts_tell_the_truth, i6_groups_stand_whole, i7_nothing_is_rewritten,
        i11_corrections_stand_for_what_they_correct, i11_the_order_is_total,
        i12_who_knew_came_later, i13_each_balance_is_the_sum, i14_fates_add_up,
        i14_no_silent_effect, i14_stated_goods_show, i16_no_finding_without_witnesses,
        i17_goods_of_lots_add_up, i18_a_bad_event_changes_no_others_result,
        i18_nothing_sent_is_a_fault_of_ours, i21_cursors_neither_skip_nor_repeat,
        i23_reads_never_go_back, i26_every_outbox_drains, i28_what_is_parked_leaves_parking,
        i30_every_flipped_bit_is_found, i31_forks_are_found, i31_forks_are_told,
        i32_the_revoked_stay_out,
    },
    lots::{Change, Movement, Moves, Tally},
    order::{Interval, Order},
    wire::{Ranges, Receipt, Signature, Status},
};
use uuid::Uuid;

const DEVICE: DeviceId = DeviceId(Uuid::from_u128(7));

fn event(n: u64) -> EventId {
    EventId(Uuid::from_u128(1000 + u128::from(n)))
}

fn text(n: u64) -> String {
    format!("event {n}")
}

/// The hash before event `n` of the device.
fn before(n: u64) -> Hash {
    let texts: Vec<String> = (1..n).map(text).collect();
    chain::head(chain::genesis(DEVICE, 1), &texts)
}

fn logged(n: u64) -> Logged {
    let at = n as Micros * 10;
    Logged {
        gseq: n as i64,
        recv: at,
        enterprise: EnterpriseId(Uuid::from_u128(1)),
        device: DEVICE,
        epoch: 1,
        seq: n,
        event: Some(event(n)),
        group: None,
        prev_hash: before(n),
        hash: before(n + 1),
        body: text(n).into_bytes(),
        fate: Status::Stored,
        order: Some(Order {
            eff: at,
            device: DEVICE,
            epoch: 1,
            seq: n,
            event: event(n),
        }),
        interval: Interval {
            lo: at,
            est: at,
            hi: at,
        },
    }
}

fn log() -> LogHistory {
    LogHistory {
        events: (1..=3).map(logged).collect(),
    }
}

fn result(seq: Seq, status: Status, gseq: i64) -> Told {
    Told::Result {
        epoch: 1,
        seq,
        hash: before(seq + 1),
        status,
        code: None,
        gseq: Some(gseq),
    }
}

fn receipt(contiguous: Seq, stamp: Micros) -> Told {
    Told::Receipt(Receipt {
        device: DEVICE,
        epoch: 1,
        contiguous_seq: contiguous,
        held_ranges: Ranges::of(1, contiguous),
        missing_ranges: Ranges::EMPTY,
        head_hash: before(contiguous + 1),
        stamp,
        key: 1,
        sig: Signature::of(&"A".repeat(86)).unwrap(),
    })
}

/// A device that sent three events, one of them twice, and was told so.
fn device() -> DeviceHistory {
    DeviceHistory {
        device: DEVICE,
        made: (1..=3)
            .map(|n| Made {
                epoch: 1,
                seq: n,
                event: event(n),
                text: text(n),
                hash: before(n + 1),
                whereabouts: Whereabouts::Dropped,
            })
            .collect(),
        told: vec![
            result(1, Status::Stored, 1),
            receipt(1, 15),
            result(1, Status::Duplicate, 1),
            result(2, Status::Stored, 2),
            result(3, Status::Stored, 3),
            receipt(3, 35),
        ],
    }
}

fn is_broken(holds: Holds, invariant: &str) {
    let broken = holds.expect_err("it should be broken");
    assert_eq!(broken.invariant, invariant, "{broken}");
}

#[test]
fn all_hold_for_an_honest_history() {
    let (log, devices) = (log(), [device()]);
    i1_nothing_is_lost(&log, &devices).unwrap();
    i2_nothing_is_invented(&log, &devices).unwrap();
    i3_exactly_once(&log).unwrap();
    i4_a_retry_is_answered_alike(&devices).unwrap();
    i5_receipts_tell_the_truth(&log, &devices).unwrap();
    i6_groups_stand_whole(&log, &BTreeSet::new()).unwrap();
    i7_nothing_is_rewritten(&log, &log).unwrap();
    i11_the_order_is_total(&log).unwrap();
    i14_no_silent_effect(&log, &(1..=3).map(event).collect(), &[]).unwrap();
    i14_fates_add_up(&log, &devices).unwrap();
    i26_every_outbox_drains(&devices).unwrap();
    i30_every_flipped_bit_is_found(&log).unwrap();
    i31_forks_are_found(&log).unwrap();
    i31_forks_are_told(&devices).unwrap();
}

#[test]
fn i1_a_dropped_event_that_is_not_in_the_log_is_lost() {
    let mut log = log();
    log.events.remove(1);
    is_broken(i1_nothing_is_lost(&log, &[device()]), "I1");
    let mut waiting = device();
    waiting.made[1].whereabouts = Whereabouts::Waiting;
    waiting.told.truncate(2);
    i1_nothing_is_lost(&log, &[waiting]).unwrap();
}

#[test]
fn i1_an_event_that_was_told_a_result_is_in_the_log() {
    let mut log = log();
    log.events.pop();
    let mut waiting = device();
    waiting.made[2].whereabouts = Whereabouts::Waiting;
    is_broken(i1_nothing_is_lost(&log, &[waiting]), "I1");
}

#[test]
fn i2_an_event_nobody_made_is_invented() {
    let mut log = log();
    log.events[2].body = b"another".to_vec();
    is_broken(i2_nothing_is_invented(&log, &[device()]), "I2");
}

#[test]
fn i3_a_second_copy_under_one_number_counts_nowhere() {
    let mut log = log();
    let mut copy = logged(3);
    (copy.gseq, copy.hash, copy.event) = (4, Hash([9; 32]), Some(event(9)));
    log.events.push(copy.clone());
    is_broken(i3_exactly_once(&log), "I3");
    is_broken(i31_forks_are_found(&log), "I31");
    log.events[3].fate = Status::Quarantined;
    i3_exactly_once(&log).unwrap();
    i31_forks_are_found(&log).unwrap();
}

/// Another event under the number 3, made by a copy of the device, that came in after it.
fn second_copy() -> Logged {
    Logged {
        gseq: 4,
        hash: Hash([9; 32]),
        event: Some(event(9)),
        fate: Status::Quarantined,
        order: None,
        ..logged(3)
    }
}

#[test]
fn i31_what_descends_from_a_second_copy_counts_nowhere() {
    let mut log = log();
    log.events.push(second_copy());
    // Each stands alone under its number, so that nothing is there twice.
    log.events.push(Logged {
        gseq: 5,
        prev_hash: second_copy().hash,
        ..logged(4)
    });
    i3_exactly_once(&log).unwrap();
    is_broken(i31_forks_are_found(&log), "I31");
    // What came in before nobody could tell.
    log.events[4].gseq = 0;
    i31_forks_are_found(&log).unwrap();
    // Taken in by a decision, it counts in the next life of the device.
    log.events[4].gseq = 5;
    log.events[4].order.as_mut().unwrap().epoch = 2;
    i31_forks_are_found(&log).unwrap();
}

#[test]
fn i31_a_second_copy_that_is_told_of_no_fork_is_found() {
    let (first, mut copy) = (device(), device());
    let told = |status, code: Option<&str>| Told::Result {
        epoch: 1,
        seq: 3,
        hash: second_copy().hash,
        status,
        code: code.map(str::to_owned),
        gseq: Some(4),
    };
    // It waits, or is kept apart, for another reason: so nobody learns of the copy.
    for (status, code) in [
        (Status::Stored, None),
        (Status::Parked, Some("GROUP_INCOMPLETE")),
        (Status::Quarantined, Some("ID_REUSE")),
        (Status::StoredFlagged, Some("CHAIN_BREAK")),
    ] {
        copy.told = vec![told(status, code)];
        is_broken(i31_forks_are_told(&[first.clone(), copy.clone()]), "I31");
    }
    for code in ["DEVICE_FORK", "DEVICE_REVOKED"] {
        copy.told = vec![told(Status::Quarantined, Some(code))];
        i31_forks_are_told(&[first.clone(), copy.clone()]).unwrap();
    }
}

#[test]
fn i4_a_retry_that_is_told_another_position_is_found() {
    let mut device = device();
    device.told[2] = result(1, Status::Duplicate, 5);
    is_broken(i4_a_retry_is_answered_alike(&[device]), "I4");
}

#[test]
fn i4_a_retry_that_is_no_duplicate_is_found_whichever_answer_comes_first() {
    let mut late = device();
    late.told[0] = result(1, Status::Duplicate, 1);
    late.told[2] = result(1, Status::Stored, 1);
    i4_a_retry_is_answered_alike(&[late]).unwrap();
    let mut twice = device();
    twice.told[2] = result(1, Status::Stored, 1);
    is_broken(i4_a_retry_is_answered_alike(&[twice]), "I4");
}

#[test]
fn i5_a_receipt_one_too_high_is_found() {
    let mut device = device();
    device.told[5] = receipt(4, 35);
    is_broken(i5_receipts_tell_the_truth(&log(), &[device]), "I5");
}

#[test]
fn i5_a_receipt_that_covers_what_came_later_is_found() {
    let mut device = device();
    device.told[1] = receipt(2, 15);
    is_broken(i5_receipts_tell_the_truth(&log(), &[device]), "I5");
}

#[test]
fn i5_a_receipt_that_goes_back_is_found() {
    let mut device = device();
    device.told.push(receipt(2, 45));
    is_broken(i5_receipts_tell_the_truth(&log(), &[device]), "I5");
}

#[test]
fn i6_half_a_group_is_found_unless_it_was_released() {
    let group = GroupId(Uuid::from_u128(5));
    let mut log = log();
    log.events[0].group = Some((group, 2));
    is_broken(i6_groups_stand_whole(&log, &BTreeSet::new()), "I6");
    i6_groups_stand_whole(&log, &BTreeSet::from([group])).unwrap();
}

#[test]
fn i7_and_i30_a_flipped_bit_is_found() {
    let mut later = log();
    later.events[1].body[0] ^= 1;
    is_broken(i7_nothing_is_rewritten(&log(), &later), "I7");
    is_broken(i30_every_flipped_bit_is_found(&later), "I30");
}

#[test]
fn i11_an_order_that_falls_along_a_device_is_found() {
    let mut log = log();
    log.events[2].order.as_mut().unwrap().eff = 5;
    is_broken(i11_the_order_is_total(&log), "I11");
}

#[test]
fn i11_a_correction_that_stands_for_something_else_is_found() {
    let correct = |n| Group {
        id: GroupId(Uuid::from_u128(5)),
        n,
        of: 2,
        correct: true,
    };
    let [first, other] = [1, 2].map(|n| of_a_lot(n, Kind::Inbound));
    let mut retract = of_a_lot(3, Kind::Retract);
    let said = Arc::make_mut(&mut retract.event);
    (said.target, said.group) = (Some(first.event.id), Some(correct(1)));
    let mut new = of_a_lot(4, Kind::Inbound);
    Arc::make_mut(&mut new.event).group = Some(correct(2));
    let holds =
        |new: &Fact| i11_corrections_stand_for_what_they_correct(&[&first, &other, &retract, new]);
    assert_eq!(holds(&new), Ok(()));
    let stands_for = |fact: &Fact| {
        let mut new = new.clone();
        new.correct(Arc::new(Corrected::of(fact)));
        new
    };
    assert_eq!(holds(&stands_for(&first)), Ok(()));
    is_broken(holds(&stands_for(&other)), "I11");
    let mut moved = stands_for(&first);
    moved.order.eff += 1;
    is_broken(holds(&moved), "I11");
    moved = stands_for(&first);
    moved.order.seq = 4;
    is_broken(holds(&moved), "I11");
    moved = new.clone();
    moved.order.event = first.event.id;
    is_broken(holds(&moved), "I11");
    // What is told of the first is what was stated.
    let edits: [fn(&mut Corrected); 9] = [
        |of| of.interval.lo -= 1,
        |of| of.interval.hi += 1,
        |of| of.delivered += 1,
        |of| of.list_version = Some(1),
        |of| of.mono_ms += 1,
        |of| of.epoch += 1,
        |of| of.order.eff -= 1,
        |of| of.order.eff += 1,
        |of| of.lots.extend([("06901234567892".to_owned(), None)]),
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        let mut corrects = Corrected::of(&first);
        edit(&mut corrects);
        let mut edited = new.clone();
        edited.correct(Arc::new(corrects));
        let broken = holds(&edited).is_err();
        assert!(broken, "edit {n} is not found");
    }
}

#[test]
fn i12_an_act_ordered_before_what_it_knew_is_found() {
    let (first, second) = (logged(1).order.unwrap(), logged(2).order.unwrap());
    i12_who_knew_came_later(&[(first, second)]).unwrap();
    is_broken(i12_who_knew_came_later(&[(second, first)]), "I12");
}

/// A line to which ten came, twelve went before that, and of which a count saw five.
fn line() -> KeptLine {
    let key = LotKey {
        gtin: "06901234567892".into(),
        lot: None,
        location: suyuan_sync::ids::LocationId(Uuid::from_u128(3)),
    };
    let moved = |n: u64, change| Movement {
        order: logged(n).order.unwrap(),
        change,
    };
    let accepted = true;
    let movements = vec![
        moved(3, Change::Counted { there: 5, accepted }),
        moved(1, Change::Out { qty: 12 }),
        moved(2, Change::In { qty: 10 }),
        moved(3, carried(0, 2)),
    ];
    KeptLine {
        findings: vec![Finding {
            code: FindingCode::NegBalance,
            subject: Subject::Lot(key.clone()),
            event: event(1),
            device: DEVICE,
            batch: None,
            witnesses: vec![event(1)],
            detail: Detail::Balance {
                from: 10,
                until: Some(30),
                lowest: -12,
            },
        }],
        key,
        balance: 7,
        movements,
    }
}

#[test]
fn i13_a_balance_that_is_not_the_sum_is_found_and_so_is_an_instant_below_zero() {
    i13_each_balance_is_the_sum(&[line()]).unwrap();
    let mut other = line();
    other.balance = 8;
    is_broken(i13_each_balance_is_the_sum(&[other]), "I13");
    let mut other = line();
    other.movements.pop();
    is_broken(i13_each_balance_is_the_sum(&[line(), other]), "I13");
    let mut other = line();
    other.findings.clear();
    is_broken(i13_each_balance_is_the_sum(&[other]), "I13");
    let mut other = line();
    other.movements[1].change = Change::Out { qty: 11 };
    is_broken(i13_each_balance_is_the_sum(&[other]), "I13");
}

#[test]
fn i14_fates_that_do_not_add_up_are_found() {
    let (mut log, devices) = (log(), [device()]);
    i14_fates_add_up(&log, &devices).unwrap();
    log.events[1].fate = Status::Quarantined;
    log.events[2].fate = Status::Parked;
    i14_fates_add_up(&log, &devices).unwrap();
    let mut twice = log.clone();
    twice.events.push(Logged {
        gseq: 4,
        ..logged(2)
    });
    is_broken(i14_fates_add_up(&twice, &devices), "I14");
    log.events[0].fate = Status::Duplicate;
    is_broken(i14_fates_add_up(&log, &devices), "I14");
    log.events.remove(0);
    is_broken(i14_fates_add_up(&log, &devices), "I14");
}

#[test]
fn i14_an_event_that_shows_nowhere_is_found() {
    let shown = BTreeSet::from([event(1), event(2)]);
    is_broken(i14_no_silent_effect(&log(), &shown, &[]), "I14");
}

/// An event of five and two of a lot at place 3; where it stands is `n`.
fn of_a_lot(n: u64, kind: Kind) -> Fact {
    let Logged {
        order, interval, ..
    } = logged(n);
    let line = |qty| LotLine {
        gtin: "06901234567892".into(),
        lot: None,
        qty,
    };
    let mut stated = Event::bare(kind, event(n), DEVICE, 1, n, 0);
    stated.location = LocationId(Uuid::from_u128(3));
    stated.lots = vec![line(5), line(2)];
    Fact {
        order: order.unwrap(),
        interval,
        gseq: n as i64,
        enterprise: EnterpriseId(Uuid::from_u128(1)),
        event: Arc::new(stated),
        delivered: 0,
        flags: Vec::new(),
        corrects: None,
    }
}

fn line_with(n: u64, change: Change) -> KeptLine {
    let order = logged(n).order.unwrap();
    KeptLine {
        movements: vec![Movement { order, change }],
        ..line()
    }
}

#[test]
fn i14_goods_that_are_stated_and_do_not_show_are_found() {
    let (world, none) = (World::default(), BTreeSet::new());
    let shows = |world: &World, facts: &[&Fact], line: KeptLine| {
        i14_stated_goods_show(world, facts, &none, &[line])
    };
    let (came, went) = (of_a_lot(1, Kind::Inbound), of_a_lot(2, Kind::Sale));
    let (all, fewer) = (Change::In { qty: 7 }, Change::In { qty: 6 });
    shows(&world, &[&came], line_with(1, all)).unwrap();
    is_broken(shows(&world, &[&came], line_with(1, fewer)), "I14");
    is_broken(shows(&world, &[&came], line_with(2, all)), "I14");
    is_broken(shows(&world, &[&went], line_with(2, all)), "I14");
    // With what is in a container.
    let with = |by| line_with(2, carried(by, 0));
    shows(&world, &[&went], with(-9)).unwrap();
    is_broken(shows(&world, &[&went], with(-6)), "I14");
    // What is struck need not show.
    let struck = BTreeSet::from([came.order]);
    i14_stated_goods_show(&world, &[&came], &struck, &[]).unwrap();
}

/// A container brings so many, and so many more lie in containers.
fn carried(by: i64, inside: i64) -> Change {
    Change::Carried(Moves {
        by,
        inside,
        ..Moves::default()
    })
}

#[test]
fn i14_goods_stated_at_anothers_place_show_as_that() {
    let place = PlaceInfo {
        enterprise: EnterpriseId(Uuid::from_u128(2)),
        plant: false,
    };
    let places = BTreeMap::from([(LocationId(Uuid::from_u128(3)), place)]);
    let world = World {
        places: places.into(),
        ..World::default()
    };
    let (none, came) = (BTreeSet::new(), of_a_lot(1, Kind::Inbound));
    let code = FindingCode::UnexpectedHolder;
    let found = line_with(1, Change::Found { code });
    i14_stated_goods_show(&world, &[&came], &none, &[found]).unwrap();
    let taken = line_with(1, Change::In { qty: 7 });
    is_broken(
        i14_stated_goods_show(&world, &[&came], &none, &[taken]),
        "I14",
    );
}

#[test]
fn i14_counts_in_several_documents_show_where_the_last_of_them_stands() {
    let (world, none) = (World::default(), BTreeSet::new());
    let document = |n: u64| {
        let mut fact = of_a_lot(n, Kind::Count);
        Arc::make_mut(&mut fact.event).group = Some(Group {
            id: GroupId(Uuid::from_u128(9)),
            n: n as u32,
            of: 2,
            correct: false,
        });
        fact
    };
    let (one, other) = (document(1), document(2));
    let shows = |line| i14_stated_goods_show(&world, &[&one, &other], &none, &[line]);
    let saw = |there| Change::Counted {
        there,
        accepted: false,
    };
    shows(line_with(2, saw(14))).unwrap();
    is_broken(shows(line_with(2, saw(7))), "I14");
    is_broken(shows(line_with(1, saw(14))), "I14");
}

#[test]
fn i16_a_finding_whose_witness_does_not_count_is_found() {
    let mut log = log();
    let finding = Finding {
        code: FindingCode::DoubleSale,
        subject: Subject::Unit(suyuan_sync::unit::UnitKey::kept("/01/06901234567892/21/A")),
        event: event(2),
        device: log.events[1].device,
        batch: None,
        witnesses: vec![event(1), event(2)],
        detail: Detail::Nothing,
    };
    i16_no_finding_without_witnesses(&log, std::slice::from_ref(&finding)).unwrap();
    log.events[0].fate = Status::Quarantined;
    is_broken(
        i16_no_finding_without_witnesses(&log, std::slice::from_ref(&finding)),
        "I16",
    );
}

#[test]
fn i17_goods_of_a_lot_that_do_not_add_up_are_found() {
    let key = |place: u128| LotKey {
        gtin: "06901234567892".into(),
        lot: Some("L1".into()),
        location: LocationId(Uuid::from_u128(place)),
    };
    let tally = Tally {
        received: 10,
        sold: 4,
        counted: -1,
        on_hand: 5,
        ..Tally::default()
    };
    let kept = BTreeMap::from([(key(1), 5)]);
    i17_goods_of_lots_add_up(&kept, &BTreeMap::from([(key(1), tally)])).unwrap();
    for wrong in [
        Tally { sold: 5, ..tally },
        Tally {
            on_hand: 6,
            received: 11,
            ..tally
        },
    ] {
        let told = BTreeMap::from([(key(1), wrong)]);
        is_broken(i17_goods_of_lots_add_up(&kept, &told), "I17");
    }
}

#[test]
fn i21_a_skipped_entry_and_a_repeated_one_are_found() {
    let scope = [("a".to_owned(), 3), ("b".to_owned(), 5)];
    let page = |after, upto, items: &[(&str, i64)]| Delivered {
        after,
        upto,
        items: items
            .iter()
            .map(|(what, at)| ((*what).to_owned(), *at))
            .collect(),
        applied: true,
        more: false,
    };
    let pages = [page(0, 4, &[("a", 3)]), page(4, 6, &[("b", 5)])];
    i21_cursors_neither_skip_nor_repeat(&scope, &pages, 6).unwrap();
    is_broken(
        i21_cursors_neither_skip_nor_repeat(&scope, &pages[..1], 6),
        "I21",
    );
    let again = [page(0, 4, &[("a", 3)]), page(4, 6, &[("a", 3), ("b", 5)])];
    is_broken(
        i21_cursors_neither_skip_nor_repeat(&scope, &again, 6),
        "I21",
    );
}

#[test]
fn i23_a_read_below_what_was_receipted_is_found() {
    i23_reads_never_go_back(&[(3, 5), (4, 6)]).unwrap();
    is_broken(i23_reads_never_go_back(&[(6, 5)]), "I23");
    is_broken(i23_reads_never_go_back(&[(3, 6), (3, 5)]), "I23");
}

#[test]
fn i26_a_waiting_event_is_found() {
    let mut device = device();
    device.made[2].whereabouts = Whereabouts::Waiting;
    is_broken(i26_every_outbox_drains(&[device]), "I26");
}

#[test]
fn i32_what_came_under_a_revoked_key_does_not_count() {
    let revoked = BTreeMap::from([((DEVICE, 1), 2)]);
    is_broken(
        i32_the_revoked_stay_out(&log(), &revoked, &BTreeSet::new()),
        "I32",
    );
    i32_the_revoked_stay_out(&log(), &revoked, &BTreeSet::from([event(3)])).unwrap();
}

#[test]
fn i18_a_neighbour_that_is_told_otherwise_is_found() {
    let sound = ["stored", "stored", "flagged"];
    let tied = BTreeSet::from([1]);
    let judged = |spoilt: &[&str]| i18_a_bad_event_changes_no_others_result(&sound, spoilt, &tied);
    judged(&sound).unwrap();
    judged(&["stored", "unreadable", "flagged"]).unwrap();
    is_broken(judged(&["stored", "unreadable", "stored"]), "I18");
    is_broken(judged(&["stored", "unreadable"]), "I18");
    is_broken(
        judged(&["stored", "unreadable", "flagged", "stored"]),
        "I18",
    );
}

#[test]
fn i18_a_fault_of_ours_is_found() {
    for status in [200, 401, 413, 429, 503] {
        i18_nothing_sent_is_a_fault_of_ours("/v1/sync/push", status, "").unwrap();
    }
    for status in [500, 502, 599] {
        let broken = i18_nothing_sent_is_a_fault_of_ours("/v1/sync/push", status, "");
        is_broken(broken, "I18");
    }
}

#[test]
fn i28_what_waits_for_its_group_for_too_long_is_found() {
    let judged = |now| i28_what_is_parked_leaves_parking(&[(3, 80), (9, 50)], now, 72);
    judged(122).unwrap();
    is_broken(judged(123), "I28");
    i28_what_is_parked_leaves_parking(&[], i64::MAX, 0).unwrap();
}
