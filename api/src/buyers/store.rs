//! All SQL about buyers. What is erased is a row that is gone: that there was one stands in the log.

use crate::{
    clock::Micros,
    db::Db,
    entities::buyer_personal as buyer,
    log::{Act, ActError, Entry, Kind, Log},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    sea_query::OnConflict,
};
use uuid::Uuid;

/// Files what is sealed of the buyer of a sale, in the place of what was.
pub(super) async fn put(act: &Act, row: buyer::Model) -> Result<(), DbErr> {
    let key = [buyer::Column::EnterpriseId, buyer::Column::EventId];
    let rest = [
        buyer::Column::Sealed,
        buyer::Column::FiledAt,
        buyer::Column::KeepUntil,
    ];
    buyer::Entity::insert(buyer::ActiveModel {
        enterprise_id: Set(row.enterprise_id),
        event_id: Set(row.event_id),
        sealed: Set(row.sealed),
        filed_at: Set(row.filed_at),
        keep_until: Set(row.keep_until),
    })
    .on_conflict(OnConflict::columns(key).update_columns(rest).to_owned())
    .exec_without_returning(act.tx())
    .await?;
    Ok(())
}

/// What is filed of an event of an enterprise.
pub(super) async fn find(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    event: Uuid,
) -> Result<Option<buyer::Model>, DbErr> {
    buyer::Entity::find_by_id((enterprise, event))
        .one(conn)
        .await
}

/// Erases it; was there any?
pub(super) async fn erase(act: &Act, enterprise: Uuid, event: Uuid) -> Result<bool, DbErr> {
    let gone = buyer::Entity::delete_by_id((enterprise, event))
        .exec(act.tx())
        .await?;
    Ok(gone.rows_affected > 0)
}

/// Erases what is filed about buyers and whose time is over at `now`, each with its entry; returns how many.
pub async fn erase_overdue(db: &Db, log: &Log, now: Micros) -> Result<u64, ActError> {
    let mut erased = 0;
    loop {
        let over = buyer::Entity::find()
            .filter(buyer::Column::KeepUntil.lt(now))
            .order_by_asc(buyer::Column::KeepUntil)
            .one(db.reader())
            .await?;
        let Some(over) = over else {
            return Ok(erased);
        };
        let act = log.begin_as_system().await?;
        // Filed anew meanwhile, or erased by somebody else.
        let gone = buyer::Entity::delete_by_id((over.enterprise_id, over.event_id))
            .filter(buyer::Column::KeepUntil.lt(now))
            .exec(act.tx())
            .await?;
        if gone.rows_affected == 0 {
            act.abandon().await?;
            continue;
        }
        let entry = Entry {
            kind: Kind::PersonalDataErased,
            enterprise: Some(over.enterprise_id),
            subject: format!("event:{}", over.event_id),
            body: &serde_json::json!({"by": "time"}),
        };
        act.commit(entry, &()).await?;
        erased += 1;
    }
}
