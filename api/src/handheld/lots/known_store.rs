//! All SQL about how lines of lots stood before they changed, so that a balance can be told as it was known
//! at a position of the log (T10, I25), however much came late since. Whoever reads it finds by itself
//! where nothing was kept: a row says from which position on it held, and up to which.
//!
//! It must not know who asks.

use crate::{
    db::rows::{by_keys, change_by_keys},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, Value};
use std::collections::BTreeSet;

/// In SQL, of a row of `lot_line`: something happened to it that counts, or its place's own enterprise
/// named it. What others name there is found at their events and makes no goods.
pub const IS_NAMED: &str = "EXISTS (SELECT 1 FROM lot_move m \
     JOIN event e ON e.gseq = m.gseq WHERE m.line_id = lot_line.id \
     AND (m.movement NOT LIKE '{\"is\":\"found\"%' OR e.enterprise_id = lot_line.enterprise_id))";

/// Which of these lines are named, by their movements as they are written down.
pub async fn named(
    conn: &impl ConnectionTrait,
    lines: &BTreeSet<i64>,
) -> Result<BTreeSet<i64>, DbErr> {
    let sql = format!("SELECT id FROM lot_line WHERE id IN ({{keys}}) AND {IS_NAMED}");
    let keys = lines.iter().map(|line| (*line).into()).collect();
    let rows = by_keys(conn, &sql, &[], keys).await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

/// Keeps how these lines stood until an act that begins and ends at these positions, with whether they are
/// named. What is not in yet did not stand; what this act wrote already is not what was before it.
pub async fn keep(
    conn: &impl ConnectionTrait,
    lines: &[(i64, bool)],
    (first, last): (Position, Position),
) -> Result<(), DbErr> {
    for named in [true, false] {
        let lines: Vec<Value> = lines
            .iter()
            .filter(|(_, is)| *is == named)
            .map(|(line, _)| (*line).into())
            .collect();
        let is_listed = if named {
            "TRUE"
        } else {
            "(balance <> 0 OR apart <> 0)"
        };
        let sql = format!(
            "INSERT INTO lot_line_was (line_id, until, began, gseq, balance, apart, findings, listed) \
             SELECT id, CAST(? AS BIGINT), CAST(? AS BIGINT), gseq, balance, apart, findings, {is_listed} \
             FROM lot_line WHERE gseq < ? AND id IN ({{keys}}) \
             ON CONFLICT (line_id, until) DO NOTHING"
        );
        let values = [last.into(), first.into(), last.into()];
        change_by_keys(conn, &sql, &values, lines).await?;
    }
    Ok(())
}
