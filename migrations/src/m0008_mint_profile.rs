//! How the serials of a code space are minted. Spaces opened before have serials of digits and
//! capitals.

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
            "ALTER TABLE code_space ADD COLUMN mint_profile TEXT NOT NULL DEFAULT 'alphanumeric'",
        )
        .await
    }
}
