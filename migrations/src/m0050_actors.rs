//! Who acted and is not on record (C15): asked once over of all that came in before this was asked, where
//! anybody is on record at all.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Work that entries and acts make is numbered by their positions, far above this.
        sql(
            manager,
            "INSERT INTO refold (id, scope, cursor, gseq, rank, merges) \
             SELECT 2, '{\"of\":\"acted\"}', 0, 0, 2, '' WHERE EXISTS (SELECT 1 FROM badge)",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
