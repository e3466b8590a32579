//! Small stories of lines.

use super::*;
use crate::{
    event::{Event, Kind, LotLine, UnitRead},
    facts::{Fact, PlaceInfo, World},
    finding::{Detail, FindingCode as F, LotKey},
    fold,
    ids::{DeviceId, EnterpriseId, EventId, LocationId},
    order::{Interval, Order},
};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

const GTIN: &str = "06901234567892";

fn key(location: u128) -> LotKey {
    LotKey {
        gtin: GTIN.into(),
        lot: Some("L1".into()),
        location: LocationId(Uuid::from_u128(location)),
    }
}

/// Something of lot L1 by enterprise 1, at a minute.
fn fact(kind: Kind, location: u128, minute: i64, qty: u64, more: impl FnOnce(&mut Event)) -> Fact {
    let eff = minute * 60_000_000;
    let id = EventId(Uuid::from_u128((location << 64) + minute as u128));
    let device = DeviceId(Uuid::from_u128(100 + location));
    let mut event = Event::bare(kind, id, device, 1, minute as u64, eff);
    event.location = LocationId(Uuid::from_u128(location));
    if qty > 0 {
        event.lots.push(LotLine {
            gtin: GTIN.into(),
            lot: Some("L1".into()),
            qty,
        });
    }
    more(&mut event);
    Fact {
        order: Order {
            eff,
            device,
            epoch: 1,
            seq: event.seq,
            event: id,
        },
        interval: Interval {
            lo: eff,
            est: eff,
            hi: eff,
        },
        gseq: minute,
        enterprise: EnterpriseId(Uuid::from_u128(1)),
        event: Arc::new(event),
        delivered: 0,
        flags: Vec::new(),
        corrects: None,
    }
}

fn world() -> World {
    let mut world = World::default();
    for (location, enterprise) in [(10, 1), (11, 1), (90, 9)] {
        world.places.insert(
            LocationId(Uuid::from_u128(location)),
            PlaceInfo {
                enterprise: EnterpriseId(Uuid::from_u128(enterprise)),
                plant: false,
            },
        );
    }
    world
}

fn line(facts: &[Fact], location: u128) -> Line {
    let facts: Vec<&Fact> = facts.iter().collect();
    let world = world();
    let containers = fold::forest(&facts, &world);
    lines(&facts, &containers, &world)
        .remove(&key(location))
        .unwrap_or_else(|| Line::new(key(location)))
}

fn codes(line: &Line) -> Vec<F> {
    line.findings().iter().map(|finding| finding.code).collect()
}

#[test]
fn c11_a_balance_is_what_came_less_what_went() {
    let facts = [
        fact(Kind::Commission, 10, 1, 100, |_| {}),
        fact(Kind::Outbound, 10, 2, 30, |_| {}),
        fact(Kind::Sale, 10, 3, 20, |_| {}),
        fact(Kind::Return, 10, 4, 5, |_| {}),
        fact(Kind::Collect, 10, 5, 3, |_| {}),
        fact(Kind::Destroy, 10, 6, 2, |_| {}),
        fact(Kind::Inspect, 10, 7, 9, |_| {}),
    ];
    // The two that were destroyed are of the three that were fetched back.
    assert_eq!(line(&facts, 10).balance, 52);
    assert_eq!(line(&facts, 10).collected, 1);
    assert_eq!(codes(&line(&facts, 10)), []);
}

#[test]
fn c11_a_negative_balance_is_found_with_its_interval_and_heals() {
    let mut facts = vec![
        fact(Kind::Sale, 10, 2, 5, |_| {}),
        fact(Kind::Sale, 10, 3, 2, |_| {}),
        fact(Kind::Inbound, 10, 5, 10, |_| {}),
    ];
    let found = line(&facts, 10);
    assert_eq!(found.balance, 3);
    let [finding] = &found.findings()[..] else {
        panic!("one interval");
    };
    assert_eq!(
        finding.detail,
        Detail::Balance {
            from: 2 * 60_000_000,
            until: Some(5 * 60_000_000),
            lowest: -7
        }
    );
    facts.push(fact(Kind::Inbound, 10, 1, 7, |_| {}));
    assert_eq!(codes(&line(&facts, 10)), []);
}

#[test]
fn c11_an_interval_that_has_not_ended_is_open() {
    let found = line(&[fact(Kind::Sale, 10, 2, 5, |_| {})], 10);
    assert_eq!(found.balance, -5);
    assert!(matches!(
        found.findings()[0].detail,
        Detail::Balance { until: None, .. }
    ));
}

#[test]
fn c11_a_late_movement_is_not_appended() {
    let movement = |minute| Movement {
        order: fact(Kind::Sale, 10, minute, 1, |_| {}).order,
        change: Change::In { qty: 1 },
    };
    let mut line = Line::new(key(10));
    assert!(line.append(&movement(2)));
    assert!(!line.append(&movement(1)));
    assert!(!line.append(&movement(2)));
    assert_eq!(line.balance, 1);
}

#[test]
fn c11_a_counted_difference_enters_only_if_a_supervisor_accepted_it() {
    for (supervisor, accepted, balance, expected) in [
        (false, false, 10, &[F::MissingAtCount][..]),
        (false, true, 10, &[F::MissingAtCount]),
        (true, false, 10, &[F::MissingAtCount]),
        (true, true, 8, &[]),
    ] {
        let facts = [
            fact(Kind::Inbound, 10, 1, 10, |_| {}),
            fact(Kind::Count, 10, 2, 8, |event| {
                event.actor.supervisor = supervisor;
                event.body.insert("accepted".into(), accepted.into());
            }),
        ];
        let line = line(&facts, 10);
        assert_eq!(line.balance, balance);
        assert_eq!(codes(&line), expected);
    }
}

