//! A suspicion about one unit.

use sea_orm::entity::prelude::*;

/// A row of `suspicion`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suspicion")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub enterprise_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub space: String,
    pub idx: i64,
    pub code: String,
    pub kind: String,
    pub evidence: String,
    pub raised_at: i64,
    pub cleared_at: Option<i64>,
    pub clearing_note: Option<String>,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
