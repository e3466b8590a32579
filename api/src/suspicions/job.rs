//! Looks at units that were just queried and raises suspicions. Each unit is looked at again only
//! when its count has grown by a quarter: a code that half the country scans costs no more. What it goes by is in
//! the log: other thresholds than before are told first.

use super::{
    rules::{self, Thresholds},
    store,
};
use crate::{
    clock::Clock, db::Db, handheld::decisions::tell_thresholds, log::Log, queries::fold::Counted,
};
use lru::LruCache;
use std::num::NonZeroUsize;
use tokio::sync::mpsc;

/// Units remembered as looked at.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(20_000).expect("not zero");

const DAY: i64 = 86_400_000_000;

/// Raises suspicions about units that were counted, by the thresholds of this start, until nobody counts any more.
/// `shipped` are those the program comes with.
pub async fn run(
    db: Db,
    log: Log,
    clock: Clock,
    (shipped, thresholds): (Thresholds, Thresholds),
    mut counted: mpsc::Receiver<Vec<Counted>>,
) {
    // Nothing is held against thresholds that the log does not tell of.
    let tell = async || match tell_thresholds(&log, &db, shipped, thresholds).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "the thresholds of suspicions were not told");
            false
        }
    };
    let mut are_told = tell().await;
    let mut looked_at: LruCache<(String, i64), u64> = LruCache::new(REMEMBERED);
    while let Some(units) = counted.recv().await {
        are_told = are_told || tell().await;
        if !are_told {
            continue;
        }
        for unit in units {
            let name = (unit.space.clone(), unit.index);
            let before = looked_at.get(&name).copied().unwrap_or(0);
            if unit.n < thresholds.least_queries() || unit.n < before + before / 4 + 1 {
                continue;
            }
            match look(&db, &log, clock.now(), thresholds, &unit).await {
                Ok(()) => drop(looked_at.put(name, unit.n)),
                Err(error) => tracing::warn!(%error, "a unit was not looked at for copies"),
            }
        }
    }
}

async fn look(
    db: &Db,
    log: &Log,
    now: i64,
    thresholds: Thresholds,
    unit: &Counted,
) -> Result<(), super::SuspicionError> {
    let known = store::of_unit(db, &unit.space, unit.index).await?;
    // What the issuer has looked into does not speak again.
    let cleared = known.iter().filter_map(|row| row.cleared_at).max();
    let since = now - i64::from(thresholds.window_days) * DAY;
    let since = since.max(cleared.map_or(i64::MIN, |at| at + 1));
    let sightings = store::sightings(db, &unit.space, unit.index, since).await?;
    let (raised, evidence) = rules::judge(&sightings, thresholds);
    for kind in raised {
        let open = |row: &&store::Row| row.kind == kind.name() && row.cleared_at.is_none();
        if !known.iter().any(|row| open(&row)) {
            store::raise(log, db, unit, kind, &evidence).await?;
        }
    }
    Ok(())
}
