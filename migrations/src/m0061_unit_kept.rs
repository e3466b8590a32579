//! What a complete count may miss at a place: goods in stock, and those that were brought or fetched back.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

const STATEMENTS: [&str; 2] = [
    "CREATE INDEX unit_kept ON unit (place, id) \
     WHERE phase IN ('in_stock', 'returned', 'collected') AND inside IS NULL",
    // It had those in stock alone.
    "DROP INDEX unit_counted",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            sql(manager, statement).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
