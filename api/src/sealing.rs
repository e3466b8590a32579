//! Wraps secrets that must stand in the database (issue keys, signing keys) with a key that
//! does not. AES-256-GCM; the context names what is wrapped, so that a wrapped value moved to
//! another row does not open.
//!
//! The [`Sealer`] has the master key and opens everything. A [`ReaderKey`] follows from it and opens
//! what was wrapped for readers, issue keys, and nothing else: it is all a process gets that answers
//! consumers.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    digest, hkdf, hmac,
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
    #[error("the master key or reader key must be 32 bytes in base64 (44 characters)")]
    Malformed,
    /// Something like 32 equal bytes.
    #[error("the master key is not random; make one with: head -c 32 /dev/urandom | base64")]
    Weak,
    /// The wrapped value is damaged, or was wrapped with another master key.
    #[error("a wrapped key does not open: the master key is not the one it was wrapped with")]
    DoesNotOpen,
    /// The value was not wrapped for readers yet.
    #[error("a key is not wrapped for readers yet: the internal process does that when it starts")]
    NotForReaders,
    /// There is no key file where development keeps one.
    #[error(
        "there is no master key at {0}: run this in the folder where the server runs, or name its \
         settings with --config FILE (or SUYUAN__SECURITY__MASTER_KEY_FILE)"
    )]
    Missing(String),
    /// A demo that follows from a seed has its own, and takes nobody else's place.
    #[error("the master key at {0} is not that of this seed: choose an empty folder")]
    Another(String),
    /// The key file cannot be read or written.
    #[error("the key file cannot be used")]
    File(#[from] io::Error),
    /// The random generator failed.
    #[error("no randomness available")]
    NoRandomness,
}

/// A key that wraps and opens.
#[derive(Clone)]
struct WrappingKey(Arc<RandomizedNonceKey>);

impl WrappingKey {
    fn new(bytes: &[u8; 32]) -> Result<WrappingKey, SealError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).map_err(|_| SealError::Malformed)?;
        Ok(WrappingKey(Arc::new(key)))
    }

    fn wrap(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = secret.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut sealed)
            .map_err(|_| SealError::NoRandomness)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, sealed) = wrapped
            .split_at_checked(NONCE)
            .ok_or(SealError::DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::DoesNotOpen)?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let opened = self
            .0
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut buffer)
            .map_err(|_| SealError::DoesNotOpen)?
            .len();
        buffer.truncate(opened);
        Ok(buffer)
    }
}

/// What a consumer-facing process opens issue keys with. Nothing leads from it to the master key.
#[derive(Clone)]
pub struct ReaderKey {
    bytes: Zeroizing<[u8; 32]>,
    key: WrappingKey,
}

impl ReaderKey {
    fn of(master: &[u8; 32]) -> Result<ReaderKey, SealError> {
        let mut bytes = Zeroizing::new([0; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(master)
            .expand(&[b"suyuan-reader-key-1"], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(bytes.as_mut_slice()))
            .map_err(|_| SealError::Malformed)?;
        let key = WrappingKey::new(&bytes)?;
        Ok(ReaderKey { bytes, key })
    }

    /// From 32 bytes in base64, as [`ReaderKey::to_base64`] told them.
    pub fn from_base64(text: &str) -> Result<ReaderKey, SealError> {
        let bytes = decode(text)?;
        let key = WrappingKey::new(&bytes)?;
        Ok(ReaderKey { bytes, key })
    }

    /// A key for one purpose, the same at every consumer-facing process.
    pub fn derived_key(&self, purpose: &str) -> [u8; 32] {
        let own = hmac::Key::new(hmac::HMAC_SHA256, self.bytes.as_slice());
        let text = format!("derived key for {purpose}");
        let mut key = [0; 32];
        key.copy_from_slice(hmac::sign(&own, text.as_bytes()).as_ref());
        key
    }

    /// For the settings of a consumer-facing process.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }

    /// Wraps `secret` for readers.
    pub fn wrap(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        self.key.wrap(context, secret)
    }

    /// Opens what was wrapped for readers, for the same context.
    pub fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.key.unwrap(context, wrapped)
    }
}

/// The master key, kept outside the database.
#[derive(Clone)]
pub struct Sealer {
    key: WrappingKey,
    reader: ReaderKey,
    /// For digests of what must not be guessed by whoever reads the database.
    mac: Arc<hmac::Key>,
    /// For the demo only: new secrets follow from a seed, so that its codes are the same each time.
    seed: Option<Arc<aws_lc_rs::hmac::Key>>,
}

fn decode(text: &str) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let bytes = STANDARD.decode(text.trim());
    let bytes = Zeroizing::new(bytes.map_err(|_| SealError::Malformed)?);
    let bytes: &[u8; 32] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| SealError::Malformed)?;
    Ok(Zeroizing::new(*bytes))
}

