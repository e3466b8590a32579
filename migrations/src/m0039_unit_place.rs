//! The index of units by place that covered what was sold, too: stock, cards, counts and recalls each have
//! one that holds just what they read (`unit_stock`, `unit_here`, `unit_ended`, `unit_counted`, `unit_batch`), and
//! nothing was left that asked it, while every movement of a unit wrote two entries of it. A release that is
//! still running beside this one asks nothing of it either.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        sql(manager, "DROP INDEX unit_place").await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
