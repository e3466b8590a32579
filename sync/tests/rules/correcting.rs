//! C10: where corrections stand.

use super::*;
use histories::stage::{BATCH, EXPIRY, MINUTE, START, good::*};
use suyuan_sync::{
    event::{Disposition, Group},
    facts::{Fact, StatedAt},
    finding::{Knowledge, When},
    fold,
    ids::{GroupId, Micros},
    invariants::i11_corrections_stand_for_what_they_correct,
};

/// The `n`th of a correction.
fn member(line: Line, n: u32, id: u128) -> Line {
    let group = Group {
        id: GroupId(uuid::Uuid::from_u128(id)),
        n,
        of: 2,
        correct: true,
    };
    line.saying(move |event| event.group = Some(group))
}

/// Says something else instead of an event, by whoever says it.
fn instead(told: &mut Telling, target: EventId, retract: Line, new: Line) -> EventId {
    let id = target.0.as_u128();
    told.tell(member(retract.target(target), 1, id));
    told.tell(member(new, 2, id))
}

fn retract() -> Line {
    line(Kind::Retract, SHOP)
}

fn receipt(doc: &str) -> Line {
    let goods = line(Kind::Inbound, SHOP).of(&[TIN_1, TIN_2]);
    goods.with(MAKER).doc(doc)
}

/// Two tins were received and one of them sold.
fn received_and_sold() -> (Telling, EventId) {
    let mut told = Telling::new();
    let sent = line(Kind::Outbound, PLANT).of(&[TIN_1, TIN_2]);
    told.tell(sent.to(SHOP));
    let received = told.tell(receipt("D1"));
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    (told, received)
}

fn stand(told: &Telling) {
    let facts: Vec<&Fact> = told.facts.iter().collect();
    let holds = i11_corrections_stand_for_what_they_correct(&facts);
    assert_eq!(holds, Ok(()));
}

#[test]
fn c10_a_corrected_receipt_brings_nothing_back_that_was_sold_since() {
    let (mut told, received) = received_and_sold();
    instead(&mut told, received, retract(), receipt("D2"));
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
    assert_eq!(phase(&told, TIN_1), Phase::Sold);
    assert_eq!(phase(&told, TIN_2), Phase::InStock);
    stand(&told);
}

#[test]
fn c10_a_corrected_receipt_of_a_lot_leaves_no_balance_below_zero() {
    let mut told = Telling::new();
    let goods = |qty| line(Kind::Inbound, SHOP).lot(Some("S1"), qty).with(MAKER);
    let received = told.tell(goods(10));
    told.tell(line(Kind::Sale, SHOP).lot(Some("S1"), 5));
    instead(&mut told, received, retract(), goods(12));
    let found = verdict(&told).findings;
    assert!(found.is_empty(), "{found:?}");
    assert!(verdict(&told).lots.values().any(|balance| *balance == 7));
}

/// Neither strikes what the other states: both count until somebody who may strikes one.
#[test]
fn c10_two_corrections_of_one_event_both_count_until_one_is_struck() {
    let mut told = Telling::new();
    let goods = |line: Line, qty| line.lot(Some("S1"), qty).with(MAKER);
    let received = told.tell(goods(line(Kind::Inbound, SHOP), 10));
    let first = instead(
        &mut told,
        received,
        retract(),
        goods(line(Kind::Inbound, SHOP), 12),
    );
    let boss = |kind| Line::new(kind, OTHER_CASHIER, SHOP).supervisor();
    told.tell(member(boss(Kind::Retract).target(received), 1, 77));
    told.tell(member(goods(boss(Kind::Inbound), 11), 2, 77));
    let balance = |told: &Telling| verdict(told).lots.values().sum::<i64>();
    assert_eq!(balance(&told), 23);
    stand(&told);
    told.tell(boss(Kind::Retract).target(first));
    assert_eq!(balance(&told), 11);
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
}

