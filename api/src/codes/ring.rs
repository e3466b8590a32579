//! The ring of issue keys of a code space, opened for use. Keys stand wrapped in the database and
//! open only in memory; whoever steals them there can enumerate serials, not make a code legal.

use super::{
    SpaceKey,
    minting::{self, Serial, SerialKey},
};
use crate::sealing::{ReaderKey, SealError, Sealer};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A wrapped key as the public projection carries it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WrappedKey {
    /// 0 to 31.
    pub id: u8,
    /// With the master key, base64.
    pub wrapped: String,
    /// With the reader key, base64; empty in rows of releases that had none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub for_readers: String,
}

impl WrappedKey {
    /// Wraps a secret of `space` both ways.
    pub fn wrap(
        sealer: &Sealer,
        space: &SpaceKey,
        id: u8,
        secret: &[u8],
    ) -> Result<WrappedKey, SealError> {
        let bound_to = context(space, id);
        Ok(WrappedKey {
            id,
            wrapped: STANDARD.encode(sealer.wrap(&bound_to, secret)?),
            for_readers: STANDARD.encode(sealer.reader_key().wrap(&bound_to, secret)?),
        })
    }
}

/// Who opens wrapped keys.
#[derive(Clone)]
pub enum Opener {
    /// The holder of the master key.
    Master(Sealer),
    /// A consumer-facing process.
    Reader(ReaderKey),
}

impl Opener {
    /// What both kinds of holder have.
    pub fn reader_key(&self) -> &ReaderKey {
        match self {
            Opener::Master(sealer) => sealer.reader_key(),
            Opener::Reader(reader) => reader,
        }
    }

    /// The secret of a key of `space`.
    pub fn open(
        &self,
        space: &SpaceKey,
        key: &WrappedKey,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| SealError::DoesNotOpen);
        let bound_to = context(space, key.id);
        match self {
            Opener::Master(sealer) => sealer.unwrap(&bound_to, &decode(&key.wrapped)?),
            Opener::Reader(_) if key.for_readers.is_empty() => Err(SealError::NotForReaders),
            Opener::Reader(reader) => reader.unwrap(&bound_to, &decode(&key.for_readers)?),
        }
    }
}

/// Keys by id.
#[derive(Clone, Default)]
pub struct Ring {
    keys: Vec<Option<Arc<SerialKey>>>,
}

impl Ring {
    /// Opens the keys of `space`. A key that does not open is an error: better no answer than
    /// calling true codes forged.
    pub fn open(opener: &Opener, space: &SpaceKey, keys: &[WrappedKey]) -> Result<Ring, SealError> {
        let mut ring = Ring::default();
        for key in keys {
            let secret = opener.open(space, key)?;
            let secret: &[u8; 32] = secret
                .as_slice()
                .try_into()
                .map_err(|_| SealError::DoesNotOpen)?;
            let opened = SerialKey::new(key.id, secret, space.tweak_scope())
                .ok_or(SealError::DoesNotOpen)?;
            let at = usize::from(key.id);
            if ring.keys.len() <= at {
                ring.keys.resize(at + 1, None);
            }
            ring.keys[at] = Some(Arc::new(opened));
        }
        Ok(ring)
    }

    /// The index a serial was minted from; `None` for anything we never minted.
    pub fn index_of(&self, serial: &str) -> Option<u64> {
        self.key(minting::parse_key_id(serial)?)?.open(serial)
    }

    /// The serial of an index under a key.
    pub fn mint(&self, key_id: u8, index: u64) -> Option<Serial> {
        self.key(key_id)?.mint(index)
    }

    fn key(&self, id: u8) -> Option<&Arc<SerialKey>> {
        self.keys.get(usize::from(id))?.as_ref()
    }
}

/// What a wrapped issue key is bound to.
pub fn context(space: &SpaceKey, key_id: u8) -> String {
    format!("issue-key/{space}/{key_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_opens_only_its_own_spaces_keys() {
        let sealer = Sealer::from_base64(&Sealer::generate().unwrap()).unwrap();
        let space = SpaceKey::parse("01/06901234567892").unwrap();
        let other = SpaceKey::parse("01/06901234567908").unwrap();
        let secret = crate::sealing::random::<32>().unwrap();
        let key = WrappedKey::wrap(&sealer, &space, 3, &secret).unwrap();
        let reader = ReaderKey::from_base64(&sealer.reader_key().to_base64()).unwrap();
        for opener in [
            Opener::Master(sealer.clone()),
            Opener::Reader(reader.clone()),
        ] {
            let ring = Ring::open(&opener, &space, std::slice::from_ref(&key)).unwrap();
            let serial = ring.mint(3, 77).unwrap();
            assert_eq!(ring.index_of(serial.as_str()), Some(77));
            assert!(ring.mint(2, 77).is_none());
            assert!(Ring::open(&opener, &other, std::slice::from_ref(&key)).is_err());
        }
        // A row of an earlier release: staff go on, a reader says what is missing.
        let earlier = WrappedKey {
            for_readers: String::new(),
            ..key
        };
        let earlier = std::slice::from_ref(&earlier);
        assert!(Ring::open(&Opener::Master(sealer), &space, earlier).is_ok());
        assert!(matches!(
            Ring::open(&Opener::Reader(reader), &space, earlier),
            Err(SealError::NotForReaders)
        ));
    }
}
