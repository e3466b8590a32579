//! The slow oracle of invariant I15: what became of every unit and lot line of a small world, and
//! which findings are open, by the most literal reading of sync.md section 6.
//!
//! It was written before the fold and shares with it nothing but the words of the input (`event`,
//! `facts`, `order`, `finding`, `unit`) and the shape of a state. Where the fold folds one unit at
//! a time, top down, and looks at exceptional children only, the oracle plays the whole history
//! through a whole little world, every child of every container included, and then asks each
//! finding's question of each moment. Nothing is kept from one call to the next: to know what was
//! true earlier, it is called with fewer facts.
//!
//! Reading order, beside the tables of sync.md:
//!
//! | file | rules |
//! |---|---|
//! | `table` | C0 with C1 to C8, C11 and C12: every (phase, act) pair, as data |
//! | `conditions` | the "when" column of that table |
//! | `effects` | its "effect" column |
//! | `batches` | C1: which batch a commission names |
//! | `struck` | C10 |
//! | `standing` | C10: what people are judged by where an event corrects another |
//! | `holders` | C14, section 5 |
//! | `levels` | C12: which level a code has |
//! | `replay` | plays facts through the world; C13: a container's units follow |
//! | `questions` | C4, C5, C7, C11, C12, C15: findings that stand beside the table's |
//! | `recalled` | C9, and what a recall means for C3, C6, C7 |
//! | `sharing` | C13: what is told at the container and what at the child |
//! | `papers` | C10, C15, section 4: findings about an event itself |
//! | `lots` | C11: balances |
//! | `lots_carried` | C13: goods of lots in containers |
//! | `lots_judged` | C3, C4, C7, C9 of goods of lots |
//!
//! It must not know the fold, and must not be clever. Nothing but checks may call it: it takes its time,
//! and it stops where its own bookkeeping were wrong.

mod batches;
mod conditions;
mod effects;
mod holders;
mod levels;
mod lots;
mod lots_carried;
mod lots_judged;
mod papers;
mod questions;
mod recalled;
mod replay;
mod sharing;
mod standing;
mod struck;
mod table;

pub use lots::Balance;
pub use replay::History;
pub use table::{Act, Row, TABLE, When};

use crate::{
    facts::{Fact, World},
    finding::{Finding, FindingCode, LotKey, Subject},
    fold::UnitState,
    ids::EventId,
    unit::UnitKey,
};
use std::collections::BTreeMap;

/// What the oracle says of a world.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What became of each unit that any fact names or the world knows.
    pub units: BTreeMap<UnitKey, UnitState>,
    /// What is in stock of each lot line, as C11 counts.
    pub lots: BTreeMap<LotKey, Balance>,
    /// The open findings, sorted, witnesses sorted.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The findings about a unit.
    pub fn about(&self, unit: &UnitKey) -> Vec<Finding> {
        self.about_subject(&Subject::Unit(unit.clone()))
    }

    /// The findings about a subject.
    pub fn about_subject(&self, subject: &Subject) -> Vec<Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.subject == *subject)
            .cloned()
            .collect()
    }

    /// The codes of the findings that an event has.
    pub fn codes_of(&self, event: EventId) -> Vec<FindingCode> {
        self.findings
            .iter()
            .filter(|finding| finding.event == event)
            .map(|finding| finding.code)
            .collect()
    }
}

/// Judges a whole world from nothing but its facts, in whatever order they are given.
pub fn judge(world: &World, facts: &[Fact]) -> Verdict {
    let history = History::play(world, facts);
    let mut findings = sharing::told(&history);
    findings.extend(papers::findings(&history));
    let (lots, about_lots) = lots::balances(&history);
    findings.extend(about_lots);
    for finding in &mut findings {
        finding.witnesses.sort_unstable();
        finding.witnesses.dedup();
    }
    findings.sort();
    findings.dedup();
    Verdict {
        units: history.last(),
        lots,
        findings,
    }
}
