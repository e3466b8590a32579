//! Pages of work that is about the units of an issuer, in the order of their numbers: all of them, and those
//! without a batch. Without these each page sorts all that issuer has. And what a device acknowledged grows with
//! the instants it was acknowledged at: older rows that say less than one before them are gone.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

const STEPS: &[&str] = &[
    "CREATE INDEX unit_issuer ON unit (issuer, id) WHERE issuer IS NOT NULL",
    "CREATE INDEX unit_issuer_unbatched ON unit (issuer, id) WHERE batch_id IS NULL",
    "DELETE FROM device_ack WHERE (device_id, epoch, at) IN (SELECT device_id, epoch, at FROM \
     (SELECT device_id, epoch, at, gseq, MAX(gseq) OVER (PARTITION BY device_id, epoch ORDER BY at) AS most \
     FROM device_ack) acks WHERE gseq < most)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for step in STEPS {
            sql(manager, step).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
