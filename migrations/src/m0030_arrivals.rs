//! What a late complete count asks: which goods came to its place (events that put something in stock
//! there); and work that is left: what comes first, and what is done once for several.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            "CREATE INDEX event_arrival ON event (location_id, gseq) \
             WHERE kind IN ('inbound', 'count', 'pack', 'unpack', 'inspect')",
            // Of rows with the same `merges` one is enough, while it has not begun.
            "ALTER TABLE refold ADD COLUMN rank BIGINT NOT NULL DEFAULT 2",
            "ALTER TABLE refold ADD COLUMN merges TEXT NOT NULL DEFAULT ''",
            "CREATE INDEX refold_rank ON refold (rank, id)",
            "CREATE INDEX refold_merges ON refold (merges) WHERE merges <> ''",
        ] {
            sql(manager, statement).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
