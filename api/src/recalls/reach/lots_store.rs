//! Goods of the recalled batches without codes of their own: what is there, line by line, and what became
//! of them altogether, by all that moved them.

use super::{
    scope_store::Scope,
    wire::{LotAmount, LotTotal},
};
use crate::{db::statement, findings::store::line_names, handheld::lots::store::moves_and_kinds};
use sea_orm::{ConnectionTrait, DbErr, Value};
use std::collections::BTreeMap;
use suyuan_sync::{
    event::Kind,
    finding::LotKey,
    ids::LocationId,
    lots::{Tally, in_order, tally},
    order::Order,
};

/// Lines, and the sum of each lot.
pub(super) async fn lots(
    conn: &impl ConnectionTrait,
    scope: &Scope,
) -> Result<(Vec<LotAmount>, Vec<LotTotal>), DbErr> {
    let (mut lines, mut totals) = (Vec::new(), Vec::new());
    for (id, batch) in &scope.batches {
        for name in line_names(conn, batch.product).await? {
            let sql = format!(
                "SELECT l.id, l.location_id, l.balance FROM lot_line l WHERE {} AND l.lot = ? \
                 ORDER BY l.location_id",
                name.condition()
            );
            let lot = Value::from(batch.lot.as_str());
            let values: Vec<Value> = name.values().chain([lot]).collect();
            let query = statement(conn.get_database_backend(), &sql, values);
            let rows = conn.query_all_raw(query).await?;
            let gtin = name.name;
            let mut total = Tally::default();
            for row in &rows {
                let line = LotAmount {
                    batch_id: *id,
                    gtin: gtin.clone(),
                    lot: batch.lot.clone(),
                    location_id: row.try_get("", "location_id")?,
                    balance: row.try_get("", "balance")?,
                };
                total += of_line(conn, row.try_get("", "id")?, &line).await?;
                lines.push(line);
            }
            if !rows.is_empty() {
                totals.push(LotTotal::of(*id, gtin, batch.lot.clone(), &total));
            }
        }
    }
    Ok((lines, totals))
}

async fn of_line(conn: &impl ConnectionTrait, id: i64, line: &LotAmount) -> Result<Tally, DbErr> {
    let key = LotKey {
        gtin: line.gtin.clone(),
        lot: Some(line.lot.clone()),
        location: LocationId(line.location_id),
    };
    let rows = moves_and_kinds(conn, id).await?;
    let kinds: BTreeMap<Order, Kind> = rows
        .iter()
        .filter_map(|(movement, kind)| Some((movement.order, (*kind)?)))
        .collect();
    let movements = in_order(rows.into_iter().map(|(movement, _)| movement).collect());
    Ok(tally(key, &movements, |at| kinds.get(&at).copied()))
}
