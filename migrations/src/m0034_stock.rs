//! What is in stock at a place is found without what was sold there, which grows for ever.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        sql(
            manager,
            "CREATE INDEX unit_stock ON unit (place, batch_id) WHERE place IS NOT NULL \
             AND (inside IS NULL OR exceptional) AND phase NOT IN ('sold', 'destroyed')",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
