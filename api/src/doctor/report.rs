//! The outcome of an examination, for reading and as JSON.

use super::checks::{Check, Outcome, Weight};
use serde::Serialize;
use std::fmt;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The address that was tested.
    pub url: String,
    /// Does nothing critical or required fail?
    pub conformant: bool,
    /// Checks that pass.
    pub passed: usize,
    /// Checks that only warn.
    pub warned: usize,
    /// Checks that fail.
    pub failed: usize,
    /// Each check.
    pub checks: Vec<Check>,
}

impl Report {
    /// Sums up.
    pub fn new(url: &str, checks: Vec<Check>) -> Report {
        let count = |outcome: Outcome| checks.iter().filter(|c| c.outcome == outcome).count();
        let stands_in_the_way =
            |c: &Check| c.outcome == Outcome::Fail && c.weight != Weight::Recommended;
        Report {
            url: url.to_owned(),
            conformant: !checks.iter().any(stands_in_the_way),
            passed: count(Outcome::Pass),
            warned: count(Outcome::Warn),
            failed: count(Outcome::Fail),
            checks,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "GS1-conformant resolver, {}", self.url)?;
        for check in &self.checks {
            let Check {
                no,
                id,
                outcome,
                told,
                ..
            } = check;
            writeln!(f, "  {outcome:<4} {no:>2} {id:<24} {told}")?;
        }
        let verdict = if self.conformant {
            "nothing critical or required fails"
        } else {
            "NOT conformant"
        };
        let (passed, warned, failed) = (self.passed, self.warned, self.failed);
        write!(f, "{passed} pass, {warned} warn, {failed} fail: {verdict}")
    }
}
