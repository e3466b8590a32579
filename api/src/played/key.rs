//! A device's key: P-256, as a browser makes one, and the tokens it signs.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        UnparsedPublicKey,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::json;
use suyuan_sync::wire::{PublicKey, Receipt, TrustKey};
use thiserror::Error;

/// No key could be made, or nothing signed with it.
#[derive(Debug, Error)]
#[error("a device's key")]
pub struct NoKey;

/// A device's key.
pub struct DeviceKey(EcdsaKeyPair);

impl DeviceKey {
    /// A new one.
    pub fn generate() -> Result<DeviceKey, NoKey> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        pair.map(DeviceKey).map_err(|_| NoKey)
    }

    /// The public half.
    pub fn public(&self) -> Result<PublicKey, NoKey> {
        let point = self.0.public_key().as_ref();
        let side = |from: usize| {
            point
                .get(from..from + 32)
                .map(|b| URL_SAFE_NO_PAD.encode(b))
        };
        let key = side(1).zip(side(33));
        let key = key.and_then(|(x, y)| PublicKey::of(&x, &y));
        key.ok_or(NoKey)
    }

    /// A token (JWT, ES256) of this type.
    pub fn token(&self, typ: &str, claims: &impl Serialize) -> Result<String, NoKey> {
        let header = json!({"alg": "ES256", "typ": typ});
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).map_err(|_| NoKey)?)
        );
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes());
        let signature = signature.map_err(|_| NoKey)?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Is this receipt signed by one of these keys? A device believes no other.
pub fn is_signed(receipt: &Receipt, trusted: &[TrustKey]) -> bool {
    let key = trusted.iter().find(|key| key.n == receipt.key);
    let Some(PublicKey { x, y, .. }) = key.map(|key| &key.key) else {
        return false;
    };
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let mut point = vec![4];
    point.extend(bytes(x.as_str()));
    point.extend(bytes(y.as_str()));
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(&receipt.bytes_to_sign(), &bytes(receipt.sig.as_str()))
        .is_ok()
}
