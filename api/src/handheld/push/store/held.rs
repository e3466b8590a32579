//! What is held of device epochs, and of the texts a push brings.

use super::{Chain, ChainState, Told, branch, parse};
use crate::db::{query_all, rows::by_keys};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use suyuan_sync::{
    admission::{Batch, Branch, Extent, GroupHeld, Held, Kept, Lookup, Outcome},
    chain::Hash,
    ids::{DeviceId, Epoch, EventId, GroupId, Seq},
};
use uuid::Uuid;

/// What is known of the device of a push, and of its texts.
pub struct Known {
    /// The device epoch.
    pub chain: Chain,
    /// For the decision.
    pub held: Held,
    /// First answers of events that are held, by hash.
    pub told: HashMap<Hash, Told>,
}

fn hash(row: &QueryResult, name: &str) -> Result<Hash, DbErr> {
    let bytes: Vec<u8> = row.try_get("", name)?;
    let bytes = bytes
        .try_into()
        .map_err(|_| DbErr::Type(format!("{name}: not 32 bytes")))?;
    Ok(Hash(bytes))
}

/// Device epochs.
pub async fn chains(
    conn: &impl ConnectionTrait,
    wanted: &BTreeSet<(Uuid, Epoch)>,
) -> Result<BTreeMap<(Uuid, Epoch), Chain>, DbErr> {
    let devices: BTreeSet<Uuid> = wanted.iter().map(|(device, _)| *device).collect();
    let rows = by_keys(
        conn,
        "SELECT k.device_id, k.epoch, k.enterprise_id, k.enrolled_at, k.revoked_gseq, \
         c.forked, c.delivered, c.delivered_at, c.state FROM device_key k \
         LEFT JOIN device_chain c ON c.device_id = k.device_id AND c.epoch = k.epoch \
         WHERE k.device_id IN ({keys})",
        &[],
        devices.into_iter().map(Value::from).collect(),
    )
    .await?;
    let mut chains = BTreeMap::new();
    for row in rows {
        let device: Uuid = row.try_get("", "device_id")?;
        let epoch = row.try_get::<i64>("", "epoch")? as Epoch;
        if !wanted.contains(&(device, epoch)) {
            continue;
        }
        let state: Option<String> = row.try_get("", "state")?;
        let state = match state {
            Some(state) => parse(&state, "device_chain.state")?,
            None => ChainState::empty(DeviceId(device), epoch),
        };
        let delivered: Option<i64> = row.try_get("", "delivered")?;
        let delivered_at: Option<i64> = row.try_get("", "delivered_at")?;
        let chain = Chain {
            enterprise: row.try_get("", "enterprise_id")?,
            enrolled_at: row.try_get("", "enrolled_at")?,
            revoked: row.try_get::<Option<i64>>("", "revoked_gseq")?.is_some(),
            forked: row
                .try_get::<Option<bool>>("", "forked")?
                .unwrap_or_default(),
            delivered: (
                delivered.unwrap_or_default(),
                delivered_at.unwrap_or_default(),
            ),
            state,
        };
        chains.insert((device, epoch), chain);
    }
    Ok(chains)
}

/// What is held of the devices of these pushes, as far as deciding on them needs it. A push whose
/// epoch has no key any more is an error: its signature was verified with it.
pub async fn known(conn: &impl ConnectionTrait, pushes: &[&Batch]) -> Result<Vec<Known>, DbErr> {
    let wanted = pushes
        .iter()
        .map(|push| (push.device.0, push.epoch))
        .collect();
    let mut chains = chains(conn, &wanted).await?;
    let mut out = Vec::with_capacity(pushes.len());
    let mut ids: BTreeSet<EventId> = BTreeSet::new();
    for push in pushes {
        let key = (push.device.0, push.epoch);
        let missing = || DbErr::RecordNotFound(format!("device_key {key:?}"));
        let chain = chains.remove(&key).ok_or_else(missing)?;
        let (known, lookup) = of_push(conn, push, chain).await?;
        // What is held with the same bytes is a duplicate, whatever id it has.
        let fresh = push
            .events
            .iter()
            .filter(|event| !known.told.contains_key(&event.hash));
        if fresh.count() > 0 {
            ids.extend(lookup.ids);
        }
        out.push(known);
    }
    let rows = by_keys(
        conn,
        "SELECT enterprise_id, event_id FROM event WHERE event_id IN ({keys}) \
         AND event_id IS NOT NULL",
        &[],
        ids.into_iter().map(|id| id.0.into()).collect(),
    )
    .await?;
    let mut taken: HashSet<(Uuid, Uuid)> = HashSet::new();
    for row in rows {
        taken.insert((
            row.try_get("", "enterprise_id")?,
            row.try_get("", "event_id")?,
        ));
    }
    if !taken.is_empty() {
        for (known, push) in out.iter_mut().zip(pushes) {
            let stated = push.events.iter().filter_map(|event| event.read.id());
            let enterprise = known.chain.enterprise;
            known.held.taken = stated
                .filter(|id| taken.contains(&(enterprise, id.0)))
                .collect();
        }
    }
    Ok(out)
}

