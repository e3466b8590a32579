//! One kind of work through all rounds, and its line in the table.

use serde_json::{Value, json};

use super::{Spread, contract::Unit, ratios, rounded};
use crate::drive::Outcome;

/// One kind of request, or of upload, all its rounds.
#[derive(Debug)]
pub struct Series {
    /// What it is called in the table.
    pub name: String,
    /// One per round.
    pub outcomes: Vec<Outcome>,
    /// Why there are fewer rounds than asked for.
    pub failed: Option<String>,
}

impl Series {
    /// Nothing measured yet.
    pub fn empty(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            outcomes: Vec::new(),
            failed: None,
        }
    }

    /// Requests (or events) per second of each round, if every answer was right.
    pub fn rates(&self) -> Result<Vec<f64>, String> {
        if let Some(reason) = &self.failed {
            return Err(format!("{}: {reason}", self.name));
        }
        let wrong: u64 = self.outcomes.iter().map(|outcome| outcome.wrong).sum();
        if wrong > 0 {
            let first = self.outcomes.iter().find_map(|o| o.first_wrong.as_deref());
            return Err(format!(
                "{}: {wrong} wrong answers, the first: {}",
                self.name,
                first.unwrap_or("unknown")
            ));
        }
        Ok(self.outcomes.iter().map(Outcome::rate).collect())
    }

    /// The same against another kind, round by round.
    pub fn ratio_to(&self, other: &Self) -> Result<Vec<f64>, String> {
        ratios(&self.rates()?, &other.rates()?)
    }

    /// CPU time of the server per request against another kind. Steadier than requests per second:
    /// it does not see what else runs on the machine.
    pub fn cpu_ratio_to(&self, other: &Self) -> Option<f64> {
        let own = self.spread(|o| o.cpu_us)?.median;
        let other = other.spread(|o| o.cpu_us)?.median;
        Some(rounded(ratios(&[own], &[other]).ok()?[0]))
    }

    /// Neither the server nor the load generator had its core to itself.
    fn was_disturbed(&self) -> bool {
        let idle = |share: Option<Spread>| share.is_some_and(|share| share.median < 0.8);
        idle(self.spread(|o| o.server_busy)) && idle(self.spread(|o| o.generator_busy))
    }

    fn spread(&self, value: impl Fn(&Outcome) -> Option<f64>) -> Option<Spread> {
        let values: Option<Vec<f64>> = self.outcomes.iter().map(value).collect();
        Spread::of(&values?)
    }

    pub(super) fn row(&self, yardstick: Option<&Self>) -> Row {
        let ratio = yardstick
            .and_then(|other| self.ratio_to(other).ok())
            .and_then(|ratios| Spread::of(&ratios));
        Row {
            name: self.name.clone(),
            rate: self.spread(|o| Some(o.rate())),
            ratio,
            cpu_us: self.spread(|o| o.cpu_us),
            cpu_ratio: yardstick.and_then(|other| self.cpu_ratio_to(other)),
            server_busy: self.spread(|o| o.server_busy),
            generator_busy: self.spread(|o| o.generator_busy),
            p50_ms: self.spread(|o| Some(o.latency_ms(0.5))),
            p99_ms: self.spread(|o| Some(o.latency_ms(0.99))),
            max_ms: self.spread(|o| Some(o.max_ms())),
            late_p99_ms: self.spread(|o| Some(o.sent_late_p99_ms())),
            answered: self.outcomes.iter().map(|o| o.answered).sum(),
            wrong: self.outcomes.iter().map(|o| o.wrong).sum(),
            disturbed: self.was_disturbed(),
            problem: self.rates().err(),
        }
    }
}

/// A line of the table.
pub(super) struct Row {
    pub(super) name: String,
    rate: Option<Spread>,
    ratio: Option<Spread>,
    cpu_us: Option<Spread>,
    cpu_ratio: Option<f64>,
    server_busy: Option<Spread>,
    generator_busy: Option<Spread>,
    p50_ms: Option<Spread>,
    p99_ms: Option<Spread>,
    max_ms: Option<Spread>,
    late_p99_ms: Option<Spread>,
    answered: u64,
    wrong: u64,
    pub(super) disturbed: bool,
    pub(super) problem: Option<String>,
}

impl Row {
    pub(super) fn to_json(&self, unit: Unit) -> Value {
        let spread = |spread: Option<Spread>| spread.map_or(Value::Null, Spread::to_json);
        let mut row = json!({
            "ratio_to_baseline": spread(self.ratio),
            "cpu_ratio_to_baseline": self.cpu_ratio.map(rounded),
            "server_busy": spread(self.server_busy),
            "generator_busy": spread(self.generator_busy),
            "p50_ms": spread(self.p50_ms),
            "p99_ms": spread(self.p99_ms),
            "max_ms": spread(self.max_ms),
            "sent_late_p99_ms": spread(self.late_p99_ms),
            "answered": self.answered,
            "wrong": self.wrong,
            "disturbed": self.disturbed,
            "problem": self.problem,
        });
        row[unit.rate_name()] = spread(self.rate);
        row[unit.cpu_name()] = spread(self.cpu_us);
        row
    }

    pub(super) fn to_line(&self) -> String {
        let median = |spread: Option<Spread>, digits: usize| {
            spread.map_or("–".to_owned(), |spread| {
                format!("{:.digits$}", spread.median)
            })
        };
        let ratio = self.ratio.map_or("–".to_owned(), |spread| {
            format!("{:.2} [{:.2}–{:.2}]", spread.median, spread.min, spread.max)
        });
        let cpu = match self.cpu_ratio {
            Some(ratio) => format!("{} ({ratio:.2}×)", median(self.cpu_us, 1)),
            None => median(self.cpu_us, 1),
        };
        let worst = self
            .max_ms
            .map_or("–".to_owned(), |spread| format!("{:.1}", spread.max));
        format!(
            "{:<21}{:>9}  {:<18}{:>14}{:>8}{:>8}{:>9}{:>9}{:>9}",
            self.name,
            median(self.rate, 0),
            ratio,
            cpu,
            median(self.server_busy, 2),
            median(self.generator_busy, 2),
            median(self.p50_ms, 2),
            median(self.p99_ms, 2),
            worst,
        )
    }
}

/// The heading over these lines.
pub(super) fn heading(unit: Unit) -> String {
    let (rate, cpu) = unit.headings();
    format!(
        "{:<21}{:>9}  {:<18}{:>14}{:>8}{:>8}{:>9}{:>9}{:>9}",
        "variant", rate, "ratio [min–max]", cpu, "server", "load", "p50 ms", "p99 ms", "max ms"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_with_a_wrong_answer_yields_no_figure() {
        let series = Series {
            name: "hot".to_owned(),
            outcomes: Vec::new(),
            failed: Some("connecting: refused".to_owned()),
        };
        assert_eq!(series.rates(), Err("hot: connecting: refused".to_owned()));
    }
}
