//! The ring of issue keys of a code space, opened for use. Keys stand wrapped in the database and
//! open only in memory; whoever steals them there can enumerate serials, not make a code legal.

use super::{
    SpaceKey,
    minting::{self, MintProfile, Serial, SerialKey},
};
use crate::sealing::{SealError, Sealer};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A wrapped key as the public projection carries it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WrappedKey {
    /// 0 to 31; 1 to 9 for numeric serials.
    pub id: u8,
    /// Base64.
    pub wrapped: String,
    /// How its serials are minted.
    #[serde(default)]
    pub profile: MintProfile,
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
            let secret = sealer.unwrap(&context(space, key.id, key.profile), &wrapped)?;
            let secret: &[u8; 32] = secret
                .as_slice()
                .try_into()
                .map_err(|_| SealError::DoesNotOpen)?;
            let opened = SerialKey::new(key.profile, key.id, secret, space.tweak_scope())
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

/// What a wrapped issue key is bound to: a key that is moved to another space, or called one of
/// another profile, does not open.
pub fn context(space: &SpaceKey, key_id: u8, profile: MintProfile) -> String {
    match profile {
        MintProfile::Alphanumeric => format!("issue-key/{space}/{key_id}"),
        MintProfile::Numeric => format!("issue-key/{space}/{key_id}/numeric"),
    }
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
        for profile in [MintProfile::Alphanumeric, MintProfile::Numeric] {
            let wrapped = sealer.wrap(&context(&space, 3, profile), &secret).unwrap();
            let key = WrappedKey {
                id: 3,
                wrapped: STANDARD.encode(wrapped),
                profile,
            };
            let ring = Ring::open(&sealer, &space, std::slice::from_ref(&key)).unwrap();
            let serial = ring.mint(3, 77).unwrap();
            assert_eq!(ring.index_of(serial.as_str()), Some(77));
            assert!(ring.mint(2, 77).is_none());
            assert!(Ring::open(&sealer, &other, std::slice::from_ref(&key)).is_err());
            let called_otherwise = WrappedKey {
                profile: match profile {
                    MintProfile::Alphanumeric => MintProfile::Numeric,
                    MintProfile::Numeric => MintProfile::Alphanumeric,
                },
                ..key
            };
            assert!(Ring::open(&sealer, &space, &[called_otherwise]).is_err());
        }
    }

    #[test]
    fn a_ring_opens_serials_of_the_profile_of_its_keys_only() {
        let sealer = Sealer::from_base64(&Sealer::generate().unwrap()).unwrap();
        let space = SpaceKey::parse("01/06901234567892").unwrap();
        let ring = |profile| {
            let context = context(&space, 3, profile);
            let wrapped = sealer.wrap(&context, &[9; 32]).unwrap();
            let key = WrappedKey {
                id: 3,
                wrapped: STANDARD.encode(wrapped),
                profile,
            };
            Ring::open(&sealer, &space, &[key]).unwrap()
        };
        // Any eleven digits open in a numeric ring; in another they must name nothing at all.
        assert!(ring(MintProfile::Numeric).index_of("30000000000").is_some());
        assert!(
            ring(MintProfile::Alphanumeric)
                .index_of("30000000000")
                .is_none()
        );
        let serial = ring(MintProfile::Alphanumeric).mint(3, 77).unwrap();
        assert!(
            ring(MintProfile::Numeric)
                .index_of(serial.as_str())
                .is_none()
        );
    }

    #[test]
    fn a_key_written_before_there_were_profiles_is_alphanumeric() {
        let key: WrappedKey = serde_json::from_str(r#"{"id":0,"wrapped":""}"#).unwrap();
        assert_eq!(key.profile, MintProfile::Alphanumeric);
    }
}
