//! Enterprises, their places, products and batches. What a standard asks for is kept in versions,
//! so that a unit shows what was in force when it was made.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("enterprise")
            .uuid("id")
            .text("code")
            .int("created_at")
            .key(&["id"])
            .create(manager)
            .await?;
        index(manager, "enterprise_code", "enterprise", &["code"], true).await?;
        table("enterprise_version")
            .uuid("enterprise_id")
            .int("version")
            .text("name")
            .text("valid_from")
            .text("fields")
            .int("created_at")
            .key(&["enterprise_id", "version"])
            .create(manager)
            .await?;
        table("gs1_prefix")
            .text("prefix")
            .uuid("enterprise_id")
            .int("created_at")
            .key(&["prefix"])
            .create(manager)
            .await?;
        table("location")
            .uuid("enterprise_id")
            .uuid("id")
            .text("kind")
            .text("code")
            .text_null("gln")
            .text("name")
            .text("fields")
            .int("version")
            .int("created_at")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        index(
            manager,
            "location_code",
            "location",
            &["enterprise_id", "code"],
            true,
        )
        .await?;
        table("product")
            .uuid("enterprise_id")
            .uuid("id")
            .text("code")
            .text("name")
            .text("profile")
            .text_null("category")
            .int("created_at")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        index(
            manager,
            "product_code",
            "product",
            &["enterprise_id", "code"],
            true,
        )
        .await?;
        table("product_version")
            .uuid("enterprise_id")
            .uuid("product_id")
            .int("version")
            .text("name")
            .text("valid_from")
            .text("fields")
            .int("created_at")
            .int_null("published_at")
            .key(&["enterprise_id", "product_id", "version"])
            .create(manager)
            .await?;
        table("batch")
            .uuid("enterprise_id")
            .uuid("id")
            .uuid("product_id")
            .uuid_null("plant_id")
            .text("lot")
            .text("production_date")
            .text("expiry_date")
            .int("created_at")
            .int_null("published_version")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        index(
            manager,
            "batch_lot",
            "batch",
            &["enterprise_id", "product_id", "lot"],
            true,
        )
        .await?;
        table("batch_version")
            .uuid("enterprise_id")
            .uuid("batch_id")
            .int("version")
            .text("fields")
            .int("created_at")
            .key(&["enterprise_id", "batch_id", "version"])
            .create(manager)
            .await?;
        table("file_object")
            .uuid("enterprise_id")
            .text("hash")
            .text("media_type")
            .text("title")
            .int("size")
            .bytes("content")
            .int("created_at")
            .key(&["enterprise_id", "hash"])
            .create(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
