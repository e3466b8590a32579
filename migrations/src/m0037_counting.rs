//! What counts ask: the units in stock at a place, page by page, and the places where something was
//! counted since. Without these each page sorts all that is there, and each look goes through all counts
//! there ever were.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEXES: &[&str] = &[
    "CREATE INDEX unit_counted ON unit (place, id) WHERE phase = 'in_stock' AND inside IS NULL",
    "CREATE INDEX event_counted ON event (gseq, location_id) WHERE kind = 'count'",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in INDEXES {
            sql(manager, index).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
