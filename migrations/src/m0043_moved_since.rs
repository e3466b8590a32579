//! Events that moved in the order, by the position they moved at: whoever folded units on a snapshot looks whether
//! any of theirs did since.

use crate::table::index;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index(manager, "event_was_until", "event_was", &["until"], false).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
