//! Takes a push or a deposit that was read off the wire: who signed it, what becomes of it, and what
//! is answered. Knows no HTTP.

use super::{
    PushError,
    act::{Answered, Incoming},
    meant,
    memory::Body,
    prepare,
    prepare::Refused,
    store,
    weigh::Struck,
};
use crate::{
    app::Internal,
    handheld::{
        devices::{self, store::EpochKey},
        inflate::Encoding,
        keys::{self, KeyError},
        token,
    },
};
use sea_orm::DbErr;
use suyuan_sync::{
    ids::Epoch,
    limits::EVENTS_PER_PUSH_MAX,
    wire::{
        Deposit, FrameFault, Push, PushAnswer, PushClaims, Ranges, Receipt, TYP_PUSH, TrustKey, V,
    },
};
use thiserror::Error;
use uuid::Uuid;

/// Why a push was not taken. It fills nothing.
#[derive(Debug, Error)]
pub enum ReceiveError {
    /// Nobody we know signed it, or it is not what was signed.
    #[error("not signed by a device we know")]
    Unsigned,
    /// It is not compressed as its sender says, or was damaged on the way.
    #[error("the body is not what Content-Encoding says, or was damaged on the way")]
    Encoding,
    /// Its frame.
    #[error(transparent)]
    Frame(#[from] FrameFault),
    /// It could not be admitted.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The database's word.
    #[error("push")]
    Db(#[from] DbErr),
    /// The receipt could not be signed.
    #[error("receipt")]
    Key(#[from] KeyError),
    /// The work was cut short.
    #[error("push")]
    Cut,
}

/// Who signed a push, and what they say of it.
#[derive(Debug, Clone)]
pub struct Signed {
    key: EpochKey,
    claims: PushClaims,
}

impl Signed {
    /// The device.
    pub fn device(&self) -> Uuid {
        self.claims.device.0
    }
}

/// Takes a push of a device.
pub async fn push(
    state: &Internal,
    signed: Signed,
    encoding: Encoding,
    body: Body,
) -> Result<PushAnswer, ReceiveError> {
    let t_recv = state.log.now();
    let Body { bytes, mut held } = body;
    let Signed { key, claims } = signed;
    let installation = state.log.installation().to_string();
    let read = {
        let (claims, bytes) = (claims.clone(), bytes.clone());
        let _turn = state.handheld.memory.turn().await;
        off_the_worker(move || {
            let opened = prepare::open(&bytes, encoding)?;
            let push = Push::read(&opened).map_err(Refused::Frame)?;
            let depth = push.queue_depth.max(push.events.len() as u64);
            let before = push.last_receipt.clone();
            let incoming = prepare::read(push, &claims, &installation, false)?;
            Ok((incoming, depth, before, opened.len()))
        })
        .await?
    };
    let (mut incoming, depth, before, opened) = match read {
        Ok(read) => read,
        Err(refused) => {
            let whose = (key.enterprise, Some((claims.device.0, claims.epoch)));
            return Err(refuse(state, whose, refused, &bytes).await);
        }
    };
    drop(bytes);
    held.opened(opened)?;
    meant::find(&state.handheld.reading, &state.db, &mut incoming.batch).await?;
    let incoming = weighed(state, incoming).await?;
    let answered = state.handheld.ingest.admit(incoming, depth).await?;
    if let Some(before) = before {
        hold_against(state, &before, &answered);
    }
    let own = (claims.device.0, claims.epoch);
    answer(state, &claims, own, answered, t_recv)
}

/// Whose frame that cannot be read is, and of which device if of one.
pub type Whose = (Uuid, Option<(Uuid, Epoch)>);

/// Takes a deposit: a push of another device, carried by this one or by a file. Until its signature
/// is known it is a letter of who brought it.
pub async fn deposit(
    state: &Internal,
    carrier: Whose,
    encoding: Encoding,
    body: Body,
) -> Result<PushAnswer, ReceiveError> {
    let t_recv = state.log.now();
    let Body { bytes, mut held } = body;
    let turn = state.handheld.memory.turn().await;
    let opened = {
        let bytes = bytes.clone();
        off_the_worker(move || {
            let opened = prepare::open(&bytes, encoding)?;
            let deposit = Deposit::read(&opened).map_err(Refused::Frame)?;
            Ok((deposit, opened.len()))
        })
        .await?
    };
    let (deposit, opened) = match opened {
        Ok(opened) => opened,
        Err(refused) => return Err(refuse(state, carrier, refused, &bytes).await),
    };
    drop(turn);
    held.opened(opened)?;
    let Signed { key, claims } = signer(state, &deposit.token).await?;
    let installation = state.log.installation().to_string();
    let read = {
        let claims = claims.clone();
        off_the_worker(move || prepare::read(deposit.push, &claims, &installation, true)).await?
    };
    let mut incoming = match read {
        Ok(incoming) => incoming,
        Err(refused) => {
            let whose = (key.enterprise, Some((claims.device.0, claims.epoch)));
            return Err(refuse(state, whose, refused, &bytes).await);
        }
    };
    drop(bytes);
    meant::find(&state.handheld.reading, &state.db, &mut incoming.batch).await?;
    // Nobody waits for it as for a scan.
    let incoming = weighed(state, incoming).await?;
    let answered = state.handheld.ingest.admit_unhurried(incoming).await?;
    // An anchor is whose who holds the answer; a file brought by people goes back to its device.
    let holder = carrier.1.unwrap_or((claims.device.0, claims.epoch));
    answer(state, &claims, holder, answered, t_recv)
}

/// Who signed a token, if it is a device we know; revoked ones are known, too. Nothing of the push itself
/// is needed for that, and nobody else's is read.
pub async fn signer(state: &Internal, text: &str) -> Result<Signed, ReceiveError> {
    let says = token::says(text).ok_or(ReceiveError::Unsigned)?;
    let key = devices::store::key(state.db.reader(), says.device.0, says.epoch).await?;
    let key = key.ok_or(ReceiveError::Unsigned)?;
    let installation = state.log.installation().to_string();
    let claims = token::verified(text, TYP_PUSH, &installation, &key.public_key);
    let claims = claims.ok_or(ReceiveError::Unsigned)?;
    Ok(Signed { key, claims })
}

/// The same push, knowing how much its retracts are about: each weighs as much as what it strikes.
async fn weighed(state: &Internal, mut incoming: Incoming) -> Result<Incoming, DbErr> {
    let (elsewhere, here) = Struck::of(&incoming.batch);
    incoming.struck = if elsewhere.is_empty() {
        here
    } else {
        here.and(store::sizes_of(state.db.reader(), &elsewhere).await?)
    };
    Ok(incoming)
}

async fn off_the_worker<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ReceiveError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ReceiveError::Cut)
}

/// A frame that cannot be read is kept, for whoever looks into it, if it is known whose it is.
async fn refuse(
    state: &Internal,
    (enterprise, device): Whose,
    refused: Refused,
    body: &[u8],
) -> ReceiveError {
    let error = match refused {
        Refused::Token(_) => return ReceiveError::Unsigned,
        Refused::Numbers(fault) => return PushError::Frame(fault).into(),
        Refused::Frame(fault) if fault.is_size() => return fault.into(),
        Refused::Frame(fault) => fault.into(),
        Refused::Encoding => ReceiveError::Encoding,
    };
    let (now, why) = (state.clock.now(), error.to_string());
    let device = device.unwrap_or_default();
    let kept = store::dead_letter(&state.db, enterprise, device, now, &why, body);
    if let Err(error) = kept.await {
        tracing::warn!(%error, "a dead letter was not kept");
    }
    error
}

/// What a device was receipted once must be held still: a server set back to a copy would show here.
fn hold_against(state: &Internal, before: &Receipt, now: &Answered) {
    match ahead(&state.handheld.keys.chain(), before, &now.receipt.held) {
        Ahead::Nothing => {}
        Ahead::Forged => {
            tracing::warn!(device = %before.device, "a device shows a receipt that is not ours");
            metrics::counter!("suyuan_receipts_forged_total").increment(1);
        }
        Ahead::Lost(lost) => {
            tracing::error!(
                device = %before.device, epoch = before.epoch, %lost,
                "a device holds a receipt for events that are not here: was the database set back?"
            );
            metrics::counter!("suyuan_receipts_ahead_total").increment(1);
        }
    }
}

/// What a receipt that a device shows tells of what is held.
#[derive(Debug, PartialEq, Eq)]
pub enum Ahead {
    /// All it names is held.
    Nothing,
    /// It names more, and none of our keys signed it: a device may say anything.
    Forged,
    /// We receipted these, and they are not here.
    Lost(Ranges),
}

/// Holds a receipt against what is held of its epoch; its signature counts only if it matters.
pub fn ahead(keys: &[TrustKey], before: &Receipt, held: &Ranges) -> Ahead {
    let lost = before.held_ranges.without(held);
    if lost.is_empty() {
        return Ahead::Nothing;
    }
    let text = before.bytes_to_sign();
    let signed = keys
        .iter()
        .filter(|key| key.n == before.key)
        .any(|key| keys::point::verify(&key.key, &text, &before.sig));
    if signed {
        Ahead::Lost(lost)
    } else {
        Ahead::Forged
    }
}

fn answer(
    state: &Internal,
    claims: &PushClaims,
    holder: (Uuid, Epoch),
    answered: Answered,
    t_recv: i64,
) -> Result<PushAnswer, ReceiveError> {
    let mut receipt = Receipt {
        device: claims.device,
        epoch: claims.epoch,
        contiguous_seq: answered.receipt.contiguous,
        held_ranges: answered.receipt.held,
        missing_ranges: answered.receipt.missing,
        head_hash: answered.receipt.head,
        stamp: answered.stamp,
        key: 0,
        sig: suyuan_sync::wire::Signature::of(&"A".repeat(86)).ok_or(KeyError::Signing)?,
    };
    let (key, sig) = state.handheld.keys.sign(|key| {
        receipt.key = key;
        receipt.bytes_to_sign()
    })?;
    (receipt.key, receipt.sig) = (key, sig);
    let now = state.log.now();
    let anchors = &state.handheld.anchors;
    let (credit, retry_after) = credit(state.handheld.ingest.load());
    Ok(PushAnswer {
        v: V,
        results: answered.results,
        anchor: anchors.issue(holder.0, holder.1, answered.stamp, now),
        receipt,
        t_recv,
        t_sent: now,
        credit,
        retry_after,
        pull_hint: answered.pull_hint,
    })
}

/// How many events the next push may have, when the queue is so full.
fn credit(load: usize) -> (u32, Option<u32>) {
    let all = EVENTS_PER_PUSH_MAX as u32;
    match load {
        0..50 => (all, None),
        50..75 => (all / 2, None),
        75..90 => (all / 5, Some(1)),
        _ => (all / 10, Some(2)),
    }
}

#[cfg(test)]
mod tests {
    use super::{EVENTS_PER_PUSH_MAX, credit};

    #[test]
    fn the_fuller_the_queue_the_less_may_be_sent_and_the_later() {
        let all = EVENTS_PER_PUSH_MAX as u32;
        let told = [0, 49, 50, 74, 75, 89, 90, 100, usize::MAX].map(credit);
        let (half, fifth, tenth) = (all / 2, all / 5, all / 10);
        assert_eq!(
            told,
            [
                (all, None),
                (all, None),
                (half, None),
                (half, None),
                (fifth, Some(1)),
                (fifth, Some(1)),
                (tenth, Some(2)),
                (tenth, Some(2)),
                (tenth, Some(2)),
            ]
        );
        assert!(tenth > 0, "nobody is stopped for good");
    }
}
