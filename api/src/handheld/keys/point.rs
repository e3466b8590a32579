//! Public keys on P-256 as devices tell them (JWK), as rows hold them (04, x, y), and what they
//! verify. Pure.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use suyuan_sync::wire::{PublicKey, Signature};

/// Bytes of a coordinate.
const SIDE: usize = 32;

/// The bytes of a key, if it is a point of the curve.
pub fn read(key: &PublicKey) -> Option<Vec<u8>> {
    let mut bytes = vec![4];
    for side in [&key.x, &key.y] {
        let side = URL_SAFE_NO_PAD.decode(side.as_str()).ok()?;
        (side.len() == SIDE).then(|| bytes.extend(side))?;
    }
    parsed(&bytes).map(|_| bytes)
}

/// The same the other way round.
pub fn told(bytes: &[u8]) -> Option<PublicKey> {
    let (&4, point) = bytes.split_first()? else {
        return None;
    };
    let (x, y) = point.split_at_checked(SIDE)?;
    PublicKey::of(&URL_SAFE_NO_PAD.encode(x), &URL_SAFE_NO_PAD.encode(y))
}

/// A key ready to verify with.
pub fn parsed(bytes: &[u8]) -> Option<ParsedPublicKey> {
    if bytes.len() != 1 + 2 * SIDE || bytes.first() != Some(&4) {
        return None;
    }
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes).ok()
}

/// Did this key sign these bytes?
pub fn verify(key: &PublicKey, text: &[u8], signature: &Signature) -> bool {
    let key = read(key).and_then(|bytes| parsed(&bytes));
    let signature = URL_SAFE_NO_PAD.decode(signature.as_str());
    key.zip(signature.ok())
        .is_some_and(|(key, signature)| key.verify_sig(text, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

    #[test]
    fn a_point_off_the_curve_is_no_key() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let bytes = pair.public_key().as_ref().to_vec();
        let key = told(&bytes).unwrap();
        assert_eq!(read(&key), Some(bytes.clone()));
        let mut bent = bytes.clone();
        bent[40] ^= 1;
        assert_eq!(read(&told(&bent).unwrap()), None);
        assert!(told(&bytes[..64]).is_none());
        assert!(parsed(&[0; 65]).is_none());
    }
}
