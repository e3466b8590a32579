//! Seals personal data so that only the internal side can read it: HPKE (RFC 9180), DHKEM X25519
//! with HKDF-SHA256 and AES-256-GCM. What is sealed is bound to the message it belongs to and
//! opens nowhere else. Keys have ids, so a new one can follow the old while what was sealed to the
//! old still opens.

use super::store;
use crate::{
    clock::Micros,
    db::Db,
    sealing::{SealError, Sealer},
};
use hpke::{
    Deserializable, HpkeError, Kem as _, OpModeR, OpModeS, Serializable, aead::AesGcm256,
    kdf::HkdfSha256, kem::X25519HkdfSha256, single_shot_open, single_shot_seal,
};
use sea_orm::DbErr;
use thiserror::Error;
use uuid::Uuid;
use zeroize::Zeroizing;

type Kem = X25519HkdfSha256;

/// What every seal is bound to besides its message.
const INFO: &[u8] = b"suyuan-inbox-1";
/// Bytes of a key id before the encapsulated key.
const ID_LEN: usize = 4;
/// Bytes of an encapsulated key.
const ENCAPPED_LEN: usize = 32;

/// Why something could not be sealed or opened.
#[derive(Debug, Error)]
pub enum SealedError {
    /// The database's word.
    #[error("inbox keys")]
    Db(#[from] DbErr),
    /// The private key cannot be unwrapped, or no randomness.
    #[error("inbox key")]
    Key(#[from] SealError),
    /// There is no key with the id it names, or none at all.
    #[error("no such inbox key")]
    NoKey,
    /// It is damaged, or belongs to another message.
    #[error("the seal does not open")]
    DoesNotOpen,
}

impl From<HpkeError> for SealedError {
    fn from(_: HpkeError) -> SealedError {
        SealedError::DoesNotOpen
    }
}

/// A public key and its id: all that sealing needs.
pub(super) struct PublicKey {
    pub(super) id: i64,
    pub(super) bytes: Vec<u8>,
}

impl PublicKey {
    /// Seals `plain` for the message `id` of `kind`: key id, encapsulated key, ciphertext.
    pub(super) fn seal(&self, id: Uuid, kind: &str, plain: &[u8]) -> Result<Vec<u8>, SealedError> {
        let key = <Kem as hpke::Kem>::PublicKey::from_bytes(&self.bytes)?;
        let (encapped, cipher) = single_shot_seal::<AesGcm256, HkdfSha256, Kem>(
            &OpModeS::Base,
            &key,
            INFO,
            plain,
            &bound_to(id, kind),
        )?;
        let number = u32::try_from(self.id).map_err(|_| SealedError::NoKey)?;
        Ok([
            number.to_be_bytes().as_slice(),
            encapped.to_bytes().as_slice(),
            &cipher,
        ]
        .concat())
    }
}

fn bound_to(id: Uuid, kind: &str) -> Vec<u8> {
    [id.as_bytes().as_slice(), kind.as_bytes()].concat()
}

fn context(key: i64) -> String {
    format!("inbox-key/{key}")
}

/// The internal side's keys.
#[derive(Clone)]
pub struct Seals {
    db: Db,
    sealer: Sealer,
}

impl Seals {
    /// Opens the keys, making the first at the first start.
    pub async fn open_keys(db: Db, sealer: Sealer, now: Micros) -> Result<Seals, SealedError> {
        let seals = Seals { db, sealer };
        if store::newest_key(seals.db.reader()).await?.is_none() {
            seals.add_key(1, now).await?;
        }
        Ok(seals)
    }

    /// Makes a new key: from now on messages are sealed to it; those sealed before still open.
    /// Returns its id. With another master key than the one in use it is refused: what is sealed
    /// to a key that nobody unwraps is lost.
    pub async fn rotate(&self, now: Micros) -> Result<i64, SealedError> {
        let newest = store::newest_key(self.db.reader()).await?;
        if let Some(key) = &newest {
            let wrapped = store::wrapped_key(&self.db, key.id).await?;
            let wrapped = wrapped.ok_or(SealedError::NoKey)?;
            self.sealer.unwrap(&context(key.id), &wrapped)?;
        }
        let next = newest.map_or(1, |key| key.id + 1);
        self.add_key(next, now).await?;
        Ok(next)
    }

    /// Of two processes that add the same key, the first one's stays.
    async fn add_key(&self, id: i64, now: Micros) -> Result<(), SealedError> {
        let secret = self.sealer.new_secret(&context(id))?;
        let (_, public) = Kem::derive_keypair(secret.as_slice());
        let wrapped = self.sealer.wrap(&context(id), secret.as_slice())?;
        Ok(store::add_key(&self.db, id, &public.to_bytes(), wrapped, now).await?)
    }

    /// Seals on the internal side, for what staff enter.
    pub async fn seal(&self, id: Uuid, kind: &str, plain: &[u8]) -> Result<Vec<u8>, SealedError> {
        let key = store::newest_key(self.db.reader()).await?;
        key.ok_or(SealedError::NoKey)?.seal(id, kind, plain)
    }

    /// Opens what was sealed for the message `id` of `kind`.
    pub async fn open(
        &self,
        id: Uuid,
        kind: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealedError> {
        let (number, rest) = sealed
            .split_first_chunk::<ID_LEN>()
            .ok_or(SealedError::DoesNotOpen)?;
        let (encapped, cipher) = rest
            .split_at_checked(ENCAPPED_LEN)
            .ok_or(SealedError::DoesNotOpen)?;
        let number = i64::from(u32::from_be_bytes(*number));
        let wrapped = store::wrapped_key(&self.db, number).await?;
        let secret = self
            .sealer
            .unwrap(&context(number), &wrapped.ok_or(SealedError::NoKey)?)?;
        let (private, _) = Kem::derive_keypair(&secret);
        let plain = single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &private,
            &<Kem as hpke::Kem>::EncappedKey::from_bytes(encapped)?,
            INFO,
            cipher,
            &bound_to(id, kind),
        )?;
        Ok(Zeroizing::new(plain))
    }
}
