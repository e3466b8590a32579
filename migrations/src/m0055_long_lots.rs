//! Lines of lots by key, on PostgreSQL: what an event calls a product and its lot may have 2048 bytes each, and a
//! row of an index has at most 2704 there. So the index has the lot by its digest, and each key has a row however
//! long its texts are. SQLite knows no such limit: its index stays as it is.
//!
//! The old index goes at once: while it is there, such a line cannot be written. A program of before reads lines
//! by what it shares with the new one.

use crate::table::sql;
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        // A backslash is doubled, so that each text is read as the bytes it has.
        sql(
            manager,
            "CREATE UNIQUE INDEX lot_line_digest ON lot_line \
             (gtin, sha256(replace(lot, chr(92), repeat(chr(92), 2))::bytea), location_id)",
        )
        .await?;
        sql(manager, "DROP INDEX lot_line_key").await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
