//! All SQL of the simulator: the log as the invariants want it. Writes nothing.

use crate::{
    db::{Db, execute, query_all, query_one},
    handheld::{
        lots::store::{self as lots, Of},
        push::store::fate_name,
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    admission,
    chain::Hash,
    event,
    facts::Statement,
    ids::{DeviceId, EnterpriseId, Epoch, EventId, GroupId, Micros, Seq},
    invariants::{KeptLine, Logged},
    limits::NESTING_DEPTH_MAX,
    lots::Movement,
    order::{Interval, Order},
    unit::UnitKey,
    wire::Status,
};

fn hash(row: &QueryResult, name: &str) -> Result<Hash, DbErr> {
    let bytes: Vec<u8> = row.try_get("", name)?;
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| DbErr::Type(format!("{name} is no hash")))?;
    Ok(Hash(bytes))
}

/// Holds the head of the log as an act of somebody else does, until what is returned is dropped or rolled
/// back.
pub(super) async fn hold_the_head(db: &Db) -> Result<DatabaseTransaction, DbErr> {
    let tx = db.begin().await?;
    let held = "UPDATE log_head SET gseq = gseq WHERE id = 1";
    execute(&tx, held, []).await?;
    Ok(tx)
}

/// How many wait for a lock of this database; SQLite tells nobody.
pub(super) async fn waiting_for_locks(conn: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let backend = conn.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(0);
    }
    let sql = "SELECT COUNT(DISTINCT pid) AS n FROM pg_locks WHERE NOT granted AND pid IN (\
               SELECT pid FROM pg_locks WHERE database = (\
               SELECT oid FROM pg_database WHERE datname = current_database()))";
    let row = query_one(conn, sql, []).await?;
    row.map_or(Ok(0), |row| row.try_get("", "n"))
}

/// What an event is now.
pub(super) struct Standing {
    fate: Status,
    order: Option<Order>,
}

fn standing(row: &QueryResult, event: Option<EventId>) -> Result<Standing, DbErr> {
    let fate: String = row.try_get("", "fate")?;
    let counts: Option<i64> = row.try_get("", "counts_from")?;
    let number = |name: &str| row.try_get::<i64>("", name);
    let order = Order {
        eff: number("eff")?,
        device: DeviceId(row.try_get("", "device_id")?),
        epoch: number("order_epoch")? as Epoch,
        seq: number("seq")? as Seq,
        event: event.unwrap_or(EventId(uuid::Uuid::nil())),
    };
    let fate = Status::of_name(&fate).ok_or_else(|| DbErr::Type(format!("{fate} is no fate")))?;
    Ok(Standing {
        fate,
        order: counts.is_some().then_some(order),
    })
}

/// The events above a position, ascending.
pub(super) async fn events_after(
    conn: &impl ConnectionTrait,
    after: Position,
) -> Result<Vec<Logged>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT gseq, stamp, enterprise_id, device_id, epoch, seq, event_id, fate, counts_from, \
         order_epoch, lo, est, eff, prev_hash, hash, body FROM event WHERE gseq > ? ORDER BY gseq",
        [after.into()],
    )
    .await?;
    rows.iter().map(logged).collect()
}

fn logged(row: &QueryResult) -> Result<Logged, DbErr> {
    let number = |name: &str| row.try_get::<i64>("", name);
    let event: Option<uuid::Uuid> = row.try_get("", "event_id")?;
    let event = event.map(EventId);
    let body: Vec<u8> = row.try_get("", "body")?;
    let group = event::parse_bytes(&body).ok().and_then(|event| event.group);
    let now = standing(row, event)?;
    Ok(Logged {
        gseq: number("gseq")?,
        recv: number("stamp")?,
        enterprise: EnterpriseId(row.try_get("", "enterprise_id")?),
        device: DeviceId(row.try_get("", "device_id")?),
        epoch: number("epoch")? as Epoch,
        seq: number("seq")? as Seq,
        event,
        group: group.map(|group| (group.id, group.of)),
        prev_hash: hash(row, "prev_hash")?,
        hash: hash(row, "hash")?,
        body,
        fate: now.fate,
        order: now.order,
        interval: Interval {
            lo: number("lo")?,
            est: number("est")?,
            hi: number("stamp")?,
        },
    })
}

/// What became of the events of a log by now.
pub(super) async fn stand(conn: &impl ConnectionTrait, events: &mut [Logged]) -> Result<(), DbErr> {
    let mut now: BTreeMap<Position, Standing> = BTreeMap::new();
    for row in query_all(
        conn,
        "SELECT gseq, event_id, device_id, seq, fate, counts_from, order_epoch, eff FROM event \
         ORDER BY gseq",
        [],
    )
    .await?
    {
        let event: Option<uuid::Uuid> = row.try_get("", "event_id")?;
        now.insert(
            row.try_get("", "gseq")?,
            standing(&row, event.map(EventId))?,
        );
    }
    for logged in events {
        // One that is gone keeps what it was: I7 tells.
        if let Some(now) = now.get(&logged.gseq) {
            (logged.fate, logged.order) = (now.fate, now.order);
        }
    }
    Ok(())
}

