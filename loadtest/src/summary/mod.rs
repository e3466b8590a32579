//! What a run says in the end: each figure with its spread, or the reason why it could not be
//! taken. The names are a contract: a name is never left out, and a missing figure is `null`.

mod contract;
mod series;

pub use contract::{Budget, Contract, PUSH, SCAN, Unit};
pub use series::Series;

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value, json};
use series::Row;

/// Median, extremes and number of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// How many.
    pub n: usize,
}

impl Spread {
    /// Nothing for no values, or if one of them is no number.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        Some(Self {
            median: f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]),
            min: sorted[0],
            max: sorted[n - 1],
            n,
        })
    }

    /// Its four numbers.
    pub fn to_json(self) -> Value {
        json!({
            "median": number(self.median),
            "min": number(self.min),
            "max": number(self.max),
            "n": self.n,
        })
    }
}

/// Ratios round by round: each value to the one measured in the same round.
pub fn ratios(of: &[f64], to: &[f64]) -> Result<Vec<f64>, String> {
    if of.len() != to.len() || of.is_empty() {
        return Err(format!(
            "{} rounds against {}: no ratio",
            of.len(),
            to.len()
        ));
    }
    of.iter()
        .zip(to)
        .map(|(of, to)| {
            let ratio = of / to;
            if ratio.is_finite() && *to > 0.0 {
                Ok(ratio)
            } else {
                Err(format!("{of} to {to} is no ratio"))
            }
        })
        .collect()
}

/// A figure that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    value: f64,
    spread: Spread,
    detail: Map<String, Value>,
}

impl Taken {
    /// The median of several measurements.
    pub fn median(values: &[f64]) -> Result<Self, String> {
        let spread = Spread::of(values).ok_or_else(|| format!("no median of {values:?}"))?;
        Ok(Self {
            value: spread.median,
            spread,
            detail: Map::new(),
        })
    }

    /// The worst of several measurements.
    pub fn worst(values: &[f64]) -> Result<Self, String> {
        let taken = Self::median(values)?;
        Ok(Self {
            value: taken.spread.max,
            ..taken
        })
    }

    /// The figure.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// A word of explanation.
    #[cfg(test)]
    pub fn detail(&self, key: &str) -> Option<&Value> {
        self.detail.get(key)
    }

    /// Adds a word of explanation.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }
}

/// What became of a figure.
enum Figure {
    Taken(Taken),
    /// It should have been taken and could not be.
    Failed(String),
    /// Nobody asked for it in this run.
    LeftOut(String),
}

/// Everything a run has to say.
pub struct Summary {
    contract: &'static Contract,
    figures: BTreeMap<&'static str, Figure>,
    setup: Map<String, Value>,
    rows: Vec<Row>,
}

impl Summary {
    /// Nothing taken yet of these figures.
    pub fn of(contract: &'static Contract) -> Self {
        Self {
            contract,
            figures: BTreeMap::new(),
            setup: Map::new(),
            rows: Vec::new(),
        }
    }

    /// Notes a circumstance of the run.
    pub fn note(&mut self, key: &str, value: impl Into<Value>) {
        self.setup.insert(key.to_owned(), value.into());
    }

    /// Notes a figure, or why there is none.
    pub fn put(&mut self, name: &'static str, figure: Result<Taken, String>) {
        debug_assert!(
            self.contract.budgets().any(|(known, _)| known == name),
            "{name} is not in the contract"
        );
        let figure = figure.map_or_else(Figure::Failed, Figure::Taken);
        self.figures.insert(name, figure);
    }

