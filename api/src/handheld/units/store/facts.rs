//! Which events are about a unit: read as facts, and written down by role.

use super::{CONTAINER, NAMED, UnitId};
use crate::{
    clock::Micros,
    db::rows::{Rows, by_keys},
    handheld::{
        push::store::names_in,
        units::facts::{FRAME, Part, Reader, eff_there, fact_of},
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::{Event, Kind},
    facts::Fact,
    ids::{DeviceId, EnterpriseId, Epoch, EventId, GroupId, LocationId, Seq},
    limits::EVENT_BYTES_MAX,
    unit::UnitKey,
};
use uuid::Uuid;

/// Everything that counts, whenever it came in.
pub const NOW: Position = Position::MAX;

/// The facts about these units, of those that count as of a position.
pub async fn facts(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    units: &[UnitId],
    upto: Position,
) -> Result<BTreeMap<UnitId, Vec<Arc<Fact>>>, DbErr> {
    let sql = format!(
        "SELECT u.unit_id, {FRAME} FROM event_unit u JOIN event e ON e.gseq = u.gseq \
         WHERE e.counts_from <= ? AND u.unit_id IN ({{keys}})"
    );
    let keys = units.iter().map(|id| (*id).into()).collect();
    let rows = by_keys(conn, &sql, &[upto.into()], keys).await?;
    let at: Result<BTreeSet<Position>, DbErr> =
        rows.iter().map(|row| row.try_get("", "gseq")).collect();
    let events = events(conn, reader, at?).await?;
    let mut facts: BTreeMap<UnitId, BTreeMap<i64, Arc<Fact>>> = BTreeMap::new();
    for row in rows {
        let gseq: Position = row.try_get("", "gseq")?;
        if let Some(event) = events.get(&gseq) {
            let unit: UnitId = row.try_get("", "unit_id")?;
            let fact = fact_of(&row, event.clone())?;
            facts.entry(unit).or_default().insert(gseq, fact);
        }
    }
    let list = |facts: BTreeMap<i64, Arc<Fact>>| facts.into_values().collect();
    Ok(facts
        .into_iter()
        .map(|(unit, facts)| (unit, list(facts)))
        .collect())
}

/// What was stated at these positions.
pub(super) async fn events(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    positions: BTreeSet<Position>,
) -> Result<BTreeMap<Position, Arc<Event>>, DbErr> {
    read(conn, reader, positions, Part::Whole).await
}

/// So much of what was stated at these positions. Of what is remembered the text is not read again.
async fn read(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    positions: BTreeSet<Position>,
    part: Part,
) -> Result<BTreeMap<Position, Arc<Event>>, DbErr> {
    let mut events = BTreeMap::new();
    let mut unread = Vec::new();
    for gseq in positions {
        match reader.known(gseq, part) {
            Some(event) => {
                events.insert(gseq, event);
            }
            None => unread.push(gseq.into()),
        }
    }
    let sql = "SELECT gseq, body, meant FROM event WHERE gseq IN ({keys})";
    for row in by_keys(conn, sql, &[], unread).await? {
        let gseq: Position = row.try_get("", "gseq")?;
        let event = match part {
            Part::Whole => reader.event(&row)?,
            Part::Outline => reader.outline(&row)?,
        };
        events.extend(event.map(|event| (gseq, event)));
    }
    Ok(events)
}

/// Facts by their events' ids, of any enterprise; who asks filters.
pub async fn by_event_id(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    ids: &BTreeSet<EventId>,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let rows = rows_by_id(conn, ids, NOW).await?;
    framed(conn, reader, &rows, Part::Whole).await
}

async fn rows_by_id(
    conn: &impl ConnectionTrait,
    ids: &BTreeSet<EventId>,
    upto: Position,
) -> Result<Vec<QueryResult>, DbErr> {
    let sql = format!(
        "SELECT {FRAME} FROM event e WHERE e.counts_from <= ? AND e.event_id IN ({{keys}})"
    );
    let keys = ids.iter().map(|id| id.0.into()).collect();
    by_keys(conn, &sql, &[upto.into()], keys).await
}

/// Facts by position.
pub async fn by_position(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    positions: &BTreeSet<Position>,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    by_position_then(conn, reader, positions, NOW).await
}

/// Facts by position, of those that count as of another.
pub async fn by_position_then(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    positions: &BTreeSet<Position>,
    upto: Position,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let sql =
        format!("SELECT {FRAME} FROM event e WHERE e.counts_from <= ? AND e.gseq IN ({{keys}})");
    let keys = positions.iter().map(|gseq| (*gseq).into()).collect();
    let rows = by_keys(conn, &sql, &[upto.into()], keys).await?;
    framed(conn, reader, &rows, Part::Whole).await
}

/// So much text is read at once of events of one push that come to count together, are judged again, or moved: some
/// 10 ms. No event is longer than half of it.
pub const TEXT_MAX: i64 = 1 << 20;
const _: () = assert!(2 * EVENT_BYTES_MAX as i64 <= TEXT_MAX);

/// These positions in parts, each of no more text than is read at once.
pub(super) async fn parts(
    conn: &impl ConnectionTrait,
    positions: &BTreeSet<Position>,
) -> Result<Vec<BTreeSet<Position>>, DbErr> {
    let parts = in_parts(sizes(conn, positions).await?, TEXT_MAX);
    Ok(parts
        .into_iter()
        .map(|part| part.into_iter().collect())
        .collect())
}

/// Things with their sizes, in their order, in parts of no more than so much; one alone may be more.
pub fn in_parts<T>(sized: impl IntoIterator<Item = (T, i64)>, most: i64) -> Vec<Vec<T>> {
    let mut parts: Vec<Vec<T>> = Vec::new();
    let mut room = 0;
    for (one, size) in sized {
        room -= size;
        if let Some(part) = parts.last_mut().filter(|_| room >= 0) {
            part.push(one);
        } else {
            parts.push(vec![one]);
            room = most - size;
        }
    }
    parts
}

/// How long the texts of these events are.
pub(super) async fn sizes(
    conn: &impl ConnectionTrait,
    positions: &BTreeSet<Position>,
) -> Result<BTreeMap<Position, i64>, DbErr> {
    let sql =
        "SELECT gseq, CAST(LENGTH(body) AS BIGINT) AS bytes FROM event WHERE gseq IN ({keys})";
    let keys = positions.iter().map(|gseq| (*gseq).into()).collect();
    let rows = by_keys(conn, sql, &[], keys).await?;
    let sized = rows
        .iter()
        .map(|row| Ok((row.try_get("", "gseq")?, row.try_get("", "bytes")?)));
    sized.collect()
}

/// The first of these facts by position, as many as are read at once, and where the others stand.
pub async fn first_of(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    positions: &BTreeSet<Position>,
) -> Result<(Vec<Arc<Fact>>, Vec<Position>), DbErr> {
    if positions.len() <= 2 {
        return Ok((by_position(conn, reader, positions).await?, Vec::new()));
    }
    let sizes = sizes(conn, positions).await?;
    let mut sum = 0;
    let (now, later): (Vec<_>, Vec<_>) = sizes.into_iter().partition(|(_, bytes)| {
        sum += bytes;
        sum <= TEXT_MAX
    });
    let now = now.into_iter().map(|(gseq, _)| gseq).collect();
    let later = later.into_iter().map(|(gseq, _)| gseq).collect();
    Ok((by_position(conn, reader, &now).await?, later))
}

/// The same of facts that moved in the order, and of the others no more than whose they are, what, and where they
/// stand; but counts, retracts and members of groups are read whole, however many: more is asked of them. What stands
/// for something else stays there.
pub async fn moved(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    positions: &BTreeSet<Position>,
) -> Result<(Vec<Arc<Fact>>, Vec<Position>), DbErr> {
    let (mut moved, unread) = first_of(conn, reader, positions).await?;
    let mut left: BTreeSet<Position> = unread.iter().copied().collect();
    let framed = frames(conn, &left).await?;
    for fact in &framed {
        left.remove(&fact.gseq);
    }
    moved.extend(framed);
    moved.extend(by_position(conn, reader, &left).await?);
    moved.retain(|fact| fact.corrects.is_none());
    Ok((moved, unread))
}

/// Facts with nothing of what they say: no counts, retracts or members of groups, of which more is asked.
async fn frames(
    conn: &impl ConnectionTrait,
    positions: &BTreeSet<Position>,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let sql = format!(
        "SELECT {FRAME}, e.kind, e.event_id, e.location_id, e.epoch FROM event e \
         WHERE e.counts_from IS NOT NULL AND e.group_id IS NULL AND e.event_id IS NOT NULL \
         AND e.kind NOT IN ('{}', '{}') AND e.gseq IN ({{keys}})",
        Kind::Count.name(),
        Kind::Retract.name()
    );
    let keys = positions.iter().map(|gseq| (*gseq).into()).collect();
    let mut out = Vec::new();
    for row in by_keys(conn, &sql, &[], keys).await? {
        let kind: String = row.try_get("", "kind")?;
        let Some(kind) = Kind::of_name(&kind) else {
            continue;
        };
        let device = DeviceId(row.try_get("", "device_id")?);
        let epoch = row.try_get::<i64>("", "epoch")? as Epoch;
        let seq = row.try_get::<i64>("", "seq")? as Seq;
        let id = EventId(row.try_get("", "event_id")?);
        let mut event = Event::bare(kind, id, device, epoch, seq, 0);
        let place: Option<Uuid> = row.try_get("", "location_id")?;
        event.location = LocationId(place.unwrap_or_default());
        out.push(fact_of(&row, Arc::new(event))?);
    }
    Ok(out)
}

/// Outlines of facts by their events' ids, of any enterprise, of those that count as of a position.
pub async fn outlines(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    ids: &BTreeSet<EventId>,
    upto: Position,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let rows = rows_by_id(conn, ids, upto).await?;
    framed(conn, reader, &rows, Part::Outline).await
}

/// Facts of a kind of groups, of any enterprise; who asks filters.
pub async fn by_group(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    groups: &BTreeSet<GroupId>,
    kind: Kind,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let sql = format!(
        "SELECT {FRAME} FROM event e WHERE e.kind = ? AND e.group_id IN ({{keys}}) \
         AND e.group_id IS NOT NULL AND e.counts_from IS NOT NULL"
    );
    let keys = groups.iter().map(|id| id.0.into()).collect();
    let rows = by_keys(conn, &sql, &[kind.name().into()], keys).await?;
    framed(conn, reader, &rows, Part::Whole).await
}

/// An event of a group, whatever it says.
pub struct Member {
    /// Where it stands in the log.
    pub gseq: Position,
    /// Of whom, and of which group.
    pub of: (EnterpriseId, GroupId),
    /// What it is.
    pub kind: Kind,
    /// When it happened, or what it corrects.
    pub eff: Micros,
    /// How much it names at most.
    names: usize,
}

impl Member {
    /// How much it names at most; something, in any case.
    pub fn names(&self) -> usize {
        self.names.max(1)
    }
}

/// What counts of groups, of any enterprise, by position.
pub async fn members_of(
    conn: &impl ConnectionTrait,
    groups: &BTreeSet<GroupId>,
) -> Result<Vec<Member>, DbErr> {
    let sql = "SELECT gseq, enterprise_id, group_id, kind, eff, corrects, \
               CAST(LENGTH(body) AS BIGINT) AS bytes FROM event \
               WHERE group_id IN ({keys}) AND group_id IS NOT NULL AND counts_from IS NOT NULL";
    let keys = groups.iter().map(|id| id.0.into()).collect();
    let rows = by_keys(conn, sql, &[], keys).await?;
    let member = |row: &QueryResult| {
        let kind: String = row.try_get("", "kind")?;
        let Some(kind) = Kind::of_name(&kind) else {
            return Ok(None);
        };
        Ok(Some(Member {
            kind,
            gseq: row.try_get("", "gseq")?,
            of: (
                EnterpriseId(row.try_get("", "enterprise_id")?),
                GroupId(row.try_get("", "group_id")?),
            ),
            eff: eff_there(row)?,
            names: names_in(row.try_get("", "bytes")?),
        }))
    };
    let members = rows.iter().map(member).collect::<Result<Vec<_>, DbErr>>()?;
    let mut members: Vec<Member> = members.into_iter().flatten().collect();
    members.sort_by_key(|member| member.gseq);
    Ok(members)
}

/// Effective times as of a position, of those of these events that moved in the order since.
pub async fn eff_then(
    conn: &impl ConnectionTrait,
    events: &BTreeSet<Position>,
    upto: Position,
) -> Result<BTreeMap<Position, Micros>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT gseq, until, eff FROM event_was WHERE until > ? AND gseq IN ({keys})",
        &[upto.into()],
        events.iter().map(|gseq| (*gseq).into()).collect(),
    )
    .await?;
    let mut first: BTreeMap<Position, (Position, Micros)> = BTreeMap::new();
    for row in rows {
        let was = (row.try_get("", "until")?, row.try_get("", "eff")?);
        let known = first.entry(row.try_get("", "gseq")?).or_insert(was);
        *known = was.min(*known);
    }
    let eff = |(gseq, (_, eff))| (gseq, eff);
    Ok(first.into_iter().map(eff).collect())
}

