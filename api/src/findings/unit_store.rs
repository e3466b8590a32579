//! What a unit's own page tells of the findings about it: so many, however many there are. All SQL of
//! that; the list by any other view is in `store`.

use super::{
    store::{COLUMNS, row, said_then, told},
    wire::FindingOut,
};
use crate::{
    db::statement,
    handheld::units::store::{NOW, UnitId},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, Value};
use suyuan_sync::{finding::FindingCode, fold::Reader, ids::EnterpriseId};

/// The findings about a unit that `who` may see, as they were known at a position: so many, open ones
/// before closed ones, critical ones before others, and new ones before old ones, told oldest first; and
/// how many more there are. Of those that strangers' events raise (C14) the second number is told beside
/// the others: anybody can raise as many as they like, and must hide nothing by it.
pub async fn newest_of_unit(
    conn: &impl ConnectionTrait,
    who: Reader,
    unit: UnitId,
    upto: Position,
    (limit, of_strangers): (u64, u64),
) -> Result<(Vec<FindingOut>, u64), DbErr> {
    let mut values: Vec<Value> = vec![unit.into(), upto.into()];
    let seen = match who {
        Reader::All => "",
        Reader::Enterprise(EnterpriseId(me)) => {
            values.extend([me.into(), me.into()]);
            " AND (f.enterprise_id = ? OR f.issuer = ?)"
        }
    };
    let which = format!("FROM finding f WHERE f.unit_id = ? AND f.opened <= ?{seen}");
    let backend = conn.get_database_backend();
    let sql = format!("SELECT COUNT(*) AS n {which}");
    let counted = conn.query_one_raw(statement(backend, &sql, values.clone()));
    let all: i64 = match counted.await? {
        Some(row) => row.try_get("", "n")?,
        None => 0,
    };
    let mut found = Vec::new();
    for (is, limit) in [("<>", limit), ("=", of_strangers)] {
        let sql = format!(
            "SELECT {COLUMNS} {which} AND f.code {is} ? ORDER BY \
             CASE WHEN f.closed IS NULL OR f.closed > ? THEN 0 ELSE 1 END, f.severity DESC, \
             f.id DESC LIMIT ?"
        );
        let mut values = values.clone();
        values.push(FindingCode::UnexpectedHolder.name().into());
        values.extend([upto.into(), (limit as i64).into()]);
        for found_row in conn.query_all_raw(statement(backend, &sql, values)).await? {
            let mut row = row(&found_row)?;
            row.closed = row.closed.filter(|(closed, _)| *closed <= upto);
            found.push(row);
        }
    }
    found.sort_by_key(|row| row.id);
    if upto != NOW {
        said_then(conn, &mut found, upto).await?;
    }
    let more = (all as u64).saturating_sub(found.len() as u64);
    Ok((told(conn, who, found).await?, more))
}
