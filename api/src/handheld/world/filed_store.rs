//! A world without what was filed after an instant: enterprises, places, products, batches. What folds read of
//! these never changes once it is filed, so what was on record then is what is on record now, less what
//! came since (I25). Badges stay: no state of a unit follows from who acted, and what is found of that is
//! kept with its positions. All SQL of this; it goes through whole tables, and only those read it who ask
//! how something was known.

use crate::{clock::Micros, db::query_all};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    facts::World,
    ids::{BatchId, EnterpriseId, LocationId},
};
use uuid::Uuid;

/// What was filed after an instant. A space is its enterprise's.
const FILED: &str = "SELECT 'enterprise' AS what, id, id AS whose, '' AS space FROM enterprise WHERE created_at > ? \
     UNION ALL SELECT 'place', id, enterprise_id, '' FROM location WHERE created_at > ? \
     UNION ALL SELECT 'product', id, enterprise_id, '' FROM product WHERE created_at > ? \
     UNION ALL SELECT 'batch', id, enterprise_id, '' FROM batch WHERE created_at > ? \
     UNION ALL SELECT 'space', enterprise_id, enterprise_id, space FROM code_space WHERE created_at > ?";

/// Takes out what was filed after an instant. `named` is what batches call each product. The code spaces
/// that were opened since: their codes were nobody's then.
pub(super) async fn forget_since(
    conn: &impl ConnectionTrait,
    since: Micros,
    named: &BTreeMap<Uuid, Arc<str>>,
    world: &mut World,
) -> Result<BTreeSet<String>, DbErr> {
    let mut spaces: BTreeSet<String> = BTreeSet::new();
    // What worlds share is copied where something goes, and only there.
    for row in query_all(conn, FILED, [since; 5].map(Into::into)).await? {
        let what: String = row.try_get("", "what")?;
        let id: Uuid = row.try_get("", "id")?;
        let whose = EnterpriseId(row.try_get("", "whose")?);
        match what.as_str() {
            "enterprise" => {
                world.enterprises.remove(&EnterpriseId(id));
            }
            "place" => {
                world.places.remove(&LocationId(id));
            }
            "product" => {
                if let (Some(own), Some(name)) =
                    (world.own_products.get_mut(&whose), named.get(&id))
                {
                    own.remove(&**name);
                }
            }
            "batch" => world.batches.remove(BatchId(id)),
            _ => {
                spaces.insert(row.try_get("", "space")?);
            }
        }
    }
    for text in spaces.iter().filter_map(|space| on_codes(space)) {
        world.products.remove(text);
        world.product_of.remove(text);
    }
    Ok(spaces)
}

/// What codes of a space name its product by; nothing, of logistic units.
pub(super) fn on_codes(space: &str) -> Option<&str> {
    let (scheme, text) = space.split_once('/')?;
    matches!(scheme, "01" | "c").then_some(text)
}
