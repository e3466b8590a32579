//! The key of a device, and the tokens it signs: ECDSA on P-256, JWT with ES256, as a browser makes
//! them.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        UnparsedPublicKey,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use suyuan_sync::wire::{PublicKey, Signature};

use crate::LoadError;

/// A key pair. The private half never leaves it.
pub struct DeviceKey(EcdsaKeyPair);

impl DeviceKey {
    /// A new one.
    pub fn new() -> Result<Self, LoadError> {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map(Self)
            .map_err(|_| failed("making a key"))
    }

    /// The public half.
    pub fn public(&self) -> Result<PublicKey, LoadError> {
        let point = self.0.public_key().as_ref();
        let side = |range| point.get(range).map(|half| URL_SAFE_NO_PAD.encode(half));
        side(1..33)
            .zip(side(33..65))
            .and_then(|(x, y)| PublicKey::of(&x, &y))
            .ok_or_else(|| failed("writing a public key"))
    }

    /// A token of this type over these claims.
    pub fn token(&self, typ: &str, claims: &impl Serialize) -> Result<String, LoadError> {
        let header = format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#);
        let claims = serde_json::to_vec(claims).map_err(|_| failed("writing claims"))?;
        let mut text = URL_SAFE_NO_PAD.encode(header);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut text);
        let signature = self.sign(text.as_bytes())?;
        text.push('.');
        text.push_str(signature.as_str());
        Ok(text)
    }

    /// A signature over these bytes.
    pub fn sign(&self, bytes: &[u8]) -> Result<Signature, LoadError> {
        let signature = self.0.sign(&SystemRandom::new(), bytes).ok();
        let text = signature.map(|signature| URL_SAFE_NO_PAD.encode(signature));
        text.and_then(|text| Signature::of(&text))
            .ok_or_else(|| failed("signing"))
    }
}

/// Did this key make this signature over these bytes?
pub fn verifies(key: &PublicKey, bytes: &[u8], signature: &Signature) -> bool {
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let Some(((x, y), signature)) = decoded(key.x.as_str())
        .zip(decoded(key.y.as_str()))
        .zip(decoded(signature.as_str()))
    else {
        return false;
    };
    let point = [&[4], &x[..], &y[..]].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(bytes, &signature)
        .is_ok()
}

fn failed(what: &str) -> LoadError {
    LoadError::Unusable(format!("{what} failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_signed_by_its_key_and_by_no_other() {
        let (key, other) = (DeviceKey::new().unwrap(), DeviceKey::new().unwrap());
        let token = key.token("t", &[1, 2]).unwrap();
        let (text, signature) = token.rsplit_once('.').unwrap();
        let signature = Signature::of(signature).unwrap();
        assert!(verifies(
            &key.public().unwrap(),
            text.as_bytes(),
            &signature
        ));
        assert!(!verifies(
            &other.public().unwrap(),
            text.as_bytes(),
            &signature
        ));
        assert!(!verifies(&key.public().unwrap(), b"else", &signature));
    }
}
