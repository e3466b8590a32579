//! How device epochs stand after an act: their sequence, second branches, groups.

use super::{Chain, json};
use crate::{clock::Micros, db::rows::Rows, log::Position};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::BTreeMap;
use suyuan_sync::{
    admission::{Fork, GroupHeld, Standing},
    ids::{Epoch, GroupId},
};
use uuid::Uuid;

/// A device epoch to be written.
pub struct ChainRow {
    /// Which device.
    pub device: Uuid,
    /// Which epoch.
    pub epoch: Epoch,
    /// As it is now.
    pub chain: Chain,
}

/// Writes how device epochs stand. What they acknowledged is written by whoever hears it.
pub async fn write_chains(
    conn: &impl ConnectionTrait,
    chains: &[ChainRow],
    gseq: Position,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(10);
    for row in chains {
        let extent = &row.chain.state.extent;
        rows.add([
            row.device.into(),
            i64::from(row.epoch).into(),
            row.chain.enterprise.into(),
            (extent.contiguous as i64).into(),
            (extent.held.greatest().unwrap_or_default() as i64).into(),
            row.chain.forked.into(),
            row.chain.delivered.0.into(),
            row.chain.delivered.1.into(),
            gseq.into(),
            json(&row.chain.state)?.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO device_chain (device_id, epoch, enterprise_id, contiguous, highest, forked, \
         delivered, delivered_at, gseq, state)",
        "ON CONFLICT (device_id, epoch) DO UPDATE SET contiguous = excluded.contiguous, \
         highest = excluded.highest, forked = excluded.forked, gseq = excluded.gseq, \
         state = excluded.state",
    )
    .await?;
    Ok(())
}

/// Writes second branches.
pub async fn write_forks(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    forks: &[Fork],
) -> Result<(), DbErr> {
    let mut rows = Rows::of(4);
    for fork in forks {
        rows.add([
            device.into(),
            i64::from(epoch).into(),
            fork.root.0.to_vec().into(),
            json(fork)?.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO device_fork (device_id, epoch, root, state)",
        "ON CONFLICT (device_id, epoch, root) DO UPDATE SET state = excluded.state",
    )
    .await?;
    Ok(())
}

/// Writes groups; `at` is when the first member of a new waiting one came in.
pub async fn write_groups(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    groups: &BTreeMap<GroupId, GroupHeld>,
    at: Micros,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(5);
    for (id, group) in groups {
        let waiting = (group.standing == Standing::Waiting).then_some(at);
        rows.add([
            device.into(),
            i64::from(epoch).into(),
            id.0.into(),
            waiting.into(),
            json(group)?.into(),
        ]);
    }
    // One that waits on goes on waiting since it began.
    rows.write(
        conn,
        "INSERT INTO device_group (device_id, epoch, group_id, waiting_since, state)",
        "ON CONFLICT (device_id, epoch, group_id) DO UPDATE SET state = excluded.state, \
         waiting_since = CASE WHEN excluded.waiting_since IS NULL THEN NULL \
         ELSE COALESCE(device_group.waiting_since, excluded.waiting_since) END",
    )
    .await?;
    Ok(())
}

/// Forgets which groups wait for their rest: a process that keeps that in memory only, and dies
/// (`suyuan_sync::bugs`).
pub async fn forget_waiting(conn: &impl ConnectionTrait) -> Result<(), DbErr> {
    conn.execute_unprepared("DELETE FROM device_group WHERE waiting_since IS NOT NULL")
        .await?;
    Ok(())
}