/// Facts of rows with [`FRAME`], by position. Of what is remembered no text is read again: a group may be of
/// hundreds of events that name a thousand units each.
async fn framed(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    rows: &[QueryResult],
    part: Part,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let mut framed: BTreeMap<Position, &QueryResult> = BTreeMap::new();
    for row in rows {
        framed.insert(row.try_get("", "gseq")?, row);
    }
    let mut events = read(conn, reader, framed.keys().copied().collect(), part).await?;
    let facts = framed
        .into_iter()
        .filter_map(|(gseq, row)| Some(fact_of(row, events.remove(&gseq)?)));
    facts.collect()
}

/// Retracts that are in and strike any of these: pairs of target and position of the retract.
pub async fn retracts_of(
    conn: &impl ConnectionTrait,
    targets: &BTreeSet<EventId>,
) -> Result<Vec<(Uuid, EventId, Position)>, DbErr> {
    let keys = targets.iter().map(|id| id.0.into()).collect();
    let rows = by_keys(
        conn,
        "SELECT DISTINCT enterprise_id, target_id, gseq FROM event_target \
         WHERE target_id IN ({keys})",
        &[],
        keys,
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get("", "enterprise_id")?,
                EventId(row.try_get("", "target_id")?),
                row.try_get("", "gseq")?,
            ))
        })
        .collect()
}

