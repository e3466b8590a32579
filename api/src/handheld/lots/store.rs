//! All SQL about lines of lots and their movements.

use super::{LineRow, Moved};
use crate::{
    db::{
        execute, query_all,
        rows::{Rows, by_keys},
    },
    handheld::units::facts::corrected,
    log::Position,
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::Kind,
    finding::{Finding, LotKey},
    ids::{DeviceId, Epoch, EventId, LocationId, Seq},
    lots::{CODES, Change, Movement, takes_away},
    order::Order,
};
use uuid::Uuid;

/// Keys of one statement: three values each.
const KEYS: usize = 200;

pub(super) fn json(value: &impl serde::Serialize) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
}

pub(super) fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, DbErr> {
    serde_json::from_str(text).map_err(|error| DbErr::Json(format!("lot line: {error}")))
}

fn row(row: &QueryResult) -> Result<LineRow, DbErr> {
    let state: String = row.try_get("", "state")?;
    Ok(LineRow {
        id: row.try_get("", "id")?,
        enterprise: row.try_get("", "enterprise_id")?,
        findings: row.try_get("", "findings")?,
        kept: parsed(&state)?,
    })
}

fn by_line(found: &[QueryResult]) -> Result<BTreeMap<LotKey, LineRow>, DbErr> {
    let lines = found.iter().map(|found| {
        let line = row(found)?;
        Ok((line.kept.line.key.clone(), line))
    });
    lines.collect()
}

/// In SQL, that the column has the lot that is asked for, however long that is: as PostgreSQL has it in the index
/// over the keys of lines (of which a row is too short for the longest).
pub fn lot_is(backend: DbBackend, column: &str) -> String {
    lot_as(backend, column, "?")
}

/// The same of a lot that stands in another column.
fn lot_as(backend: DbBackend, column: &str, other: &str) -> String {
    let digest =
        |text: &str| format!("sha256(replace({text}, chr(92), repeat(chr(92), 2))::bytea)");
    match backend {
        DbBackend::Postgres => format!("{} = {}", digest(column), digest(other)),
        _ => format!("{column} = {other}"),
    }
}

/// Lines by key.
pub async fn lines(
    conn: &impl ConnectionTrait,
    keys: &BTreeSet<LotKey>,
) -> Result<BTreeMap<LotKey, LineRow>, DbErr> {
    let mut out = BTreeMap::new();
    let keys: Vec<&LotKey> = keys.iter().collect();
    let lot = lot_as(conn.get_database_backend(), "l.lot", "k.column2");
    for keys in keys.chunks(KEYS) {
        // Asked for one by one they would be looked for among all lines of their place (PostgreSQL), each
        // against each.
        let sql = format!(
            "SELECT l.id, l.enterprise_id, l.findings, l.state FROM (VALUES {}) AS k \
             JOIN lot_line l ON l.gtin = k.column1 AND {lot} AND l.location_id = k.column3",
            vec!["(?, ?, ?)"; keys.len()].join(", ")
        );
        let values = keys.iter().flat_map(|key| -> [Value; 3] {
            [
                key.gtin.as_str().into(),
                key.lot.as_deref().unwrap_or_default().into(),
                key.location.0.into(),
            ]
        });
        out.extend(by_line(&query_all(conn, &sql, values).await?)?);
    }
    Ok(out)
}

/// Lines of a place after a row, in order of their rows; so many of them. Those with nothing in stock or apart
/// since before a position are left out.
pub async fn lines_at(
    conn: &impl ConnectionTrait,
    place: LocationId,
    since: Position,
    after: i64,
    limit: i64,
) -> Result<Vec<i64>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT id FROM lot_line WHERE location_id = ? AND id > ? AND \
         (balance <> 0 OR apart <> 0 OR gseq > ?) ORDER BY id LIMIT ?",
        [place.0.into(), after.into(), since.into(), limit.into()],
    )
    .await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

