//! Where in the tables of buckets a caller or a code is counted.
//!
//! Pure. An address stands for itself, its network and its region; each is turned into two cells
//! by a keyed permutation (one AES block), so that nobody can choose whose cells they share, and
//! what leaves the process names no address.

use aes::{
    Aes256,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
};
use suyuan_sync::trace_code::TraceCode;

/// Cells in each of a table's two halves.
pub const HALF: u32 = 1 << 14;

/// One cell in either half of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot(pub [u32; 2]);

/// Where one caller is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The address: IPv4 /32, IPv6 /64.
    pub address: Spot,
    /// Its network: IPv4 /24, IPv6 /56.
    pub network: Spot,
    /// Its region: IPv4 /16, IPv6 /32.
    pub region: Spot,
}

/// A block of addresses: their common bits below a mark of kind and length.
pub type Block = u128;

/// The network of an address: IPv4 /24, IPv6 /56.
pub fn network(address: IpAddr) -> Block {
    block(address, 24, 56)
}

fn block(address: IpAddr, bits4: u32, bits6: u32) -> Block {
    let (mark, common) = match address.to_canonical() {
        IpAddr::V4(v4) => {
            let kept = v4.to_bits() & (u32::MAX << (32 - bits4));
            (bits4, u64::from(kept))
        }
        IpAddr::V6(v6) => {
            let high = (v6.to_bits() >> 64) as u64;
            (0x80 | bits6, high & (u64::MAX << (64 - bits6)))
        }
    };
    (u128::from(mark) << 64) | u128::from(common)
}

/// Finds spots. Processes with the same key find the same ones.
pub struct Places {
    cipher: Aes256,
}

impl Places {
    /// With the installation's own key.
    pub fn new(key: &[u8; 32]) -> Places {
        Places {
            cipher: Aes256::new(key.into()),
        }
    }

    /// Where a caller is counted.
    pub fn caller(&self, address: IpAddr) -> Place {
        Place {
            address: self.spot(block(address, 32, 64)),
            network: self.spot(network(address)),
            region: self.spot(block(address, 16, 32)),
        }
    }

    /// Where a code is counted, whoever asks.
    pub fn code(&self, code: &TraceCode) -> Spot {
        self.spot((1 << 127) | u128::from(digest(code)))
    }

    /// Where a code is counted for one caller.
    pub fn code_of(&self, code: &TraceCode, address: IpAddr) -> Spot {
        let both = digest(&(code, block(address, 32, 64)));
        self.spot((1 << 126) | u128::from(both))
    }

    fn spot(&self, what: u128) -> Spot {
        let mut block = what.to_be_bytes().into();
        self.cipher.encrypt_block(&mut block);
        let cell = |at: usize| {
            let four = [block[at], block[at + 1], block[at + 2], block[at + 3]];
            u32::from_be_bytes(four) % HALF
        };
        Spot([cell(0), HALF + cell(4)])
    }
}

/// With fixed keys, so that processes agree; the cipher is what keeps cells secret.
fn digest(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(address: &str) -> Place {
        Places::new(&[7; 32]).caller(address.parse().unwrap())
    }

    #[test]
    fn addresses_share_their_network_and_region_and_nothing_else() {
        // Two addresses, and whether address, network and region are one.
        for (a, b, one) in [
            ("192.0.2.1", "192.0.2.1", [true, true, true]),
            ("192.0.2.1", "::ffff:192.0.2.1", [true, true, true]),
            ("192.0.2.1", "192.0.2.9", [false, true, true]),
            ("192.0.2.1", "192.0.3.1", [false, false, true]),
            ("192.0.2.1", "192.1.2.1", [false, false, false]),
            ("2001:db8::1", "2001:db8::ffff:1", [true, true, true]),
            ("2001:db8::1", "2001:db8:0:1::1", [false, true, true]),
            ("2001:db8::1", "2001:db8:0:100::1", [false, false, true]),
            ("2001:db8::1", "2001:db9::1", [false, false, false]),
            ("0.0.0.1", "::1", [false, false, false]),
        ] {
            let (a, b) = (caller(a), caller(b));
            let is = [
                a.address == b.address,
                a.network == b.network,
                a.region == b.region,
            ];
            assert_eq!(is, one, "{a:?} {b:?}");
        }
    }

    #[test]
    fn cells_lie_in_their_half_and_depend_on_the_key() {
        let place = caller("192.0.2.1");
        for Spot([a, b]) in [place.address, place.network, place.region] {
            assert!(a < HALF && (HALF..2 * HALF).contains(&b), "{a} {b}");
        }
        let other = Places::new(&[8; 32]).caller("192.0.2.1".parse().unwrap());
        assert_ne!(place, other);
    }

    #[test]
    fn a_code_has_a_spot_of_its_own_and_one_for_each_caller() {
        let places = Places::new(&[7; 32]);
        let code = |text: &str| suyuan_sync::trace_code::parse(text).unwrap().code;
        let (a, b) = (
            code("(01)09521234000013(21)A"),
            code("(01)09521234000013(21)B"),
        );
        let at = |text: &str| text.parse().unwrap();
        assert_ne!(places.code(&a), places.code(&b));
        assert_ne!(places.code(&a), places.code_of(&a, at("192.0.2.1")));
        assert_ne!(
            places.code_of(&a, at("192.0.2.1")),
            places.code_of(&a, at("192.0.2.2"))
        );
        assert_ne!(
            places.code_of(&a, at("192.0.2.1")),
            places.code_of(&b, at("192.0.2.1"))
        );
    }
}
