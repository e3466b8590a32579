//! Finishes what a process that ended left half published: parts of long scopes that still wait.

use super::{RecallError, acts, store};
use crate::{
    clock::Clock,
    db::Db,
    log::{Actor, Log},
};
use std::time::Duration;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(10);
/// Whoever staged something publishes it at once; what waits longer was left behind.
const LEFT_BEHIND_US: i64 = 10_000_000;
/// The act that was to bring in what was staged this long ago will not come.
const ORPHAN_US: i64 = 3_600_000_000;

/// Looks for ever.
pub async fn finish_for_ever(db: Db, log: Log, clock: Clock) {
    loop {
        if let Err(error) = finish(&db, &log, clock.now()).await {
            tracing::warn!(%error, "part of a recall still waits");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Publishes what was left behind before `now`.
pub async fn finish(db: &Db, log: &Log, now: i64) -> Result<(), RecallError> {
    store::forget_orphans(db, now - ORPHAN_US).await?;
    for (enterprise, recall) in store::waiting(db, now - LEFT_BEHIND_US).await? {
        acts::publish_staged(db, log, enterprise, recall, Actor::System).await?;
    }
    Ok(())
}
