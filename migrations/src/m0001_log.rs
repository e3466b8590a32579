//! The installation's log with its one head row (the only lock order anywhere), and the answers
//! kept for retried requests.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("log_head")
            .int("id")
            .uuid("installation")
            .int("gseq")
            .int("stamp")
            .key(&["id"])
            .create(manager)
            .await?;
        table("log_entry")
            .int("gseq")
            .int("stamp")
            .text("kind")
            .uuid_null("enterprise_id")
            .text("actor")
            .text("subject")
            .text("body")
            .key(&["gseq"])
            .create(manager)
            .await?;
        index(
            manager,
            "log_entry_enterprise",
            "log_entry",
            &["enterprise_id", "gseq"],
            false,
        )
        .await?;
        table("idempotency")
            .text("scope")
            .text("key")
            .text("request_hash")
            .text("response")
            .int("created_at")
            .key(&["scope", "key"])
            .create(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
