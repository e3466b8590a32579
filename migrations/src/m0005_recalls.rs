//! Recalls: an order to stop and fetch back, and the batches it covers.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("recall")
            .uuid("enterprise_id")
            .uuid("id")
            .text("reason")
            .text("instructions")
            .int("opened_at")
            .int_null("closed_at")
            .text_null("closing_note")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        table("recall_batch")
            .uuid("enterprise_id")
            .uuid("recall_id")
            .uuid("batch_id")
            .key(&["enterprise_id", "recall_id", "batch_id"])
            .create(manager)
            .await?;
        index(
            manager,
            "recall_batch_batch",
            "recall_batch",
            &["enterprise_id", "batch_id"],
            false,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
