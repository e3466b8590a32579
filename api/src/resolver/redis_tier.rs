//! Redis as the tier all nodes share: what one node loaded, the others need not read again. An
//! accelerator only: entries carry the version they were made from and are compared, never
//! trusted; any failure or delay counts as a miss.

use super::note_io;
use crate::config;
use arc_swap::ArcSwap;
use redis::{
    AsyncCommands, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
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
    line: Arc<Line>,
    timeout: Duration,
}

/// The connection in use. One that stays silent several times in a row is replaced: a peer that
/// vanished never says so.
struct Line {
    client: redis::Client,
    config: ConnectionManagerConfig,
    connection: ArcSwap<ConnectionManager>,
    silences: AtomicU32,
}

/// Silences in a row after which a connection is given up.
const SILENCES_MAX: u32 = 3;

impl Inner {
    /// Runs one command; silence and failure are both "no answer".
    async fn ask<T>(
        &self,
        command: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>,
    ) -> Option<T> {
        let connection = ConnectionManager::clone(&self.line.connection.load());
        let Ok(answer) = tokio::time::timeout(self.timeout, command(connection)).await else {
            self.line.note_silence();
            return None;
        };
        match &answer {
            Err(error) if error.is_timeout() => self.line.note_silence(),
            _ => self.line.silences.store(0, Ordering::Relaxed),
        }
        answer.ok()
    }
}

impl Line {
    fn note_silence(&self) {
        if self.silences.fetch_add(1, Ordering::Relaxed) + 1 < SILENCES_MAX {
            return;
        }
        self.silences.store(0, Ordering::Relaxed);
        let fresh =
            ConnectionManager::new_lazy_with_config(self.client.clone(), self.config.clone());
        if let Ok(fresh) = fresh {
            self.connection.store(Arc::new(fresh));
        }
    }
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
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config.clone())?;
        let line = Arc::new(Line {
            client,
            config,
            connection: ArcSwap::from_pointee(connection),
            silences: AtomicU32::new(0),
        });
        Ok(RedisTier {
            inner: Some(Inner { line, timeout }),
        })
    }

    /// Is there one?
    pub fn is_configured(&self) -> bool {
        self.inner.is_some()
    }

    /// An entry made from exactly this version of this installation's data.
    pub async fn get(&self, installation: Uuid, key: &str, version: i64) -> Option<Vec<u8>> {
        let inner = self.inner.as_ref()?;
        note_io("redis");
        let name = name(installation, key);
        let get = async |mut connection: ConnectionManager| connection.get(name).await;
        let found: Vec<u8> = inner.ask(get).await.flatten()?;
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
        let Some(inner) = self.inner.clone() else {
            return;
        };
        let name = name(installation, key);
        let value = [&version.to_be_bytes(), body].concat();
        let keep = keep_s.unwrap_or(KEEP_S);
        tokio::spawn(async move {
            let put = async |mut connection: ConnectionManager| {
                connection.set_ex::<_, _, ()>(name, value, keep).await
            };
            inner.ask(put).await;
        });
    }

    /// Sends a message to whoever listens now.
    pub async fn publish(&self, installation: Uuid, channel: &str, message: Vec<u8>) {
        let Some(inner) = self.inner.as_ref() else {
            return;
        };
        let name = name(installation, channel);
        let publish = async |mut connection: ConnectionManager| {
            connection.publish::<_, _, ()>(name, message).await
        };
        inner.ask(publish).await;
    }

    /// Does it answer?
    pub async fn ping(&self) -> Option<bool> {
        let inner = self.inner.as_ref()?;
        let ping = async |mut connection: ConnectionManager| {
            redis::cmd("PING")
                .query_async::<String>(&mut connection)
                .await
        };
        Some(inner.ask(ping).await.is_some())
    }
}

fn name(installation: Uuid, key: &str) -> String {
    format!("suyuan:v1:{installation}:{key}")
}

/// The channel that says the log has moved.
const NEWS: &str = "news";

/// Tells other processes that the log has moved, each time this one moved it. Losing a message
/// costs at most one poll interval.
pub async fn announce(tier: RedisTier, installation: Uuid, news: Arc<Notify>) {
    loop {
        news.notified().await;
        tier.publish(installation, NEWS, b"1".to_vec()).await;
    }
}

/// Wakes the feed when another process says the log has moved.
pub async fn follow(settings: config::Redis, installation: Uuid, wake: Arc<Notify>) {
    listen(settings, installation, NEWS, |_| wake.notify_one()).await;
}

/// Hears what is sent to a channel. Reconnects for ever; what is sent meanwhile is lost.
pub async fn listen(
    settings: config::Redis,
    installation: Uuid,
    channel: &str,
    mut heard: impl FnMut(&[u8]),
) {
    let Ok(client) = redis::Client::open(settings.url.expose()) else {
        return;
    };
    loop {
        if let Ok(mut pubsub) = client.get_async_pubsub().await
            && pubsub.subscribe(name(installation, channel)).await.is_ok()
        {
            let mut messages = pubsub.on_message();
            while let Some(message) = futures_util::StreamExt::next(&mut messages).await {
                heard(message.get_payload_bytes());
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