/// Notes which events are about which units.
pub async fn write_event_units(
    conn: &impl ConnectionTrait,
    about: &BTreeMap<(UnitId, Position), i64>,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(3);
    for ((unit, gseq), role) in about {
        rows.add([(*unit).into(), (*gseq).into(), (*role).into()]);
    }
    rows.write(
        conn,
        "INSERT INTO event_unit (unit_id, gseq, role)",
        "ON CONFLICT (unit_id, gseq) DO UPDATE SET role = excluded.role \
         WHERE excluded.role < event_unit.role",
    )
    .await?;
    Ok(())
}

/// Notes what retracts strike.
pub async fn write_targets(
    conn: &impl ConnectionTrait,
    targets: &[(Uuid, EventId, Position)],
) -> Result<(), DbErr> {
    let mut rows = Rows::of(3);
    for (enterprise, target, gseq) in targets {
        rows.add([(*enterprise).into(), target.0.into(), (*gseq).into()]);
    }
    rows.write(
        conn,
        "INSERT INTO event_target (enterprise_id, target_id, gseq)",
        "ON CONFLICT (enterprise_id, target_id, gseq) DO NOTHING",
    )
    .await?;
    Ok(())
}

/// The units an event names, itself first, then its container.
pub fn named(fact: &Fact) -> Vec<(UnitKey, i64)> {
    let event = &fact.event;
    let units = event.units.iter().filter_map(|read| read.unit.clone());
    let parent = event.parent.iter().filter_map(|read| read.unit.clone());
    units
        .map(|unit| (unit, NAMED))
        .chain(parent.map(|unit| (unit, CONTAINER)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_large_as_may_be_and_what_is_larger_stands_alone() {
        let sized = [5, 5, 1, 30, 10].map(|size| (size, size));
        let parts = in_parts(sized, 10);
        assert_eq!(parts, [vec![5, 5], vec![1], vec![30], vec![10]]);
    }
}
