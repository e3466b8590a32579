//! Closed periods and what came in late for them (T10); decisions are found by kind.

use crate::table::{hot, index, sql, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("period")
            .uuid("enterprise_id")
            .int("until")
            .int("gseq")
            .int("closed_at")
            .key(&["enterprise_id", "until"])
            .create(manager)
            .await?;
        index(
            manager,
            "period_gseq",
            "period",
            &["enterprise_id", "gseq"],
            true,
        )
        .await?;
        hot(
            manager,
            "CREATE TABLE restatement (
                enterprise_id UUID NOT NULL,
                period BIGINT NOT NULL,
                event_gseq BIGINT NOT NULL,
                PRIMARY KEY (enterprise_id, period, event_gseq)
            ) CLUSTERED",
        )
        .await?;
        sql(
            manager,
            "CREATE INDEX log_entry_decision ON log_entry (kind, gseq) WHERE kind IN \
             ('policy_changed', 'holder_accepted', 'shift_closed')",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
