//! Places that papers of a place named before they were on record: once they are, whoever was told the papers is
//! told whose they are.

use crate::table::hot;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        hot(
            manager,
            "CREATE TABLE named_place (
                location_id UUID NOT NULL,
                place_id UUID NOT NULL,
                PRIMARY KEY (location_id, place_id)
            ) CLUSTERED",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