async fn of_push(
    conn: &impl ConnectionTrait,
    push: &Batch,
    chain: Chain,
) -> Result<(Known, Lookup), DbErr> {
    let (device, epoch, extent) = (push.device.0, push.epoch, &chain.state.extent);
    let lookup = Lookup::of(push, extent);
    let mut told = HashMap::new();
    let (first, last) = (*lookup.seqs.start(), *lookup.seqs.end());
    let highest = extent.held.greatest().unwrap_or_default();
    // An append to a sequence without gaps and forks needs nothing but its head.
    let appends = !chain.forked && push.first_seq == highest + 1 && extent.contiguous == highest;
    let mut rows: Vec<Kept> = Vec::new();
    if appends {
        if highest > 0 {
            rows.push(head_of(extent));
        }
    } else {
        let mut found = seqs(conn, (device, epoch), (first, last), "branch IS NULL").await?;
        if let Some(end) = lookup.end {
            found.extend(seqs(conn, (device, epoch), (end, end), "branch IS NULL").await?);
        }
        if chain.forked {
            let on_forks = "branch IS NOT NULL";
            found.extend(seqs(conn, (device, epoch), (first, last), on_forks).await?);
        }
        for (kept, answer) in found {
            told.insert(kept.hash, answer);
            rows.push(kept);
        }
    }
    let held = Held {
        extent: extent.clone(),
        revoked: chain.revoked,
        rows,
        taken: BTreeSet::new(),
        groups: groups(conn, device, epoch, &lookup.groups).await?,
    };
    Ok((Known { chain, held, told }, lookup))
}

/// The last event of a sequence without gaps, as far as what follows it needs to know.
fn head_of(extent: &Extent) -> Kept {
    Kept {
        seq: extent.contiguous,
        prev_hash: extent.head,
        hash: extent.head,
        branch: Branch::First,
        event: None,
        gseq: None,
        outcome: Outcome::of(Vec::new()),
    }
}

async fn seqs(
    conn: &impl ConnectionTrait,
    (device, epoch): (Uuid, Epoch),
    (first, last): (Seq, Seq),
    on: &str,
) -> Result<Vec<(Kept, Told)>, DbErr> {
    let sql = format!(
        "SELECT gseq, seq, event_id, branch, prev_hash, hash, told FROM event \
         WHERE device_id = ? AND epoch = ? AND seq BETWEEN ? AND ? AND {on}"
    );
    let values: [Value; 4] = [
        device.into(),
        i64::from(epoch).into(),
        (first as i64).into(),
        (last as i64).into(),
    ];
    let rows = query_all(conn, &sql, values).await?;
    rows.iter().map(kept).collect()
}

fn kept(row: &QueryResult) -> Result<(Kept, Told), DbErr> {
    let told = Told::read(&row.try_get::<String>("", "told")?)?;
    let kept = Kept {
        seq: row.try_get::<i64>("", "seq")? as Seq,
        prev_hash: hash(row, "prev_hash")?,
        hash: hash(row, "hash")?,
        branch: branch(row)?,
        event: row.try_get::<Option<Uuid>>("", "event_id")?.map(EventId),
        gseq: Some(row.try_get("", "gseq")?),
        outcome: Outcome::of(told.remarks.clone()),
    };
    Ok((kept, told))
}

/// Groups of a device epoch.
pub async fn groups(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    ids: &[GroupId],
) -> Result<BTreeMap<GroupId, GroupHeld>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT DISTINCT group_id, state FROM device_group WHERE device_id = ? AND epoch = ? \
         AND group_id IN ({keys})",
        &[device.into(), i64::from(epoch).into()],
        ids.iter().map(|id| id.0.into()).collect(),
    )
    .await?;
    rows.iter()
        .map(|row| {
            let state: String = row.try_get("", "state")?;
            Ok((
                GroupId(row.try_get("", "group_id")?),
                parse(&state, "device_group.state")?,
            ))
        })
        .collect()
}
