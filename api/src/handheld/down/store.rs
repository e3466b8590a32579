//! SQL about what pulls follow in the log: master data, and papers of the device's place.
//!
//! Each question goes by an index from whose it is (place, partner, product) and by position, so that
//! what others do costs a pull nothing.

use crate::{
    db::{query_all, rows::by_keys},
    log::Position,
};
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
    /// Units that ended at or below this one are left out.
    pub ended: Position,
}

/// Papers of a place, by when they came to count: what was aside and is admitted later comes then.
pub const LEGS: &str = "FROM event WHERE location_id = ? AND counts_from > ? AND counts_from <= ? \
     AND enterprise_id = ? AND kind IN ('inbound', 'outbound') AND counts_from IS NOT NULL";

/// The position a page may end with, so that it has about so many of these and no position is cut:
/// before the first that is left out, unless that would leave nothing. None if all fit.
pub fn whole(positions: &[Position], limit: usize) -> Option<Position> {
    let (first, over) = (positions.first()?, positions.get(limit)?);
    Some(if first == over { *over } else { over - 1 })
}

/// A change of master data.
#[derive(Debug, Clone)]
pub struct Changed {
    /// When.
    pub gseq: Position,
    /// Of what.
    pub of: Master,
}

/// What master data is of, as devices are told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Master {
    /// A product.
    Product(Uuid),
    /// An enterprise or a place of it.
    Enterprise(Uuid),
}

const CHANGES: &str = "kind IN ('master_data_changed', 'published')";
/// Of what devices are told. Batches and files are among the changes as well, and whatever is left out has to be
/// before rows are counted: a page ends with the last of so many.
const TOLD: &str =
    "(subject LIKE 'product:%' OR subject LIKE 'enterprise:%' OR subject LIKE 'location:%')";

/// What changed of the enterprise's own products and places, of its partners, and of what else of others the
/// place follows, by subject ([`super::told_store::followed`]); by position, `most` of each sort.
pub async fn master_data(
    conn: &impl ConnectionTrait,
    window: &Window,
    followed: &[String],
    most: i64,
) -> Result<Vec<Changed>, DbErr> {
    let between = || [Value::from(window.after), window.upto.into(), most.into()];
    let own = format!(
        "SELECT gseq, enterprise_id, subject FROM log_entry WHERE enterprise_id = ? \
         AND gseq > ? AND gseq <= ? AND {CHANGES} AND {TOLD} ORDER BY gseq LIMIT ?"
    );
    let own = query_all(
        conn,
        &own,
        std::iter::once(Value::from(window.enterprise)).chain(between()),
    )
    .await?;
    let partners = format!(
        "SELECT e.gseq, e.enterprise_id, e.subject FROM known_partner k \
         JOIN log_entry e ON e.enterprise_id = k.partner_id WHERE k.location_id = ? \
         AND e.gseq > ? AND e.gseq <= ? AND e.{CHANGES} \
         AND (e.subject LIKE 'enterprise:%' OR e.subject LIKE 'location:%') ORDER BY e.gseq LIMIT ?"
    );
    let partners = query_all(
        conn,
        &partners,
        std::iter::once(Value::from(window.location)).chain(between()),
    )
    .await?;
    let others = by_keys(
        conn,
        &format!(
            "SELECT DISTINCT gseq, enterprise_id, subject FROM log_entry WHERE gseq > ? \
             AND gseq <= ? AND {CHANGES} AND subject IN ({{keys}})"
        ),
        &[window.after.into(), window.upto.into()],
        followed
            .iter()
            .map(|subject| subject.as_str().into())
            .collect(),
    )
    .await?;
    let mut changes = Vec::new();
    for row in own.iter().chain(&partners).chain(&others) {
        let subject: String = row.try_get("", "subject")?;
        let whose: Option<Uuid> = row.try_get("", "enterprise_id")?;
        let of = match (subject.split_once(':'), whose) {
            (Some(("product", id)), _) => id.parse().ok().map(Master::Product),
            (Some(("enterprise" | "location", _)), Some(whose)) => Some(Master::Enterprise(whose)),
            _ => None,
        };
        let gseq = row.try_get("", "gseq")?;
        changes.extend(of.map(|of| Changed { gseq, of }));
    }
    changes.sort_by_key(|change| change.gseq);
    Ok(changes)
}

/// A paper of the place: something came in or went out.
#[derive(Debug, Clone, Copy)]
pub struct Paper {
    /// When it came to count.
    pub at: Position,
    /// How long its text is.
    pub bytes: usize,
}

/// When something came in or went out at the place: the first `most`.
pub async fn papers(
    conn: &impl ConnectionTrait,
    window: &Window,
    most: i64,
) -> Result<Vec<Paper>, DbErr> {
    let sql = format!(
        "SELECT counts_from, CAST(LENGTH(body) AS BIGINT) AS bytes {LEGS} \
         ORDER BY counts_from LIMIT ?"
    );
    let values = leg_values(window, (window.after, window.upto));
    let found = query_all(conn, &sql, values.into_iter().chain([most.into()])).await?;
    let paper = |row: &QueryResult| {
        let bytes: i64 = row.try_get("", "bytes")?;
        Ok(Paper {
            at: row.try_get("", "counts_from")?,
            bytes: usize::try_from(bytes).unwrap_or_default(),
        })
    };
    found.iter().map(paper).collect()
}

/// What came in and went out there at these positions, which are in order: the events' texts.
pub async fn legs(
    conn: &impl ConnectionTrait,
    window: &Window,
    at: &[Paper],
) -> Result<Vec<(Position, Vec<u8>)>, DbErr> {
    let (Some(first), Some(last)) = (at.first(), at.last()) else {
        return Ok(Vec::new());
    };
    let sql = format!("SELECT counts_from, body {LEGS} ORDER BY counts_from");
    let found = query_all(conn, &sql, leg_values(window, (first.at - 1, last.at))).await?;
    found
        .iter()
        .map(|row| Ok((row.try_get("", "counts_from")?, row.try_get("", "body")?)))
        .collect()
}

fn leg_values(window: &Window, (after, upto): (Position, Position)) -> [Value; 4] {
    [
        window.location.into(),
        after.into(),
        upto.into(),
        window.enterprise.into(),
    ]
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
