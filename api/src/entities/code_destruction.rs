//! A destruction of unqualified codes (MB-6.3).

use sea_orm::entity::prelude::*;

/// A row of `code_destruction`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_destruction")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub enterprise_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub space: String,
    pub codes: i64,
    pub reason: String,
    pub method: String,
    pub witness: String,
    pub evidence: Option<String>,
    pub what: String,
    pub destroyed_at: i64,
    pub created_at: i64,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
