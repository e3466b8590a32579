//! Units as devices are told them: what is at a place or on its way there, with what containers
//! hold, and what left.
//!
//! A thing in a container that is not exceptional has no life of its own: it is where its container
//! is, and what happened to the container after it was packed happened to it (C13).

use super::{card_store as cards, store::Window, told_store::told_of, void_store::voided};
use crate::{
    codes::ring::Opener,
    db::rows::by_keys,
    handheld::units::{Kept, place_of, store::UnitId},
    log::Position,
    recalls::reach::rules::shared,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    fold::{Phase, Place, UnitState},
    ids::{BatchId, LocationId, ProductId},
    limits::{BATCHES_TOLD_MAX, NESTING_DEPTH_MAX},
    unit::UnitKey,
    wire::{HeldBatch, UnitCard},
};
use uuid::Uuid;

const COLUMNS: &str = "u.id, u.unit_key, u.product_id, u.inside, u.exceptional, u.gseq, u.state";

/// A row of `unit`.
#[derive(Debug, Clone)]
struct Row {
    id: UnitId,
    key: UnitKey,
    product: Option<Uuid>,
    inside: Option<UnitId>,
    exceptional: bool,
    gseq: Position,
    state: UnitState,
    holds: BTreeSet<BatchId>,
}

impl Row {
    fn read(row: &QueryResult) -> Result<Row, DbErr> {
        let (key, state): (String, String) =
            (row.try_get("", "unit_key")?, row.try_get("", "state")?);
        let kept: Kept = serde_json::from_str(&state)
            .map_err(|error| DbErr::Json(format!("unit {key}: {error}")))?;
        Ok(Row {
            id: row.try_get("", "id")?,
            key: UnitKey::kept(&key),
            product: row.try_get("", "product_id")?,
            inside: row.try_get("", "inside")?,
            exceptional: row.try_get("", "exceptional")?,
            gseq: row.try_get("", "gseq")?,
            state: kept.state,
            holds: kept.holds,
        })
    }

    /// The container whose life it shares.
    fn shares(&self) -> Option<UnitId> {
        self.inside.filter(|_| !self.exceptional)
    }
}

/// A unit as it is, its container considered.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its number.
    pub id: UnitId,
    /// Its key.
    pub key: UnitKey,
    /// Its product.
    pub product: Option<Uuid>,
    /// When it or its container last changed.
    pub gseq: Position,
    /// What it is.
    pub state: UnitState,
    /// The batches of what is in it, its own apart.
    pub holds: BTreeSet<BatchId>,
}

/// What a card of a unit is made of.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its key.
    pub key: &'a UnitKey,
    /// Its product.
    pub product: Option<Uuid>,
    /// What it is, as far as that is told.
    pub state: &'a UnitState,
    /// The batches of what is in it, its own apart.
    pub holds: &'a BTreeSet<BatchId>,
}

impl Told {
    /// What its card is made of.
    pub fn known(&self) -> Known<'_> {
        Known {
            key: &self.key,
            product: self.product,
            state: &self.state,
            holds: &self.holds,
        }
    }
}

/// What a place is to be told about units.
#[derive(Debug, Default)]
pub struct Changes {
    /// What is there or on its way there.
    pub here: Vec<Told>,
    /// What it was told of and is not there any more.
    pub left: Vec<Told>,
}

/// Rows by number, with the containers whose lives they share.
struct Found(BTreeMap<UnitId, Row>);

impl Found {
    async fn with_containers(conn: &impl ConnectionTrait, found: Vec<Row>) -> Result<Found, DbErr> {
        let mut known: BTreeMap<UnitId, Row> = found.into_iter().map(|row| (row.id, row)).collect();
        for _ in 0..NESTING_DEPTH_MAX {
            let missing: BTreeSet<UnitId> = known
                .values()
                .filter_map(Row::shares)
                .filter(|id| !known.contains_key(id))
                .collect();
            if missing.is_empty() {
                break;
            }
            let sql = format!("SELECT DISTINCT {COLUMNS} FROM unit u WHERE u.id IN ({{keys}})");
            let keys = missing.into_iter().map(Into::into).collect();
            for row in by_keys(conn, &sql, &[], keys).await? {
                let row = Row::read(&row)?;
                known.insert(row.id, row);
            }
        }
        Ok(Found(known))
    }

