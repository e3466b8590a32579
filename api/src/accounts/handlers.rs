//! Log-in, renewal, accounts and the first administrator over HTTP.

use super::{
    password,
    rules::{self, CredentialFault, Role},
    store::{self, AccountError, NewUser, Rotation},
    wire::{LoginIn, PasswordIn, RefreshIn, SessionOut, UserIn, UserOut, UserPatch},
};
use crate::{
    app::Internal,
    entities::user_account,
    http::{
        auth::SignedIn,
        body::{Json, KeyHeader, Keyed},
        page::{Page, PageQuery},
    },
    log::Actor,
    problem::{Problem, ProblemBody, ProblemCode},
};
use actix_web::{
    HttpResponse, delete, get, patch, post,
    web::{self, Data, Path, Query},
};
use std::{sync::OnceLock, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

/// Passwords hashed at the same time: each takes 19 MiB and a core.
static HASHING: Semaphore = Semaphore::const_new(2);

/// Log in.
#[utoipa::path(tag = "accounts", operation_id = "create_session", request_body = LoginIn,
    responses((status = 201, body = SessionOut), (status = 401, body = ProblemBody),
    (status = 429, body = ProblemBody)))]
#[post("/v1/sessions")]
pub async fn create_session(
    state: Data<Internal>,
    body: Json<LoginIn>,
) -> Result<HttpResponse, Problem> {
    let refused = || Problem::new(ProblemCode::WrongCredentials);
    let LoginIn { username, password } = body.value;
    let name = rules::check_username(&username).map_err(|_| refused())?;
    let user = store::by_name(&state.db, &name).await?;
    let now = state.clock.now();
    let locked = user
        .as_ref()
        .is_some_and(|u| u.disabled || u.locked_until > now);
    // The same work whether or not the name exists, so that time tells nothing.
    let hash = match &user {
        Some(user) => user.password_hash.clone(),
        None => decoy_hash(),
    };
    let right = verify_password(hash, password.expose().to_owned()).await?;
    match user {
        Some(user) if right && !locked => {
            tracing::info!(user = %user.id, "signed in");
            session(&state, &user)
                .await
                .map(|s| HttpResponse::Created().json(s))
        }
        Some(user) => {
            if !locked {
                store::note_failure(&state.db, user.id, now).await?;
            }
            tracing::warn!(user = %user.id, locked, "sign-in refused");
            Err(refused())
        }
        None => {
            tracing::warn!("sign-in refused: no such account");
            Err(refused())
        }
    }
}

/// Renew a session. A refresh token used twice ends the session everywhere.
#[utoipa::path(tag = "accounts", operation_id = "refresh_session", request_body = RefreshIn,
    responses((status = 201, body = SessionOut), (status = 401, body = ProblemBody)))]
#[post("/v1/sessions/refresh")]
pub async fn refresh_session(
    state: Data<Internal>,
    body: Json<RefreshIn>,
) -> Result<HttpResponse, Problem> {
    let now = state.clock.now();
    let life = state.settings.security.refresh_token_s;
    let secret = body.value.refresh_token.expose();
    match store::rotate(&state.db, secret, now, life).await? {
        Rotation::Rotated {
            user,
            generation,
            secret,
        } => {
            let account = store::by_id(&state.db, user).await?;
            let same = |account: &user_account::Model| account.generation == generation;
            let account = account.filter(|account| !account.disabled && same(account));
            let account = account.ok_or_else(|| Problem::new(ProblemCode::NotSignedIn))?;
            let session = with_access(&state, &account, secret)?;
            Ok(HttpResponse::Created().json(session))
        }
        Rotation::Reused { family } => {
            tracing::warn!(%family, "refresh token used twice: session ended");
            Err(Problem::new(ProblemCode::RefreshReused))
        }
        Rotation::Unknown => Err(Problem::new(ProblemCode::NotSignedIn)),
    }
}

/// Log out: ends the session this refresh token belongs to.
#[utoipa::path(tag = "accounts", operation_id = "end_session", request_body = RefreshIn,
    responses((status = 204)))]
#[delete("/v1/sessions")]
pub async fn end_session(
    state: Data<Internal>,
    body: Json<RefreshIn>,
) -> Result<HttpResponse, Problem> {
    store::end_session(&state.db, body.value.refresh_token.expose()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Make an account: a platform administrator any, an enterprise administrator one of its own. A
/// regulator's (监管) belongs to no enterprise.
#[utoipa::path(tag = "accounts", operation_id = "create_user", request_body = UserIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = UserOut), (status = 409, body = ProblemBody),
    (status = 429, body = ProblemBody)))]
