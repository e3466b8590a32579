//! A space of indices: one per trade item, company prefix or own-scheme product.

use sea_orm::entity::prelude::*;

/// A row of `code_space`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_space")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub enterprise_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub space: String,
    pub product_id: Option<Uuid>,
    pub level: String,
    pub mint_profile: String,
    pub next_index: i64,
    pub created_at: i64,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
