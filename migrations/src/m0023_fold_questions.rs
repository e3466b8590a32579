//! What folding asks beyond one unit: the movements of an event or a container on lines of lots,
//! the lines of a place, the containers that hold a batch, and open findings of a kind.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// The indexes.
const INDEXES: &[&str] = &[
    // `n` counts what one event says of a line from 0; from 16 on it is the container that carried.
    "CREATE INDEX lot_move_event ON lot_move (gseq)",
    "CREATE INDEX lot_move_container ON lot_move (n) WHERE n >= 16",
    "CREATE INDEX lot_line_place ON lot_line (location_id)",
    "CREATE INDEX content_batch ON content (batch_id, container_id)",
    "CREATE INDEX finding_open_code ON finding (code, id) WHERE closed IS NULL",
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
