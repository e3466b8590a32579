//! C14 and C15: whose events count, and what events must say.

use super::*;
use histories::stage::{
    BATCH, INTRUDER, MINUTE, NOBODY, OWN, STALL, START, STRANGER, good::*, unit,
};
use suyuan_sync::{
    event::{Event, Input, Override, UnitRead, required::Profile},
    facts::{AcceptScope, Accepted, StatedAt},
    fold::{Ended, public_status},
};

#[test]
fn c14_what_a_stranger_says_changes_nothing_until_a_leg_links_it() {
    let mut told = in_the_shop();
    let before = state(&told, TIN_1);
    let inbound = told.tell(line(Kind::Inbound, STALL).of(&[TIN_1]));
    assert_eq!(of(&told, inbound), [FindingCode::UnexpectedHolder]);
    let after = state(&told, TIN_1);
    assert_eq!(after.claims[&STRANGER], Place::At(STALL));
    let without_claims = UnitState {
        claims: before.claims.clone(),
        ..after
    };
    assert_eq!(without_claims, before);

    // What they sold is in their stock no longer.
    let sale = told.tell(line(Kind::Sale, STALL).of(&[TIN_1]));
    assert_eq!(state(&told, TIN_1).claims[&STRANGER], Place::Nowhere);

    // The shop had sent it to the stranger.
    told.tell(
        line(Kind::Outbound, SHOP)
            .of(&[TIN_1])
            .with(STRANGER)
            .at(2 * HOUR + MINUTE),
    );
    assert!(quiet(&told));
    assert_eq!(phase(&told, TIN_1), Phase::Sold);
    assert_eq!(state(&told, TIN_1).place, Place::At(STALL));
    assert!(state(&told, TIN_1).claims.is_empty());
    assert_eq!(of(&told, sale), []);
}

#[test]
fn c14_a_stranger_links_nobody_and_a_name_is_nobody() {
    let mut told = in_the_shop();
    told.tell(line(Kind::Inbound, STALL).of(&[TIN_1]).with(NOBODY));
    told.tell(line(Kind::Outbound, STALL).of(&[TIN_1]).with(STRANGER));
    told.tell(line(Kind::Outbound, SHOP).of(&[TIN_1]).saying(|event| {
        event.counterpart = Some(suyuan_sync::event::Counterpart::Named("S".to_owned()));
    }));
    let inbound = told.tell(line(Kind::Inbound, STALL).of(&[TIN_1]));
    assert_eq!(of(&told, inbound), [FindingCode::UnexpectedHolder]);
    assert_eq!(state(&told, TIN_1).linked, [MAKER, CHAIN].into());
}

#[test]
fn c14_the_issuer_accepts_a_stranger_from_a_position_on() {
    let scopes = [
        AcceptScope::Unit(unit(TIN_1)),
        AcceptScope::Batch(BATCH),
        AcceptScope::Partner(STRANGER),
    ];
    for scope in scopes {
        let mut told = in_the_shop();
        let early = told.tell(line(Kind::Inbound, STALL).of(&[TIN_1]));
        let late = told.tell(line(Kind::Sale, STALL).of(&[TIN_1]));
        assert_eq!(of(&told, late), [FindingCode::UnexpectedHolder]);
        let accepted = |issuer, from| Accepted {
            at: StatedAt { at: 0, gseq: 0 },
            issuer,
            partner: STRANGER,
            scope: scope.clone(),
            from,
        };
        told.world.accepted.push(accepted(MAKER, 400));
        assert_eq!(of(&told, early), [FindingCode::UnexpectedHolder]);
        assert_eq!(of(&told, late), [FindingCode::OrphanSale]);
        told.world.accepted = vec![accepted(CHAIN, 0)].into();
        assert_eq!(of(&told, late), [FindingCode::UnexpectedHolder]);
    }
}

/// Its word is taken, and brings in nobody else, itself from before the acceptance neither.
#[test]
fn c14_a_leg_of_who_is_only_accepted_links_nobody() {
    for with in [NOBODY, STRANGER] {
        let mut told = in_the_shop();
        told.world.enterprises.insert(NOBODY);
        let before = told.tell(line(Kind::Destroy, STALL).of(&[TIN_1]).at(5 * HOUR));
        let leg = told.tell(line(Kind::Outbound, STALL).of(&[TIN_1]).with(with));
        told.world.accepted.push(Accepted {
            at: StatedAt { at: 0, gseq: 0 },
            issuer: MAKER,
            partner: STRANGER,
            scope: AcceptScope::Unit(unit(TIN_1)),
            from: 400,
        });
        assert_eq!(of(&told, leg), [FindingCode::WrongLocation]);
        assert_eq!(of(&told, before), [FindingCode::UnexpectedHolder]);
        assert_eq!(state(&told, TIN_1).linked, [MAKER, CHAIN].into());
    }
}

