//! All SQL of goods without codes of their own: their balances, as they stand and as they were known, and what
//! moved them.

use super::{
    StockError,
    wire::{LotBalance, LotQuery, MoveOut},
};
use crate::{
    clock::rfc3339,
    db::{query_all, query_one, rows::by_keys},
    handheld::{
        lots::known_store::IS_NAMED,
        units::{facts::corrected, folding::NUMBER_BITS},
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Lines that were an enterprise's when the log ended at a position. Two kinds, since an engine reads each of them
/// in its order up to the end of a page, and of both in one question all there is, for every page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Theirs {
    /// As they are now.
    Still,
    /// Of places that came on record since: until then lines were of whoever named them.
    NoMore,
}

impl Theirs {
    /// In SQL, a line's number, as it stands where they are read in order.
    const fn number(self) -> &'static str {
        match self {
            Theirs::Still => "lot_line.id",
            Theirs::NoMore => "o.line_id",
        }
    }

    /// In SQL, where they are found, as what, and what is asked in it. Each table is begun behind the last page,
    /// or an engine that merges them goes through all that was told before.
    fn source(
        self,
        enterprise: Uuid,
        after: i64,
        at: Position,
    ) -> (&'static str, &'static str, Vec<Value>) {
        let mut values = vec![enterprise.into(), after.into(), at.into()];
        match self {
            Theirs::Still => (
                "lot_line",
                "lot_line.enterprise_id = ? AND NOT EXISTS (SELECT 1 FROM lot_line_whose h \
                 WHERE h.line_id = lot_line.id AND h.line_id > ? AND h.until > ?)",
                values,
            ),
            Theirs::NoMore => {
                values.extend([after.into(), at.into()]);
                (
                    "lot_line_whose o JOIN lot_line ON lot_line.id = o.line_id",
                    "o.enterprise_id = ? AND o.line_id > ? AND o.until > ? \
                     AND NOT EXISTS (SELECT 1 FROM lot_line_whose h WHERE h.line_id = o.line_id \
                     AND h.line_id > ? AND h.until > ? AND h.until < o.until)",
                    values,
                )
            }
        }
    }
}

/// What is asked about lines of goods without codes, besides after which of them.
fn which_lots<'w>(query: &LotQuery) -> (Vec<&'w str>, Vec<Value>) {
    let mut which = Vec::new();
    let mut values = Vec::new();
    if let Some(place) = query.location_id {
        which.push("location_id = ?");
        values.push(place.into());
    }
    for (column, asked) in [("gtin = ?", &query.gtin), ("lot = ?", &query.lot)] {
        if let Some(text) = asked {
            which.push(column);
            values.push(text.as_str().into());
        }
    }
    (which, values)
}

fn after(query: &LotQuery) -> i64 {
    query.after.unwrap_or(0)
}

/// Lines of goods without codes at an enterprise's places, without those that only others named.
pub async fn lots(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    query: &LotQuery,
    limit: u64,
) -> Result<Vec<LotBalance>, DbErr> {
    let named = format!("(balance <> 0 OR apart <> 0 OR {IS_NAMED})");
    let below = if query.negative {
        "balance < 0"
    } else {
        "TRUE"
    };
    those(conn, enterprise, query, limit, [named.as_str(), below]).await
}

/// Lines with a lot of which something should be there, in their order.
pub async fn there(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    query: &LotQuery,
    limit: u64,
) -> Result<Vec<LotBalance>, DbErr> {
    those(conn, enterprise, query, limit, ["balance > 0", "lot <> ''"]).await
}

async fn those(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    query: &LotQuery,
    limit: u64,
    also: [&str; 2],
) -> Result<Vec<LotBalance>, DbErr> {
    let (mut which, asked) = which_lots(query);
    let mut values: Vec<Value> = vec![enterprise.into(), after(query).into()];
    values.extend(asked);
    which.extend(also);
    values.push((limit as i64).into());
    let sql = format!(
        "SELECT id, gtin, lot, location_id, balance, apart, findings, gseq FROM lot_line \
         WHERE enterprise_id = ? AND id > ? AND {} ORDER BY id LIMIT ?",
        which.join(" AND ")
    );
    let rows = query_all(conn, &sql, values);
    rows.await?.iter().map(balance).collect()
}

/// Balances as they stood when the log ended at a position. Of each line what held then: what it says now, or
/// what was kept when it changed since. Where neither began by then though the line was there, nobody kept
/// it; where the act that changed it had begun, the log never ended there.
pub async fn lots_then(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    query: &LotQuery,
    limit: u64,
    at: Position,
) -> Result<Vec<LotBalance>, StockError> {
    let mut page = BTreeMap::new();
    for theirs in [Theirs::Still, Theirs::NoMore] {
        let (sql, values) = those_then(theirs, enterprise, query, limit, at);
        for row in query_all(conn, &sql, values).await? {
            page.insert(row.try_get::<i64>("", "id")?, row);
        }
    }
    let mut out = Vec::new();
    for row in page.into_values().take(limit as usize) {
        if row.try_get::<i64>("", "unsure")? != 0 {
            return Err(StockError::NotKept);
        }
        out.push(balance(&row)?);
    }
    Ok(out)
}

