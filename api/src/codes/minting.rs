//! The serials we mint: a keyed permutation, so that a forged one is refused without any look-up.
//!
//! A serial is 14 characters of the alphabet `0123456789ABCDEFGHJKMNPQRSTVWXYZ`: the id of the
//! issue key (0 to 31), then 13 characters that carry a 64-bit block, most significant bits
//! first. Thirteen characters could carry 65 bits; the first holds only 4, and a serial that uses
//! the fifth is refused, so that no two strings name one unit.
//!
//! The block is FF1 (NIST SP 800-38G) under AES-256 of a 64-bit string: the 34 bits of the unit's
//! index in its product's own space, then 30 zero bits. Opening a serial decrypts it and looks at
//! the 30 bits: a guess passes once in 2³⁰, and must then still hit a commissioned index.
//! Neighbouring indices give unrelated serials. The tweak binds a serial to its product and key,
//! so that it opens nowhere else.
//!
//! Knows no store and no product: whether an index was commissioned is asked elsewhere. It must
//! not be given keys that were ever logged, and prints none.

use std::fmt;

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

/// The characters of a serial in the order of their values.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The characters of a serial.
pub const SERIAL_LEN: usize = 14;

/// The number of issue keys in the ring of a code space.
pub const KEY_IDS: u8 = 32;

/// The number of indices in a code space: 2³⁴.
pub const INDEX_SPACE: u64 = 1 << 34;

/// The zero bits behind the index that tell a minted serial from a forged one.
const REDUNDANCY_BITS: u32 = 30;

/// The bytes of a tweak. With at most 11, FF1's second input of each round is one AES block.
const TWEAK_LEN: usize = 10;

/// The rounds of FF1.
const ROUNDS: u8 = 10;

/// The first block of FF1's pseudorandom function, which depends only on sizes: version 1, method
/// 2, addition 1, radix 2, ten rounds, half of 32 bits, 64 bits in all, and the tweak's length.
const PARAMETERS: [u8; 16] = [
    1,
    2,
    1,
    0,
    0,
    2,
    10,
    32,
    0,
    0,
    0,
    64,
    0,
    0,
    0,
    TWEAK_LEN as u8,
];

/// A minted serial: 14 characters that fit GS1 AI 21 as they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial([u8; SERIAL_LEN]);

impl Serial {
    /// The characters.
    pub fn as_str(&self) -> &str {
        // Only characters of the alphabet are ever stored, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
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

/// One issue key of one code space, ready for use: about ten AES blocks a serial.
pub struct SerialKey {
    key_id: u8,
    tweak: [u8; TWEAK_LEN],
    cipher: Aes256,
    // The state of the pseudorandom function behind `PARAMETERS`.
    state: u128,
}

impl SerialKey {
    /// Prepares the key `key_id` of the code space `tweak_scope`: a GTIN-14, or the enterprise of
    /// our own scheme (1 to 12 characters of the alphabet).
    ///
    /// `None` when the id is 32 or more, or the scope is neither. Two scopes never share a tweak.
    pub fn new(key_id: u8, key: &[u8; 32], tweak_scope: &str) -> Option<Self> {
        if key_id >= KEY_IDS {
            return None;
        }
        let cipher = Aes256::new(key.into());
        let state = encrypt(&cipher, u128::from_be_bytes(PARAMETERS));
        Some(Self {
            key_id,
            tweak: tweak(key_id, tweak_scope)?,
            cipher,
            state,
        })
    }

    /// The id of the key, which is the first character of its serials.
    pub const fn key_id(&self) -> u8 {
        self.key_id
    }

    /// The serial of an index; `None` when the space has no such index.
    pub fn mint(&self, index: u64) -> Option<Serial> {
        if index >= INDEX_SPACE {
            return None;
        }
        Some(spell(self.key_id, self.permute(index << REDUNDANCY_BITS)))
    }

    /// The index a canonical serial was minted from; `None` when this key never minted it.
    pub fn open(&self, serial: &str) -> Option<u64> {
        let (key_id, block) = read(serial.as_bytes())?;
        if key_id != self.key_id {
            return None;
        }
        let plain = self.invert(block);
        (plain.trailing_zeros() >= REDUNDANCY_BITS).then_some(plain >> REDUNDANCY_BITS)
    }

    /// FF1 encryption of 64 bits, the most significant bit being the first numeral.
    fn permute(&self, block: u64) -> u64 {
        let (mut a, mut b) = halves(block);
        for round in 0..ROUNDS {
            (a, b) = (b, a.wrapping_add(self.round(round, b)));
        }
        joined(a, b)
    }

    /// FF1 decryption.
    fn invert(&self, block: u64) -> u64 {
        let (mut a, mut b) = halves(block);
        for round in (0..ROUNDS).rev() {
            (a, b) = (b.wrapping_sub(self.round(round, a)), a);
        }
        joined(a, b)
    }

    /// FF1's round function: the number y modulo 2³². With halves of 4 bytes, S is the first 8
    /// bytes of R, and reducing them keeps the last 4.
    fn round(&self, round: u8, half: u32) -> u32 {
        let mut input = [0; 16];
        let (tweak, rest) = input.split_at_mut(TWEAK_LEN);
        tweak.copy_from_slice(&self.tweak);
        if let [_zero, i, number @ ..] = rest {
            *i = round;
            number.copy_from_slice(&half.to_be_bytes());
        }
        let output = encrypt(&self.cipher, self.state ^ u128::from_be_bytes(input));
        (output >> 64) as u32
    }
}

impl fmt::Debug for SerialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialKey({})", self.key_id)
    }
}

