//! The service's log as it lies in its SQLite file, for those who do something with all of it. Reads
//! three tables: `event`, `event_unit` and `unit`.

use std::{collections::BTreeMap, path::Path};

use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use suyuan_sync::ids::{Epoch, Gseq, Micros, Seq};
use uuid::Uuid;

use crate::LoadError;

/// An event as its row has it.
#[derive(Debug, Clone)]
pub struct LogRow {
    /// Its position.
    pub gseq: Gseq,
    /// When it was received.
    pub stamp: Micros,
    /// Whose.
    pub enterprise: Uuid,
    /// Of which device.
    pub device: Uuid,
    /// In which life it is ordered.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
    /// Not before.
    pub lo: Micros,
    /// The device's word.
    pub est: Micros,
    /// Where in the order.
    pub eff: Micros,
    /// What its device knew.
    pub delivered: Gseq,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// The events of the first `units` units that changed since `device` began, by position, and the phase
/// the service keeps of each. (The demo's own units have a story with findings.)
pub async fn read(
    file: &Path,
    units: u32,
    device: Uuid,
) -> Result<(Vec<LogRow>, BTreeMap<String, String>), LoadError> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .map_err(failed)?;
    let since: i64 = sqlx::query_scalar("SELECT MIN(gseq) FROM event WHERE device_id = ?")
        .bind(device.as_bytes().as_slice())
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    let few =
        "WITH few AS (SELECT id, unit_key, phase FROM unit WHERE gseq >= ? ORDER BY id LIMIT ?)";
    let events = format!(
        "{few} SELECT DISTINCT e.gseq, e.stamp, e.enterprise_id, e.device_id, e.order_epoch, e.seq, \
         e.lo, e.est, e.eff, e.delivered, e.body FROM few JOIN event_unit u ON u.unit_id = few.id \
         JOIN event e ON e.gseq = u.gseq WHERE e.counts_from IS NOT NULL ORDER BY e.gseq"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(events))
        .bind(since)
        .bind(units)
        .fetch_all(&mut connection)
        .await
        .map_err(failed)?;
    let rows: Result<Vec<LogRow>, sqlx::Error> = rows
        .iter()
        .map(|row| {
            let id = |name: &str| {
                let bytes: Vec<u8> = row.try_get(name)?;
                Uuid::from_slice(&bytes).map_err(|error| sqlx::Error::Decode(error.into()))
            };
            let number = |name: &str| row.try_get::<i64, _>(name);
            Ok(LogRow {
                gseq: number("gseq")?,
                stamp: number("stamp")?,
                enterprise: id("enterprise_id")?,
                device: id("device_id")?,
                epoch: number("order_epoch")? as Epoch,
                seq: number("seq")? as Seq,
                lo: number("lo")?,
                est: number("est")?,
                eff: number("eff")?,
                delivered: number("delivered")?,
                body: row.try_get("body")?,
            })
        })
        .collect();
    let phases: Vec<(String, String)> =
        sqlx::query_as("SELECT unit_key, phase FROM unit WHERE gseq >= ? ORDER BY id LIMIT ?")
            .bind(since)
            .bind(units)
            .fetch_all(&mut connection)
            .await
            .map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok((rows.map_err(failed)?, phases.into_iter().collect()))
}

fn failed(error: sqlx::Error) -> LoadError {
    LoadError::Unusable(format!("reading the log: {error}"))
}