#[test]
fn c14_a_foreign_code_belongs_to_whoever_is_first_heard_naming_it() {
    let mut told = Telling::new();
    told.tell(Line::new(Kind::Inbound, INTRUDER, STALL).of(&[FOREIGN_TIN]));
    let other = told.tell(line(Kind::Inbound, SHOP).of(&[FOREIGN_TIN]));
    assert!(of(&told, other).contains(&FindingCode::UnexpectedHolder));
    assert_eq!(state(&told, FOREIGN_TIN).place, Place::At(STALL));
    // Heard later, and said to have happened before all.
    let before = told.tell(line(Kind::Destroy, SHOP).of(&[FOREIGN_TIN]).at(-HOUR));
    assert!(of(&told, before).contains(&FindingCode::UnexpectedHolder));
    assert_eq!(state(&told, FOREIGN_TIN).place, Place::At(STALL));
}

/// Whoever names a code first could warn everybody else's customers, or the maker's before it is on record.
#[test]
fn c14_nothing_is_told_to_consumers_of_a_code_whose_maker_is_on_no_record() {
    let copied = [Kind::Inbound, Kind::Sale, Kind::Sale];
    let stories: [&[Kind]; 3] = [
        &[Kind::Inbound, Kind::Destroy],
        &[Kind::Inbound, Kind::Collect],
        &copied,
    ];
    for kinds in stories {
        let mut told = Telling::new();
        for (n, kind) in kinds.iter().enumerate() {
            let place = if n < 2 { SHOP } else { OTHER_SHOP };
            told.tell(line(*kind, place).of(&[FOREIGN_TIN]).at(n as i64 * HOUR));
        }
        assert_eq!(public_status(&state(&told, FOREIGN_TIN)), None, "{kinds:?}");
        // As soon as it is on record, whoever counts is linked by it, and what they said is told.
        told.world.products.insert(stage::FOREIGN.to_owned(), CHAIN);
        let status = public_status(&state(&told, FOREIGN_TIN));
        assert!(status.is_some(), "{kinds:?}");
    }
}

#[test]
fn c14_a_stranger_does_not_carry_off_what_is_in_a_container_of_its_own() {
    let mut told = in_the_shop();
    let pack = told.tell(
        Line::new(Kind::Pack, INTRUDER, STALL)
            .of(&[TIN_1])
            .into(FOREIGN_PALLET),
    );
    told.tell(Line::new(Kind::Outbound, INTRUDER, STALL).of(&[FOREIGN_PALLET]));
    assert_eq!(of(&told, pack), [FindingCode::UnexpectedHolder]);
    assert_eq!(state(&told, TIN_1).inside, None);
    assert_eq!(state(&told, TIN_1).place, Place::At(SHOP));
}

#[test]
fn c15_what_is_not_on_record_is_told_and_heals_with_the_data() {
    let mut told = Telling::new();
    let event = told.tell(line(Kind::Outbound, PLANT).of(&[TIN_1]).with(NOBODY));
    assert_eq!(of(&told, event), [FindingCode::UnknownRef]);
    assert_eq!(phase(&told, TIN_1), Phase::InTransit);
    told.world.enterprises.insert(NOBODY);
    assert!(quiet(&told));

    let product = told.tell(line(Kind::Inbound, SHOP).of(&[FOREIGN_TIN]));
    assert_eq!(of(&told, product), [FindingCode::UnknownRef]);
    told.world.products.insert(stage::FOREIGN.to_owned(), CHAIN);
    assert!(quiet(&told));
}

