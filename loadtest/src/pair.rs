//! A service with a baseline beside it that sends the same bytes, and fresh codes for it.

use std::{path::Path, rc::Rc};

use serde_json::Value;

use crate::{
    LoadError,
    baseline::Baseline,
    client::{Reply, get},
    drive::Aim,
    issuing::{Id, Officer, SEGMENT_MAX},
    server::{Demo, Wanted},
    summary::progress,
    target::{Target, path_of},
    workload::{Expected, PrintedCode, Random, Shared, Workload},
};

/// Both running, both on the server core.
pub struct Pair {
    /// The service.
    pub demo: Demo,
    /// How to load it.
    pub served: Aim,
    /// How to load the baseline.
    pub bare: Aim,
    /// The hot code: the first legal one of the demo.
    pub legal: PrintedCode,
    /// What the service said of it.
    pub answer: Reply,
    lot: Option<String>,
    _baseline: Baseline,
}

impl Pair {
    /// Starts the service, asks it once for the hot code, and starts the baseline with that answer.
    pub async fn start(
        wanted: &Wanted,
        this_program: &Path,
        connections: usize,
    ) -> Result<Self, LoadError> {
        progress("starting the service");
        let demo = Demo::start(wanted).await?;
        let legal = PrintedCode::parse(&demo.codes("legal")?[0])?;
        let answer = get(&demo.public, &legal.path, "application/json")
            .await?
            .succeeded("the JSON view of the legal code")?;
        let view: Value = serde_json::from_slice(&answer.body)
            .map_err(|error| LoadError::Unusable(format!("the view is not JSON: {error}")))?;
        if view["legality"] != "legal" {
            let what = format!("the demo's first legal code is {}", view["legality"]);
            return Err(LoadError::Unusable(what));
        }
        let lot = view["code"]["batch"].as_str().map(str::to_owned);
        let baseline = Baseline::start(this_program, wanted.cores, &answer).await?;
        let aim = |target: &Target, pid| Aim {
            target: target.clone(),
            pid: Some(pid),
            connections,
        };
        Ok(Self {
            served: aim(&demo.public, demo.pid()),
            bare: aim(&baseline.target, baseline.pid()),
            lot: lot.or_else(|| legal.lot.clone()),
            legal,
            answer,
            demo,
            _baseline: baseline,
        })
    }

    /// The baseline's requests: the hot code's, though it does not look.
    pub fn baseline(&self) -> Shared {
        let paths = [self.legal.path.clone()].into();
        Workload::cycle(&self.bare.target, paths, Expected::BASELINE)
    }

    /// One legal code, again and again.
    pub fn hot(&self) -> Shared {
        self.cycle(vec![self.legal.path.clone()])
    }

    /// All legal codes of the demo and these, in turn.
    pub fn hot_set(&self, more: Vec<String>) -> Result<Shared, LoadError> {
        let own = self.demo.codes("legal")?.iter();
        let paths = own.map(|url| path_of(url).to_owned()).chain(more);
        Ok(self.cycle(paths.collect()))
    }

    /// These legal codes, in turn.
    pub fn cycle(&self, paths: Vec<String>) -> Shared {
        let paths: Rc<[String]> = paths.into();
        Workload::cycle(&self.demo.public, paths, Expected::LEGAL)
    }

    /// Serials of the hot code's product and key that nobody minted.
    pub fn forged(&self, seed: u64) -> Shared {
        Workload::forged(&self.demo.public, &self.legal, seed)
    }
}

/// Someone who issues codes, and for what.
pub struct Office {
    /// Who issues.
    pub officer: Officer,
    /// The product of the demo's legal code.
    pub product: Id,
    /// Its batch.
    pub batch: Id,
}

impl Office {
    /// Logs in and finds both.
    pub async fn open(pair: &Pair) -> Result<Self, LoadError> {
        let lot = pair.lot.as_deref().ok_or_else(|| {
            LoadError::Unusable("neither the legal code nor its answer names a lot".to_owned())
        })?;
        Self::of(&pair.demo, &pair.legal.gtin, lot).await
    }

    /// The same for a service without a baseline beside it.
    pub async fn of(demo: &Demo, gtin: &str, lot: &str) -> Result<Self, LoadError> {
        let officer = Officer::log_in(&demo.internal, &demo.announced.login).await?;
        let product = officer.product(gtin).await?;
        let batch = officer.batch(&product, lot).await?;
        Ok(Self {
            officer,
            product,
            batch,
        })
    }

    /// Issues `count` codes, commissions them to the batch and takes all of them.
    pub async fn issue(&self, count: u64) -> Result<Vec<String>, LoadError> {
        self.issue_spread(count, count).await
    }

    /// Issues and commissions `count` codes and takes `asked` of them, evenly from all segments,
    /// in an order unlike the one they were issued in, as tins are scanned.
    pub async fn issue_spread(&self, count: u64, asked: u64) -> Result<Vec<String>, LoadError> {
        progress(&format!("issuing {count} codes"));
        let segments = count.div_ceil(SEGMENT_MAX);
        let mut paths = Vec::with_capacity(asked as usize);
        for segment in 0..segments {
            let size = SEGMENT_MAX.min(count - segment * SEGMENT_MAX);
            let take = (asked - paths.len() as u64).div_ceil(segments - segment);
            let id = self.officer.allocate(&self.product, size).await?;
            self.officer.commission(&self.batch, &id, size).await?;
            paths.extend(self.officer.code_paths(&id, take as usize).await?);
        }
        if (paths.len() as u64) < asked {
            let what = format!("{} codes came instead of {asked}", paths.len());
            return Err(LoadError::Unusable(what));
        }
        shuffle(&mut paths);
        Ok(paths)
    }
}

/// Fisher and Yates, the same every time.
fn shuffle(paths: &mut [String]) {
    let mut random = Random::new(0);
    for last in (1..paths.len()).rev() {
        paths.swap(last, (random.next() % (last as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_keeps_every_code_and_is_repeatable() {
        let ordered: Vec<String> = (0..1000).map(|number| format!("/{number:04}")).collect();
        let mut first = ordered.clone();
        shuffle(&mut first);
        let mut second = ordered.clone();
        shuffle(&mut second);
        assert_eq!(first, second);
        assert_ne!(first, ordered);
        first.sort();
        assert_eq!(first, ordered);
    }
}
