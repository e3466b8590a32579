//! Replay (I8): what is kept of units, findings and lines of goods, and what the public side is told
//! of units, must be what the log gives.
//!
//! The whole log is read at one moment, folded by the pure crate from nothing, and held against the
//! live tables, so a slip of the service's own folding in sets and slices shows, wherever it
//! happened. It reads only, may run beside a serving process, and holds the whole log in memory:
//! about 3 kB an event.
//!
//! It must not share a line with `units::folding`, which is what it checks.
//!
//! Not compared: what was told to whom (`told_unit`), which the simulator's I24 looks at; closed
//! findings and what is kept of earlier positions, which I25 looks at; where admitted events of second
//! branches stand in time; and what is on record of codes, which both sides read by the same functions.

pub mod compare;
mod related;
mod related_store;
mod store;

use super::{
    units::{facts::Reader, refold},
    world::{CodeOf, Source, WorldError},
};
use crate::{
    db::Db,
    log::Position,
    projection::units::{PublicUnit, shown_statuses},
    sealing::Sealer,
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::{Fact, RecallSpan, World},
    fold::{self, Folded},
    ids::LocationId,
    lots,
    order::Order,
    unit::UnitKey,
};

/// Units asked about at once.
const PAGE: usize = 5_000;

/// Something that is kept otherwise than the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Of what: a unit, an event, a line, a finding.
    pub what: String,
    /// What is kept.
    pub kept: String,
    /// What the log gives.
    pub rebuilt: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference {
            what,
            kept,
            rebuilt,
        } = self;
        write!(f, "{what}: kept is {kept}, the log gives {rebuilt}")
    }
}

/// What a replay went through, and what it found.
#[derive(Debug, Clone, Default)]
pub struct Replayed {
    /// Up to which position.
    pub position: Position,
    /// Events that count.
    pub events: usize,
    /// Units they name.
    pub units: usize,
    /// Lines of goods without codes of their own.
    pub lines: usize,
    /// Open findings.
    pub findings: usize,
    /// What is kept otherwise.
    pub differences: Vec<Difference>,
    /// All was worked in that the log says. While something is left, rows say what they said.
    pub is_quiet: bool,
}

/// All there is to fold, as of one moment.
#[derive(Debug, Clone)]
pub struct Told {
    /// Up to which position.
    pub position: Position,
    /// The events that count, by their order.
    pub facts: Vec<Arc<Fact>>,
    /// Everything on record.
    pub world: World,
    /// How the public side names the units.
    pub names: BTreeMap<UnitKey, PublicUnit>,
}

/// Reads everything that is folded. `conn` must see one moment.
pub async fn told(conn: &impl ConnectionTrait, sealer: &Sealer) -> Result<Told, WorldError> {
    let (position, _) = crate::log::head_in(conn).await?;
    let mut source = Source::new(sealer.clone());
    source.refresh(conn, position).await?;
    let mut reader = Reader::default();
    let mut facts = store::facts(conn, &mut reader).await?;
    facts.sort_by_key(|fact| fact.order);
    let units: BTreeSet<UnitKey> = facts
        .iter()
        .flat_map(|fact| fact.event.units.iter().chain(&fact.event.parent))
        .filter_map(|read| read.unit.clone())
        .collect();
    let mut world = source.world().clone();
    let batches = world.batches.keys().copied().collect();
    let mut recalls: Vec<RecallSpan> = Vec::new();
    let mut names = BTreeMap::new();
    let units: Vec<UnitKey> = units.into_iter().collect();
    // Goods without codes are recalled too.
    let mut pages: Vec<&[UnitKey]> = units.chunks(PAGE).collect();
    if pages.is_empty() {
        pages.push(&[]);
    }
    for page in pages {
        let mut codes: BTreeMap<UnitKey, Option<CodeOf>> = BTreeMap::new();
        for unit in page {
            let code = source.code(conn, unit).await?;
            let name = code.as_ref().map(CodeOf::public);
            let name = name.unwrap_or_else(|| PublicUnit::Other(unit.clone()));
            names.insert(unit.clone(), name);
            codes.insert(unit.clone(), code);
        }
        source.about(conn, &codes, &batches).await?;
        world.units.append(&mut source.world_mut().units);
        for span in &source.world().recalls {
            let known =
                |known: &&mut RecallSpan| (known.from, known.recall) == (span.from, span.recall);
            match recalls.iter_mut().find(known) {
                Some(known) => known.scope.units.extend(span.scope.units.iter().cloned()),
                None => recalls.push(span.clone()),
            }
        }
    }
    recalls.sort_by_key(|span| (span.from, span.recall));
    world.recalls = recalls;
    world.instants = store::instants(conn).await?;
    Ok(Told {
        position,
        facts,
        world,
        names,
    })
}