/// The key id a serial of our form names; `None` for a text of another form.
pub fn parse_key_id(serial: &str) -> Option<u8> {
    read(serial.as_bytes()).map(|(key_id, _)| key_id)
}

/// The canonical characters of a typed serial of our form: small letters as capitals, O as 0,
/// I and L as 1. `None` for a text of another form. GS1 serials of others are case-sensitive and
/// must never pass through here.
pub fn fold_typed(text: &str) -> Option<[u8; SERIAL_LEN]> {
    let mut folded: [u8; SERIAL_LEN] = text.as_bytes().try_into().ok()?;
    for byte in &mut folded {
        *byte = match byte.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        };
    }
    read(&folded).map(|_| folded)
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
            Some(sum << 5 | u64::from(value_of(byte)?))
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

/// The key id and the block of a serial.
fn read(serial: &[u8]) -> Option<(u8, u64)> {
    let serial: &[u8; SERIAL_LEN] = serial.try_into().ok()?;
    let [key_id, first, rest @ ..] = serial;
    let first = value_of(*first).filter(|&value| value < 16)?;
    let block = rest.iter().try_fold(u64::from(first), |block, &byte| {
        Some(block << 5 | u64::from(value_of(byte)?))
    })?;
    Some((value_of(*key_id)?, block))
}

/// The serial of a key id and a block.
fn spell(key_id: u8, block: u64) -> Serial {
    let mut serial = [character(key_id.into()); SERIAL_LEN];
    for (place, slot) in serial.iter_mut().skip(1).rev().enumerate() {
        *slot = character(block >> (5 * place));
    }
    Serial(serial)
}

/// The character of the lowest five bits.
fn character(value: u64) -> u8 {
    ALPHABET[(value & 31) as usize]
}

fn value_of(character: u8) -> Option<u8> {
    ALPHABET
        .iter()
        .position(|&c| c == character)
        .map(|value| value as u8)
}

const fn halves(block: u64) -> (u32, u32) {
    ((block >> 32) as u32, block as u32)
}

const fn joined(a: u32, b: u32) -> u64 {
    (a as u64) << 32 | b as u64
}

