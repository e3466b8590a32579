//! SQL about the log that pulls follow: its head, and which positions are of a device's concern.

use crate::{clock::Micros, db::statement, log::Position};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::BTreeSet;
use suyuan_sync::{
    ids::{BatchId, RecallId},
    wire::RecalledBatch,
};
use uuid::Uuid;

/// Whose scope, and between which positions.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The enterprise.
    pub enterprise: Uuid,
    /// The place.
    pub location: Uuid,
    /// The device.
    pub device: Uuid,
    /// Above this position.
    pub after: Position,
    /// At or below this one.
    pub upto: Position,
}

/// What units of a place's concern changed; also used with columns.
pub const UNITS: &str = "FROM unit u WHERE u.gseq > ? AND u.gseq <= ? AND (u.place = ? \
     OR u.inside IS NOT NULL OR EXISTS (SELECT 1 FROM told_unit t WHERE t.location_id = ? \
     AND t.unit_id = u.id))";
const MASTER_DATA: &str = "FROM log_entry WHERE gseq > ? AND gseq <= ? \
     AND kind IN ('master_data_changed', 'published') \
     AND (enterprise_id = ? OR subject LIKE 'product:%')";
const LEGS: &str = "FROM event WHERE gseq > ? AND gseq <= ? AND location_id = ? \
     AND enterprise_id = ? AND kind IN ('inbound', 'outbound') AND counts_from IS NOT NULL";

impl Window {
    /// The values of [`UNITS`].
    pub fn of_units(&self) -> [Value; 4] {
        let place = self.location;
        [
            self.after.into(),
            self.upto.into(),
            place.into(),
            place.into(),
        ]
    }

    fn of_master_data(&self) -> [Value; 3] {
        [self.after.into(), self.upto.into(), self.enterprise.into()]
    }

    fn of_legs(&self) -> [Value; 4] {
        let (place, enterprise) = (self.location, self.enterprise);
        [
            self.after.into(),
            self.upto.into(),
            place.into(),
            enterprise.into(),
        ]
    }
}

/// Rows of a statement.
pub async fn rows(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    let query = statement(conn.get_database_backend(), sql, values);
    conn.query_all_raw(query).await
}

/// The newest position and its instant.
pub async fn head(conn: &impl ConnectionTrait) -> Result<(Position, Micros), DbErr> {
    let found = rows(conn, "SELECT gseq, stamp FROM log_head WHERE id = 1", []).await?;
    let row = found.first();
    let row = row.ok_or_else(|| DbErr::RecordNotFound("log_head".into()))?;
    Ok((row.try_get("", "gseq")?, row.try_get("", "stamp")?))
}

/// The position a page that begins at the window's may end with, so that it has about so many
/// items of each sort and no position is cut.
pub async fn bound(
    conn: &impl ConnectionTrait,
    window: &Window,
    limit: i64,
) -> Result<Position, DbErr> {
    let (device, after, upto) = (window.device, window.after, window.upto);
    let verdicts = "FROM (SELECT opened AS gseq FROM finding WHERE device_id = ? AND opened > ? \
         AND opened <= ? UNION ALL SELECT closed AS gseq FROM finding WHERE device_id = ? \
         AND closed > ? AND closed <= ?) changes";
    let of_verdicts: [Value; 6] = [
        device.into(),
        after.into(),
        upto.into(),
        device.into(),
        after.into(),
        upto.into(),
    ];
    let sources: [(&str, Vec<Value>); 4] = [
        (UNITS, window.of_units().to_vec()),
        (MASTER_DATA, window.of_master_data().to_vec()),
        (LEGS, window.of_legs().to_vec()),
        (verdicts, of_verdicts.to_vec()),
    ];
    let mut bound = upto;
    for (from, mut values) in sources {
        values.push((limit + 1).into());
        let sql = format!("SELECT gseq {from} ORDER BY gseq LIMIT ?");
        let mut positions = Vec::new();
        for row in rows(conn, &sql, values).await? {
            positions.push(row.try_get::<Position>("", "gseq")?);
        }
        bound = bound.min(whole(&positions, limit as usize).unwrap_or(upto));
    }
    Ok(bound)
}

