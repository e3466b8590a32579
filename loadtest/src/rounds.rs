//! Rounds: every kind of request once in each, one after the other in the same minutes, beginning
//! with another one each time, so that a machine that slows down does not always slow the same
//! one. Ratios are taken within a round ([`crate::summary::ratios`]).

use std::{rc::Rc, time::Duration};

use crate::{
    drive::{Aim, closed_loop},
    issuing::Officer,
    summary::{Series, progress},
    workload::{Shared, Workload},
};

/// Asked before each measured part, unmeasured.
pub const WARM_UP: Duration = Duration::from_secs(1);

/// How many rounds, and how long each kind of request is measured in each.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many.
    pub rounds: usize,
    /// How long.
    pub length: Duration,
}

/// One kind of request.
pub struct Variant<'a> {
    name: String,
    aim: &'a Aim,
    warm_up: Shared,
    /// One per round, or the same for all.
    loads: Vec<Shared>,
    io_of: Option<&'a Officer>,
}

impl<'a> Variant<'a> {
    /// The same stream of requests in every round.
    pub fn new(name: impl Into<String>, aim: &'a Aim, load: Shared) -> Self {
        Self {
            name: name.into(),
            aim,
            warm_up: Rc::clone(&load),
            loads: vec![load],
            io_of: None,
        }
    }

    /// Each path once, a share of them in each round, after a warm-up with other paths.
    pub fn once(
        name: impl Into<String>,
        aim: &'a Aim,
        warm_up: Shared,
        mut paths: Vec<String>,
        plan: Plan,
    ) -> Self {
        let share = paths.len().div_ceil(plan.rounds.max(1)).max(1);
        let mut loads = Vec::new();
        loop {
            let rest = paths.split_off(share.min(paths.len()));
            loads.push(Workload::once(&aim.target, paths));
            if rest.is_empty() {
                break;
            }
            paths = rest;
        }
        Self {
            loads,
            warm_up: Rc::clone(&warm_up),
            ..Self::new(name, aim, warm_up)
        }
    }

    /// Reads the service's I/O counter before and after: for requests that must cause none.
    #[must_use]
    pub fn counting_io_of(mut self, officer: Option<&'a Officer>) -> Self {
        self.io_of = officer;
        self
    }
}

/// What the rounds brought.
pub struct Rounds {
    /// One for each variant, in their order.
    pub series: Vec<Series>,
    /// I/O calls of the variants that count them, all rounds together.
    pub io_calls: Result<u64, String>,
}

impl Rounds {
    /// Runs every variant once in each round.
    pub async fn run(plan: Plan, variants: &[Variant<'_>]) -> Self {
        let mut series: Vec<Series> = variants
            .iter()
            .map(|variant| Series {
                name: variant.name.clone(),
                outcomes: Vec::new(),
                failed: None,
            })
            .collect();
        let mut io_calls = Ok(0);
        for round in 0..plan.rounds {
            for turn in 0..variants.len() {
                let at = (round + turn) % variants.len();
                let variant = &variants[at];
                if series[at].failed.is_some() {
                    continue;
                }
                progress(&format!("round {}: {}", round + 1, variant.name));
                let before = read_io(variant).await;
                let load = &variant.loads[round % variant.loads.len()];
                match closed_loop(variant.aim, (&variant.warm_up, WARM_UP), load, plan.length).await
                {
                    Ok(outcome) => series[at].outcomes.push(outcome),
                    Err(error) => series[at].failed = Some(error.to_string()),
                }
                if let (Some(before), Some(after)) = (before, read_io(variant).await)
                    && let Ok(calls) = &mut io_calls
                {
                    match (before, after) {
                        (Ok(before), Ok(after)) => *calls += after.saturating_sub(before),
                        (Err(reason), _) | (_, Err(reason)) => io_calls = Err(reason),
                    }
                }
            }
        }
        Self { series, io_calls }
    }
}

async fn read_io(variant: &Variant<'_>) -> Option<Result<u64, String>> {
    let officer = variant.io_of?;
    Some(
        officer
            .scan_io_calls()
            .await
            .map_err(|error| error.to_string()),
    )
}
