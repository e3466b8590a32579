//! Draws drafts with proptest, so that what fails shrinks.

use super::{
    Case,
    draft::{Draft, build},
    settings::{RecallDraft, Settings},
};
use proptest::{collection::vec, prelude::*};

/// A draft.
fn draft() -> impl Strategy<Value = Draft> {
    let late = prop_oneof![4 => Just(0_u8), 1 => 0_u8..8, 1 => Just(40_u8)];
    let more = prop_oneof![2 => Just(0_u16), 1 => any::<u16>()];
    let width = prop_oneof![2 => Just(0_u8), 3 => 0_u8..25];
    (
        (prop::bool::weighted(0.6), prop::bool::weighted(0.1)),
        (any::<u8>(), 0_u8..12, more, 0_u8..6, 0_u8..5),
        (0_u8..8, width, late, any::<u8>(), 0_u8..4, any::<u32>()),
    )
        .prop_map(
            |(
                (plausible, again),
                (kind, good, more, place, hand),
                (gap, width, late, partner, paper, aux),
            )| {
                Draft {
                    plausible,
                    again,
                    kind,
                    good,
                    more,
                    place,
                    hand,
                    gap,
                    width,
                    late,
                    partner,
                    paper,
                    aux,
                }
            },
        )
}

/// Histories of up to so many events.
pub fn drafts(max: usize) -> impl Strategy<Value = Vec<Draft>> {
    vec(draft(), 1..=max)
}

fn recall() -> impl Strategy<Value = RecallDraft> {
    (
        any::<bool>(),
        0_u8..11,
        0_u8..16,
        0_u8..6,
        0_u8..8,
        prop::bool::weighted(0.3),
        0_u8..6,
    )
        .prop_map(
            |(by_batch, what, opened, widened, closed, mistaken, destination)| RecallDraft {
                by_batch,
                what,
                opened,
                widened,
                closed,
                mistaken,
                destination,
            },
        )
}

/// What the server stated.
pub fn settings() -> impl Strategy<Value = Settings> {
    (
        vec(recall(), 0..3),
        vec((0_u8..16, 0_u8..8), 0..2),
        vec((0_u8..16, 0_u8..5), 0..3),
        vec((0_u8..5, any::<u8>(), 0_u8..20), 0..2),
    )
        .prop_map(|(recalls, policies, shifts, accepted)| Settings {
            recalls,
            policies,
            shifts,
            accepted,
        })
}

/// A world and a history of up to so many events.
pub fn case(max: usize) -> impl Strategy<Value = Case> {
    (settings(), drafts(max)).prop_map(|(settings, drafts)| build(&settings, &drafts))
}
