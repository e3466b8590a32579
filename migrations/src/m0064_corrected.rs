//! What the new event of a correction stands for, as that stood when the correction came to count: its place in the
//! order is that one's. What was in before there was this stands where it was stated.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = "ALTER TABLE event ADD COLUMN corrects TEXT";
        sql(manager, column).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
