//! All SQL of a replay: the whole log, and the live tables as they stand. Reads only.

use crate::{
    clock::Micros,
    db::query_all,
    handheld::{
        push::store::remarks_of,
        units::{
            facts::{COLUMNS, Reader},
            store::{UnitId, UnitRow, unit_row},
        },
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    admission::Outcome,
    facts::Fact,
    finding::{Finding, FindingCode},
    ids::Gseq,
};
use uuid::Uuid;

/// Rows read at once.
const PAGE: i64 = 5_000;

/// A finding that is open.
pub(super) struct Open {
    pub(super) unit: Option<UnitId>,
    pub(super) line: Option<i64>,
    pub(super) finding: Finding,
}

/// A unit with what its row says beside its state.
pub(super) struct LiveUnit {
    pub(super) row: UnitRow,
    pub(super) columns: Columns,
}

/// The columns of a unit that repeat what its state says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) issuer: Option<Uuid>,
    pub(super) batch: Option<Uuid>,
    pub(super) phase: String,
    pub(super) place: Option<Uuid>,
    pub(super) holder: Option<Uuid>,
    pub(super) findings: i64,
}

/// A line of goods as it is kept.
pub(super) struct LiveLine {
    pub(super) id: i64,
    pub(super) gtin: String,
    pub(super) lot: String,
    pub(super) location: Uuid,
    pub(super) balance: i64,
    pub(super) apart: i64,
}

/// The live tables.
pub(super) struct Live {
    pub(super) units: Vec<LiveUnit>,
    pub(super) lines: Vec<LiveLine>,
    /// By their rows' numbers.
    pub(super) findings: BTreeMap<i64, Open>,
    /// Events that stand aside, with what is found about each.
    pub(super) aside: BTreeMap<Position, BTreeSet<FindingCode>>,
    /// Open findings about events that stand aside.
    pub(super) of_aside: BTreeMap<Position, BTreeSet<FindingCode>>,
}

/// All rows of a query that goes on after a number, named `n`.
async fn all(conn: &impl ConnectionTrait, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
    let (mut after, mut rows) = (i64::MIN, Vec::new());
    loop {
        let values: [Value; 2] = [after.into(), PAGE.into()];
        let page = query_all(conn, sql, values).await?;
        let Some(last) = page.last() else {
            return Ok(rows);
        };
        after = last.try_get("", "n")?;
        rows.extend(page);
    }
}

/// Every event that counts.
pub(super) async fn facts(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let sql = format!(
        "SELECT e.gseq AS n, {COLUMNS} FROM event e WHERE e.counts_from IS NOT NULL \
         AND e.gseq > ? ORDER BY e.gseq LIMIT ?"
    );
    let mut facts = Vec::new();
    for row in all(conn, &sql).await? {
        facts.extend(reader.fact(&row)?);
    }
    Ok(facts)
}

/// When each position was committed.
pub(super) async fn instants(conn: &impl ConnectionTrait) -> Result<BTreeMap<Gseq, Micros>, DbErr> {
    let mut instants = BTreeMap::new();
    for table in ["event", "log_entry"] {
        let sql =
            format!("SELECT gseq AS n, stamp FROM {table} WHERE gseq > ? ORDER BY gseq LIMIT ?");
        for row in all(conn, &sql).await? {
            // It ended the time of the one before it: positions have no holes.
            let position: Gseq = row.try_get("", "n")?;
            instants.insert(position - 1, row.try_get("", "stamp")?);
        }
    }
    Ok(instants)
}

/// The live tables as they stand.
pub(super) async fn live(conn: &impl ConnectionTrait) -> Result<Live, DbErr> {
    let units = all(
        conn,
        "SELECT id AS n, id, unit_key, inside, exceptional, state, issuer, batch_id, phase, place, \
         holder, findings FROM unit WHERE id > ? ORDER BY id LIMIT ?",
    )
    .await?;
    let lines = all(
        conn,
        "SELECT id AS n, gtin, lot, location_id, balance, apart FROM lot_line WHERE id > ? ORDER BY id \
         LIMIT ?",
    )
    .await?;
    let open = all(
        conn,
        "SELECT id AS n, unit_id, line_id, event_gseq, finding FROM finding \
         WHERE closed IS NULL AND id > ? ORDER BY id LIMIT ?",
    )
    .await?;
    let aside = all(
        conn,
        "SELECT gseq AS n, remarks FROM event WHERE counts_from IS NULL AND gseq > ? \
         ORDER BY gseq LIMIT ?",
    )
    .await?;
    let mut live = Live {
        units: units.iter().map(unit).collect::<Result<_, _>>()?,
        lines: lines.iter().map(line).collect::<Result<_, _>>()?,
        findings: BTreeMap::new(),
        aside: BTreeMap::new(),
        of_aside: BTreeMap::new(),
    };
    for row in aside {
        let remarks: String = row.try_get("", "remarks")?;
        let outcome = Outcome::of(remarks_of(&remarks));
        let codes = outcome.findings().collect();
        live.aside.insert(row.try_get("", "n")?, codes);
    }
    for row in open {
        let text: String = row.try_get("", "finding")?;
        let finding: Finding =
            serde_json::from_str(&text).map_err(|error| DbErr::Json(error.to_string()))?;
        let at: Position = row.try_get("", "event_gseq")?;
        if live.aside.contains_key(&at) {
            live.of_aside.entry(at).or_default().insert(finding.code);
            continue;
        }
        let open = Open {
            unit: row.try_get("", "unit_id")?,
            line: row.try_get("", "line_id")?,
            finding,
        };
        live.findings.insert(row.try_get("", "n")?, open);
    }
    put_in(&mut live);
    Ok(live)
}

/// Puts in the findings of units that do not keep them a second time.
fn put_in(live: &mut Live) {
    let mut found: BTreeMap<UnitId, Vec<(i64, Finding)>> = BTreeMap::new();
    for (id, open) in &live.findings {
        if let Some(unit) = open.unit {
            found
                .entry(unit)
                .or_default()
                .push((*id, open.finding.clone()));
        }
    }
    for unit in &mut live.units {
        if unit.row.kept.elsewhere {
            let found = found.remove(&unit.row.id).unwrap_or_default();
            unit.row.kept.found_elsewhere(found);
        }
    }
}

fn unit(row: &QueryResult) -> Result<LiveUnit, DbErr> {
    Ok(LiveUnit {
        columns: Columns {
            issuer: row.try_get("", "issuer")?,
            batch: row.try_get("", "batch_id")?,
            phase: row.try_get("", "phase")?,
            place: row.try_get("", "place")?,
            holder: row.try_get("", "holder")?,
            findings: row.try_get("", "findings")?,
        },
        row: unit_row(row)?,
    })
}

fn line(row: &QueryResult) -> Result<LiveLine, DbErr> {
    Ok(LiveLine {
        id: row.try_get("", "n")?,
        gtin: row.try_get("", "gtin")?,
        lot: row.try_get("", "lot")?,
        location: row.try_get("", "location_id")?,
        balance: row.try_get("", "balance")?,
        apart: row.try_get("", "apart")?,
    })
}
