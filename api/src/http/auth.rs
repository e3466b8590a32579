//! Who is calling: one extractor per right. A handler that does not ask for one of these types
//! cannot act in anyone's name, and asking for it is the check.

use crate::{
    accounts::{Account, Role},
    app::Internal,
    log::Actor,
    problem::{Problem, ProblemCode},
};
use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};
use futures_util::future::LocalBoxFuture;
use suyuan_sync::{fold::Reader, ids::EnterpriseId};
use uuid::Uuid;

/// Anyone signed in.
pub struct SignedIn(pub Account);

/// Someone of an enterprise: its administrator or an operator. Everything they see and change
/// begins with `enterprise`.
pub struct Staff {
    /// The tenant.
    pub enterprise: Uuid,
    /// For the log.
    pub actor: Actor,
}

/// Someone who reads what became of goods: of an enterprise, or the platform's operator or a
/// regulator, who see all (sync.md section 5).
pub struct Sees(pub Reader);

/// Someone who sees every enterprise: the platform's operator (管理平台) or a regulator (监管).
pub struct SeesAll;

/// Someone who reads what one enterprise has: its own people, or a regulator (监管), who says whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// One of its own people.
    Own(Uuid),
    /// A regulator.
    Regulator,
}

impl Looks {
    /// Which enterprise is looked at, where the call named this one, or none.
    pub fn at(self, named: Option<Uuid>) -> Result<Uuid, Problem> {
        match (self, named) {
            (Looks::Own(own), None) => Ok(own),
            (Looks::Own(own), Some(named)) if named == own => Ok(own),
            (Looks::Own(_), Some(_)) => Err(Problem::new(ProblemCode::NotFound)),
            (Looks::Regulator, Some(named)) => Ok(named),
            (Looks::Regulator, None) => Err(Problem::field(
                "enterprise_id",
                "required",
                "a regulator says whose",
                "监管账号须指明所查企业",
            )),
        }
    }
}

/// The administrator of an enterprise.
pub struct EnterpriseAdmin {
    /// The tenant.
    pub enterprise: Uuid,
    /// For the log.
    pub actor: Actor,
}

/// The operator of the platform (管理平台).
pub struct PlatformAdmin {
    /// For the log.
    pub actor: Actor,
}

/// The bearer token a request came with.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    super::header_text(request, &header::AUTHORIZATION)
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token)
}

async fn account(request: HttpRequest) -> Result<Account, Problem> {
    let refused = || Problem::new(ProblemCode::NotSignedIn);
    let state = request.app_data::<Data<Internal>>().ok_or_else(refused)?;
    let token = bearer(&request).ok_or_else(refused)?;
    crate::accounts::authenticate(state, token).await
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { account(request).await.map(SignedIn) })
    }
}

/// Implements an extractor that lets some roles through.
macro_rules! right {
    ($right:ty, |$account:ident| $body:expr) => {
        impl FromRequest for $right {
            type Error = Problem;
            type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let request = request.clone();
                Box::pin(async move {
                    let $account = account(request).await?;
                    let right: Option<$right> = $body;
                    right.ok_or_else(|| Problem::new(ProblemCode::NotAllowed))
                })
            }
        }
    };
}

right!(Staff, |account| match (account.role, account.enterprise) {
    (Role::EnterpriseAdmin | Role::Operator, Some(enterprise)) => Some(Staff {
        enterprise,
        actor: Actor::User(account.id),
    }),
    _ => None,
});

right!(Sees, |account| match (account.role, account.enterprise) {
    (Role::PlatformAdmin | Role::Regulator, _) => Some(Sees(Reader::All)),
    (Role::EnterpriseAdmin | Role::Operator, Some(enterprise)) =>
        Some(Sees(Reader::Enterprise(EnterpriseId(enterprise)))),
    (Role::EnterpriseAdmin | Role::Operator, None) => None,
});

right!(SeesAll, |account| match account.role {
    Role::PlatformAdmin | Role::Regulator => Some(SeesAll),
    Role::EnterpriseAdmin | Role::Operator => None,
});

right!(Looks, |account| match (account.role, account.enterprise) {
    (Role::EnterpriseAdmin | Role::Operator, Some(enterprise)) => Some(Looks::Own(enterprise)),
    (Role::Regulator, _) => Some(Looks::Regulator),
    (Role::PlatformAdmin, _) | (Role::EnterpriseAdmin | Role::Operator, None) => None,
});

right!(
    EnterpriseAdmin,
    |account| match (account.role, account.enterprise) {
        (Role::EnterpriseAdmin, Some(enterprise)) => Some(EnterpriseAdmin {
            enterprise,
            actor: Actor::User(account.id),
        }),
        _ => None,
    }
);

right!(PlatformAdmin, |account| (account.role
    == Role::PlatformAdmin)
    .then_some(PlatformAdmin {
        actor: Actor::User(account.id),
    }));