/// What was decided: groups that were released, events that were admitted.
pub(super) async fn decided(
    conn: &impl ConnectionTrait,
) -> Result<(BTreeSet<GroupId>, BTreeSet<EventId>), DbErr> {
    let (mut groups, mut events) = (BTreeSet::new(), BTreeSet::new());
    for row in query_all(
        conn,
        "SELECT body FROM log_entry WHERE kind IN ('group_released', 'admitted') ORDER BY gseq",
        [],
    )
    .await?
    {
        let body: String = row.try_get("", "body")?;
        match serde_json::from_str(&body) {
            Ok(Statement::GroupReleased { group }) => {
                groups.insert(group);
            }
            Ok(Statement::Admitted {
                events: admitted, ..
            }) => events.extend(admitted),
            _ => {}
        }
    }
    Ok((groups, events))
}

/// Since which position each key is revoked.
pub(super) async fn revoked(
    conn: &impl ConnectionTrait,
) -> Result<BTreeMap<(DeviceId, Epoch), i64>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT device_id, epoch, revoked_gseq FROM device_key WHERE revoked_gseq IS NOT NULL",
        [],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let epoch: i64 = row.try_get("", "epoch")?;
            let key = (DeviceId(row.try_get("", "device_id")?), epoch as Epoch);
            Ok((key, row.try_get("", "revoked_gseq")?))
        })
        .collect()
}

/// Lines of goods as they are kept, with all that moved them.
pub(super) async fn lines(conn: &impl ConnectionTrait) -> Result<Vec<KeptLine>, DbErr> {
    let rows = query_all(conn, "SELECT id FROM lot_line", []).await?;
    let ids = rows.iter().map(|row| row.try_get("", "id"));
    let ids: BTreeSet<i64> = ids.collect::<Result<_, _>>()?;
    let mut findings = lots::open(conn, &ids).await?;
    let mut movements: BTreeMap<i64, Vec<Movement>> = BTreeMap::new();
    let keys = ids.iter().map(|id| (*id).into()).collect();
    for (line, moved) in lots::moves(conn, Of::Lines, keys).await? {
        movements.entry(line).or_default().push(moved.movement);
    }
    let rows = lots::lines_by_id(conn, &ids).await?.into_values();
    let kept = rows.map(|row| {
        let open = findings.remove(&row.id).unwrap_or_default();
        KeptLine {
            key: row.kept.line.key,
            balance: row.kept.line.balance,
            findings: open.into_iter().map(|(_, finding)| finding).collect(),
            movements: movements.remove(&row.id).unwrap_or_default(),
        }
    });
    Ok(kept.collect())
}

/// Events that stand aside and somebody could take in: position and whose.
pub(super) async fn quarantined(
    conn: &impl ConnectionTrait,
) -> Result<Vec<(Position, uuid::Uuid)>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT gseq, enterprise_id FROM event WHERE fate = ? ORDER BY gseq",
        [fate_name(admission::Status::Quarantined).into()],
    )
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "gseq")?, row.try_get("", "enterprise_id")?)))
        .collect()
}

/// Parked events that wait for the rest of their group (T8).
pub(super) async fn waiting(conn: &impl ConnectionTrait) -> Result<Vec<(Position, Micros)>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT gseq, stamp FROM event WHERE fate = 'parked' AND remarks LIKE '%GROUP_INCOMPLETE%' \
         AND remarks NOT LIKE '%,%' ORDER BY gseq",
        [],
    )
    .await?;
    let waits = |row: &QueryResult| Ok((row.try_get("", "gseq")?, row.try_get("", "stamp")?));
    rows.iter().map(waits).collect()
}

/// When a unit, or a container whose life it shares, last changed, for each.
pub(super) async fn changed_at(
    conn: &impl ConnectionTrait,
) -> Result<BTreeMap<UnitKey, Position>, DbErr> {
    let mut units: BTreeMap<i64, (UnitKey, Option<i64>, Position)> = BTreeMap::new();
    for row in query_all(
        conn,
        "SELECT id, unit_key, inside, exceptional, gseq FROM unit",
        [],
    )
    .await?
    {
        let key: String = row.try_get("", "unit_key")?;
        let inside: Option<i64> = row.try_get("", "inside")?;
        let exceptional: bool = row.try_get("", "exceptional")?;
        let shares = inside.filter(|_| !exceptional);
        let unit = (UnitKey::kept(&key), shares, row.try_get("", "gseq")?);
        units.insert(row.try_get("", "id")?, unit);
    }
    let mut changed = BTreeMap::new();
    for (key, shares, at) in units.values() {
        let (mut above, mut last) = (*shares, *at);
        for _ in 0..NESTING_DEPTH_MAX {
            let Some((_, shares, at)) = above.and_then(|id| units.get(&id)) else {
                break;
            };
            (above, last) = (*shares, last.max(*at));
        }
        changed.insert(key.clone(), last);
    }
    Ok(changed)
}