/// Lines by number.
pub async fn lines_by_id(
    conn: &impl ConnectionTrait,
    ids: &BTreeSet<i64>,
) -> Result<BTreeMap<LotKey, LineRow>, DbErr> {
    let found = by_keys(
        conn,
        "SELECT DISTINCT id, enterprise_id, findings, state FROM lot_line WHERE id IN ({keys})",
        &[],
        ids.iter().map(|id| (*id).into()).collect(),
    )
    .await?;
    by_line(&found)
}

/// Which movements to read.
#[derive(Clone, Copy)]
pub enum Of {
    /// Of these lines.
    Lines,
    /// Of what these events say themselves.
    Events,
    /// Carried by these containers.
    Containers,
}

/// Movements with their lines, at their events' places in the order as they are now.
pub async fn moves(
    conn: &impl ConnectionTrait,
    of: Of,
    keys: Vec<Value>,
) -> Result<Vec<(i64, Moved)>, DbErr> {
    let filter = match of {
        Of::Lines => "m.line_id IN ({keys})",
        Of::Events => "m.gseq IN ({keys}) AND m.n < 16",
        Of::Containers => "m.n IN ({keys}) AND m.n >= 16",
    };
    read_moves(conn, filter, &[], keys).await
}

async fn read_moves(
    conn: &impl ConnectionTrait,
    filter: &str,
    values: &[Value],
    keys: Vec<Value>,
) -> Result<Vec<(i64, Moved)>, DbErr> {
    let sql = format!(
        "SELECT DISTINCT m.line_id, m.gseq, m.n, m.movement, e.eff, e.device_id, e.order_epoch, \
         e.seq, e.event_id, e.corrects FROM lot_move m JOIN event e ON e.gseq = m.gseq WHERE {filter}"
    );
    let rows = by_keys(conn, &sql, values, keys).await?;
    rows.iter().map(moved).collect()
}

/// A movement with its line.
pub(super) fn moved(row: &QueryResult) -> Result<(i64, Moved), DbErr> {
    let number = |name: &str| row.try_get::<i64>("", name);
    let change: Change = parsed(&row.try_get::<String>("", "movement")?)?;
    let event: Option<Uuid> = row.try_get("", "event_id")?;
    let own = Order {
        eff: number("eff")?,
        device: DeviceId(row.try_get("", "device_id")?),
        epoch: number("order_epoch")? as Epoch,
        seq: number("seq")? as Seq,
        event: EventId(event.unwrap_or_default()),
    };
    let order = corrected(row)?.map_or(own, |corrected| corrected.place_of(own));
    let moved = Moved {
        gseq: number("gseq")?,
        n: number("n")?,
        movement: Movement { order, change },
    };
    Ok((number("line_id")?, moved))
}

/// Movements of these lines with the kinds of their events, line by line: so many, after one of them (line,
/// position and number).
pub async fn moves_and_kinds(
    conn: &impl ConnectionTrait,
    lines: &[i64],
    after: (i64, Position, i64),
    limit: i64,
) -> Result<Vec<(i64, Moved, Option<(Kind, LocationId)>)>, DbErr> {
    let places = vec!["?"; lines.len()].join(", ");
    let sql = format!(
        "SELECT m.line_id, m.gseq, m.n, m.movement, e.eff, e.device_id, e.order_epoch, e.seq, \
         e.event_id, e.corrects, e.kind, e.location_id FROM lot_move m \
         JOIN event e ON e.gseq = m.gseq \
         WHERE (m.line_id, m.gseq, m.n) > (?, ?, ?) AND m.line_id IN ({places}) \
         ORDER BY m.line_id, m.gseq, m.n LIMIT ?"
    );
    let mut values: Vec<Value> = vec![after.0.into(), after.1.into(), after.2.into()];
    values.extend(lines.iter().map(|line| Value::from(*line)));
    values.push(limit.into());
    let rows = query_all(conn, &sql, values);
    let read = |row: &QueryResult| {
        let (line, moved) = moved(row)?;
        let kind: String = row.try_get("", "kind")?;
        let place: Option<Uuid> = row.try_get("", "location_id")?;
        let said = Kind::of_name(&kind).zip(place.map(LocationId));
        Ok((line, moved, said))
    };
    rows.await?.iter().map(read).collect()
}

