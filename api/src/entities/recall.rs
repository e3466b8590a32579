//! A recall (召回).

use sea_orm::entity::prelude::*;

/// A row of `recall`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recall")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub enterprise_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub reason: String,
    pub instructions: String,
    pub opened_at: i64,
    pub closed_at: Option<i64>,
    pub closing_note: Option<String>,
    pub opened_gseq: i64,
    pub closed_gseq: Option<i64>,
    pub mistaken: bool,
    pub initiated_at: i64,
    pub responsible: Option<String>,
    pub destinations: String,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