#[test]
fn c10_a_corrected_pack_takes_nothing_back_to_the_plant() {
    let pack = |goods: &[usize]| line(Kind::Pack, PLANT).of(goods).into(CASE_1);
    let mut told = Telling::new();
    let packed = told.tell(pack(&[TIN_1, SHORT_TIN]));
    told.tell(line(Kind::Outbound, PLANT).of(&[CASE_1]).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&[CASE_1]).with(MAKER));
    let struck = line(Kind::Retract, PLANT);
    instead(&mut told, packed, struck, pack(&[TIN_1, TIN_2]));
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
    for good in [CASE_1, TIN_1, TIN_2] {
        assert_eq!(state(&told, good).place, Place::At(SHOP));
    }
    // It was never in there, and never left.
    assert_eq!(state(&told, SHORT_TIN).place, Place::At(PLANT));
    assert_eq!(state(&told, TIN_2).inside, Some(stage::unit(CASE_1)));
}

#[test]
fn c10_a_corrected_sale_stands_before_its_return() {
    let (mut told, sale) = sold();
    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]).doc("R1"));
    let inspected = line(Kind::Inspect, SHOP).of(&[TIN_1]);
    told.tell(inspected.disposition(Disposition::Sellable));
    let new = line(Kind::Sale, SHOP).of(&[TIN_1]).doc("R2");
    instead(&mut told, sale, retract(), new);
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
    assert_eq!(phase(&told, TIN_1), Phase::InStock);
}

#[test]
fn c10_what_stands_at_the_same_instant_behind_the_first_stays_behind_what_corrects_it() {
    let at = 2 * HOUR;
    let mut told = Telling::new();
    let sent = line(Kind::Outbound, PLANT).of(&[TIN_1, TIN_2]);
    told.tell(sent.to(SHOP));
    let received = told.tell(receipt("D1").at(at));
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).at(at));
    instead(&mut told, received, retract(), receipt("D2"));
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
    assert_eq!(phase(&told, TIN_1), Phase::Sold);
}

#[test]
fn c10_what_corrects_a_correction_stands_where_the_first_stood() {
    let boss = |kind| Line::new(kind, OTHER_CASHIER, SHOP).supervisor();
    let goods = |line: Line| line.of(&[TIN_1, TIN_2]).with(MAKER);
    for second in [
        (retract(), receipt("D3")),
        (boss(Kind::Retract), goods(boss(Kind::Inbound)).doc("D3")),
    ] {
        let (mut told, received) = received_and_sold();
        let first = instead(&mut told, received, retract(), receipt("D2"));
        let last = instead(&mut told, first, second.0, second.1);
        assert!(quiet(&told), "{:?}", verdict(&told).findings);
        assert_eq!(phase(&told, TIN_1), Phase::Sold);
        // And once more, by the first again.
        instead(&mut told, last, retract().supervisor(), receipt("D4"));
        assert!(quiet(&told), "{:?}", verdict(&told).findings);
        assert_eq!(phase(&told, TIN_1), Phase::Sold);
        stand(&told);
    }
}

#[test]
fn c10_a_correction_that_has_no_effect_or_comes_before_what_it_corrects_keeps_its_own_place() {
    // Of somebody else's: it does not count at all.
    let (mut told, received) = received_and_sold();
    let before = told.facts.clone();
    let struck = retract().by("another");
    let new = instead(&mut told, received, struck, receipt("D2"));
    assert_eq!(phase(&told, TIN_1), Phase::Sold);
    assert_eq!(of(&told, new), []);
    let place = |told: &Telling| told.facts.last().unwrap().order;
    assert_eq!(place(&told).eff, START + 5 * HOUR);
    assert_eq!(told.facts[..before.len()], before[..]);
    // What comes in afterwards moves nothing: the new event stands where it was stated.
    let mut told = Telling::new();
    let sent = line(Kind::Outbound, PLANT).of(&[TIN_1, TIN_2]);
    told.tell(sent.to(SHOP));
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).at(3 * HOUR));
    let received = stage::event(4);
    let new = receipt("D2").at(5 * HOUR);
    let new = instead(&mut told, received, retract().at(5 * HOUR), new);
    assert_eq!(place(&told).eff, START + 5 * HOUR);
    assert_eq!(told.tell(receipt("D1").at(2 * HOUR)), received);
    assert!(of(&told, new).contains(&FindingCode::InboundAfterSale));
    stand(&told);
}

