//! All SQL about accounts, refresh tokens, the keys that sign access tokens, and the set-up link.

use super::{
    rules::{self, Role},
    wire::UserOut,
};
use crate::{
    clock::Micros,
    db::{Db, query_one},
    entities::{refresh_token, setup_link, signing_key, user_account},
    http::page::Paging,
    log::{ActError, Actor, Begun, Entry, IdempotencyKey, Kind, Log},
};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, SqlErr,
};
use thiserror::Error;
use uuid::Uuid;

/// Why an account was not made or changed.
#[derive(Debug, Error)]
pub enum AccountError {
    /// The log's word.
    #[error("account")]
    Act(#[from] ActError),
    /// The name is taken.
    #[error("username taken")]
    NameTaken,
    /// No such account here.
    #[error("no such account")]
    Unknown,
    /// The link is used, expired or was never made.
    #[error("set-up link")]
    LinkInvalid,
}

impl From<DbErr> for AccountError {
    fn from(error: DbErr) -> AccountError {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => AccountError::NameTaken,
            _ => AccountError::Act(error.into()),
        }
    }
}

/// An account to be made.
pub struct NewUser {
    /// Checked and folded.
    pub username: String,
    /// argon2id, PHC form.
    pub password_hash: String,
    /// What it may do.
    pub role: Role,
    /// Whose.
    pub enterprise: Option<Uuid>,
}

/// The hash a secret is looked up by.
pub(super) fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, secret.as_bytes()))
}

pub(super) async fn by_id(db: &Db, id: Uuid) -> Result<Option<user_account::Model>, DbErr> {
    user_account::Entity::find_by_id(id).one(db.reader()).await
}

pub(super) async fn by_name(db: &Db, name: &str) -> Result<Option<user_account::Model>, DbErr> {
    user_account::Entity::find()
        .filter(user_account::Column::Username.eq(name))
        .one(db.reader())
        .await
}

