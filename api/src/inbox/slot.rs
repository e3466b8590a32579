//! The slot in the door: all that the public side holds of the inbox. It seals, it inserts, and
//! it cannot look inside.

use super::{Message, seal::SealedError, store};
use crate::{
    clock::{Clock, Micros},
    db::{Db, Line, Reader, Silent},
};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use sea_orm::DbErr;
use serde::Serialize;
use std::{num::NonZeroU32, sync::Arc, time::Duration};
use thiserror::Error;
use uuid::Uuid;

/// Largest personal part, and largest body, of one message in bytes.
pub const PRIVATE_MAX: usize = 16 * 1024;
/// Longest wait for the database. A message may have been put all the same; sent again under its
/// id it is still one.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a message was not put.
#[derive(Debug, Error)]
pub enum PutError {
    /// More messages than this process puts in a second.
    #[error("too many messages at once")]
    TooMany,
    /// Too many wait already.
    #[error("the inbox is full")]
    Full,
    /// The message is too large.
    #[error("the message is too large")]
    TooLarge,
    /// The database did not answer in time.
    #[error("the database is slow")]
    Slow,
    /// It could not be sealed: the internal side has never run, or a key is damaged.
    #[error("not sealed")]
    Seal(#[from] SealedError),
    /// The body is no JSON.
    #[error("message body")]
    Json(#[from] serde_json::Error),
    /// The database's word.
    #[error("inbox")]
    Db(#[from] DbErr),
}

/// Puts messages.
pub struct Slot {
    reader: Reader,
    writer: Arc<Line>,
    clock: Clock,
    limiter: DefaultDirectRateLimiter,
}

impl Slot {
    /// A slot that lets `per_second` messages through, and ten times as many at once.
    pub fn new(reader: Reader, writer: Arc<Line>, clock: Clock, per_second: NonZeroU32) -> Slot {
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(9));
        Slot {
            reader,
            writer,
            clock,
            limiter: RateLimiter::direct(Quota::per_second(per_second).allow_burst(burst)),
        }
    }

    /// Puts a message. When this returns, it is kept. `private` is sealed for this id and kind;
    /// `body` must hold nothing personal. A second message under the same id changes nothing.
    pub async fn put(
        &self,
        id: Uuid,
        kind: &str,
        body: &(impl Serialize + Sync),
        private: &[u8],
    ) -> Result<(), PutError> {
        let body = serde_json::to_string(body)?;
        if body.len() > PRIVATE_MAX || private.len() > PRIVATE_MAX {
            return Err(PutError::TooLarge);
        }
        if self.limiter.check().is_err() {
            return Err(PutError::TooMany);
        }
        // Key and message over one connection: the one that is renewed when it falls silent.
        let put = async |db: &Db| {
            let sealed = if private.is_empty() {
                Vec::new()
            } else {
                let key = store::newest_key(db.reader()).await?;
                key.ok_or(SealedError::NoKey)?.seal(id, kind, private)?
            };
            let message = Message {
                id,
                kind: kind.to_owned(),
                at: self.clock.now(),
                body,
                sealed,
            };
            store::put(db, message).await
        };
        let put = self.writer.within(PATIENCE, put).await;
        put.map_err(|Silent| PutError::Slow)?
    }

    /// Up to when everything that was put has been taken.
    pub async fn taken_until(&self) -> Result<Micros, DbErr> {
        store::taken_until(self.reader.reader()).await
    }
}
