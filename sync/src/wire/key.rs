//! Public keys and signatures as they stand on the wire, and the chain of keys that sign lists,
//! snapshots and receipts.
//!
//! No cryptography: whether a signature holds is asked of the caller. What is signed has one form
//! in bytes: ASCII lines, a tag first, ids, numbers and hashes only, so that nothing can be read
//! two ways and the browser can build the same.

use crate::ids::Micros;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// A public key on the curve P-256, as WebCrypto exports it (JWK).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublicKey {
    /// Always `EC`.
    pub kty: KeyType,
    /// Always `P-256`.
    pub crv: Curve,
    /// The first coordinate.
    pub x: Base64Url<43>,
    /// The second coordinate.
    pub y: Base64Url<43>,
}

impl PublicKey {
    /// A key of these coordinates, each 32 bytes in base64url without padding.
    pub fn of(x: &str, y: &str) -> Option<PublicKey> {
        Some(PublicKey {
            kty: KeyType::Ec,
            crv: Curve::P256,
            x: Base64Url::of(x)?,
            y: Base64Url::of(y)?,
        })
    }
}

/// The type of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyType {
    /// Elliptic curve.
    #[serde(rename = "EC")]
    Ec,
}

/// The curve of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Curve {
    /// P-256.
    #[serde(rename = "P-256")]
    P256,
}

/// A signature (ES256): 64 bytes, r and s, in base64url without padding.
pub type Signature = Base64Url<86>;

/// Exactly `N` characters of base64url. What they say is not looked at here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Base64Url<const N: usize>(Box<str>);

impl<const N: usize> Base64Url<N> {
    /// The text, if it is `N` characters of base64url.
    pub fn of(text: &str) -> Option<Self> {
        let fits = text.len() == N
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        fits.then(|| Self(text.into()))
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de, const N: usize> Deserialize<'de> for Base64Url<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::of(&text)
            .ok_or_else(|| D::Error::custom(format_args!("not {N} characters of base64url")))
    }
}

/// A key the installation signs with. Each but the first is signed by the one before it, so a
/// device that was away for weeks can follow from the one it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustKey {
    /// Its number, from 1.
    pub n: u32,
    /// The key.
    pub key: PublicKey,
    /// Since when it signs.
    pub since: Micros,
    /// The signature of the key before it; the first has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<Signature>,
}

impl TrustKey {
    /// The bytes that the key before this one signs.
    pub fn bytes_to_sign(&self, before: &PublicKey) -> Vec<u8> {
        format!(
            "suyuan-trust-key-1\n{}\n{}\n{}\n{}\n{}\n{}",
            self.n,
            self.since,
            before.x.as_str(),
            before.y.as_str(),
            self.key.x.as_str(),
            self.key.y.as_str(),
        )
        .into_bytes()
    }
}

/// Follows the chain from the newest key a device trusts to the newest one shipped, and returns
/// the keys to trust from now on: that one and those after it. Stops at the first that is not
/// signed by the one before it, or not its successor; what follows it is not trusted.
/// `verify` tells whether a key made a signature over some bytes.
pub fn follow(
    trusted: &TrustKey,
    shipped: &[TrustKey],
    verify: impl Fn(&PublicKey, &[u8], &Signature) -> bool,
) -> Vec<TrustKey> {
    let mut chain = vec![trusted.clone()];
    for next in shipped {
        let Some(last) = chain.last() else { break };
        if next.n <= last.n {
            continue;
        }
        let signed = last.n.checked_add(1) == Some(next.n)
            && next
                .sig
                .as_ref()
                .is_some_and(|sig| verify(&last.key, &next.bytes_to_sign(&last.key), sig));
        if !signed {
            break;
        }
        chain.push(next.clone());
    }
    chain
}
