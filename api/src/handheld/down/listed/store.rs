//! SQL that recall lists are made from: what changed of units that are stopped, how their codes are
//! named, whose products an enterprise handles, which batches are recalled.

use super::{
    ListError,
    known::{Changes, ChunkRow, KINDS, OtherRow, RecallRow, Scope, marks_of_status},
};
use crate::{
    codes::{
        MintProfile, SpaceKey,
        print::code_at,
        ring::{Opener, Ring, WrappedKey},
    },
    db::query_all,
    log::Position,
    projection::{read_bits, units::UnitStatus},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sea_orm::{ConnectionTrait, DbErr, Value};
use std::collections::BTreeSet;
use suyuan_sync::{
    ids::{BatchId, RecallId},
    unit::UnitKey,
    wire::RecalledBatch,
};
use uuid::Uuid;

/// What changed after one position, up to another.
pub async fn changes(
    conn: &impl ConnectionTrait,
    after: Position,
    upto: Position,
) -> Result<Changes, DbErr> {
    let window = || [Value::from(after), Value::from(upto)];
    let mut changes = Changes::default();
    let kinds = KINDS.map(|kind| format!("'{kind}'")).join(", ");
    let sql = format!(
        "SELECT space, chunk, kind, batch_id, bits FROM public_chunk \
         WHERE position > ? AND position <= ? AND kind IN ({kinds})"
    );
    for row in query_all(conn, &sql, window()).await? {
        let bits: Vec<u8> = row.try_get("", "bits")?;
        changes.chunks.push(ChunkRow {
            space: row.try_get("", "space")?,
            chunk: row.try_get::<i64>("", "chunk")? as u32,
            kind: row.try_get("", "kind")?,
            recall: row.try_get("", "batch_id")?,
            bits: read_bits(&bits)?,
        });
    }
    let found = query_all(
        conn,
        "SELECT unit, status, recalls FROM public_unit WHERE position > ? AND position <= ?",
        window(),
    );
    for row in found.await? {
        let (unit, recalls): (String, String) =
            (row.try_get("", "unit")?, row.try_get("", "recalls")?);
        let status = UnitStatus::of_bits(row.try_get("", "status")?);
        changes.others.push(OtherRow {
            unit: UnitKey::kept(&unit),
            ended: marks_of_status(status),
            recalls: serde_json::from_str(&recalls).map_err(|e| DbErr::Json(e.to_string()))?,
        });
    }
    let found = query_all(
        conn,
        "SELECT p.recall_id, p.notice, r.enterprise_id FROM public_recall p \
         JOIN recall r ON r.id = p.recall_id WHERE p.position > ? AND p.position <= ?",
        window(),
    );
    for row in found.await? {
        let notice: String = row.try_get("", "notice")?;
        changes.recalls.push(RecallRow {
            id: row.try_get("", "recall_id")?,
            enterprise: row.try_get("", "enterprise_id")?,
            open: !notice.is_empty(),
        });
    }
    Ok(changes)
}

/// Names the units of a code space by their index.
pub struct Minter {
    space: SpaceKey,
    ring: Ring,
    /// Each with the key it was allocated under, ascending.
    segments: Vec<(u64, u64, u8)>,
}

impl Minter {
    /// What is needed to name the units of a space; none if nobody here has it.
    pub async fn of(
        conn: &impl ConnectionTrait,
        opener: &Opener,
        name: &str,
    ) -> Result<Option<Minter>, ListError> {
        let stored = || ListError::Stored(format!("code_space {name}"));
        let Some((enterprise, keys)) = keys_of(conn, name).await? else {
            return Ok(None);
        };
        let space = SpaceKey::parse(name).ok_or_else(stored)?;
        let mut segments = Vec::new();
        let found = query_all(
            conn,
            "SELECT lo, hi, key_id FROM segment WHERE enterprise_id = ? AND space = ? ORDER BY lo",
            [Value::from(enterprise), name.into()],
        );
        for row in found.await? {
            let [lo, hi, key]: [i64; 3] = [
                row.try_get("", "lo")?,
                row.try_get("", "hi")?,
                row.try_get("", "key_id")?,
            ];
            let key = u8::try_from(key).map_err(|_| stored())?;
            segments.push((lo as u64, hi as u64, key));
        }
        Ok(Some(Minter {
            ring: Ring::open(opener, &space, &keys)?,
            space,
            segments,
        }))
    }

    /// The unit at an index.
    pub fn name(&self, index: u64) -> Option<UnitKey> {
        let at = self.segments.partition_point(|(_, hi, _)| *hi < index);
        let (lo, _, key) = self.segments.get(at)?;
        if index < *lo {
            return None;
        }
        let (code, _) = code_at(&self.space, &self.ring, *key, index)?;
        UnitKey::of(&code)
    }
}

/// Whose a code space is, and its keys as they rest; none if nobody here has it.
pub async fn keys_of(
    conn: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<(Uuid, Vec<WrappedKey>)>, DbErr> {
    let stored = || DbErr::Type(format!("code_space {name}"));
    let found = query_all(
        conn,
        "SELECT enterprise_id, mint_profile FROM code_space WHERE space = ?",
        [name.into()],
    )
    .await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let enterprise: Uuid = row.try_get("", "enterprise_id")?;
    let profile: String = row.try_get("", "mint_profile")?;
    let profile = MintProfile::parse(&profile).ok_or_else(stored)?;
    let mut keys = Vec::new();
    let found = query_all(
        conn,
        "SELECT key_id, wrapped FROM issue_key WHERE enterprise_id = ? AND space = ?",
        [enterprise.into(), name.into()],
    );
    for row in found.await? {
        let wrapped: Vec<u8> = row.try_get("", "wrapped")?;
        keys.push(WrappedKey {
            id: u8::try_from(row.try_get::<i64>("", "key_id")?).map_err(|_| stored())?,
            wrapped: STANDARD.encode(wrapped),
            for_readers: String::new(),
            profile,
        });
    }
    Ok(Some((enterprise, keys)))
}

/// Products of others an enterprise handles: its places were told of units of them.
pub async fn handled(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
) -> Result<BTreeSet<Uuid>, DbErr> {
    let found = query_all(
        conn,
        "SELECT product_id FROM handled_product WHERE enterprise_id = ?",
        [enterprise.into()],
    )
    .await?;
    let product = |row: &sea_orm::QueryResult| row.try_get("", "product_id");
    found.iter().map(product).collect()
}

/// Code spaces of products an enterprise handles: its own, those its places were told of, those it
/// has unserialised goods of, and of their makers the logistic units.
pub async fn scope(conn: &impl ConnectionTrait, enterprise: Uuid) -> Result<Scope, DbErr> {
    let found = query_all(
        conn,
        "SELECT space FROM code_space WHERE enterprise_id = ? \
         UNION SELECT s.space FROM code_space s JOIN handled_product h \
         ON h.product_id = s.product_id WHERE h.enterprise_id = ? \
         UNION SELECT s.space FROM code_space s JOIN product p ON p.enterprise_id = s.enterprise_id \
         JOIN handled_product h ON h.product_id = p.id \
         WHERE s.product_id IS NULL AND h.enterprise_id = ? \
         UNION SELECT s.space FROM code_space s JOIN lot_line l \
         ON s.space IN ('01/' || l.gtin, 'c/' || l.gtin) WHERE l.enterprise_id = ?",
        std::array::from_fn::<Value, 4, _>(|_| enterprise.into()),
    )
    .await?;
    let space = |row: &sea_orm::QueryResult| row.try_get("", "space");
    Ok(Scope {
        enterprise,
        spaces: found.iter().map(space).collect::<Result<_, _>>()?,
    })
}

/// Batches of products an enterprise handles that are recalled now: each once for every name that codes of
/// its product carry, a GTIN or `ENTERPRISE.CODE`. A product code alone is told to its own enterprise only: to
/// others it would be a product of theirs (C15).
pub async fn batches(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
) -> Result<BTreeSet<RecalledBatch>, DbErr> {
    let found = query_all(
        conn,
        "SELECT rb.recall_id, rb.batch_id, b.lot, b.enterprise_id, p.code, s.space FROM recall r \
         JOIN recall_batch rb ON rb.enterprise_id = r.enterprise_id AND rb.recall_id = r.id \
         JOIN batch b ON b.id = rb.batch_id JOIN product p ON p.id = b.product_id \
         LEFT JOIN code_space s ON s.product_id = p.id \
         AND (s.space LIKE '01/%' OR s.space LIKE 'c/%') \
         WHERE r.closed_at IS NULL AND (b.enterprise_id = ? \
         OR p.id IN (SELECT product_id FROM handled_product WHERE enterprise_id = ?) \
         OR p.id IN (SELECT o.product_id FROM code_space o JOIN lot_line l \
         ON o.space IN ('01/' || l.gtin, 'c/' || l.gtin) WHERE l.enterprise_id = ?))",
        std::array::from_fn::<Value, 3, _>(|_| enterprise.into()),
    )
    .await?;
    let mut batches = BTreeSet::new();
    for row in found {
        let space: Option<String> = row.try_get("", "space")?;
        let (code, issuer): (String, Uuid) =
            (row.try_get("", "code")?, row.try_get("", "enterprise_id")?);
        let carried = space.as_deref().and_then(|space| space.split_once('/'));
        // What has a GTIN is called by it.
        let own = (issuer == enterprise).then_some(code);
        let names = match carried {
            Some(("01", gtin)) => [Some(gtin.to_owned()), None],
            Some((_, name)) => [Some(name.to_owned()), own],
            None => [None, own],
        };
        for gtin in names.into_iter().flatten() {
            batches.insert(RecalledBatch {
                recall: RecallId(row.try_get("", "recall_id")?),
                batch: BatchId(row.try_get("", "batch_id")?),
                gtin,
                lot: row.try_get("", "lot")?,
            });
        }
    }
    Ok(batches)
}
