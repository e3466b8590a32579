//! What new events of corrections stand for (C10), and the groups it is told from, by their rows.

use crate::{
    db::rows::{Rows, by_keys},
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
};
use uuid::Uuid;

/// One of a group that counts, whatever else it says.
pub struct Grouped {
    /// Where it stands in the log.
    pub gseq: Position,
    /// Whose.
    pub enterprise: EnterpriseId,
    /// Of which device, and in which life of it.
    pub made_by: (DeviceId, Epoch),
    /// Its number.
    pub seq: Seq,
    /// Of which group.
    pub group: GroupId,
    /// What it is, and where.
    pub what: What,
}

/// What counts of these groups, of any enterprise.
pub async fn grouped(
    conn: &impl ConnectionTrait,
    groups: &BTreeSet<GroupId>,
) -> Result<Vec<Grouped>, DbErr> {
    let keys = groups.iter().map(|id| id.0.into()).collect();
    let rows = by_keys(
        conn,
        "SELECT gseq, enterprise_id, device_id, epoch, seq, group_id, kind, location_id FROM event \
         WHERE group_id IN ({keys}) AND group_id IS NOT NULL AND counts_from IS NOT NULL",
        &[],
        keys,
    );
    let grouped = |row: &QueryResult| {
        let number = |name: &str| row.try_get::<i64>("", name);
        let kind: String = row.try_get("", "kind")?;
        let Some(kind) = Kind::of_name(&kind) else {
            return Ok(None);
        };
        let place: Option<Uuid> = row.try_get("", "location_id")?;
        Ok(Some(Grouped {
            gseq: number("gseq")?,
            enterprise: EnterpriseId(row.try_get("", "enterprise_id")?),
            made_by: (
                DeviceId(row.try_get("", "device_id")?),
                number("epoch")? as Epoch,
            ),
            seq: number("seq")? as Seq,
            group: GroupId(row.try_get("", "group_id")?),
            what: What {
                kind,
                location: LocationId(place.unwrap_or_default()),
            },
        }))
    };
    let rows = rows.await?;
    let members = rows
        .iter()
        .map(grouped)
        .collect::<Result<Vec<_>, DbErr>>()?;
    Ok(members.into_iter().flatten().collect())
}

/// The groups of events at these positions.
pub async fn groups_of(
    conn: &impl ConnectionTrait,
    events: &[Position],
) -> Result<BTreeSet<GroupId>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT group_id FROM event WHERE gseq IN ({keys}) AND group_id IS NOT NULL",
        &[],
        events.iter().map(|gseq| (*gseq).into()).collect(),
    );
    let group = |row: &QueryResult| Ok(GroupId(row.try_get::<Uuid>("", "group_id")?));
    rows.await?.iter().map(group).collect()
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
