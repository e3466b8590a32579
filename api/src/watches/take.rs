//! Takes messages about watches out of the inbox, and forgets watches that are over. What a
//! message says is checked again: the process that put it need not be believed.

use super::{
    rules::{TokenHash, at_most},
    store::{self, Watch},
    wire::{Begin, End},
};
use crate::{
    clock::{Clock, Micros},
    db::Db,
    inbox::{Message, Receiver, TakeError, Taken},
    log::{Act, Kind},
    resolver::lookups::rules::CODES_MAX,
};
use futures_util::future::BoxFuture;
use std::time::Duration;
use suyuan_sync::trace_code;

/// Message that begins a watch.
pub const BEGIN: &str = "watch";
/// Message that ends one.
pub const END: &str = "watch_end";

/// What is over is forgotten a day later, in microseconds.
const KEPT: Micros = 86_400_000_000;

/// Takes watches.
pub struct Watches;

impl Receiver for Watches {
    fn kinds(&self) -> &'static [&'static str] {
        &[BEGIN, END]
    }

    fn take<'a>(
        &'a self,
        act: &'a Act,
        message: &'a Message,
    ) -> BoxFuture<'a, Result<Taken, TakeError>> {
        Box::pin(async move {
            if message.kind == END {
                end(act, message).await
            } else {
                begin(act, message).await
            }
        })
    }
}

async fn begin(act: &Act, message: &Message) -> Result<Taken, TakeError> {
    let told: Begin = read(&message.body)?;
    let token = token(&told.token_hash)?;
    let readable = |code: &String| trace_code::parse_path(code, "").is_ok();
    if !(1..=CODES_MAX).contains(&told.codes.len()) || !told.codes.iter().all(readable) {
        return Err(TakeError::Unreadable("codes of a watch".into()));
    }
    let watch = Watch {
        ends_at: at_most(act.stamp(), told.ends_at),
        created_at: message.at.min(act.stamp()),
        codes: told.codes,
    };
    if !store::begin(act, &token, &watch).await? {
        return Ok(Taken::Nothing);
    }
    Ok(changed(
        message,
        serde_json::json!({"state": "begun", "codes": watch.codes.len()}),
    ))
}

async fn end(act: &Act, message: &Message) -> Result<Taken, TakeError> {
    let told: End = read(&message.body)?;
    if !store::end(act, &token(&told.token_hash)?).await? {
        return Ok(Taken::Nothing);
    }
    Ok(changed(message, serde_json::json!({"state": "ended"})))
}

/// The entry names the message, never the token: who reads the log finds no watch by it.
fn changed(message: &Message, body: serde_json::Value) -> Taken {
    Taken::Changed {
        kind: Kind::WatchChanged,
        enterprise: None,
        subject: format!("watch:{}", message.id),
        body,
    }
}

fn read<'a, T: serde::Deserialize<'a>>(body: &'a str) -> Result<T, TakeError> {
    serde_json::from_str(body).map_err(|_| TakeError::Unreadable("message of a watch".into()))
}

fn token(text: &str) -> Result<TokenHash, TakeError> {
    TokenHash::parse(text).ok_or_else(|| TakeError::Unreadable("token of a watch".into()))
}

/// Forgets watches a day after they ended, once an hour for ever. Runs on the internal side only.
pub async fn forget_for_ever(db: Db, clock: Clock) {
    loop {
        if let Err(error) = store::forget_ended(&db, clock.now() - KEPT).await {
            tracing::warn!(%error, "ended watches not forgotten");
        }
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
}
