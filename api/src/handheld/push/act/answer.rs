//! What a device is told about its push.

use super::{Admitting, Answered, Engine};
use crate::{clock::Micros, handheld::push::store::Told, log::Position};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    admission::{self, FrameFault, Judged, Kept, Read, ReadEvent},
    finding::{Finding, Subject},
    ids::{DeviceId, EventId},
    wire::{EventResult, FindingNote},
};

/// Findings by the event that was judged.
type Opened = BTreeMap<(DeviceId, EventId), Vec<Finding>>;

impl Engine {
    /// What is told about a push, of what was found about its events, and of which something was left.
    pub(super) fn answer(
        &self,
        push: &Admitting<'_>,
        (opened, pending): (&Opened, &BTreeSet<Position>),
        stamp: Micros,
    ) -> Answered {
        let batch = &push.push.batch;
        let gseqs: BTreeMap<usize, Position> =
            push.new.iter().map(|new| (new.at, new.gseq)).collect();
        let pairs = push.decision.judged.iter().zip(&batch.events).enumerate();
        let results = pairs.map(|(at, (judged, event))| {
            let kept = judged.kept();
            let told = match judged {
                Judged::Duplicate(kept) => push.known.told.get(&kept.hash).cloned(),
                Judged::New(kept) => {
                    let left = gseqs.get(&at).is_some_and(|gseq| pending.contains(gseq));
                    Some(told(kept, event, (opened, left)))
                }
            };
            // What was told before there was a limit is told in its bounds as well.
            let told = told.unwrap_or(Told::CLEAN).bounded();
            let position = kept.gseq.or(gseqs.get(&at).copied());
            EventResult {
                seq: event.seq,
                status: wire_status(judged.status()),
                code: kept
                    .outcome
                    .decisive()
                    .map(|remark| remark.name().to_owned()),
                reason: reason(&event.read),
                gseq: position.filter(|_| kept.outcome.in_state()),
                findings: told.findings,
                more_findings: told.more_findings,
                pending: told.pending,
            }
        });
        let cursor = batch
            .events
            .iter()
            .rev()
            .find_map(|event| event.read.event());
        let cursor = cursor.map_or(0, |event| event.cursor);
        Answered {
            results: results.collect(),
            receipt: push.decision.receipt.clone(),
            stamp,
            pull_hint: self.source.news() > cursor,
        }
    }
}

/// Answers and refusals in the order of the pushes.
pub(super) fn merged(
    mut refused: BTreeMap<usize, FrameFault>,
    answers: Vec<Answered>,
) -> Vec<Result<Answered, FrameFault>> {
    let mut answers = answers.into_iter();
    let mut out = Vec::new();
    loop {
        let next = match refused.remove(&out.len()) {
            Some(fault) => Some(Err(fault)),
            None => answers.next().map(Ok),
        };
        match next {
            Some(next) => out.push(next),
            None => return out,
        }
    }
}

/// Why a text is no event. It is read anew whenever it comes, so a retry is told the same.
fn reason(read: &Read) -> Option<String> {
    match read {
        Read::Unreadable(fault) => Some(fault.reason()),
        _ => None,
    }
}

fn told(kept: &Kept, event: &ReadEvent, (opened, pending): (&Opened, bool)) -> Told {
    let mut findings: Vec<FindingNote> = Vec::new();
    if kept.outcome.in_state() {
        let event = event.read.event();
        let found = event.and_then(|event| opened.get(&(event.device, event.id)));
        findings.extend(found.into_iter().flatten().map(note));
    } else {
        findings.extend(kept.outcome.findings().map(|code| FindingNote {
            code,
            severity: code.severity(),
            subject: Subject::Event,
            closed_by: None,
            closed_entry: None,
            closed: false,
        }));
    }
    Told {
        status: kept.outcome.status,
        remarks: kept.outcome.remarks.clone(),
        findings,
        more_findings: 0,
        pending,
    }
}

/// A finding as a device is told it.
pub fn note(finding: &Finding) -> FindingNote {
    FindingNote {
        code: finding.code,
        severity: finding.code.severity(),
        subject: finding.subject.clone(),
        closed_by: None,
        closed_entry: None,
        closed: false,
    }
}

/// The same under the name it has on the wire.
pub fn wire_status(status: admission::Status) -> suyuan_sync::wire::Status {
    use suyuan_sync::wire::Status as Wire;
    match status {
        admission::Status::Stored => Wire::Stored,
        admission::Status::Duplicate => Wire::Duplicate,
        admission::Status::StoredFlagged => Wire::StoredFlagged,
        admission::Status::Parked => Wire::Parked,
        admission::Status::Quarantined => Wire::Quarantined,
    }
}
