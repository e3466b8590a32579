//! All SQL of admission: what is held of devices, and what becomes of pushes.

use crate::{
    clock::Micros,
    db::{
        Db,
        rows::{Rows, by_keys},
        statement,
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use suyuan_sync::{
    admission::{
        Batch, Branch, Extent, Fork, GroupHeld, Held, Kept, Lookup, Outcome, Remark, Status,
    },
    chain::{self, Hash},
    ids::{DeviceId, Epoch, EventId, GroupId, Seq},
    order::Interval,
    time::{Placed, Prefix, Timed},
    wire::FindingNote,
};
use uuid::Uuid;

/// What `sync` keeps of a device epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainState {
    /// How far it is held.
    pub extent: Extent,
    /// Its effective times.
    pub time: Timeline,
}

/// Where the effective times of an epoch go on from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Timeline {
    /// Covers all but the last event.
    pub prefix: Prefix,
    /// The last event.
    pub last: Option<Last>,
}

/// The last event of an epoch that is in the state.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Last {
    /// Its number and interval.
    pub timed: Timed,
    /// Its effective time.
    pub eff: Micros,
}

/// A device epoch as rows have it.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Whose device.
    pub enterprise: Uuid,
    /// When the epoch began.
    pub enrolled_at: Micros,
    /// Its key is revoked.
    pub revoked: bool,
    /// There are second branches.
    pub forked: bool,
    /// The newest position it acknowledged, and since when.
    pub delivered: (Position, Micros),
    /// The rest.
    pub state: ChainState,
}

/// The first answer about an event, as it is kept to be given again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Its fate.
    pub status: Status,
    /// What was remarked.
    pub remarks: Vec<Remark>,
    /// What was found at once.
    pub findings: Vec<FindingNote>,
}

impl Told {
    /// Stored, and nothing to say.
    pub const CLEAN: Told = Told {
        status: Status::Stored,
        remarks: Vec::new(),
        findings: Vec::new(),
    };

    fn read(text: &str) -> Result<Told, DbErr> {
        if text.is_empty() {
            return Ok(Told::CLEAN);
        }
        parse(text, "event.told")
    }

    /// As it stands in its column; nothing for what is clean.
    pub fn written(&self) -> Result<String, DbErr> {
        if *self == Told::CLEAN {
            return Ok(String::new());
        }
        json(self)
    }
}

/// What is known of the device of a push, and of its texts.
pub struct Known {
    /// The device epoch.
    pub chain: Chain,
    /// For the decision.
    pub held: Held,
    /// First answers of events that are held, by hash.
    pub told: HashMap<Hash, Told>,
}

fn parse<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, DbErr> {
    serde_json::from_str(text).map_err(|error| DbErr::Json(format!("{what}: {error}")))
}

fn json(value: &impl Serialize) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
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
            None => ChainState {
                extent: Extent::empty(DeviceId(device), epoch),
                time: Timeline {
                    prefix: Prefix::START,
                    last: None,
                },
            },
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
    let rows = conn
        .query_all_raw(statement(conn.get_database_backend(), &sql, values))
        .await?;
    rows.iter().map(kept).collect()
}

