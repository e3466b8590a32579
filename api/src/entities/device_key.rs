//! The key of one epoch of a device.

use sea_orm::entity::prelude::*;

/// A row of `device_key`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub epoch: i64,
    pub enterprise_id: Uuid,
    pub public_key: Vec<u8>,
    pub enrolled_at: i64,
    pub enrolled_gseq: i64,
    pub revoked_at: Option<i64>,
    pub revoked_gseq: Option<i64>,
    pub revoked_why: String,
}

/// None: rows are joined by the stores, tenant first.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
