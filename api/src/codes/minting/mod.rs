//! The serials we mint: a keyed permutation (FF1) of the unit's index in its product's own space,
//! so that neighbours look unrelated and nobody finds the next one.
//!
//! *Alphanumeric*, the usual profile: 14 characters of the alphabet
//! `0123456789ABCDEFGHJKMNPQRSTVWXYZ`, the id of the issue key (0 to 31), then 64 bits: the
//! encryption of 34 bits of index and 30 zero bits. Opening a serial decrypts it and looks at the
//! zeros: a forged one is refused without any look-up. A guess passes once in 2³⁰, and must then
//! still hit a commissioned index.
//!
//! *Numeric*, for goods whose tags have room for an SGTIN-96 only: 11 digits, the id of the issue
//! key (1 to 9), then the encryption of an index of ten digits. There is no room for zeros that
//! would tell a forgery, so every such number opens to some index, and only the look-up whether
//! that was commissioned refuses it: with a million units in circulation a guess hits one in ten
//! thousand. A key opens serials of its own profile only.
//!
//! The tweak binds a serial to its product and key, so that it opens nowhere else.
//!
//! Knows no store and no product: whether an index was commissioned is asked elsewhere. It must
//! not be given keys that were ever logged, and prints none.

mod alphanumeric;
mod ff1;
mod numeric;

use std::fmt;

use ff1::Ff1;
use serde::{Deserialize, Serialize};
use suyuan_sync::trace_code::Text;
use utoipa::ToSchema;

pub use alphanumeric::SERIAL_LEN;

/// The zero bits behind the index that tell a minted alphanumeric serial from a forged one.
const REDUNDANCY_BITS: u32 = 30;

/// The bytes of a tweak.
const TWEAK_LEN: usize = 10;

/// How the serials of a code space are minted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MintProfile {
    /// 14 digits and capitals that tell a forgery; RFID carries them as SGTIN-198.
    #[default]
    Alphanumeric,
    /// 11 digits that fit SGTIN-96 and are looked up.
    Numeric,
}

impl MintProfile {
    /// The name in rows and answers.
    pub const fn name(self) -> &'static str {
        match self {
            MintProfile::Alphanumeric => "alphanumeric",
            MintProfile::Numeric => "numeric",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<MintProfile> {
        [MintProfile::Alphanumeric, MintProfile::Numeric]
            .into_iter()
            .find(|profile| profile.name() == name)
    }

    /// How many indices a code space of this profile has: 2³⁴, or 10¹⁰.
    pub const fn index_space(self) -> u64 {
        match self {
            MintProfile::Alphanumeric => 1 << 34,
            MintProfile::Numeric => numeric::NUMBERS,
        }
    }

    /// The ids that keys of this profile may have: what the first character of a serial can say.
    pub const fn key_ids(self) -> std::ops::RangeInclusive<u8> {
        match self {
            MintProfile::Alphanumeric => 0..=31,
            MintProfile::Numeric => 1..=9,
        }
    }

    /// The id of the key a space is opened with.
    pub const fn first_key_id(self) -> u8 {
        *self.key_ids().start()
    }
}

/// A minted serial: characters that fit GS1 AI 21 as they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Text<SERIAL_LEN>);

impl Serial {
    /// The characters.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({})", self.as_str())
    }
}

/// One issue key of one code space, ready for use: ten AES blocks a serial.
pub struct SerialKey {
    key_id: u8,
    cipher: Cipher,
}

/// The permutation of a profile.
enum Cipher {
    Alphanumeric(Ff1<2, 32>),
    Numeric(Ff1<10, 5>),
}

impl SerialKey {
    /// Prepares the key `key_id` of the code space `tweak_scope`: a GTIN-14, or the enterprise of
    /// our own scheme (1 to 12 characters of the alphabet).
    ///
    /// `None` when the profile has no such id, or the scope is neither. Two scopes never share a
    /// tweak.
    pub fn new(
        profile: MintProfile,
        key_id: u8,
        key: &[u8; 32],
        tweak_scope: &str,
    ) -> Option<Self> {
        if !profile.key_ids().contains(&key_id) {
            return None;
        }
        let tweak = tweak(key_id, tweak_scope)?;
        let cipher = match profile {
            MintProfile::Alphanumeric => Cipher::Alphanumeric(Ff1::new(key, &tweak)?),
            MintProfile::Numeric => Cipher::Numeric(Ff1::new(key, &tweak)?),
        };
        Some(Self { key_id, cipher })
    }

