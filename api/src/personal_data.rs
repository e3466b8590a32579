//! Personal data whose time is over: erased, wherever the features keep it, once an hour for ever and whenever
//! somebody says so. Which rows these are, and what stays, each feature knows itself.

use crate::{
    buyers,
    clock::{Clock, Micros},
    db::Db,
    log::{ActError, Log},
    voices,
};
use std::time::Duration;

/// Between two looks.
const EVERY: Duration = Duration::from_hours(1);

/// Erases it once an hour for ever.
pub async fn forget_for_ever(db: Db, log: Log, clock: Clock) {
    loop {
        match erase_overdue(&db, &log, clock.now()).await {
            Ok(0) => {}
            Ok(erased) => tracing::info!(erased, "personal data whose time was over"),
            Err(error) => tracing::warn!(%error, "personal data not erased"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Erases what is over at `now`, each with its entry of the log; returns how many.
pub async fn erase_overdue(db: &Db, log: &Log, now: Micros) -> Result<u64, ActError> {
    let told = voices::erase_overdue(db, log, now).await?;
    Ok(told + buyers::erase_overdue(db, log, now).await?)
}