#[test]
fn c10_each_new_event_takes_the_place_of_what_one_retract_strikes() {
    let sale = |doc: &str| line(Kind::Sale, SHOP).of(&[TIN_1]).doc(doc);
    let (mut told, received) = received_and_sold();
    let sold = stage::event(2);
    told.tell(line(Kind::Return, SHOP).of(&[TIN_1]).doc("R2"));
    told.tell(member(retract().target(received), 1, 9));
    told.tell(member(retract().target(sold), 2, 9));
    told.tell(member(receipt("D2"), 3, 9));
    told.tell(member(sale("R2"), 4, 9));
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
    assert_eq!(phase(&told, TIN_1), Phase::Returned);
    // What is left over stands where it was stated.
    let inspected = line(Kind::Inspect, SHOP).of(&[TIN_1]);
    told.tell(member(inspected.disposition(Disposition::Sellable), 5, 9));
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
    assert_eq!(phase(&told, TIN_1), Phase::InStock);
    stand(&told);
}

#[test]
fn c10_who_corrects_a_sale_is_judged_by_when_it_was_and_by_what_was_known_then() {
    // Recalled since, as the device knows by now; expired since.
    let (mut told, sale) = sold();
    told.recall(&[BATCH], 3 * HOUR + MINUTE);
    let again = |kind| line(kind, SHOP).of(&[TIN_1]).list(60).delivered(60);
    instead(&mut told, sale, retract(), again(Kind::Sale).doc("R2"));
    let found = finding(&told, TIN_1, FindingCode::SoldRecalled).unwrap();
    let Detail::SoldRecalled {
        when, knowledge, ..
    } = found.detail
    else {
        panic!("{found:?}");
    };
    assert_eq!((when, knowledge), (When::Before, Knowledge::CouldNotKnow));
    assert_eq!(about(&told, TIN_1), [FindingCode::SoldRecalled]);

    let mut told = Telling::new();
    let before: Micros = EXPIRY - START - HOUR;
    told.tell(line(Kind::Outbound, PLANT).of(&[SHORT_TIN]).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&[SHORT_TIN]).with(MAKER));
    let short = |after| line(Kind::Sale, SHOP).of(&[SHORT_TIN]).at(before + after);
    let sale = told.tell(short(0));
    let struck = retract().at(before + 3 * HOUR);
    instead(&mut told, sale, struck, short(3 * HOUR).doc("R2"));
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
}

/// What is said of the sale of a good that was recalled.
fn sold_recalled(told: &Telling, good: usize) -> Option<(When, Knowledge)> {
    let found = finding(told, good, FindingCode::SoldRecalled)?;
    match found.detail {
        Detail::SoldRecalled {
            when, knowledge, ..
        } => Some((when, knowledge)),
        other => panic!("{other:?}"),
    }
}

/// Of whom the recall was known when the correction was made.
const KNOWING: Option<(When, Knowledge)> = Some((When::After, Knowledge::Knew));
/// Of whom it was not, since it came later.
const BEFORE: Option<(When, Knowledge)> = Some((When::Before, Knowledge::CouldNotKnow));

/// Goods came into the shop, with a case that two of them are in.
fn received() -> Telling {
    let mut told = Telling::new();
    let pack = |goods: &[usize]| line(Kind::Pack, PLANT).of(goods).into(CASE_1);
    told.tell(pack(&[VOID_TIN, SHORT_TIN]).at(MINUTE));
    let goods = [TIN_1, TIN_2, CASE_1];
    told.tell(line(Kind::Outbound, PLANT).of(&goods).to(SHOP).at(HOUR));
    let goods = line(Kind::Inbound, SHOP).of(&goods).lot(Some("S1"), 10);
    told.tell(goods.with(MAKER).at(2 * HOUR));
    told
}

#[test]
fn c10_a_correction_takes_the_place_of_what_is_of_its_kind_and_at_its_place() {
    // A count from before the recall gives a sale after it neither its place nor what was known then.
    for (kind, place) in [(Kind::Count, SHOP), (Kind::Sale, OTHER_SHOP)] {
        let mut told = received();
        let early = Line::new(kind, CASHIER, place).of(&[TIN_1]);
        let early = told.tell(early.at(3 * HOUR));
        told.recall(&[BATCH], 4 * HOUR);
        let knowing = |kind| line(kind, SHOP).list(60).delivered(60);
        let sold = instead(
            &mut told,
            early,
            knowing(Kind::Retract).at(5 * HOUR),
            knowing(Kind::Sale).of(&[TIN_1]).at(6 * HOUR),
        );
        assert_eq!(sold_recalled(&told, TIN_1), KNOWING);
        let sold = told.facts.iter().find(|fact| fact.event.id == sold);
        assert_eq!(sold.unwrap().order.eff, START + 6 * HOUR);
        stand(&told);
    }
}