/// Where to end when there are more than `limit` of these: before the first that is left out, unless
/// that would leave nothing.
fn whole(positions: &[Position], limit: usize) -> Option<Position> {
    let (first, over) = (positions.first()?, positions.get(limit)?);
    Some(if first == over { *over } else { over - 1 })
}

/// What master data changed: position, whose, and the kind and id of it.
pub async fn master_data(
    conn: &impl ConnectionTrait,
    window: &Window,
) -> Result<Vec<(Position, Option<Uuid>, String, Uuid)>, DbErr> {
    let sql = format!("SELECT gseq, enterprise_id, subject {MASTER_DATA} ORDER BY gseq");
    let mut found = Vec::new();
    for row in rows(conn, &sql, window.of_master_data()).await? {
        let subject: String = row.try_get("", "subject")?;
        let named = subject.split_once(':');
        let Some((kind, Ok(id))) = named.map(|(kind, id)| (kind, id.parse::<Uuid>())) else {
            continue;
        };
        let whose: Option<Uuid> = row.try_get("", "enterprise_id")?;
        found.push((row.try_get("", "gseq")?, whose, kind.to_owned(), id));
    }
    Ok(found)
}

/// What came in and went out at the place: the events' texts.
pub async fn legs(
    conn: &impl ConnectionTrait,
    window: &Window,
) -> Result<Vec<(Position, Vec<u8>)>, DbErr> {
    let sql = format!("SELECT gseq, body {LEGS} ORDER BY gseq");
    let found = rows(conn, &sql, window.of_legs()).await?;
    found
        .iter()
        .map(|row| Ok((row.try_get("", "gseq")?, row.try_get("", "body")?)))
        .collect()
}

/// Products of others that are or were at places of this enterprise.
pub async fn handled(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
) -> Result<BTreeSet<Uuid>, DbErr> {
    let found = rows(
        conn,
        "SELECT DISTINCT product_id FROM unit WHERE product_id IS NOT NULL \
         AND place IN (SELECT id FROM location WHERE enterprise_id = ?)",
        [enterprise.into()],
    )
    .await?;
    found
        .iter()
        .map(|row| row.try_get("", "product_id"))
        .collect()
}

/// Batches that are recalled now, whoever's: each with its product and whose it is. The code the
/// product has on its own stands where items carry a GTIN.
pub async fn open_recalls(
    conn: &impl ConnectionTrait,
) -> Result<Vec<(RecalledBatch, Uuid, Uuid)>, DbErr> {
    let found = rows(
        conn,
        "SELECT rb.recall_id, rb.batch_id, b.product_id, b.lot, b.enterprise_id, p.code \
         FROM recall r JOIN recall_batch rb ON rb.enterprise_id = r.enterprise_id \
         AND rb.recall_id = r.id JOIN batch b ON b.id = rb.batch_id \
         JOIN product p ON p.id = b.product_id WHERE r.closed_at IS NULL",
        [],
    )
    .await?;
    let mut open = Vec::new();
    for row in found {
        let batch = RecalledBatch {
            recall: RecallId(row.try_get("", "recall_id")?),
            batch: BatchId(row.try_get("", "batch_id")?),
            gtin: row.try_get("", "code")?,
            lot: row.try_get("", "lot")?,
        };
        let product = row.try_get("", "product_id")?;
        open.push((batch, product, row.try_get("", "enterprise_id")?));
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn a_page_ends_where_a_position_ends() {
        assert_eq!(whole(&[], 2), None);
        assert_eq!(whole(&[3, 4], 2), None);
        assert_eq!(whole(&[3, 4, 5], 2), Some(4));
        // The position that is too much comes whole with the next page…
        assert_eq!(whole(&[3, 5, 5], 2), Some(4));
        // …and where there is no other, with this one.
        assert_eq!(whole(&[5, 5, 5], 2), Some(5));
    }
}
