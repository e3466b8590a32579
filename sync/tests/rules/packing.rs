//! C12 and C13: containers, and what follows them.

use super::*;
use histories::stage::{
    BATCH, DAY, ELSEWHERE, INTRUDER, MINUTE, SHORT_BATCH, STALL, STRANGER, good::*, unit,
};
use suyuan_sync::{
    event::{Disposition, Input, UnitRead},
    facts::{AcceptScope, Accepted, StatedAt, UnitInfo},
    unit::Level,
};

fn pack(goods: &[usize], container: usize) -> Line {
    line(Kind::Pack, PLANT).of(goods).into(container)
}

/// Two tins in a case on a pallet, all at the plant.
fn packed() -> Telling {
    let mut told = Telling::new();
    told.tell(pack(&[TIN_1, TIN_2], CASE_1));
    told.tell(pack(&[CASE_1], PALLET));
    told
}

#[test]
fn c12_a_container_holds_only_what_is_of_a_lower_level() {
    let mut told = packed();
    let upside_down = told.tell(pack(&[PALLET], CASE_1));
    assert_eq!(of(&told, upside_down), [FindingCode::PackLevel]);
    assert_eq!(state(&told, PALLET).inside, None);
    let itself = told.tell(pack(&[CASE_1], CASE_1));
    assert_eq!(of(&told, itself), [FindingCode::PackLevel]);

    told.tell(line(Kind::Retract, PLANT).target(upside_down));
    told.tell(line(Kind::Retract, PLANT).target(itself));
    assert!(quiet(&told));
}

#[test]
fn c12_a_foreign_code_takes_the_level_of_its_first_pack() {
    let mut told = Telling::new();
    told.tell(pack(&[FOREIGN_TIN], FOREIGN_PALLET));
    let other_way = told.tell(pack(&[FOREIGN_PALLET], FOREIGN_TIN));
    assert!(of(&told, other_way).contains(&FindingCode::PackLevel));
    assert_eq!(state(&told, FOREIGN_PALLET).inside, None);
}

#[test]
fn c12_a_stranger_does_not_teach_the_level_of_others_containers() {
    for (kind, phase_then) in [
        (Kind::Destroy, Phase::Destroyed),
        (Kind::Collect, Phase::Collected),
    ] {
        let mut told = Telling::new();
        told.tell(pack(&[TIN_1], CASE_1));
        told.tell(pack(&[CASE_1, TIN_2], FOREIGN_PALLET));
        told.tell(line(kind, PLANT).of(&[FOREIGN_PALLET]));
        let goods = [TIN_1, CASE_1, TIN_2, FOREIGN_PALLET];
        let before = goods.map(|good| (state(&told, good), about(&told, good)));
        assert_eq!(phase(&told, TIN_1), phase_then);

        // Said to have been before all that, by a device that was idle since.
        let stranger = told.tell(
            Line::new(Kind::Pack, INTRUDER, STALL)
                .of(&[FOREIGN_PALLET])
                .into(CASE_2)
                .at(-HOUR),
        );
        for (good, (mut was, mut found)) in goods.into_iter().zip(before) {
            if good == FOREIGN_PALLET {
                was.claims.insert(STRANGER, Place::At(STALL));
                found.push(FindingCode::UnexpectedHolder);
                found.sort();
            }
            assert_eq!(state(&told, good), was);
            let mut now = about(&told, good);
            now.sort();
            assert_eq!(now, found);
        }
        let unexpected = FindingCode::UnexpectedHolder;
        assert_eq!(of(&told, stranger), [unexpected, unexpected]);
    }
}

