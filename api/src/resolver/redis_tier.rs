//! Redis as the tier all nodes share: what one node loaded, the others need not read again. An
//! accelerator only: entries carry the version they were made from and are compared, never
//! trusted; any failure or delay counts as a miss.

use super::note_io;
use crate::config;
use redis::{AsyncCommands, aio::ConnectionManager, aio::ConnectionManagerConfig};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use uuid::Uuid;

/// How long an entry is kept without being made again.
const KEEP_S: u64 = 3600;

/// A connection to Redis, or none.
#[derive(Clone, Default)]
pub struct RedisTier {
    inner: Option<Inner>,
}

#[derive(Clone)]
struct Inner {
    connection: ConnectionManager,
    timeout: Duration,
}

impl RedisTier {
    /// Connects in the background; a Redis that is down now is used once it is up.
    pub fn open(settings: &config::Redis) -> Result<RedisTier, redis::RedisError> {
        let url = settings.url.expose();
        if url.is_empty() {
            return Ok(RedisTier::default());
        }
        let timeout = Duration::from_millis(settings.timeout_ms);
        let client = redis::Client::open(url)?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(timeout))
            .set_connection_timeout(Some(Duration::from_secs(1)));
        let connection = ConnectionManager::new_lazy_with_config(client, config)?;
        Ok(RedisTier {
            inner: Some(Inner {
                connection,
                timeout,
            }),
        })
    }

    /// Is there one?
    pub fn is_configured(&self) -> bool {
        self.inner.is_some()
    }

    /// An entry made from exactly this version of this installation's data.
    pub async fn get(&self, installation: Uuid, key: &str, version: i64) -> Option<Vec<u8>> {
        let Inner {
            mut connection,
            timeout,
        } = self.inner.clone()?;
        note_io("redis");
        let name = name(installation, key);
        let found: Option<Vec<u8>> = tokio::time::timeout(timeout, connection.get(name))
            .await
            .ok()?
            .ok()?;
        let found = found?;
        let (made_from, body) = found.split_at_checked(8)?;
        (made_from == version.to_be_bytes()).then(|| body.to_vec())
    }

    /// Keeps an entry, not waiting for it.
    pub fn put(
        &self,
        installation: Uuid,
        key: &str,
        version: i64,
        body: &[u8],
        keep_s: Option<u64>,
    ) {
        let Some(Inner {
            mut connection,
            timeout,
        }) = self.inner.clone()
        else {
            return;
        };
        let name = name(installation, key);
        let value = [&version.to_be_bytes(), body].concat();
        let keep = keep_s.unwrap_or(KEEP_S);
        tokio::spawn(async move {
            let put = connection.set_ex::<_, _, ()>(name, value, keep);
            drop(tokio::time::timeout(timeout, put).await);
        });
    }

    /// Does it answer?
    pub async fn ping(&self) -> Option<bool> {
        let Inner {
            mut connection,
            timeout,
        } = self.inner.clone()?;
        let command = redis::cmd("PING");
        let ping = command.query_async::<String>(&mut connection);
        Some(matches!(
            tokio::time::timeout(timeout, ping).await,
            Ok(Ok(_))
        ))
    }
}

fn name(installation: Uuid, key: &str) -> String {
    format!("suyuan:v1:{installation}:{key}")
}

fn channel(installation: Uuid) -> String {
    format!("suyuan:v1:{installation}:news")
}

/// Tells other processes that the log has moved, each time this one moved it. Losing a message
/// costs at most one poll interval.
pub async fn announce(tier: RedisTier, installation: Uuid, news: Arc<Notify>) {
    let Some(Inner {
        mut connection,
        timeout,
    }) = tier.inner
    else {
        return;
    };
    loop {
        news.notified().await;
        let publish = connection.publish::<_, _, ()>(channel(installation), 1);
        drop(tokio::time::timeout(timeout, publish).await);
    }
}

/// Wakes the feed when another process says the log has moved. Reconnects for ever.
pub async fn follow(settings: config::Redis, installation: Uuid, wake: Arc<Notify>) {
    let Ok(client) = redis::Client::open(settings.url.expose()) else {
        return;
    };
    loop {
        if let Ok(mut pubsub) = client.get_async_pubsub().await
            && pubsub.subscribe(channel(installation)).await.is_ok()
        {
            let mut messages = pubsub.on_message();
            while futures_util::StreamExt::next(&mut messages).await.is_some() {
                wake.notify_one();
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
