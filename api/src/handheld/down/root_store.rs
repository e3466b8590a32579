//! Which units changed for a place in a window, by number: all SQL of it. Each question goes by an index
//! from the place, so that a pull pays for what happened there and not for what others have.
//!
//! Units that are at the place, or on their way to its enterprise, are found by where they are. Those
//! that were told and may be gone are found by what was told (`told_unit`), which is brought up to the
//! log by `follow_store`; above the position that it came to, the log is short and is read itself.
//! What shares the life of a container is not found here but below it.

use super::store::Window;
use crate::{db::query_all, handheld::units::store::UnitId, log::Position};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Value};
use std::collections::BTreeSet;

/// At the place, or going there by name.
pub const HERE: &str = "FROM unit u WHERE u.place = ? AND u.place IS NOT NULL \
     AND u.gseq > ? AND u.gseq <= ? AND u.phase NOT IN ('sold', 'destroyed')";
/// Ended at the place.
pub const ENDED: &str = "FROM unit u WHERE u.place = ? AND u.place IS NOT NULL \
     AND u.gseq > ? AND u.gseq <= ? AND u.phase IN ('sold', 'destroyed')";
/// Told of, wherever it is now.
pub const TOLD: &str = "FROM told_unit t JOIN unit u ON u.id = t.unit_id \
     WHERE t.location_id = ? AND t.gseq > ? AND t.gseq <= ? AND u.gseq = t.gseq";
/// Told of by an older program, which does not say when it changed.
pub const TOLD_SOMETIME: &str = "FROM told_unit t JOIN unit u ON u.id = t.unit_id \
     WHERE t.location_id = ? AND t.gseq = 0 AND u.gseq > ? AND u.gseq <= ?";
/// Told of, among what changed last in the whole log.
pub const TOLD_LATELY: &str = "FROM unit u WHERE u.gseq > ? AND u.gseq <= ? \
     AND EXISTS (SELECT 1 FROM told_unit t WHERE t.location_id = ? AND t.unit_id = u.id)";

/// On its way to an enterprise, to no place by name.
pub fn bound_for(backend: DbBackend) -> String {
    let to = match backend {
        DbBackend::Postgres => "(u.state::jsonb #>> '{state,place,between,to_enterprise}')",
        _ => "json_extract(u.state, '$.state.place.between.to_enterprise')",
    };
    format!(
        "FROM unit u WHERE {to} = ? AND u.gseq > ? AND u.gseq <= ? \
         AND u.place IS NULL AND u.phase IN ('in_transit', 'returned', 'collected')"
    )
}

/// Values of a source: of a window, up to a position, and up to where what was told knows when it changed.
type Values = fn(&Window, Position, Position) -> [Value; 3];

/// Units that changed for a place, by position and number: the first `most` of them.
pub async fn roots(
    conn: &impl ConnectionTrait,
    window: &Window,
    most: i64,
) -> Result<Vec<(Position, UnitId)>, DbErr> {
    let followed = followed(conn).await?;
    let bound = bound_for(conn.get_database_backend());
    let sources: [(&str, Values); 6] = [
        (HERE, |w, upto, _| {
            [w.location.into(), w.after.into(), upto.into()]
        }),
        (ENDED, |w, upto, _| {
            [w.location.into(), w.after.max(w.ended).into(), upto.into()]
        }),
        (&bound, |w, upto, _| {
            [w.enterprise.to_string().into(), w.after.into(), upto.into()]
        }),
        (TOLD, |w, upto, followed| {
            [w.location.into(), w.after.into(), upto.min(followed).into()]
        }),
        (TOLD_SOMETIME, |w, upto, _| {
            [w.location.into(), w.after.into(), upto.into()]
        }),
        (TOLD_LATELY, |w, upto, followed| {
            [w.after.max(followed).into(), upto.into(), w.location.into()]
        }),
    ];
    let mut found: BTreeSet<(Position, UnitId)> = BTreeSet::new();
    let fitting = usize::try_from(most).unwrap_or(usize::MAX);
    // What is behind the last that fits is not looked for any more.
    let mut upto = window.upto;
    for (from, values) in sources {
        let sql = format!("SELECT u.gseq, u.id {from} ORDER BY u.gseq LIMIT ?");
        let values = values(window, upto, followed);
        let values = values.into_iter().chain([Value::from(most)]);
        for row in query_all(conn, &sql, values).await? {
            found.insert((row.try_get("", "gseq")?, row.try_get("", "id")?));
        }
        let last = fitting
            .checked_sub(1)
            .and_then(|last| found.iter().nth(last));
        upto = last.map_or(upto, |(gseq, _)| upto.min(*gseq));
    }
    Ok(found.into_iter().take(fitting).collect())
}

/// The position up to which what was told knows when it changed.
async fn followed(conn: &impl ConnectionTrait) -> Result<Position, DbErr> {
    let found = query_all(conn, "SELECT gseq FROM told_follow WHERE id = 1", []).await?;
    let row = found.first();
    row.map_or(Ok(0), |row| row.try_get("", "gseq"))
}
