//! Of lines of goods without codes: how many lie apart loose, fetched back under a recall, which are in no balance;
//! and whose lines were, before their place came on record as somebody else's: balances as they were known then
//! are theirs to read, and nobody else's.

use crate::table::{hot, sql};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Below `until` the line was this enterprise's.
        hot(
            manager,
            "CREATE TABLE lot_line_whose (
                line_id BIGINT NOT NULL,
                until BIGINT NOT NULL,
                enterprise_id UUID NOT NULL,
                PRIMARY KEY (line_id, until)
            ) CLUSTERED",
        )
        .await?;
        let by_whom = "CREATE INDEX lot_line_whose_enterprise ON lot_line_whose (enterprise_id)";
        sql(manager, by_whom).await?;
        for lines in ["lot_line", "lot_line_was"] {
            let apart = format!("ALTER TABLE {lines} ADD COLUMN apart BIGINT NOT NULL DEFAULT 0");
            sql(manager, &apart).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
