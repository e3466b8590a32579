//! Goods of the recalled batches without codes of their own: what is there, line by line, and what became
//! of them altogether, by all that moved them. What is only said by enterprises that no leg of this lot
//! reached is told apart (`suyuan_sync::lots::Reached`).

use super::{
    scope_store::{BatchOf, Scope},
    wire::{LotAmount, LotTotal},
};
use crate::{
    db::query_all,
    findings::store::{LineName, line_names},
    handheld::{
        down::card_store::owners,
        lots::store::{fetched_back, lot_is, moves_and_kinds},
    },
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::{self, Counterpart, Kind},
    facts::{AcceptScope, Statement},
    finding::LotKey,
    ids::{BatchId, EnterpriseId, LocationId},
    lots::{Movement, Reached, Tally, in_order, tally},
    order::Order,
};
use uuid::Uuid;

/// Events of one question.
const LEGS: i64 = 500;
/// Lines of one question, and movements.
const LINES: usize = 100;
const MOVES: i64 = 1000;

/// What is told of goods of lots.
#[derive(Default)]
pub(super) struct Told {
    /// Lines.
    pub(super) lines: Vec<LotAmount>,
    /// Their rows.
    pub(super) rows: Vec<i64>,
    /// The sum of each lot.
    pub(super) totals: Vec<LotTotal>,
    /// Whom goods of a lot reached, by name and lot.
    reached: BTreeMap<(String, String), Reached>,
}

impl Told {
    /// Does what this enterprise states of a line count?
    pub(super) fn counts(&self, enterprise: Uuid, line: &LotKey) -> bool {
        let name = (line.gtin.clone(), line.lot.clone().unwrap_or_default());
        let reached = self.reached.get(&name);
        reached.is_none_or(|reached| reached.has(EnterpriseId(enterprise)))
    }
}

/// Lines, and the sum of each lot.
pub(super) async fn lots(
    conn: &impl ConnectionTrait,
    issuer: Uuid,
    scope: &Scope,
) -> Result<Told, DbErr> {
    let mut told = Told::default();
    for (id, batch) in &scope.batches {
        let names = line_names(conn, batch.product).await?;
        let reached = reached(conn, (issuer, *id), batch, &names).await?;
        for name in names {
            let sql = format!(
                "SELECT l.id, l.enterprise_id, l.location_id, l.balance, l.apart FROM lot_line l \
                 WHERE {} AND {} ORDER BY l.location_id",
                name.condition(),
                lot_is(conn.get_database_backend(), "l.lot")
            );
            let rows = query_all(conn, &sql, of_lot(&name, batch)).await?;
            let contained = in_fetched_back(conn, &rows).await?;
            let gtin = name.name;
            let mut lines = BTreeMap::new();
            let mut claimed = 0_i64;
            for row in &rows {
                let line_id = row.try_get("", "id")?;
                let loose: i64 = row.try_get("", "apart")?;
                let contained = contained.get(&line_id).copied().unwrap_or(0);
                let line = LotAmount {
                    batch_id: *id,
                    gtin: gtin.clone(),
                    lot: batch.lot.clone(),
                    location_id: row.try_get("", "location_id")?,
                    balance: row.try_get("", "balance")?,
                    apart: loose.saturating_add(contained),
                };
                if reached.has(EnterpriseId(row.try_get("", "enterprise_id")?)) {
                    lines.insert(line_id, key_of(&line));
                    told.lines.push(line);
                    told.rows.push(line_id);
                } else {
                    let there = line.balance.max(0).saturating_add(line.apart);
                    claimed = claimed.saturating_add(there);
                }
            }
            if !rows.is_empty() {
                let lot = batch.lot.clone();
                let total = added_up(conn, &lines).await?;
                let total = LotTotal::of(*id, gtin.clone(), lot, &total, claimed);
                told.totals.push(total);
            }
            let name = (gtin, batch.lot.clone());
            told.reached.insert(name, reached.clone());
        }
    }
    Ok(told)
}

fn of_lot(name: &LineName, batch: &BatchOf) -> Vec<Value> {
    name.values().chain([batch.lot.as_str().into()]).collect()
}

/// Whom goods of a batch reached, by whatever name lines have. What nobody reached states is not read.
async fn reached(
    conn: &impl ConnectionTrait,
    (issuer, id): (Uuid, Uuid),
    batch: &BatchOf,
    names: &[LineName],
) -> Result<Reached, DbErr> {
    let mut reached = Reached::from(accepted(conn, issuer, BatchId(id)).await?);
    reached.leg_to(EnterpriseId(issuer));
    while let Some(stater) = reached.to_ask() {
        for name in names {
            let mut after = 0;
            while let Some(last) = legs(conn, stater, (name, batch), after, &mut reached).await? {
                after = last;
            }
        }
    }
    Ok(reached)
}

