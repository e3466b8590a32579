//! What is held of a device: how far its sequence came, what stands aside and why, and what needs
//! the person who uses it.

use super::store::{head, rows};
use crate::{
    app::Internal,
    handheld::push::{
        act::note,
        store::{chains, remarks_of},
    },
    http::device::DeviceKnown,
    problem::Problem,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::BTreeSet;
use suyuan_sync::{
    admission::{Extent, Outcome},
    finding::{Finding, Severity},
    ids::{DeviceId, EventId},
    limits::PULL_ITEMS_MAX,
    wire::{Aside, OwnFinding, StatusAnswer, V},
};
use uuid::Uuid;

/// How a device stands.
pub async fn of(state: &Internal, device: &DeviceKnown) -> Result<StatusAnswer, Problem> {
    let tx = state.db.begin_reading().await?;
    let (_, stamp) = head(&tx).await?;
    let key = (device.device, device.epoch);
    let chain = chains(&tx, &BTreeSet::from([key])).await?.remove(&key);
    let forked = chain.as_ref().is_some_and(|chain| chain.forked);
    let none = || Extent::empty(DeviceId(device.device), device.epoch);
    let extent = chain.map_or_else(none, |chain| chain.state.extent);
    let mut parked = aside(&tx, device, "parked").await?;
    let mut quarantined = aside(&tx, device, "quarantined").await?;
    let mut findings = findings(&tx, device).await?;
    tx.commit().await?;
    let mut more = false;
    for over in [parked.len(), quarantined.len(), findings.len()] {
        more |= over > PULL_ITEMS_MAX;
    }
    parked.truncate(PULL_ITEMS_MAX);
    quarantined.truncate(PULL_ITEMS_MAX);
    findings.truncate(PULL_ITEMS_MAX);
    let anchors = &state.handheld.anchors;
    Ok(StatusAnswer {
        v: V,
        device: DeviceId(device.device),
        epoch: device.epoch,
        contiguous_seq: extent.contiguous,
        held_ranges: extent.covered(),
        missing_ranges: extent.missing(),
        head_hash: extent.head,
        re_enrol: device.over || forked,
        parked,
        quarantined,
        findings,
        more,
        anchor: anchors.issue(device.device, device.epoch, stamp, state.clock.now()),
    })
}

/// One more than are told, to know that there are more.
const LIMIT: i64 = PULL_ITEMS_MAX as i64 + 1;

async fn aside(
    conn: &impl ConnectionTrait,
    device: &DeviceKnown,
    fate: &str,
) -> Result<Vec<Aside>, DbErr> {
    let values: [Value; 4] = [
        device.enterprise.into(),
        device.device.into(),
        fate.into(),
        LIMIT.into(),
    ];
    let found = rows(
        conn,
        "SELECT epoch, seq, event_id, remarks, stamp FROM event WHERE enterprise_id = ? \
         AND counts_from IS NULL AND device_id = ? AND fate = ? ORDER BY gseq LIMIT ?",
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
            code: outcome.decisive().map_or("", |remark| remark.name()).to_owned(),
            since: row.try_get("", "stamp")?,
        })
    };
    found.iter().map(aside).collect()
}

/// Open findings that somebody has to look at; information stays with the verdicts of a pull.
async fn findings(
    conn: &impl ConnectionTrait,
    device: &DeviceKnown,
) -> Result<Vec<OwnFinding>, DbErr> {
    let values: [Value; 3] = [
        device.device.into(),
        (Severity::Warning as i64).into(),
        LIMIT.into(),
    ];
    let found = rows(
        conn,
        "SELECT f.event_id, f.finding, e.epoch, e.seq FROM finding f \
         JOIN event e ON e.gseq = f.event_gseq WHERE f.device_id = ? AND f.closed IS NULL \
         AND f.severity >= ? ORDER BY f.id LIMIT ?",
        values,
    )
    .await?;
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