/// Accounts of one enterprise, or all.
pub(super) async fn list(
    db: &Db,
    enterprise: Option<Uuid>,
    paging: Paging,
) -> Result<Vec<user_account::Model>, DbErr> {
    let mut query = user_account::Entity::find().filter(user_account::Column::Id.gt(paging.after));
    if let Some(enterprise) = enterprise {
        query = query.filter(user_account::Column::EnterpriseId.eq(enterprise));
    }
    query
        .order_by_asc(user_account::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await
}

/// Makes an account; a retried request gets the first answer.
pub async fn create_user(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
    user: NewUser,
) -> Result<UserOut, AccountError> {
    let act = match log.begin::<UserOut>(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let id = insert(act.tx(), &user, act.stamp()).await?;
    let row = user_account::Entity::find_by_id(id).one(act.tx()).await?;
    let out = UserOut::from(row.ok_or(AccountError::Unknown)?);
    act.commit(
        Entry {
            kind: Kind::AccountChanged,
            enterprise: user.enterprise,
            subject: format!("user:{id}"),
            body: &serde_json::json!({"made": user.role}),
        },
        &out,
    )
    .await?;
    Ok(out)
}

/// Switches an account off or on, or gives it a new password; ends its sessions.
pub(super) async fn change(
    log: &Log,
    actor: Actor,
    enterprise: Option<Uuid>,
    id: Uuid,
    disabled: Option<bool>,
    password_hash: Option<String>,
) -> Result<user_account::Model, AccountError> {
    let act = match log.begin::<()>(actor, None).await? {
        Begun::Act(act) => act,
        Begun::Answered(()) => return Err(AccountError::Unknown), // no key was given
    };
    let mut query = user_account::Entity::find_by_id(id);
    if let Some(enterprise) = enterprise {
        query = query.filter(user_account::Column::EnterpriseId.eq(enterprise));
    }
    let mut user = query.one(act.tx()).await?.ok_or(AccountError::Unknown)?;
    let body = serde_json::json!({
        "disabled": disabled,
        "password": password_hash.as_ref().map(|_| "changed"),
    });
    user.disabled = disabled.unwrap_or(user.disabled);
    user.password_hash = password_hash.unwrap_or(user.password_hash);
    user_account::Entity::update_many()
        .col_expr(user_account::Column::Disabled, user.disabled.into())
        .col_expr(
            user_account::Column::PasswordHash,
            user.password_hash.clone().into(),
        )
        .col_expr(user_account::Column::FailedLogins, 0i64.into())
        .col_expr(user_account::Column::LockedUntil, 0i64.into())
        .col_expr(
            user_account::Column::Generation,
            (user.generation + 1).into(),
        )
        .filter(user_account::Column::Id.eq(id))
        .exec(act.tx())
        .await?;
    refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::Revoked, true.into())
        .filter(refresh_token::Column::UserId.eq(id))
        .exec(act.tx())
        .await?;
    act.commit(
        Entry {
            kind: Kind::AccountChanged,
            enterprise: user.enterprise_id,
            subject: format!("user:{id}"),
            body: &body,
        },
        &(),
    )
    .await?;
    Ok(user)
}

/// Makes the one-time link's secret, valid for a day, when there is no account yet.
pub async fn make_setup_link(db: &Db, now: Micros) -> Result<Option<String>, DbErr> {
    if user_account::Entity::find().count(db.reader()).await? > 0 {
        return Ok(None);
    }
    let secret = secret()?;
    setup_link::Entity::insert(setup_link::ActiveModel {
        hash: Set(hash(&secret)),
        expires_at: Set(now + 24 * 3600 * 1_000_000),
        used_at: Set(None),
    })
    .exec_without_returning(db.writer())
    .await?;
    Ok(Some(secret))
}

/// Makes the first administrator for whoever holds the one-time link.
pub async fn create_first_admin(
    log: &Log,
    link: &str,
    username: String,
    password_hash: String,
) -> Result<Uuid, AccountError> {
    let act = log.begin_as_system().await?;
    let used = setup_link::Entity::update_many()
        .col_expr(setup_link::Column::UsedAt, act.stamp().into())
        .filter(setup_link::Column::Hash.eq(hash(link)))
        .filter(setup_link::Column::UsedAt.is_null())
        .filter(setup_link::Column::ExpiresAt.gt(act.stamp()))
        .exec(act.tx())
        .await?;
    // The head is locked, so nobody can become the first administrator in between.
    let first = user_account::Entity::find().count(act.tx()).await? == 0;
    if used.rows_affected != 1 || !first {
        return Err(AccountError::LinkInvalid);
    }
    let user = NewUser {
        username,
        password_hash,
        role: Role::PlatformAdmin,
        enterprise: None,
    };
    let id = insert(act.tx(), &user, act.stamp()).await?;
    act.commit(
        Entry {
            kind: Kind::AccountChanged,
            enterprise: None,
            subject: format!("user:{id}"),
            body: &serde_json::json!({"made": user.role, "by": "set-up link"}),
        },
        &(),
    )
    .await?;
    Ok(id)
}

async fn insert(tx: &impl ConnectionTrait, user: &NewUser, at: Micros) -> Result<Uuid, DbErr> {
    let id = Uuid::now_v7();
    user_account::Entity::insert(user_account::ActiveModel {
        id: Set(id),
        enterprise_id: Set(user.enterprise),
        username: Set(user.username.clone()),
        password_hash: Set(user.password_hash.clone()),
        role: Set(user.role.name().into()),
        disabled: Set(false),
        created_at: Set(at),
        failed_logins: Set(0),
        locked_until: Set(0),
        generation: Set(0),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(id)
}

/// Notes a failed log-in in one statement, so that parallel guesses all count.
pub(super) async fn note_failure(db: &Db, id: Uuid, now: Micros) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    let row = query_one(
        &tx,
        "UPDATE user_account SET failed_logins = failed_logins + 1 WHERE id = ? \
             RETURNING failed_logins",
        [id.into()],
    )
    .await?;
    if let Some(row) = row {
        let until = rules::locked_until(row.try_get("", "failed_logins")?, now);
        user_account::Entity::update_many()
            .col_expr(user_account::Column::LockedUntil, until.into())
            .filter(user_account::Column::Id.eq(id))
            .exec(&tx)
            .await?;
    }
    tx.commit().await
}

/// Starts a session: clears failures, keeps a new refresh token's hash, returns its secret; none
/// when the account was locked, switched off or changed meanwhile.
pub(super) async fn start_session(
    db: &Db,
    user: &user_account::Model,
    now: Micros,
    life_s: i64,
) -> Result<Option<String>, DbErr> {
    let tx = db.begin().await?;
    // Asked again here: a burst of guesses may all have seen the account unlocked.
    let open = user_account::Entity::update_many()
        .col_expr(user_account::Column::FailedLogins, 0i64.into())
        .col_expr(user_account::Column::LockedUntil, 0i64.into())
        .filter(user_account::Column::Id.eq(user.id))
        .filter(user_account::Column::LockedUntil.lte(now))
        .filter(user_account::Column::Disabled.eq(false))
        .filter(user_account::Column::Generation.eq(user.generation))
        .exec(&tx)
        .await?;
    if open.rows_affected != 1 {
        return Ok(None);
    }
    let owner = Owner {
        family: Uuid::now_v7(),
        user: user.id,
        generation: user.generation,
    };
    let secret = add_refresh(&tx, owner, now, life_s).await?;
    tx.commit().await?;
    Ok(Some(secret))
}

/// Whose a refresh token is.
struct Owner {
    family: Uuid,
    user: Uuid,
    /// Of the account when its password was checked; a later one ends the token.
    generation: i64,
}

/// What became of a refresh token.
pub(super) enum Rotation {
    /// A new secret for this user.
    Rotated {
        user: Uuid,
        generation: i64,
        secret: String,
    },
    /// It was used before: the family has ended.
    Reused { family: Uuid },
    /// Not one of ours, expired or ended.
    Unknown,
}

/// Uses a refresh token once; a second use ends the family.
pub(super) async fn rotate(
    db: &Db,
    secret: &str,
    now: Micros,
    life_s: i64,
) -> Result<Rotation, DbErr> {
    let tx = db.begin().await?;
    let hash = hash(secret);
    let used = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, now.into())
        .filter(refresh_token::Column::Hash.eq(&hash))
        .filter(refresh_token::Column::UsedAt.is_null())
        .filter(refresh_token::Column::Revoked.eq(false))
        .filter(refresh_token::Column::ExpiresAt.gt(now))
        .exec(&tx)
        .await?;
    let Some(row) = refresh_token::Entity::find_by_id(&hash).one(&tx).await? else {
        return Ok(Rotation::Unknown);
    };
    if used.rows_affected == 1 {
        let owner = Owner {
            family: row.family,
            user: row.user_id,
            generation: row.generation,
        };
        let secret = add_refresh(&tx, owner, now, life_s).await?;
        tx.commit().await?;
        return Ok(Rotation::Rotated {
            user: row.user_id,
            generation: row.generation,
            secret,
        });
    }
    if row.used_at.is_some() && !row.revoked {
        end_family(&tx, row.family).await?;
        tx.commit().await?;
        return Ok(Rotation::Reused { family: row.family });
    }
    Ok(Rotation::Unknown)
}

/// Ends the session a refresh token belongs to.
pub(super) async fn end_session(db: &Db, secret: &str) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    if let Some(row) = refresh_token::Entity::find_by_id(hash(secret))
        .one(&tx)
        .await?
    {
        end_family(&tx, row.family).await?;
    }
    tx.commit().await
}

