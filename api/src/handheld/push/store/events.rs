//! Events: written once, and where they stand afterwards.

use super::times::interval;
use crate::{
    clock::Micros,
    db::{
        execute,
        rows::{Rows, by_keys},
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    admission::{Branch, Kept, Outcome, Remark, Status},
    chain::Hash,
    ids::{Epoch, EventId, Seq},
    order::Interval,
};
use uuid::Uuid;

/// An event to be written.
pub struct EventRow {
    /// Its position.
    pub gseq: Position,
    /// Whose.
    pub enterprise: Uuid,
    /// Of which device.
    pub device: Uuid,
    /// Of which epoch.
    pub epoch: Epoch,
    /// As it is kept.
    pub kept: Kept,
    /// Its kind; empty for what is no event.
    pub kind: String,
    /// Since when it counts.
    pub counts_from: Option<Position>,
    /// Where it says it happened.
    pub location: Option<Uuid>,
    /// When.
    pub interval: Interval,
    /// Where in the order.
    pub eff: Micros,
    /// What its device knew.
    pub delivered: Position,
    /// The greatest anchor that its chain states up to it.
    pub anchored: Option<Micros>,
    /// What it stands for, as it stands in its column.
    pub corrects: Option<String>,
    /// Its group.
    pub group: Option<Uuid>,
    /// Carried by another device or a file.
    pub imported: bool,
    /// Findings of its admission, by name.
    pub flags: String,
    /// The first answer, as it stands in its column.
    pub told: String,
    /// Its bytes.
    pub body: Vec<u8>,
    /// What was meant by codes that were typed.
    pub meant: Option<String>,
}

/// No code that names something, with all that belongs to it, is shorter.
const BYTES_OF_A_NAME: i64 = 24;

/// How much events name at most, by their length: some have their id in several enterprises.
pub async fn sizes_of(
    conn: &impl ConnectionTrait,
    ids: &BTreeSet<EventId>,
) -> Result<BTreeMap<EventId, usize>, DbErr> {
    let sql = "SELECT event_id, CAST(LENGTH(body) AS BIGINT) AS bytes FROM event \
               WHERE event_id IN ({keys})";
    let keys = ids.iter().map(|id| id.0.into()).collect();
    let mut sizes: BTreeMap<EventId, usize> = BTreeMap::new();
    for row in by_keys(conn, sql, &[], keys).await? {
        let size = names_in(row.try_get("", "bytes")?);
        *sizes
            .entry(EventId(row.try_get("", "event_id")?))
            .or_default() += size;
    }
    Ok(sizes)
}

/// How much an event of so many bytes names at most.
pub fn names_in(bytes: i64) -> usize {
    usize::try_from(bytes / BYTES_OF_A_NAME).unwrap_or_default()
}

/// Remarks by name, with commas.
pub fn told_remarks(remarks: &[Remark]) -> String {
    let names: Vec<&str> = remarks.iter().map(|remark| remark.name()).collect();
    names.join(",")
}

/// The same the other way round.
pub fn remarks_of(text: &str) -> Vec<Remark> {
    text.split(',').filter_map(Remark::of_name).collect()
}

/// The name of a fate in rows and answers.
pub const fn fate_name(status: Status) -> &'static str {
    match status {
        Status::Stored => "stored",
        Status::Duplicate => "duplicate",
        Status::StoredFlagged => "stored_flagged",
        Status::Parked => "parked",
        Status::Quarantined => "quarantined",
    }
}

