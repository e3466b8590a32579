//! SQL that reads transports with all that was measured on them: what loggers filed, and what devices' inbound
//! and outbound events say that name the waybill as their document. Events count while they are in the state
//! and are not struck, as the fold has it (C10).

use super::{
    ExcursionError,
    rules::{Limits, Quantity, Reading},
    store::{OF_TRANSPORT_MAX, reading_of},
    wire::{LimitsWire, Place, TransportOut},
};
use crate::{
    clock::{Micros, rfc3339},
    db::{query_all, query_one},
    handheld::units::{
        facts::eff_there,
        store::{Asked, struck},
    },
    http::page::Paging,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::{collections::BTreeMap, fmt};
use uuid::Uuid;

/// A transport on record.
pub struct Transport {
    /// Id.
    pub id: Uuid,
    /// The number of its waybill.
    pub waybill_no: String,
    /// What holds.
    pub limits: Limits,
    created_at: Micros,
    changed_at: Micros,
}

impl From<Transport> for TransportOut {
    fn from(transport: Transport) -> TransportOut {
        TransportOut {
            id: transport.id,
            waybill_no: transport.waybill_no,
            limits: LimitsWire::of(&transport.limits),
            created_at: rfc3339(transport.created_at),
            changed_at: rfc3339(transport.changed_at),
        }
    }
}

/// Whose series it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A logger's, by name.
    Logger(String),
    /// A device's, by what its events say.
    Device(Uuid),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Logger(name) => write!(f, "logger:{name}"),
            Source::Device(id) => write!(f, "device:{id}"),
        }
    }
}

/// A measure on record.
pub struct Measure {
    /// Id.
    pub id: Uuid,
    /// Whose series, as [`Source`] is written.
    pub source: String,
    /// What was out of its limit.
    pub quantity: Quantity,
    /// An instant of the excursion.
    pub at: Micros,
    /// What was done.
    pub measure: String,
    /// When that was recorded.
    pub recorded_at: Micros,
}

/// Transports of an enterprise, of one waybill if given.
pub async fn transports(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    waybill: Option<&str>,
    from: Paging,
    including: bool,
) -> Result<Vec<Transport>, ExcursionError> {
    let mut sql = "SELECT id, waybill_no, limits, created_at, changed_at FROM transport \
                   WHERE enterprise_id = ?"
        .to_owned();
    let mut values: Vec<Value> = vec![enterprise.into(), from.after.into()];
    sql.push_str(if including {
        " AND id >= ?"
    } else {
        " AND id > ?"
    });
    if let Some(waybill) = waybill {
        sql.push_str(" AND waybill_no = ?");
        values.push(waybill.into());
    }
    sql.push_str(" ORDER BY id LIMIT ?");
    values.push((from.limit as i64).into());
    let rows = query_all(conn, &sql, values).await?;
    rows.iter().map(transport_of).collect()
}

/// One transport of an enterprise.
pub async fn transport(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
) -> Result<Transport, ExcursionError> {
    let row = query_one(
        conn,
        "SELECT id, waybill_no, limits, created_at, changed_at FROM transport \
         WHERE enterprise_id = ? AND id = ?",
        [enterprise.into(), id.into()],
    )
    .await?;
    transport_of(&row.ok_or(ExcursionError::Unknown)?)
}

fn transport_of(row: &QueryResult) -> Result<Transport, ExcursionError> {
    let limits: String = row.try_get("", "limits")?;
    Ok(Transport {
        id: row.try_get("", "id")?,
        waybill_no: row.try_get("", "waybill_no")?,
        limits: serde_json::from_str(&limits)?,
        created_at: row.try_get("", "created_at")?,
        changed_at: row.try_get("", "changed_at")?,
    })
}

/// All series of a transport. Of what devices say the newest 20 000 count.
pub async fn series(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    transport: &Transport,
) -> Result<BTreeMap<Source, Vec<Reading<Place>>>, ExcursionError> {
    let mut all: BTreeMap<Source, Vec<Reading<Place>>> = BTreeMap::new();
    for row in query_all(
        conn,
        "SELECT logger, at, temperature, humidity, vibration, place FROM transport_reading \
         WHERE transport_id = ? AND enterprise_id = ? ORDER BY logger, at",
        [transport.id.into(), enterprise.into()],
    )
    .await?
    {
        let Reading { at, values, place } = reading_of(&row)?;
        let place = place.map(Place::Name);
        let logger = Source::Logger(row.try_get("", "logger")?);
        all.entry(logger)
            .or_default()
            .push(Reading { at, values, place });
    }
    let mut stated = query_all(
        conn,
        "SELECT v.gseq, v.temperature, v.humidity, e.event_id, e.group_id, e.device_id, \
         e.location_id, e.eff, e.corrects \
         FROM event_environment v JOIN event e ON e.gseq = v.gseq \
         WHERE v.enterprise_id = ? AND v.document = ? AND e.counts_from IS NOT NULL \
         ORDER BY v.gseq DESC LIMIT ?",
        [
            enterprise.into(),
            transport.waybill_no.as_str().into(),
            OF_TRANSPORT_MAX.into(),
        ],
    )
    .await?;
    let mut asked = Vec::new();
    for row in &stated {
        // What claims no id is no target, and of no group that was admitted.
        if let Some(id) = row.try_get("", "event_id")? {
            asked.push(Asked {
                gseq: row.try_get("", "gseq")?,
                id,
                group: row.try_get("", "group_id")?,
            });
        }
    }
    let struck = struck(conn, enterprise, &asked).await?;
    // Of one instant in the order of the log.
    stated.reverse();
    for row in &stated {
        let gseq: i64 = row.try_get("", "gseq")?;
        if struck.contains(&gseq) {
            continue;
        }
        let value = |name: &str| -> Result<Option<i32>, DbErr> {
            let value: Option<i64> = row.try_get("", name)?;
            Ok(value.and_then(|value| i32::try_from(value).ok()))
        };
        let place: Option<Uuid> = row.try_get("", "location_id")?;
        let reading = Reading {
            // What corrects a reading says what it was then (C10).
            at: eff_there(row)?,
            values: [value("temperature")?, value("humidity")?, None],
            place: place.map(Place::LocationId),
        };
        let device = Source::Device(row.try_get("", "device_id")?);
        all.entry(device).or_default().push(reading);
    }
    Ok(all)
}

/// Measures of transports, oldest first.
pub async fn measures(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    transport: Uuid,
) -> Result<Vec<Measure>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT id, source, quantity, at, measure, recorded_at FROM excursion_measure \
         WHERE transport_id = ? AND enterprise_id = ? ORDER BY id",
        [transport.into(), enterprise.into()],
    )
    .await?;
    let measures = rows.iter().map(|row| {
        let quantity: String = row.try_get("", "quantity")?;
        Ok(Measure {
            id: row.try_get("", "id")?,
            source: row.try_get("", "source")?,
            quantity: Quantity::of_name(&quantity)
                .ok_or_else(|| DbErr::Type("excursion_measure.quantity".into()))?,
            at: row.try_get("", "at")?,
            measure: row.try_get("", "measure")?,
            recorded_at: row.try_get("", "recorded_at")?,
        })
    });
    measures.collect()
}
