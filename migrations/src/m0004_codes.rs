//! Issuing of codes: spaces of indices, the keys that turn an index into a serial (kept wrapped),
//! segments, commissioning and the destruction of unqualified codes.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("code_space")
            .uuid("enterprise_id")
            .text("space")
            .uuid_null("product_id")
            .text("level")
            .int("next_index")
            .int("created_at")
            .key(&["enterprise_id", "space"])
            .create(manager)
            .await?;
        index(manager, "code_space_space", "code_space", &["space"], true).await?;
        table("issue_key")
            .uuid("enterprise_id")
            .text("space")
            .int("key_id")
            .bytes("wrapped")
            .int("created_at")
            .key(&["enterprise_id", "space", "key_id"])
            .create(manager)
            .await?;
        table("segment")
            .uuid("enterprise_id")
            .uuid("id")
            .text("space")
            .int("key_id")
            .int("lo")
            .int("hi")
            .int("created_at")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        index(
            manager,
            "segment_space",
            "segment",
            &["enterprise_id", "space", "lo"],
            true,
        )
        .await?;
        table("commission")
            .uuid("enterprise_id")
            .uuid("id")
            .text("space")
            .uuid("batch_id")
            .int("codes")
            .text("what")
            .int("created_at")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        table("code_destruction")
            .uuid("enterprise_id")
            .uuid("id")
            .text("space")
            .int("codes")
            .text("reason")
            .text("method")
            .text("witness")
            .text_null("evidence")
            .text("what")
            .int("destroyed_at")
            .int("created_at")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