/// Who waits with putting right which tin was sold until its recall is over is not out of it.
#[test]
fn c10_a_recall_that_was_closed_before_a_sale_was_put_right_concerns_it_all_the_same() {
    let mut told = received();
    let recall = told.recall(&[BATCH], 3 * HOUR);
    let sold = told.tell(line(Kind::Sale, SHOP).of(&[FOREIGN_TIN]).at(4 * HOUR));
    told.world.recalls[recall].closed = Some(StatedAt {
        at: START + 5 * HOUR,
        gseq: 50,
    });
    instead(
        &mut told,
        sold,
        retract().list(60).delivered(60),
        line(Kind::Sale, SHOP)
            .of(&[TIN_1])
            .list(60)
            .delivered(60)
            .at(9 * HOUR),
    );
    assert!(sold_recalled(&told, TIN_1).is_some());
    stand(&told);
}

#[test]
fn c10_new_events_in_another_order_than_their_retracts_take_their_own_places() {
    let sale = |doc: &str| line(Kind::Sale, SHOP).of(&[TIN_1]).doc(doc);
    let (mut told, received) = received_and_sold();
    told.tell(member(retract().target(received), 1, 9));
    told.tell(member(retract().target(stage::event(2)), 2, 9));
    let sold = told.tell(member(sale("R2"), 3, 9));
    let came = told.tell(member(receipt("D2"), 4, 9));
    let place = |id| {
        let mut facts = told.facts.iter();
        facts.find(|fact| fact.event.id == id).unwrap().order.eff
    };
    assert_eq!(place(came), START + 2 * HOUR);
    assert_eq!(place(sold), START + 3 * HOUR);
    assert!(quiet(&told), "{:?}", verdict(&told).findings);
    stand(&told);
    // Nobody knows what a retract strikes whose target is not in: the next of that place does not go instead.
    let (mut told, received) = received_and_sold();
    told.tell(member(retract().target(stage::event(99)), 1, 9));
    told.tell(member(retract().target(received), 2, 9));
    told.tell(member(receipt("D2"), 3, 9));
    assert!(told.facts.last().unwrap().corrects.is_none());
    told.tell(member(receipt("D3"), 4, 9));
    assert!(told.facts.last().unwrap().corrects.is_some());
    stand(&told);
}

#[test]
fn c10_what_is_of_a_group_with_a_corrections_retract_is_said_instead_whatever_it_calls_itself() {
    let (mut told, received) = received_and_sold();
    told.tell(member(retract().target(received), 1, 9));
    let plain = |event: &mut suyuan_sync::event::Event| {
        event.group = event.group.map(|group| Group {
            correct: false,
            ..group
        });
    };
    told.tell(member(receipt("D2"), 2, 9).saying(plain));
    let corrects = |told: &Telling| told.facts.last().unwrap().corrects.is_some();
    assert!(corrects(&told));
    told.tell(member(receipt("D3"), 3, 9));
    assert!(!corrects(&told));
    stand(&told);
    // A retract that is none of a correction gives no place.
    let (mut told, received) = received_and_sold();
    told.tell(member(retract().target(received), 1, 9).saying(plain));
    told.tell(member(receipt("D2"), 2, 9));
    assert!(!corrects(&told));
}

#[test]
fn c10_no_more_of_a_group_take_places_than_a_group_may_have() {
    let what = fold::What {
        kind: Kind::Inbound,
        location: SHOP,
    };
    let members = (0..502).map(|n| {
        let does = match n % 2 {
            0 => fold::Does::Strikes(Some(what)),
            _ => fold::Does::Says(what),
        };
        (n, Some(does), n)
    });
    let expected: Vec<(u64, u64)> = (0..250).map(|n| (2 * n + 1, 2 * n)).collect();
    assert_eq!(fold::pairs(members), expected);
}

