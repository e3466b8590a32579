//! A key of this installation that signs receipts and lists; the private half is wrapped.

use sea_orm::entity::prelude::*;

/// A row of `list_key`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "list_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub wrapped: Vec<u8>,
    pub public_key: Vec<u8>,
    pub signed_by_previous: Vec<u8>,
    pub created_at: i64,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
