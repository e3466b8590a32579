//! Suspicions about units (疑似假冒), raised from the query log and cleared by the issuer.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("suspicion")
            .uuid("enterprise_id")
            .uuid("id")
            .text("space")
            .int("idx")
            .text("code")
            .text("kind")
            .text("evidence")
            .int("raised_at")
            .int_null("cleared_at")
            .text_null("clearing_note")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        index(
            manager,
            "suspicion_unit",
            "suspicion",
            &["space", "idx"],
            false,
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