/// What of these lines came to lie in containers that were fetched back, or lies there no more (below zero),
/// movement by movement (line, position and number): so many, after one of them.
pub async fn fetched_back(
    conn: &impl ConnectionTrait,
    lines: &[i64],
    after: (i64, Position, i64),
    limit: i64,
) -> Result<Vec<((i64, Position, i64), i64)>, DbErr> {
    let places = vec!["?"; lines.len()].join(", ");
    let sql = format!(
        "SELECT line_id, gseq, n, movement FROM lot_move \
         WHERE (line_id, gseq, n) > (?, ?, ?) AND line_id IN ({places}) \
         AND movement LIKE '{{\"is\":\"carried\"%\"apart\":%' \
         ORDER BY line_id, gseq, n LIMIT ?"
    );
    let mut values: Vec<Value> = vec![after.0.into(), after.1.into(), after.2.into()];
    values.extend(lines.iter().map(|line| Value::from(*line)));
    values.push(limit.into());
    let read = |row: &QueryResult| {
        let change: Change = parsed(&row.try_get::<String>("", "movement")?)?;
        let at = (
            row.try_get("", "line_id")?,
            row.try_get("", "gseq")?,
            row.try_get("", "n")?,
        );
        Ok((at, change.moves().unwrap_or_default().apart))
    };
    let rows = query_all(conn, &sql, values);
    rows.await?.iter().map(read).collect()
}

/// Which lines goods went away from by these events, with the events' positions.
pub async fn gone_by(
    conn: &impl ConnectionTrait,
    events: &BTreeSet<Position>,
) -> Result<BTreeSet<(i64, Position)>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT DISTINCT line_id, gseq, movement FROM lot_move WHERE gseq IN ({keys})",
        &[],
        events.iter().map(|gseq| (*gseq).into()).collect(),
    )
    .await?;
    let mut out = BTreeSet::new();
    for row in rows {
        let change: Change = parsed(&row.try_get::<String>("", "movement")?)?;
        if takes_away(change) {
            out.insert((row.try_get("", "line_id")?, row.try_get("", "gseq")?));
        }
    }
    Ok(out)
}

/// Lines of any lot, or of one of several products, that goods went away from, or were inspected at, by events
/// after a position, of so many events.
pub async fn went(
    conn: &impl ConnectionTrait,
    of: Option<(&BTreeSet<String>, &str)>,
    after: Position,
    limit: i64,
) -> Result<BTreeMap<i64, BTreeSet<Position>>, DbErr> {
    let kinds = "e.kind IN ('sale', 'outbound', 'collect', 'inspect')";
    let mut values: Vec<Value> = Vec::new();
    let mut of_lot = String::new();
    if let Some((gtins, lot)) = of {
        let gtins: Vec<&String> = gtins.iter().collect();
        let places = vec!["?"; gtins.len()].join(", ");
        let is_lot = lot_is(conn.get_database_backend(), "l.lot");
        of_lot =
            format!("JOIN lot_line l ON l.id = m.line_id AND {is_lot} AND l.gtin IN ({places}) ");
        values.push(lot.into());
        values.extend(gtins.into_iter().map(|gtin| Value::from(gtin.as_str())));
    }
    let mut again = values.clone();
    let events = format!(
        "SELECT DISTINCT m.gseq FROM lot_move m {of_lot}JOIN event e ON e.gseq = m.gseq \
         WHERE m.gseq > ? AND {kinds} ORDER BY m.gseq LIMIT ?"
    );
    let sql = format!(
        "SELECT DISTINCT m.line_id, m.gseq FROM ({events}) x JOIN lot_move m ON m.gseq = x.gseq \
         {of_lot}"
    );
    values.extend([after.into(), limit.into()]);
    values.append(&mut again);
    let mut out: BTreeMap<i64, BTreeSet<Position>> = BTreeMap::new();
    for row in query_all(conn, &sql, values).await? {
        let events = out.entry(row.try_get("", "line_id")?).or_default();
        events.insert(row.try_get("", "gseq")?);
    }
    Ok(out)
}

