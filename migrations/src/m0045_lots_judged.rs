//! What is wrong with goods of lots having gone (sold though recalled or expired, and the like): findings
//! of a line by their event, and once over all that went before this was asked.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        sql(
            manager,
            "CREATE INDEX finding_line_by_event ON finding (event_gseq) \
             WHERE line_id IS NOT NULL AND closed IS NULL",
        )
        .await?;
        // Work that entries and acts make is numbered by their positions, far above this.
        sql(
            manager,
            "INSERT INTO refold (id, scope, cursor, gseq, rank, merges) \
             SELECT 1, '{\"of\":\"went\",\"batch\":null}', 0, 0, 0, '' \
             WHERE EXISTS (SELECT 1 FROM lot_move)",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
