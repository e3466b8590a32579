//! Follows the log for what makes folding necessary, and does what is left, slice by slice, between
//! the acts that bring events.

use super::{Work, entries, slice::slice, store};
use crate::{
    db::Db,
    handheld::push::{PushError, ingest::Ingest},
    log::Log,
};
use futures_util::FutureExt;
use std::time::Duration;
use tokio::time::timeout;

/// Entries looked at in one go.
const ENTRIES: i64 = 200;
/// Units of a slice: the first, and the most.
const UNITS: [i64; 2] = [64, 512];
/// How long a slice may hold the head before the next is made smaller; the agreement says 50 ms.
const HELD: Duration = Duration::from_millis(20);
/// After a failure, and between two looks without news.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks at all.
const BREATH: Duration = Duration::from_millis(20);

/// Works for ever.
pub async fn for_ever(db: Db, log: Log, ingest: Ingest) {
    let news = log.news();
    let mut limit = UNITS[0];
    loop {
        let woken = news.notified();
        let more = match follow(&db, &log).await {
            Ok(more) => match one(&db, &ingest, &mut limit).await {
                Ok(worked) => more || worked,
                Err(error) => {
                    tracing::warn!(%error, "units were not folded again");
                    tokio::time::sleep(PAUSE).await;
                    true
                }
            },
            Err(error) => {
                tracing::warn!(%error, "the log was not followed");
                tokio::time::sleep(PAUSE).await;
                true
            }
        };
        if !more {
            let _ = timeout(PAUSE, woken).await;
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// Does all there is to do now, however long it takes: for whoever wants to see things as they are
/// when nothing is left.
pub async fn catch_up(db: &Db, log: &Log, ingest: &Ingest) -> Result<(), PushError> {
    loop {
        let more = follow(db, log).await?;
        let mut limit = UNITS[0];
        if !one(db, ingest, &mut limit).await? && !more {
            return Ok(());
        }
    }
}

/// Writes down what entries make necessary. Are there more?
async fn follow(db: &Db, log: &Log) -> Result<bool, PushError> {
    let (head, _) = log.head().await?;
    let from = store::followed(db.reader()).await?;
    if from >= head {
        return Ok(false);
    }
    let told = store::told(db.reader(), from, head, ENTRIES).await?;
    let mut work: Vec<Work> = Vec::new();
    for entry in &told {
        for new in entries::work_of(db.reader(), entry).await? {
            // What several entries ask for is done once, after the last of them.
            work.retain(|old| old.scope != new.scope);
            work.push(new);
        }
    }
    let more = told.len() as i64 >= ENTRIES;
    let to = told.last().filter(|_| more).map_or(head, |last| last.gseq);
    // Events move the head all the time; they are no entries, and say for themselves what is left.
    if !told.is_empty() {
        store::follow(db, &work, to).await?;
    }
    Ok(more)
}

/// Does one slice of the oldest work, if there is any.
async fn one(db: &Db, ingest: &Ingest, limit: &mut i64) -> Result<bool, PushError> {
    let Some(work) = store::next(db.reader()).await? else {
        return Ok(false);
    };
    let units = *limit;
    let done = ingest
        .with_engine(move |engine| async move { slice(engine, &work, units).await }.boxed())
        .await?;
    let held = match done {
        Err(error) if error.is_of_the_push() => {
            // Whatever it is that fails, it is found by itself.
            *limit = 1;
            return Err(error);
        }
        done => done?,
    };
    metrics::histogram!("suyuan_refold_slice_seconds").record(held.as_secs_f64());
    if held > HELD {
        *limit = (units / 2).max(1);
    } else if held < HELD / 4 {
        *limit = (units * 2).min(UNITS[1]);
    }
    Ok(true)
}
