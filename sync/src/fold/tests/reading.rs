//! Section 5, reading; and the hash of a state.

use super::*;

/// From the plant over the warehouse of a partner to the store, and sold there.
fn chain() -> Story {
    let mut story = Story::new();
    story.ship(MAKER, PLANT, 1, STRANGE_PLACE);
    story.tin(STRANGER, Kind::Inbound, STRANGE_PLACE, 2);
    story.ship(STRANGER, STRANGE_PLACE, 3, STORE);
    story.tin(SHOP, Kind::Inbound, STORE, 4);
    story.tin(SHOP, Kind::Sale, STORE, 5);
    story
}

fn seen(story: &Story, who: Reader) -> Option<Vec<Kind>> {
    let folded = story.folded(&tin(1));
    visible(&folded.state, &folded.steps, who)
        .map(|view| view.entries.iter().map(|entry| entry.kind).collect())
}

#[test]
fn the_issuer_and_the_operator_see_all() {
    let story = chain();
    for who in [Reader::All, Reader::Enterprise(enterprise(MAKER))] {
        assert_eq!(seen(&story, who).map(|entries| entries.len()), Some(5));
    }
}

#[test]
fn a_holder_sees_its_own_one_step_up_and_one_step_down() {
    let story = chain();
    assert_eq!(
        seen(&story, Reader::Enterprise(enterprise(STRANGER))),
        Some(vec![
            Kind::Outbound,
            Kind::Inbound,
            Kind::Outbound,
            Kind::Inbound
        ])
    );
    assert_eq!(
        seen(&story, Reader::Enterprise(enterprise(SHOP))),
        Some(vec![Kind::Outbound, Kind::Inbound, Kind::Sale])
    );
}

#[test]
fn a_step_with_somebody_else_in_between_is_nobodys_next() {
    let mut story = Story::new();
    story.ship(MAKER, PLANT, 1, STRANGE_PLACE);
    story.tin(STRANGER, Kind::Inbound, STRANGE_PLACE, 2);
    story.ship(STRANGER, STRANGE_PLACE, 3, STORE);
    story.tin(MAKER, Kind::Count, WAREHOUSE, 4);
    story.tin(SHOP, Kind::Inbound, STORE, 5);
    let own = seen(&story, Reader::Enterprise(enterprise(SHOP)));
    assert_eq!(own, Some(vec![Kind::Inbound]), "no step up");
    let own = seen(&story, Reader::Enterprise(enterprise(STRANGER)));
    let legs = vec![Kind::Outbound, Kind::Inbound, Kind::Outbound];
    assert_eq!(own, Some(legs), "no step down");
}

#[test]
fn beyond_a_step_neither_place_nor_holder_nor_container_is_told() {
    let mut story = chain();
    let told = |story: &Story, who: u128| {
        let folded = story.folded(&tin(1));
        let who = Reader::Enterprise(enterprise(who));
        let view = visible(&folded.state, &folded.steps, who).expect("linked");
        view.state.expect("linked")
    };
    let own = told(&story, SHOP);
    let here = (Place::At(place(STORE)), Some(enterprise(SHOP)));
    assert_eq!((own.place, own.holder), here);
    assert_eq!(own.linked, [enterprise(SHOP)].into());
    // Brought back and packed: two steps from who had sent it there.
    story.tin(SHOP, Kind::Return, STORE, 6);
    story.tell(SHOP, Kind::Pack, STORE, 7, &[tin(1)], |event| {
        event.parent = Some(read(&case(1)));
    });
    assert_eq!(told(&story, SHOP).inside, Some(case(1)));
    let own = told(&story, STRANGER);
    assert_eq!(
        (own.place, own.holder, own.inside),
        (Place::Nowhere, None, None)
    );
    assert_eq!(own.phase, Phase::Returned);
    assert_eq!(own.linked, [enterprise(STRANGER)].into());
}

#[test]
fn c10_a_retract_of_somebody_else_hides_nothing_from_the_holder() {
    let mut story = Story::new();
    let doubled = story.ship(MAKER, PLANT, 1, STORE);
    story.ship(MAKER, PLANT, 2, STORE);
    let told = |story: &Story| {
        let folded = story.folded(&tin(1));
        let view = visible(
            &folded.state,
            &folded.steps,
            Reader::Enterprise(enterprise(SHOP)),
        );
        let view = view.expect("linked");
        let kinds: Vec<Kind> = view.entries.iter().map(|entry| entry.kind).collect();
        let state = view.state.expect("linked");
        (state.place, state.holder, kinds)
    };
    let coming = told(&story);
    assert_eq!(
        (coming.1, &*coming.2),
        (Some(enterprise(MAKER)), &[Kind::Outbound][..])
    );
    // Of its own, and of a stranger.
    story.retract(MAKER, 3, doubled, "a");
    story.retract(STRANGER, 4, doubled, "a");
    assert_eq!(told(&story), coming);
    let received = story.tin(SHOP, Kind::Inbound, STORE, 5);
    let here = (
        Place::At(place(STORE)),
        Some(enterprise(SHOP)),
        vec![Kind::Outbound, Kind::Inbound],
    );
    assert_eq!(told(&story), here);
    story.retract(STRANGER, 6, received, "a");
    story.retract(MAKER, 7, doubled, "a");
    assert_eq!(told(&story), here);
}

