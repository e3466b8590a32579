//! Part of a long scope that waits to be published.

use sea_orm::entity::prelude::*;

/// A row of `recall_stage`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recall_stage")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub enterprise_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub recall_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub stage_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub space: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub chunk: i64,
    pub staged_at: i64,
    pub n: i64,
    pub bits: Vec<u8>,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
