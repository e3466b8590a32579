//! What was found where an event was judged, so many of it at most, as the page of an event tells it. All SQL of
//! that; the list by any other view is in `store`.

use super::{
    store::{COLUMNS, row, told},
    wire::FindingOut,
};
use crate::{db::statement, log::Position};
use sea_orm::{ConnectionTrait, DbErr, Value};
use suyuan_sync::{
    fold::Reader,
    ids::{DeviceId, EnterpriseId},
};

/// The findings of a judged event that `who` may see, so many: open ones before closed ones, critical ones
/// before others, and new ones before old ones, told oldest first; and how many more there are.
pub async fn newest_of_event(
    conn: &impl ConnectionTrait,
    who: Reader,
    (device, event): (DeviceId, Position),
    limit: u64,
) -> Result<(Vec<FindingOut>, u64), DbErr> {
    let mut values: Vec<Value> = vec![device.0.into(), event.into()];
    let seen = match who {
        Reader::All => "",
        Reader::Enterprise(EnterpriseId(me)) => {
            values.extend([me.into(), me.into()]);
            " AND (f.enterprise_id = ? OR (f.issuer = ? AND f.line_id IS NULL))"
        }
    };
    let which = format!("FROM finding f WHERE f.device_id = ? AND f.event_gseq = ?{seen}");
    let backend = conn.get_database_backend();
    let sql = format!("SELECT COUNT(*) AS n {which}");
    let counted = conn.query_one_raw(statement(backend, &sql, values.clone()));
    let all: i64 = match counted.await? {
        Some(row) => row.try_get("", "n")?,
        None => 0,
    };
    let sql = format!(
        "SELECT {COLUMNS} {which} ORDER BY CASE WHEN f.closed IS NULL THEN 0 ELSE 1 END, \
         f.severity DESC, f.id DESC LIMIT ?"
    );
    values.push((limit as i64).into());
    let rows = conn.query_all_raw(statement(backend, &sql, values)).await?;
    let found: Result<Vec<_>, DbErr> = rows.iter().map(row).collect();
    let mut found = found?;
    found.sort_by_key(|row| row.id);
    let more = (all as u64).saturating_sub(found.len() as u64);
    Ok((told(conn, who, found).await?, more))
}
