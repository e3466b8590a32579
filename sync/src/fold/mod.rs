//! What became of a unit: a pure fold over the facts about it (sync.md section 6).
//!
//! [`fold`] is total and never an error: what cannot be true becomes a finding in what it returns,
//! and a fact that comes in later can explain it away. A rule has one file, named by what happens;
//! `table` is C0 and says which rule decides a pair of phase and kind; `walk` goes through the
//! facts in order and asks. The rules are written down in this crate's README.
//!
//! It must not know where facts are stored, who is asking, or what time it is.

mod claims;
mod collect;
mod commission;
mod contents;
mod corrected;
mod count;
mod destroy;
mod diff;
mod exceptional;
mod forest;
mod found;
mod hash;
mod holder;
mod inbound;
mod inspect;
mod known;
mod level;
mod outbound;
mod pack;
mod public;
mod recalled;
mod returned;
mod sale;
mod state;
mod stated;
pub(crate) mod struck;
mod table;
mod visible;
mod walk;

pub use claims::{contradicts, ends};
pub use contents::contents;
pub use corrected::{Does, What, pairs, stands_for, take_places};
pub use count::misses;
pub(crate) use count::{complete_for, is_complete};
pub use diff::diff;
pub use exceptional::{Member, Sign, batches_apart, exceptional};
pub use forest::{about, forest};
pub use hash::{StateHash, state_hash};
pub use holder::claimed;
pub(crate) use holder::counterpart;
pub use known::{of_event, of_events, struck};
pub use level::Levels;
pub use public::{Ended, PublicStatus, public_status};
pub use recalled::recalls_of;
pub use state::{Folded, Phase, Place, Stay, Step, UnitState};
pub use struck::{Meaning, deciding, strikes};
pub use table::{Row, container_row, row};
pub use visible::{Entry, Partner, Reader, View, visible};

pub(crate) use outbound::strays;
pub(crate) use recalled::{covering, explained, is_active, of_sale};
pub(crate) use sale::expired;
pub(crate) use struck::may_strike;
pub(crate) use walk::is_container;

use crate::{
    bugs::{self, Bug},
    facts::{Content, Fact, World},
    unit::UnitKey,
};
use std::collections::BTreeMap;

/// Folds what is known of a unit, with its timeline.
///
/// * `facts`, sorted by [`Fact::order`]: the events that name the unit as unit, child or container;
///   the complete counts at places where it was; the retracts that target any of these, and the
///   targets of retracts that name it. Of a correction (group with `correct`) also the retracts,
///   and what these target, though they name other units: whether the new event counts depends on
///   them. What does not concern the unit is passed over.
/// * `parents`: every container that one of these facts packs the unit into, folded with its
///   timeline. A container that is missing never moves.
/// * `world`: master data; what it lacks is unknown, never an error.
pub fn fold(
    unit: &UnitKey,
    facts: &[&Fact],
    parents: &BTreeMap<UnitKey, Folded>,
    world: &World,
) -> Folded {
    folded(unit, facts, parents, world, &world.contents, None, true)
}

/// [`fold`] without the timeline, for what holds nothing and whose history nobody reads now: it is
/// several times faster. A container folded so never moves what is inside it.
pub fn fold_state(
    unit: &UnitKey,
    facts: &[&Fact],
    parents: &BTreeMap<UnitKey, Folded>,
    world: &World,
) -> Folded {
    folded(unit, facts, parents, world, &world.contents, None, false)
}

/// [`fold`] or, without the timeline, [`fold_state`] of one of many units whose levels were read from
/// the packs of all of them: so it does not matter which container was folded before which.
pub fn fold_among(
    unit: &UnitKey,
    facts: &[&Fact],
    parents: &BTreeMap<UnitKey, Folded>,
    (levels, world): (&Levels<'_>, &World),
    timeline: bool,
) -> Folded {
    let contents = &world.contents;
    folded(
        unit,
        facts,
        parents,
        world,
        contents,
        Some(levels),
        timeline,
    )
}

fn folded(
    unit: &UnitKey,
    facts: &[&Fact],
    parents: &BTreeMap<UnitKey, Folded>,
    world: &World,
    contents: &BTreeMap<UnitKey, Vec<Content>>,
    levels: Option<&Levels<'_>>,
    timeline: bool,
) -> Folded {
    let contents = contents.get(unit).map_or(&[][..], Vec::as_slice);
    let walk = walk::Walk::new(unit, parents, world, contents, levels, timeline);
    if bugs::on(Bug::TieInOwnFavour) {
        let mut facts = facts.to_vec();
        facts.sort_by_key(|fact| (fact.order.eff, std::cmp::Reverse(fact.gseq)));
        return walk.over(&facts);
    }
    walk.over(facts)
}

#[cfg(test)]
mod tests;
