//! The public projection: all that a consumer-facing process may read. Each row carries the log
//! position that wrote it, in the same transaction.

use crate::table::table;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("public_head")
            .int("id")
            .uuid("installation")
            .int("position")
            .int("stamp")
            .key(&["id"])
            .create(manager)
            .await?;
        table("public_space")
            .text("space")
            .uuid("enterprise_id")
            .uuid_null("product_id")
            .text("level")
            .text("keys")
            .int("position")
            .key(&["space"])
            .create(manager)
            .await?;
        table("public_product")
            .uuid("product_id")
            .text("view")
            .int("position")
            .key(&["product_id"])
            .create(manager)
            .await?;
        table("public_batch")
            .uuid("batch_id")
            .uuid("product_id")
            .text("lot")
            .text("expiry_date")
            .flag("published")
            .text("view")
            .text("recalls")
            .int("position")
            .key(&["batch_id"])
            .create(manager)
            .await?;
        table("public_range")
            .text("space")
            .text("kind")
            .int("lo")
            .int("hi")
            .uuid_null("batch_id")
            .int("position")
            .key(&["space", "kind", "lo"])
            .create(manager)
            .await?;
        table("public_chunk")
            .text("space")
            .int("chunk")
            .text("kind")
            .uuid("batch_id")
            .bytes("bits")
            .int("position")
            .key(&["space", "chunk", "kind", "batch_id"])
            .create(manager)
            .await?;
        table("public_file")
            .text("hash")
            .text("media_type")
            .text("title")
            .bytes("content")
            .int("position")
            .key(&["hash"])
            .create(manager)
            .await?;
        for name in [
            "public_space",
            "public_product",
            "public_batch",
            "public_range",
            "public_chunk",
            "public_file",
        ] {
            manager
                .create_index(
                    Index::create()
                        .name(format!("{name}_position"))
                        .table(Alias::new(name))
                        .col(Alias::new("position"))
                        .if_not_exists()
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