    fn told(&self, id: UnitId) -> Option<Told> {
        let own = self.0.get(&id)?;
        let mut chain = vec![own];
        let mut top = own;
        for _ in 0..NESTING_DEPTH_MAX {
            let Some(container) = top.shares().and_then(|id| self.0.get(&id)) else {
                break;
            };
            chain.push(container);
            top = container;
        }
        let (mut state, mut gseq) = (top.state.clone(), top.gseq);
        for below in chain.iter().rev().skip(1) {
            state = by_container(&below.state, &state);
            gseq = gseq.max(below.gseq);
        }
        Some(Told {
            id,
            key: own.key.clone(),
            product: own.product,
            gseq,
            state,
            holds: own.holds.clone(),
        })
    }
}

/// What a thing in a container is, by its own state and the container's now. They were alike when it was
/// packed, or it would be judged by itself: so where they are not any more, its row is the older one, or
/// says what was struck of the container since.
fn by_container(own: &UnitState, container: &UnitState) -> UnitState {
    let (phase, place) = shared((own.phase, own.place), (container.phase, container.place))
        .unwrap_or((container.phase, container.place));
    let mut state = own.clone();
    if phase == container.phase {
        state.disposition = container.disposition;
    }
    state.holder = container.holder.or(own.holder);
    (state.phase, state.place) = (phase, place);
    state
}

/// These units and what they hold, as far as it shares their lives; nothing if that is more than `most`.
pub async fn with_contents(
    conn: &impl ConnectionTrait,
    roots: &[(Position, UnitId)],
    most: usize,
) -> Result<Option<BTreeSet<UnitId>>, DbErr> {
    let mut all: BTreeSet<UnitId> = roots.iter().map(|(_, id)| *id).collect();
    let mut level: Vec<UnitId> = all.iter().copied().collect();
    let sql = format!(
        "SELECT DISTINCT u.id FROM unit u WHERE u.inside IN ({{keys}}) AND NOT u.exceptional \
         LIMIT {}",
        most.saturating_add(1)
    );
    for _ in 0..NESTING_DEPTH_MAX {
        if all.len() > most || level.is_empty() {
            break;
        }
        let keys = level.iter().map(|id| (*id).into()).collect();
        level.clear();
        for row in by_keys(conn, &sql, &[], keys).await? {
            level.push(row.try_get("", "id")?);
        }
        all.extend(level.iter().copied());
    }
    Ok(Some(all).filter(|all| all.len() <= most))
}

/// What a place is told of these units, as far as they changed in a window.
pub async fn changed(
    conn: &impl ConnectionTrait,
    window: &Window,
    ids: &BTreeSet<UnitId>,
) -> Result<Changes, DbErr> {
    let sql = format!("SELECT DISTINCT {COLUMNS} FROM unit u WHERE u.id IN ({{keys}})");
    let keys = ids.iter().map(|id| (*id).into()).collect();
    let found = by_keys(conn, &sql, &[], keys).await?;
    let found: Vec<Row> = found.iter().map(Row::read).collect::<Result<_, _>>()?;
    let known = Found::with_containers(conn, found).await?;
    let mut elsewhere = Vec::new();
    let mut changes = Changes::default();
    for told in ids.iter().filter_map(|id| known.told(*id)) {
        if told.gseq > window.upto {
            // Its container changed again meanwhile: it comes with that.
            continue;
        }
        if told.gseq <= window.ended && matches!(told.state.phase, Phase::Sold | Phase::Destroyed) {
            continue;
        }
        if concerns(&told.state, window) {
            changes.here.push(told);
        } else {
            elsewhere.push(told);
        }
    }
    let ids: Vec<UnitId> = elsewhere.iter().map(|told| told.id).collect();
    let told = told_of(conn, window.location, &ids).await?;
    let left = elsewhere.into_iter();
    changes.left = left.filter(|unit| told.contains(&unit.id)).collect();
    Ok(changes)
}

/// Is it at the place, on its way there, or on its way to the enterprise, which said no place of its
/// own?
fn concerns(state: &UnitState, window: &Window) -> bool {
    match state.place {
        Place::Between {
            to: None,
            to_enterprise: Some(to),
            ..
        } => to.0 == window.enterprise,
        place => place_of(place) == Some(LocationId(window.location)),
    }
}

