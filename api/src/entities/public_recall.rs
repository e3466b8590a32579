//! Public projection: an open recall of single units.

use sea_orm::entity::prelude::*;

/// A row of `public_recall`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "public_recall")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub recall_id: Uuid,
    pub notice: String,
    pub position: i64,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
