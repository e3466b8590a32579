//! Complete counts (盘点) by their place, without the units they name: what folds need of those that
//! do not name a unit.

use crate::{
    clock::Micros,
    db::rows::Rows,
    handheld::units::facts::{FRAME, Reader},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::{Event, Reads},
    facts::Fact,
};
use uuid::Uuid;

/// The complete counts at these places, at each from an instant of the order on, of those that count as of a
/// position.
pub async fn sweeps(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    places: &BTreeMap<Uuid, Micros>,
    upto: Position,
) -> Result<BTreeMap<Position, Arc<Fact>>, DbErr> {
    let sql = format!(
        "SELECT {FRAME}, s.said AS body FROM ({{rows}}) AS k CROSS JOIN sweep s CROSS JOIN event e \
         WHERE s.location_id = k.column1 AND s.eff >= k.column2 AND e.gseq = s.gseq \
         AND e.counts_from <= ?"
    );
    let mut sweeps = BTreeMap::new();
    for row in by_place(places).join(conn, &sql, &[upto.into()]).await? {
        let fact = reader.digest(&row)?.filter(|fact| is_sweep(fact));
        sweeps.extend(fact.map(|fact| (fact.gseq, fact)));
    }
    Ok(sweeps)
}

/// At which of these places there are more complete counts than so many from an instant of the order on.
pub async fn more_sweeps(
    conn: &impl ConnectionTrait,
    places: &BTreeMap<Uuid, Micros>,
    most: usize,
) -> Result<BTreeSet<Uuid>, DbErr> {
    let sql = "SELECT k.column1 AS place FROM ({rows}) AS k WHERE (SELECT 1 FROM sweep s \
               WHERE s.location_id = k.column1 AND s.eff >= k.column2 ORDER BY s.eff LIMIT 1 OFFSET ?) \
               IS NOT NULL";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let found = by_place(places).join(conn, sql, &[most.into()]).await?;
    found.iter().map(|row| row.try_get("", "place")).collect()
}

fn by_place(places: &BTreeMap<Uuid, Micros>) -> Rows {
    let mut rows = Rows::of(2);
    for (place, from) in places {
        rows.add([(*place).into(), (*from).into()]);
    }
    rows
}

/// Writes complete counts that came to count, or moved in the order.
pub async fn write_sweeps(
    conn: &impl ConnectionTrait,
    new: &[Arc<Fact>],
    moved: &[Arc<Fact>],
) -> Result<(), DbErr> {
    let mut rows = Rows::of(2);
    for fact in moved.iter().filter(|fact| is_sweep(fact)) {
        rows.add([fact.gseq.into(), fact.order.eff.into()]);
    }
    let sql = "UPDATE sweep SET eff = moved.column2 FROM ({rows}) AS moved WHERE sweep.gseq = moved.column1";
    rows.join(conn, sql, &[]).await?;
    let mut rows = Rows::of(4);
    for fact in new.iter().filter(|fact| is_sweep(fact)) {
        rows.add([
            fact.event.location.0.into(),
            fact.order.eff.into(),
            fact.gseq.into(),
            said(&fact.event).into_bytes().into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO sweep (location_id, eff, gseq, said)",
        "ON CONFLICT (location_id, eff, gseq) DO NOTHING",
    )
    .await?;
    Ok(())
}

/// Does a count say what it meant to see all of?
pub fn is_sweep(fact: &Fact) -> bool {
    is_complete_count(&fact.event)
}

/// Is this event a count that says so?
pub fn is_complete_count(event: &Event) -> bool {
    event.kind == suyuan_sync::event::Kind::Count && event.body.contains_key("scope")
}

fn said(event: &Event) -> String {
    let digest = Event {
        units: Reads::default(),
        ..event.clone()
    };
    digest.write()
}
