//! Events of a group in one life of a device, by position: the first of them are found, however many a device gave the
//! same group; and which groups have a retract, without which nothing of one stands elsewhere.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        sql(manager, "DROP INDEX event_group").await?;
        let index = "CREATE INDEX event_group ON event (group_id, device_id, epoch, gseq) \
                     WHERE group_id IS NOT NULL";
        sql(manager, index).await?;
        let index = "CREATE INDEX event_group_retract ON event (group_id) \
                     WHERE kind = 'retract' AND group_id IS NOT NULL";
        sql(manager, index).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
