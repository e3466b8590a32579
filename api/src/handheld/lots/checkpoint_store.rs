//! All SQL about checkpoints along lines of lots: where a late movement makes a line go on from, and
//! what is read then.

use super::{
    Checkpoint, Moved,
    store::{is_judged, json, moved, parsed},
};
use crate::{
    clock::Micros,
    db::{
        query_all,
        rows::{Rows, by_keys, change_by_keys},
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::finding::Finding;

/// Of these lines the last checkpoint before an instant.
const FROM: &str = "FROM (SELECT line_id, MAX(eff) AS eff FROM lot_checkpoint WHERE eff < ? \
     AND line_id IN ({keys}) GROUP BY line_id) x \
     JOIN lot_checkpoint c ON c.line_id = x.line_id AND c.eff = x.eff";

/// A checkpoint of a line, and what is behind it.
pub struct Behind {
    /// The checkpoint.
    pub from: Checkpoint,
    /// Movements behind it, as they stand now.
    pub moves: Vec<Moved>,
    /// Open findings of events from then on, with their rows; of others as well.
    pub open: Vec<(i64, Finding)>,
}

async fn read(
    conn: &impl ConnectionTrait,
    sql: &str,
    before: Micros,
    lines: &BTreeSet<i64>,
) -> Result<Vec<QueryResult>, DbErr> {
    by_keys(conn, sql, &[before.into()], keys(lines)).await
}

/// What these lines go on from if something changes from an instant on, of those that have a checkpoint
/// before it.
pub async fn behind(
    conn: &impl ConnectionTrait,
    lines: &BTreeSet<i64>,
    before: Micros,
) -> Result<BTreeMap<i64, Behind>, DbErr> {
    let mut out = BTreeMap::new();
    let sql = format!("SELECT DISTINCT c.line_id, c.state {FROM}");
    for row in read(conn, &sql, before, lines).await? {
        let behind = Behind {
            from: parsed(&row.try_get::<String>("", "state")?)?,
            moves: Vec::new(),
            open: Vec::new(),
        };
        out.insert(row.try_get::<i64>("", "line_id")?, behind);
    }
    if out.is_empty() {
        return Ok(out);
    }
    let sql = format!(
        "SELECT DISTINCT m.line_id, m.gseq, m.n, m.movement, e.eff, e.device_id, e.order_epoch, \
         e.seq, e.event_id, e.corrects {FROM} JOIN lot_move m ON m.line_id = c.line_id \
         AND m.gseq >= c.rest_from JOIN event e ON e.gseq = m.gseq"
    );
    for row in read(conn, &sql, before, lines).await? {
        let (line, moved) = moved(&row)?;
        let behind = out.get_mut(&line);
        if let Some(behind) = behind.filter(|behind| behind.from.is_before(&moved.movement)) {
            behind.moves.push(moved);
        }
    }
    let sql = format!(
        "SELECT DISTINCT f.id, f.line_id, f.finding {FROM} JOIN finding f \
         ON f.line_id = c.line_id AND f.event_gseq >= c.rest_from \
         WHERE f.line_id IS NOT NULL AND f.closed IS NULL AND NOT {}",
        is_judged("f.code")
    );
    for row in read(conn, &sql, before, lines).await? {
        let finding = parsed(&row.try_get::<String>("", "finding")?)?;
        if let Some(behind) = out.get_mut(&row.try_get("", "line_id")?) {
            behind.open.push((row.try_get("", "id")?, finding));
        }
    }
    Ok(out)
}

/// The open findings of a line about the event at a position.
pub async fn open_at(
    conn: &impl ConnectionTrait,
    line: i64,
    gseq: Position,
) -> Result<Vec<(i64, Finding)>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT id, finding FROM finding WHERE line_id = ? AND line_id IS NOT NULL \
         AND event_gseq = ? AND closed IS NULL",
        [line.into(), gseq.into()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let finding = parsed(&row.try_get::<String>("", "finding")?)?;
            Ok((row.try_get("", "id")?, finding))
        })
        .collect()
}

/// Drops the checkpoints of these lines from an instant on.
pub async fn forget(
    conn: &impl ConnectionTrait,
    lines: &BTreeSet<i64>,
    from: Micros,
) -> Result<(), DbErr> {
    let sql = "DELETE FROM lot_checkpoint WHERE eff >= ? AND line_id IN ({keys})";
    change_by_keys(conn, sql, &[from.into()], keys(lines)).await
}

/// Movements of old events from a position on were written: none of the checkpoints of these lines may
/// pass over them.
pub async fn lower(
    conn: &impl ConnectionTrait,
    lines: &BTreeSet<i64>,
    gseq: Position,
) -> Result<(), DbErr> {
    let sql = "UPDATE lot_checkpoint SET rest_from = ? WHERE rest_from > ? AND line_id IN ({keys})";
    change_by_keys(conn, sql, &[gseq.into(), gseq.into()], keys(lines)).await
}

fn keys(lines: &BTreeSet<i64>) -> Vec<Value> {
    lines.iter().map(|line| (*line).into()).collect()
}

/// Keeps checkpoints of lines: with the least position of what is behind each.
pub async fn keep(
    conn: &impl ConnectionTrait,
    checkpoints: &[(i64, Checkpoint, Position)],
) -> Result<(), DbErr> {
    let mut rows = Rows::of(4);
    let mut last = BTreeMap::new();
    for (line, checkpoint, rest) in checkpoints {
        // Of several at one instant the last counts.
        if let Some(order) = checkpoint.line.last {
            last.insert((*line, order.eff), (checkpoint, *rest));
        }
    }
    for ((line, eff), (checkpoint, rest)) in last {
        rows.add([
            line.into(),
            eff.into(),
            rest.into(),
            json(checkpoint)?.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO lot_checkpoint (line_id, eff, rest_from, state)",
        "ON CONFLICT (line_id, eff) DO UPDATE SET rest_from = excluded.rest_from, \
         state = excluded.state",
    )
    .await?;
    Ok(())
}