#[test]
fn c12_who_has_no_say_in_a_container_puts_nothing_into_it_for_others() {
    let mut told = Telling::new();
    // Goods of the stranger's own that expire, in a case of the maker's.
    let info = told.world.units[&unit(SHORT_TIN)].clone();
    let issuer = Some(STRANGER);
    told.world
        .units
        .insert(unit(FOREIGN_TIN), UnitInfo { issuer, ..info });
    told.tell(pack(&[TIN_1], CASE_1));
    told.tell(
        Line::new(Kind::Pack, INTRUDER, STALL)
            .of(&[FOREIGN_TIN])
            .into(CASE_1),
    );
    let found = about(&told, CASE_1);
    assert_eq!(found, [FindingCode::UnexpectedHolder]);
    let packed = state(&told, FOREIGN_TIN);
    for line in [
        line(Kind::Outbound, PLANT).of(&[CASE_1]).to(SHOP),
        line(Kind::Inbound, SHOP).of(&[CASE_1]),
        line(Kind::Sale, SHOP).of(&[CASE_1]).at(4 * DAY),
    ] {
        let event = told.tell(line);
        assert_eq!(of(&told, event), []);
    }
    assert_eq!(about(&told, CASE_1), found);
    assert_eq!(state(&told, FOREIGN_TIN), packed);
    assert_eq!(about(&told, FOREIGN_TIN), []);

    // What its owner says of the case it says of its own goods in it.
    told.tell(Line::new(Kind::Outbound, INTRUDER, STALL).of(&[CASE_1]));
    assert_eq!(phase(&told, FOREIGN_TIN), Phase::InTransit);
    assert_eq!(phase(&told, CASE_1), Phase::Sold);
}

#[test]
fn c12_the_first_pack_is_the_one_that_was_received_first() {
    let mut told = Telling::new();
    told.tell(pack(&[CASE_1], FOREIGN_PALLET));
    let dated_back = told.tell(pack(&[FOREIGN_PALLET], PALLET).at(-HOUR));
    assert_eq!(of(&told, dated_back), [FindingCode::PackLevel]);
    assert_eq!(state(&told, CASE_1).inside, Some(unit(FOREIGN_PALLET)));
    assert_eq!(state(&told, FOREIGN_PALLET).level, Some(Level::Pallet));

    // As a case it goes on a pallet.
    let mut told = Telling::new();
    told.tell(pack(&[TIN_1], FOREIGN_PALLET));
    told.tell(pack(&[FOREIGN_PALLET], PALLET).at(-HOUR));
    assert_eq!(state(&told, FOREIGN_PALLET).inside, Some(unit(PALLET)));
    assert_eq!(state(&told, TIN_1).inside, Some(unit(FOREIGN_PALLET)));
}

#[test]
fn c12_a_logistic_unit_that_another_was_heard_of_first_holds_what_is_packed_into_it() {
    // The shop's device was quicker than the plant's.
    let mut told = Telling::new();
    told.tell(line(Kind::Inbound, SHOP).of(&[FOREIGN_PALLET]).at(DAY));
    let late = told.tell(pack(&[CASE_1], FOREIGN_PALLET));
    assert_eq!(of(&told, late), [FindingCode::UnexpectedHolder]);
    assert_eq!(state(&told, CASE_1).inside, Some(unit(FOREIGN_PALLET)));
    assert_eq!(state(&told, FOREIGN_PALLET).level, None);

    // It names the plant, whose word may count then.
    let mut told = Telling::new();
    let inbound = line(Kind::Inbound, SHOP).of(&[FOREIGN_PALLET]).with(MAKER);
    told.tell(inbound.at(DAY));
    told.tell(pack(&[CASE_1], FOREIGN_PALLET));
    assert_eq!(state(&told, CASE_1).inside, Some(unit(FOREIGN_PALLET)));
    assert_eq!(state(&told, FOREIGN_PALLET).level, Some(Level::Pallet));
}

#[test]
fn c12_a_later_pack_wins_and_closes_the_earlier_until_the_unpack_arrives() {
    let mut told = Telling::new();
    let first = told.tell(pack(&[TIN_1], CASE_1));
    let second = told.tell(pack(&[TIN_1], CASE_2));
    let implied = finding(&told, TIN_1, FindingCode::ImpliedUnpack).unwrap();
    assert_eq!(implied.witnesses, [first, second]);
    assert_eq!(state(&told, TIN_1).inside, Some(unit(CASE_2)));

    told.tell(
        line(Kind::Unpack, PLANT)
            .of(&[TIN_1])
            .into(CASE_1)
            .at(HOUR + MINUTE),
    );
    assert!(quiet(&told));
}

