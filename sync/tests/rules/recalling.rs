//! C9: the sale of a recalled unit, when and with what knowledge.

use super::*;
use histories::stage::{BATCH, DAY, MINUTE, SHORT_BATCH, good::*, recall};
use std::collections::BTreeSet;
use suyuan_sync::{
    event::{Input, Override, UnitRead},
    facts::StatedAt,
    finding::{Knowledge, When},
    recall_list::{Marks, UnitHash, UnitList},
    till::{self, Advice, Asked, HeldList, Reason, Till, decide_typed},
    trace_code::parse,
    unit::UnitKey,
};

const RECALLED: i64 = 10 * HOUR;

/// The first tin in the shop, and its batch recalled after ten hours, at position 50.
fn recalled() -> Telling {
    let mut told = in_the_shop();
    told.recall(&[BATCH], RECALLED);
    told
}

fn sale(at: i64) -> Line {
    line(Kind::Sale, SHOP).of(&[TIN_1]).at(at)
}

fn judged(told: &Telling) -> (When, Knowledge) {
    match finding(told, TIN_1, FindingCode::SoldRecalled)
        .unwrap()
        .detail
    {
        Detail::SoldRecalled {
            recall: which,
            when,
            knowledge,
        } => {
            assert_eq!(which, recall(0));
            (when, knowledge)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn c9_when_is_judged_by_the_interval_and_never_by_the_order() {
    let cases = [
        (RECALLED - MINUTE, 0, 0, When::Before),
        (RECALLED + MINUTE, 0, 0, When::After),
        (
            RECALLED - MINUTE,
            HOUR,
            2 * MINUTE,
            When::Uncertain {
                width_us: HOUR + 2 * MINUTE,
            },
        ),
        (
            RECALLED + MINUTE,
            2 * MINUTE,
            0,
            When::Uncertain {
                width_us: 2 * MINUTE,
            },
        ),
    ];
    for (at, before, after, when) in cases {
        let mut told = recalled();
        told.tell(sale(at).give_or_take(before, after));
        assert_eq!(judged(&told).0, when);
    }
}

#[test]
fn c9_knowledge_is_the_first_class_that_matches() {
    let overruled = |line: Line| {
        line.saying(|event| {
            event.overridden = Some(Override {
                code: "recalled".to_owned(),
                reason: "asked".to_owned(),
                supervisor: None,
                recall: Some(recall(0)),
            });
        })
    };
    let after = || sale(RECALLED + MINUTE);
    let cases = [
        (overruled(after().list(50)), Knowledge::Overridden),
        (after().list(50), Knowledge::Knew),
        (after().list(49), Knowledge::CouldNotKnow),
        (
            after().saying(|event| event.mono_ms = 25 * 3_600_000),
            Knowledge::StaleList,
        ),
        (after(), Knowledge::CouldNotKnow),
    ];
    for (line, knowledge) in cases {
        let mut told = recalled();
        told.tell(line);
        assert_eq!(judged(&told), (When::After, knowledge));
    }
}

#[test]
fn c9_what_was_delivered_and_acknowledged_is_known_whatever_the_device_says() {
    let mut told = recalled();
    told.tell(sale(RECALLED + MINUTE).list(40).delivered(60));
    assert_eq!(judged(&told).1, Knowledge::Knew);
    assert!(about(&told, TIN_1).contains(&FindingCode::KnowledgeMismatch));
    // What cannot have been held is not believed.
    let mut told = recalled();
    told.tell(sale(RECALLED + MINUTE).list(1_000_000));
    assert_eq!(judged(&told).1, Knowledge::CouldNotKnow);
    assert!(about(&told, TIN_1).contains(&FindingCode::KnowledgeMismatch));
}

#[test]
fn c9_a_recall_closed_before_the_sale_or_as_a_mistake_says_nothing_of_it() {
    let mut told = recalled();
    told.tell(sale(RECALLED + 2 * HOUR));
    assert_eq!(about(&told, TIN_1), [FindingCode::SoldRecalled]);
    let closed = |after: i64| {
        Some(suyuan_sync::facts::StatedAt {
            at: stage::START + after,
            gseq: 60,
        })
    };
    told.world.recalls[0].closed = closed(2 * DAY);
    assert_eq!(about(&told, TIN_1), [FindingCode::SoldRecalled]);
    told.world.recalls[0].closed = closed(RECALLED + HOUR);
    assert!(quiet(&told));
    told.world.recalls[0].closed = closed(2 * DAY);
    told.world.recalls[0].mistaken = true;
    assert!(quiet(&told));
}

#[test]
fn c3_recalled_goods_in_a_container_of_nobody_may_go_to_who_issues_them_and_nowhere_else() {
    let sent = |way: fn(Line) -> Line| {
        let mut told = in_the_shop();
        told.tell(line(Kind::Pack, SHOP).of(&[TIN_1]).into(FOREIGN_PALLET));
        told.recall(&[BATCH], 3 * HOUR + MINUTE);
        let sent = told.tell(way(line(Kind::Outbound, SHOP).of(&[FOREIGN_PALLET])));
        of(&told, sent)
    };
    assert_eq!(sent(|line| line.with(MAKER)), []);
    assert_eq!(sent(|line| line.with(CHAIN)), [FindingCode::ShipRecalled]);
}

/// Whoever types the serial of a tin in small letters means the tin; so does the till, which has no issue
/// keys, and says so. So it is true that it knew.
#[test]
fn c9_a_recalled_tin_that_is_typed_is_stopped_by_the_till_that_is_said_to_have_known() {
    let said = "/01/06901234567892/21/xo123456789abc";
    let tin = UnitKey::kept("/01/06901234567892/21/X0123456789ABC");
    let sold = |input| {
        let mut told = recalled();
        let like = told.world.units[&stage::unit(TIN_1)].clone();
        told.world.units.insert(tin.clone(), like);
        let names = |line: Line, code: &str, input| {
            line.saying(|event| {
                event.units = vec![UnitRead::of(code, input)].into();
                event.mean(&BTreeSet::from([tin.clone()]));
            })
        };
        let sent = line(Kind::Outbound, PLANT).to(SHOP);
        told.tell(names(sent, tin.as_str(), Input::Wedge));
        let sale = line(Kind::Sale, SHOP).at(RECALLED + MINUTE).list(50);
        told.tell(names(sale, said, input));
        verdict(&told).about(&tin)
    };
    let found = sold(Input::Typed);
    let is_known = |finding: &&Finding| matches!(finding.detail, Detail::SoldRecalled { knowledge, .. } if knowledge == Knowledge::Knew);
    assert_eq!(found.iter().filter(is_known).count(), 1, "{found:?}");
    let read = parse(said).unwrap();
    let units = UnitList::of([(UnitHash::of(&tin), Marks::RECALLED)]);
    let list = HeldList::new(50, RECALLED, [], units);
    let till = Till {
        now: RECALLED + MINUTE,
        list: Some(&list),
        list_age_max: DAY,
    };
    let asks = |input| {
        let meant = till::meant(&read, input);
        let asked = |scanned| Asked {
            scanned,
            card: None,
            here: None,
        };
        decide_typed(
            &asked(&read),
            &asked(meant.as_ref().unwrap_or(&read)),
            &till,
        )
    };
    let decision = asks(Input::Typed);
    assert_eq!(decision.advice, Advice::Stop);
    assert_eq!(decision.reasons.first(), Some(&Reason::Recalled));
    assert_eq!(decision.taken_for, Some(tin.clone()));
    // What a machine read is what it says, to both.
    assert_eq!(asks(Input::Camera).advice, Advice::Ask);
    assert_eq!(sold(Input::Camera), []);
}

/// Whoever is judged is judged by when the sale can have been, not by where it stands.
#[test]
fn c9_a_sale_that_may_have_been_within_a_recall_is_found_though_it_stands_behind_its_end() {
    let closed = |told: &mut Telling| {
        told.world.recalls[0].closed = Some(StatedAt {
            at: stage::START + RECALLED + 2 * HOUR,
            gseq: 60,
        });
    };
    let mut told = recalled();
    closed(&mut told);
    told.tell(sale(RECALLED + 3 * HOUR).give_or_take(2 * HOUR, 0));
    let uncertain = When::Uncertain { width_us: 2 * HOUR };
    assert_eq!(judged(&told).0, uncertain);
    // Certainly behind it, and certainly within.
    let mut told = recalled();
    closed(&mut told);
    told.tell(sale(RECALLED + 3 * HOUR).give_or_take(HOUR, DAY));
    assert!(quiet(&told));
    let mut told = recalled();
    closed(&mut told);
    told.tell(sale(RECALLED + HOUR).give_or_take(MINUTE, MINUTE));
    assert_eq!(judged(&told).0, When::After);
}

/// A batch is a thing of the record: it counts from wherever in the order it is told.
#[test]
fn c9_goods_whose_batch_is_told_after_their_sale_were_recalled_goods_and_expired_ones() {
    let mut told = Telling::new();
    told.recall(&[SHORT_BATCH], HOUR);
    told.tell(line(Kind::Outbound, PLANT).of(&[BLANK_TIN]).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&[BLANK_TIN]).with(MAKER));
    told.tell(line(Kind::Sale, SHOP).of(&[BLANK_TIN]).at(8 * DAY));
    told.tell(
        line(Kind::Collect, SHOP)
            .of(&[BLANK_TIN])
            .at(8 * DAY + HOUR),
    );
    let found = about(&told, BLANK_TIN);
    assert!(found.contains(&FindingCode::CollectUnrecalled), "{found:?}");
    let commissioned = line(Kind::Commission, PLANT).of(&[BLANK_TIN]);
    told.tell(commissioned.batch(SHORT_BATCH).at(9 * DAY));
    let found = about(&told, BLANK_TIN);
    assert!(found.contains(&FindingCode::SoldRecalled), "{found:?}");
    assert!(found.contains(&FindingCode::SoldExpired), "{found:?}");
    assert!(!found.contains(&FindingCode::CollectUnrecalled));
}
