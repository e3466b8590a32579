//! The query log (追溯查询记录) comes in packed: the consumer side inserts one row an interval, the
//! internal side unpacks it. Salts make one device one device at every process, for a day.

use crate::table::{index, sql, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("query_packet")
            .uuid("id")
            .int("entries")
            .bytes("body")
            .flag("unreadable")
            .key(&["id"])
            .create(manager)
            .await?;
        table("query_salt")
            .int("day")
            .bytes("salt")
            .key(&["day"])
            .create(manager)
            .await?;
        for column in [
            "offline BOOLEAN NOT NULL DEFAULT FALSE",
            "region TEXT NOT NULL DEFAULT ''",
        ] {
            sql(
                manager,
                &format!("ALTER TABLE query_log ADD COLUMN {column}"),
            )
            .await?;
        }
        // The history of one unit, newest first.
        index(
            manager,
            "query_log_unit",
            "query_log",
            &["space", "idx", "at"],
            false,
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
