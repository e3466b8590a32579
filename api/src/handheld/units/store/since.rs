//! What came to count after a position, or moved in the order since: for whoever folded on a snapshot and
//! wants to know whether that still stands.

use super::{UnitId, facts::events};
use crate::{
    db::{rows::by_keys, statement},
    handheld::units::facts::Reader,
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{event::Event, ids::GroupId};

/// What came in between two positions.
#[derive(Debug)]
pub enum Came {
    /// These events came to count or moved.
    Events(BTreeMap<Position, Arc<Event>>),
    /// More events than were asked for.
    More,
    /// An entry of the log: it may have changed anything.
    Entry,
}

/// What came after a position, up to another; of events so many.
pub async fn came(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    (after, upto): (Position, Position),
    most: usize,
) -> Result<Came, DbErr> {
    let backend = conn.get_database_backend();
    let query = "SELECT gseq FROM log_entry WHERE gseq > ? AND gseq <= ? ORDER BY gseq LIMIT 1";
    let query = statement(backend, query, [after.into(), upto.into()]);
    if conn.query_one_raw(query).await?.is_some() {
        return Ok(Came::Entry);
    }
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let new = "SELECT gseq FROM event WHERE gseq > ? AND gseq <= ? AND counts_from IS NOT NULL \
               ORDER BY gseq LIMIT ?";
    let moved = "SELECT gseq FROM event_was WHERE until > ? AND until <= ? ORDER BY until LIMIT ?";
    let mut positions: BTreeSet<Position> = BTreeSet::new();
    for sql in [new, moved] {
        let query = statement(backend, sql, [after.into(), upto.into(), limit.into()]);
        let rows = conn.query_all_raw(query).await?;
        if rows.len() > most {
            return Ok(Came::More);
        }
        positions.extend(positions_of(&rows)?);
    }
    let mut all = events(conn, reader, positions).await?;
    // The last of a group that comes in brings along those before it (T8).
    let groups = all.values().filter_map(|event| event.group);
    let groups: BTreeSet<GroupId> = groups.map(|group| group.id).collect();
    if !groups.is_empty() {
        let keys = groups.iter().map(|id| id.0.into()).collect();
        let sql = "SELECT gseq FROM event WHERE counts_from IS NOT NULL AND group_id IN ({keys})";
        let rows = by_keys(conn, sql, &[], keys).await?;
        let mut members: BTreeSet<Position> = positions_of(&rows)?.into_iter().collect();
        members.retain(|gseq| !all.contains_key(gseq));
        all.extend(events(conn, reader, members).await?);
    }
    Ok(Came::Events(all))
}

fn positions_of(rows: &[QueryResult]) -> Result<Vec<Position>, DbErr> {
    rows.iter().map(|row| row.try_get("", "gseq")).collect()
}

/// Did any of these rows of units change after a position?
pub async fn any_written_after(
    conn: &impl ConnectionTrait,
    units: &[UnitId],
    after: Position,
) -> Result<bool, DbErr> {
    let keys = units.iter().map(|id| (*id).into()).collect();
    let sql = "SELECT id FROM unit WHERE gseq > ? AND id IN ({keys})";
    Ok(!by_keys(conn, sql, &[after.into()], keys).await?.is_empty())
}