fn kept(row: &QueryResult) -> Result<(Kept, Told), DbErr> {
    let branch: Option<Vec<u8>> = row.try_get("", "branch")?;
    let told = Told::read(&row.try_get::<String>("", "told")?)?;
    let kept = Kept {
        seq: row.try_get::<i64>("", "seq")? as Seq,
        prev_hash: hash(row, "prev_hash")?,
        hash: hash(row, "hash")?,
        branch: match branch {
            None => Branch::First,
            Some(_) => Branch::Fork(hash(row, "branch")?),
        },
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

/// What the device had acknowledged before an instant.
pub async fn delivered_before(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    at: Micros,
) -> Result<Position, DbErr> {
    let row = conn
        .query_one_raw(statement(
            conn.get_database_backend(),
            "SELECT gseq FROM device_ack WHERE device_id = ? AND epoch = ? AND at < ? \
             ORDER BY at DESC LIMIT 1",
            [device.into(), i64::from(epoch).into(), at.into()],
        ))
        .await?;
    row.map_or(Ok(0), |row| row.try_get("", "gseq"))
}

/// The nearest checkpoint below a number.
pub async fn checkpoint_before(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
) -> Result<Option<Prefix>, DbErr> {
    let row = conn
        .query_one_raw(statement(
            conn.get_database_backend(),
            "SELECT state FROM device_checkpoint WHERE device_id = ? AND epoch = ? AND seq < ? \
             ORDER BY seq DESC LIMIT 1",
            [device.into(), i64::from(epoch).into(), (seq as i64).into()],
        ))
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    parse(
        &row.try_get::<String>("", "state")?,
        "device_checkpoint.state",
    )
    .map(Some)
}

/// Events of an epoch that are in the state, above a number.
pub async fn placed_after(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
) -> Result<Vec<Placed>, DbErr> {
    let rows = conn
        .query_all_raw(statement(
            conn.get_database_backend(),
            "SELECT seq, lo, est, stamp, eff FROM event WHERE device_id = ? AND epoch = ? \
             AND seq > ? AND branch IS NULL AND counts_from IS NOT NULL ORDER BY seq",
            [device.into(), i64::from(epoch).into(), (seq as i64).into()],
        ))
        .await?;
    rows.iter()
        .map(|row| {
            let number = |name: &str| row.try_get::<i64>("", name);
            Ok(Placed {
                timed: Timed {
                    seq: number("seq")? as Seq,
                    interval: Interval {
                        lo: number("lo")?,
                        est: number("est")?,
                        hi: number("stamp")?,
                    },
                },
                eff: Some(number("eff")?),
            })
        })
        .collect()
}

/// Forgets checkpoints above a number.
pub async fn forget_checkpoints(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
) -> Result<(), DbErr> {
    conn.execute_raw(statement(
        conn.get_database_backend(),
        "DELETE FROM device_checkpoint WHERE device_id = ? AND epoch = ? AND seq > ?",
        [device.into(), i64::from(epoch).into(), (seq as i64).into()],
    ))
    .await?;
    Ok(())
}

/// Keeps checkpoints.
pub async fn keep_checkpoints(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    checkpoints: &[Prefix],
) -> Result<(), DbErr> {
    let mut rows = Rows::of(4);
    for prefix in checkpoints {
        rows.add([
            device.into(),
            i64::from(epoch).into(),
            (prefix.seq as i64).into(),
            json(prefix)?.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO device_checkpoint (device_id, epoch, seq, state)",
        "ON CONFLICT (device_id, epoch, seq) DO UPDATE SET state = excluded.state",
    )
    .await?;
    Ok(())
}

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
    /// Its group.
    pub group: Option<Uuid>,
    /// Carried by another device or a file.
    pub imported: bool,
    /// Findings of its admission, by name.
    pub flags: String,
    /// The first answer.
    pub told: Told,
    /// Its bytes.
    pub body: Vec<u8>,
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
    let mut rows = Rows::of(25);
    for event in events {
        let kept = event.kept;
        let branch = match kept.branch {
            Branch::First => None,
            Branch::Fork(root) => Some(root.0.to_vec()),
        };
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
            event.told.written()?.into(),
            branch.into(),
            kept.prev_hash.0.to_vec().into(),
            kept.hash.0.to_vec().into(),
            event.body.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO event (gseq, stamp, enterprise_id, device_id, epoch, seq, event_id, kind, fate, \
         remarks, counts_from, order_epoch, location_id, lo, est, eff, delivered, group_id, imported, \
         flags, told, branch, prev_hash, hash, body)",
        "",
    )
    .await?;
    Ok(())
}

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
    use suyuan_sync::admission::Standing;
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

/// Moves events to another place in the order.
pub async fn move_events(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    eff: &[(Seq, Micros)],
) -> Result<(), DbErr> {
    for (seq, eff) in eff {
        conn.execute_raw(statement(
            conn.get_database_backend(),
            "UPDATE event SET eff = ? WHERE device_id = ? AND epoch = ? AND seq = ? \
             AND branch IS NULL",
            [
                (*eff).into(),
                device.into(),
                i64::from(epoch).into(),
                (*seq as i64).into(),
            ],
        ))
        .await?;
    }
    Ok(())
}

/// An event that stands somewhere, with what is remarked on it.
#[derive(Debug, Clone)]
pub struct StandingRow {
    /// Its position.
    pub gseq: Position,
    /// Its number.
    pub seq: Seq,
    /// What is remarked now.
    pub outcome: Outcome,
    /// Findings of its admission.
    pub flags: String,
    /// When.
    pub interval: Interval,
}

/// Events of an epoch by number, on the branch in state.
pub async fn standing(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seqs: &[Seq],
) -> Result<Vec<StandingRow>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT DISTINCT gseq, seq, remarks, flags, lo, est, stamp FROM event \
         WHERE device_id = ? AND epoch = ? AND seq IN ({keys}) AND branch IS NULL",
        &[device.into(), i64::from(epoch).into()],
        seqs.iter().map(|seq| (*seq as i64).into()).collect(),
    )
    .await?;
    rows.iter()
        .map(|row| {
            let number = |name: &str| row.try_get::<i64>("", name);
            Ok(StandingRow {
                gseq: number("gseq")?,
                seq: number("seq")? as Seq,
                outcome: Outcome::of(remarks_of(&row.try_get::<String>("", "remarks")?)),
                flags: row.try_get("", "flags")?,
                interval: Interval {
                    lo: number("lo")?,
                    est: number("est")?,
                    hi: number("stamp")?,
                },
            })
        })
        .collect()
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

/// Writes that.
pub async fn write_standing(conn: &impl ConnectionTrait, row: &Restanding) -> Result<(), DbErr> {
    conn.execute_raw(statement(
        conn.get_database_backend(),
        "UPDATE event SET fate = ?, remarks = ?, flags = ?, counts_from = ?, \
         eff = COALESCE(?, eff), order_epoch = COALESCE(?, order_epoch) WHERE gseq = ?",
        [
            fate_name(row.outcome.status).into(),
            told_remarks(&row.outcome.remarks).into(),
            row.flags.clone().into(),
            row.counts_from.into(),
            row.eff.into(),
            row.order_epoch.map(i64::from).into(),
            row.gseq.into(),
        ],
    ))
    .await?;
    Ok(())
}

/// Most dead letters kept.
const DEAD_LETTERS_MAX: i64 = 1000;
/// Most bytes kept of one.
const DEAD_LETTER_BYTES_MAX: usize = 64 * 1024;

/// Keeps a frame that could not be read, for whoever looks into it. The oldest go.
pub async fn dead_letter(
    db: &Db,
    enterprise: Uuid,
    (device, epoch): (Uuid, Epoch),
    at: Micros,
    why: &str,
    body: &[u8],
) -> Result<(), DbErr> {
    let body = body.get(..DEAD_LETTER_BYTES_MAX).unwrap_or(body);
    let tx = db.begin().await?;
    let backend = db.backend();
    tx.execute_raw(statement(
        backend,
        "INSERT INTO dead_letter (id, enterprise_id, device_id, epoch, at, why, body) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            Uuid::now_v7().into(),
            enterprise.into(),
            device.into(),
            i64::from(epoch).into(),
            at.into(),
            why.chars().take(500).collect::<String>().into(),
            body.to_vec().into(),
        ],
    ))
    .await?;
    tx.execute_raw(statement(
        backend,
        "DELETE FROM dead_letter WHERE id IN \
         (SELECT id FROM dead_letter ORDER BY at DESC, id DESC LIMIT 1000 OFFSET ?)",
        [DEAD_LETTERS_MAX.into()],
    ))
    .await?;
    tx.commit().await
}

/// The hash before the first event of an epoch.
pub fn genesis(device: Uuid, epoch: Epoch) -> Hash {
    chain::genesis(DeviceId(device), epoch)
}
