//! A create that is sent twice happens once: the answer is kept, in the same transaction, under
//! the caller and the key it sent. A key used for a different request is refused.

use super::{ActError, Actor};
use crate::{clock::Micros, db::Db, entities::idempotency, sealing::Sealer};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
};

/// A key as sent, with a digest of the request it came with.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    key: String,
    request: String,
}

impl IdempotencyKey {
    /// `key` as the caller sent it; `operation` and `body` are what it stands for. Only a keyed
    /// digest of them is kept: a body may hold a password.
    pub fn new(sealer: &Sealer, key: &str, operation: &str, body: &[u8]) -> IdempotencyKey {
        let text = [operation.as_bytes(), &[0], body].concat();
        let request = sealer.keyed_digest(&text);
        IdempotencyKey {
            key: key.to_owned(),
            request,
        }
    }
}

/// A key that this act will keep its answer under.
pub(super) struct Claim {
    scope: String,
    key: IdempotencyKey,
}

pub(super) enum Found {
    New(Claim),
    Answered(String),
    OtherRequest,
}

pub(super) async fn claim(
    tx: &DatabaseTransaction,
    actor: Actor,
    key: IdempotencyKey,
) -> Result<Found, ActError> {
    let scope = actor.name();
    let row = idempotency::Entity::find_by_id((scope.clone(), key.key.clone()))
        .one(tx)
        .await?;
    Ok(match row {
        None => Found::New(Claim { scope, key }),
        Some(row) if row.request_hash == key.request => Found::Answered(row.response),
        Some(_) => Found::OtherRequest,
    })
}

/// How long an answer is kept for a request that may be sent again.
const KEEP_DAYS: i64 = 7;

/// Forgets answers older than a week.
pub(super) async fn forget(db: &Db, now: Micros) -> Result<u64, DbErr> {
    let oldest = now - KEEP_DAYS * 86_400_000_000;
    let gone = idempotency::Entity::delete_many()
        .filter(idempotency::Column::CreatedAt.lt(oldest))
        .exec(db.writer())
        .await?;
    Ok(gone.rows_affected)
}

pub(super) async fn keep(
    tx: &DatabaseTransaction,
    claim: Claim,
    answer: &str,
    at: Micros,
) -> Result<(), DbErr> {
    idempotency::Entity::insert(idempotency::ActiveModel {
        scope: Set(claim.scope),
        key: Set(claim.key.key),
        request_hash: Set(claim.key.request),
        response: Set(answer.to_owned()),
        created_at: Set(at),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(())
}
