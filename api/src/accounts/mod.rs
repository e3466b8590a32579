//! People and programs that may act: accounts, roles, log-in, tokens.
//!
//! Access tokens are short-lived EdDSA JWTs; the account is read again for every request, so a
//! disabled account ends at once. Refresh tokens rotate, are stored hashed, and using one twice
//! ends its whole family. Other features see only [`Account`], [`Role`] and [`authenticate`].

pub mod handlers;
pub mod password;
pub mod rules;
pub mod setup;
mod store;
pub mod token;
pub mod wire;

pub use rules::Role;
pub use store::{NewUser, create_first_admin, create_user, make_setup_link};

use crate::{
    app::Internal,
    problem::{Problem, ProblemCode},
};
use uuid::Uuid;

/// Who is calling.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account's id.
    pub id: Uuid,
    /// What it may do.
    pub role: Role,
    /// Whose; `None` for the platform's own.
    pub enterprise: Option<Uuid>,
}

/// Reads an access token and the account behind it.
pub async fn authenticate(state: &Internal, token: &str) -> Result<Account, Problem> {
    let refused = || Problem::new(ProblemCode::NotSignedIn);
    let mut claims = state.tokens.verify(token, state.clock.now());
    if claims.is_none() && state.tokens.look_again(&state.db, token).await? {
        claims = state.tokens.verify(token, state.clock.now());
    }
    let claims = claims.ok_or_else(refused)?;
    let user = store::by_id(&state.db, claims.sub)
        .await?
        .ok_or_else(refused)?;
    if user.disabled || user.generation != claims.generation {
        return Err(refused());
    }
    Ok(Account {
        id: user.id,
        role: Role::parse(&user.role).ok_or_else(refused)?,
        enterprise: user.enterprise_id,
    })
}
