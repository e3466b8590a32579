//! C13: what is told at a container, and what at a child.
//!
//! By brute force every unit has all its findings. A finding that a child has only because its
//! container has the same is told at the container alone; expiry and the recall of a batch are
//! told once for the container and each batch in it. So the findings of a child are the brute
//! force's less the container's.

use super::{
    questions::{self, Answer},
    recalled,
    replay::{History, Touch},
    struck::Fate,
};
use suyuan_sync::{
    event::Kind,
    finding::{Finding, FindingCode, Subject},
    ids::{BatchId, EventId},
    unit::UnitKey,
};

/// All findings about units.
pub fn told(history: &History) -> Vec<Finding> {
    let mut told = Vec::new();
    for (k, moment) in history.moments.iter().enumerate() {
        let event = history.facts[k].event.id;
        let brute: Vec<(&Touch, Vec<Answer>)> = moment
            .touches
            .iter()
            .map(|touch| (touch, questions::asked(history, k, touch)))
            .collect();
        for (touch, answers) in &brute {
            for answer in answers {
                if let Some((container, batch)) = batchwise(history, k, touch, answer.code) {
                    let answer = answer.clone();
                    told.push(finding(event, container, Some(batch), answer));
                } else if !shared(touch, answer.code, &brute) {
                    told.push(finding(event, &touch.unit, None, answer.clone()));
                }
            }
        }
        if history.facts[k].event.kind == Kind::Count && history.fates[k] == Fate::Counts {
            for unit in moment.before.keys() {
                let missing = questions::missing_at_count(history, k, unit);
                told.extend(missing.map(|answer| finding(event, unit, None, answer)));
            }
        }
    }
    told
}

/// Does a container through which the unit came have the same finding itself?
fn shared(touch: &Touch, code: FindingCode, brute: &[(&Touch, Vec<Answer>)]) -> bool {
    brute
        .iter()
        .filter(|(other, _)| touch.chain.contains(&other.unit))
        .any(|(_, answers)| answers.iter().any(|answer| answer.code == code))
}

/// Is it judged once for the outermost container and this batch?
fn batchwise<'t>(
    history: &History,
    k: usize,
    touch: &'t Touch,
    code: FindingCode,
) -> Option<(&'t UnitKey, BatchId)> {
    let container = touch.chain.last()?;
    let batch = history.moments[k].before[&touch.unit].batch?;
    let by_batch = match code {
        FindingCode::SoldExpired => true,
        FindingCode::SoldRecalled
        | FindingCode::KnowledgeMismatch
        | FindingCode::ShipRecalled
        | FindingCode::ReleaseRecalled
        | FindingCode::CollectUnrecalled => !recalled::by_itself(history.world, &touch.unit),
        _ => false,
    };
    by_batch.then_some((container, batch))
}

fn finding(event: EventId, unit: &UnitKey, batch: Option<BatchId>, answer: Answer) -> Finding {
    Finding {
        code: answer.code,
        subject: Subject::Unit(unit.clone()),
        event,
        batch,
        witnesses: answer.witnesses,
        detail: answer.detail,
    }
}
