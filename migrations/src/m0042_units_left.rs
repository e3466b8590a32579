//! How many facts there are about a unit, so that an act knows before it reads them; and units that an act
//! named and left to be folded afterwards, since which position. Of units that are in, those about which there
//! are many facts learn it here, the others when they are folded next.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            "ALTER TABLE unit ADD COLUMN facts BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE unit ADD COLUMN left_at BIGINT",
            "CREATE INDEX unit_left ON unit (id) WHERE left_at IS NOT NULL",
            "UPDATE unit SET facts = many.n FROM (SELECT unit_id, COUNT(*) AS n FROM event_unit \
             GROUP BY unit_id HAVING COUNT(*) > 500) AS many WHERE many.unit_id = unit.id",
        ] {
            sql(manager, statement).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
