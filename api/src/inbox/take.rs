//! Takes messages out of the inbox: a round each half second, bounded, each message in a
//! transaction of its own. One that its feature cannot read is set aside with the reason, so that
//! it never stands in the way of the others.

use super::{Message, store};
use crate::{
    clock::{Clock, Micros},
    db::Db,
    log::{Act, ActError, Entry, Kind, Log},
    problem::is_outage,
};
use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::DbErr;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use thiserror::Error;
use uuid::Uuid;

/// Between two rounds.
const EVERY: Duration = Duration::from_millis(500);
/// Messages taken in one round.
const ROUND_MAX: u64 = 200;
/// How often it is written down how far the inbox was emptied, in microseconds.
const NOTED_EVERY: Micros = 30_000_000;
/// What was set aside is kept this long, in microseconds: 30 days.
const ASIDE_KEPT: Micros = 30 * 86_400 * 1_000_000;

/// A feature that takes messages.
pub trait Receiver: Send + Sync {
    /// The kinds it takes.
    fn kinds(&self) -> &'static [&'static str];

    /// Writes what the message says, in the act's transaction. The message itself is deleted and
    /// the entry committed by the caller.
    fn take<'a>(
        &'a self,
        act: &'a Act,
        message: &'a Message,
    ) -> BoxFuture<'a, Result<Taken, TakeError>>;
}

/// What came of a message.
pub enum Taken {
    /// Something changed: this is its entry. `body` is never personal data.
    Changed {
        /// What happened.
        kind: Kind,
        /// Whose data.
        enterprise: Option<Uuid>,
        /// What it happened to.
        subject: String,
        /// What changed.
        body: serde_json::Value,
    },
    /// It says nothing new, for example because it came twice.
    Nothing,
}

/// Why a message was not taken.
#[derive(Debug, Error)]
pub enum TakeError {
    /// It cannot be read, now or later; said without repeating its content.
    #[error("{0}")]
    Unreadable(String),
    /// The log's or the database's word.
    #[error("inbox")]
    Act(#[from] ActError),
}

impl From<DbErr> for TakeError {
    fn from(error: DbErr) -> TakeError {
        TakeError::Act(error.into())
    }
}

/// Takes messages for ever. Runs on the internal side only; several may run at once.
pub async fn take_for_ever(db: Db, log: Log, clock: Clock, receivers: Vec<Arc<dyn Receiver>>) {
    let mut noted: Micros = 0;
    loop {
        let began = clock.now();
        match take_round(&db, &log, &clock, &receivers).await {
            // More may wait.
            Ok(n) if n as u64 == ROUND_MAX => continue,
            Ok(_) if began - noted >= NOTED_EVERY => {
                noted = began;
                if let Err(error) = note(&db, began).await {
                    tracing::warn!(%error, "inbox state not written");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "inbox not read"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Everything put before `now` was taken.
async fn note(db: &Db, now: Micros) -> Result<(), DbErr> {
    store::set_taken_until(db, now).await?;
    store::forget_aside(db, now - ASIDE_KEPT).await
}

/// One round. Returns how many messages there were.
pub async fn take_round(
    db: &Db,
    log: &Log,
    clock: &Clock,
    receivers: &[Arc<dyn Receiver>],
) -> Result<usize, ActError> {
    let messages = store::waiting(db, ROUND_MAX).await?;
    for message in &messages {
        match take(db, log, receivers, message).await {
            Ok(()) => metrics::counter!("suyuan_inbox_taken_total").increment(1),
            Err(TakeError::Act(ActError::Db(error))) if is_outage(&error) => {
                return Err(error.into());
            }
            Err(error) => {
                let reason = reason(&error);
                tracing::warn!(id = %message.id, kind = message.kind, reason, "message set aside");
                metrics::counter!("suyuan_inbox_set_aside_total").increment(1);
                store::set_aside(db, message, &reason, clock.now()).await?;
            }
        }
    }
    Ok(messages.len())
}

async fn take(
    db: &Db,
    log: &Log,
    receivers: &[Arc<dyn Receiver>],
    message: &Message,
) -> Result<(), TakeError> {
    let receiver = receivers
        .iter()
        .find(|receiver| receiver.kinds().contains(&message.kind.as_str()))
        .ok_or_else(|| TakeError::Unreadable("nobody takes this kind".into()))?;
    let act = log.begin_as_system().await?;
    if !store::delete(act.tx(), message.id).await? {
        act.abandon().await?;
        return Ok(()); // another process was faster
    }
    let taken = AssertUnwindSafe(receiver.take(&act, message))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(TakeError::Unreadable("its feature failed on it".into())))?;
    match taken {
        Taken::Changed {
            kind,
            enterprise,
            subject,
            body,
        } => {
            let entry = Entry {
                kind,
                enterprise,
                subject,
                body: &body,
            };
            act.commit(entry, &()).await?;
        }
        // No entry without a change, and no gap in the log: the message goes by itself.
        Taken::Nothing => {
            act.abandon().await?;
            store::delete(db.writer(), message.id).await?;
        }
    }
    Ok(())
}

/// Why, in words without the message's content: a database may repeat values in its own.
fn reason(error: &TakeError) -> String {
    match error {
        TakeError::Unreadable(why) => why.clone(),
        TakeError::Act(_) => "the database refused it".into(),
    }
}
