//! How often a unit was queried, folded from the log.

use sea_orm::entity::prelude::*;

/// A row of `query_count`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "query_count")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub space: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub idx: i64,
    pub first_at: i64,
    pub n: i64,
    pub fold: i64,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
