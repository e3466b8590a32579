//! What the consumer's side of voices reads: rows of the public projection, one at a time.

use crate::{
    db::Reader,
    entities::{public_complaint, public_product, public_space},
    projection::View,
    voices::rules::spaces,
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use suyuan_sync::trace_code::TraceCode;

/// What the product of a code shows; `None` where there is none, or it shows nothing.
pub(super) async fn product(db: &Reader, code: &TraceCode) -> Result<Option<View>, DbErr> {
    let space = public_space::Entity::find()
        .filter(public_space::Column::Space.is_in(spaces(code)))
        .one(db.reader())
        .await?;
    let Some(product) = space.and_then(|space| space.product_id) else {
        return Ok(None);
    };
    let row = public_product::Entity::find_by_id(product)
        .one(db.reader())
        .await?;
    Ok(row.and_then(|row| serde_json::from_str(&row.view).ok()))
}

/// How the complaint of a receipt's digest stands.
pub(super) async fn complaint(
    db: &Reader,
    receipt: &str,
) -> Result<Option<public_complaint::Model>, DbErr> {
    public_complaint::Entity::find_by_id(receipt.to_owned())
        .one(db.reader())
        .await
}
