//! C14: what strangers say they have, and when it is a claim no longer.

use super::*;
use crate::facts::{AcceptScope, Accepted};

#[test]
fn c14_a_claim_is_what_a_stranger_last_said_to_be_at_its_place() {
    let claimed_at = |story: &Story| {
        let claimed = claimed(&story.folded(&tin(1)).state);
        claimed.get(&enterprise(STRANGER)).copied()
    };
    let mut story = Story::new();
    story.at_the_store();
    assert_eq!(claimed(&story.folded(&tin(1)).state), [].into());
    let here = Some(place(STRANGE_PLACE));
    // Whatever leaves takes it away, whatever comes brings it back.
    for (kind, expected) in [
        (Kind::Inbound, here),
        (Kind::Sale, None),
        (Kind::Return, here),
        (Kind::Outbound, None),
        (Kind::Count, here),
        (Kind::Destroy, None),
        (Kind::Inbound, here),
    ] {
        let hour = story.facts.len() as i64 + 3;
        story.tin(STRANGER, kind, STRANGE_PLACE, hour);
        assert_eq!(claimed_at(&story), expected, "{kind:?}");
    }
    // Where others are linked it is nobody else's.
    assert_eq!(claimed(&story.folded(&tin(1)).state).len(), 1);
    // A leg that comes after it in the order makes it state: on its way there, and no claim.
    story.tell(
        SHOP,
        Kind::Outbound,
        STORE,
        30,
        &[tin(1)],
        to_place(STRANGE_PLACE),
    );
    assert_eq!(claimed_at(&story), None);
    assert_eq!(story.folded(&tin(1)).state.phase, Phase::InTransit);
}

#[test]
fn c14_an_accepted_word_is_no_claim_whatever_it_changes() {
    let mut story = Story::new();
    story.at_the_store();
    story.tin(STRANGER, Kind::Inbound, STRANGE_PLACE, 4);
    story.tin(SHOP, Kind::Destroy, STORE, 5);
    story.tin(STRANGER, Kind::Inbound, STRANGE_PLACE, 6);
    let last = story.facts.last().expect("an inbound").gseq;
    assert_eq!(claimed(&story.folded(&tin(1)).state).len(), 1);
    story.world.accepted = vec![Accepted {
        at: StatedAt { at: 0, gseq: 0 },
        issuer: enterprise(MAKER),
        partner: enterprise(STRANGER),
        scope: AcceptScope::Unit(tin(1)),
        from: last,
    }]
    .into();
    // Its second word counts, and says nothing of what is destroyed.
    let state = story.folded(&tin(1)).state;
    assert_eq!(
        (claimed(&state), state.phase),
        ([].into(), Phase::Destroyed)
    );
}

#[test]
fn c14_who_claims_a_container_claims_its_code_and_not_what_is_inside() {
    let mut story = Story::new();
    story.pack(PLANT, 1, &case(1), &[tin(1)]);
    of_the_case(&mut story, Kind::Inbound, 2);
    let claims = |story: &Story, unit: &UnitKey| claimed(&story.forest()[unit].state).len();
    assert_eq!((claims(&story, &case(1)), claims(&story, &tin(1))), (1, 0));
    // What it reads itself it claims, wherever the case goes then.
    story.tin(STRANGER, Kind::Inbound, STRANGE_PLACE, 3);
    of_the_case(&mut story, Kind::Outbound, 4);
    assert_eq!((claims(&story, &case(1)), claims(&story, &tin(1))), (0, 1));
}

#[test]
fn c14_what_was_claimed_before_its_pack_is_judged_by_itself() {
    let mut story = Story::new();
    for n in 1..=3 {
        story.tell(STRANGER, Kind::Inbound, STRANGE_PLACE, 1, &[tin(n)], |_| {});
    }
    story.pack(PLANT, 2, &case(1), &[tin(1), tin(2), tin(3)]);
    let all = story.forest();
    let members = [1, 2, 3].map(|n| Member {
        unit: tin(n),
        batch: all[&tin(n)].state.batch,
        sign: Sign::of(&tin(n), &all[&tin(n)], &story.world),
        own_event_since: false,
    });
    // All alike, and still each of them: the leg that links the stranger ends its claims.
    let found = exceptional(&all[&case(1)], &members, &story.world);
    assert_eq!(found.len(), 3);
    story.tell(MAKER, Kind::Outbound, PLANT, 3, &[case(1)], |event| {
        event.counterpart = Some(Counterpart::Location(place(STRANGE_PLACE)));
    });
    assert_eq!(claimed(&story.forest()[&tin(1)].state), [].into());
}

fn of_the_case(story: &mut Story, kind: Kind, minute: i64) {
    story.tell(STRANGER, kind, STRANGE_PLACE, minute, &[case(1)], |_| {});
}
