//! Complete counts (盘点) by their place, without the units they name: what folds need of those that
//! do not name a unit.

use crate::{
    clock::Micros,
    db::{rows::Rows, statement},
    handheld::units::facts::{FRAME, Reader},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::sync::Arc;
use suyuan_sync::{
    event::{Event, Reads},
    facts::Fact,
};
use uuid::Uuid;

/// The complete counts at a place from an instant of the order on, of those that count as of a
/// position.
pub async fn sweeps(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    place: Uuid,
    from: Micros,
    upto: Position,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let sql = format!(
        "SELECT {FRAME}, s.said AS body FROM sweep s JOIN event e ON e.gseq = s.gseq \
         WHERE s.location_id = ? AND s.eff >= ? AND e.counts_from <= ?"
    );
    let values = [place.into(), from.into(), upto.into()];
    let query = statement(conn.get_database_backend(), &sql, values);
    let mut sweeps = Vec::new();
    for row in conn.query_all_raw(query).await? {
        sweeps.extend(reader.digest(&row)?.filter(|fact| is_sweep(fact)));
    }
    Ok(sweeps)
}

/// Are there more complete counts than so many at a place from an instant of the order on?
pub async fn are_more_sweeps(
    conn: &impl ConnectionTrait,
    place: Uuid,
    from: Micros,
    most: usize,
) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT 1 AS n FROM sweep WHERE location_id = ? AND eff >= ? ORDER BY eff LIMIT 1 OFFSET {most}"
    );
    let query = statement(
        conn.get_database_backend(),
        &sql,
        [place.into(), from.into()],
    );
    Ok(conn.query_one_raw(query).await?.is_some())
}

/// Writes complete counts that came to count, or moved in the order.
pub async fn write_sweeps(
    conn: &impl ConnectionTrait,
    new: &[Arc<Fact>],
    moved: &[Arc<Fact>],
) -> Result<(), DbErr> {
    let backend = conn.get_database_backend();
    for fact in moved.iter().filter(|fact| is_sweep(fact)) {
        let values = [fact.order.eff.into(), fact.gseq.into()];
        let query = statement(backend, "UPDATE sweep SET eff = ? WHERE gseq = ?", values);
        conn.execute_raw(query).await?;
    }
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
