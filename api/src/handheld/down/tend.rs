//! What has to be done without being asked: recall lists and what was told are brought up to date soon
//! after the log moved, so that pulls rarely wait for it, and parts nobody needs any more are forgotten.

use super::{chunk_store, follow_store, listed::RecallLists};
use crate::{clock::Clock, db::Db};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

/// Lists follow the log at most so often, and look for what other processes wrote at least so often.
const FOLLOWED_EVERY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];
/// How often parts are forgotten.
const FORGOTTEN_EVERY: Duration = Duration::from_mins(10);

/// Goes on until it is dropped.
pub async fn for_ever(db: Db, clock: Clock, news: Arc<Notify>, lists: RecallLists) {
    let mut forgotten = Instant::now();
    loop {
        if let Err(error) = lists.follow().await {
            tracing::warn!(%error, "recall lists do not follow the log");
        }
        follow(&db).await;
        if forgotten.elapsed() >= FORGOTTEN_EVERY {
            forgotten = Instant::now();
            forget(&db, &clock).await;
        }
        let _ = timeout(FOLLOWED_EVERY[1], news.notified()).await;
        sleep(FOLLOWED_EVERY[0]).await;
    }
}

/// A failure costs pulls some time and is made up for with the next round.
async fn follow(db: &Db) {
    loop {
        match follow_store::follow(db).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, "what was told does not follow the log");
                return;
            }
        }
    }
}

async fn forget(db: &Db, clock: &Clock) {
    loop {
        let before = clock.now().saturating_sub(chunk_store::KEPT);
        match chunk_store::forget(db, before).await {
            Ok(0) => return,
            Ok(gone) => tracing::debug!(gone, "parts of lists and snapshots forgotten"),
            Err(error) => {
                tracing::warn!(%error, "parts of lists and snapshots are not forgotten");
                return;
            }
        }
    }
}