#[test]
fn c15_who_acts_and_is_not_on_record_is_told_and_heals_with_the_record() {
    let mut told = Telling::new();
    let says = |told: &Telling, event| {
        let found = verdict(told).findings.into_iter();
        let found = found.filter(|found| found.event == event);
        let details = found.map(|found| (found.code, found.detail));
        details.collect::<Vec<_>>()
    };
    let unknown = |what: &str| {
        let what = what.to_owned();
        let detail = Detail::Unknown { what, more: 0 };
        vec![(FindingCode::UnknownRef, detail)]
    };
    // Each looked at all there is, and saw nothing.
    let line = |kind, place| {
        line(kind, place).saying(|event| {
            let scope = serde_json::json!({"complete": true});
            event.body.insert("scope".to_owned(), scope);
        })
    };
    // Before there is a record nobody has to be on it, nor while what happened may be older.
    let count = |place| line(Kind::Count, place).by("maker-7");
    let before = told.tell(count(PLANT).at(HOUR - 1));
    let at_once = told.tell(count(PLANT).at(HOUR));
    let perhaps = told.tell(count(PLANT).at(2 * HOUR).give_or_take(HOUR + 1, 0));
    // Somebody of an enterprise without one, and who does not say.
    let shop = told.tell(line(Kind::Count, SHOP).by("chain-7").at(2 * HOUR));
    let nobody = told.tell(count(PLANT).by("").at(2 * HOUR));
    let known = told.tell(line(Kind::Count, PLANT).at(2 * HOUR));
    // At another place there is no record yet, and whoever is on that of one is on record at any.
    let store = told.tell(count(WAREHOUSE).at(2 * HOUR));
    let later = told.tell(count(WAREHOUSE).at(80 * HOUR));
    let another = told.tell(line(Kind::Count, PLANT).by("maker-2").at(2 * HOUR));
    assert_eq!(says(&told, later), unknown("actor:maker-7"));
    for quiet in [before, perhaps, shop, known, store, another] {
        assert_eq!(says(&told, quiet), [], "{quiet:?}");
    }
    assert_eq!(of(&told, nobody), [FindingCode::Incomplete]);
    assert_eq!(says(&told, at_once), unknown("actor:maker-7"));
    // So it is of who overrules a stop.
    let overrule = |event: &mut Event| {
        event.overridden = Some(Override {
            code: "expired".to_owned(),
            reason: "as ordered".to_owned(),
            supervisor: Some("boss".to_owned()),
            recall: None,
        });
    };
    let overruled = told.tell(count(PLANT).at(2 * HOUR).saying(overrule));
    let both = unknown("actor:boss, actor:maker-7");
    assert_eq!(says(&told, overruled), both);
    let actors = told.world.actors.entry(MAKER).or_default();
    actors.put("maker-7".into(), None, START + 80 * HOUR);
    assert_eq!(says(&told, at_once), []);
    assert_eq!(says(&told, overruled), unknown("actor:boss"));
}

#[test]
fn c15_the_product_of_a_code_tells_what_an_event_must_say() {
    let lacks = |told: &Telling, event| -> Vec<String> {
        let found = verdict(told).findings.into_iter();
        let mut found = found.filter(|found| found.event == event);
        match found.find(|found| found.code == FindingCode::Incomplete) {
            Some(found) => match found.detail {
                Detail::Missing { items } => items,
                other => panic!("{other:?}"),
            },
            None => Vec::new(),
        }
    };
    let count = |good| Line::new(Kind::Count, stage::CASHIER, SHOP).of(&[good]);
    let mut told = Telling::new();
    let [makers, chains] = [OWN_TIN, OTHER_OWN_TIN].map(|good| told.tell(count(good)));
    assert_eq!(lacks(&told, makers), [""; 0]);
    // Whatever the other's product of the same code is.
    let own = told.world.own_products.entry(MAKER).or_default();
    own.insert(OWN.to_owned(), Some(Profile::MaternalBabyCare));
    let of_care = [
        "inventory.storage_temperature",
        "inventory.storage_humidity",
    ];
    assert_eq!(lacks(&told, makers), of_care);
    assert_eq!(lacks(&told, chains), [""; 0]);
}

#[test]
fn c15_lot_or_date_in_a_code_unlike_the_batch_on_record_is_told() {
    // Another lot; a day where none is on record; another best before.
    for good in [RELABELLED, DATED, PROLONGED] {
        let mut told = Telling::new();
        let event = told.tell(line(Kind::Outbound, PLANT).of(&[good]).to(SHOP));
        assert_eq!(
            of(&told, event),
            [FindingCode::CodeContradictsRecord],
            "{good}"
        );
    }

    let mut honest = Telling::new();
    honest.tell(line(Kind::Outbound, PLANT).of(&[SHORT_TIN]).to(SHOP));
    assert!(quiet(&honest));
}

