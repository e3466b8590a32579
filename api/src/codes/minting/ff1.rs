//! FF1 (NIST SP 800-38G) under AES-256 for numeral strings of even length that fit two machine
//! words: 64 bits, and ten decimal digits.
//!
//! Halves and tweak are small enough for the second input of each round to be one AES block, and
//! the first one never changes, so a call costs ten blocks. Everything that depends on radix and
//! length is worked out by the compiler from the same few lines, so that the decimal samples of
//! the standard vouch for the binary case too, for which it has none; the tests compare that one
//! with `fpe` besides.

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

/// The rounds of FF1.
const ROUNDS: u8 = 10;

/// FF1 over two halves of `HALF` numerals of base `RADIX`.
pub(super) struct Ff1<const RADIX: u64, const HALF: u32> {
    cipher: Aes256,
    // The state of the pseudorandom function behind its first block.
    state: u128,
    // The tweak as the first bytes of a block.
    tweak: u128,
}

impl<const RADIX: u64, const HALF: u32> Ff1<RADIX, HALF> {
    /// The values of one half.
    pub(super) const MODULUS: u64 = RADIX.pow(HALF);

    /// The bytes of a half as a number: b of the standard. With at most four, S is the first
    /// eight bytes of R.
    const BYTES: usize = {
        let bits = u64::BITS - (Self::MODULUS - 1).leading_zeros();
        assert!(bits <= 32);
        bits.div_ceil(8) as usize
    };

    /// The longest tweak: with its number i and the half it fills one block.
    const TWEAK_MAX: usize = 15 - Self::BYTES;

    /// Prepares a key for one tweak; `None` when the tweak is longer than one block leaves room
    /// for.
    pub(super) fn new(key: &[u8; 32], tweak: &[u8]) -> Option<Self> {
        if tweak.len() > Self::TWEAK_MAX {
            return None;
        }
        let mut block = [0; 16];
        for (slot, byte) in block.iter_mut().zip(tweak) {
            *slot = *byte;
        }
        let cipher = Aes256::new(key.into());
        let state = encrypt(
            &cipher,
            u128::from_be_bytes(parameters::<RADIX, HALF>(tweak.len())),
        );
        Some(Self {
            cipher,
            state,
            tweak: u128::from_be_bytes(block),
        })
    }

    /// Encrypts two halves, each below [`Self::MODULUS`], the more significant first.
    pub(super) fn permute(&self, (mut a, mut b): (u64, u64)) -> (u64, u64) {
        for round in 0..ROUNDS {
            (a, b) = (b, (a + self.round(round, b)) % Self::MODULUS);
        }
        (a, b)
    }

    /// Decrypts two halves.
    pub(super) fn invert(&self, (mut a, mut b): (u64, u64)) -> (u64, u64) {
        for round in (0..ROUNDS).rev() {
            (a, b) = (
                (b + Self::MODULUS - self.round(round, a)) % Self::MODULUS,
                a,
            );
        }
        (a, b)
    }

    /// The number y of a round, reduced.
    fn round(&self, round: u8, half: u64) -> u64 {
        let input = self.tweak | u128::from(round) << (8 * Self::BYTES) | u128::from(half);
        let output = encrypt(&self.cipher, self.state ^ input);
        (output >> 64) as u64 % Self::MODULUS
    }
}

