//! Positions and the instants they were committed at, both ways. Events of devices are entries with
//! rows of their own, so two tables are asked.

use super::{Position, store::head};
use crate::{
    clock::Micros,
    db::{rows::by_keys, statement},
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

/// The last position committed before an instant; 0 before the first. Positions and instants grow
/// together, so it is found by halving.
pub async fn position_before(
    conn: &impl ConnectionTrait,
    instant: Micros,
) -> Result<Position, DbErr> {
    // `low` was committed before the instant, everything above `high` was not.
    let (mut low, mut high) = (0, head(conn).await?.0);
    while low < high {
        let middle = low + (high - low + 1) / 2;
        match first_from(conn, middle).await? {
            Some((position, stamp)) if stamp < instant => low = position,
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
    let mut first: Option<(Position, Micros)> = None;
    for table in ["event", "log_entry"] {
        let sql = format!("SELECT gseq, stamp FROM {table} WHERE gseq >= ? ORDER BY gseq LIMIT 1");
        let query = statement(conn.get_database_backend(), &sql, [position.into()]);
        if let Some(row) = conn.query_one_raw(query).await? {
            let found = (row.try_get("", "gseq")?, row.try_get("", "stamp")?);
            first = Some(first.map_or(found, |first| first.min(found)));
        }
    }
    Ok(first)
}
