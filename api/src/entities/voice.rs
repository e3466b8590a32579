//! What a consumer told: a complaint or feedback, without its personal part.

use sea_orm::entity::prelude::*;

/// A row of `voice`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "voice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub enterprise_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub message_id: Uuid,
    pub kind: String,
    pub state: String,
    pub receipt: String,
    pub code: String,
    pub lot: Option<String>,
    pub product_id: Option<Uuid>,
    pub told_at: i64,
    pub place: Option<String>,
    pub entered_by: String,
    pub plan: Option<String>,
    pub answer: Option<String>,
    pub result: Option<String>,
    pub handler: Option<Uuid>,
    pub answered_at: Option<i64>,
    pub handled_at: Option<i64>,
    pub closed_at: Option<i64>,
    pub satisfaction: Option<i64>,
    pub erased_at: Option<i64>,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
