//! All SQL that reads master data for folds. It reads across enterprises: a unit is judged by what
//! is on record of it, whoever's event names it (sync.md section 5).

use super::{CodeOf, WorldError};
use crate::{
    clock::expires_at,
    db::statement,
    entities::{batch, code_space, device, enterprise, location, product},
    log::Position,
    projection::units::PublicUnit,
    recalls::spans::spans,
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::required::Profile,
    facts::{BatchInfo, PlaceInfo, RecallSpan, StatedAt, World},
    ids::{BatchId, DeviceId, EnterpriseId, LocationId},
    unit::UnitKey,
};
use uuid::Uuid;

/// A part of the master data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Registry,
    Devices,
    Decisions,
    Codes,
    Recalls,
}

/// Which parts of the master data entries above `after` changed, and the newest of these entries.
/// Everything when nothing was read before.
pub(super) async fn changes(
    conn: &impl ConnectionTrait,
    after: Position,
) -> Result<(BTreeSet<Part>, Position), DbErr> {
    let mut parts = BTreeSet::new();
    let mut newest = 0;
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT kind, MAX(gseq) AS newest FROM log_entry WHERE gseq > ? GROUP BY kind",
            [after.into()],
        ))
        .await?;
    for row in rows {
        let kind: String = row.try_get("", "kind")?;
        newest = newest.max(row.try_get("", "newest")?);
        match kind.as_str() {
            "master_data_changed" | "published" => {
                parts.extend([Part::Registry, Part::Codes]);
            }
            "codes_commissioned" | "codes_voided" | "segment_allocated" => {
                parts.insert(Part::Codes);
            }
            "recall_opened" | "recall_widened" | "recall_closed" => {
                parts.insert(Part::Recalls);
            }
            "device_changed" | "device_enrolled" => {
                parts.insert(Part::Devices);
            }
            "policy_changed" | "holder_accepted" | "shift_closed" | "period_closed" => {
                parts.insert(Part::Decisions);
            }
            _ => {}
        }
    }
    if after < 0 {
        parts.extend([
            Part::Registry,
            Part::Devices,
            Part::Decisions,
            Part::Codes,
            Part::Recalls,
        ]);
    }
    Ok((parts, newest))
}

/// Enterprises, places, products and batches.
pub(super) async fn registry(
    conn: &impl ConnectionTrait,
    world: &mut World,
) -> Result<(), WorldError> {
    let enterprises = enterprise::Entity::find().all(conn).await?;
    world.enterprises = enterprises.iter().map(|row| EnterpriseId(row.id)).collect();
    world.places = location::Entity::find()
        .all(conn)
        .await?
        .into_iter()
        .map(|row| {
            let info = PlaceInfo {
                enterprise: EnterpriseId(row.enterprise_id),
                plant: row.kind == "plant",
            };
            (LocationId(row.id), info)
        })
        .collect();
    // What codes of a product carry: its GTIN, or its code where it has none.
    let mut named: BTreeMap<Uuid, String> = BTreeMap::new();
    let products: BTreeMap<Uuid, product::Model> = product::Entity::find()
        .all(conn)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    (world.products, world.profiles) = (BTreeMap::new(), BTreeMap::new());
    let spaces = code_space::Entity::find()
        .filter(code_space::Column::ProductId.is_not_null())
        .all(conn)
        .await?;
    for space in spaces {
        let Some(gtin) = space.space.strip_prefix("01/") else {
            continue;
        };
        let issuer = EnterpriseId(space.enterprise_id);
        world.products.insert(gtin.to_owned(), issuer);
        let product = space.product_id.and_then(|id| products.get(&id));
        if let Some(profile) = product.and_then(|row| Profile::of_id(&row.profile)) {
            world.profiles.insert(gtin.to_owned(), profile);
        }
        if let (Some(product), "item") = (space.product_id, space.level.as_str()) {
            named.insert(product, gtin.to_owned());
        }
    }
    for (id, row) in products {
        if let (false, Some(profile)) = (named.contains_key(&id), Profile::of_id(&row.profile)) {
            world.profiles.insert(row.code.clone(), profile);
        }
        named.entry(id).or_insert(row.code);
    }
    world.batches = batch::Entity::find()
        .all(conn)
        .await?
        .into_iter()
        .map(|row| {
            let info = BatchInfo {
                product: named.get(&row.product_id).cloned().unwrap_or_default(),
                expires_at: expires_at(&row.expiry_date),
                plant: row.plant_id.map(LocationId),
                lot: row.lot,
            };
            (BatchId(row.id), info)
        })
        .collect();
    Ok(())
}

/// Devices and whose they are.
pub(super) async fn devices(
    conn: &impl ConnectionTrait,
) -> Result<BTreeMap<DeviceId, EnterpriseId>, DbErr> {
    let rows = device::Entity::find().all(conn).await?;
    let pair = |row: device::Model| (DeviceId(row.id), EnterpriseId(row.enterprise_id));
    Ok(rows.into_iter().map(pair).collect())
}

