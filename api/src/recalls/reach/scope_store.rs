//! What a recall covers, as bitmaps: whole batches by what was commissioned to them, named units by
//! the bitmaps of the recall, and codes minted elsewhere by their keys.

use crate::{
    codes::targets::untold,
    db::{query_all, rows::by_keys},
    projection::read_bits,
};
use roaring::RoaringTreemap;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::unit::UnitKey;
use uuid::Uuid;

/// A batch, as far as it matters here.
#[derive(Debug, Clone)]
pub(super) struct BatchOf {
    pub(super) product: Uuid,
    pub(super) lot: String,
    pub(super) plant: Option<Uuid>,
}

/// A code space.
#[derive(Debug, Clone)]
pub(super) struct SpaceOf {
    pub(super) product: Option<Uuid>,
    pub(super) items: bool,
}

/// What a recall covers.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Whole batches.
    pub(super) batches: BTreeMap<Uuid, BatchOf>,
    /// Units named one by one or by range, that we minted.
    pub(super) named: BTreeMap<String, RoaringTreemap>,
    /// Units named whose codes were minted elsewhere.
    pub(super) others: BTreeSet<UnitKey>,
    /// Of what is covered, what was commissioned here, by space and batch.
    pub(super) commissioned: BTreeMap<(String, Uuid), RoaringTreemap>,
    /// Named, and commissioned to nothing.
    pub(super) unused: BTreeMap<String, RoaringTreemap>,
    /// The spaces of all these.
    pub(super) spaces: BTreeMap<String, SpaceOf>,
    /// Plants of batches that hold named units.
    pub(super) plants: BTreeMap<Uuid, Option<Uuid>>,
}

async fn rows<const N: usize>(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>, DbErr> {
    query_all(conn, sql, values).await
}

fn add_told(bits: &mut RoaringTreemap, what: &str) -> Result<(), DbErr> {
    let ranges = untold(what).ok_or_else(|| DbErr::Type("ranges of codes".into()))?;
    for range in ranges {
        bits.insert_range(range.lo..=range.hi);
    }
    Ok(())
}

impl Scope {
    /// Reads it.
    pub(super) async fn read(
        conn: &impl ConnectionTrait,
        enterprise: Uuid,
        recall: Uuid,
    ) -> Result<Scope, DbErr> {
        let mut scope = Scope::default();
        scope.read_named(conn, enterprise, recall).await?;
        for row in rows(
            conn,
            "SELECT b.id, b.product_id, b.lot, b.plant_id FROM recall_batch r JOIN batch b \
             ON b.enterprise_id = r.enterprise_id AND b.id = r.batch_id \
             WHERE r.enterprise_id = ? AND r.recall_id = ?",
            [enterprise.into(), recall.into()],
        )
        .await?
        {
            let batch = BatchOf {
                product: row.try_get("", "product_id")?,
                lot: row.try_get("", "lot")?,
                plant: row.try_get("", "plant_id")?,
            };
            scope.batches.insert(row.try_get("", "id")?, batch);
        }
        scope.read_commissioned(conn, enterprise).await?;
        scope.read_spaces(conn, enterprise).await?;
        Ok(scope)
    }

    async fn read_named(
        &mut self,
        conn: &impl ConnectionTrait,
        enterprise: Uuid,
        recall: Uuid,
    ) -> Result<(), DbErr> {
        let values = || [enterprise.into(), recall.into()];
        let units = "SELECT space, chunk, bits FROM recall_units \
                     WHERE enterprise_id = ? AND recall_id = ?";
        for row in rows(conn, units, values()).await? {
            let bits: Vec<u8> = row.try_get("", "bits")?;
            let chunk: i64 = row.try_get("", "chunk")?;
            let start = (chunk as u64) << 16;
            let named = self.named.entry(row.try_get("", "space")?).or_default();
            let bits = read_bits(&bits)?;
            // Whole runs at once: a full chunk is one.
            let mut runs = bits.iter();
            while let Some(run) = runs.next_range() {
                let (first, last) = (u64::from(*run.start()), u64::from(*run.end()));
                named.insert_range(start | first..=start | last);
            }
        }
        let codes = "SELECT unit FROM recall_code WHERE enterprise_id = ? AND recall_id = ?";
        for row in rows(conn, codes, values()).await? {
            let unit: String = row.try_get("", "unit")?;
            self.others.insert(UnitKey::kept(&unit));
        }
        Ok(())
    }

    /// What was commissioned of what is covered. The first batch an index was given stays its own.
    async fn read_commissioned(
        &mut self,
        conn: &impl ConnectionTrait,
        enterprise: Uuid,
    ) -> Result<(), DbErr> {
        let mut acts: BTreeMap<(String, Uuid), RoaringTreemap> = BTreeMap::new();
        let batches = self.batches.keys().map(|id| (*id).into()).collect();
        let spaces = self.named.keys().map(|name| name.as_str().into()).collect();
        for (column, keys) in [("batch_id", batches), ("space", spaces)] {
            let sql = format!(
                "SELECT space, batch_id, what FROM commission \
                 WHERE enterprise_id = ? AND {column} IN ({{keys}})"
            );
            for row in by_keys(conn, &sql, &[enterprise.into()], keys).await? {
                let name = (row.try_get("", "space")?, row.try_get("", "batch_id")?);
                let what: String = row.try_get("", "what")?;
                add_told(acts.entry(name).or_default(), &what)?;
            }
        }
        self.unused.clone_from(&self.named);
        for ((space, batch), mut bits) in acts {
            let named = self.named.get(&space);
            if let Some(unused) = self.unused.get_mut(&space) {
                *unused -= &bits;
            }
            if !self.batches.contains_key(&batch) {
                match named {
                    Some(named) => bits &= named,
                    None => continue,
                }
            }
            if !bits.is_empty() {
                self.commissioned.insert((space, batch), bits);
            }
        }
        self.unused.retain(|_, bits| !bits.is_empty());
        Ok(())
    }

    async fn read_spaces(
        &mut self,
        conn: &impl ConnectionTrait,
        enterprise: Uuid,
    ) -> Result<(), DbErr> {
        let all = "SELECT space, product_id, level FROM code_space WHERE enterprise_id = ?";
        for row in rows(conn, all, [enterprise.into()]).await? {
            let level: String = row.try_get("", "level")?;
            let space = SpaceOf {
                product: row.try_get("", "product_id")?,
                items: level == "item",
            };
            self.spaces.insert(row.try_get("", "space")?, space);
        }
        let batches: BTreeSet<Uuid> = self.commissioned.keys().map(|(_, batch)| *batch).collect();
        let plants = "SELECT id, plant_id FROM batch WHERE enterprise_id = ? AND id IN ({keys})";
        let keys = batches.into_iter().map(Value::from).collect();
        for row in by_keys(conn, plants, &[enterprise.into()], keys).await? {
            self.plants
                .insert(row.try_get("", "id")?, row.try_get("", "plant_id")?);
        }
        Ok(())
    }
}