    /// Gives a reason why these figures could not be taken, as far as nothing is known of them.
    pub fn explain(&mut self, names: &[&'static str], reason: &str) {
        for name in names {
            self.figures
                .entry(name)
                .or_insert_with(|| Figure::Failed(reason.to_owned()));
        }
    }

    /// Says why these figures were not to be taken in this run.
    pub fn leave_out(&mut self, names: &[&'static str], reason: &str) {
        for name in names {
            let reason = Figure::LeftOut(reason.to_owned());
            self.figures.insert(name, reason);
        }
    }

    /// The figures that missed their budget, and those that could not be taken.
    pub fn missed(&self) -> Vec<&'static str> {
        self.contract
            .budgets()
            .filter(|(name, budget)| match self.figures.get(name) {
                Some(Figure::Taken(taken)) => !budget.holds(taken.value),
                Some(Figure::LeftOut(_)) => false,
                Some(Figure::Failed(_)) | None => true,
            })
            .map(|(name, _)| name)
            .collect()
    }

    /// Adds a line to the table.
    pub fn add_series(&mut self, series: &Series, yardstick: Option<&Series>) {
        self.rows.push(series.row(yardstick));
    }

    /// Whether this figure has a value.
    pub fn is_taken(&self, name: &str) -> bool {
        matches!(self.figures.get(name), Some(Figure::Taken(_)))
    }

    /// One object: every name of the contract, and `detail`.
    pub fn to_json(&self) -> Value {
        let (mut all, mut detail) = (Map::new(), Map::new());
        for (name, budget) in self.contract.budgets() {
            let (value, mut explained) = match self.figure(name) {
                Ok(taken) => {
                    let mut explained = taken.detail.clone();
                    explained.insert("n".to_owned(), taken.spread.n.into());
                    explained.insert("min".to_owned(), number(taken.spread.min));
                    explained.insert("max".to_owned(), number(taken.spread.max));
                    explained.insert("held".to_owned(), budget.holds(taken.value).into());
                    (number(taken.value), Value::Object(explained))
                }
                Err(reason) => (Value::Null, json!({ "reason": reason })),
            };
            if self.contract.has(name) {
                all.insert(name.to_owned(), value);
            } else {
                explained["value"] = value;
            }
            detail.insert(name.to_owned(), explained);
        }
        let rows: Map<String, Value> = self
            .rows
            .iter()
            .map(|row| (row.name.clone(), row.to_json(self.contract.unit)))
            .collect();
        detail.insert("variants".to_owned(), Value::Object(rows));
        detail.insert("setup".to_owned(), Value::Object(self.setup.clone()));
        all.insert("detail".to_owned(), Value::Object(detail));
        Value::Object(all)
    }

    /// For people.
    pub fn to_table(&self) -> String {
        let mut text = series::heading(self.contract.unit);
        text.push('\n');
        for row in &self.rows {
            text.push_str(&row.to_line());
            text.push('\n');
        }
        for row in &self.rows {
            if let Some(problem) = &row.problem {
                let _ = writeln!(text, "! {problem}");
            }
        }
        if self.rows.iter().any(|row| row.disturbed) {
            text.push_str(
                "! neither side filled its core: other work on this machine; \
                 trust CPU per request before requests per second\n",
            );
        }
        text.push('\n');
        for (name, budget) in self.contract.budgets() {
            let (sign, bound) = match budget {
                Budget::AtLeast(bound) => ('≥', bound),
                Budget::AtMost(bound) => ('≤', bound),
            };
            let line = match self.figure(name) {
                Ok(taken) => format!(
                    "{name:<25}{:>12}  {:<7} {sign} {bound}   n {}, [{}–{}]",
                    rounded(taken.value),
                    if budget.holds(taken.value) {
                        "ok"
                    } else {
                        "MISSED"
                    },
                    taken.spread.n,
                    rounded(taken.spread.min),
                    rounded(taken.spread.max),
                ),
                Err(reason) => format!("{name:<25}{:>12}  {reason}", "–"),
            };
            text.push_str(&line);
            text.push('\n');
        }
        text.push('\n');
        for (key, value) in &self.setup {
            let _ = writeln!(text, "{key}: {value}");
        }
        text
    }

    fn figure(&self, name: &str) -> Result<&Taken, &str> {
        match self.figures.get(name) {
            Some(Figure::Taken(taken)) => Ok(taken),
            Some(Figure::Failed(reason) | Figure::LeftOut(reason)) => Err(reason),
            None => Err("the run did not come to it"),
        }
    }
}

/// Four decimals say more than any of these measurements knows.
pub fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// A count stays a whole number.
fn number(value: f64) -> Value {
    let value = rounded(value);
    if value.fract() == 0.0 && value.abs() < 1e15 {
        Value::from(value as i64)
    } else {
        Value::from(value)
    }
}

/// Tells a waiting person what is going on. Standard output belongs to the summary.
pub fn progress(what: &str) {
    eprintln!("… {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        let spread = Spread::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!(
            (spread.median, spread.min, spread.max, spread.n),
            (2.0, 1.0, 3.0, 3)
        );
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of(&[7.0]).unwrap().median, 7.0);
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn ratios_pair_the_rounds_before_the_median_is_taken() {
        // A slow second round slows both: the ratio does not see it.
        let ratios = ratios(&[60.0, 30.0, 66.0], &[100.0, 50.0, 100.0]).unwrap();
        assert_eq!(Spread::of(&ratios).unwrap().median, 0.6);
    }