#[test]
fn c12_a_child_scanned_alone_while_its_container_is_elsewhere_has_left_it() {
    let mut told = packed();
    told.tell(line(Kind::Outbound, PLANT).of(&[PALLET]).to(SHOP));
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    let found = about(&told, TIN_1);
    assert!(found.contains(&FindingCode::ImpliedUnpack));
    assert!(found.contains(&FindingCode::ImpliedReceipt));
    assert_eq!(state(&told, TIN_1).inside, None);
    assert_eq!(phase(&told, TIN_1), Phase::Sold);
    assert_eq!(phase(&told, TIN_2), Phase::InTransit);

    // The pallet came in, and the tin was taken out.
    told.tell(
        line(Kind::Inbound, SHOP)
            .of(&[PALLET])
            .at(3 * HOUR + MINUTE),
    );
    told.tell(
        line(Kind::Unpack, SHOP)
            .of(&[TIN_1])
            .into(CASE_1)
            .at(3 * HOUR + 2 * MINUTE),
    );
    assert!(quiet(&told));
}

#[test]
fn c12_a_child_looked_at_where_its_container_stands_is_inside_still() {
    let mut told = packed();
    told.tell(
        line(Kind::Count, PLANT)
            .of(&[TIN_1])
            .item("scope", serde_json::json!({"complete": false})),
    );
    assert!(quiet(&told));
    assert_eq!(state(&told, TIN_1).inside, Some(unit(CASE_1)));
}

#[test]
fn c12_goods_that_are_gone_are_not_packed() {
    let mut told = in_the_shop();
    let end = told.tell(line(Kind::Destroy, SHOP).of(&[TIN_1]));
    let packed = told.tell(line(Kind::Pack, SHOP).of(&[TIN_1]).into(FOREIGN_PALLET));
    assert!(of(&told, packed).contains(&FindingCode::PackAfterEnd));
    assert_eq!(state(&told, TIN_1).inside, None);

    told.tell(line(Kind::Retract, SHOP).target(end));
    assert_eq!(about(&told, TIN_1), []);
    assert_eq!(state(&told, TIN_1).inside, Some(unit(FOREIGN_PALLET)));
}

#[test]
fn c12_fewer_than_declared_is_short() {
    let mut told = Telling::new();
    let short = |event: &mut suyuan_sync::event::Event| event.declared = Some(3);
    let event = told.tell(pack(&[TIN_1, TIN_2], CASE_1).saying(short));
    assert_eq!(of(&told, event), [FindingCode::ShortPack]);
    assert_eq!(about(&told, CASE_1), [FindingCode::ShortPack]);

    // What cannot be read is something all the same; what is read twice is one thing.
    for (third, is_short) in [("smudged", false), (stage::CODES[TIN_1], true)] {
        let mut told = Telling::new();
        let event = told.tell(pack(&[TIN_1, TIN_2], CASE_1).saying(|event| {
            short(event);
            event.units.push(UnitRead::of(third, Input::Wedge));
        }));
        let found = of(&told, event).contains(&FindingCode::ShortPack);
        assert_eq!(found, is_short, "{third}");
    }
}

#[test]
fn c13_units_follow_their_container_in_one_event_each() {
    let mut told = packed();
    told.tell(line(Kind::Outbound, PLANT).of(&[PALLET]).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&[PALLET]));
    assert!(quiet(&told));
    for good in [PALLET, CASE_1, TIN_1, TIN_2] {
        assert_eq!(state(&told, good).place, Place::At(SHOP));
        assert_eq!(phase(&told, good), Phase::InStock);
        assert!(state(&told, good).linked.contains(&CHAIN));
    }
}