/// Units by key, as they are.
pub async fn by_key(
    conn: &impl ConnectionTrait,
    keys: &BTreeSet<UnitKey>,
) -> Result<BTreeMap<UnitKey, Told>, DbErr> {
    let sql = format!("SELECT DISTINCT {COLUMNS} FROM unit u WHERE u.unit_key IN ({{keys}})");
    let found = by_keys(
        conn,
        &sql,
        &[],
        keys.iter().map(|key| key.as_str().into()).collect(),
    )
    .await?;
    let found: Vec<Row> = found.iter().map(Row::read).collect::<Result<_, _>>()?;
    let ids: Vec<UnitId> = found.iter().map(|row| row.id).collect();
    let known = Found::with_containers(conn, found).await?;
    let told = ids.into_iter().filter_map(|id| known.told(id));
    Ok(told.map(|told| (told.key.clone(), told)).collect())
}

/// Their cards, in the same order.
pub async fn cards(
    conn: &impl ConnectionTrait,
    opener: &Opener,
    units: &[Known<'_>],
) -> Result<Vec<UnitCard>, DbErr> {
    let voided = voided(conn, opener, units.iter().map(|unit| unit.key)).await?;
    let inside = units.iter().flat_map(|unit| unit.holds);
    let batches = units.iter().filter_map(|unit| unit.state.batch);
    let batches: BTreeSet<BatchId> = batches.chain(inside.copied()).collect();
    let lots = cards::lots(conn, &batches).await?;
    let held = |batch: &BatchId| HeldBatch {
        batch: *batch,
        expires_at: lots.get(batch).and_then(|lot| lot.expires_at),
    };
    let card = |unit: &Known<'_>| {
        let state = unit.state;
        let lot = state.batch.and_then(|batch| lots.get(&batch));
        UnitCard {
            unit: unit.key.clone(),
            level: state.level,
            product: unit.product.map(ProductId),
            batch: state.batch,
            lot: lot.map(|lot| lot.lot.clone()),
            expires_at: lot.and_then(|lot| lot.expires_at),
            phase: state.phase,
            place: state.place,
            inside: state.inside.clone(),
            disposition: state.disposition,
            void: voided.contains(unit.key),
            recalls: state.recalls.iter().copied().collect(),
            holds: unit.holds.iter().take(BATCHES_TOLD_MAX).map(held).collect(),
            holds_more: unit.holds.len() > BATCHES_TOLD_MAX,
        }
    };
    Ok(units.iter().map(card).collect())
}

/// The place a unit comes from, while it is on its way.
pub const fn coming_from(state: &UnitState) -> Option<LocationId> {
    match state.place {
        Place::Between { from, .. } => Some(from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(phase: Phase, place: Place) -> UnitState {
        UnitState {
            phase,
            place,
            ..UnitState::default()
        }
    }

    #[test]
    fn c13_what_was_fetched_back_and_what_was_only_packed_is_told_as_it_is() {
        let (here, there) = (
            LocationId(Uuid::from_u128(1)),
            LocationId(Uuid::from_u128(2)),
        );
        let way = Place::Between {
            from: here,
            to: Some(there),
            to_enterprise: None,
        };
        let told = |own: Phase, container: Phase, at: Place| {
            let told = by_container(&state(own, Place::At(here)), &state(container, at));
            (told.phase, told.place)
        };
        let moving = Phase::InTransit;
        assert_eq!(told(Phase::InStock, moving, way), (moving, way));
        let back = Phase::Collected;
        assert_eq!(told(back, back, way), (back, way));
        // Released with its container, it is what that is.
        assert_eq!(told(back, moving, way), (moving, way));
        // Of the container is known that it was filled, and where.
        let new = told(Phase::Commissioned, Phase::Commissioned, Place::At(here));
        assert_eq!(new, (Phase::Commissioned, Place::At(here)));
        // What was struck of the container was struck of it.
        for own in [back, Phase::Sold, moving] {
            let told = told(own, Phase::InStock, Place::At(here));
            assert_eq!(told, (Phase::InStock, Place::At(here)));
        }
        // An end of the container is one of what is in it.
        let sold = told(Phase::InStock, Phase::Sold, Place::At(there));
        assert_eq!(sold, (Phase::Sold, Place::At(there)));
    }
}