/// The question for lines as they stood, in their order, and what is asked in it.
fn those_then(
    theirs: Theirs,
    enterprise: Uuid,
    query: &LotQuery,
    limit: u64,
    at: Position,
) -> (String, Vec<Value>) {
    let (which, asked) = which_lots(query);
    let which: Vec<String> = which.iter().map(|w| format!(" AND lot_line.{w}")).collect();
    let which = which.concat();
    let below_zero = if query.negative {
        "AND balance < 0"
    } else {
        ""
    };
    let after = after(query);
    let number = theirs.number();
    let (lines, are_theirs, theirs) = theirs.source(enterprise, after, at);
    let sql = format!(
        "SELECT id, gtin, lot, location_id, balance, apart, findings, gseq, \
         CAST(CASE WHEN unsure THEN 1 ELSE 0 END AS BIGINT) AS unsure FROM (\
         SELECT {number} AS id, lot_line.gtin, lot_line.lot, lot_line.location_id, \
         COALESCE(w.balance, lot_line.balance) AS balance, \
         COALESCE(w.apart, lot_line.apart) AS apart, \
         COALESCE(w.findings, lot_line.findings) AS findings, \
         COALESCE(w.gseq, lot_line.gseq) AS gseq, \
         (COALESCE(w.gseq, lot_line.gseq) > ? OR COALESCE(w.began, ?) <= ?) AS unsure, \
         CASE WHEN w.until IS NULL THEN \
         (lot_line.balance <> 0 OR lot_line.apart <> 0 OR {IS_NAMED}) ELSE w.listed END \
         AS listed FROM {lines} LEFT JOIN lot_line_was w ON w.line_id = {number} \
         AND w.line_id > ? AND w.until = (SELECT MIN(x.until) FROM lot_line_was x \
         WHERE x.line_id = {number} AND x.until > ?) \
         WHERE {are_theirs} AND {number} < ? AND lot_line.id > ?{which}) t \
         WHERE unsure OR (listed {below_zero}) ORDER BY id LIMIT ?"
    );
    let behind = at + 1;
    let mut values: Vec<Value> = vec![at.into(), behind.into(), at.into()];
    values.extend([after.into(), at.into()]);
    values.extend(theirs);
    // Lines are numbered by the acts that made them.
    values.extend([(behind << NUMBER_BITS).into(), after.into()]);
    values.extend(asked);
    values.push((limit as i64).into());
    (sql, values)
}

/// Which of these batches are published: when these expire, anybody may read.
pub async fn published(
    conn: &impl ConnectionTrait,
    batches: &BTreeSet<Uuid>,
) -> Result<BTreeSet<Uuid>, DbErr> {
    let sql = "SELECT id FROM batch WHERE published_version IS NOT NULL AND id IN ({keys})";
    let keys = batches.iter().map(|batch| (*batch).into()).collect();
    let rows = by_keys(conn, sql, &[], keys).await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

fn balance(row: &QueryResult) -> Result<LotBalance, DbErr> {
    let lot: String = row.try_get("", "lot")?;
    Ok(LotBalance {
        id: row.try_get("", "id")?,
        gtin: row.try_get("", "gtin")?,
        lot: Some(lot).filter(|lot| !lot.is_empty()),
        location_id: row.try_get("", "location_id")?,
        balance: row.try_get("", "balance")?,
        apart: row.try_get("", "apart")?,
        open_findings: row.try_get::<i64>("", "findings")? as u64,
        changed: row.try_get("", "gseq")?,
    })
}

/// What moved a line of the enterprise, after a place in the list.
pub async fn movements(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    line: i64,
    after: (i64, i64),
    limit: u64,
) -> Result<Vec<MoveOut>, StockError> {
    let own = "SELECT 1 AS one FROM lot_line WHERE enterprise_id = ? AND id = ?";
    if query_one(conn, own, [enterprise.into(), line.into()])
        .await?
        .is_none()
    {
        return Err(StockError::Unknown);
    }
    let rows = query_all(
        conn,
        "SELECT m.gseq, m.n, m.movement, e.event_id, e.kind, e.enterprise_id, \
         e.device_id, e.eff, e.corrects, e.imported \
         FROM lot_move m JOIN event e ON e.gseq = m.gseq WHERE m.line_id = ? \
         AND (m.gseq > ? OR (m.gseq = ? AND m.n > ?)) ORDER BY m.gseq, m.n LIMIT ?",
        [
            line.into(),
            after.0.into(),
            after.0.into(),
            after.1.into(),
            (limit as i64).into(),
        ],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let change: String = row.try_get("", "movement")?;
            let stated: Uuid = row.try_get("", "enterprise_id")?;
            let device: Uuid = row.try_get("", "device_id")?;
            Ok(MoveOut {
                position: row.try_get("", "gseq")?,
                n: row.try_get("", "n")?,
                event: row.try_get("", "event_id")?,
                kind: row.try_get("", "kind")?,
                enterprise_id: stated,
                device_id: (stated == enterprise).then_some(device),
                at: rfc3339(match corrected(row)? {
                    Some(corrected) => corrected.order.eff,
                    None => row.try_get("", "eff")?,
                }),
                imported: row.try_get("", "imported")?,
                change: serde_json::from_str(&change)
                    .map_err(|error| DbErr::Json(error.to_string()))?,
            })
        })
        .collect()
}