/// What the server stated that folds read: policies, accepted holders, ends of shifts.
pub(super) async fn decisions(
    conn: &impl ConnectionTrait,
    world: &mut World,
) -> Result<(), WorldError> {
    use suyuan_sync::facts::{ShiftClosed, Statement};
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT gseq, stamp, body FROM log_entry \
             WHERE kind IN ('policy_changed', 'holder_accepted', 'shift_closed') ORDER BY gseq",
            [],
        ))
        .await?;
    (world.policies, world.accepted, world.shifts) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let at = StatedAt {
            at: row.try_get("", "stamp")?,
            gseq: row.try_get("", "gseq")?,
        };
        let body: String = row.try_get("", "body")?;
        let statement: Statement = serde_json::from_str(&body)
            .map_err(|error| WorldError::Stored(format!("log_entry {}: {error}", at.gseq)))?;
        match statement {
            Statement::PolicyChanged { policy } => world.policies.push((at, policy)),
            Statement::ShiftClosed { device } => world.shifts.push(ShiftClosed { at, device }),
            Statement::HolderAccepted {
                issuer,
                partner,
                scope,
                from,
            } => world.accepted.push((issuer, partner, scope, from)),
            _ => {}
        }
    }
    Ok(())
}

/// Recalls that cover any of these units or batches.
pub(super) async fn recalls(
    conn: &impl ConnectionTrait,
    units: &BTreeMap<UnitKey, Option<CodeOf>>,
    batches: &BTreeSet<BatchId>,
) -> Result<Vec<RecallSpan>, DbErr> {
    let units: Vec<(UnitKey, PublicUnit)> = units
        .iter()
        .map(|(key, code)| {
            let name = code.as_ref().map(CodeOf::public);
            (
                key.clone(),
                name.unwrap_or_else(|| PublicUnit::Other(key.clone())),
            )
        })
        .collect();
    let batches = batches.iter().map(|batch| batch.0).collect();
    spans(conn, &units, &batches).await
}

/// Is there any recall at all?
pub(super) async fn any_recall(conn: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let row = conn
        .query_one_raw(statement(
            conn.get_database_backend(),
            "SELECT 1 AS one FROM recall LIMIT 1",
            [],
        ))
        .await?;
    Ok(row.is_some())
}

/// Places at which something was counted after a position.
pub(super) async fn counted(
    conn: &impl ConnectionTrait,
    after: Position,
) -> Result<Vec<Uuid>, DbErr> {
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT DISTINCT location_id FROM event WHERE kind = 'count' AND gseq > ? \
             AND location_id IS NOT NULL",
            [after.into()],
        ))
        .await?;
    rows.iter()
        .map(|row| row.try_get("", "location_id"))
        .collect()
}

/// A commissioning or a destruction of codes, as its record tells it.
pub(super) struct CodeAct {
    pub(super) batch: Option<Uuid>,
    /// `lo-hi,lo-hi`
    pub(super) what: String,
    pub(super) at: StatedAt,
}

/// What was done with the codes of a space, in order.
pub(super) async fn code_acts(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    space: &str,
) -> Result<Vec<CodeAct>, DbErr> {
    // No two entries of the log share an instant.
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT c.batch_id, c.what, c.created_at, l.gseq FROM commission c \
             JOIN log_entry l ON l.stamp = c.created_at \
             WHERE c.enterprise_id = ? AND c.space = ? \
             UNION ALL \
             SELECT NULL, d.what, d.created_at, l.gseq FROM code_destruction d \
             JOIN log_entry l ON l.stamp = d.created_at \
             WHERE d.enterprise_id = ? AND d.space = ? ORDER BY gseq",
            [
                enterprise.into(),
                space.into(),
                enterprise.into(),
                space.into(),
            ],
        ))
        .await?;
    rows.iter()
        .map(|row| {
            Ok(CodeAct {
                batch: row.try_get("", "batch_id")?,
                what: row.try_get("", "what")?,
                at: StatedAt {
                    at: row.try_get("", "created_at")?,
                    gseq: row.try_get("", "gseq")?,
                },
            })
        })
        .collect()
}

/// A code space, whoever's it is.
pub(super) async fn space(
    conn: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<code_space::Model>, DbErr> {
    code_space::Entity::find()
        .filter(code_space::Column::Space.eq(name))
        .one(conn)
        .await
}

/// Its keys, wrapped.
pub(super) async fn keys(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    space: &str,
) -> Result<Vec<crate::entities::issue_key::Model>, DbErr> {
    use crate::entities::issue_key;
    issue_key::Entity::find()
        .filter(issue_key::Column::EnterpriseId.eq(enterprise))
        .filter(issue_key::Column::Space.eq(space))
        .all(conn)
        .await
}

/// Company prefixes SSCCs are allocated under, each with its space's name.
pub(super) async fn sscc_prefixes(conn: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let rows = code_space::Entity::find()
        .filter(code_space::Column::Space.starts_with("00/"))
        .all(conn)
        .await?;
    let prefix = |row: code_space::Model| row.space.strip_prefix("00/").map(str::to_owned);
    Ok(rows.into_iter().filter_map(prefix).collect())
}
