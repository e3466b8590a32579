//! A connection of its own for those who write on the public side, given up and made anew when it
//! does not answer. A peer that vanished says nothing, and a pool would wait for such a connection
//! as long as TCP does, a pool of one with all who need it.

use super::{Db, OpenError};
use crate::config;
use arc_swap::ArcSwap;
use std::{sync::Arc, time::Duration};

/// Longest wait for a new connection.
const OPEN_MAX: Duration = Duration::from_secs(1);

/// The work was not done in time. It may have been done all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silent;

/// See the file's header.
pub struct Line {
    db: ArcSwap<Db>,
    url: String,
    settings: config::Database,
}

impl Line {
    /// Opens the first connection to `url`.
    pub async fn open(url: &str, settings: &config::Database) -> Result<Line, OpenError> {
        // How long is waited is for each piece of work to say, and ends with a new connection.
        let settings = config::Database {
            acquire_timeout_ms: 60_000,
            ..settings.clone()
        };
        Ok(Line {
            db: ArcSwap::from_pointee(Db::open_single(url, &settings).await?),
            url: url.to_owned(),
            settings,
        })
    }

    /// Works on the connection, for at most `patience`.
    pub async fn within<T>(
        &self,
        patience: Duration,
        work: impl AsyncFnOnce(&Db) -> T,
    ) -> Result<T, Silent> {
        let db = self.db.load_full();
        if let Ok(done) = tokio::time::timeout(patience, work(&db)).await {
            return Ok(done);
        }
        self.renew(&db).await;
        Err(Silent)
    }

    /// Puts a new connection in place of `silent`, unless someone else just did.
    async fn renew(&self, silent: &Arc<Db>) {
        let open = Db::open_single(&self.url, &self.settings);
        if let Ok(Ok(new)) = tokio::time::timeout(OPEN_MAX, open).await {
            let before = self.db.compare_and_swap(silent, Arc::new(new));
            if Arc::ptr_eq(&before, silent) {
                tokio::spawn(Db::clone(silent).close());
            }
        }
    }
}