/// The first block of the pseudorandom function, which depends only on sizes: version 1, method
/// 2, addition 1, radix, rounds, length of a half, length of both, length of the tweak.
fn parameters<const RADIX: u64, const HALF: u32>(tweak_len: usize) -> [u8; 16] {
    let [.., r0, r1, r2] = RADIX.to_be_bytes();
    let [n0, n1, n2, n3] = (2 * HALF).to_be_bytes();
    let [t0, t1, t2, t3] = (tweak_len as u32).to_be_bytes();
    let half = HALF as u8;
    [
        1, 2, 1, r0, r1, r2, ROUNDS, half, n0, n1, n2, n3, t0, t1, t2, t3,
    ]
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

    type Binary = Ff1<2, 32>;
    type Decimal = Ff1<10, 5>;

    const KEY: [u8; 32] = [
        0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F,
        0x3C, 0xEF, 0x43, 0x59, 0xD8, 0xD5, 0x80, 0xAA, 0x4F, 0x7F, 0x03, 0x6D, 0x6F, 0x04, 0xFC,
        0x6A, 0x94,
    ];

    /// Samples 7 and 8 of the NIST examples for SP 800-38G: AES-256, radix 10, `0123456789`.
    const SAMPLES: [(&[u8], (u64, u64)); 2] =
        [(b"", (66576, 67009)), (b"9876543210", (10016, 23463))];

    /// `fpe` reads bytes as bits from the least significant one; FF1 counts numerals from the
    /// most significant. So the first byte is the highest, with its bits turned round.
    fn bits((a, b): (u64, u64)) -> BinaryNumeralString {
        let block = (a << 32 | b).to_be_bytes().map(u8::reverse_bits);
        BinaryNumeralString::from_bytes_le(&block)
    }

    fn of_bits(numerals: &BinaryNumeralString) -> (u64, u64) {
        let bytes: [u8; 8] = numerals.to_bytes_le().try_into().unwrap();
        let block = u64::from_be_bytes(bytes.map(u8::reverse_bits));
        (block >> 32, block & 0xffff_ffff)
    }

    fn digits((a, b): (u64, u64)) -> FlexibleNumeralString {
        let digits = format!("{a:05}{b:05}").into_bytes();
        FlexibleNumeralString::from(
            digits
                .iter()
                .map(|d| u16::from(d - b'0'))
                .collect::<Vec<_>>(),
        )
    }

    fn of_digits(numerals: FlexibleNumeralString) -> (u64, u64) {
        let number = |half: &[u16]| {
            half.iter()
                .fold(0, |sum, digit| sum * 10 + u64::from(*digit))
        };
        let numerals = Vec::from(numerals);
        let (a, b) = numerals.split_at(5);
        (number(a), number(b))
    }

    #[test]
    fn the_samples_of_the_standard_are_met() {
        for (tweak, cipher) in SAMPLES {
            let ff1 = Decimal::new(&KEY, tweak).unwrap();
            assert_eq!(ff1.permute((1234, 56789)), cipher);
            assert_eq!(ff1.invert(cipher), (1234, 56789));
        }
    }

    /// So the peer that the binary case is compared with is FF1.
    #[test]
    fn the_peer_meets_the_samples_too() {
        let ff1 = FF1::<Aes256>::new(&KEY, 10).unwrap();
        for (tweak, cipher) in SAMPLES {
            let found = ff1.encrypt(tweak, &digits((1234, 56789))).unwrap();
            assert_eq!(of_digits(found), cipher);
        }
    }

    #[test]
    fn a_tweak_beyond_one_block_is_refused() {
        assert!(Binary::new(&KEY, &[0; 11]).is_some());
        assert!(Binary::new(&KEY, &[0; 12]).is_none());
        assert!(Decimal::new(&KEY, &[0; 12]).is_some());
        assert!(Decimal::new(&KEY, &[0; 13]).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn sixty_four_bits_are_permuted_as_the_peer_does(
            key: [u8; 32], tweak in prop::collection::vec(any::<u8>(), 0..=11), a: u32, b: u32,
        ) {
            let block = (a.into(), b.into());
            let ours = Binary::new(&key, &tweak).unwrap();
            let peer = FF1::<Aes256>::new(&key, 2).unwrap();
            prop_assert_eq!(ours.permute(block), of_bits(&peer.encrypt(&tweak, &bits(block)).unwrap()));
            prop_assert_eq!(ours.invert(block), of_bits(&peer.decrypt(&tweak, &bits(block)).unwrap()));
        }

        #[test]
        fn ten_digits_are_permuted_as_the_peer_does(
            key: [u8; 32], tweak in prop::collection::vec(any::<u8>(), 0..=12),
            a in 0..100_000u64, b in 0..100_000u64,
        ) {
            let ours = Decimal::new(&key, &tweak).unwrap();
            let peer = FF1::<Aes256>::new(&key, 10).unwrap();
            let found = ours.permute((a, b));
            prop_assert_eq!(found, of_digits(peer.encrypt(&tweak, &digits((a, b))).unwrap()));
            prop_assert_eq!(ours.invert(found), (a, b));
        }
    }
}