    #[test]
    fn there_is_no_ratio_to_nothing() {
        assert!(ratios(&[1.0], &[0.0]).is_err());
        assert!(ratios(&[0.0], &[0.0]).is_err());
        assert!(ratios(&[1.0, 2.0], &[1.0]).is_err());
        assert!(ratios(&[], &[]).is_err());
        assert_eq!(ratios(&[0.0], &[2.0]), Ok(vec![0.0]));
    }

    #[test]
    fn every_name_of_the_contract_is_there_and_a_missing_figure_is_null_with_its_reason() {
        let mut summary = Summary::of(&SCAN);
        summary.put("scan_hot_ratio", Taken::median(&[0.7, 0.61, 0.65]));
        summary.put("scan_max_ms", Taken::worst(&[3.0, 90.0, 5.0]));
        summary.put("page_bytes", Err("no page".to_owned()));
        summary.explain(&["scan_hot_redis_ratio", "scan_hot_ratio"], "no --redis");
        let all = summary.to_json();
        let object = all.as_object().unwrap();
        assert_eq!(object.len(), SCAN.figures.len() + 1);
        assert_eq!(all["scan_hot_ratio"], 0.65);
        assert_eq!(
            all["detail"]["scan_hot_ratio"],
            json!({"n": 3, "min": 0.61, "max": 0.7, "held": true})
        );
        assert_eq!(all["scan_max_ms"], 90);
        for (name, reason) in [
            ("page_bytes", "no page"),
            ("scan_hot_redis_ratio", "no --redis"),
            ("issue_million_s", "the run did not come to it"),
        ] {
            assert!(object.contains_key(name) && all[name].is_null(), "{name}");
            assert_eq!(all["detail"][name]["reason"], reason);
        }
        assert!(summary.is_taken("scan_hot_ratio") && !summary.is_taken("page_bytes"));
    }

    #[test]
    fn the_table_says_which_budget_was_missed() {
        let mut summary = Summary::of(&SCAN);
        summary.put("scan_hot_ratio", Taken::median(&[0.59]));
        summary.put("scan_p99_ms", Taken::median(&[4.9]));
        let table = summary.to_table();
        let line = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line("scan_hot_ratio").contains("MISSED"));
        assert!(line("scan_p99_ms").contains("ok"));
        assert!(line("page_bytes").contains("did not come to it"));
    }

    #[test]
    fn a_missed_budget_and_a_figure_that_failed_are_told_but_not_one_left_out() {
        let mut summary = Summary::of(&SCAN);
        for (name, budget) in SCAN.budgets() {
            let (Budget::AtLeast(bound) | Budget::AtMost(bound)) = budget;
            summary.put(name, Taken::median(&[bound]));
        }
        assert!(summary.missed().is_empty());
        summary.leave_out(&["scan_flat_ratio"], "not asked for");
        assert!(summary.missed().is_empty());
        summary.put("scan_max_ms", Taken::worst(&[200.1]));
        summary.put("scan_counted_max_ms", Err("no answer".to_owned()));
        assert_eq!(summary.missed(), ["scan_max_ms", "scan_counted_max_ms"]);
        let detail = &summary.to_json()["detail"];
        assert_eq!(detail["scan_max_ms"]["held"], false);
        assert_eq!(detail["scan_counted_max_ms"]["reason"], "no answer");
        assert_eq!(detail["flat_rss_mb"]["value"], 150);
    }
}
