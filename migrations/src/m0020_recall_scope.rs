//! Recalls grow up: who is responsible and since when, scopes of single units beside batches, each
//! part of a scope with the log position and instant it came in at, and what the public side needs
//! to tell recalls and states of single units.

use crate::table::{index, sql, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            "opened_gseq BIGINT NOT NULL DEFAULT 0",
            "closed_gseq BIGINT",
            "mistaken BOOLEAN NOT NULL DEFAULT FALSE",
            "initiated_at BIGINT NOT NULL DEFAULT 0",
            // May be a person: erased by itself, and never in the log.
            "responsible TEXT",
            "destinations TEXT NOT NULL DEFAULT '[]'",
        ] {
            sql(manager, &format!("ALTER TABLE recall ADD COLUMN {column}")).await?;
        }
        for column in [
            "since BIGINT NOT NULL DEFAULT 0",
            "since_at BIGINT NOT NULL DEFAULT 0",
        ] {
            let statement = format!("ALTER TABLE recall_batch ADD COLUMN {column}");
            sql(manager, &statement).await?;
        }
        // No two entries of the log share an instant.
        sql(
            manager,
            "UPDATE recall SET initiated_at = opened_at, \
             opened_gseq = COALESCE((SELECT gseq FROM log_entry WHERE stamp = opened_at), 0), \
             closed_gseq = (SELECT gseq FROM log_entry WHERE stamp = closed_at)",
        )
        .await?;
        sql(
            manager,
            "UPDATE recall_batch SET \
             since = (SELECT r.opened_gseq FROM recall r WHERE r.id = recall_batch.recall_id), \
             since_at = (SELECT r.opened_at FROM recall r WHERE r.id = recall_batch.recall_id)",
        )
        .await?;
        table("recall_units")
            .uuid("enterprise_id")
            .uuid("recall_id")
            .text("space")
            .int("chunk")
            .int("since")
            .int("since_at")
            .int("n")
            .bytes("bits")
            .key(&["enterprise_id", "recall_id", "space", "chunk", "since"])
            .create(manager)
            .await?;
        table("recall_code")
            .uuid("enterprise_id")
            .uuid("recall_id")
            .text("unit")
            .int("since")
            .int("since_at")
            .key(&["enterprise_id", "recall_id", "unit"])
            .create(manager)
            .await?;
        // Parts of a long scope that wait for their turn; nobody reads them but who publishes them.
        table("recall_stage")
            .uuid("enterprise_id")
            .uuid("recall_id")
            .uuid("stage_id")
            .text("space")
            .int("chunk")
            .int("staged_at")
            .int("n")
            .bytes("bits")
            .key(&["enterprise_id", "recall_id", "stage_id", "space", "chunk"])
            .create(manager)
            .await?;
        table("public_recall")
            .uuid("recall_id")
            .text("notice")
            .int("position")
            .key(&["recall_id"])
            .create(manager)
            .await?;
        table("public_unit")
            .text("unit")
            .int("status")
            .text("recalls")
            .int("position")
            .key(&["unit"])
            .create(manager)
            .await?;
        for (name, of, columns) in [
            ("recall_batch_of_batch", "recall_batch", &["batch_id"][..]),
            ("recall_units_chunk", "recall_units", &["space", "chunk"]),
            ("recall_code_unit", "recall_code", &["unit"]),
            ("public_recall_position", "public_recall", &["position"]),
            ("public_unit_position", "public_unit", &["position"]),
        ] {
            index(manager, name, of, columns, false).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
