//! All SQL about the keys lists are signed with.

use crate::entities::list_key;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryOrder};

/// Whoever adds a key is alone in this table.
pub(super) const TABLE: &str = "list_key";

pub(super) async fn all(conn: &impl ConnectionTrait) -> Result<Vec<list_key::Model>, DbErr> {
    list_key::Entity::find()
        .order_by_asc(list_key::Column::Number)
        .all(conn)
        .await
}

pub(super) async fn add(tx: &impl ConnectionTrait, row: list_key::Model) -> Result<(), DbErr> {
    list_key::Entity::insert(row.into_active_model())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
