//! What people meant who typed codes: an event's text says something else, and whoever reads it again must
//! understand it as it was admitted.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Keys of units, with spaces between. Of nearly all events there is nothing to say, and what was
        // admitted before stays what it was taken for.
        sql(manager, "ALTER TABLE event ADD COLUMN meant TEXT").await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
