//! C13: what is told at a container, and what at a child.
//!
//! By brute force every unit has all its findings. A finding that a child has only because its
//! container has the same is told at the container alone; expiry and the recall of a batch are
//! told once for the container and each batch in it. So the findings of a child are the brute
//! force's less the container's.

use super::{
    questions::{self, Answer},
    replay::{History, Touch},
    struck::Fate,
};
use crate::{
    event::Kind,
    finding::{Finding, FindingCode, Subject},
    ids::BatchId,
};

/// A unit's finding by brute force, and the batch inside it that it is about.
type Brute = (Option<BatchId>, Answer);

/// All findings about units.
pub fn told(history: &History) -> Vec<Finding> {
    let mut told = Vec::new();
    for (k, moment) in history.moments.iter().enumerate() {
        let brute: Vec<(&Touch, Vec<Brute>)> = moment
            .touches
            .iter()
            .map(|touch| (touch, by_brute_force(history, k, touch)))
            .collect();
        for (touch, found) in &brute {
            for (batch, answer) in found {
                if !is_the_containers(history, touch, *batch, answer.code, &brute) {
                    let subject = Subject::Unit(touch.unit.clone());
                    told.push(finding(history, k, subject, *batch, answer));
                }
            }
        }
        if history.facts[k].event.kind == Kind::Count && history.fates[k] == Fate::Counts {
            for unit in moment.before.keys() {
                if let Some(answer) = questions::missing_at_count(history, k, unit) {
                    let subject = Subject::Unit(unit.clone());
                    told.push(finding(history, k, subject, None, &answer));
                }
            }
        }
    }
    told
}

fn by_brute_force(history: &History, k: usize, touch: &Touch) -> Vec<Brute> {
    let own = questions::asked(history, k, touch);
    let inside = questions::of_contents(history, k, touch);
    own.into_iter()
        .map(|answer| (None, answer))
        .chain(
            inside
                .into_iter()
                .map(|(batch, answer)| (Some(batch), answer)),
        )
        .collect()
}

/// Has the container through which it came the same finding? Where goods of different batches may
/// differ, it must be of the same batch; a finding about no batch inside is about the unit's own.
fn is_the_containers(
    history: &History,
    touch: &Touch,
    batch: Option<BatchId>,
    code: FindingCode,
    brute: &[(&Touch, Vec<Brute>)],
) -> bool {
    let Some(container) = touch.chain.first() else {
        return false;
    };
    let mine = batch.or(history.after[&touch.unit].batch);
    brute
        .iter()
        .filter(|(other, _)| other.unit == *container)
        .flat_map(|(_, found)| found)
        .filter(|(_, answer)| answer.code == code)
        .any(|(theirs, _)| {
            let theirs = theirs.or(history.after[container].batch);
            !speaks_of_a_batch(code) || theirs == mine
        })
}

const fn speaks_of_a_batch(code: FindingCode) -> bool {
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

fn finding(
    history: &History,
    k: usize,
    subject: Subject,
    batch: Option<BatchId>,
    answer: &Answer,
) -> Finding {
    Finding {
        code: answer.code,
        subject,
        event: history.facts[k].event.id,
        device: history.facts[k].event.device,
        batch,
        witnesses: answer.witnesses.clone(),
        detail: answer.detail.clone(),
    }
}