#[post("/v1/users")]
pub async fn create_user(
    state: Data<Internal>,
    caller: SignedIn,
    body: Keyed<UserIn>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.0;
    let user = body.value;
    let enterprise = match (caller.role, user.role) {
        (Role::PlatformAdmin, _) => user.enterprise_id,
        (Role::EnterpriseAdmin, Role::EnterpriseAdmin | Role::Operator) => {
            if user
                .enterprise_id
                .is_some_and(|id| Some(id) != caller.enterprise)
            {
                return Err(Problem::new(ProblemCode::NotAllowed));
            }
            caller.enterprise
        }
        _ => return Err(Problem::new(ProblemCode::NotAllowed)),
    };
    if user.role.belongs_to_enterprise() != enterprise.is_some() {
        return Err(Problem::field(
            "enterprise_id",
            "required",
            "an enterprise role needs its enterprise, a platform role has none",
            "企业角色须指定所属企业，平台角色不属于任何企业",
        ));
    }
    if let Some(id) = enterprise {
        crate::registry::enterprise_exists(state.db.reader(), id)
            .await?
            .then_some(())
            .ok_or_else(|| {
                Problem::field(
                    "enterprise_id",
                    "unknown",
                    "no such enterprise",
                    "没有该企业",
                )
            })?;
    }
    let username = rules::check_username(&user.username)?;
    rules::check_password(&username, user.password.expose())?;
    let password_hash = hash_password(user.password.expose().to_owned()).await?;
    let new = NewUser {
        username,
        password_hash,
        role: user.role,
        enterprise,
    };
    let out = store::create_user(&state.log, Actor::User(caller.id), body.key, new).await?;
    Ok(HttpResponse::Created().json(out))
}

/// Accounts: all for a platform administrator, an enterprise's own for its administrator.
#[utoipa::path(tag = "accounts", operation_id = "list_users", params(PageQuery),
    security(("bearer" = [])),
    responses((status = 200, body = Page<UserOut>), (status = 403, body = ProblemBody)))]
#[get("/v1/users")]
pub async fn list_users(
    state: Data<Internal>,
    caller: SignedIn,
    query: Query<PageQuery>,
) -> Result<web::Json<Page<UserOut>>, Problem> {
    let scope = admin_scope(&caller)?;
    let paging = query.check()?;
    let rows = store::list(&state.db, scope, paging).await?;
    let items = rows.into_iter().map(UserOut::from).collect();
    Ok(web::Json(Page::new(items, paging, |user: &UserOut| {
        user.id
    })))
}

/// Switch an account off or on, or give it a new password.
#[utoipa::path(tag = "accounts", operation_id = "change_user", request_body = UserPatch,
    params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 200, body = UserOut), (status = 429, body = ProblemBody)))]
#[patch("/v1/users/{id}")]
pub async fn change_user(
    state: Data<Internal>,
    caller: SignedIn,
    id: Path<Uuid>,
    body: Json<UserPatch>,
) -> Result<web::Json<UserOut>, Problem> {
    let scope = admin_scope(&caller)?;
    let patch = body.value;
    if patch.disabled.is_none() && patch.password.is_none() {
        return Err(Problem::field(
            "disabled",
            "required",
            "give disabled, password or both: there is nothing to change",
            "请提供 disabled 或 password",
        ));
    }
    let known = store::by_id(&state.db, *id).await?;
    let known = known.filter(|user| scope.is_none() || user.enterprise_id == scope);
    let name = known.ok_or(AccountError::Unknown)?.username;
    if *id == caller.0.id && patch.disabled == Some(true) {
        return Err(Problem::field(
            "disabled",
            "oneself",
            "nobody switches off their own account",
            "不能停用自己的账号",
        ));
    }
    let hash = match patch.password {
        None => None,
        Some(password) => {
            rules::check_password(&name, password.expose())?;
            Some(hash_password(password.expose().to_owned()).await?)
        }
    };
    let actor = Actor::User(caller.0.id);
    let row = store::change(&state.log, actor, scope, *id, patch.disabled, hash).await?;
    Ok(web::Json(row.into()))
}

/// Who I am.
#[utoipa::path(tag = "accounts", operation_id = "get_me", security(("bearer" = [])),
    responses((status = 200, body = UserOut)))]
#[get("/v1/me")]
pub async fn get_me(
    state: Data<Internal>,
    caller: SignedIn,
) -> Result<web::Json<UserOut>, Problem> {
    let row = store::by_id(&state.db, caller.0.id)
        .await?
        .ok_or(AccountError::Unknown)?;
    Ok(web::Json(row.into()))
}

/// Change my own password. All my sessions end; sign in again.
#[utoipa::path(tag = "accounts", operation_id = "change_my_password", request_body = PasswordIn,
    security(("bearer" = [])),
    responses((status = 204), (status = 429, body = ProblemBody)))]
