//! What was asked about one code (追溯查询记录), as far as one fold brought it.

use sea_orm::entity::prelude::*;

/// A row of `query_sighting`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "query_sighting")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub fold: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub part: i64,
    pub space: String,
    pub idx: i64,
    pub code: String,
    pub first_at: i64,
    pub last_at: i64,
    pub heads: Vec<u8>,
    pub times: Vec<u8>,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
