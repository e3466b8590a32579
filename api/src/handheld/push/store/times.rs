//! What the effective times of a device epoch go on from, and events that move in the order.

use super::{json, parse};
use crate::{
    clock::Micros,
    db::{
        execute, query_all, query_one,
        rows::{Rows, by_keys},
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use suyuan_sync::{
    admission::Branch,
    chain::Hash,
    ids::{Epoch, Seq},
    order::Interval,
    time::{Placed, Prefix, Timed},
};
use uuid::Uuid;

/// What the device had acknowledged before an instant.
pub async fn delivered_before(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    at: Micros,
) -> Result<Position, DbErr> {
    let known = acknowledged(conn, device, epoch, (at, at)).await?;
    Ok(known.last().map_or(0, |(_, position)| *position))
}

/// What the device had acknowledged before each instant of this span, and when: oldest first, from
/// the last acknowledgement before it on. One never says less than one before it does.
pub async fn acknowledged(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    (from, to): (Micros, Micros),
) -> Result<Vec<(Micros, Position)>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT at, gseq FROM device_ack WHERE device_id = ? AND epoch = ? AND at < ? \
             AND at >= COALESCE((SELECT MAX(at) FROM device_ack \
             WHERE device_id = ? AND epoch = ? AND at < ?), 0) ORDER BY at",
        [
            device.into(),
            i64::from(epoch).into(),
            to.into(),
            device.into(),
            i64::from(epoch).into(),
            from.into(),
        ],
    )
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "at")?, row.try_get("", "gseq")?)))
        .collect()
}

/// The greatest anchor that a chain stated below a number, as far as it was held when the last event below that
/// came in.
pub async fn anchored_before(
    conn: &impl ConnectionTrait,
    chain: (Uuid, Epoch),
    branch: Branch,
    seq: Seq,
) -> Result<Option<Micros>, DbErr> {
    let mut found = anchored_on(conn, chain, branch, seq).await?;
    if found.is_none() && branch != Branch::First {
        // A second branch begins where it leaves the first.
        found = anchored_on(conn, chain, Branch::First, seq).await?;
    }
    Ok(found.and_then(|upto| upto.0))
}

/// The greatest anchor that a chain stated up to an event of it, if any stated one.
#[derive(Debug, Clone, Copy)]
pub struct Upto(pub Option<Micros>);

/// What the last event below a number, of one branch alone, says of that; nothing if there is none.
pub async fn anchored_on(
    conn: &impl ConnectionTrait,
    (device, epoch): (Uuid, Epoch),
    branch: Branch,
    seq: Seq,
) -> Result<Option<Upto>, DbErr> {
    let mut values: Vec<Value> = vec![device.into(), i64::from(epoch).into(), (seq as i64).into()];
    let on = match branch.root() {
        Some(root) => {
            values.push(root.0.to_vec().into());
            "branch IS NOT NULL AND branch = ?"
        }
        None => "branch IS NULL",
    };
    let sql = format!(
        "SELECT anchored FROM event WHERE device_id = ? AND epoch = ? AND seq < ? AND {on} \
         ORDER BY seq DESC LIMIT 1"
    );
    let row = query_one(conn, &sql, values).await?;
    row.map(|row| row.try_get("", "anchored").map(Upto))
        .transpose()
}