#[post("/v1/me/password")]
pub async fn change_my_password(
    state: Data<Internal>,
    caller: SignedIn,
    body: Json<PasswordIn>,
) -> Result<HttpResponse, Problem> {
    let PasswordIn { current, new } = body.value;
    let row = store::by_id(&state.db, caller.0.id)
        .await?
        .ok_or(AccountError::Unknown)?;
    let now = state.clock.now();
    let right = verify_password(row.password_hash, current.expose().to_owned()).await?;
    let locked = row.locked_until > now;
    if locked || !right {
        if !locked {
            store::note_failure(&state.db, row.id, now).await?;
        }
        return Err(Problem::new(ProblemCode::WrongCredentials));
    }
    rules::check_password(&row.username, new.expose())?;
    let hash = hash_password(new.expose().to_owned()).await?;
    store::change(
        &state.log,
        Actor::User(row.id),
        None,
        row.id,
        None,
        Some(hash),
    )
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whose accounts this caller administers: `None` = all.
fn admin_scope(caller: &SignedIn) -> Result<Option<Uuid>, Problem> {
    match (caller.0.role, caller.0.enterprise) {
        (Role::PlatformAdmin, _) => Ok(None),
        (Role::EnterpriseAdmin, Some(enterprise)) => Ok(Some(enterprise)),
        _ => Err(Problem::new(ProblemCode::NotAllowed)),
    }
}

async fn session(state: &Internal, user: &user_account::Model) -> Result<SessionOut, Problem> {
    let life = state.settings.security.refresh_token_s;
    let secret = store::start_session(&state.db, user, state.clock.now(), life).await?;
    let secret = secret.ok_or_else(|| Problem::new(ProblemCode::WrongCredentials))?;
    with_access(state, user, secret)
}

fn with_access(
    state: &Internal,
    user: &user_account::Model,
    refresh: String,
) -> Result<SessionOut, Problem> {
    let issued = state
        .tokens
        .issue(user.id, user.generation, state.clock.now());
    let (access_token, expires_in) = issued.map_err(|error| Problem::internal(&error))?;
    Ok(SessionOut {
        access_token,
        token_type: "Bearer",
        expires_in,
        refresh_token: refresh,
    })
}

/// A place among those who hash now. A flood of log-ins is told to slow down, not queued for ever.
async fn turn_to_hash() -> Result<SemaphorePermit<'static>, Problem> {
    let turn = tokio::time::timeout(Duration::from_secs(3), HASHING.acquire()).await;
    turn.map_err(|_| Problem::new(ProblemCode::TooManyRequests))?
        .map_err(|error| Problem::internal(&error))
}

/// A password's hash, made off the worker thread.
pub async fn hash_password(password: String) -> Result<String, Problem> {
    let _turn = turn_to_hash().await?;
    web::block(move || password::hash(&password))
        .await
        .map_err(|e| Problem::internal(&e))?
        .map_err(|_| Problem::new(ProblemCode::Internal))
}

async fn verify_password(hash: String, password: String) -> Result<bool, Problem> {
    if password.len() > rules::PASSWORD_BYTES_MAX {
        return Ok(false);
    }
    let _turn = turn_to_hash().await?;
    web::block(move || password::is(&password, &hash))
        .await
        .map_err(|e| Problem::internal(&e))
}

/// A hash nobody knows the password of.
fn decoy_hash() -> String {
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY
        .get_or_init(|| password::hash(&Uuid::new_v4().to_string()).unwrap_or_default())
        .clone()
}

impl From<CredentialFault> for Problem {
    fn from(fault: CredentialFault) -> Problem {
        match fault {
            CredentialFault::Username => Problem::field(
                "username",
                "malformed",
                "3 to 64 letters, digits, '.', '_', '-' or '@'",
                "3 到 64 个字母、数字或 . _ - @",
            ),
            CredentialFault::PasswordLength => Problem::field(
                "password",
                "length",
                "at least 12 characters, at most 256 bytes",
                "至少 12 个字符，最多 256 字节",
            ),
            CredentialFault::PasswordTrivial => Problem::field(
                "password",
                "too-simple",
                "too easy to guess: no runs, repeats or your own name",
                "过于简单：不要使用连续、重复字符或用户名",
            ),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Problem {
        match error {
            AccountError::Act(error) => error.into(),
            AccountError::NameTaken => Problem::new(ProblemCode::AlreadyExists)
                .detail("this username is taken", "该用户名已被使用"),
            AccountError::Unknown => Problem::new(ProblemCode::NotFound),
            AccountError::LinkInvalid => Problem::new(ProblemCode::NotFound).detail(
                "this set-up link is used or expired",
                "该初始化链接已使用或已过期",
            ),
        }
    }
}
