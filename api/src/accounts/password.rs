//! Passwords as hashes: argon2id with the library's recommended cost, in memory that goes back to
//! the system. Knows no account.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self, CustomizedPasswordHasher, PasswordHasher, PasswordVerifier,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};

/// Blocks, of 1 KiB, that memory is asked for at least. What is freed below 32 MiB the allocator
/// keeps for whoever asks next, which is nobody: two log-ins at once left 40 MB behind. Only what
/// is used of it is taken.
const BLOCKS_MIN: usize = 33 * 1024;

/// Hashes a password under a salt of its own, in PHC form.
pub fn hash(password: &str) -> password_hash::Result<String> {
    let hash = Hasher.hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

/// Is this the password?
pub fn is(password: &str, hash: &str) -> bool {
    let hash = PasswordHash::new(hash);
    hash.is_ok_and(|hash| Hasher.verify_password(password.as_bytes(), &hash).is_ok())
}

/// [`Argon2`], with memory of our choice.
struct Hasher;

impl PasswordHasher<PasswordHash> for Hasher {
    fn hash_password_with_salt(
        &self,
        password: &[u8],
        salt: &[u8],
    ) -> password_hash::Result<PasswordHash> {
        self.hash_password_with_params(password, salt, Params::default())
    }
}

impl CustomizedPasswordHasher<PasswordHash> for Hasher {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<password_hash::Version>,
        params: Params,
    ) -> password_hash::Result<PasswordHash> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?;
        let version = version.map(Version::try_from).transpose()?;
        let (algorithm, version) = (algorithm.unwrap_or_default(), version.unwrap_or_default());
        let salt = Salt::new(salt)?;
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let mut out = [0; Output::MAX_LENGTH];
        let out = out
            .get_mut(..length)
            .ok_or(password_hash::Error::OutputSize)?;

        let mut blocks: Vec<Block> = Vec::with_capacity(params.block_count().max(BLOCKS_MIN));
        blocks.resize(params.block_count(), Block::default());
        let argon2 = Argon2::new(algorithm, version, params.clone());
        argon2.hash_password_into_with_memory(password, &salt, out, &mut blocks)?;

        Ok(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(salt),
            hash: Some(Output::new(out)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other_is() {
        let first = hash("correct horse battery").unwrap();
        assert!(
            first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{first}"
        );
        assert!(is("correct horse battery", &first));
        assert!(!is("correct horse batterz", &first));
        assert!(!is("", &first));
        assert!(!is("correct horse battery", "no hash"));
        assert_ne!(first, hash("correct horse battery").unwrap());
    }

    #[test]
    fn hashes_are_the_librarys() {
        let theirs = Argon2::default().hash_password(b"x").unwrap().to_string();
        assert!(is("x", &theirs));
        let ours = PasswordHash::new(&hash("y").unwrap()).unwrap();
        assert!(Argon2::default().verify_password(b"y", &ours).is_ok());
    }
}
