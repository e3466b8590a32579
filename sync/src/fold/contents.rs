//! C13: what is reported at a container instead of at each thing in it.
//!
//! A finding by an event on the container is the container's; expiry and batch recalls of what it
//! holds are judged once per container and batch. Both follow from the stays of the units.

use super::{
    Folded, UnitState,
    walk::{At, Walk},
};
use crate::{
    facts::Content,
    finding::{Finding, FindingCode},
    ids::BatchId,
    order::Order,
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// The batches inside the unit at the event at hand, without the unit's own, which is judged with
/// the unit.
pub(super) fn batches<'a>(walk: &Walk<'a>, at: &At<'a>) -> Vec<BatchId> {
    walk.contents
        .iter()
        .filter(|content| content.holds_at(at.fact.order))
        .map(|content| content.batch)
        .filter(|batch| Some(*batch) != walk.state.batch)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Does the container report this finding of a thing inside it, whose state is given?
pub(super) fn reports(container: &Folded, finding: &Finding, inside: &UnitState) -> bool {
    let by_batch = is_by_batch(finding.code);
    container
        .findings
        .iter()
        .chain(&container.shared)
        .filter(|own| own.code == finding.code && own.judged() == finding.judged())
        .any(|own| match own.batch.or(finding.batch) {
            Some(batch) => {
                own.batch == finding.batch
                    || (by_batch && finding.batch.is_none() && inside.batch == Some(batch))
                    || (by_batch && own.batch.is_none() && container.state.batch == Some(batch))
            }
            None => !by_batch || container.state.batch == inside.batch,
        })
}

/// Does a code speak of the batch, so that goods of different batches may differ in it?
const fn is_by_batch(code: FindingCode) -> bool {
    matches!(
        code,
        FindingCode::SoldExpired
            | FindingCode::SoldRecalled
            | FindingCode::KnowledgeMismatch
            | FindingCode::ShipRecalled
            | FindingCode::ReleaseRecalled
            | FindingCode::CollectUnrecalled
    )
}

/// What containers hold, batch by batch, from the folds of the things in them: each stay of a unit
/// of a known batch, and what that unit itself holds meanwhile.
pub fn contents(folded: &BTreeMap<UnitKey, Folded>) -> BTreeMap<UnitKey, Vec<Content>> {
    let mut out: BTreeMap<UnitKey, BTreeSet<Content>> = BTreeMap::new();
    for (unit, of) in folded {
        let Some(batch) = of.state.batch else {
            continue;
        };
        let mut held = vec![(unit, None::<Order>, None::<Order>)];
        // Three levels at most, so two ways up; the bound also ends what cycles of foreign codes
        // might make.
        for _ in 0..crate::limits::NESTING_DEPTH_MAX {
            let mut outer = Vec::new();
            for (inner, since, till) in held {
                let Some(of) = folded.get(inner) else {
                    continue;
                };
                for stay in of.stays.iter().filter(|stay| !stay.uninvited) {
                    let from = since.map_or(stay.from, |since| since.max(stay.from));
                    let until = match (till, stay.until) {
                        (Some(a), Some(b)) => Some(a.min(b)),
                        (a, b) => a.or(b),
                    };
                    if until.is_some_and(|until| until <= from) {
                        continue;
                    }
                    out.entry(stay.container.clone())
                        .or_default()
                        .insert(Content { batch, from, until });
                    outer.push((&stay.container, Some(from), until));
                }
            }
            held = outer;
        }
    }
    out.into_iter()
        .map(|(container, contents)| (container, contents.into_iter().collect()))
        .collect()
}
