//! What came to count after a position, or moved in the order since: for whoever folded on a snapshot and
//! wants to know whether that still stands.

use super::{
    UnitId,
    facts::{TEXT_MAX, events, sizes},
};
use crate::{
    db::{query_all, query_one, rows::by_keys},
    handheld::units::facts::{Part, Reader},
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
    /// More than was asked for.
    More,
    /// An entry of the log: it may have changed anything.
    Entry,
}

/// How much is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// Events that came in or moved.
    pub events: usize,
    /// Bytes of text that are read of them, and of groups that they are of.
    pub bytes: i64,
}

impl Most {
    /// So many events, and no more text than is read at once.
    pub const fn of(events: usize) -> Most {
        Most {
            events,
            bytes: TEXT_MAX,
        }
    }
}

/// What came after a position, up to another, if that is not too much.
pub async fn came(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    (after, upto): (Position, Position),
    most: Most,
) -> Result<Came, DbErr> {
    let query = "SELECT gseq FROM log_entry WHERE gseq > ? AND gseq <= ? ORDER BY gseq LIMIT 1";
    if query_one(conn, query, [after.into(), upto.into()])
        .await?
        .is_some()
    {
        return Ok(Came::Entry);
    }
    let limit = i64::try_from(most.events).unwrap_or(i64::MAX);
    let limit = limit.saturating_add(1);
    let new = "SELECT gseq FROM event WHERE gseq > ? AND gseq <= ? AND counts_from IS NOT NULL \
               ORDER BY gseq LIMIT ?";
    let moved = "SELECT gseq FROM event_was WHERE until > ? AND until <= ? ORDER BY until LIMIT ?";
    let mut positions: BTreeSet<Position> = BTreeSet::new();
    for sql in [new, moved] {
        let rows = query_all(conn, sql, [after.into(), upto.into(), limit.into()]).await?;
        if rows.len() > most.events {
            return Ok(Came::More);
        }
        positions.extend(positions_of(&rows)?);
    }
    let mut room = most.bytes;
    let Some(mut all) = within(conn, reader, positions, &mut room).await? else {
        return Ok(Came::More);
    };
    // The last of a group that comes in brings along those before it (T8).
    let groups = all.values().filter_map(|event| event.group);
    let groups: BTreeSet<GroupId> = groups.map(|group| group.id).collect();
    if !groups.is_empty() {
        let keys = groups.iter().map(|id| id.0.into()).collect();
        let sql = "SELECT gseq FROM event WHERE counts_from IS NOT NULL AND group_id IN ({keys})";
        let rows = by_keys(conn, sql, &[], keys).await?;
        let mut members: BTreeSet<Position> = positions_of(&rows)?.into_iter().collect();
        members.retain(|gseq| !all.contains_key(gseq));
        let Some(members) = within(conn, reader, members, &mut room).await? else {
            return Ok(Came::More);
        };
        all.extend(members);
    }
    Ok(Came::Events(all))
}

/// What was stated at these positions, if there is room for what has to be read of it.
async fn within(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    positions: BTreeSet<Position>,
    room: &mut i64,
) -> Result<Option<BTreeMap<Position, Arc<Event>>>, DbErr> {
    let unread = positions.iter().copied();
    let unread = unread.filter(|gseq| reader.known(*gseq, Part::Whole).is_none());
    let sizes = sizes(conn, &unread.collect()).await?;
    *room -= sizes.values().sum::<i64>();
    if *room < 0 {
        return Ok(None);
    }
    Ok(Some(events(conn, reader, positions).await?))
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
