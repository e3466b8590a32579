//! All SQL about suspicions: sightings out of the query log, raising, clearing, listing.

use super::{
    SuspicionError,
    rules::{Evidence, Sighting, Suspicion},
    wire::{ClearingIn, Place, QueryOut, SuspicionOut},
};
use crate::{
    clock::rfc3339,
    db::{Db, query_all},
    entities::{code_space, public_chunk, query_log, query_sighting, suspicion},
    http::page::Paging,
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    projection::{self, read_bits},
    queries::{
        fold::Counted,
        sighting::{self, Manner},
        store as log,
    },
};
use roaring::RoaringBitmap;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::{
    cmp::Reverse,
    collections::{
        BTreeMap,
        btree_map::Entry::{Occupied, Vacant},
    },
    rc::Rc,
};
use uuid::Uuid;

/// A row about a unit.
pub type Row = suspicion::Model;

/// Most sightings of one unit that are looked at, newest days first.
const SIGHTINGS_MAX: i64 = 5_000;

/// Who asked about a unit since then: people, now.
pub async fn sightings(
    db: &Db,
    space: &str,
    index: i64,
    since: i64,
) -> Result<Vec<Sighting>, DbErr> {
    let mut sightings = Sightings::default();
    for old in sightings_before(db, space, index, since).await? {
        sightings.add(old);
    }
    let mut behind = None;
    while !sightings.are_enough() {
        let rows = log::heads(db, (space, index), since, behind).await?;
        let Some((last, _)) = rows.last() else { break };
        behind = Some(*last);
        for (at, heads) in rows {
            for (manner, n, first_at, last_at) in since_then(db, at, &heads, since).await? {
                sightings.add(Sighting {
                    day: first_at.div_euclid(DAY),
                    device: device(manner.device),
                    region: manner.region,
                    channel: manner.channel.name().to_owned(),
                    queries: n,
                    first_at,
                    last_at,
                });
            }
        }
    }
    Ok(sightings.newest_first())
}

const DAY: i64 = 86_400_000_000;

/// Sightings of one unit, one for each day, device, region and channel.
#[derive(Default)]
struct Sightings(BTreeMap<(Reverse<i64>, String, String, String), Sighting>);

impl Sightings {
    fn add(&mut self, one: Sighting) {
        let key = (
            Reverse(one.day),
            one.device.clone(),
            one.region.clone(),
            one.channel.clone(),
        );
        match self.0.entry(key) {
            Vacant(place) => drop(place.insert(one)),
            Occupied(mut place) => {
                let known = place.get_mut();
                known.queries += one.queries;
                known.first_at = known.first_at.min(one.first_at);
                known.last_at = known.last_at.max(one.last_at);
            }
        }
    }

    fn are_enough(&self) -> bool {
        self.0.len() >= SIGHTINGS_MAX as usize
    }

    fn newest_first(self) -> Vec<Sighting> {
        self.0.into_values().take(SIGHTINGS_MAX as usize).collect()
    }
}

/// Of a row's sightings those of people, now, as far as they were since then: how often, first and
/// last when.
async fn since_then(
    db: &Db,
    at: log::At,
    heads: &[u8],
    since: i64,
) -> Result<Vec<(Manner, u64, i64, i64)>, DbErr> {
    let heads = sighting::heads(heads).ok_or_else(unreadable)?;
    let counted = |manner: &Manner| manner.counts();
    if heads.iter().all(|head| head.first_at >= since) {
        let heads = heads.into_iter().filter(|head| counted(&head.manner));
        return Ok(heads
            .map(|head| (head.manner, head.n, head.first_at, head.last_at))
            .collect());
    }
    // What went on at that very moment is told apart by its times.
    let (heads, times) = log::written(db, at).await?;
    let all = sighting::unpack(&heads, &times).ok_or_else(unreadable)?;
    let all = all.into_iter().filter(|(manner, _)| counted(manner));
    Ok(all
        .filter_map(|(manner, mut times)| {
            times.retain(|at| *at >= since);
            let (first_at, last_at) = (*times.iter().min()?, *times.iter().max()?);
            Some((manner, times.len() as u64, first_at, last_at))
        })
        .collect())
}

