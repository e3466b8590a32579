//! Keeps the world fresh: asks for the head, applies every row that changed, then renews the
//! lease, counted from the moment the poll was sent. If anything fails, nothing is renewed.
//!
//! Rows are read without an upper position: a row changed again meanwhile comes in its newer form
//! at once and is applied again next time. Reading only up to the head would skip it, and with it
//! the change the head stood for.

use super::{
    Resolver,
    store::{self, ReadError},
    world::{NextWorld, World},
};
use crate::{
    codes::ring::Opener,
    config::{self, Freshness},
    db::{OpenError, Reader},
    sealing::SealError,
    telemetry::in_full,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use thiserror::Error;
use tokio::sync::Notify;

/// Why a poll did not renew the lease.
#[derive(Debug, Error)]
pub enum PollError {
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Too slow.
    #[error("no answer in time")]
    Timeout,
}

impl PollError {
    /// Trying again is of no use: a key does not open.
    pub fn will_stay(&self) -> bool {
        matches!(
            self,
            PollError::Read(ReadError::Key(_, error)) if !matches!(error, SealError::NotForReaders)
        )
    }
}

/// One page of changes may take longer than asking whether there are any. Past this the
/// connection is given up.
const PAGE_TIMEOUT: Duration = Duration::from_secs(3);

async fn in_time<T, E: Into<ReadError>>(
    reading: impl Future<Output = Result<T, E>>,
) -> Result<T, PollError> {
    match tokio::time::timeout(PAGE_TIMEOUT, reading).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(PollError::Read(error.into())),
        Err(_) => Err(PollError::Timeout),
    }
}

/// Follows the log for a resolver.
pub struct Feed {
    /// A connection of its own: a poll never waits behind queries.
    db: Reader,
    url: String,
    database: config::Database,
    opener: Opener,
    settings: Freshness,
    /// Wakes the feed early: this process committed, or another said so.
    wake: Arc<Notify>,
}

impl Feed {
    /// Opens a connection of its own to `url`.
    pub async fn open(
        url: String,
        settings: &config::Settings,
        opener: Opener,
    ) -> Result<Feed, OpenError> {
        Ok(Feed {
            db: Reader::open_single(&url, &settings.database).await?,
            url,
            database: settings.database.clone(),
            opener,
            settings: settings.freshness,
            wake: Arc::new(Notify::new()),
        })
    }

    /// Notify this to be polled for at once.
    pub fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// Polls once. The first poll, and one after a long silence, may take longer than the lease
    /// and then counts from its own sending all the same.
    pub async fn poll(&self, resolver: &Resolver) -> Result<(), PollError> {
        let sent = Instant::now();
        let as_of = resolver.clock.now();
        let before = resolver.world.load_full();
        let head = tokio::time::timeout(self.settings.timeout(), store::head(&self.db));
        let (installation, head) = head
            .await
            .map_err(|_| PollError::Timeout)?
            .map_err(ReadError::from)?;
        // Another installation, or an older state restored: what we know is not its past.
        let fresh_start = World::default();
        let same = before.installation == installation && before.position <= head;
        let base = if same { &*before } else { &fresh_start };
        if !same || base.position < head {
            let world = self.advance(base, installation, head).await?;
            resolver.world.store(Arc::new(world));
        }
        resolver.lease.renew(sent, as_of);
        metrics::gauge!("suyuan_feed_position").set(head as f64);
        Ok(())
    }

    async fn advance(
        &self,
        base: &World,
        installation: uuid::Uuid,
        head: i64,
    ) -> Result<World, PollError> {
        let mut next = NextWorld::from(base);
        for table in in_time(store::changed(&self.db, base.position)).await? {
            let mut after = base.position;
            loop {
                let end = in_time(store::page_end(&self.db, table, after)).await?;
                let to = end.unwrap_or(i64::MAX);
                let changes =
                    in_time(store::changes(&self.db, &self.opener, table, after, to)).await?;
                for change in changes {
                    next.apply(change);
                }
                match end {
                    Some(end) => after = end,
                    None => break,
                }
            }
        }
        Ok(next.finish(installation, head))
    }

    /// Polls for ever.
    pub async fn run(mut self, resolver: Arc<Resolver>) {
        let mut failing = false;
        loop {
            match self.poll(&resolver).await {
                Ok(()) => {
                    if failing {
                        tracing::info!("freshness restored");
                    }
                    failing = false;
                }
                Err(error) => {
                    metrics::counter!("suyuan_feed_failures_total").increment(1);
                    if !failing {
                        tracing::warn!(error = in_full(&error), "freshness poll failed");
                    }
                    failing = true;
                    if matches!(error, PollError::Timeout) {
                        self.reconnect().await;
                    }
                }
            }
            drop(tokio::time::timeout(self.settings.poll(), self.wake.notified()).await);
        }
    }

    /// A connection that did not answer in time may never answer again: a peer that vanished says
    /// nothing. A new one costs little.
    async fn reconnect(&mut self) {
        let open = Reader::open_single(&self.url, &self.database);
        if let Ok(Ok(db)) = tokio::time::timeout(Duration::from_secs(1), open).await {
            let old = std::mem::replace(&mut self.db, db);
            tokio::spawn(old.close());
        }
    }
}
