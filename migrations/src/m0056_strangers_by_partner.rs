//! What a partner's word was found to be worth nothing for, page by page: of an issuer's units, and of
//! containers of others.

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
            "CREATE INDEX finding_of_stranger ON finding (enterprise_id, id) \
             WHERE code = 'UNEXPECTED_HOLDER'",
        )
        .await?;
        // It was for the same, of an issuer's units alone.
        sql(manager, "DROP INDEX finding_stranger").await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