fn unreadable() -> DbErr {
    DbErr::Custom("a row of the query log cannot be read".into())
}

/// As rows and answers tell it.
fn device(device: u64) -> String {
    format!("{device:016x}")
}

/// The same from rows of releases that wrote one for each query.
async fn sightings_before(
    db: &Db,
    space: &str,
    index: i64,
    since: i64,
) -> Result<Vec<Sighting>, DbErr> {
    let rows = query_all(
        db.reader(),
        "SELECT at / 86400000000 AS day, device, region, channel, COUNT(*) AS queries, \
             MIN(at) AS first_at, MAX(at) AS last_at FROM query_log \
             WHERE space = ? AND idx = ? AND at >= ? AND bot = ? AND offline = ? \
             GROUP BY at / 86400000000, device, region, channel \
             ORDER BY at / 86400000000 DESC, device LIMIT ?",
        [
            space.into(),
            index.into(),
            since.into(),
            false.into(),
            false.into(),
            SIGHTINGS_MAX.into(),
        ],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Sighting {
                day: row.try_get("", "day")?,
                device: row.try_get("", "device")?,
                region: row.try_get("", "region")?,
                channel: row.try_get("", "channel")?,
                queries: row.try_get::<i64>("", "queries")? as u64,
                first_at: row.try_get("", "first_at")?,
                last_at: row.try_get("", "last_at")?,
            })
        })
        .collect()
}

/// Everything ever suspected of a unit.
pub async fn of_unit(db: &Db, space: &str, index: i64) -> Result<Vec<Row>, DbErr> {
    suspicion::Entity::find()
        .filter(suspicion::Column::Space.eq(space))
        .filter(suspicion::Column::Idx.eq(index))
        .all(db.reader())
        .await
}

/// Raises a suspicion: from the commit on, every fresh answer about this unit says so.
pub async fn raise(
    log: &Log,
    db: &Db,
    unit: &Counted,
    kind: Suspicion,
    evidence: &Evidence,
) -> Result<(), SuspicionError> {
    let owner = code_space::Entity::find()
        .filter(code_space::Column::Space.eq(unit.space.as_str()))
        .one(db.reader())
        .await?
        .ok_or(SuspicionError::Unknown)?;
    let act = log.begin_as_system().await?;
    // Looked at again under the lock: another process may have raised the same.
    let open = suspicion::Entity::find()
        .filter(suspicion::Column::Space.eq(unit.space.as_str()))
        .filter(suspicion::Column::Idx.eq(unit.index))
        .filter(suspicion::Column::Kind.eq(kind.name()))
        .filter(suspicion::Column::ClearedAt.is_null())
        .one(act.tx())
        .await?;
    if open.is_some() {
        return Ok(()); // dropped, the act changes nothing
    }
    let row = suspicion::Model {
        enterprise_id: owner.enterprise_id,
        id: Uuid::now_v7(),
        space: unit.space.clone(),
        idx: unit.index,
        code: unit.code.clone(),
        kind: kind.name().to_owned(),
        evidence: serde_json::to_string(evidence).map_err(|e| DbErr::Json(e.to_string()))?,
        raised_at: act.stamp(),
        cleared_at: None,
        clearing_note: None,
    };
    suspicion::Entity::insert(suspicion::ActiveModel::from(row.clone()))
        .exec_without_returning(act.tx())
        .await?;
    show(&act, &row, true).await?;
    let out = out(row)?;
    act.commit(entry(Kind::SuspicionRaised, owner.enterprise_id, &out), &())
        .await?;
    Ok(())
}