#[test]
fn c15_of_many_references_the_first_are_named_and_the_others_counted() {
    let mut told = Telling::new();
    let unreadable = |n| UnitRead {
        code: format!("{n:04}{}", "x".repeat(400)),
        input: Input::Wedge,
        scanned: None,
        unit: None,
    };
    let outbound = line(Kind::Outbound, PLANT).with(NOBODY);
    let event = told.tell(outbound.saying(|event| event.units.extend((0..1_000).map(unreadable))));
    let found = verdict(&told).findings;
    let found: Vec<_> = found.iter().filter(|found| found.event == event).collect();
    let [found] = found[..] else {
        panic!("one finding: {found:?}");
    };
    assert_eq!(found.code, FindingCode::UnknownRef);
    let Detail::Unknown { what, more } = &found.detail else {
        panic!("{found:?}");
    };
    let named: Vec<&str> = what.split(", ").collect();
    assert_eq!((named.len(), *more), (10, 991), "{what}");
    assert_eq!(named[0], format!("enterprise:{NOBODY}"), "ids come first");
    assert!(named[1].starts_with("code:0000x") && named[1].ends_with("x…"));
    assert_eq!(named[1].chars().count(), 101);
    assert!(what.len() < 2_000);
    // What goes on record shows in the number, too: who looks for what changed finds it.
    told.world.enterprises.insert(NOBODY);
    let found = verdict(&told).findings;
    let now = found.iter().find(|found| found.event == event);
    let now = now.map(|found| &found.detail);
    let Some(Detail::Unknown { what, more: 990 }) = now else {
        panic!("{now:?}");
    };
    assert!(what.starts_with("code:0000x"));
}

/// What the other side did with the goods is its to say, and not undone by whoever sent them.
#[test]
fn c14_a_leg_that_is_taken_back_after_it_was_answered_links_all_the_same() {
    // The tin itself, or the case it is in, of which the other side names either.
    for (sent, received) in [(TIN_1, TIN_1), (CASE_1, CASE_1), (CASE_1, TIN_1)] {
        let mut told = Telling::new();
        told.tell(line(Kind::Pack, PLANT).of(&[TIN_1]).into(CASE_1));
        let leg = told.tell(line(Kind::Outbound, PLANT).of(&[sent]).with(CHAIN));
        told.tell(line(Kind::Inbound, SHOP).of(&[received]).with(MAKER));
        told.tell(line(Kind::Destroy, SHOP).of(&[TIN_1]));
        told.tell(line(Kind::Retract, PLANT).target(leg));
        assert_eq!(phase(&told, TIN_1), Phase::Destroyed, "{sent} {received}");
        assert!(state(&told, TIN_1).linked.contains(&CHAIN));
        let stop = public_status(&state(&told, TIN_1)).and_then(|told| told.ended);
        assert_eq!(stop, Some(Ended::Destroyed));
    }
}

#[test]
fn c14_a_leg_that_nobody_answered_before_it_was_taken_back_links_nobody() {
    let named = |event: &mut Event| event.counterpart = None;
    let answers = [
        line(Kind::Inbound, SHOP).of(&[TIN_1]).saying(named),
        line(Kind::Outbound, SHOP).of(&[TIN_1]).with(MAKER),
        line(Kind::Inbound, SHOP).of(&[TIN_2]).with(MAKER),
        line(Kind::Inbound, SHOP).of(&[TIN_1]).with(NOBODY),
    ];
    for answer in answers {
        let mut told = Telling::new();
        let leg = told.tell(line(Kind::Outbound, PLANT).of(&[TIN_1]).with(CHAIN));
        told.tell(answer);
        told.tell(line(Kind::Retract, PLANT).target(leg));
        assert_eq!(state(&told, TIN_1).linked, [MAKER].into());
    }
    // It answered when the leg was taken back already, though it says that it was before.
    let mut told = Telling::new();
    let leg = told.tell(line(Kind::Outbound, PLANT).of(&[TIN_1]).with(CHAIN));
    told.tell(line(Kind::Retract, PLANT).target(leg).at(9 * HOUR));
    let answer = line(Kind::Inbound, SHOP).of(&[TIN_1]).with(MAKER);
    let answer = told.tell(answer.at(2 * HOUR));
    assert_eq!(of(&told, answer), [FindingCode::UnexpectedHolder]);
}

#[test]
fn c14_who_corrects_its_first_word_on_a_foreign_code_keeps_it() {
    let mut told = Telling::new();
    let first = told.tell(line(Kind::Inbound, SHOP).of(&[FOREIGN_TIN]));
    let stranger = told.tell(line(Kind::Inbound, STALL).of(&[FOREIGN_TIN]));
    assert!(of(&told, stranger).contains(&FindingCode::UnexpectedHolder));
    told.tell(line(Kind::Retract, SHOP).target(first));
    // Nothing of it stands: the other was the first.
    assert_eq!(state(&told, FOREIGN_TIN).linked, [STRANGER].into());
    told.tell(line(Kind::Inbound, SHOP).of(&[FOREIGN_TIN]).doc("W2"));
    assert_eq!(state(&told, FOREIGN_TIN).linked, [CHAIN].into());
    assert!(of(&told, stranger).contains(&FindingCode::UnexpectedHolder));
}
