//! Watches: which codes someone wants to hear of, under the hash of a token only they hold. Part
//! of the public projection: a consumer-facing process reads it, the internal side writes it.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("public_watch")
            .text("token_hash")
            .text("codes")
            .int("created_at")
            .int("ends_at")
            .int("position")
            .key(&["token_hash"])
            .create(manager)
            .await?;
        index(
            manager,
            "public_watch_position",
            "public_watch",
            &["position"],
            false,
        )
        .await?;
        index(
            manager,
            "public_watch_ends_at",
            "public_watch",
            &["ends_at"],
            false,
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
