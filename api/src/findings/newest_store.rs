//! What the page of a unit and that of an event tell of the findings about them: so many, however many there
//! are. All SQL of that; the list by any other view is in `store`.

use super::{
    store::{COLUMNS, row, said_then, told, visible},
    wire::FindingOut,
};
use crate::{
    db::{query_all, query_one},
    handheld::units::store::{NOW, UnitId},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use suyuan_sync::{finding::FindingCode, fold::Reader, ids::DeviceId};

/// What findings are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A unit, as they were known at a position.
    Unit(UnitId, Position),
    /// An event that a device stated, where it was judged.
    Event(DeviceId, Position),
}

/// How many are told.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of all.
    pub all: u64,
    /// Of those that strangers' events raise (C14), where they are told beside the others: anybody can raise as
    /// many as they like, and must hide nothing by it.
    pub of_strangers: Option<u64>,
}

/// The findings that `who` may see: so many, open ones before closed ones, critical ones before others, and new
/// ones before old ones, told oldest first; and how many more there are.
pub async fn newest(
    conn: &impl ConnectionTrait,
    who: Reader,
    of: Of,
    limits: Limits,
) -> Result<(Vec<FindingOut>, u64), DbErr> {
    let mut which = visible(who);
    let upto = match of {
        Of::Unit(unit, upto) => {
            which.add(
                "f.unit_id = ? AND f.opened <= ?",
                [unit.into(), upto.into()],
            );
            upto
        }
        Of::Event(device, at) => {
            which.add(
                "f.device_id = ? AND f.event_gseq = ?",
                [device.0.into(), at.into()],
            );
            NOW
        }
    };
    let sql = format!("SELECT COUNT(*) AS n FROM finding f WHERE {}", which.sql());
    let counted = query_one(conn, &sql, which.values.clone());
    let all: i64 = match counted.await? {
        Some(row) => row.try_get("", "n")?,
        None => 0,
    };
    let codes = match limits.of_strangers {
        Some(of_strangers) => vec![("f.code <> ?", limits.all), ("f.code = ?", of_strangers)],
        None => vec![("", limits.all)],
    };
    let mut found = Vec::new();
    for (code, limit) in codes {
        let mut which = which.clone();
        if !code.is_empty() {
            which.add(code, [FindingCode::UnexpectedHolder.name().into()]);
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM finding f WHERE {} ORDER BY \
             CASE WHEN f.closed IS NULL OR f.closed > ? THEN 0 ELSE 1 END, f.severity DESC, \
             f.id DESC LIMIT ?",
            which.sql()
        );
        let values = which.values.into_iter();
        let values = values.chain([upto.into(), (limit as i64).into()]);
        for found_row in query_all(conn, &sql, values).await? {
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
