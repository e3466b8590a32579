//! The greatest anchor that a device's events stated so far: what it had acknowledged by then it knows from then
//! on, whatever anchor a later event states.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Of this event and those before it on its branch; null where none states one, and of what was admitted
        // before this was kept.
        sql(manager, "ALTER TABLE event ADD COLUMN anchored BIGINT").await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
