//! A range of indices allocated to an enterprise (码段).

use sea_orm::entity::prelude::*;

/// A row of `segment`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "segment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub enterprise_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub space: String,
    pub key_id: i64,
    pub lo: i64,
    pub hi: i64,
    pub created_at: i64,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