/// What one event says of these lines.
pub async fn moves_on(
    conn: &impl ConnectionTrait,
    gseq: Position,
    lines: &[i64],
) -> Result<Vec<(i64, Moved)>, DbErr> {
    let keys = lines.iter().map(|line| (*line).into()).collect();
    let filter = "m.gseq = ? AND m.n < 16 AND m.line_id IN ({keys})";
    read_moves(conn, filter, &[gseq.into()], keys).await
}

/// What these events say of these lines; they stand near each other in the log.
pub async fn moves_among(
    conn: &impl ConnectionTrait,
    events: &BTreeSet<Position>,
    lines: &[i64],
) -> Result<Vec<(i64, Moved)>, DbErr> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Ok(Vec::new());
    };
    let keys = lines.iter().map(|line| (*line).into()).collect();
    let filter = "m.gseq >= ? AND m.gseq <= ? AND m.n < 16 AND m.line_id IN ({keys})";
    let found = read_moves(conn, filter, &[(*first).into(), (*last).into()], keys).await?;
    let of_these = |(_, moved): &(i64, Moved)| events.contains(&moved.gseq);
    Ok(found.into_iter().filter(of_these).collect())
}

/// Movements of lines by what an event says itself, of these lines and events; each is found at once, whatever
/// else the event names or the line went through.
pub async fn moves_at(
    conn: &impl ConnectionTrait,
    at: &BTreeSet<(i64, Position)>,
) -> Result<Vec<(i64, Moved)>, DbErr> {
    let mut asked = Rows::of(2);
    for (line, gseq) in at {
        asked.add([(*line).into(), (*gseq).into()]);
    }
    let sql = "SELECT DISTINCT m.line_id, m.gseq, m.n, m.movement, e.eff, e.device_id, e.order_epoch, \
               e.seq, e.event_id, e.corrects FROM ({rows}) AS asked \
               JOIN lot_move m ON m.line_id = asked.column1 AND m.gseq = asked.column2 \
               JOIN event e ON e.gseq = m.gseq WHERE m.n < 16";
    let rows = asked.join(conn, sql, &[]).await?;
    rows.iter().map(moved).collect()
}

/// Which of these events say something of lines, as it is written down.
pub async fn moving(
    conn: &impl ConnectionTrait,
    events: &BTreeSet<Position>,
) -> Result<BTreeSet<Position>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT DISTINCT e.gseq FROM event e WHERE e.gseq IN ({keys}) AND EXISTS \
         (SELECT 1 FROM lot_move m WHERE m.gseq = e.gseq AND m.n < 16)",
        &[],
        events.iter().map(|gseq| (*gseq).into()).collect(),
    );
    rows.await?
        .iter()
        .map(|row| row.try_get("", "gseq"))
        .collect()
}