#[test]
fn c13_a_sold_container_that_is_handled_stays_with_who_sold_it_as_what_is_in_it_does() {
    for kind in [Kind::Pack, Kind::Unpack] {
        let mut told = Telling::new();
        told.tell(pack(&[TIN_1], CASE_1));
        told.tell(line(Kind::Outbound, PLANT).of(&[CASE_1]).to(SHOP));
        told.tell(line(Kind::Inbound, SHOP).of(&[CASE_1]));
        told.tell(line(Kind::Sale, SHOP).of(&[CASE_1]));
        let handled = told.tell(line(kind, PLANT).of(&[TIN_2]).into(CASE_1));
        let found = finding(&told, CASE_1, FindingCode::UnexpectedState).unwrap();
        assert_eq!(found.event, handled);
        for good in [CASE_1, TIN_1] {
            assert_eq!(state(&told, good).holder, Some(CHAIN));
            assert_eq!(phase(&told, good), Phase::Sold);
        }
    }
}

#[test]
fn c13_what_all_of_a_container_share_is_told_at_the_container_alone() {
    let mut told = packed();
    told.tell(line(Kind::Outbound, PLANT).of(&[PALLET]).to(SHOP));
    let astray = told.tell(line(Kind::Inbound, OTHER_SHOP).of(&[PALLET]));
    assert_eq!(of(&told, astray), [FindingCode::Misroute]);
    assert_eq!(about(&told, PALLET), [FindingCode::Misroute]);
    assert_eq!(state(&told, TIN_1).place, Place::At(OTHER_SHOP));
}

#[test]
fn c13_an_exceptional_child_is_judged_by_itself() {
    let mut told = packed();
    told.tell(line(Kind::Outbound, PLANT).of(&[PALLET]).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&[PALLET]));
    // Sold out of the case, and then the whole pallet is sent back.
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    told.tell(line(Kind::Outbound, SHOP).of(&[PALLET]).with(MAKER));
    assert_eq!(about(&told, TIN_1), [FindingCode::ImpliedUnpack]);
    assert_eq!(phase(&told, TIN_1), Phase::Sold);
    assert_eq!(phase(&told, TIN_2), Phase::InTransit);
}

#[test]
fn c13_expiry_and_a_batch_recall_are_judged_once_for_each_batch_of_a_container() {
    let mut told = Telling::new();
    told.tell(pack(&[TIN_1, TIN_2, SHORT_TIN], CASE_1));
    told.tell(line(Kind::Outbound, PLANT).of(&[CASE_1]).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&[CASE_1]));
    told.recall(&[BATCH], 10 * HOUR);
    let sale = told.tell(line(Kind::Sale, SHOP).of(&[CASE_1]).at(4 * DAY));
    let found = verdict(&told).about(&unit(CASE_1));
    let told_of: Vec<_> = found
        .iter()
        .map(|finding| (finding.code, finding.batch, finding.event))
        .collect();
    assert_eq!(
        told_of,
        [
            (FindingCode::SoldExpired, Some(SHORT_BATCH), sale),
            (FindingCode::SoldRecalled, Some(BATCH), sale),
        ]
    );
    for good in [TIN_1, TIN_2, SHORT_TIN] {
        assert_eq!(about(&told, good), []);
        assert_eq!(phase(&told, good), Phase::Sold);
    }
}

#[test]
fn c13_a_pack_that_arrives_late_takes_its_children_along() {
    let mut told = Telling::new();
    told.tell(line(Kind::Outbound, PLANT).of(&[CASE_2]).to(SHOP));
    told.tell(line(Kind::Inbound, SHOP).of(&[CASE_2]));
    told.tell(line(Kind::Sale, SHOP).of(&[TIN_1]));
    assert_eq!(about(&told, TIN_1), [FindingCode::UnexpectedHolder]);

    told.tell(pack(&[TIN_1], CASE_2).at(MINUTE));
    assert_eq!(about(&told, TIN_1), [FindingCode::ImpliedUnpack]);
}