fn encrypt(cipher: &Aes256, block: u128) -> u128 {
    let mut bytes = block.to_be_bytes().into();
    cipher.encrypt_block(&mut bytes);
    u128::from_be_bytes(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fpe::ff1::{BinaryNumeralString, FF1, FlexibleNumeralString};
    use proptest::prelude::*;

    const KEY: [u8; 32] = [
        0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F,
        0x3C, 0xEF, 0x43, 0x59, 0xD8, 0xD5, 0x80, 0xAA, 0x4F, 0x7F, 0x03, 0x6D, 0x6F, 0x04, 0xFC,
        0x6A, 0x94,
    ];
    const GTIN: &str = "06901234567892";

    fn key(id: u8, key: &[u8; 32], scope: &str) -> SerialKey {
        SerialKey::new(id, key, scope).unwrap()
    }

    /// `fpe` reads bytes as bits from the least significant one; FF1 counts numerals from the
    /// most significant. So the first byte is the highest, with its bits turned round.
    fn numerals(block: u64) -> BinaryNumeralString {
        BinaryNumeralString::from_bytes_le(&block.to_be_bytes().map(u8::reverse_bits))
    }

    fn number(numerals: &BinaryNumeralString) -> u64 {
        let bytes: [u8; 8] = numerals.to_bytes_le().try_into().unwrap();
        u64::from_be_bytes(bytes.map(u8::reverse_bits))
    }

    /// Samples 7 and 8 of the NIST examples for SP 800-38G: the peer we compare with is FF1.
    #[test]
    fn the_peer_gives_the_samples_of_the_standard() {
        let ff1 = FF1::<Aes256>::new(&KEY, 10).unwrap();
        let plain = FlexibleNumeralString::from((0..10).collect::<Vec<u16>>());
        for (tweak, expected) in [
            (&b""[..], [6, 6, 5, 7, 6, 6, 7, 0, 0, 9]),
            (&b"9876543210"[..], [1, 0, 0, 1, 6, 2, 3, 4, 6, 3]),
        ] {
            let cipher = ff1.encrypt(tweak, &plain).unwrap();
            assert_eq!(Vec::<u16>::from(cipher), expected);
        }
    }

    #[test]
    fn serials_keep_the_form_they_were_first_printed_in() {
        let other = std::array::from_fn(|i| i as u8);
        let top = INDEX_SPACE - 1;
        for (key_id, material, scope, index, serial) in [
            (0, &KEY, GTIN, 0, "08XMJXKPPS0Z7B"),
            (0, &KEY, GTIN, 1, "08W3YREERF7HWX"),
            (0, &KEY, GTIN, 2, "04Y9PFRQVGYYNZ"),
            (0, &KEY, GTIN, 1_000_000, "0EDVAKHFA7DGWM"),
            (0, &KEY, GTIN, top, "0CSPVCBYXW3872"),
            (1, &KEY, GTIN, 0, "1B3CQ0GNHSM810"),
            (31, &KEY, GTIN, top, "Z53RAQV7S1523Z"),
            (7, &other, GTIN, 42, "74BQYC62RQRN0D"),
            (7, &other, "16901234567899", 42, "70SWQAG7EBB5VR"),
            (7, &other, "09506000134352", 42, "7A8ERAP1KFZYRV"),
            (7, &other, "MY8", 42, "72655XQKHZK8ZM"),
            (7, &other, "0MY8", 42, "7BVWSV6YVW3M16"),
            (7, &other, "ZZZZZZZZZZZZ", top, "7ET9T5Z68K7HM0"),
        ] {
            let key = key(key_id, material, scope);
            assert_eq!(key.mint(index).unwrap().as_str(), serial, "{scope} {index}");
            assert_eq!(key.open(serial), Some(index));
        }
    }

    #[test]
    fn what_lies_outside_the_space_is_refused() {
        let key = key(0, &KEY, GTIN);
        assert!(key.mint(INDEX_SPACE).is_none());
        assert!(key.mint(u64::MAX).is_none());
        assert!(SerialKey::new(32, &KEY, GTIN).is_none());
        for scope in [
            "",
            "0690123456789",
            "0690123456789X",
            "MY-8",
            "my8",
            "ABCDEFGHJKMNP",
        ] {
            assert!(SerialKey::new(0, &KEY, scope).is_none(), "{scope}");
        }
        for text in [
            "",
            "0",
            "0000000000000",
            "000000000000000",
            "0000000000000U",
            "00000000000é",
        ] {
            assert!(key.open(text).is_none(), "{text}");
            assert!(parse_key_id(text).is_none(), "{text}");
            assert!(fold_typed(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_block_has_one_spelling_only() {
        // Values of the second character beyond 15 would be a second spelling of a smaller block.
        assert!(parse_key_id("0FZZZZZZZZZZZZ").is_some());
        assert!(parse_key_id("0G000000000000").is_none());
        assert_eq!(spell(0, u64::MAX).as_str(), "0FZZZZZZZZZZZZ");
    }

    #[test]
    fn a_typed_serial_is_folded_to_its_canonical_characters() {
        let canonical = "X0123456789ABC";
        assert_eq!(fold_typed("xOi23456789abc").unwrap(), *canonical.as_bytes());
        assert_eq!(fold_typed("xol23456789aBc").unwrap(), *canonical.as_bytes());
        assert_eq!(parse_key_id(canonical), Some(29));
    }

    #[test]
    fn neither_the_key_nor_its_schedule_is_printed() {
        assert_eq!(format!("{:?}", key(3, &KEY, GTIN)), "SerialKey(3)");
    }

    /// 10⁵ serials with one character changed: by chance one in 2³⁰ would open.
    #[test]
    fn a_changed_character_opens_nothing() {
        let key = key(5, &KEY, GTIN);
        let mut tries = 0;
        for index in (0..).step_by(7_919) {
            let serial = key.mint(index).unwrap();
            for place in 0..SERIAL_LEN {
                for step in [1, 16, 31] {
                    let mut bytes = serial.0;
                    let value = value_of(bytes[place]).unwrap();
                    bytes[place] = character(u64::from(value) + step);
                    let changed = Serial(bytes);
                    assert_ne!(changed, serial);
                    assert_eq!(key.open(changed.as_str()), None, "{changed}");
                    tries += 1;
                }
            }
            if tries >= 100_000 {
                return;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn our_ff1_is_the_peers(material: [u8; 32], id in 0..KEY_IDS, gtin in 0..10u64.pow(14), block: u64) {
            let key = key(id, &material, &format!("{gtin:014}"));
            let peer = FF1::<Aes256>::new(&material, 2).unwrap();
            let expected = peer.encrypt(&key.tweak, &numerals(block)).unwrap();
            prop_assert_eq!(key.permute(block), number(&expected));
            let expected = peer.decrypt(&key.tweak, &numerals(block)).unwrap();
            prop_assert_eq!(key.invert(block), number(&expected));
        }

        #[test]
        fn what_is_minted_opens_to_its_index(material: [u8; 32], id in 0..KEY_IDS, index in 0..INDEX_SPACE) {
            let key = key(id, &material, GTIN);
            let serial = key.mint(index).unwrap();
            prop_assert_eq!(parse_key_id(serial.as_str()), Some(id));
            prop_assert_eq!(fold_typed(&serial.as_str().to_lowercase()), Some(serial.0));
            prop_assert_eq!(key.open(serial.as_str()), Some(index));
        }

        #[test]
        fn another_key_id_or_product_opens_nothing(
            material: [u8; 32], flipped in 0..256usize, id in 0..KEY_IDS, index in 0..INDEX_SPACE
        ) {
            let serial = key(id, &material, GTIN).mint(index).unwrap();
            let mut other = material;
            other[flipped / 8] ^= 1 << (flipped % 8);
            prop_assert_eq!(key(id, &other, GTIN).open(serial.as_str()), None);
            prop_assert_eq!(key(id, &material, "16901234567899").open(serial.as_str()), None);
            let next = (id + 1) % KEY_IDS;
            prop_assert_eq!(key(next, &material, GTIN).open(serial.as_str()), None);
            // Nor does it help to write the other key's id over the first character.
            let mut relabelled = serial.0;
            relabelled[0] = character(next.into());
            prop_assert_eq!(key(next, &material, GTIN).open(Serial(relabelled).as_str()), None);
        }

        #[test]
        fn no_text_makes_a_reader_panic(text in "\\PC{0,20}") {
            let key = key(0, &KEY, GTIN);
            let _ = (key.open(&text), parse_key_id(&text), fold_typed(&text));
        }

        #[test]
        fn two_scopes_never_share_a_tweak(a in "[0-9A-HJKMNP-TV-Z]{1,12}|[0-9]{14}", b in "[0-9A-HJKMNP-TV-Z]{1,12}|[0-9]{14}") {
            prop_assert_eq!(tweak(0, &a).unwrap() == tweak(0, &b).unwrap(), a == b);
        }
    }
}
