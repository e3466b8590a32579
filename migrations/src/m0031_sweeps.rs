//! Complete counts by place and time: what they do not name was not there, so they are about every
//! unit that was at their place then. `said` is the event without the units and children it names,
//! which may be a thousand: whoever it names reads the event itself.

use crate::table::{hot, sql};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        hot(
            manager,
            "CREATE TABLE sweep (
                location_id UUID NOT NULL,
                eff BIGINT NOT NULL,
                gseq BIGINT NOT NULL,
                said BYTES NOT NULL,
                PRIMARY KEY (location_id, eff, gseq)
            ) CLUSTERED",
        )
        .await?;
        sql(manager, "CREATE INDEX sweep_gseq ON sweep (gseq)").await?;
        // Those that are in: whole, since SQL cannot leave their units out. One too many is none.
        let text = match manager.get_database_backend() {
            DbBackend::Postgres => "convert_from(body, 'UTF8')",
            _ => "CAST(body AS TEXT)",
        };
        let known = format!(
            "INSERT INTO sweep (location_id, eff, gseq, said) SELECT location_id, eff, gseq, body \
             FROM event WHERE kind = 'count' AND counts_from IS NOT NULL \
             AND location_id IS NOT NULL AND {text} LIKE '%\"scope\"%'"
        );
        sql(manager, &known).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
