//! SQL that writes limits, readings and measures, each by an entry of the log.

use super::{
    ExcursionError,
    rules::{Limits, Quantity, Reading},
    wire::{FiledOut, LimitsWire, MeasureOut, TransportOut, written},
};
use crate::{
    clock::{Micros, rfc3339},
    db::{
        execute, query_one,
        rows::{Rows, by_keys},
    },
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log},
};
use sea_orm::{DatabaseTransaction, DbErr, QueryResult, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Transports of an enterprise.
const TRANSPORTS_MAX: i64 = 100_000;
/// Readings of a transport: one a minute for two weeks.
pub(super) const OF_TRANSPORT_MAX: i64 = 20_000;
/// Measures of a transport.
const MEASURES_MAX: i64 = 1000;

/// A retried request: whose it is and under which key.
pub struct Caller {
    /// Whose transports.
    pub enterprise: Uuid,
    /// For the log.
    pub actor: Actor,
    /// Its key.
    pub key: Option<IdempotencyKey>,
}

/// Puts a waybill on record with its limits; one that is known gets these limits instead.
pub async fn put(
    log: &Log,
    caller: Caller,
    waybill: &str,
    limits: &Limits,
) -> Result<TransportOut, ExcursionError> {
    let enterprise = caller.enterprise;
    let act = match log.begin::<TransportOut>(caller.actor, caller.key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let known = "SELECT id, created_at FROM transport WHERE enterprise_id = ? AND waybill_no = ?";
    let known = one(act.tx(), known, [enterprise.into(), waybill.into()]).await?;
    let (text, now) = (serde_json::to_string(limits)?, act.stamp());
    let (id, created) = if let Some(row) = known {
        let id: Uuid = row.try_get("", "id")?;
        run(
            act.tx(),
            "UPDATE transport SET limits = ?, changed_at = ? WHERE enterprise_id = ? AND id = ?",
            [text.into(), now.into(), enterprise.into(), id.into()],
        )
        .await?;
        (id, row.try_get("", "created_at")?)
    } else {
        let held = "SELECT COUNT(*) AS n FROM transport WHERE enterprise_id = ?";
        if count(act.tx(), held, [enterprise.into()]).await? >= TRANSPORTS_MAX {
            return Err(ExcursionError::field(
                "/waybill_no",
                "too-many",
                "at most 100000 transports of one enterprise",
                "每个企业最多 100000 个运输单",
            ));
        }
        let id = log.clock().new_id();
        run(
            act.tx(),
            "INSERT INTO transport (enterprise_id, id, waybill_no, limits, created_at, changed_at) \
             VALUES (?, ?, ?, ?, ?, ?)",
            [
                enterprise.into(),
                id.into(),
                waybill.into(),
                text.into(),
                now.into(),
                now.into(),
            ],
        )
        .await?;
        (id, now)
    };
    let out = TransportOut {
        id,
        waybill_no: waybill.to_owned(),
        limits: LimitsWire::of(limits),
        created_at: rfc3339(created),
        changed_at: rfc3339(now),
    };
    commit(
        act,
        Kind::TransportChanged,
        (enterprise, format!("transport:{id}")),
        &out,
        &out,
    )
    .await?;
    Ok(out)
}

/// Files what a logger measured. What is known and says the same is known; a logger that says two things of
/// one instant is refused, and so is a series that would be too long: then none of it is filed.
pub async fn file(
    log: &Log,
    caller: Caller,
    transport: Uuid,
    logger: &str,
    readings: &[Reading<String>],
) -> Result<FiledOut, ExcursionError> {
    let enterprise = caller.enterprise;
    let act = match log.begin::<FiledOut>(caller.actor, caller.key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    find(act.tx(), enterprise, transport).await?;
    let known = by_keys(
        act.tx(),
        "SELECT at, temperature, humidity, vibration, place FROM transport_reading \
         WHERE transport_id = ? AND logger = ? AND at IN ({keys})",
        &[transport.into(), logger.into()],
        readings.iter().map(|reading| reading.at.into()).collect(),
    )
    .await?;
    let known: BTreeMap<Micros, Reading<String>> = known
        .iter()
        .map(|row| reading_of(row).map(|reading| (reading.at, reading)))
        .collect::<Result<_, DbErr>>()?;
    if let Some(n) = (readings.iter())
        .position(|reading| known.get(&reading.at).is_some_and(|known| known != reading))
    {
        return Err(ExcursionError::field(
            &format!("/readings/{n}/at"),
            "contradicts",
            "this logger said something else of this instant before",
            "该记录仪在同一时间已报过不同的数值",
        ));
    }
    let new: Vec<&Reading<String>> = (readings.iter())
        .filter(|reading| !known.contains_key(&reading.at))
        .collect();
    let held = "SELECT COUNT(*) AS n FROM transport_reading WHERE transport_id = ?";
    let held = count(act.tx(), held, [transport.into()]).await?;
    if held + new.len() as i64 > OF_TRANSPORT_MAX {
        return Err(ExcursionError::field(
            "/readings",
            "too-many",
            "at most 20000 readings of one transport",
            "每个运输单最多 20000 条测量记录",
        ));
    }
    let mut rows = Rows::of(9);
    for reading in &new {
        let [temperature, humidity, vibration] = reading.values.map(|value| value.map(i64::from));
        rows.add([
            transport.into(),
            logger.into(),
            reading.at.into(),
            enterprise.into(),
            temperature.into(),
            humidity.into(),
            vibration.into(),
            reading.place.clone().unwrap_or_default().into(),
            act.position().into(),
        ]);
    }
    rows.write(
        act.tx(),
        "INSERT INTO transport_reading (transport_id, logger, at, enterprise_id, temperature, \
         humidity, vibration, place, gseq)",
        "",
    )
    .await?;
    let out = FiledOut {
        filed: new.len() as u64,
        known: (readings.len() - new.len()) as u64,
    };
    let times = || new.iter().map(|reading| reading.at);
    let body = serde_json::json!({
        "logger": logger, "filed": out.filed,
        "from": times().min().map(written), "until": times().max().map(written),
    });
    commit(
        act,
        Kind::ReadingsFiled,
        (enterprise, format!("transport:{transport}")),
        &body,
        &out,
    )
    .await?;
    Ok(out)
}

/// What was done about an excursion.
pub struct Measured<'a> {
    /// Of which transport.
    pub transport: Uuid,
    /// Whose series, as it stands in rows.
    pub source: String,
    /// What was out of its limit.
    pub quantity: Quantity,
    /// An instant of it.
    pub at: Micros,
    /// What was done.
    pub measure: &'a str,
    /// Is there an excursion at that instant?
    pub holds: bool,
}

/// Records a measure. A retried request gets the answer of the first, whatever became of the excursion.
pub async fn measure(
    log: &Log,
    caller: Caller,
    new: Measured<'_>,
) -> Result<MeasureOut, ExcursionError> {
    let (enterprise, transport) = (caller.enterprise, new.transport);
    let act = match log.begin::<MeasureOut>(caller.actor, caller.key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    find(act.tx(), enterprise, transport).await?;
    if !new.holds {
        return Err(ExcursionError::field(
            "/at",
            "no-excursion",
            "this series has no excursion of this quantity at this instant: give the `start` of one",
            "该测量序列此时没有该项异常：请填写异常的 start",
        ));
    }
    let held = "SELECT COUNT(*) AS n FROM excursion_measure WHERE transport_id = ?";
    if count(act.tx(), held, [transport.into()]).await? >= MEASURES_MAX {
        return Err(ExcursionError::field(
            "/measure",
            "too-many",
            "at most 1000 measures of one transport",
            "每个运输单最多 1000 条处理措施",
        ));
    }
    let id = log.clock().new_id();
    run(
        act.tx(),
        "INSERT INTO excursion_measure (enterprise_id, id, transport_id, source, quantity, at, measure, \
         recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            enterprise.into(),
            id.into(),
            transport.into(),
            new.source.clone().into(),
            new.quantity.name().into(),
            new.at.into(),
            new.measure.into(),
            act.stamp().into(),
        ],
    )
    .await?;
    let out = MeasureOut {
        id,
        at: written(new.at),
        measure: new.measure.to_owned(),
        recorded_at: rfc3339(act.stamp()),
    };
    let body = serde_json::json!({
        "transport": transport, "source": new.source, "quantity": new.quantity, "at": out.at, "measure": out.measure,
    });
    commit(
        act,
        Kind::ExcursionMeasured,
        (enterprise, format!("excursion_measure:{id}")),
        &body,
        &out,
    )
    .await?;
    Ok(out)
}

/// What a row of `transport_reading` says.
pub(super) fn reading_of(row: &QueryResult) -> Result<Reading<String>, DbErr> {
    let place: String = row.try_get("", "place")?;
    let value = |name: &str| -> Result<Option<i32>, DbErr> {
        let value: Option<i64> = row.try_get("", name)?;
        Ok(value.and_then(|value| i32::try_from(value).ok()))
    };
    Ok(Reading {
        at: row.try_get("", "at")?,
        values: [
            value("temperature")?,
            value("humidity")?,
            value("vibration")?,
        ],
        place: Some(place).filter(|place| !place.is_empty()),
    })
}

async fn find(
    tx: &DatabaseTransaction,
    enterprise: Uuid,
    transport: Uuid,
) -> Result<(), ExcursionError> {
    let sql = "SELECT 1 AS n FROM transport WHERE enterprise_id = ? AND id = ?";
    let found = one(tx, sql, [enterprise.into(), transport.into()]).await?;
    found.map(drop).ok_or(ExcursionError::Unknown)
}

async fn one<const N: usize>(
    tx: &DatabaseTransaction,
    sql: &str,
    values: [Value; N],
) -> Result<Option<QueryResult>, DbErr> {
    query_one(tx, sql, values).await
}

async fn count<const N: usize>(
    tx: &DatabaseTransaction,
    sql: &str,
    values: [Value; N],
) -> Result<i64, DbErr> {
    let row = one(tx, sql, values).await?;
    row.map_or(Ok(0), |row| row.try_get("", "n"))
}

async fn run<const N: usize>(
    tx: &DatabaseTransaction,
    sql: &str,
    values: [Value; N],
) -> Result<(), DbErr> {
    execute(tx, sql, values).await.map(drop)
}

async fn commit<T: serde::Serialize>(
    act: Act,
    kind: Kind,
    (enterprise, subject): (Uuid, String),
    body: &(dyn crate::log::erased::Body + Sync),
    answer: &T,
) -> Result<(), ExcursionError> {
    let entry = Entry {
        kind,
        enterprise: Some(enterprise),
        subject,
        body,
    };
    Ok(act.commit(entry, answer).await?)
}
