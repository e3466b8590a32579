//! What stands aside of a device and what is found about its events: all SQL of a status.

use crate::{
    db::query_all,
    handheld::push::{act::note, store::remarks_of},
    http::device::DeviceKnown,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use suyuan_sync::{
    admission::Outcome,
    finding::{Finding, Severity},
    ids::EventId,
    limits::PULL_ITEMS_MAX,
    wire::{Aside, OwnFinding},
};
use uuid::Uuid;

/// One more than are told, to know that there are more.
const LIMIT: i64 = PULL_ITEMS_MAX as i64 + 1;

const ASIDE: &str = "FROM event WHERE device_id = ? AND fate = ? AND counts_from IS NULL \
     AND enterprise_id = ?";

const NEEDS: &str = "FROM finding f JOIN event e ON e.gseq = f.event_gseq \
     WHERE f.device_id = ? AND f.closed IS NULL";

/// What is told of something, and how many more there are of it.
pub type Told<T> = (Vec<T>, u64);

/// The first of these that are told, and how many more there are: they are counted only where there are.
async fn told(
    conn: &impl ConnectionTrait,
    (what, which, order): (&str, &str, &str),
    values: Vec<Value>,
) -> Result<Told<QueryResult>, DbErr> {
    let sql = format!("SELECT {what} {which} ORDER BY {order} LIMIT ?");
    let limited = values.iter().cloned().chain([LIMIT.into()]);
    let mut found = query_all(conn, &sql, limited).await?;
    if found.len() <= PULL_ITEMS_MAX {
        return Ok((found, 0));
    }
    found.truncate(PULL_ITEMS_MAX);
    let counted = query_all(conn, &format!("SELECT COUNT(*) AS n {which}"), values).await?;
    let all: i64 = match counted.first() {
        Some(row) => row.try_get("", "n")?,
        None => 0,
    };
    Ok((found, (all as u64).saturating_sub(PULL_ITEMS_MAX as u64)))
}

/// Events of a device that stand aside, by fate, the oldest first.
pub async fn aside(
    conn: &impl ConnectionTrait,
    device: &DeviceKnown,
    fate: &str,
) -> Result<Told<Aside>, DbErr> {
    let values = vec![device.device.into(), fate.into(), device.enterprise.into()];
    let what = "epoch, seq, event_id, remarks, stamp, imported";
    let (found, more) = told(conn, (what, ASIDE, "gseq"), values).await?;
    let aside = |row: &QueryResult| {
        let remarks: String = row.try_get("", "remarks")?;
        let outcome = Outcome::of(remarks_of(&remarks));
        Ok(Aside {
            epoch: row.try_get::<i64>("", "epoch")? as u32,
            seq: row.try_get::<i64>("", "seq")? as u64,
            event: row.try_get::<Option<Uuid>>("", "event_id")?.map(EventId),
            code: outcome
                .decisive()
                .map_or("", |remark| remark.name())
                .to_owned(),
            since: row.try_get("", "stamp")?,
            imported: row.try_get("", "imported")?,
        })
    };
    Ok((found.iter().map(aside).collect::<Result<_, DbErr>>()?, more))
}

/// Open findings that somebody has to look at; information stays with the verdicts of a pull.
pub async fn findings(
    conn: &impl ConnectionTrait,
    device: &DeviceKnown,
) -> Result<Told<OwnFinding>, DbErr> {
    // Written out, so that the index of these alone is for it.
    let which = format!("{NEEDS} AND f.severity >= {}", Severity::Warning as i64);
    let what = "f.event_id, f.finding, e.epoch, e.seq, e.imported";
    let values = vec![device.device.into()];
    let (found, more) = told(conn, (what, &which, "f.id"), values).await?;
    let own = |row: &QueryResult| {
        let text: String = row.try_get("", "finding")?;
        let finding: Finding =
            serde_json::from_str(&text).map_err(|error| DbErr::Json(error.to_string()))?;
        Ok(OwnFinding {
            event: EventId(row.try_get("", "event_id")?),
            epoch: row.try_get::<i64>("", "epoch")? as u32,
            seq: row.try_get::<i64>("", "seq")? as u64,
            imported: row.try_get("", "imported")?,
            finding: note(&finding),
        })
    };
    Ok((found.iter().map(own).collect::<Result<_, DbErr>>()?, more))
}
