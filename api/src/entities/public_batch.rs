//! Public projection: what a batch shows, and its open recalls.

use sea_orm::entity::prelude::*;

/// A row of `public_batch`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "public_batch")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub batch_id: Uuid,
    pub product_id: Uuid,
    pub lot: String,
    pub expiry_date: String,
    pub published: bool,
    pub view: String,
    pub recalls: String,
    pub position: i64,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
