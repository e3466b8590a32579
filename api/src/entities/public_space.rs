//! Public projection: a code space and its wrapped keys.

use sea_orm::entity::prelude::*;

/// A row of `public_space`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "public_space")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub space: String,
    pub enterprise_id: Uuid,
    pub product_id: Option<Uuid>,
    pub level: String,
    pub keys: String,
    pub position: i64,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
