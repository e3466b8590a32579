//! How rules say what cannot be true: with its witnesses, and where it is reported (C13). It knows no
//! rule and no order of things.

use super::walk::{At, Walk};
use crate::{
    finding::{Detail, Finding, FindingCode, Subject},
    ids::{BatchId, EventId},
};

impl<'a> Walk<'a> {
    /// C0: a pair without a rule.
    pub(super) fn unexpected(&mut self, at: &At<'a>) {
        let cause = self.memory.cause;
        self.find(at, FindingCode::UnexpectedState, &[cause], Detail::Nothing);
    }

    /// A finding whose witnesses are the event at hand and what brought the unit where it is.
    pub(super) fn find_cause(&mut self, at: &At<'a>, code: FindingCode) {
        let cause = self.memory.cause;
        self.find(at, code, &[cause], Detail::Nothing);
    }

    /// A finding about the unit.
    pub(super) fn find(
        &mut self,
        at: &At<'a>,
        code: FindingCode,
        others: &[Option<EventId>],
        detail: Detail,
    ) {
        self.find_of(at, code, None, others, detail);
    }

    /// A finding about the unit, or about one batch of what it contains. What the container
    /// itself has by the same event is reported there only.
    pub(super) fn find_of(
        &mut self,
        at: &At<'a>,
        code: FindingCode,
        batch: Option<BatchId>,
        others: &[Option<EventId>],
        detail: Detail,
    ) {
        let mut witnesses = vec![at.id()];
        witnesses.extend(others.iter().copied().flatten());
        witnesses.sort_unstable();
        witnesses.dedup();
        let finding = Finding {
            code,
            subject: Subject::Unit(self.unit.clone()),
            event: at.id(),
            device: at.fact.event.device,
            batch,
            witnesses,
            detail,
        };
        let has = at
            .via
            .and_then(|container| self.parents.get(container))
            .is_some_and(|container| super::contents::reports(container, &finding, &self.state));
        if has {
            self.shared.push(finding);
        } else {
            self.findings.push(finding);
        }
    }
}

/// Sorted, and each only once: two findings are the same if code, subject, event and batch are.
pub(super) fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort();
    findings.dedup_by(|b, a| a.is(b));
    findings
}
