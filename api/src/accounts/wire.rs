//! Accounts and sessions as JSON.

use super::Role;
use crate::{clock::rfc3339, config::Secret, entities::user_account};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Log-in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginIn {
    /// Name, any case.
    pub username: String,
    /// Password.
    #[schema(value_type = String, format = Password)]
    pub password: Secret,
}

/// A session: use `access_token` as bearer, renew with `refresh_token` before it ends.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionOut {
    /// EdDSA JWT.
    pub access_token: String,
    /// `Bearer`
    pub token_type: &'static str,
    /// Seconds the access token lives.
    pub expires_in: i64,
    /// Use once; each renewal gives a new one.
    pub refresh_token: String,
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshIn {
    /// As received.
    #[schema(value_type = String)]
    pub refresh_token: Secret,
}

/// An account to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserIn {
    /// 3 to 64 letters, digits, `.`, `_`, `-`, `@`; unique in the installation.
    #[schema(min_length = 3, max_length = 64, pattern = "^[A-Za-z0-9._@-]+$")]
    pub username: String,
    /// At least 12 characters, at most 256 bytes; no runs, no repeats, not one's own name.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 256)]
    pub password: Secret,
    /// What it may do.
    pub role: Role,
    /// Whose; required for enterprise roles when a platform administrator makes it.
    pub enterprise_id: Option<Uuid>,
}

/// A change of an account. Its sessions end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// Switch off or on.
    pub disabled: Option<bool>,
    /// New password.
    #[schema(value_type = Option<String>, format = Password)]
    pub password: Option<Secret>,
}

/// A new password for oneself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordIn {
    /// The one in force.
    #[schema(value_type = String, format = Password)]
    pub current: Secret,
    /// At least 12 characters.
    #[schema(value_type = String, format = Password)]
    pub new: Secret,
}

/// An account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UserOut {
    /// Id.
    pub id: Uuid,
    /// Name.
    pub username: String,
    /// What it may do.
    pub role: String,
    /// Whose.
    pub enterprise_id: Option<Uuid>,
    /// Switched off?
    pub disabled: bool,
    /// When it was made, UTC.
    pub created_at: String,
}

impl From<user_account::Model> for UserOut {
    fn from(row: user_account::Model) -> UserOut {
        UserOut {
            id: row.id,
            username: row.username,
            role: row.role,
            enterprise_id: row.enterprise_id,
            disabled: row.disabled,
            created_at: rfc3339(row.created_at),
        }
    }
}
