//! Products, partners and batches as devices are told them.

use crate::{
    clock::{Micros, expires_at},
    db::{query_all, rows::by_keys},
};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    ids::{BatchId, EnterpriseId, LocationId, ProductId},
    wire::{PartnerCard, PlaceCard, ProductCard},
};
use uuid::Uuid;

/// A batch, as far as cards tell it.
#[derive(Debug, Clone)]
pub struct Lot {
    /// Its name.
    pub lot: String,
    /// 00:00 in Shanghai after the printed day.
    pub expires_at: Option<Micros>,
}

/// Products, whoever's they are.
pub async fn products(
    conn: &impl ConnectionTrait,
    ids: &BTreeSet<Uuid>,
) -> Result<Vec<ProductCard>, DbErr> {
    let keys = || ids.iter().map(|id| (*id).into()).collect();
    let gtins = gtins(conn, ids).await?;
    let mut specifications = specifications(conn, ids).await?;
    let found = by_keys(
        conn,
        "SELECT DISTINCT id, enterprise_id, code, name, profile FROM product WHERE id IN ({keys})",
        &[],
        keys(),
    )
    .await?;
    let mut cards = Vec::new();
    for row in found {
        let id: Uuid = row.try_get("", "id")?;
        let code: String = row.try_get("", "code")?;
        let profile: String = row.try_get("", "profile")?;
        cards.push(ProductCard {
            product: ProductId(id),
            gtin: gtins.get(&id).cloned().unwrap_or(code),
            issuer: EnterpriseId(row.try_get("", "enterprise_id")?),
            name: row.try_get("", "name")?,
            specification: specifications.remove(&id),
            profile: Some(profile).filter(|profile| !profile.is_empty()),
        });
    }
    Ok(cards)
}

/// How products are packed (规格), as their newest versions say it: whatever the profile, it stands
/// in a field of this name.
async fn specifications(
    conn: &impl ConnectionTrait,
    ids: &BTreeSet<Uuid>,
) -> Result<BTreeMap<Uuid, String>, DbErr> {
    let found = by_keys(
        conn,
        "SELECT DISTINCT v.product_id, v.fields FROM product_version v WHERE v.version = \
         (SELECT MAX(w.version) FROM product_version w WHERE w.enterprise_id = v.enterprise_id \
         AND w.product_id = v.product_id) AND v.product_id IN ({keys})",
        &[],
        ids.iter().map(|id| (*id).into()).collect(),
    )
    .await?;
    let mut specifications = BTreeMap::new();
    for row in found {
        let fields: String = row.try_get("", "fields")?;
        let fields: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(&fields).map_err(|error| DbErr::Json(error.to_string()))?;
        let told = fields.iter().find_map(|(path, value)| {
            let text = path.ends_with(".specification").then(|| value.as_str())??;
            Some(text.trim()).filter(|text| !text.is_empty())
        });
        if let Some(told) = told {
            specifications.insert(row.try_get("", "product_id")?, told.to_owned());
        }
    }
    Ok(specifications)
}

/// The GTINs that items of products carry.
pub async fn gtins(
    conn: &impl ConnectionTrait,
    ids: &BTreeSet<Uuid>,
) -> Result<BTreeMap<Uuid, String>, DbErr> {
    let found = by_keys(
        conn,
        "SELECT DISTINCT product_id, space FROM code_space WHERE product_id IN ({keys}) \
         AND level = 'item' AND space LIKE '01/%'",
        &[],
        ids.iter().map(|id| (*id).into()).collect(),
    )
    .await?;
    let mut gtins = BTreeMap::new();
    for row in found {
        let space: String = row.try_get("", "space")?;
        let gtin = space.strip_prefix("01/").unwrap_or(&space).to_owned();
        gtins.insert(row.try_get("", "product_id")?, gtin);
    }
    Ok(gtins)
}

/// An enterprise with its places.
pub async fn partner(conn: &impl ConnectionTrait, id: Uuid) -> Result<Option<PartnerCard>, DbErr> {
    let named = query_all(
        conn,
        "SELECT name FROM enterprise_version WHERE enterprise_id = ? ORDER BY version DESC LIMIT 1",
        [id.into()],
    )
    .await?;
    let Some(row) = named.first() else {
        return Ok(None);
    };
    let mut places = Vec::new();
    let found = query_all(
        conn,
        "SELECT id, name, gln FROM location WHERE enterprise_id = ? ORDER BY id",
        [id.into()],
    )
    .await?;
    for row in found {
        places.push(PlaceCard {
            location: LocationId(row.try_get("", "id")?),
            name: row.try_get("", "name")?,
            gln: row.try_get("", "gln")?,
        });
    }
    Ok(Some(PartnerCard {
        enterprise: EnterpriseId(id),
        name: row.try_get("", "name")?,
        places,
    }))
}

/// Whose places these are.
pub async fn owners(
    conn: &impl ConnectionTrait,
    places: &BTreeSet<LocationId>,
) -> Result<BTreeMap<LocationId, EnterpriseId>, DbErr> {
    let found = by_keys(
        conn,
        "SELECT DISTINCT id, enterprise_id FROM location WHERE id IN ({keys})",
        &[],
        places.iter().map(|place| place.0.into()).collect(),
    )
    .await?;
    let pair = |row: &sea_orm::QueryResult| {
        Ok((
            LocationId(row.try_get("", "id")?),
            EnterpriseId(row.try_get("", "enterprise_id")?),
        ))
    };
    found.iter().map(pair).collect()
}

/// Batches.
pub async fn lots(
    conn: &impl ConnectionTrait,
    batches: &BTreeSet<BatchId>,
) -> Result<BTreeMap<BatchId, Lot>, DbErr> {
    let found = by_keys(
        conn,
        "SELECT DISTINCT id, lot, expiry_date FROM batch WHERE id IN ({keys})",
        &[],
        batches.iter().map(|batch| batch.0.into()).collect(),
    )
    .await?;
    let mut lots = BTreeMap::new();
    for row in found {
        let day: String = row.try_get("", "expiry_date")?;
        let lot = Lot {
            lot: row.try_get("", "lot")?,
            expires_at: expires_at(&day),
        };
        lots.insert(BatchId(row.try_get("", "id")?), lot);
    }
    Ok(lots)
}