/// Writes events.
pub async fn write_events(conn: &impl ConnectionTrait, events: Vec<EventRow>) -> Result<(), DbErr> {
    let mut rows = Rows::of(28);
    for event in events {
        let kept = event.kept;
        let branch = kept.branch.root().map(|root| root.0.to_vec());
        rows.add([
            event.gseq.into(),
            event.interval.hi.into(),
            event.enterprise.into(),
            event.device.into(),
            i64::from(event.epoch).into(),
            (kept.seq as i64).into(),
            kept.event.map(|id| id.0).into(),
            event.kind.into(),
            fate_name(kept.outcome.status).into(),
            told_remarks(&kept.outcome.remarks).into(),
            event.counts_from.into(),
            i64::from(event.epoch).into(),
            event.location.into(),
            event.interval.lo.into(),
            event.interval.est.into(),
            event.eff.into(),
            event.delivered.into(),
            event.group.into(),
            event.imported.into(),
            event.flags.into(),
            event.told.into(),
            branch.into(),
            kept.prev_hash.0.to_vec().into(),
            kept.hash.0.to_vec().into(),
            event.body.into(),
            event.meant.into(),
            event.anchored.into(),
            event.corrects.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO event (gseq, stamp, enterprise_id, device_id, epoch, seq, event_id, kind, fate, \
         remarks, counts_from, order_epoch, location_id, lo, est, eff, delivered, group_id, imported, \
         flags, told, branch, prev_hash, hash, body, meant, anchored, corrects)",
        "",
    )
    .await?;
    Ok(())
}

/// An event that stands somewhere, with what is remarked on it.
#[derive(Debug, Clone)]
pub struct StandingRow {
    /// Its position.
    pub gseq: Position,
    /// Its number.
    pub seq: Seq,
    /// The id it claims.
    pub event: Option<EventId>,
    /// On which branch.
    pub branch: Branch,
    /// What is remarked now.
    pub outcome: Outcome,
    /// Findings of its admission.
    pub flags: String,
    /// When.
    pub interval: Interval,
    /// Since when it counts; none while it stands aside.
    pub counts_from: Option<Position>,
    /// Where it says it happened.
    pub location: Option<Uuid>,
}

const STANDING: &str = "gseq, seq, event_id, branch, remarks, flags, lo, est, stamp, counts_from, \
                        location_id";

/// Events of an epoch by number, on the branch in state.
pub async fn standing(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seqs: &[Seq],
) -> Result<Vec<StandingRow>, DbErr> {
    let rows = by_keys(
        conn,
        &format!(
            "SELECT DISTINCT {STANDING} FROM event \
             WHERE device_id = ? AND epoch = ? AND seq IN ({{keys}}) AND branch IS NULL"
        ),
        &[device.into(), i64::from(epoch).into()],
        seqs.iter().map(|seq| (*seq as i64).into()).collect(),
    )
    .await?;
    rows.iter().map(standing_row).collect()
}

/// Events of an epoch that stand aside, by id: whatever their branch, since a number may be held of two.
pub async fn waiting(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    events: &[EventId],
) -> Result<Vec<StandingRow>, DbErr> {
    named(conn, (device, epoch), "counts_from IS NULL", events).await
}

/// The same of events that count.
pub async fn members(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    events: &[EventId],
) -> Result<Vec<StandingRow>, DbErr> {
    named(conn, (device, epoch), "counts_from IS NOT NULL", events).await
}

async fn named(
    conn: &impl ConnectionTrait,
    (device, epoch): (Uuid, Epoch),
    which: &str,
    events: &[EventId],
) -> Result<Vec<StandingRow>, DbErr> {
    let rows = by_keys(
        conn,
        &format!(
            "SELECT DISTINCT {STANDING} FROM event WHERE device_id = ? AND epoch = ? \
             AND {which} AND event_id IN ({{keys}})"
        ),
        &[device.into(), i64::from(epoch).into()],
        events.iter().map(|event| event.0.into()).collect(),
    )
    .await?;
    rows.iter().map(standing_row).collect()
}

fn standing_row(row: &QueryResult) -> Result<StandingRow, DbErr> {
    let number = |name: &str| row.try_get::<i64>("", name);
    Ok(StandingRow {
        gseq: number("gseq")?,
        seq: number("seq")? as Seq,
        event: row.try_get::<Option<Uuid>>("", "event_id")?.map(EventId),
        branch: branch(row)?,
        outcome: Outcome::of(remarks_of(&row.try_get::<String>("", "remarks")?)),
        flags: row.try_get("", "flags")?,
        interval: interval(row)?,
        counts_from: row.try_get("", "counts_from")?,
        location: row.try_get("", "location_id")?,
    })
}

/// The branch an event is on.
pub fn branch(row: &QueryResult) -> Result<Branch, DbErr> {
    let root: Option<Vec<u8>> = row.try_get("", "branch")?;
    let root = root.map(<[u8; 32]>::try_from).transpose();
    let root = root.map_err(|_| DbErr::Type("event.branch".into()))?;
    Ok(root.map_or(Branch::First, |root| Branch::Fork(Hash(root))))
}

/// What becomes of an event that stood already.
pub struct Restanding {
    /// Which.
    pub gseq: Position,
    /// What is remarked now.
    pub outcome: Outcome,
    /// Findings of its admission.
    pub flags: String,
    /// Since when it counts.
    pub counts_from: Option<Position>,
    /// Where in the order, if that changed.
    pub eff: Option<Micros>,
    /// In which epoch it is ordered, if that changed.
    pub order_epoch: Option<Epoch>,
}

/// How many events one statement writes, most first: few texts of statements, so that each is prepared once.
const AT_ONCE: [usize; 3] = [64, 8, 1];

/// Writes that: a group of hundreds comes to count in one act.
pub async fn write_standing(conn: &impl ConnectionTrait, rows: &[Restanding]) -> Result<(), DbErr> {
    let mut left = rows;
    while !left.is_empty() {
        let size = AT_ONCE.into_iter().find(|size| *size <= left.len());
        let (now, rest) = left.split_at(size.unwrap_or(1));
        left = rest;
        let row =
            "(CAST(? AS BIGINT), ?, ?, ?, CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT))";
        let sql = format!(
            "WITH now (gseq, fate, remarks, flags, counts_from, eff, order_epoch) AS (VALUES {}) \
             UPDATE event SET fate = now.fate, remarks = now.remarks, flags = now.flags, \
             counts_from = now.counts_from, eff = COALESCE(now.eff, event.eff), \
             order_epoch = COALESCE(now.order_epoch, event.order_epoch) \
             FROM now WHERE event.gseq = now.gseq",
            vec![row; now.len()].join(", ")
        );
        let values = now.iter().flat_map(|row| -> [Value; 7] {
            [
                row.gseq.into(),
                fate_name(row.outcome.status).into(),
                told_remarks(&row.outcome.remarks).into(),
                row.flags.clone().into(),
                row.counts_from.into(),
                row.eff.into(),
                row.order_epoch.map(i64::from).into(),
            ]
        });
        execute(conn, &sql, values).await?;
    }
    Ok(())
}

/// Keeps what was meant by an event that is read only now.
pub async fn write_meant(
    conn: &impl ConnectionTrait,
    gseq: Position,
    meant: &str,
) -> Result<(), DbErr> {
    let query = "UPDATE event SET meant = ? WHERE gseq = ?";
    execute(conn, query, [meant.into(), gseq.into()])
        .await
        .map(drop)
}
