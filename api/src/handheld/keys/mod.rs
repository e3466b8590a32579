//! The keys this installation signs receipts, lists and snapshots with (ES256). They form a chain:
//! each is signed by the one before, so that a device that was away for long can follow. Only the
//! internal process holds the private halves; they rest wrapped. A new key is shipped at once and signs
//! some minutes later, when every process has read it: no device meets one that cannot tell it whose
//! signature that is.
//!
//! What is signed, and under which purpose, is told by the wire types.

pub mod point;
mod store;

use crate::{
    clock::{Clock, Micros},
    db::Db,
    entities::list_key,
    sealing::{SealError, Sealer},
};
use arc_swap::ArcSwap;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::DbErr;
use std::{sync::Arc, time::Duration};
use suyuan_sync::wire::{PublicKey, Signature, TrustKey};
use thiserror::Error;

/// A key signs from so long after it was made: several times as long as a process may not have read it.
pub const SIGNS_AFTER: Micros = 5 * 60 * 1_000_000;
/// Every process reads the chain so often.
const READ_EVERY: Duration = Duration::from_mins(1);

/// Why lists cannot be signed.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The database's word.
    #[error("list keys")]
    Db(#[from] DbErr),
    /// A key does not open.
    #[error("list key")]
    Seal(#[from] SealError),
    /// A key is not a key, or signing failed.
    #[error("signing lists")]
    Signing,
}

struct Held {
    chain: Vec<TrustKey>,
    number: u32,
    signing: EcdsaKeyPair,
}

/// Signs with the newest key of the chain that is known everywhere.
#[derive(Clone)]
pub struct ListKeys {
    held: Arc<ArcSwap<Held>>,
    sealer: Sealer,
    db: Db,
}

impl ListKeys {
    /// Loads the chain, making the first key. Processes that start together make one between them.
    pub async fn open(db: &Db, sealer: &Sealer, now: Micros) -> Result<ListKeys, KeyError> {
        let mut rows = store::all(db.reader()).await?;
        if rows.is_empty() {
            let tx = db.begin_alone_in(store::TABLE).await?;
            rows = store::all(&tx).await?;
            if rows.is_empty() {
                store::add(&tx, make(sealer, None, now)?).await?;
                rows = store::all(&tx).await?;
            }
            tx.commit().await?;
        }
        Ok(ListKeys {
            held: Arc::new(ArcSwap::from_pointee(held(sealer, &rows, now)?)),
            sealer: sealer.clone(),
            db: db.clone(),
        })
    }

    /// Adds a key to the chain, for this and every other process to sign with once [`SIGNS_AFTER`] is over;
    /// returns its number. With another master key than the one in use it is refused.
    pub async fn rotate(&self, now: Micros) -> Result<u32, KeyError> {
        let tx = self.db.begin_alone_in(store::TABLE).await?;
        let rows = store::all(&tx).await?;
        let newest = rows.last().ok_or(KeyError::Signing)?;
        let made = make(&self.sealer, Some(newest), now)?;
        let number = number(&made)?;
        store::add(&tx, made).await?;
        tx.commit().await?;
        self.read_anew(now).await?;
        Ok(number)
    }

    /// Takes up what others added, and signs with the newest key whose time has come.
    pub async fn read_anew(&self, now: Micros) -> Result<(), KeyError> {
        let rows = store::all(self.db.reader()).await?;
        let due = signing(&rows, now).map(number).transpose()?;
        let held_now = self.held.load();
        if rows.len() != held_now.chain.len() || due != Some(held_now.number) {
            self.held.store(Arc::new(held(&self.sealer, &rows, now)?));
        }
        Ok(())
    }

    /// Takes up what others added, for ever.
    pub async fn follow_for_ever(self, clock: Clock) {
        loop {
            tokio::time::sleep(READ_EVERY).await;
            if let Err(error) = self.read_anew(clock.now()).await {
                tracing::warn!(%error, "the keys that lists are signed with were not read anew");
            }
        }
    }

    /// The chain, first key first.
    pub fn chain(&self) -> Vec<TrustKey> {
        self.held.load().chain.clone()
    }

    /// Signs what `text` makes of the number of the key; returns that number too.
    pub fn sign(&self, text: impl FnOnce(u32) -> Vec<u8>) -> Result<(u32, Signature), KeyError> {
        let held = self.held.load();
        Ok((held.number, signed(&held.signing, &text(held.number))?))
    }
}

fn context(number: i64) -> String {
    format!("list-key/{number}")
}

fn signed(pair: &EcdsaKeyPair, text: &[u8]) -> Result<Signature, KeyError> {
    let bytes = pair.sign(&SystemRandom::new(), text);
    let bytes = bytes.map_err(|_| KeyError::Signing)?;
    Signature::of(&URL_SAFE_NO_PAD.encode(bytes)).ok_or(KeyError::Signing)
}

fn number(row: &list_key::Model) -> Result<u32, KeyError> {
    u32::try_from(row.number).map_err(|_| KeyError::Signing)
}

/// The key to sign with: the newest whose time has come; the first is alone and signs at once.
fn signing(rows: &[list_key::Model], now: Micros) -> Option<&list_key::Model> {
    let due = |row: &&list_key::Model| row.created_at.saturating_add(SIGNS_AFTER) <= now;
    rows.iter().rev().find(due).or_else(|| rows.first())
}

fn held(sealer: &Sealer, rows: &[list_key::Model], now: Micros) -> Result<Held, KeyError> {
    let signing = signing(rows, now).ok_or(KeyError::Signing)?;
    Ok(Held {
        chain: rows.iter().map(trust_key).collect::<Result<_, _>>()?,
        number: number(signing)?,
        signing: open(sealer, signing)?,
    })
}

fn trust_key(row: &list_key::Model) -> Result<TrustKey, KeyError> {
    let sig = (!row.signed_by_previous.is_empty())
        .then(|| Signature::of(&URL_SAFE_NO_PAD.encode(&row.signed_by_previous)))
        .flatten();
    Ok(TrustKey {
        n: number(row)?,
        key: jwk(row)?,
        since: row.created_at,
        sig,
    })
}

fn jwk(row: &list_key::Model) -> Result<PublicKey, KeyError> {
    point::told(&row.public_key).ok_or(KeyError::Signing)
}

fn open(sealer: &Sealer, row: &list_key::Model) -> Result<EcdsaKeyPair, KeyError> {
    let pkcs8 = sealer.unwrap(&context(row.number), &row.wrapped)?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)
        .map_err(|_| KeyError::Signing)
}

