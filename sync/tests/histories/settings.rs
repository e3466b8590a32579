//! What the server stated besides: recalls, policies, ends of shifts, acceptances, drawn as small
//! numbers and placed between the events.

use super::stage::{self, BATCHES, DAY, HANDS, HOUR, MAKER, MINUTE, PLACES, RECALLED, START};
use std::collections::BTreeSet;
use suyuan_sync::{
    facts::{AcceptScope, Accepted, Policy, RecallScope, RecallSpan, ShiftClosed, StatedAt, World},
    ids::{Gseq, Micros},
};

/// A recall as small numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecallDraft {
    /// By batch, or by unit.
    pub by_batch: bool,
    /// Which batch or good.
    pub what: u8,
    /// Six hours each after the start.
    pub opened: u8,
    /// So many steps after it was opened it is widened to the next batch or good; 0: never.
    pub widened: u8,
    /// So many steps after it was opened it is closed; 0: never.
    pub closed: u8,
    /// Closed as mistaken.
    pub mistaken: bool,
    /// Where the goods are to go: nowhere named, or a place.
    pub destination: u8,
}

/// Everything the server stated.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub recalls: Vec<RecallDraft>,
    /// When, and how short the windows are from then on.
    pub policies: Vec<(u8, u8)>,
    /// When, and of which device.
    pub shifts: Vec<(u8, u8)>,
    /// Whom the maker accepts, on what, from which event's position on.
    pub accepted: Vec<(u8, u8, u8)>,
}

/// An instant of the server.
fn instant(step: u8) -> Micros {
    START + Micros::from(step) * 6 * HOUR + 1
}

/// Writes the settings into a world. `position` tells how many events were received before an
/// instant; positions of events are multiples of 100.
pub fn place(settings: &Settings, world: &mut World, position: impl Fn(Micros) -> Gseq) {
    let mut taken = BTreeSet::new();
    let mut stated = |step: u8| {
        let mut at = StatedAt {
            at: instant(step),
            gseq: position(instant(step)) * 100 + 101,
        };
        while !taken.insert(at.gseq) {
            at.gseq += 1;
            at.at += 1;
        }
        at
    };
    for (n, draft) in settings.recalls.iter().enumerate() {
        let mut scope = RecallScope::default();
        cover(&mut scope, *draft, 0);
        let from = stated(draft.opened);
        let closed = (draft.closed > 0).then(|| stated(draft.opened + draft.closed));
        let destinations = match draft.destination {
            0 => BTreeSet::new(),
            n => BTreeSet::from([PLACES[usize::from(n) % PLACES.len()]]),
        };
        let span = RecallSpan {
            recall: stage::recall(n as u8),
            from,
            closed,
            mistaken: draft.mistaken && closed.is_some(),
            scope: scope.clone(),
            destinations,
        };
        world.recalls.push(span.clone());
        let lasts = draft.closed == 0 || draft.widened < draft.closed;
        if draft.widened > 0 && lasts {
            cover(&mut scope, *draft, 1);
            world.recalls.push(RecallSpan {
                from: stated(draft.opened + draft.widened),
                scope,
                ..span
            });
        }
    }
    world.recalls.sort_by_key(|span| span.from.order());
    let made = world
        .recalls
        .iter()
        .map(|span| (span.from.gseq, span.from.at));
    world.instants.extend(made);
    for (step, short) in &settings.policies {
        let policy = Policy {
            duplicate_window_us: Micros::from(*short) * 3 * MINUTE,
            list_age_us: Micros::from(*short) * DAY / 4,
        };
        world.policies.push((stated(*step), policy));
    }
    world.policies.sort_by_key(|(at, _)| at.order());
    for (step, device) in &settings.shifts {
        world.shifts.push(ShiftClosed {
            at: stated(*step),
            device: HANDS[usize::from(*device) % HANDS.len()].device,
        });
    }
    for (who, what, from) in &settings.accepted {
        let partner = HANDS[usize::from(*who) % HANDS.len()].enterprise;
        let scope = match what % 4 {
            0 => AcceptScope::Partner(partner),
            1 => AcceptScope::Batch(BATCHES[usize::from(what / 4) % BATCHES.len()]),
            _ => AcceptScope::Unit(stage::unit(usize::from(what / 4) % 11)),
        };
        let from = Gseq::from(*from) * 100;
        world.accepted.push(Accepted {
            at: StatedAt { at: 0, gseq: 0 },
            issuer: MAKER,
            partner,
            scope,
            from,
        });
    }
}

fn cover(scope: &mut RecallScope, draft: RecallDraft, further: usize) {
    let what = usize::from(draft.what) + further;
    if draft.by_batch {
        scope.batches.insert(RECALLED[what % RECALLED.len()]);
    } else {
        scope.units.insert(stage::unit(what % 11));
    }
}
