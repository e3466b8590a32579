//! SQL about the log that pulls follow: its head, and which positions are of a device's concern.

use crate::{clock::Micros, db::statement, log::Position};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
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
     OR u.inside IS NOT NULL OR (u.place IS NULL AND u.phase = 'in_transit' AND u.state LIKE ?) \
     OR EXISTS (SELECT 1 FROM told_unit t WHERE t.location_id = ? AND t.unit_id = u.id))";
const MASTER_DATA: &str = "FROM log_entry WHERE gseq > ? AND gseq <= ? \
     AND kind IN ('master_data_changed', 'published') \
     AND (enterprise_id = ? OR subject LIKE 'product:%' OR enterprise_id IN \
     (SELECT partner_id FROM known_partner WHERE location_id = ?))";
const LEGS: &str = "FROM event WHERE gseq > ? AND gseq <= ? AND location_id = ? \
     AND enterprise_id = ? AND kind IN ('inbound', 'outbound') AND counts_from IS NOT NULL";

impl Window {
    /// The values of [`UNITS`].
    pub fn of_units(&self) -> [Value; 5] {
        let place = self.location;
        [
            self.after.into(),
            self.upto.into(),
            place.into(),
            format!("%\"to_enterprise\":\"{}\"%", self.enterprise).into(),
            place.into(),
        ]
    }

    fn of_master_data(&self) -> [Value; 4] {
        [
            self.after.into(),
            self.upto.into(),
            self.enterprise.into(),
            self.location.into(),
        ]
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