fn make(
    sealer: &Sealer,
    before: Option<&list_key::Model>,
    now: Micros,
) -> Result<list_key::Model, KeyError> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let pair = pair.map_err(|_| KeyError::Signing)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError::Signing)?;
    let number = before.map_or(1, |row| row.number + 1);
    let mut row = list_key::Model {
        number,
        wrapped: sealer.wrap(&context(number), pkcs8.as_ref())?,
        public_key: pair.public_key().as_ref().to_vec(),
        signed_by_previous: Vec::new(),
        created_at: now,
    };
    if let Some(before) = before {
        let text = trust_key(&row)?.bytes_to_sign(&jwk(before)?);
        let signature = signed(&open(sealer, before)?, &text)?;
        let bytes = URL_SAFE_NO_PAD.decode(signature.as_str());
        row.signed_by_previous = bytes.map_err(|_| KeyError::Signing)?;
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::wire::follow;

    #[test]
    fn a_device_follows_the_chain_from_the_first_key_to_the_newest() {
        let sealer = Sealer::from_base64(&Sealer::generate().unwrap()).unwrap();
        let first = make(&sealer, None, 1).unwrap();
        let second = make(&sealer, Some(&first), 2).unwrap();
        let third = make(&sealer, Some(&second), 3).unwrap();
        let rows = [first, second, third];
        let chain = held(&sealer, &rows, 3).unwrap().chain;
        assert_eq!(follow(&chain[0], &chain, point::verify).len(), 3);
        let mut forged = chain.clone();
        forged[2].since += 1;
        assert_eq!(follow(&chain[0], &forged, point::verify).len(), 2);
    }

    #[test]
    fn a_key_signs_when_every_process_has_read_it() {
        let sealer = Sealer::from_base64(&Sealer::generate().unwrap()).unwrap();
        let first = make(&sealer, None, 1_000).unwrap();
        let second = make(&sealer, Some(&first), 2_000).unwrap();
        let rows = [first, second];
        let number = |now| held(&sealer, &rows, now).unwrap().number;
        assert_eq!(number(0), 1, "the first at once, whatever a clock says");
        assert_eq!(number(2_000 + SIGNS_AFTER - 1), 1);
        assert_eq!(number(2_000 + SIGNS_AFTER), 2);
        assert_eq!(held(&sealer, &rows, 2_000).unwrap().chain.len(), 2);
        assert!(SIGNS_AFTER as u128 >= 3 * READ_EVERY.as_micros());
    }

    #[test]
    fn what_the_newest_key_signed_is_told_from_what_it_did_not() {
        let sealer = Sealer::from_base64(&Sealer::generate().unwrap()).unwrap();
        let held = held(&sealer, &[make(&sealer, None, 1).unwrap()], 1).unwrap();
        let signature = signed(&held.signing, b"suyuan-test-1").unwrap();
        let key = &held.chain[0].key;
        assert!(point::verify(key, b"suyuan-test-1", &signature));
        assert!(!point::verify(key, b"suyuan-test-2", &signature));
    }
}
