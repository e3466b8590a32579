//! Which places were told of which units, so that a place can be told when one left; and units by
//! what changed last, for whoever follows them.

use crate::table::{hot, sql};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Written by who tells, not by who folds: units nobody at the place ever heard of are
        // nobody's business there, and pushes pay nothing for it.
        hot(
            manager,
            "CREATE TABLE told_unit (
                location_id UUID NOT NULL,
                unit_id BIGINT NOT NULL,
                PRIMARY KEY (location_id, unit_id)
            ) CLUSTERED",
        )
        .await?;
        sql(manager, "CREATE INDEX unit_gseq ON unit (gseq)").await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