#[test]
fn c12_a_pack_whose_container_is_not_named_takes_things_out_of_the_one_they_were_in() {
    let mut told = Telling::new();
    let first = told.tell(pack(&[TIN_1, TIN_2], CASE_1));
    let second = told.tell(line(Kind::Pack, PLANT).of(&[TIN_1]));
    let implied = finding(&told, TIN_1, FindingCode::ImpliedUnpack).unwrap();
    assert_eq!(implied.witnesses, [first, second]);
    assert_eq!(state(&told, TIN_1).inside, None);
    assert_eq!(state(&told, TIN_2).inside, Some(unit(CASE_1)));
    // It moves no more with the one it was in.
    told.tell(line(Kind::Outbound, PLANT).of(&[CASE_1]).with(CHAIN));
    assert_eq!(state(&told, TIN_1).phase, Phase::InStock);
    assert_eq!(state(&told, TIN_2).phase, Phase::InTransit);

    told.tell(
        line(Kind::Unpack, PLANT)
            .of(&[TIN_1])
            .into(CASE_1)
            .at(HOUR + MINUTE),
    );
    assert!(finding(&told, TIN_1, FindingCode::ImpliedUnpack).is_none());
}

#[test]
fn c12_a_strangers_earlier_word_on_a_foreign_pallet_takes_nothing_out_of_it() {
    let looked_at = [
        line(Kind::Count, PLANT).of(&[TIN_1]),
        line(Kind::Inspect, PLANT)
            .of(&[TIN_1])
            .disposition(suyuan_sync::event::Disposition::Hold),
    ];
    for (looked_at, before) in looked_at
        .into_iter()
        .flat_map(|line| [(line.clone(), true), (line, false)])
    {
        let mut told = Telling::new();
        let named = line(Kind::Count, STALL).of(&[FOREIGN_PALLET]);
        told.tell(if before {
            named
        } else {
            named.at(2 * HOUR + MINUTE)
        });
        told.tell(pack(&[TIN_1, TIN_2], FOREIGN_PALLET).at(2 * HOUR));
        told.tell(looked_at.at(3 * HOUR));
        assert_eq!(state(&told, TIN_1).inside, Some(unit(FOREIGN_PALLET)));
        assert!(finding(&told, TIN_1, FindingCode::ImpliedUnpack).is_none());
        told.tell(
            line(Kind::Destroy, PLANT)
                .of(&[FOREIGN_PALLET])
                .at(4 * HOUR),
        );
        assert_eq!(phase(&told, TIN_1), Phase::Destroyed);
        assert_eq!(phase(&told, TIN_2), Phase::Destroyed);
    }
}

/// What is in stock of lot S1 at a place, and whether anything is found of it.
fn of_the_lot(told: &Telling, location: LocationId) -> (i64, bool) {
    let key = suyuan_sync::finding::LotKey {
        gtin: stage::LOOSE.to_owned(),
        lot: Some("S1".to_owned()),
        location,
    };
    let judged = verdict(told);
    let found = !judged.about_subject(&Subject::Lot(key.clone())).is_empty();
    (judged.lots.get(&key).copied().unwrap_or(0), found)
}

