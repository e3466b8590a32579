//! C13: which things in a container must be judged each when the container moves.
//!
//! The rest share the container's state, and are folded only when somebody reads them. This
//! decides how much is looked at, never what is true: `fold` gives the same for both.

use super::{Folded, Phase, Place, UnitState, recalled};
use crate::{
    event::{Disposition, Kind},
    facts::{AcceptScope, Content, Fact, World},
    ids::{BatchId, EnterpriseId},
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// What matters of a thing's state at its pack: those with the same sign fare alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::struct_excessive_bools)] // independent facts, each of them a difference of its own
pub struct Sign {
    phase: Phase,
    place: Place,
    holder: Option<EnterpriseId>,
    issuer: Option<EnterpriseId>,
    linked: BTreeSet<EnterpriseId>,
    disposition: Option<Disposition>,
    uninvited: bool,
    withdrawn: bool,
    suspected_copy: bool,
    void: bool,
    claims: BTreeMap<EnterpriseId, Place>,
    open_findings: bool,
}

impl Sign {
    /// The sign of a thing as it is folded.
    pub fn of(unit: &UnitKey, folded: &Folded, world: &World) -> Sign {
        let state = &folded.state;
        Sign {
            phase: state.phase,
            place: state.place,
            holder: state.holder,
            issuer: state.issuer,
            linked: state.linked.clone(),
            disposition: state.disposition,
            uninvited: state.uninvited,
            withdrawn: state.withdrawn,
            suspected_copy: state.suspected_copy,
            void: world
                .units
                .get(unit)
                .is_some_and(|info| info.voided.is_some()),
            claims: state.claims.clone(),
            open_findings: !folded.findings.is_empty(),
        }
    }
}

/// A thing in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub unit: UnitKey,
    /// Its batch.
    pub batch: Option<BatchId>,
    /// Its sign right after its pack.
    pub sign: Sign,
    /// Something happened to itself since: an event that names it, or a retract of one.
    pub own_event_since: bool,
}

/// The members that must be judged each: those with an event of their own since the pack, those
/// unlike the majority or unlike the container, those that a stranger says it has (a leg of the
/// container may end that), those in a recall of single units, those for which the issuer accepted somebody and not for the container, or the other way round, and those whose
/// batch the container cannot be judged by (it is unknown).
///
/// `container` is folded as of the pack, as the signs are: what is alike there fares alike. Who is
/// linked to a foreign code follows from what was received first, which may stand behind the pack:
/// when that changes for the container, what is in it is held against it anew.
pub fn exceptional(container: &Folded, members: &[Member], world: &World) -> BTreeSet<UnitKey> {
    let mut signs: BTreeMap<&Sign, usize> = BTreeMap::new();
    for member in members {
        *signs.entry(&member.sign).or_default() += 1;
    }
    // Of signs that are equally many, the smallest: the same on every server.
    let majority = signs
        .iter()
        .max_by(|(a, m), (b, n)| m.cmp(n).then(b.cmp(a)))
        .map(|(sign, _)| *sign);
    members
        .iter()
        .filter(|member| {
            member.own_event_since
                || Some(&member.sign) != majority
                || is_unlike(&member.sign, &container.state)
                || !member.sign.claims.is_empty()
                || is_accepted_apart(member, &container.state, members, world)
                || member.batch.is_none()
                || world
                    .recalls
                    .iter()
                    .any(|span| span.scope.units.contains(&member.unit))
        })
        .map(|member| member.unit.clone())
        .collect()
}

/// The batches whose goods must be judged each from this event on the container on, though nothing
/// else is exceptional about them: a return or an inspection does other things to recalled goods
/// than to others, so goods part from their container where a recall covers the one and not the
/// other. So they do when it is fetched back under a recall that names it, and not them: of other batches than
/// its own the container tells.
pub fn batches_apart(
    container: &UnitKey,
    own: Option<BatchId>,
    contents: &[Content],
    fact: &Fact,
    world: &World,
) -> BTreeSet<BatchId> {
    let is_so = |unit: Option<&UnitKey>, batch: Option<BatchId>| {
        if fact.event.kind == Kind::Collect {
            return recalled::explained(world, unit, batch, fact.order);
        }
        let spans = recalled::covering(world, unit, batch);
        !recalled::active(&spans, fact.order).is_empty()
    };
    let tells = |batch: BatchId| match fact.event.kind {
        Kind::Return | Kind::Inspect => false,
        Kind::Collect => own != Some(batch),
        _ => true,
    };
    let held = contents.iter();
    let held = held.filter(|content| content.holds_at(fact.order) && !tells(content.batch));
    let held: BTreeSet<BatchId> = held.map(|content| content.batch).collect();
    if held.is_empty() {
        return held;
    }
    let with_container = is_so(Some(container), own);
    let unlike = |batch: &BatchId| is_so(None, Some(*batch)) != with_container;
    held.into_iter().filter(unlike).collect()
}

/// Does a thing stand elsewhere or otherwise than its container, or count for others?
fn is_unlike(sign: &Sign, container: &UnitState) -> bool {
    sign.uninvited
        || sign.phase != container.phase
        || sign.place != container.place
        || sign.disposition != container.disposition
        || sign.withdrawn != container.withdrawn
        || sign.holder != container.holder
        || sign.issuer != container.issuer
        || sign.linked != container.linked
}

/// Did the issuer accept somebody's word for the one and not for the other (C14)? An accepted unit
/// that is no member may be the container.
fn is_accepted_apart(
    member: &Member,
    container: &UnitState,
    members: &[Member],
    world: &World,
) -> bool {
    let issuer = member.sign.issuer.into_iter();
    let mut all = issuer.flat_map(|issuer| world.accepted_by(issuer));
    all.any(|accepted| match &accepted.scope {
        AcceptScope::Unit(unit) => {
            *unit == member.unit || members.iter().all(|member| member.unit != *unit)
        }
        AcceptScope::Batch(batch) => {
            (member.batch == Some(*batch)) != (container.batch == Some(*batch))
        }
        AcceptScope::Partner(_) => false,
    })
}
