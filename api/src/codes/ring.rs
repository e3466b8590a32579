//! The ring of issue keys of a code space, opened for use. Keys stand wrapped in the database and
//! open only in memory; whoever steals them there can enumerate serials, not make a code legal.

use super::{
    SpaceKey,
    minting::{self, MintProfile, Serial, SerialKey},
};
use crate::sealing::{ReaderKey, SealError, Sealer};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A wrapped key as the public projection carries it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WrappedKey {
    /// 0 to 31; 1 to 9 for numeric serials.
    pub id: u8,
    /// With the master key, base64.
    pub wrapped: String,
    /// With the reader key, base64; empty in rows of releases that had none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub for_readers: String,
    /// How its serials are minted.
    #[serde(default)]
    pub profile: MintProfile,
}

impl WrappedKey {
    /// Wraps a secret of `space` both ways.
    pub fn wrap(
        sealer: &Sealer,
        space: &SpaceKey,
        id: u8,
        profile: MintProfile,
        secret: &[u8],
    ) -> Result<WrappedKey, SealError> {
        let bound_to = context(space, id, profile);
        Ok(WrappedKey {
            id,
            wrapped: STANDARD.encode(sealer.wrap(&bound_to, secret)?),
            for_readers: STANDARD.encode(sealer.reader_key().wrap(&bound_to, secret)?),
            profile,
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
    /// The key a consumer-facing process holds.
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
        let bound_to = context(space, key.id, key.profile);
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
        let reader = ReaderKey::from_base64(&sealer.reader_key().to_base64()).unwrap();
        let openers = [
            Opener::Master(sealer.clone()),
            Opener::Reader(reader.clone()),
        ];
        for profile in [MintProfile::Alphanumeric, MintProfile::Numeric] {
            let key = WrappedKey::wrap(&sealer, &space, 3, profile, &secret).unwrap();
            for opener in &openers {
                let ring = Ring::open(opener, &space, std::slice::from_ref(&key)).unwrap();
                let serial = ring.mint(3, 77).unwrap();
                assert_eq!(ring.index_of(serial.as_str()), Some(77));
                assert!(ring.mint(2, 77).is_none());
                assert!(Ring::open(opener, &other, std::slice::from_ref(&key)).is_err());
                let called_otherwise = WrappedKey {
                    profile: match profile {
                        MintProfile::Alphanumeric => MintProfile::Numeric,
                        MintProfile::Numeric => MintProfile::Alphanumeric,
                    },
                    ..key.clone()
                };
                assert!(Ring::open(opener, &space, &[called_otherwise]).is_err());
            }
            // A row of an earlier release: staff go on, a reader says what is missing.
            let earlier = WrappedKey {
                for_readers: String::new(),
                ..key
            };
            let earlier = std::slice::from_ref(&earlier);
            assert!(Ring::open(&openers[0], &space, earlier).is_ok());
            assert!(matches!(
                Ring::open(&openers[1], &space, earlier),
                Err(SealError::NotForReaders)
            ));
        }
    }

    #[test]
    fn a_ring_opens_serials_of_the_profile_of_its_keys_only() {
        let sealer = Sealer::from_base64(&Sealer::generate().unwrap()).unwrap();
        let space = SpaceKey::parse("01/06901234567892").unwrap();
        let ring = |profile| {
            let key = WrappedKey::wrap(&sealer, &space, 3, profile, &[9; 32]).unwrap();
            Ring::open(&Opener::Master(sealer.clone()), &space, &[key]).unwrap()
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
