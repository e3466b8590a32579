//! What an issuer's acceptance healed before the work that it makes came to it: found by when it was closed.

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
            "CREATE INDEX finding_stranger ON finding (issuer, closed) \
             WHERE closed IS NOT NULL AND code = 'UNEXPECTED_HOLDER'",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
