//! All SQL of what stands beside units, lines and findings: which events are about which units, what
//! retracts strike, what containers hold, what strangers claim, where events stand in time. Reads only.

use crate::{
    clock::Micros,
    db::query_all,
    handheld::{
        push::store::interval,
        units::store::{UnitId, contents},
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    facts::Content,
    ids::{EventId, Seq},
    time::Timed,
};
use uuid::Uuid;

/// See the file's header.
pub(super) struct Related {
    /// By unit and position: in which role.
    pub(super) event_units: BTreeMap<(UnitId, Position), i64>,
    /// Of whose retract, what it strikes, its position.
    pub(super) targets: BTreeSet<(Uuid, EventId, Position)>,
    /// So many units of a batch for each stay, by container.
    pub(super) contents: BTreeMap<UnitId, BTreeMap<Content, i64>>,
    /// By unit and enterprise: at which of its places it says the unit is.
    pub(super) claims: BTreeMap<(UnitId, Uuid), Uuid>,
    /// The events of each device's epoch that count, of the first branch, in sequence, with their
    /// effective times.
    pub(super) times: BTreeMap<(Uuid, i64), Vec<(Timed, Micros)>>,
}

/// Reads it all.
pub(super) async fn related(conn: &impl ConnectionTrait) -> Result<Related, DbErr> {
    let mut event_units = BTreeMap::new();
    for row in query_all(conn, "SELECT unit_id, gseq, role FROM event_unit", []).await? {
        let pair = (row.try_get("", "unit_id")?, row.try_get("", "gseq")?);
        event_units.insert(pair, row.try_get("", "role")?);
    }
    let mut targets = BTreeSet::new();
    let sql = "SELECT enterprise_id, target_id, gseq FROM event_target";
    for row in query_all(conn, sql, []).await? {
        let target = EventId(row.try_get("", "target_id")?);
        let of = row.try_get("", "enterprise_id")?;
        targets.insert((of, target, row.try_get("", "gseq")?));
    }
    let mut claims = BTreeMap::new();
    let sql = "SELECT unit_id, enterprise_id, location_id FROM unit_claim";
    for row in query_all(conn, sql, []).await? {
        let of = (
            row.try_get("", "unit_id")?,
            row.try_get("", "enterprise_id")?,
        );
        claims.insert(of, row.try_get("", "location_id")?);
    }
    let holding = query_all(conn, "SELECT DISTINCT container_id FROM content", []).await?;
    let holding: Vec<UnitId> = holding
        .iter()
        .map(|row| row.try_get("", "container_id"))
        .collect::<Result<_, _>>()?;
    let mut times: BTreeMap<(Uuid, i64), Vec<(Timed, Micros)>> = BTreeMap::new();
    let sql = "SELECT device_id, epoch, seq, lo, est, stamp, eff FROM event \
               WHERE branch IS NULL AND counts_from IS NOT NULL ORDER BY device_id, epoch, seq";
    for row in query_all(conn, sql, []).await? {
        let number = |name: &str| row.try_get::<i64>("", name);
        let timed = Timed {
            seq: number("seq")? as Seq,
            interval: interval(&row)?,
        };
        let of = (row.try_get("", "device_id")?, number("epoch")?);
        times.entry(of).or_default().push((timed, number("eff")?));
    }
    Ok(Related {
        event_units,
        targets,
        contents: contents(conn, &holding).await?,
        claims,
        times,
    })
}
