//! Badges of the people who work with devices: a number as printed and what it may do, no names.

use crate::table::{index, sql, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A badge without a location works everywhere. `changed` is the stamp of the entry that wrote
        // the row last: devices of a place follow its greatest. Rows are never deleted, so a number
        // is never given twice.
        table("badge")
            .uuid("enterprise_id")
            .uuid("id")
            .text("number")
            .text("role")
            .uuid_null("location_id")
            .int("since")
            .int_null("withdrawn_at")
            .int("changed")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        index(
            manager,
            "badge_number",
            "badge",
            &["enterprise_id", "number"],
            true,
        )
        .await?;
        index(
            manager,
            "badge_place",
            "badge",
            &["enterprise_id", "location_id", "changed"],
            false,
        )
        .await?;
        // What a badge was at any time stands in the log.
        sql(
            manager,
            "CREATE INDEX log_entry_badge ON log_entry (subject, gseq) \
             WHERE kind = 'badge_changed'",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
