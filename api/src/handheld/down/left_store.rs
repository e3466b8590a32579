//! Up to when rows of units show what counts. Acts leave units and events for slices (`units::refold`) and answer at
//! once; until a slice has come by, rows say what they said. It must not know who asks, nor about which units.

use crate::{clock::Micros, db::query_all, handheld::units::refold::Scope, log};
use sea_orm::{ConnectionTrait, DbErr};

/// The unit that was left first.
pub const LEFT: &str = "SELECT left_at FROM unit WHERE left_at > 0 ORDER BY left_at LIMIT 1";

/// The instant up to which rows of units show all that counts, read in the same moment as they are: just before the
/// first of which anything is left, else that of the head.
pub async fn told_until(conn: &impl ConnectionTrait, stamp: Micros) -> Result<Micros, DbErr> {
    let mut left = Vec::new();
    for row in query_all(conn, LEFT, []).await? {
        left.push(row.try_get("", "left_at")?);
    }
    // What has not entered yet names units that are not marked. Of what a newer program left nothing is known.
    for row in query_all(conn, "SELECT scope FROM refold WHERE rank < 0", []).await? {
        let scope: String = row.try_get("", "scope")?;
        if let Ok(Scope::Entered { events, .. }) = serde_json::from_str(&scope) {
            left.extend(events);
        }
    }
    let Some(first) = left.into_iter().min() else {
        return Ok(stamp);
    };
    let instants = log::instants(conn, &[first].into()).await?;
    // No position is without its instant; if one were, nothing would be known to show.
    Ok(instants.get(&first).map_or(0, |at| at.saturating_sub(1)))
}
