//! Does an event cost the same whatever is there already? Twice: with very many units on record,
//! against a service with few, both running; and at the end of a long log of one device, against a
//! device that is new, on one service. The two sides take turns, so that whatever else slows the
//! machine slows both.

use std::path::Path;

use sqlx::{
    Connection as _, Executor as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use suyuan_sync::wire::Status;

use super::{
    device::Device,
    fleet::Fleet,
    lanes::{Lane, send_all},
    life::{self, Step},
};
use crate::{
    LoadError,
    drive::Outcome,
    summary::{Series, Taken, progress},
};

/// Units of the service with few.
pub const FEW: usize = 10_000;
/// Devices that push in turn.
pub const DEVICES: usize = 16;
const BATCH: usize = 100;
/// Seeded rows of one transaction.
const SLICE: i64 = 100_000;
/// The largest pushes there are, to grow a log.
const GROWING: usize = 500;

/// Two sides of a comparison.
pub struct Flat {
    /// Where little is there.
    pub small: Series,
    /// Where much is there.
    pub large: Series,
}

impl Flat {
    /// Events a second with much against with little.
    pub fn ratio(&self) -> Result<Taken, String> {
        let cpu = self.large.cpu_ratio_to(&self.small);
        Ok(Taken::median(&self.large.ratio_to(&self.small)?)?.with(
            "cpu_per_event_ratio",
            cpu.map_or(serde_json::Value::Null, Into::into),
        ))
    }
}

/// Pushes into a service with [`FEW`] units and one with `many`, in turn.
pub async fn units(
    few: &mut Fleet,
    many: &mut Fleet,
    count: u32,
    events: usize,
    rounds: usize,
) -> Result<Flat, LoadError> {
    for fleet in [&mut *few, &mut *many] {
        push(fleet, FEW * Step::LIFE.len()).await?;
    }
    let file = many
        .sqlite_file()
        .ok_or_else(|| LoadError::Unusable("only the embedded database is seeded".to_owned()))?;
    let seeded = i64::from(count) - FEW as i64;
    progress(&format!("{seeded} units by SQL"));
    seed(&file, seeded).await?;
    let mut flat = Flat {
        small: Series::empty(format!("{FEW} units")),
        large: Series::empty(format!("{count} units")),
    };
    for round in 0..rounds {
        progress(&format!("round {}: few and many units", round + 1));
        flat.small.outcomes.push(push(few, events).await?);
        flat.large.outcomes.push(push(many, events).await?);
    }
    Ok(flat)
}

/// Whole lives of new units, by all devices.
async fn push(fleet: &mut Fleet, events: usize) -> Result<Outcome, LoadError> {
    let each = events / Step::LIFE.len() / DEVICES;
    let codes = fleet.take_codes(each.max(1) * DEVICES).await?;
    let mut lanes = Vec::with_capacity(DEVICES);
    for codes in codes.chunks(each.max(1)) {
        lanes.push(lane(fleet.lend()?, codes, BATCH, fleet)?);
    }
    let (target, pid) = (fleet.demo.internal.clone(), fleet.demo.pid());
    let (lanes, sent) = send_all(&target, pid, lanes, Status::Stored).await?;
    fleet.take_back(lanes);
    Ok(sent.outcome)
}

fn lane(
    mut device: Device,
    codes: &[String],
    batch: usize,
    fleet: &Fleet,
) -> Result<Lane, LoadError> {
    let parcels = device.fill(life::waves(codes, batch), batch, &fleet.places)?;
    Ok(Lane { device, parcels })
}

/// Puts rows beside a unit's row: the same but for number and key. They have no events of their own
/// (a row of an event takes several times the room), numbers below those the service gives, and
/// keys spread among the others as serials are.
async fn seed(file: &Path, count: i64) -> Result<(), LoadError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("cache_size", "-200000");
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .map_err(failed)?;
    let columns = connection
        .fetch_all("SELECT name FROM pragma_table_info('unit')")
        .await
        .map_err(failed)?;
    let columns: Result<Vec<String>, _> = columns.iter().map(|row| row.try_get(0)).collect();
    let columns = columns.map_err(failed)?;
    let values: Vec<String> = columns
        .iter()
        .map(|name| match name.as_str() {
            "id" => "-n.i".to_owned(),
            // Thirteen characters of a serial: six at random, seven that are never the same twice.
            "unit_key" => "substr(t.unit_key, 1, length(t.unit_key) - 13) \
                           || hex(randomblob(3)) || printf('%07X', n.i)"
                .to_owned(),
            other => format!("t.{other}"),
        })
        .collect();
    let insert = format!(
        "WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) \
         INSERT INTO unit ({}) SELECT {} FROM n, (SELECT * FROM unit WHERE id > 0 LIMIT 1) t",
        columns.join(", "),
        values.join(", "),
    );
    let mut from = 1;
    while from <= count {
        let to = (from + SLICE - 1).min(count);
        sqlx::query(sqlx::AssertSqlSafe(insert.clone()))
            .bind(from)
            .bind(to)
            .execute(&mut connection)
            .await
            .map_err(failed)?;
        from = to + 1;
    }
    connection
        .execute("PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .map_err(failed)?;
    connection.close().await.map_err(failed)
}

/// Grows the log of one device to `length` events, then has it push in turn with a new one.
pub async fn device_log(fleet: &mut Fleet, length: u32, rounds: usize) -> Result<Flat, LoadError> {
    let length = length as usize;
    progress(&format!("one device pushes {length} events"));
    let mut long = fleet.lend()?;
    let mut held = 0;
    while held < length {
        // Not all at once: texts of a million events would be in memory.
        let part = (length - held).min(20_000);
        (long, _) = turn(fleet, long, part, GROWING).await?;
        held += part;
    }
    let mut flat = Flat {
        small: Series::empty("log of none"),
        large: Series::empty(format!("log of {length}")),
    };
    for round in 0..rounds {
        progress(&format!("round {}: a new device and an old one", round + 1));
        let new = Device::of(fleet.enrol(3_000_000 + round).await?);
        let (new, outcome) = turn(fleet, new, fleet.sizes.turn, BATCH).await?;
        fleet.devices.push(new);
        flat.small.outcomes.push(outcome);
        let outcome;
        (long, outcome) = turn(fleet, long, fleet.sizes.turn, BATCH).await?;
        flat.large.outcomes.push(outcome);
    }
    fleet.devices.push(long);
    Ok(flat)
}

/// One device alone.
async fn turn(
    fleet: &mut Fleet,
    device: Device,
    events: usize,
    batch: usize,
) -> Result<(Device, Outcome), LoadError> {
    let codes = fleet.take_codes(events / Step::LIFE.len()).await?;
    let lane = lane(device, &codes, batch, fleet)?;
    let (target, pid) = (fleet.demo.internal.clone(), fleet.demo.pid());
    let (mut lanes, sent) = send_all(&target, pid, vec![lane], Status::Stored).await?;
    let lane = lanes
        .pop()
        .ok_or_else(|| LoadError::Unusable("a device did not come back".to_owned()))?;
    Ok((lane.device, sent.outcome))
}

fn failed(error: sqlx::Error) -> LoadError {
    LoadError::Unusable(format!("seeding units: {error}"))
}