/// Writes movements, new and changed.
pub async fn write_moves(conn: &impl ConnectionTrait, moves: &[(i64, Moved)]) -> Result<(), DbErr> {
    let mut rows = Rows::of(4);
    for (line, moved) in moves {
        rows.add([
            (*line).into(),
            moved.gseq.into(),
            moved.n.into(),
            json(&moved.movement.change)?.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO lot_move (line_id, gseq, n, movement)",
        "ON CONFLICT (line_id, gseq, n) DO UPDATE SET movement = excluded.movement",
    )
    .await?;
    Ok(())
}

/// Movements by their keys, so many at once. SQLite goes by an index only for what is of the type of its columns.
pub const FORGOTTEN: &str = "DELETE FROM lot_move WHERE (line_id, gseq, n) IN (SELECT \
     CAST(column1 AS BIGINT), CAST(column2 AS BIGINT), CAST(column3 AS BIGINT) FROM ({rows}) AS k)";

/// Takes movements back that are none any more.
pub async fn forget_moves(
    conn: &impl ConnectionTrait,
    moves: &[(i64, i64, i64)],
) -> Result<(), DbErr> {
    let mut rows = Rows::of(3);
    for (line, gseq, n) in moves {
        rows.add([(*line).into(), (*gseq).into(), (*n).into()]);
    }
    rows.join(conn, FORGOTTEN, &[]).await?;
    Ok(())
}

/// Writes lines, new and known.
pub async fn write_lines(
    conn: &impl ConnectionTrait,
    lines: &[LineRow],
    gseq: Position,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(10);
    for line in lines {
        let of = &line.kept.line;
        rows.add([
            line.id.into(),
            of.key.gtin.as_str().into(),
            of.key.lot.as_deref().unwrap_or_default().into(),
            of.key.location.0.into(),
            line.enterprise.into(),
            of.balance.into(),
            of.collected.into(),
            line.findings.into(),
            gseq.into(),
            json(&line.kept)?.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO lot_line (id, gtin, lot, location_id, enterprise_id, balance, apart, findings, \
         gseq, state)",
        "ON CONFLICT (id) DO UPDATE SET enterprise_id = excluded.enterprise_id, \
         balance = excluded.balance, apart = excluded.apart, findings = excluded.findings, \
         gseq = excluded.gseq, state = excluded.state",
    )
    .await?;
    Ok(())
}

/// A place is on record, by an act at this position: what was said to be there before, by whomever, is its
/// owner's. Whose it was is kept for whoever reads balances as they were known before.
pub async fn are_of(
    conn: &impl ConnectionTrait,
    place: Uuid,
    owner: Uuid,
    since: Position,
) -> Result<(), DbErr> {
    let others = "location_id = ? AND enterprise_id <> ?";
    let kept = format!(
        "INSERT INTO lot_line_whose (line_id, until, enterprise_id) \
         SELECT id, CAST(? AS BIGINT), enterprise_id FROM lot_line WHERE {others}"
    );
    execute(conn, &kept, [since.into(), place.into(), owner.into()]).await?;
    let theirs = format!("UPDATE lot_line SET enterprise_id = ? WHERE {others}");
    execute(conn, &theirs, [owner.into(), place.into(), owner.into()]).await?;
    Ok(())
}

/// In SQL, of a finding: it is no part of a line's fold, but was made by holding what went against what is
/// on record.
pub(super) fn is_judged(finding: &str) -> String {
    let names: Vec<String> = CODES
        .iter()
        .map(|code| format!("'{}'", code.name()))
        .collect();
    format!("{finding} IN ({})", names.join(", "))
}

/// Open findings of lines about these events having taken goods away, by line and event, with their rows.
pub async fn open_of_gone(
    conn: &impl ConnectionTrait,
    events: &BTreeSet<Position>,
) -> Result<BTreeMap<(i64, Position), Vec<(i64, Finding)>>, DbErr> {
    let sql = format!(
        "SELECT DISTINCT id, line_id, event_gseq, finding FROM finding \
         WHERE event_gseq IN ({{keys}}) AND line_id IS NOT NULL AND closed IS NULL AND {}",
        is_judged("code")
    );
    let keys = events.iter().map(|gseq| (*gseq).into()).collect();
    let mut out: BTreeMap<(i64, Position), Vec<(i64, Finding)>> = BTreeMap::new();
    for row in by_keys(conn, &sql, &[], keys).await? {
        let finding = parsed(&row.try_get::<String>("", "finding")?)?;
        let of = (row.try_get("", "line_id")?, row.try_get("", "event_gseq")?);
        out.entry(of)
            .or_default()
            .push((row.try_get("", "id")?, finding));
    }
    Ok(out)
}

/// Open findings of lines that their folds made, with their rows.
pub async fn open(
    conn: &impl ConnectionTrait,
    lines: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, Vec<(i64, Finding)>>, DbErr> {
    let sql = format!(
        "SELECT DISTINCT id, line_id, finding FROM finding WHERE line_id IN ({{keys}}) \
         AND line_id IS NOT NULL AND closed IS NULL AND NOT {}",
        is_judged("code")
    );
    let rows = by_keys(
        conn,
        &sql,
        &[],
        lines.iter().map(|line| (*line).into()).collect(),
    )
    .await?;
    let mut out: BTreeMap<i64, Vec<(i64, Finding)>> = BTreeMap::new();
    for row in rows {
        let finding = parsed(&row.try_get::<String>("", "finding")?)?;
        out.entry(row.try_get("", "line_id")?)
            .or_default()
            .push((row.try_get("", "id")?, finding));
    }
    Ok(out)
}
