//! How lines of goods without codes stood before they changed, so that balances are told as they were known
//! at a position of the log. What stood before this release is not in here, and whoever reads it sees that.

use crate::table::hot;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // From `gseq` on and below `until` the line stood so; the act that changed it then began at `began`.
        hot(
            manager,
            "CREATE TABLE lot_line_was (
                line_id BIGINT NOT NULL,
                until BIGINT NOT NULL,
                began BIGINT NOT NULL,
                gseq BIGINT NOT NULL,
                balance BIGINT NOT NULL,
                findings BIGINT NOT NULL,
                listed BOOLEAN NOT NULL,
                PRIMARY KEY (line_id, until)
            ) CLUSTERED",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
