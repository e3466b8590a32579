//! The hash chain of a device's epoch (sync.md section 2): every event's hash covers its bytes as
//! they were made and the hash before it, so that no event can be changed, dropped or slipped in
//! without being seen.
//!
//! `hash = SHA-256("suyuan-event-1" ‖ prev_hash ‖ bytes)`, and the first `prev_hash` is
//! `SHA-256("suyuan-genesis-1" ‖ device ‖ epoch)`: the 16 bytes of the device id as they stand in
//! its UUID, and the epoch as four bytes, the most significant first. The tags are ASCII without
//! an end mark; everything before the bytes has a fixed length, so nothing can be read two ways.
//!
//! It knows bytes only: nothing of what an event says.

use crate::ids::{DeviceId, Epoch};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use thiserror::Error;

const GENESIS: &[u8] = b"suyuan-genesis-1";
const EVENT: &[u8] = b"suyuan-event-1";

/// A SHA-256, on the wire as 64 small hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of some bytes alone.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }
}

/// The hash before the first event of an epoch.
pub fn genesis(device: DeviceId, epoch: Epoch) -> Hash {
    let hasher = Sha256::new()
        .chain_update(GENESIS)
        .chain_update(device.0.as_bytes())
        .chain_update(epoch.to_be_bytes());
    Hash(hasher.finalize().into())
}

/// The hash of an event that follows `prev`.
pub fn next(prev: Hash, bytes: &[u8]) -> Hash {
    let hasher = Sha256::new()
        .chain_update(EVENT)
        .chain_update(prev.0)
        .chain_update(bytes);
    Hash(hasher.finalize().into())
}

/// The hash after each of the events that follow `prev`.
pub fn hashes<'a, B: AsRef<[u8]> + 'a>(
    prev: Hash,
    events: impl IntoIterator<Item = &'a B>,
) -> impl Iterator<Item = Hash> {
    events.into_iter().scan(prev, |head, event| {
        *head = next(*head, event.as_ref());
        Some(*head)
    })
}

/// The hash after the last of the events that follow `prev`; `prev` itself when there are none.
pub fn head<'a, B: AsRef<[u8]> + 'a>(prev: Hash, events: impl IntoIterator<Item = &'a B>) -> Hash {
    hashes(prev, events).last().unwrap_or(prev)
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// A text that is not 64 small hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a hash is 64 small hexadecimal digits")]
pub struct NoHash;

impl FromStr for Hash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Hash, NoHash> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
            return Err(NoHash);
        };
        let bytes = pairs
            .iter()
            .map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?))
            .collect::<Option<Vec<u8>>>()
            .ok_or(NoHash)?;
        bytes.try_into().map(Hash).map_err(|_| NoHash)
    }
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        struct Read;
        impl de::Visitor<'_> for Read {
            type Value = Hash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 small hexadecimal digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hash, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Read)
    }
}