/// Follows what an enterprise sent or got of a lot, after a position; where to go on, if there may be more.
async fn legs(
    conn: &impl ConnectionTrait,
    stater: EnterpriseId,
    (name, batch): (&LineName, &BatchOf),
    after: i64,
    reached: &mut Reached,
) -> Result<Option<i64>, DbErr> {
    let sql = format!(
        "SELECT m.gseq, e.body FROM lot_line l JOIN lot_move m ON m.line_id = l.id \
         JOIN event e ON e.gseq = m.gseq WHERE {} AND {} AND e.enterprise_id = ? \
         AND e.kind IN ('inbound', 'outbound') AND m.movement NOT LIKE '{{\"is\":\"found\"%' \
         AND m.gseq > ? ORDER BY m.gseq LIMIT ?",
        name.condition(),
        lot_is(conn.get_database_backend(), "l.lot")
    );
    let mut values = of_lot(name, batch);
    values.extend([stater.0.into(), after.into(), LEGS.into()]);
    let rows = query_all(conn, &sql, values).await?;
    let mut places = BTreeSet::new();
    for row in &rows {
        let body: Vec<u8> = row.try_get("", "body")?;
        let event = event::parse_bytes(&body).ok();
        match event.and_then(|event| event.counterpart) {
            Some(Counterpart::Enterprise(id)) => reached.leg_to(id),
            Some(Counterpart::Location(id)) => {
                places.insert(id);
            }
            // A name links nobody.
            Some(Counterpart::Named(_)) | None => {}
        }
    }
    if !places.is_empty() {
        let owners = owners(conn, &places).await?;
        for owner in owners.into_values() {
            reached.leg_to(owner);
        }
    }
    let full = rows.len() as i64 == LEGS;
    let last = rows.last().filter(|_| full);
    last.map(|row| row.try_get("", "gseq")).transpose()
}

/// Whose word the issuer takes for a batch.
async fn accepted(
    conn: &impl ConnectionTrait,
    issuer: Uuid,
    batch: BatchId,
) -> Result<Vec<EnterpriseId>, DbErr> {
    let sql = "SELECT body FROM log_entry WHERE kind = 'holder_accepted' AND enterprise_id = ?";
    let mut out = Vec::new();
    for row in query_all(conn, sql, [issuer.into()]).await? {
        let body: String = row.try_get("", "body")?;
        let stated = serde_json::from_str(&body).map_err(|e| DbErr::Json(e.to_string()))?;
        if let Statement::HolderAccepted { partner, scope, .. } = stated {
            match scope {
                AcceptScope::Batch(of) if of == batch => out.push(partner),
                AcceptScope::Partner(_) => out.push(partner),
                AcceptScope::Batch(_) | AcceptScope::Unit(_) => {}
            }
        }
    }
    Ok(out)
}

/// How many goods of these lines lie in containers that were fetched back: what a line keeps of it lies loose.
/// Only what moved such containers is read, since anybody may state much of a lot.
async fn in_fetched_back(
    conn: &impl ConnectionTrait,
    lines: &[QueryResult],
) -> Result<BTreeMap<i64, i64>, DbErr> {
    let ids = lines.iter().map(|row| row.try_get("", "id"));
    let ids = ids.collect::<Result<Vec<i64>, DbErr>>()?;
    let mut out = BTreeMap::new();
    for ids in ids.chunks(LINES) {
        let mut after = (0, 0, 0);
        loop {
            let page = fetched_back(conn, ids, after, MOVES).await?;
            for (at, apart) in &page {
                let sum: &mut i64 = out.entry(at.0).or_default();
                *sum = sum.saturating_add(*apart);
                after = *at;
            }
            if page.len() < MOVES as usize {
                break;
            }
        }
    }
    Ok(out)
}

/// Which kind of event moved goods, and where.
type Said = (Kind, LocationId);

fn key_of(line: &LotAmount) -> LotKey {
    LotKey {
        gtin: line.gtin.clone(),
        lot: Some(line.lot.clone()),
        location: LocationId(line.location_id),
    }
}

/// Adds up lines, each from all that moved it: no more than one line and a question's movements are held.
async fn added_up(
    conn: &impl ConnectionTrait,
    lines: &BTreeMap<i64, LotKey>,
) -> Result<Tally, DbErr> {
    let mut total = Tally::default();
    let ids: Vec<i64> = lines.keys().copied().collect();
    for ids in ids.chunks(LINES) {
        let mut after = (0, 0, 0);
        let mut of_one = Vec::new();
        loop {
            let page = moves_and_kinds(conn, ids, after, MOVES).await?;
            let full = page.len() as i64 == MOVES;
            for (id, moved, said) in page {
                if id != after.0 {
                    total += of_line(lines.get(&after.0), std::mem::take(&mut of_one));
                }
                after = (id, moved.gseq, moved.n);
                of_one.push((moved.movement, said));
            }
            if !full {
                break;
            }
        }
        total += of_line(lines.get(&after.0), of_one);
    }
    Ok(total)
}

fn of_line(line: Option<&LotKey>, movements: Vec<(Movement, Option<Said>)>) -> Tally {
    let Some(line) = line else {
        return Tally::default(); // before the first
    };
    let said: BTreeMap<Order, Said> = movements
        .iter()
        .filter_map(|(movement, said)| Some((movement.order, (*said)?)))
        .collect();
    let movements = in_order(
        movements
            .into_iter()
            .map(|(movement, _)| movement)
            .collect(),
    );
    tally(line.clone(), &movements, |at| said.get(&at).copied())
}