/// What the log gives.
pub struct Rebuilt {
    /// Units, containers and what is in them.
    pub units: BTreeMap<UnitKey, Folded>,
    /// Lines of goods.
    pub lines: BTreeMap<suyuan_sync::finding::LotKey, lots::Line>,
    /// What became of the goods of lines.
    pub tallies: BTreeMap<suyuan_sync::finding::LotKey, lots::Tally>,
    /// By which events goods of lines moved at places that are on no record.
    pub nowhere: BTreeMap<suyuan_sync::finding::LotKey, BTreeSet<Order>>,
    /// Who sent goods of which name and lot to whom, or got them from there.
    pub legs: lots::Legs,
    /// What is wrong with goods of lines having gone.
    pub of_gone: BTreeMap<suyuan_sync::finding::LotKey, Vec<suyuan_sync::finding::Finding>>,
    /// What is wrong with events themselves.
    pub of_events: Vec<suyuan_sync::finding::Finding>,
}

impl Told {
    /// Folds it all, from nothing.
    pub fn rebuild(&self) -> Rebuilt {
        let facts: Vec<&Fact> = self.facts.iter().map(AsRef::as_ref).collect();
        let units = fold::forest(&facts, &self.world);
        let movements = lots::movements(&facts, &units, &self.world);
        let of_gone = lots::all_judged(&movements, &facts, &self.world);
        let said = facts
            .iter()
            .map(|f| (f.order, (f.event.kind, f.event.location)));
        let said: BTreeMap<Order, (Kind, LocationId)> = said.collect();
        let tallies = movements.iter().map(|(key, movements)| {
            let said = |at| said.get(&at).copied();
            (key.clone(), lots::tally(key.clone(), movements, said))
        });
        let tallies = tallies.collect();
        let nowhere = movements.iter();
        let nowhere = nowhere.filter(|(key, _)| !self.world.places.contains_key(&key.location));
        let nowhere = nowhere.map(|(key, movements)| {
            let by = movements.iter().map(|movement| movement.order);
            (key.clone(), by.collect())
        });
        let nowhere = nowhere.collect();
        let legs = lots::legs(&movements, &facts, &self.world);
        let lines = movements.into_iter().map(|(key, movements)| {
            let line = lots::balance(key.clone(), &movements);
            (key, line)
        });
        let of_events = fold::of_events(&facts, &self.world);
        Rebuilt {
            lines: lines.collect(),
            units,
            tallies,
            nowhere,
            legs,
            of_gone,
            of_events,
        }
    }
}

/// A log and its live tables, held against each other.
pub struct Examined {
    /// What was read.
    pub told: Told,
    /// What the log gives.
    pub rebuilt: Rebuilt,
    /// Open findings, but those of events that stand aside.
    pub open: Vec<suyuan_sync::finding::Finding>,
    /// What is kept otherwise.
    pub differences: Vec<Difference>,
    /// All was worked in that the log says.
    pub is_quiet: bool,
}

/// I8: rebuilds everything from the log and holds it against what is kept.
pub async fn examine(db: &Db, sealer: &Sealer) -> Result<Examined, WorldError> {
    let tx = db.begin_reading().await?;
    let told = told(&tx, sealer).await?;
    let live = store::live(&tx).await?;
    let beside = related_store::related(&tx).await?;
    let shown = shown_statuses(&tx).await?;
    let is_quiet = refold::store::is_quiet(&tx, told.position).await?;
    tx.commit().await?;
    let rebuilt = told.rebuild();
    let mut differences = Vec::new();
    compare::units(&live, &rebuilt.units, &mut differences);
    compare::of_units(&live, &mut differences);
    compare::shown(
        shown,
        (&told.names, &told.world),
        &rebuilt.units,
        &mut differences,
    );
    compare::of_events(&live, &rebuilt.of_events, &mut differences);
    compare::lines(&live, (&rebuilt.lines, &rebuilt.of_gone), &mut differences);
    related::related(
        &live,
        &beside,
        (&told.facts, &told.world),
        &rebuilt.units,
        &mut differences,
    );
    let open = live.findings.into_values().map(|open| open.finding);
    Ok(Examined {
        told,
        rebuilt,
        open: open.collect(),
        differences,
        is_quiet,
    })
}

/// The same in numbers, and what is kept otherwise.
pub async fn replay(db: &Db, sealer: &Sealer) -> Result<Replayed, WorldError> {
    let examined = examine(db, sealer).await?;
    Ok(Replayed {
        position: examined.told.position,
        events: examined.told.facts.len(),
        units: examined.rebuilt.units.len(),
        lines: examined.rebuilt.lines.len(),
        findings: examined.open.len(),
        differences: examined.differences,
        is_quiet: examined.is_quiet,
    })
}
