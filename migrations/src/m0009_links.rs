//! Links: what an enterprise registers for a key, and the public projection a resolver answers
//! from, one row an anchor; an empty list is its tombstone.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("link")
            .uuid("enterprise_id")
            .uuid("id")
            .text("anchor")
            .text("content")
            .int("created_at")
            .int_null("deleted_at")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        index(
            manager,
            "link_anchor",
            "link",
            &["enterprise_id", "anchor"],
            false,
        )
        .await?;
        table("public_link")
            .text("anchor")
            .text("links")
            .int("position")
            .key(&["anchor"])
            .create(manager)
            .await?;
        index(
            manager,
            "public_link_position",
            "public_link",
            &["position"],
            false,
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
