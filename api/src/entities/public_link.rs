//! Public projection: the links registered for an anchor.

use sea_orm::entity::prelude::*;

/// A row of `public_link`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "public_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub anchor: String,
    pub links: String,
    pub position: i64,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
