//! The keys this installation signs receipts, lists and snapshots with (ES256). They form a chain:
//! each is signed by the one before, so that a device that was away for long can follow. Only the
//! internal process holds the private halves; they rest wrapped.
//!
//! What is signed, and under which purpose, is the caller's matter.

mod store;

use crate::{
    clock::Micros,
    db::Db,
    entities::list_key,
    sealing::{SealError, Sealer},
};
use arc_swap::ArcSwap;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        ParsedPublicKey,
    },
};
use sea_orm::DbErr;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

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

/// A public key of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainKey {
    /// Its place in the chain, from 1.
    pub number: u32,
    /// Its name in signatures.
    pub kid: String,
    /// The point, as 04, x, y.
    pub public_key: Vec<u8>,
    /// The signature of the key before over [`chain_text`]; empty for the first.
    pub signed_by_previous: Vec<u8>,
}

/// What the key before signs.
pub fn chain_text(number: u32, kid: &str, public_key: &[u8]) -> Vec<u8> {
    let mut text = b"suyuan-list-key-1".to_vec();
    text.extend_from_slice(&number.to_be_bytes());
    text.extend_from_slice(&(kid.len() as u32).to_be_bytes());
    text.extend_from_slice(kid.as_bytes());
    text.extend_from_slice(public_key);
    text
}

/// A signature over something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Which key.
    pub kid: String,
    /// r and s, 32 bytes each.
    pub bytes: Vec<u8>,
}

struct Held {
    chain: Vec<ChainKey>,
    newest: EcdsaKeyPair,
}

/// Signs with the newest key of the chain.
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
            held: Arc::new(ArcSwap::from_pointee(held(sealer, rows)?)),
            sealer: sealer.clone(),
            db: db.clone(),
        })
    }

    /// Adds a key to the chain and signs with it from now on.
    pub async fn rotate(&self, now: Micros) -> Result<(), KeyError> {
        let tx = self.db.begin_alone_in(store::TABLE).await?;
        let before = store::all(&tx).await?;
        let newest = before.last().ok_or(KeyError::Signing)?;
        store::add(&tx, make(&self.sealer, Some(newest), now)?).await?;
        let rows = store::all(&tx).await?;
        tx.commit().await?;
        self.held.store(Arc::new(held(&self.sealer, rows)?));
        Ok(())
    }

    /// The chain, first key first.
    pub fn chain(&self) -> Vec<ChainKey> {
        self.held.load().chain.clone()
    }

    /// Signs `text`, which must begin with what it is for.
    pub fn sign(&self, text: &[u8]) -> Result<Signature, KeyError> {
        let held = self.held.load();
        let signed = held.newest.sign(&SystemRandom::new(), text);
        let kid = held.chain.last().map(|key| key.kid.clone());
        Ok(Signature {
            kid: kid.ok_or(KeyError::Signing)?,
            bytes: signed.map_err(|_| KeyError::Signing)?.as_ref().to_vec(),
        })
    }
}

/// Is this a point of P-256, written as 04, x, y?
pub fn public_key(bytes: &[u8]) -> Option<ParsedPublicKey> {
    if bytes.len() != 65 || bytes.first() != Some(&4) {
        return None;
    }
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes).ok()
}

fn context(kid: &str) -> String {
    format!("list-key/{kid}")
}

fn held(sealer: &Sealer, rows: Vec<list_key::Model>) -> Result<Held, KeyError> {
    let newest = rows.last().ok_or(KeyError::Signing)?;
    let newest = open(sealer, newest)?;
    let chain = rows
        .into_iter()
        .map(|row| ChainKey {
            number: row.number as u32,
            kid: row.kid,
            public_key: row.public_key,
            signed_by_previous: row.signed_by_previous,
        })
        .collect();
    Ok(Held { chain, newest })
}

fn open(sealer: &Sealer, row: &list_key::Model) -> Result<EcdsaKeyPair, KeyError> {
    let pkcs8 = sealer.unwrap(&context(&row.kid), &row.wrapped)?;
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
    let kid = Uuid::now_v7().simple().to_string();
    let public_key = pair.public_key().as_ref().to_vec();
    let number = before.map_or(1, |row| row.number + 1);
    let signed_by_previous = match before {
        None => Vec::new(),
        Some(row) => {
            let text = chain_text(number as u32, &kid, &public_key);
            let signed = open(sealer, row)?.sign(&SystemRandom::new(), &text);
            signed.map_err(|_| KeyError::Signing)?.as_ref().to_vec()
        }
    };
    Ok(list_key::Model {
        number,
        wrapped: sealer.wrap(&context(&kid), pkcs8.as_ref())?,
        kid,
        public_key,
        signed_by_previous,
        created_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::from_base64(&Sealer::generate().unwrap()).unwrap()
    }

    #[test]
    fn each_key_is_signed_by_the_one_before() {
        let sealer = sealer();
        let first = make(&sealer, None, 1).unwrap();
        let second = make(&sealer, Some(&first), 2).unwrap();
        assert_eq!((first.number, second.number), (1, 2));
        assert!(first.signed_by_previous.is_empty());
        let key = public_key(&first.public_key).unwrap();
        let text = chain_text(2, &second.kid, &second.public_key);
        assert!(key.verify_sig(&text, &second.signed_by_previous).is_ok());
        let other = chain_text(3, &second.kid, &second.public_key);
        assert!(key.verify_sig(&other, &second.signed_by_previous).is_err());
    }

    #[test]
    fn a_point_off_the_curve_is_no_key() {
        let key = make(&sealer(), None, 1).unwrap().public_key;
        assert!(public_key(&key).is_some());
        let mut bent = key.clone();
        bent[40] ^= 1;
        assert!(public_key(&bent).is_none());
        assert!(public_key(&key[..64]).is_none());
        assert!(public_key(&[0; 65]).is_none());
    }
}