#[test]
fn what_takes_no_effect_hides_nothing_from_the_holder() {
    let mut story = Story::new();
    story.at_the_store();
    // Another batch than on record.
    story.tell(MAKER, Kind::Commission, PLANT, 4, &[tin(1)], |event| {
        event.body.insert("batch".into(), "L2".into());
    });
    assert_eq!(story.codes(&tin(1)), [FindingCode::CommissionConflict]);
    let folded = story.folded(&tin(1));
    let who = Reader::Enterprise(enterprise(SHOP));
    let view = visible(&folded.state, &folded.steps, who).expect("linked");
    let state = view.state.expect("linked");
    let here = (Place::At(place(STORE)), Some(enterprise(SHOP)));
    assert_eq!((state.place, state.holder), here);
}

#[test]
fn a_name_stays_with_who_wrote_it() {
    let mut story = Story::new();
    story.at_the_store();
    story.tell(SHOP, Kind::Outbound, STORE, 4, &[tin(1)], |event| {
        event.counterpart = Some(Counterpart::Named("somebody".into()));
    });
    let folded = story.folded(&tin(1));
    let told = |who: Reader| {
        let view = visible(&folded.state, &folded.steps, who).expect("seen");
        view.entries.last().expect("an outbound").partner.clone()
    };
    let name = Some(Partner::Named("somebody".into()));
    assert_eq!(told(Reader::Enterprise(enterprise(SHOP))), name);
    assert_eq!(told(Reader::All), name);
    assert_eq!(told(Reader::Enterprise(enterprise(MAKER))), None);
}

#[test]
fn who_is_not_linked_sees_nothing() {
    let story = chain();
    assert_eq!(seen(&story, Reader::Enterprise(enterprise(77))), None);
}

#[test]
fn who_only_claims_a_tin_sees_its_own_word_and_no_state() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(STRANGER, Kind::Inbound, STRANGE_PLACE, 9);
    let folded = story.folded(&tin(1));
    let view = visible(
        &folded.state,
        &folded.steps,
        Reader::Enterprise(enterprise(STRANGER)),
    )
    .expect("it said so itself");
    assert_eq!(view.state, None);
    assert_eq!(view.entries.len(), 1);
}

#[test]
fn c14_who_retracts_what_somebody_else_stated_sees_no_more_than_before() {
    let mut story = Story::new();
    story.at_the_store();
    let sale = story.tin(SHOP, Kind::Sale, STORE, 9);
    story.retract(STRANGER, 12, sale, "a");
    assert_eq!(seen(&story, Reader::Enterprise(enterprise(STRANGER))), None);
}

#[test]
fn c14_who_names_a_case_nobody_gave_it_does_not_learn_what_is_in_it() {
    let mut story = Story::new();
    story.pack(PLANT, 1, &case(1), &[tin(1)]);
    let into = read(&case(1));
    story.tell(STRANGER, Kind::Unpack, STRANGE_PLACE, 2, &[], |event| {
        event.parent = Some(into);
    });
    story.tell(
        STRANGER,
        Kind::Inbound,
        STRANGE_PLACE,
        3,
        &[case(1)],
        |_| {},
    );
    let stranger = Reader::Enterprise(enterprise(STRANGER));
    assert_eq!(seen(&story, stranger), None);
    assert_eq!(
        seen(&story, Reader::Enterprise(enterprise(MAKER))).map(|all| all.len()),
        Some(3)
    );
    // What it reads off the tin itself it may see again, and nothing more.
    story.tin(STRANGER, Kind::Inbound, STRANGE_PLACE, 4);
    assert_eq!(seen(&story, stranger), Some(vec![Kind::Inbound]));
}

#[test]
fn i9_the_hash_does_not_depend_on_the_order_of_arrival() {
    let story = chain();
    let mut other = chain();
    other.facts.reverse();
    assert_eq!(
        state_hash(&tin(1), &story.folded(&tin(1))),
        state_hash(&tin(1), &other.folded(&tin(1)))
    );
    other.facts.pop();
    assert_ne!(
        state_hash(&tin(1), &story.folded(&tin(1))),
        state_hash(&tin(1), &other.folded(&tin(1)))
    );
}