/// Clears a suspicion: the issuer looked into it.
pub async fn clear(
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    id: Uuid,
    how: ClearingIn,
) -> Result<SuspicionOut, SuspicionError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let row = suspicion::Entity::find_by_id((enterprise, id))
        .one(act.tx())
        .await?;
    let mut row = row.ok_or(SuspicionError::Unknown)?;
    if row.cleared_at.is_some() {
        return Err(SuspicionError::AlreadyCleared);
    }
    suspicion::Entity::update_many()
        .col_expr(suspicion::Column::ClearedAt, act.stamp().into())
        .col_expr(suspicion::Column::ClearingNote, how.note.clone().into())
        .filter(suspicion::Column::EnterpriseId.eq(enterprise))
        .filter(suspicion::Column::Id.eq(id))
        .exec(act.tx())
        .await?;
    show(&act, &row, false).await?;
    row.cleared_at = Some(act.stamp());
    row.clearing_note = Some(how.note);
    let out = out(row)?;
    act.commit(entry(Kind::SuspicionCleared, enterprise, &out), &out)
        .await?;
    Ok(out)
}

/// One suspicion.
pub async fn get(db: &Db, enterprise: Uuid, id: Uuid) -> Result<SuspicionOut, SuspicionError> {
    let row = suspicion::Entity::find_by_id((enterprise, id))
        .one(db.reader())
        .await?;
    Ok(out(row.ok_or(SuspicionError::Unknown)?)?)
}

/// Suspicions about units of an enterprise.
pub async fn list(
    db: &Db,
    enterprise: Uuid,
    open: Option<bool>,
    paging: Paging,
) -> Result<Vec<SuspicionOut>, DbErr> {
    let mut rows = suspicion::Entity::find()
        .filter(suspicion::Column::EnterpriseId.eq(enterprise))
        .filter(suspicion::Column::Id.gt(paging.after));
    rows = match open {
        Some(true) => rows.filter(suspicion::Column::ClearedAt.is_null()),
        Some(false) => rows.filter(suspicion::Column::ClearedAt.is_not_null()),
        None => rows,
    };
    let rows = rows.order_by_asc(suspicion::Column::Id).limit(paging.limit);
    let rows = rows.all(db.reader()).await?;
    rows.into_iter().map(out).collect()
}

/// Entries of the query log about the unit of a suspicion, newest first, after the place `after`;
/// and the place of the last one. Several may bear the same time: apps tell whole seconds.
pub async fn queries(
    db: &Db,
    enterprise: Uuid,
    id: Uuid,
    after: Option<Place>,
    limit: usize,
) -> Result<(Vec<QueryOut>, Option<Place>), SuspicionError> {
    let row = suspicion::Entity::find_by_id((enterprise, id))
        .one(db.reader())
        .await?;
    let unit = row.ok_or(SuspicionError::Unknown)?;
    let unit = (unit.space.as_str(), unit.idx);
    let mut told = queries_before(db, unit, after, limit).await?;
    let until = after.map_or(i64::MAX, |place| place.at);
    let mut behind = None;
    'log: loop {
        let rows = log::rows(db, unit, until, behind).await?;
        let Some(last) = rows.last() else { break };
        behind = Some(log::At {
            last_at: last.last_at,
            fold: last.fold,
            part: last.part,
        });
        for row in rows {
            // Rows come by their newest entry: when that is too old, so is all that follows.
            if told.len() >= limit && told.last().is_some_and(|(at, _)| row.last_at < at.at) {
                break 'log;
            }
            told.extend(entries(&row)?.filter(|(at, _)| after.is_none_or(|after| after < *at)));
            told.sort_unstable_by_key(|(at, _)| *at);
            told.truncate(limit);
        }
    }
    let last = told.last().map(|(place, _)| *place);
    Ok((told.into_iter().map(|(_, out)| out).collect(), last))
}

