//! The query log (追溯查询记录) holds a row for what was asked about one code in one fold, with all
//! queries packed in it, in place of a row for each query: a code that half the country scans costs
//! a few rows a second, however often. Rows of `query_log` stay, and are read beside these.

use crate::table::{index, sql, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("query_sighting")
            .int("fold")
            .int("part")
            .text("space")
            .int("idx")
            .text("code")
            .int("first_at")
            .int("last_at")
            .bytes("heads")
            .bytes("times")
            .key(&["fold", "part"])
            .create(manager)
            .await?;
        // The history of one unit, newest first.
        index(
            manager,
            "query_sighting_unit",
            "query_sighting",
            &["space", "idx", "last_at"],
            false,
        )
        .await?;
        // What waits is found without walking through the packets themselves.
        sql(
            manager,
            "CREATE INDEX query_packet_waiting ON query_packet (id, entries) WHERE NOT unreadable",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