#[test]
fn c11_an_accepted_count_is_what_was_seen_whatever_comes_in_before_it() {
    let before = fact(Kind::Inbound, 10, 2, 50, |_| {});
    let count = fact(Kind::Count, 10, 3, 8, |event| {
        event.actor.supervisor = true;
        event.body.insert("accepted".into(), true.into());
    });
    let behind = fact(Kind::Inbound, 10, 4, 5, |_| {});
    let first = fact(Kind::Inbound, 10, 1, 10, |_| {});
    for (facts, balance) in [
        (vec![first.clone(), count.clone()], 8),
        (vec![first.clone(), before, count.clone()], 8),
        (vec![first, count, behind], 13),
    ] {
        let line = line(&facts, 10);
        assert_eq!(line.balance, balance);
        assert_eq!(codes(&line), []);
    }
}

#[test]
fn c11_a_complete_count_that_does_not_name_a_lot_saw_none() {
    let facts = [
        fact(Kind::Inbound, 10, 1, 10, |_| {}),
        fact(Kind::Count, 10, 2, 0, |event| {
            event
                .body
                .insert("scope".into(), serde_json::json!({"complete": true}));
        }),
    ];
    assert_eq!(codes(&line(&facts, 10)), [F::MissingAtCount]);
}

#[test]
fn c11_a_difference_that_is_counted_again_is_told_once() {
    let counts = |minute, seen| fact(Kind::Count, 10, minute, seen, |_| {});
    let inbound = |minute, qty| fact(Kind::Inbound, 10, minute, qty, |_| {});
    for (between, times) in [
        (vec![], 1),
        (vec![counts(4, 8), counts(5, 8)], 1),
        // Another difference, and none, are something else; so is the same after goods came and went.
        (vec![counts(4, 7)], 3),
        (vec![counts(4, 10)], 2),
        (vec![inbound(4, 3), fact(Kind::Sale, 10, 5, 3, |_| {})], 2),
    ] {
        let mut facts = vec![inbound(1, 10), counts(2, 8)];
        facts.extend(between);
        facts.push(counts(9, 8));
        let line = line(&facts, 10);
        assert_eq!(codes(&line), vec![F::MissingAtCount; times]);
    }
}

#[test]
fn c10_a_struck_movement_contributes_nothing() {
    let sale = fact(Kind::Sale, 10, 2, 4, |_| {});
    let target = sale.event.id;
    let facts = [
        fact(Kind::Inbound, 10, 1, 10, |_| {}),
        sale,
        fact(Kind::Retract, 10, 3, 0, |event| {
            event.target = Some(target);
        }),
    ];
    assert_eq!(line(&facts, 10).balance, 10);
}

#[test]
fn c14_a_stranger_moves_nothing_at_somebody_elses_place() {
    let facts = [fact(Kind::Sale, 90, 2, 4, |_| {})];
    let line = line(&facts, 90);
    assert_eq!(line.balance, 0);
    assert_eq!(codes(&line), [F::UnexpectedHolder]);
}

#[test]
fn c11_a_lot_that_was_not_given_is_a_line_of_its_own() {
    let sale = fact(Kind::Sale, 10, 2, 4, |event| event.lots[0].lot = None);
    let found = fold::of_event(&sale, None, &world());
    assert!(found.iter().any(|finding| finding.code == F::LotUnknown));
}

#[test]
fn c13_lots_in_a_container_move_with_it() {
    let pallet = UnitRead::of("00106141412345678908", crate::event::Input::Wedge);
    let [pack, out, come] = [
        (Kind::Pack, 10, 2, 6),
        (Kind::Outbound, 10, 3, 0),
        (Kind::Inbound, 11, 4, 0),
    ]
    .map(|(kind, location, minute, qty)| {
        fact(kind, location, minute, qty, |event| {
            if kind == Kind::Pack {
                event.parent = Some(pallet.clone());
            } else {
                event.units.push(pallet.clone());
            }
        })
    });
    let facts = [fact(Kind::Commission, 10, 1, 10, |_| {}), pack, out, come];
    assert_eq!(line(&facts, 10).balance, 4);
    assert_eq!(line(&facts, 11).balance, 6);
}

#[test]
fn c13_what_an_event_names_and_what_its_container_holds_add_up() {
    let pallet = UnitRead::of("00106141412345678908", crate::event::Input::Wedge);
    let facts = [
        fact(Kind::Commission, 10, 1, 10, |_| {}),
        fact(Kind::Pack, 10, 2, 6, |event| {
            event.parent = Some(pallet.clone());
        }),
        fact(Kind::Outbound, 10, 3, 3, |event| {
            event.units.push(pallet.clone());
        }),
    ];
    assert_eq!(line(&facts, 10).balance, 1);
}

#[test]
fn appending_gives_what_folding_again_gives() {
    let facts: Vec<Fact> = (1..60)
        .map(|minute| {
            let kind = [Kind::Inbound, Kind::Sale, Kind::Outbound, Kind::Count][minute % 4];
            fact(kind, 10, minute as i64, (minute * 7 % 11) as u64, |_| {})
        })
        .collect();
    let refs: Vec<&Fact> = facts.iter().collect();
    let movements = movements(&refs, &BTreeMap::new(), &world());
    let movements = &movements[&key(10)];
    let (first, rest) = movements.split_at(movements.len() / 2);
    let mut resumed = balance(key(10), first);
    for movement in rest {
        assert!(resumed.append(movement));
    }
    assert_eq!(resumed, balance(key(10), movements));
}
