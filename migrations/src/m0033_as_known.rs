//! What was known at a position never changes: where an event stood in the order, and what a finding
//! said, are kept when they change. Changes made before this release are not in here; for them what
//! stands now is told.
//!
//! What was done with codes is read space by space, from an instant on.

use crate::table::{hot, index};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // `eff` stood below the position `until`.
        hot(
            manager,
            "CREATE TABLE event_was (
                gseq BIGINT NOT NULL,
                until BIGINT NOT NULL,
                eff BIGINT NOT NULL,
                PRIMARY KEY (gseq, until)
            ) CLUSTERED",
        )
        .await?;
        // The finding `id` said this below the position `until`.
        hot(
            manager,
            "CREATE TABLE finding_was (
                id BIGINT NOT NULL,
                until BIGINT NOT NULL,
                finding TEXT NOT NULL,
                PRIMARY KEY (id, until)
            ) CLUSTERED",
        )
        .await?;
        for (name, table) in [
            ("commission_space", "commission"),
            ("code_destruction_space", "code_destruction"),
        ] {
            let columns = ["enterprise_id", "space", "created_at"];
            index(manager, name, table, &columns, false).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