    /// The id of the key, which is the first character of its serials.
    pub const fn key_id(&self) -> u8 {
        self.key_id
    }

    /// The profile of its serials.
    pub const fn profile(&self) -> MintProfile {
        match self.cipher {
            Cipher::Alphanumeric(_) => MintProfile::Alphanumeric,
            Cipher::Numeric(_) => MintProfile::Numeric,
        }
    }

    /// The serial of an index; `None` when the space has no such index.
    pub fn mint(&self, index: u64) -> Option<Serial> {
        if index >= self.profile().index_space() {
            return None;
        }
        Some(Serial(match &self.cipher {
            Cipher::Alphanumeric(ff1) => {
                let (a, b) = ff1.permute(halves::<2, 32>(index << REDUNDANCY_BITS));
                alphanumeric::spell(self.key_id, joined::<2, 32>(a, b))
            }
            Cipher::Numeric(ff1) => {
                let (a, b) = ff1.permute(halves::<10, 5>(index));
                numeric::spell(self.key_id, joined::<10, 5>(a, b))
            }
        }))
    }

    /// The index a canonical serial was minted from; `None` when this key never minted it.
    pub fn open(&self, serial: &str) -> Option<u64> {
        let ours = |(key_id, number)| (key_id == self.key_id).then_some(number);
        match &self.cipher {
            Cipher::Alphanumeric(ff1) => {
                let block = alphanumeric::read(serial.as_bytes()).and_then(ours)?;
                let (a, b) = ff1.invert(halves::<2, 32>(block));
                let plain = joined::<2, 32>(a, b);
                (plain.trailing_zeros() >= REDUNDANCY_BITS).then_some(plain >> REDUNDANCY_BITS)
            }
            Cipher::Numeric(ff1) => {
                let number = numeric::read(serial.as_bytes()).and_then(ours)?;
                let (a, b) = ff1.invert(halves::<10, 5>(number));
                Some(joined::<10, 5>(a, b))
            }
        }
    }
}

impl fmt::Debug for SerialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialKey({})", self.key_id)
    }
}

/// The key id a serial of one of our forms names; `None` for a text of another form.
pub fn parse_key_id(serial: &str) -> Option<u8> {
    let serial = serial.as_bytes();
    let (key_id, _) = alphanumeric::read(serial).or_else(|| numeric::read(serial))?;
    Some(key_id)
}

/// Key id, kind of scope, and the scope as a number: different for every key of every scope.
fn tweak(key_id: u8, scope: &str) -> Option<[u8; TWEAK_LEN]> {
    const GTIN: u8 = 0;
    const ENTERPRISE: u8 = 1;
    let (kind, number) = if scope.len() == 14 {
        let digits = scope.bytes().all(|b| b.is_ascii_digit());
        (GTIN, digits.then(|| scope.parse().ok())??)
    } else if (1..=12).contains(&scope.len()) {
        // The leading 1 keeps scopes apart that differ only in zeros at their beginning.
        let number = scope.bytes().try_fold(1u64, |sum, byte| {
            Some(sum << 5 | u64::from(alphanumeric::value_of(byte)?))
        })?;
        (ENTERPRISE, number)
    } else {
        return None;
    };
    let mut tweak = [0; TWEAK_LEN];
    for (slot, byte) in tweak
        .iter_mut()
        .zip([key_id, kind].into_iter().chain(number.to_be_bytes()))
    {
        *slot = byte;
    }
    Some(tweak)
}

const fn halves<const RADIX: u64, const HALF: u32>(whole: u64) -> (u64, u64) {
    let modulus = Ff1::<RADIX, HALF>::MODULUS;
    (whole / modulus, whole % modulus)
}

const fn joined<const RADIX: u64, const HALF: u32>(a: u64, b: u64) -> u64 {
    a * Ff1::<RADIX, HALF>::MODULUS + b
}

#[cfg(test)]
mod tests;
