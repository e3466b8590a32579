//! The chain over the log (I30): one row an act, with the hash of all rows the act wrote and of the act
//! before it; the newest hash, and the position it stands for, beside the head, which every act reads
//! anyway. Acts from before have none: the chain begins with the first act after this.

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
            "CREATE TABLE log_chain (
                first_gseq ROWID PRIMARY KEY,
                last_gseq BIGINT NOT NULL,
                hash BYTES NOT NULL
            )",
        )
        .await?;
        hot(manager, "ALTER TABLE log_head ADD COLUMN chain BYTES").await?;
        sql(manager, "ALTER TABLE log_head ADD COLUMN chained BIGINT").await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
