//! What new events of corrections stand for (C10), and the groups it is told from, by their rows.

use crate::{
    db::{
        query_all,
        rows::{Rows, by_keys},
    },
    handheld::units::facts::told_corrected,
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::Corrected,
    fold::What,
    ids::{DeviceId, EnterpriseId, Epoch, GroupId, LocationId, Seq},
    limits::GROUP_EVENTS_MAX,
};
use uuid::Uuid;

/// A group in one life of a device.
pub type Life = (GroupId, DeviceId, Epoch);

/// One of a group that counts, whatever else it says.
pub struct Grouped {
    /// Where it stands in the log.
    pub gseq: Position,
    /// Whose.
    pub enterprise: EnterpriseId,
    /// Of which group.
    pub of: Life,
    /// Its number.
    pub seq: Seq,
    /// What it is, and where.
    pub what: What,
}

/// What counts of the first events of a group in one life of a device, as many as a group may have. A device that
/// gives others the same group makes nothing more to be read.
pub async fn grouped(conn: &impl ConnectionTrait, of: Life) -> Result<Vec<Grouped>, DbErr> {
    let (group, device, epoch) = of;
    let rows = query_all(
        conn,
        "SELECT gseq, enterprise_id, seq, kind, location_id FROM \
         (SELECT gseq, enterprise_id, seq, kind, location_id, counts_from FROM event \
         WHERE group_id = ? AND group_id IS NOT NULL AND device_id = ? AND epoch = ? \
         ORDER BY gseq LIMIT ?) AS first WHERE counts_from IS NOT NULL ORDER BY gseq",
        [
            group.0.into(),
            device.0.into(),
            i64::from(epoch).into(),
            i64::from(GROUP_EVENTS_MAX).into(),
        ],
    )
    .await?;
    let mut out = Vec::new();
    for row in &rows {
        let kind: String = row.try_get("", "kind")?;
        let Some(kind) = Kind::of_name(&kind) else {
            continue;
        };
        let place: Option<Uuid> = row.try_get("", "location_id")?;
        let location = LocationId(place.unwrap_or_default());
        out.push(Grouped {
            gseq: row.try_get("", "gseq")?,
            enterprise: EnterpriseId(row.try_get("", "enterprise_id")?),
            of,
            seq: row.try_get::<i64>("", "seq")? as Seq,
            what: What { kind, location },
        });
    }
    Ok(out)
}

/// Which of these groups have a retract. One question, which costs what there are groups, however many events
/// they have.
pub async fn with_retracts(
    conn: &impl ConnectionTrait,
    groups: &BTreeSet<GroupId>,
) -> Result<BTreeSet<GroupId>, DbErr> {
    let mut asked = Rows::of(1);
    for group in groups {
        asked.add([group.0.into()]);
    }
    let sql = "SELECT asked.column1 AS group_id FROM ({rows}) AS asked \
               WHERE EXISTS (SELECT 1 FROM event WHERE event.group_id = asked.column1 \
               AND event.group_id IS NOT NULL AND event.kind = 'retract')";
    let rows = asked.join(conn, sql, &[]).await?;
    let group = |row: &QueryResult| row.try_get("", "group_id").map(GroupId);
    rows.iter().map(group).collect()
}

/// The groups of events at these positions.
pub async fn groups_of(
    conn: &impl ConnectionTrait,
    events: &[Position],
) -> Result<BTreeSet<Life>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT group_id, device_id, epoch FROM event \
         WHERE gseq IN ({keys}) AND group_id IS NOT NULL",
        &[],
        events.iter().map(|gseq| (*gseq).into()).collect(),
    );
    let life = |row: &QueryResult| {
        Ok((
            GroupId(row.try_get("", "group_id")?),
            DeviceId(row.try_get("", "device_id")?),
            row.try_get::<i64>("", "epoch")? as Epoch,
        ))
    };
    rows.await?.iter().map(life).collect()
}

/// Keeps what events stand for that are in rows.
pub async fn write_corrected(
    conn: &impl ConnectionTrait,
    corrected: &BTreeMap<Position, Arc<Corrected>>,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(2);
    for (gseq, corrected) in corrected {
        rows.add([(*gseq).into(), told_corrected(corrected)?.into()]);
    }
    let sql = "UPDATE event SET corrects = now.column2 FROM ({rows}) AS now \
               WHERE event.gseq = now.column1";
    rows.join(conn, sql, &[]).await?;
    Ok(())
}
