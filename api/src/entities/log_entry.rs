//! One entry of the installation's log: who changed what, in one order for all.

use sea_orm::entity::prelude::*;

/// A row of `log_entry`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub gseq: i64,
    pub stamp: i64,
    pub kind: String,
    pub enterprise_id: Option<Uuid>,
    pub actor: String,
    pub subject: String,
    pub body: String,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
