//! The ring of issue keys of a code space, opened for use. Keys stand wrapped in the database and
//! open only in memory; whoever steals them there can enumerate serials, not make a code legal.

use super::{
    SpaceKey,
    minting::{self, Serial, SerialKey},
};
use crate::sealing::{SealError, Sealer};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A wrapped key as the public projection carries it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WrappedKey {
    /// 0 to 31.
    pub id: u8,
    /// Base64.
    pub wrapped: String,
}

/// Keys by id.
#[derive(Clone, Default)]
pub struct Ring {
    keys: Vec<Option<Arc<SerialKey>>>,
}

impl Ring {
    /// Opens the keys of `space`. A key that does not open is an error: better no answer than
    /// calling true codes forged.
    pub fn open(sealer: &Sealer, space: &SpaceKey, keys: &[WrappedKey]) -> Result<Ring, SealError> {
        let mut ring = Ring::default();
        for key in keys {
            let wrapped = STANDARD
                .decode(&key.wrapped)
                .map_err(|_| SealError::DoesNotOpen)?;
            let secret = sealer.unwrap(&context(space, key.id), &wrapped)?;
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
        let key = WrappedKey {
            id: 3,
            wrapped: STANDARD.encode(sealer.wrap(&context(&space, 3), &secret).unwrap()),
        };
        let ring = Ring::open(&sealer, &space, std::slice::from_ref(&key)).unwrap();
        let serial = ring.mint(3, 77).unwrap();
        assert_eq!(ring.index_of(serial.as_str()), Some(77));
        assert!(ring.mint(2, 77).is_none());
        assert!(Ring::open(&sealer, &other, &[key]).is_err());
    }
}
