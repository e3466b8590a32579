//! What whoever holds a receipt may see.

use sea_orm::entity::prelude::*;

/// A row of `public_complaint`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "public_complaint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub receipt: String,
    pub kind: String,
    pub state: String,
    pub received_at: i64,
    pub answer: Option<String>,
    pub answered_at: Option<i64>,
    pub closed_at: Option<i64>,
    pub erased: bool,
    pub position: i64,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
