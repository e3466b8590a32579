//! All SQL about suspicions: sightings out of the query log, raising, clearing, listing.

use super::{
    SuspicionError,
    rules::{Evidence, Sighting, Suspicion},
    wire::{ClearingIn, Place, QueryOut, SuspicionOut},
};
use crate::{
    clock::rfc3339,
    db::{Db, statement},
    entities::{code_space, public_chunk, query_log, suspicion},
    http::page::Paging,
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    projection::{self, read_bits},
    queries::fold::Counted,
};
use roaring::RoaringBitmap;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
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
    let rows = db
        .reader()
        .query_all_raw(statement(
            db.backend(),
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
        ))
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
    limit: u64,
) -> Result<(Vec<QueryOut>, Option<Place>), SuspicionError> {
    use query_log::Column;
    use sea_orm::sea_query::ExprTrait;
    let row = suspicion::Entity::find_by_id((enterprise, id))
        .one(db.reader())
        .await?;
    let unit = row.ok_or(SuspicionError::Unknown)?;
    let mut rows = query_log::Entity::find()
        .filter(Column::Space.eq(unit.space))
        .filter(Column::Idx.eq(unit.idx));
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
        .limit(limit)
        .all(db.reader())
        .await?;
    let last = rows.last().map(|row| Place {
        at: row.at,
        packet: row.batch,
        n: row.n,
    });
    let told = |row: query_log::Model| QueryOut {
        at: rfc3339(row.at),
        code: row.code,
        channel: row.channel,
        region: row.region,
        device: row.device,
        verdict: row.verdict,
        bot: row.bot,
        offline: row.offline,
    };
    Ok((rows.into_iter().map(told).collect(), last))
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
    projection::put_chunk(act, &row.space, chunk, &row.kind, Uuid::nil(), bits).await
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
