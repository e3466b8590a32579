//! What the standards ask about the buyer of a sale, apart from the event, which is kept for ever: sealed, and
//! erased when its time is over.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("buyer_personal")
            .uuid("enterprise_id")
            .uuid("event_id")
            .bytes("sealed")
            .int("filed_at")
            .int("keep_until")
            .key(&["enterprise_id", "event_id"])
            .create(manager)
            .await?;
        index(
            manager,
            "buyer_personal_keep",
            "buyer_personal",
            &["keep_until"],
            false,
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
