//! Checkpoints along the lines of lots: where a late movement goes back to. What is behind one in the
//! order came in at `rest_from` or later. Lines that are in have none until something comes late.

use crate::table::{hot, sql};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        hot(
            manager,
            "CREATE TABLE lot_checkpoint (
                line_id BIGINT NOT NULL,
                eff BIGINT NOT NULL,
                rest_from BIGINT NOT NULL,
                state TEXT NOT NULL,
                PRIMARY KEY (line_id, eff)
            ) CLUSTERED",
        )
        .await?;
        sql(
            manager,
            "CREATE INDEX finding_line_event ON finding (line_id, event_gseq) \
             WHERE line_id IS NOT NULL AND closed IS NULL",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