async fn end_family(tx: &impl ConnectionTrait, family: Uuid) -> Result<(), DbErr> {
    refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::Revoked, true.into())
        .filter(refresh_token::Column::Family.eq(family))
        .exec(tx)
        .await?;
    Ok(())
}

async fn add_refresh(
    tx: &impl ConnectionTrait,
    owner: Owner,
    now: Micros,
    life_s: i64,
) -> Result<String, DbErr> {
    let secret = secret()?;
    refresh_token::Entity::insert(refresh_token::ActiveModel {
        hash: Set(hash(&secret)),
        family: Set(owner.family),
        user_id: Set(owner.user),
        generation: Set(owner.generation),
        issued_at: Set(now),
        expires_at: Set(now + life_s * 1_000_000),
        used_at: Set(None),
        revoked: Set(false),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(secret)
}

/// 256 random bits as text.
fn secret() -> Result<String, DbErr> {
    let bytes = crate::sealing::random::<32>().map_err(|e| DbErr::Custom(e.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The keys that are in use, oldest first.
pub async fn signing_keys(conn: &impl ConnectionTrait) -> Result<Vec<signing_key::Model>, DbErr> {
    signing_key::Entity::find()
        .filter(signing_key::Column::RetiredAt.is_null())
        .order_by_asc(signing_key::Column::CreatedAt)
        .all(conn)
        .await
}

/// Keeps a key.
pub async fn insert_signing_key(
    tx: &impl ConnectionTrait,
    key: signing_key::Model,
) -> Result<(), DbErr> {
    signing_key::Entity::insert(signing_key::ActiveModel::from(key))
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