impl Sealer {
    /// From 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Sealer, SealError> {
        let bytes = decode(text)?;
        let mut distinct = [false; 256];
        for byte in bytes.iter() {
            distinct[usize::from(*byte)] = true;
        }
        if distinct.iter().filter(|seen| **seen).count() < 12 {
            return Err(SealError::Weak);
        }
        let mac = digest::digest(
            &digest::SHA256,
            &[b"suyuan-mac-1".as_slice(), bytes.as_slice()].concat(),
        );
        Ok(Sealer {
            key: WrappingKey::new(&bytes)?,
            reader: ReaderKey::of(&bytes)?,
            mac: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, mac.as_ref())),
            seed: None,
        })
    }

    /// A sealer for a demo that can be repeated: its secrets follow from `seed`, so anyone who knows
    /// the seed knows them. Never for goods that leave a desk.
    pub fn for_demo(seed: u64) -> Result<Sealer, SealError> {
        let seed = demo_key(seed);
        let mut sealer = Sealer::from_base64(&STANDARD.encode(seed))?;
        sealer.seed = Some(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, seed.as_ref())));
        Ok(sealer)
    }

    /// The same, with its master key kept at `path`: what it wraps is opened later with that, as with a key
    /// that [`Sealer::from_file_or_new`] made.
    pub fn for_kept_demo(seed: u64, path: &Path) -> Result<Sealer, SealError> {
        let own = STANDARD.encode(demo_key(seed));
        match fs::read_to_string(path) {
            Ok(kept) if kept.trim() == own => {}
            Ok(_) => return Err(SealError::Another(path.display().to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write_private(path, own.as_bytes())?;
            }
            Err(error) => return Err(error.into()),
        }
        Sealer::for_demo(seed)
    }

    /// A digest that nobody without the master key can compute, so that a guess at the text cannot
    /// be tried against it. In base64.
    pub fn keyed_digest(&self, text: &[u8]) -> String {
        STANDARD.encode(hmac::sign(&self.mac, text))
    }

    /// A key for codes of authentication that nobody without the master key can make, one for each
    /// `purpose`.
    pub fn mac_key(&self, purpose: &str) -> hmac::Key {
        let derived = hmac::sign(&self.mac, format!("suyuan-mac-key-1/{purpose}").as_bytes());
        hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
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

    /// Reads the key from `path`.
    pub fn from_file(path: &Path) -> Result<Sealer, SealError> {
        match fs::read_to_string(path) {
            Ok(text) => Sealer::from_base64(&Zeroizing::new(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(SealError::Missing(path.display().to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the key from `path`, making it (readable by its owner only) where there is none.
    pub fn from_file_or_new(path: &Path) -> Result<Sealer, SealError> {
        match Sealer::from_file(path) {
            Err(SealError::Missing(_)) => {
                let text = Sealer::generate()?;
                write_private(path, text.as_bytes())?;
                Sealer::from_base64(&text)
            }
            read => read,
        }
    }

    /// What a consumer-facing process gets instead of the master key.
    pub fn reader_key(&self) -> &ReaderKey {
        &self.reader
    }

    /// Wraps `secret`.
    pub fn wrap(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        self.key.wrap(context, secret)
    }

    /// Opens what [`Sealer::wrap`] made for the same context.
    pub fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.key.unwrap(context, wrapped)
    }
}

/// The master key of a demo.
fn demo_key(seed: u64) -> digest::Digest {
    digest::digest(&digest::SHA256, format!("suyuan-demo-{seed}").as_bytes())
}

/// `N` random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
    Ok(bytes)
}

/// Crockford's digits: nothing that is mistaken for something else when typed.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// So many random digits, 5 bits each, that people read and type.
pub fn random_digits<const N: usize>() -> Result<String, SealError> {
    let digit = |byte: &u8| char::from(DIGITS[usize::from(byte & 31)]);
    Ok(random::<N>()?.iter().map(digit).collect())
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
    fn a_kept_demo_is_opened_with_the_key_in_its_folder_and_never_takes_anothers_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept/master.key");
        let demo = Sealer::for_kept_demo(7, &path).unwrap();
        let wrapped = demo.wrap("c", b"secret").unwrap();
        let later = Sealer::from_file(&path).unwrap();
        assert_eq!(&**later.unwrap("c", &wrapped).unwrap(), b"secret");
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        // Begun again it is the same; of another seed, or beside a key of somebody's own, it is not begun.
        assert!(Sealer::for_kept_demo(7, &path).is_ok());
        let other = Sealer::for_kept_demo(8, &path);
        assert!(matches!(other, Err(SealError::Another(_))));
        assert!(Sealer::from_file(&path).is_ok_and(|key| key.unwrap("c", &wrapped).is_ok()));
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
    fn a_reader_opens_what_is_for_readers_and_nothing_of_the_master_keys() {
        let sealer = sealer();
        let text = sealer.reader_key().to_base64();
        let reader = ReaderKey::from_base64(&text).unwrap();
        let for_readers = sealer.reader_key().wrap("issue-key/01", b"secret").unwrap();
        assert_eq!(
            &**reader.unwrap("issue-key/01", &for_readers).unwrap(),
            b"secret"
        );
        let own = sealer.wrap("signing-key/01", b"secret").unwrap();
        assert!(reader.unwrap("signing-key/01", &own).is_err());
        // Taken for a master key, it opens nothing either.
        let pretended = Sealer::from_base64(&text).unwrap();
        assert!(pretended.unwrap("signing-key/01", &own).is_err());
        assert!(
            pretended
                .reader_key()
                .unwrap("issue-key/01", &for_readers)
                .is_err()
        );
    }

    #[test]
    fn the_reader_key_of_a_master_key_never_changes() {
        let master = STANDARD.encode((0..32).collect::<Vec<u8>>());
        let sealer = Sealer::from_base64(&master).unwrap();
        assert_eq!(
            sealer.reader_key().to_base64().as_str(),
            "uhym2Cr41jolaCN8jYs2g/q472UPI+7zIR/LYYGnBJ4="
        );
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
