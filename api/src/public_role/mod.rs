//! The PostgreSQL account a consumer-facing process runs under: it reads the public projection, adds
//! to the query log, and may do nothing else, whatever is done to the process. Which tables that is
//! stands in `projection::rights`.

mod store;

pub use store::{establish, missing};

use crate::sealing::{self, SealError};
use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{Engine, engine::general_purpose::STANDARD};
use sea_orm::DbErr;
use std::{fmt, num::NonZeroU32, str::FromStr};
use thiserror::Error;
use zeroize::Zeroizing;

/// Why the role was not made.
#[derive(Debug, Error)]
pub enum RoleError {
    /// The database's word.
    #[error("the role could not be made")]
    Db(#[from] DbErr),
    /// Only PostgreSQL has roles.
    #[error("an embedded database has no roles: set database.url to postgres://…")]
    Embedded,
    /// The role exists and may do more than is in our hands.
    #[error("the role {0} exists already and {1}: choose another name")]
    Mighty(String, &'static str),
    /// Not a name.
    #[error(
        "a role's name is 1 to 63 of a to z, 0 to 9 and _, and does not begin with a digit or pg_"
    )]
    Name,
    /// Not a password.
    #[error("the password must be 12 to 200 visible ASCII characters")]
    Password,
    /// No randomness for its salt.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// A role's name that needs no quoting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleName(String);

impl FromStr for RoleName {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<RoleName, RoleError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let fits = (1..=63).contains(&text.len())
            && text.chars().all(plain)
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && !text.starts_with("pg_");
        fits.then(|| RoleName(text.to_owned()))
            .ok_or(RoleError::Name)
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password, in the form PostgreSQL keeps it: neither the server nor its log sees the text.
pub struct Password(String);

/// Rounds PostgreSQL itself takes by default.
const ROUNDS: NonZeroU32 = NonZeroU32::new(4096).expect("not zero");

impl Password {
    /// Reads a password and salts it.
    pub fn parse(text: &str) -> Result<Password, RoleError> {
        let fits = (12..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            return Err(RoleError::Password);
        }
        Ok(Password(verifier(text, &sealing::random::<16>()?)))
    }

    /// `SCRAM-SHA-256$…`, made of characters that need no quoting.
    pub fn verifier(&self) -> &str {
        &self.0
    }
}

/// RFC 5803, as PostgreSQL's catalogue holds it.
fn verifier(text: &str, salt: &[u8]) -> String {
    let mut salted = Zeroizing::new([0; 32]);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ROUNDS,
        salt,
        text.as_bytes(),
        salted.as_mut_slice(),
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, salted.as_slice());
    let stored = digest::digest(&digest::SHA256, hmac::sign(&key, b"Client Key").as_ref());
    format!(
        "SCRAM-SHA-256${ROUNDS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(hmac::sign(&key, b"Server Key"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_no_quoting() {
        for good in ["suyuan_public", "p", "_1"] {
            assert!(good.parse::<RoleName>().is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "1a", "pg_x", "A", "a-b", "a\"b", "a b", long.as_str()] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords_are_long_enough_and_plain() {
        assert!(Password::parse("correct-horse").is_ok());
        for bad in ["short", "has a space in it", "密码密码密码密码"] {
            assert!(Password::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_verifier_is_what_rfc_7677_computes() {
        // The exchange of RFC 7677 section 3: user "user", password "pencil".
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let told = verifier("pencil", &salt);
        assert_eq!(
            told,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
             WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }
}