#[test]
fn c10_of_goods_that_only_the_correction_names_a_sale_is_judged_by_the_correction() {
    let mut told = received();
    let sold = told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]).at(3 * HOUR));
    told.recall(&[BATCH], 4 * HOUR);
    let knowing = |kind| line(kind, SHOP).list(60).delivered(60);
    let new = knowing(Kind::Sale).of(&[TIN_1, TIN_2]).at(6 * HOUR);
    let struck = || knowing(Kind::Retract).at(5 * HOUR);
    let new = instead(&mut told, sold, struck(), new);
    assert_eq!(sold_recalled(&told, TIN_1), BEFORE);
    assert_eq!(sold_recalled(&told, TIN_2), KNOWING);
    // Both stand where the first stood.
    let last = told.facts.last().unwrap();
    assert_eq!((last.event.id, last.order.eff), (new, START + 3 * HOUR));
    // It is corrected again, and names what the first did: that is judged as it was.
    let struck = knowing(Kind::Retract).at(7 * HOUR);
    let again = knowing(Kind::Sale).of(&[TIN_1, TIN_2]).at(8 * HOUR);
    instead(&mut told, new, struck, again);
    assert_eq!(sold_recalled(&told, TIN_1), BEFORE);
    assert_eq!(sold_recalled(&told, TIN_2), KNOWING);
    stand(&told);

    // What is in a case is judged as the case is that was named.
    for (first, is_expired) in [(CASE_1, false), (TIN_1, true)] {
        let mut told = received();
        let sale = |goods: &[usize], at| line(Kind::Sale, SHOP).of(goods).at(at);
        let before = EXPIRY - START - HOUR;
        let sold = told.tell(sale(&[first], before));
        let struck = retract().at(before + 2 * HOUR);
        let new = sale(&[CASE_1], before + 3 * HOUR);
        let new = instead(&mut told, sold, struck, new);
        let found = of(&told, new).contains(&FindingCode::SoldExpired);
        assert_eq!(found, is_expired, "{first}");
    }
}

#[test]
fn c10_of_lots_a_corrected_sale_is_judged_by_the_first_if_it_names_nothing_besides() {
    let knowing = |kind| line(kind, SHOP).list(60).delivered(60);
    for (first, also, expected) in [
        (Some("S1"), None, When::Before),
        (Some("S2"), None, When::After),
        (Some("S1"), Some(TIN_2), When::After),
    ] {
        let mut told = received();
        let sold = line(Kind::Sale, SHOP).of(&[TIN_1]).lot(first, 5);
        let sold = told.tell(sold.at(3 * HOUR));
        told.recall(&[stage::LOOSE_BATCH], 4 * HOUR);
        let goods: Vec<usize> = [Some(TIN_1), also].into_iter().flatten().collect();
        let new = knowing(Kind::Sale).of(&goods).lot(Some("S1"), 4);
        let struck = knowing(Kind::Retract).at(5 * HOUR);
        let new = instead(&mut told, sold, struck, new.at(6 * HOUR));
        let found = verdict(&told).findings;
        let found = found.iter().find(|found| {
            found.event == new && matches!(found.detail, Detail::SoldRecalled { .. })
        });
        let Some(Detail::SoldRecalled { when, .. }) = found.map(|found| &found.detail) else {
            panic!("{first:?}");
        };
        assert_eq!(*when, expected, "{first:?}");
    }
}

#[test]
fn c10_a_corrected_sale_is_as_certain_as_the_one_it_stands_for() {
    let sale = |hand| Line::new(Kind::Sale, hand, SHOP).of(&[TIN_1]);
    let uncertain = |line: Line| line.give_or_take(HOUR, HOUR);
    for (other, is_uncertain) in [(CASHIER, false), (OTHER_CASHIER, true)] {
        let mut told = in_the_shop();
        let first = told.tell(uncertain(sale(CASHIER)).at(3 * HOUR));
        let second = told.tell(uncertain(sale(other)).at(3 * HOUR + MINUTE));
        // At the desk, days later and known to the minute.
        let desk = |kind| Line::new(kind, OTHER_CASHIER, SHOP).supervisor();
        let new = desk(Kind::Sale).of(&[TIN_1]).doc("R2").at(90 * HOUR);
        instead(&mut told, first, desk(Kind::Retract).at(89 * HOUR), new);
        let found = of(&told, second);
        assert!(found.contains(&FindingCode::DoubleSale), "{found:?}");
        let found = found.contains(&FindingCode::OrderUncertain);
        assert_eq!(found, is_uncertain);
    }
}
