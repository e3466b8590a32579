//! What stands aside of a device and what is found about its events: all SQL of a status.

use super::store::rows;
use crate::{
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

const NEEDS: &str = "SELECT f.event_id, f.finding, e.epoch, e.seq FROM finding f \
     JOIN event e ON e.gseq = f.event_gseq WHERE f.device_id = ? AND f.closed IS NULL";

/// Events of a device that stand aside, by fate; one more than are told.
pub async fn aside(
    conn: &impl ConnectionTrait,
    device: &DeviceKnown,
    fate: &str,
) -> Result<Vec<Aside>, DbErr> {
    let values: [Value; 4] = [
        device.device.into(),
        fate.into(),
        device.enterprise.into(),
        LIMIT.into(),
    ];
    let found = rows(
        conn,
        "SELECT epoch, seq, event_id, remarks, stamp FROM event WHERE device_id = ? AND fate = ? \
         AND counts_from IS NULL AND enterprise_id = ? ORDER BY gseq LIMIT ?",
        values,
    )
    .await?;
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
        })
    };
    found.iter().map(aside).collect()
}

/// Open findings that somebody has to look at; information stays with the verdicts of a pull.
pub async fn findings(
    conn: &impl ConnectionTrait,
    device: &DeviceKnown,
) -> Result<Vec<OwnFinding>, DbErr> {
    let values: [Value; 2] = [device.device.into(), LIMIT.into()];
    // Written out, so that the index of these alone is for it.
    let sql = format!("{NEEDS} AND f.severity >= {}", Severity::Warning as i64);
    let sql = format!("{sql} ORDER BY f.id LIMIT ?");
    let found = rows(conn, &sql, values).await?;
    let own = |row: &QueryResult| {
        let text: String = row.try_get("", "finding")?;
        let finding: Finding =
            serde_json::from_str(&text).map_err(|error| DbErr::Json(error.to_string()))?;
        Ok(OwnFinding {
            event: EventId(row.try_get("", "event_id")?),
            epoch: row.try_get::<i64>("", "epoch")? as u32,
            seq: row.try_get::<i64>("", "seq")? as u64,
            finding: note(&finding),
        })
    };
    found.iter().map(own).collect()
}
