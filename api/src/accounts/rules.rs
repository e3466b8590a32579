//! Pure rules about accounts: roles, names, passwords, and how long a lock lasts.

use crate::clock::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an account may do. Everything not listed for a role is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the installation: enterprises, company prefixes, accounts.
    PlatformAdmin,
    /// Runs one enterprise: its operators, registry, codes and recalls.
    EnterpriseAdmin,
    /// Works for one enterprise: registry and codes; may open a recall, not close one.
    Operator,
    /// Supervises (监管): reads what became of goods anywhere, changes nothing but its own password.
    Regulator,
}

impl Role {
    const ALL: [Role; 4] = [
        Role::PlatformAdmin,
        Role::EnterpriseAdmin,
        Role::Operator,
        Role::Regulator,
    ];

    /// The name in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Role::PlatformAdmin => "platform_admin",
            Role::EnterpriseAdmin => "enterprise_admin",
            Role::Operator => "operator",
            Role::Regulator => "regulator",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Does an account of this role belong to an enterprise?
    pub const fn belongs_to_enterprise(self) -> bool {
        match self {
            Role::EnterpriseAdmin | Role::Operator => true,
            Role::PlatformAdmin | Role::Regulator => false,
        }
    }
}

/// Shortest and longest password, in characters and bytes.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password taken, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// Why a name or password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialFault {
    /// 3 to 64 of letters, digits, `.`, `_`, `-`, `@`.
    Username,
    /// Fewer than 12 characters or more than 256 bytes.
    PasswordLength,
    /// One character over and over, a run of neighbours, or the user's name.
    PasswordTrivial,
}

/// Is this a name we take? Names are compared in lower case.
pub fn check_username(name: &str) -> Result<String, CredentialFault> {
    let ok = (3..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b));
    if ok {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(CredentialFault::Username)
    }
}

/// Is this a password we take for `username`?
pub fn check_password(username: &str, password: &str) -> Result<(), CredentialFault> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(CredentialFault::PasswordLength);
    }
    let lower = password.to_lowercase();
    let mut letters: Vec<char> = lower.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let neighbours = lower
        .chars()
        .zip(lower.chars().skip(1))
        .filter(|(a, b)| (*b as u32).abs_diff(*a as u32) <= 1)
        .count();
    let runs = neighbours + 1 >= lower.chars().count();
    let holds_name = !username.is_empty() && lower.contains(&username.to_lowercase());
    if letters.len() < 5 || runs || holds_name {
        return Err(CredentialFault::PasswordTrivial);
    }
    Ok(())
}

/// Failures before an account locks.
const FAILURES_FREE: i64 = 5;
/// First lock, doubled with each further failure, in seconds.
const LOCK_FIRST_S: i64 = 30;
/// Longest lock, in seconds: an attacker cannot keep someone out for long.
const LOCK_MAX_S: i64 = 900;

/// Until when an account is locked after its `failures`-th failure in a row.
pub fn locked_until(failures: i64, now: Micros) -> Micros {
    if failures < FAILURES_FREE {
        return 0;
    }
    let doublings = u32::try_from((failures - FAILURES_FREE).min(10)).unwrap_or(10);
    let seconds = (LOCK_FIRST_S << doublings).min(LOCK_MAX_S);
    now + seconds * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trivial_passwords_are_refused() {
        for password in [
            "short",
            "aaaaaaaaaaaaaa",
            "abcdefghijklmn",
            "my-alice-password",
            "121212121212",
        ] {
            assert!(check_password("alice", password).is_err(), "{password}");
        }
        assert!(check_password("alice", "correct horse battery").is_ok());
        assert!(check_password("", "correct horse battery").is_ok());
        assert!(check_password("alice", "雪山上的小羊在喝热牛奶呢").is_ok());
        assert!(check_password("alice", &"x1y2z".repeat(100)).is_err());
    }

    #[test]
    fn names_are_folded_to_lower_case() {
        assert_eq!(check_username("Alice.W"), Ok("alice.w".into()));
        for name in ["ab", "has space", "名字", "x\0y"] {
            assert!(check_username(name).is_err(), "{name}");
        }
    }

    #[test]
    fn locks_grow_and_stay_bounded() {
        assert_eq!(locked_until(4, 1), 0);
        assert_eq!(locked_until(5, 0), 30_000_000);
        assert_eq!(locked_until(6, 0), 60_000_000);
        assert_eq!(locked_until(1000, 0), 900_000_000);
    }

    #[test]
    fn role_names_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
        }
        assert_eq!(Role::parse("root"), None);
    }
}
