//! Wraps secrets that must stand in the database (issue keys, signing keys) with a key that
//! does not. AES-256-GCM; the context names what is wrapped, so that a wrapped value moved to
//! another row does not open.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    digest, hmac,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{fs, io, path::Path, sync::Arc};
use thiserror::Error;
use zeroize::Zeroizing;

const NONCE: usize = 12;

/// Why a secret could not be used.
#[derive(Debug, Error)]
pub enum SealError {
    /// Not 32 bytes of base64.
    #[error("the master key must be 32 bytes in base64 (44 characters)")]
    Malformed,
    /// Something like 32 equal bytes.
    #[error("the master key is not random; make one with: head -c 32 /dev/urandom | base64")]
    Weak,
    /// The wrapped value is damaged, or was wrapped with another master key.
    #[error("a wrapped key does not open: the master key is not the one it was wrapped with")]
    DoesNotOpen,
    /// The key file cannot be read or written.
    #[error("the master key file cannot be used")]
    File(#[from] io::Error),
    /// The random generator failed.
    #[error("no randomness available")]
    NoRandomness,
}

/// The master key, kept outside the database.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<RandomizedNonceKey>,
    /// For digests of what must not be guessed by whoever reads the database.
    mac: Arc<hmac::Key>,
    /// For the demo only: new secrets follow from a seed, so that its codes are the same each time.
    seed: Option<Arc<aws_lc_rs::hmac::Key>>,
}

impl Sealer {
    /// From 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Sealer, SealError> {
        let bytes = Zeroizing::new(
            STANDARD
                .decode(text.trim())
                .map_err(|_| SealError::Malformed)?,
        );
        let bytes: &[u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| SealError::Malformed)?;
        let mut distinct = [false; 256];
        for byte in bytes {
            distinct[usize::from(*byte)] = true;
        }
        if distinct.iter().filter(|seen| **seen).count() < 12 {
            return Err(SealError::Weak);
        }
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).map_err(|_| SealError::Malformed)?;
        let mac = digest::digest(
            &digest::SHA256,
            &[b"suyuan-mac-1".as_slice(), bytes].concat(),
        );
        Ok(Sealer {
            key: Arc::new(key),
            mac: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, mac.as_ref())),
            seed: None,
        })
    }

    /// A sealer for a demo that can be repeated: its secrets follow from `seed`, so anyone who knows
    /// the seed knows them. Never for goods that leave a desk.
    pub fn for_demo(seed: u64) -> Result<Sealer, SealError> {
        let seed = digest::digest(&digest::SHA256, format!("suyuan-demo-{seed}").as_bytes());
        let mut sealer = Sealer::from_base64(&STANDARD.encode(seed))?;
        sealer.seed = Some(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, seed.as_ref())));
        Ok(sealer)
    }

    /// A digest that nobody without the master key can compute, so that a guess at the text cannot
    /// be tried against it. In base64.
    pub fn keyed_digest(&self, text: &[u8]) -> String {
        STANDARD.encode(hmac::sign(&self.mac, text))
    }

    /// A key for one purpose, the same for everyone who has the master key.
    pub fn derived_key(&self, purpose: &str) -> [u8; 32] {
        let text = format!("derived key for {purpose}");
        let mut key = [0; 32];
        key.copy_from_slice(hmac::sign(&self.mac, text.as_bytes()).as_ref());
        key
    }

    /// A new 32-byte secret for what `context` names: random, except in a seeded demo.
    pub fn new_secret(&self, context: &str) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let Some(seed) = &self.seed else {
            return Ok(Zeroizing::new(random()?));
        };
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(hmac::sign(seed, context.as_bytes()).as_ref());
        Ok(secret)
    }

    /// A fresh random key in base64.
    pub fn generate() -> Result<Zeroizing<String>, SealError> {
        let bytes = Zeroizing::new(random::<32>()?);
        Ok(Zeroizing::new(STANDARD.encode(bytes.as_slice())))
    }

    /// Reads the key from `path`, making it (readable by its owner only) where there is none.
    pub fn from_file_or_new(path: &Path) -> Result<Sealer, SealError> {
        match fs::read_to_string(path) {
            Ok(text) => Sealer::from_base64(&Zeroizing::new(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = Sealer::generate()?;
                write_private(path, text.as_bytes())?;
                Sealer::from_base64(&text)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Wraps `secret`.
    pub fn wrap(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = secret.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut sealed)
            .map_err(|_| SealError::NoRandomness)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Opens what [`Sealer::wrap`] made for the same context.
    pub fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, sealed) = wrapped
            .split_at_checked(NONCE)
            .ok_or(SealError::DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::DoesNotOpen)?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut buffer)
            .map_err(|_| SealError::DoesNotOpen)?
            .len();
        buffer.truncate(opened);
        Ok(buffer)
    }
}

/// `N` random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
    Ok(bytes)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::from_base64(&Sealer::generate().unwrap()).unwrap()
    }

    #[test]
    fn what_is_wrapped_opens_only_for_its_context_and_key() {
        let sealer_a = sealer();
        let wrapped = sealer_a.wrap("issue-key/01", b"secret").unwrap();
        assert_eq!(
            &**sealer_a.unwrap("issue-key/01", &wrapped).unwrap(),
            b"secret"
        );
        assert!(sealer_a.unwrap("issue-key/02", &wrapped).is_err());
        assert!(sealer().unwrap("issue-key/01", &wrapped).is_err());
        assert!(!wrapped.windows(6).any(|part| part == b"secret"));
    }

    #[test]
    fn a_flipped_bit_or_a_short_value_does_not_open() {
        let sealer = sealer();
        let wrapped = sealer.wrap("c", b"secret").unwrap();
        for at in 0..wrapped.len() {
            let mut bent = wrapped.clone();
            bent[at] ^= 1;
            assert!(sealer.unwrap("c", &bent).is_err(), "bit in byte {at}");
        }
        assert!(sealer.unwrap("c", &wrapped[..11]).is_err());
    }

    #[test]
    fn weak_and_malformed_keys_are_refused() {
        assert!(matches!(
            Sealer::from_base64(&STANDARD.encode([7u8; 32])),
            Err(SealError::Weak)
        ));
        assert!(matches!(
            Sealer::from_base64("short"),
            Err(SealError::Malformed)
        ));
    }
}