/// The entries of a row.
fn entries(row: &query_sighting::Model) -> Result<impl Iterator<Item = (Place, QueryOut)>, DbErr> {
    let sightings = sighting::unpack(&row.heads, &row.times).ok_or_else(unreadable)?;
    let packet = Uuid::from_u64_pair(row.fold as u64, row.part as u64);
    let each = sightings.into_iter().flat_map(|(manner, times)| {
        let manner = Rc::new(manner);
        times.into_iter().map(move |at| (Rc::clone(&manner), at))
    });
    Ok(each.zip(0..).map(move |((manner, at), n)| {
        let advice = ["ok", "caution", "stop"].get(usize::from(manner.advice));
        let out = QueryOut {
            at: rfc3339(at),
            code: row.code.clone(),
            channel: manner.channel.name().to_owned(),
            region: manner.region.clone(),
            device: device(manner.device),
            verdict: format!("{}/{:04x}", advice.unwrap_or(&""), manner.reasons),
            bot: manner.bot,
            offline: manner.offline,
        };
        (Place { at, packet, n }, out)
    }))
}

/// The same from rows of releases that wrote one for each query.
async fn queries_before(
    db: &Db,
    unit: (&str, i64),
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<(Place, QueryOut)>, DbErr> {
    use query_log::Column;
    use sea_orm::sea_query::ExprTrait;
    let mut rows = query_log::Entity::find()
        .filter(Column::Space.eq(unit.0))
        .filter(Column::Idx.eq(unit.1));
    if let Some(Place { at, packet, n }) = after {
        let later_of_packet = Column::Batch.eq(packet).and(Column::N.gt(n));
        let same_time = Column::At
            .eq(at)
            .and(Column::Batch.gt(packet).or(later_of_packet));
        rows = rows.filter(Column::At.lt(at).or(same_time));
    }
    let rows = rows
        .order_by_desc(Column::At)
        .order_by_asc(Column::Batch)
        .order_by_asc(Column::N)
        .limit(limit as u64)
        .all(db.reader())
        .await?;
    let told = |row: query_log::Model| {
        let place = Place {
            at: row.at,
            packet: row.batch,
            n: row.n,
        };
        let out = QueryOut {
            at: rfc3339(row.at),
            code: row.code,
            channel: row.channel,
            region: row.region,
            device: row.device,
            verdict: row.verdict,
            bot: row.bot,
            offline: row.offline,
        };
        (place, out)
    };
    Ok(rows.into_iter().map(told).collect())
}

/// Sets or takes away the unit's bit in the public projection.
async fn show(act: &Act, row: &Row, suspected: bool) -> Result<(), DbErr> {
    let (chunk, offset) = ((row.idx >> 16) as u32, (row.idx & 0xffff) as u32);
    let name = (
        row.space.clone(),
        i64::from(chunk),
        row.kind.clone(),
        Uuid::nil(),
    );
    let before = public_chunk::Entity::find_by_id(name).one(act.tx()).await?;
    let mut bits = match before {
        Some(before) => read_bits(&before.bits)?,
        None => RoaringBitmap::new(),
    };
    if suspected {
        bits.insert(offset);
    } else {
        bits.remove(offset);
    }
    projection::put_chunks(act, &row.space, &row.kind, Uuid::nil(), vec![(chunk, bits)]).await
}

fn out(row: Row) -> Result<SuspicionOut, DbErr> {
    let unreadable = |what: &str| DbErr::Custom(format!("suspicion {}: {what}", row.id));
    Ok(SuspicionOut {
        kind: Suspicion::parse(&row.kind).ok_or_else(|| unreadable("kind"))?,
        evidence: serde_json::from_str(&row.evidence).map_err(|_| unreadable("evidence"))?,
        id: row.id,
        code: row.code,
        raised_at: rfc3339(row.raised_at),
        cleared_at: row.cleared_at.map(rfc3339),
        clearing_note: row.clearing_note,
    })
}

fn entry(kind: Kind, enterprise: Uuid, out: &SuspicionOut) -> Entry<'_> {
    Entry {
        kind,
        enterprise: Some(enterprise),
        subject: format!("suspicion:{}", out.id),
        body: out,
    }
}
