//! Closed periods and what came in late for them (T10), in the order in which that was noted. Decisions
//! and confirmations of the clock are found by kind, dead letters by whose they are.

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
                noted BIGINT NOT NULL,
                PRIMARY KEY (enterprise_id, period, event_gseq)
            ) CLUSTERED",
        )
        .await?;
        index(
            manager,
            "restatement_noted",
            "restatement",
            &["enterprise_id", "period", "noted", "event_gseq"],
            true,
        )
        .await?;
        index(
            manager,
            "dead_letter_enterprise",
            "dead_letter",
            &["enterprise_id", "at", "id"],
            false,
        )
        .await?;
        sql(
            manager,
            "CREATE INDEX log_entry_clock ON log_entry (gseq) WHERE kind = 'clock_confirmed'",
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