#[test]
fn c13_lots_leave_their_owners_stock_in_a_pallet_that_a_stranger_named_first() {
    let mut told = Telling::new();
    told.tell(line(Kind::Count, STALL).of(&[FOREIGN_PALLET]));
    told.tell(line(Kind::Inbound, PLANT).lot(Some("S1"), 10).doc("R1"));
    told.tell(
        line(Kind::Pack, PLANT)
            .lot(Some("S1"), 6)
            .into(FOREIGN_PALLET),
    );
    // What lies in the pallet is there, and is not missed.
    told.tell(line(Kind::Count, PLANT).lot(Some("S1"), 4));
    assert_eq!(of_the_lot(&told, PLANT), (10, false));
    told.tell(line(Kind::Outbound, PLANT).of(&[FOREIGN_PALLET]).to(SHOP));
    assert_eq!(of_the_lot(&told, PLANT), (4, false));
    told.tell(line(Kind::Count, PLANT).lot(Some("S1"), 4));
    assert_eq!(of_the_lot(&told, PLANT), (4, false));
    // What has gone does not go again, and comes back once.
    told.tell(line(Kind::Outbound, PLANT).of(&[FOREIGN_PALLET]).to(SHOP));
    assert_eq!(of_the_lot(&told, PLANT), (4, false));
    for document in ["R2", "R3"] {
        told.tell(
            line(Kind::Inbound, PLANT)
                .of(&[FOREIGN_PALLET])
                .doc(document),
        );
        assert_eq!(of_the_lot(&told, PLANT), (10, false));
    }
}

#[test]
fn c13_lots_in_a_pallet_are_moved_by_nobody_elses_word_until_their_owners_counts() {
    let mut told = Telling::new();
    told.tell(line(Kind::Count, STALL).of(&[FOREIGN_PALLET]));
    told.tell(line(Kind::Inbound, PLANT).lot(Some("S1"), 10).doc("R1"));
    told.tell(
        line(Kind::Pack, PLANT)
            .lot(Some("S1"), 6)
            .into(FOREIGN_PALLET),
    );
    // Neither whose pallet it is, nor another stranger.
    told.tell(line(Kind::Unpack, STALL).into(FOREIGN_PALLET));
    told.tell(
        line(Kind::Outbound, STALL)
            .of(&[FOREIGN_PALLET])
            .to(SHOP)
            .at(4 * HOUR),
    );
    told.tell(line(Kind::Unpack, OTHER_SHOP).into(FOREIGN_PALLET));
    told.tell(line(Kind::Inbound, OTHER_SHOP).of(&[FOREIGN_PALLET]));
    assert_eq!(of_the_lot(&told, PLANT), (10, false));
    assert_eq!(of_the_lot(&told, STALL), (0, false));
    assert_eq!(of_the_lot(&told, OTHER_SHOP), (0, false));

    // Whose pallet it is sends it to the maker: from there on its goods go with the pallet.
    told.tell(
        line(Kind::Outbound, STALL)
            .of(&[FOREIGN_PALLET])
            .with(MAKER)
            .at(7 * HOUR),
    );
    told.tell(
        line(Kind::Outbound, PLANT)
            .of(&[FOREIGN_PALLET])
            .to(SHOP)
            .at(8 * HOUR),
    );
    told.tell(line(Kind::Inbound, SHOP).of(&[FOREIGN_PALLET]).at(9 * HOUR));
    assert_eq!(of_the_lot(&told, PLANT).0, 4);
    assert_eq!(of_the_lot(&told, SHOP), (6, false));
}

#[test]
fn c12_a_container_stands_where_who_is_accepted_says_it_does() {
    let mut told = Telling::new();
    told.world.accepted.push(Accepted {
        at: StatedAt { at: 0, gseq: 0 },
        issuer: MAKER,
        partner: STRANGER,
        scope: AcceptScope::Partner(STRANGER),
        from: 0,
    });
    told.tell(line(Kind::Sale, ELSEWHERE).of(&[TIN_1]));
    told.tell(line(Kind::Pack, STALL).of(&[TIN_1]).into(CASE_1));
    assert_eq!(state(&told, TIN_1).inside, Some(unit(CASE_1)));
    assert_eq!(state(&told, CASE_1).place, Place::At(STALL));
    // It is looked at elsewhere than its case stands, by the word of the same partner.
    let seen = line(Kind::Inspect, ELSEWHERE)
        .of(&[TIN_1])
        .disposition(Disposition::Hold);
    told.tell(seen);
    assert!(about(&told, TIN_1).contains(&FindingCode::ImpliedUnpack));
    assert_eq!(state(&told, TIN_1).inside, None);
}
