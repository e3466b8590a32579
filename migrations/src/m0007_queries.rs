//! Trace queries (追溯查询记录): what the consumer side writes, in batches, and the counts folded
//! from it. Aged figures, outside the log.

use crate::table::{index, sql, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("query_batch")
            .uuid("id")
            .int("created_at")
            .int_null("fold")
            .key(&["id"])
            .create(manager)
            .await?;
        index(
            manager,
            "query_batch_fold",
            "query_batch",
            &["fold", "created_at"],
            false,
        )
        .await?;
        table("query_log")
            .uuid("batch")
            .int("n")
            .int("at")
            .text("code")
            .text("space")
            .int("idx")
            .text("verdict")
            .text("channel")
            .flag("bot")
            .text("device")
            .key(&["batch", "n"])
            .create(manager)
            .await?;
        table("query_fold")
            .int("id")
            .int("fold")
            .int("folded_at")
            .key(&["id"])
            .create(manager)
            .await?;
        table("query_count")
            .text("space")
            .int("idx")
            .int("first_at")
            .int("n")
            .int("fold")
            .key(&["space", "idx"])
            .create(manager)
            .await?;
        table("query_chunk")
            .text("space")
            .int("chunk")
            .bytes("bits")
            .int("fold")
            .key(&["space", "chunk"])
            .create(manager)
            .await?;
        index(manager, "query_chunk_fold", "query_chunk", &["fold"], false).await?;
        sql(
            manager,
            "INSERT INTO query_fold (id, fold, folded_at) VALUES (1, 0, 0)",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