/// The nearest checkpoint below a number.
pub async fn checkpoint_before(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
) -> Result<Option<Prefix>, DbErr> {
    let row = query_one(
        conn,
        "SELECT state FROM device_checkpoint WHERE device_id = ? AND epoch = ? AND seq < ? \
             ORDER BY seq DESC LIMIT 1",
        [device.into(), i64::from(epoch).into(), (seq as i64).into()],
    )
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

/// The nearest checkpoint at a number or above it.
pub async fn checkpoint_from(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    seq: Seq,
) -> Result<Option<Prefix>, DbErr> {
    let Some(row) = query_one(
        conn,
        "SELECT state FROM device_checkpoint WHERE device_id = ? AND epoch = ? AND seq >= ? \
         ORDER BY seq LIMIT 1",
        [device.into(), i64::from(epoch).into(), (seq as i64).into()],
    )
    .await?
    else {
        return Ok(None);
    };
    let state: String = row.try_get("", "state")?;
    parse(&state, "device_checkpoint.state").map(Some)
}

/// Events of an epoch that are in the state, above a number: all, or up to another and the one after
/// that.
pub async fn placed(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    (after, until): (Seq, Option<Seq>),
) -> Result<Vec<Placed>, DbErr> {
    let mut sql = "SELECT seq, lo, est, stamp, eff FROM event WHERE device_id = ? AND epoch = ? \
                   AND seq > ? AND branch IS NULL AND counts_from IS NOT NULL"
        .to_owned();
    let epoch = i64::from(epoch);
    let mut values: Vec<Value> = vec![device.into(), epoch.into(), (after as i64).into()];
    if let Some(until) = until {
        sql.push_str(
            " AND seq <= COALESCE((SELECT MIN(seq) FROM event WHERE device_id = ? AND epoch = ? \
             AND seq > ? AND branch IS NULL AND counts_from IS NOT NULL), ?)",
        );
        let until: Value = (until as i64).into();
        values.extend([device.into(), epoch.into(), until.clone(), until]);
    }
    sql.push_str(" ORDER BY seq");
    let rows = query_all(conn, &sql, values).await?;
    rows.iter()
        .map(|row| {
            let number = |name: &str| row.try_get::<i64>("", name);
            Ok(Placed {
                timed: Timed {
                    seq: number("seq")? as Seq,
                    interval: interval(row)?,
                },
                eff: Some(number("eff")?),
            })
        })
        .collect()
}

/// Forgets checkpoints above a number: all, or up to another.
pub async fn forget_checkpoints(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    (after, until): (Seq, Option<Seq>),
) -> Result<(), DbErr> {
    let until = until.map_or(i64::MAX, |until| until as i64);
    execute(
        conn,
        "DELETE FROM device_checkpoint WHERE device_id = ? AND epoch = ? AND seq > ? AND seq <= ?",
        [
            device.into(),
            i64::from(epoch).into(),
            (after as i64).into(),
            until.into(),
        ],
    )
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

/// How many events one statement moves, most first.
const MOVED: [usize; 3] = [128, 16, 1];

/// Moves events to another place in the order, by an act whose first position is `from`. Where those
/// stood that counted before is kept, for whoever asks what was known then.
pub async fn move_events(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    eff: &[(Seq, Micros)],
    from: Position,
) -> Result<(), DbErr> {
    let stood = by_keys(
        conn,
        "SELECT gseq, eff FROM event WHERE device_id = ? AND epoch = ? AND branch IS NULL \
         AND counts_from < ? AND seq IN ({keys})",
        &[device.into(), i64::from(epoch).into(), from.into()],
        eff.iter().map(|(seq, _)| (*seq as i64).into()).collect(),
    )
    .await?;
    let stood = stood.iter().map(|row| {
        let number = |name: &str| row.try_get::<i64>("", name);
        Ok((number("gseq")?, number("eff")?))
    });
    write_was(conn, &stood.collect::<Result<Vec<_>, DbErr>>()?, from).await?;
    let mut left = eff;
    while !left.is_empty() {
        // Few texts of statements, so that each is prepared once.
        let size = MOVED.into_iter().find(|size| *size <= left.len());
        let (now, rest) = left.split_at(size.unwrap_or(1));
        left = rest;
        let rows = vec!["(CAST(? AS BIGINT), CAST(? AS BIGINT))"; now.len()].join(", ");
        let sql = format!(
            "WITH moved (seq, eff) AS (VALUES {rows}) UPDATE event SET eff = moved.eff FROM moved \
             WHERE event.device_id = ? AND event.epoch = ? AND event.seq = moved.seq \
             AND event.branch IS NULL"
        );
        let pairs = now.iter().flat_map(|(seq, eff)| [*seq as i64, *eff]);
        let of: [Value; 2] = [device.into(), i64::from(epoch).into()];
        let values = pairs.map(Value::from).chain(of);
        execute(conn, &sql, values).await?;
    }
    Ok(())
}

/// Where events stood in the order until a position.
async fn write_was(
    conn: &impl ConnectionTrait,
    stood: &[(Position, Micros)],
    until: Position,
) -> Result<(), DbErr> {
    let mut was = Rows::of(3);
    for (gseq, eff) in stood {
        was.add([(*gseq).into(), until.into(), (*eff).into()]);
    }
    was.write(
        conn,
        "INSERT INTO event_was (gseq, until, eff)",
        "ON CONFLICT (gseq, until) DO NOTHING",
    )
    .await?;
    Ok(())
}

/// An event of a second branch that counts.
pub struct OnBranch {
    /// Its position.
    pub gseq: Position,
    /// Since when it counts.
    pub counts_from: Position,
    /// When.
    pub timed: Timed,
    /// Where it stands in the order.
    pub eff: Micros,
}

/// When an event happened, as far as is known: frozen when it came in.
pub fn interval(row: &QueryResult) -> Result<Interval, DbErr> {
    Ok(Interval {
        lo: row.try_get("", "lo")?,
        est: row.try_get("", "est")?,
        hi: row.try_get("", "stamp")?,
    })
}

/// Events of a second branch that count, by number.
pub async fn on_branch(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    root: Hash,
) -> Result<Vec<OnBranch>, DbErr> {
    let found = query_all(
        conn,
        "SELECT gseq, seq, lo, est, stamp, eff, counts_from FROM event WHERE device_id = ? \
             AND epoch = ? AND branch = ? AND branch IS NOT NULL AND counts_from IS NOT NULL \
             ORDER BY seq",
        [
            device.into(),
            i64::from(epoch).into(),
            root.0.to_vec().into(),
        ],
    )
    .await?;
    let row = |row: &QueryResult| {
        let number = |name: &str| row.try_get::<i64>("", name);
        let timed = Timed {
            seq: number("seq")? as Seq,
            interval: interval(row)?,
        };
        Ok(OnBranch {
            gseq: number("gseq")?,
            counts_from: number("counts_from")?,
            timed,
            eff: number("eff")?,
        })
    };
    found.iter().map(row).collect()
}

/// Moves events of a second branch in the order from a position on; where those stood that counted before
/// it is kept.
pub async fn move_on_branch(
    conn: &impl ConnectionTrait,
    moved: &[(&OnBranch, Micros)],
    from: Position,
) -> Result<(), DbErr> {
    let stood = moved.iter().filter(|(event, _)| event.counts_from < from);
    let stood: Vec<_> = stood.map(|(event, _)| (event.gseq, event.eff)).collect();
    write_was(conn, &stood, from).await?;
    let mut rows = Rows::of(2);
    for (event, eff) in moved {
        rows.add([event.gseq.into(), (*eff).into()]);
    }
    let sql = "UPDATE event SET eff = moved.column2 FROM ({rows}) AS moved WHERE event.gseq = moved.column1";
    rows.join(conn, sql, &[]).await?;
    Ok(())
}
