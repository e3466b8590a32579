//! One consumer query (追溯查询记录).

use sea_orm::entity::prelude::*;

/// A row of `query_log`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "query_log")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub batch: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub n: i64,
    pub at: i64,
    pub code: String,
    pub space: String,
    pub idx: i64,
    pub verdict: String,
    pub channel: String,
    pub bot: bool,
    pub device: String,
    pub offline: bool,
    pub region: String,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
