//! Positions and the instants they were committed at, both ways. Events of devices are entries with
//! rows of their own, so two tables are asked.

use super::{Position, store::head};
use crate::{
    clock::Micros,
    db::{query_one, rows::by_keys},
};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};

/// When positions were committed; those that are none are left out.
pub async fn instants(
    conn: &impl ConnectionTrait,
    positions: &BTreeSet<Position>,
) -> Result<BTreeMap<Position, Micros>, DbErr> {
    let mut instants = BTreeMap::new();
    for table in ["event", "log_entry"] {
        let sql = format!("SELECT gseq, stamp FROM {table} WHERE gseq IN ({{keys}})");
        let keys = positions
            .iter()
            .map(|position| (*position).into())
            .collect();
        for row in by_keys(conn, &sql, &[], keys).await? {
            instants.insert(row.try_get("", "gseq")?, row.try_get("", "stamp")?);
        }
    }
    Ok(instants)
}

/// The last position committed before an instant; 0 before the first.
pub async fn position_before(
    conn: &impl ConnectionTrait,
    instant: Micros,
) -> Result<Position, DbErr> {
    let (head, _) = head(conn).await?;
    position_before_upto(conn, instant, head).await
}

/// The first stride back from the newest, and how much longer each next is.
const STRIDE: Position = 16;

/// The same of positions up to one, however many come behind it. Positions and instants grow together, so it is
/// found by halving, once something before it is known: mostly what is asked for is not long ago.
pub async fn position_before_upto(
    conn: &impl ConnectionTrait,
    instant: Micros,
    until: Position,
) -> Result<Position, DbErr> {
    // `low` was committed before the instant, everything above `high` was not.
    let (mut low, mut high, mut stride) = (0, until, 1);
    while low < high {
        let middle = if low == 0 && stride < high {
            high + 1 - stride
        } else {
            low + (high - low + 1) / 2
        };
        stride = stride.saturating_mul(STRIDE);
        match first_from(conn, middle).await? {
            Some((position, stamp)) if stamp < instant && position <= high => low = position,
            // There is nothing between here and there.
            Some((_, stamp)) if stamp < instant => low = high,
            Some(_) | None => high = middle - 1,
        }
    }
    Ok(low)
}

/// The first entry at or above a position.
async fn first_from(
    conn: &impl ConnectionTrait,
    position: Position,
) -> Result<Option<(Position, Micros)>, DbErr> {
    let sql = "SELECT gseq, stamp FROM \
               (SELECT * FROM (SELECT gseq, stamp FROM event WHERE gseq >= ? ORDER BY gseq LIMIT 1) e \
               UNION ALL \
               SELECT * FROM (SELECT gseq, stamp FROM log_entry WHERE gseq >= ? ORDER BY gseq LIMIT 1) l) \
               both_of ORDER BY gseq LIMIT 1";
    let values = [position.into(), position.into()];
    let row = query_one(conn, sql, values).await?;
    row.map(|row| Ok((row.try_get("", "gseq")?, row.try_get("", "stamp")?)))
        .transpose()
}
