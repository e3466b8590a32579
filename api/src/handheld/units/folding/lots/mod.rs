//! Lines of lots, in the act that brings events: which facts say what of which lines now (`said`), what
//! they said before, and so which lines go on and which are folded again (`plan`, `work`).
//!
//! What went is held against what is on record of its batch (`judge`), and what was found sellable is released by the
//! recalls on record (`released`). What counts say is put together for the lines
//! at hand (`documents`). How lines stood before the act is kept (`known`).
//!
//! An act looks at the lines its events name, or their containers carried. A complete count is about
//! every other line of its place as well: those are held against it page by page, afterwards
//! (`units::refold`). Where a line stands at zero a count that did not see it says nothing; there is no
//! row of that, so whoever changes a line looks for the counts from there on.

mod documents;
mod judge;
mod known;
mod plan;
mod released;
mod said;
mod work;

use super::{Change, Done, Folding, folds::Folds, gather::Gathered, holds_lots, relate::Related};
use crate::{
    clock::Micros,
    handheld::{
        lots::{Moved, store as lines},
        units::store::{self, Member, is_sweep},
        world::WorldError,
    },
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::Fact,
    finding::{Finding, FindingCode, LotKey},
    fold,
    ids::{DeviceId, EnterpriseId, EventId, GroupId, Gseq},
    lots as rules,
    unit::UnitKey,
};
use uuid::Uuid;

/// Lines that a complete count is held against, in a slice.
pub struct Swept {
    /// The count.
    pub count: Arc<Fact>,
    /// Has it moved in the order?
    pub moved: bool,
    /// Rows of these lines of its place.
    pub lines: BTreeSet<i64>,
}

/// What comes of lines that others have to tell, or to go on with.
#[derive(Default)]
pub(super) struct WorkedIn {
    /// Complete counts that the other lines of their places have to be held against.
    pub(super) sweeps: Vec<Arc<Fact>>,
    /// Events that lines go by otherwise than before: whose line, and where the event stands.
    pub(super) restated: Vec<(Uuid, Micros, Gseq)>,
    /// Documents of counts that there was no room for: they enter once more.
    pub(super) later: Vec<Member>,
}

/// What events and containers say of lines.
type Said = BTreeMap<LotKey, Vec<Moved>>;

/// Facts whose movements are worked out again.
#[derive(Default)]
struct Asked {
    /// These: first those that say which lines this is about, then counts with what they say of these lines.
    facts: BTreeMap<Gseq, Arc<Fact>>,
    /// Those that decide what they are worth.
    with: BTreeMap<Gseq, Arc<Fact>>,
    /// All documents of the counts among them that took several.
    documents: BTreeMap<Gseq, Arc<Fact>>,
    /// Those of these counts that all lines of their places are held against.
    swept: BTreeSet<(EnterpriseId, GroupId)>,
    /// What a slice holds against the record anew, as it was read.
    went: BTreeMap<Gseq, Arc<Fact>>,
    /// Those of these that are worked out again of the slice's lines alone, with the lines.
    cut: BTreeSet<(i64, Gseq)>,
}

impl Asked {
    fn sweeps(&self) -> impl Iterator<Item = &Arc<Fact>> {
        self.facts.values().filter(|fact| is_sweep(fact))
    }

    /// All documents of a count.
    fn documents_of(&self, count: &Fact) -> impl Iterator<Item = &Arc<Fact>> {
        let (gseq, group) = (count.gseq, count_of(count));
        let alone = self.facts.get(&gseq).filter(|_| group.is_none());
        let same = self.documents.values();
        alone
            .into_iter()
            .chain(same.filter(move |fact| group.is_some() && count_of(fact) == group))
    }

    fn is_sweep(&self, gseq: Gseq) -> bool {
        self.facts.get(&gseq).is_some_and(|fact| is_sweep(fact))
    }
}

/// The count that a document is a part of, if it took several.
fn count_of(fact: &Fact) -> Option<(EnterpriseId, GroupId)> {
    let group = fact.event.group.filter(|_| fact.event.kind == Kind::Count);
    group.map(|group| (fact.enterprise, group.id))
}

fn concerns_lots(fact: &Fact) -> bool {
    !fact.event.lots.is_empty() || is_sweep(fact)
}

impl Folding<'_> {
    /// Works what came in into the lines it is about.
    pub(super) async fn fold_lots(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        (related, gathered): (&Related, &Gathered),
        folds: &Folds,
        done: &mut Done,
    ) -> Result<WorkedIn, WorldError> {
        let (mut asked, later) = self.asked(conn, change, (related, gathered)).await?;
        let carriers: BTreeSet<UnitKey> = gathered
            .units
            .iter()
            .filter(|(key, unit)| unit.dirty.is_some() && holds_lots(key, unit))
            .map(|(key, _)| key.clone())
            .collect();
        if asked.facts.is_empty() && carriers.is_empty() && change.went.is_empty() {
            return Ok(WorkedIn {
                later,
                ..WorkedIn::default()
            });
        }
        let sweeps: Vec<Arc<Fact>> = if change.swept.is_some() {
            Vec::new()
        } else {
            let world = self.source.world();
            let alone = asked.sweeps().filter(|fact| count_of(fact).is_none());
            let ends = |fact: &&Arc<Fact>| {
                let of = count_of(fact);
                is_sweep(fact) && of.is_some_and(|of| asked.swept.contains(&of))
            };
            let all = alone.chain(asked.documents.values().filter(ends));
            all.filter(|fact| fold::misses(world, fact))
                .cloned()
                .collect()
        };
        let carried = self.carried(gathered, &carriers, &folds.folded);
        let mut before = self.before(conn, &asked, (gathered, &carriers)).await?;
        let known = self
            .at_hand(conn, change, (&asked, &carried), &before)
            .await?;
        let act = (change, gathered);
        let from = self.changed_from(act, (&asked, &carried), &known, &before);
        let counts = self.sweeps_at(conn, &from, related).await?;
        let stated: BTreeSet<Gseq> = asked.facts.keys().copied().collect();
        self.put_counts(conn, (change, related), &mut asked, (counts, &known))
            .await?;
        let recalls = self.put_in_for_released(conn, &asked).await?;
        let said = self.said(&asked, &carried, &known);
        self.take_out(recalls);
        self.counted_before(conn, (&asked, &stated), &known, &mut before)
            .await?;
        let restated = self
            .work_in(conn, act, (known, said), before, &asked, done)
            .await?;
        Ok(WorkedIn {
            sweeps,
            restated,
            later,
        })
    }

    /// The facts whose movements may have changed, and documents that there was no room for.
    async fn asked(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        (related, gathered): (&Related, &Gathered),
    ) -> Result<(Asked, Vec<Member>), WorldError> {
        let mut facts: Vec<Arc<Fact>> = Vec::new();
        let later = gathered.moved_later.iter();
        let later: BTreeSet<Gseq> = later.map(|(gseq, _)| *gseq).collect();
        let moved = change
            .moved
            .iter()
            .filter(|fact| !later.contains(&fact.gseq));
        let moved = moved.chain(&change.lots_reordered);
        let new = change.arrived.iter().chain(moved);
        facts.extend(new.filter(|fact| concerns_lots(fact)).cloned());
        for (retract, target) in &related.strikes {
            let own = |target: &&Arc<Fact>| target.enterprise == retract.enterprise;
            let target = target.as_ref().filter(|target| concerns_lots(target));
            if let Some(target) = target.filter(own) {
                facts.extend([retract.clone(), target.clone()]);
            }
        }
        let targets: BTreeSet<EventId> =
            change.moved.iter().filter_map(|f| f.event.target).collect();
        let targets = store::by_event_id(conn, self.reader, &targets).await?;
        facts.extend(targets.into_iter().filter(|target| concerns_lots(target)));
        // Those of corrections that turn on something else now.
        let turned = related.turned.facts.iter();
        facts.extend(turned.filter(|fact| concerns_lots(fact)).cloned());
        facts.extend(change.swept.as_ref().map(|swept| swept.count.clone()));
        let went = change.went.values().flatten().copied().collect();
        let went = store::by_position(conn, self.reader, &went).await?;
        let inspected = self.inspected(conn, change, &went).await?;
        let whole: BTreeSet<Gseq> = facts.iter().map(|fact| fact.gseq).collect();
        let inspected = inspected
            .into_iter()
            .filter(|(fact, _)| !whole.contains(&fact.gseq));
        let mut cut = BTreeSet::new();
        for (fact, lines) in inspected {
            cut.extend(lines.into_iter().map(|line| (line, fact.gseq)));
            facts.push(fact);
        }
        let documents = self.documents(conn, related, &facts).await?;
        let placed = self
            .placed_anew(conn, change, (related, gathered), (&facts, &documents))
            .await?;
        facts.extend(placed.again);
        let deciding = self.what_decides(conn, related, &facts).await?;
        let targets: BTreeSet<EventId> = facts.iter().filter_map(|f| f.event.target).collect();
        let mut with = store::by_event_id(conn, self.reader, &targets).await?;
        let arrived = related.arrived.iter();
        with.extend(
            arrived
                .filter(|fact| targets.contains(&fact.event.id))
                .cloned(),
        );
        with.extend(deciding.into_values().flatten());
        let by_position = |facts: Vec<Arc<Fact>>| facts.into_iter().map(|fact| (fact.gseq, fact));
        let asked = Asked {
            facts: by_position(facts).collect(),
            with: by_position(with).collect(),
            documents,
            swept: placed.swept,
            went: by_position(went).collect(),
            cut,
        };
        Ok((asked, placed.later))
    }

    /// Inspections of a slice's lines that found something sellable, which goes by the record (C6), with the lines:
    /// each with what it says of these, whatever else it names.
    async fn inspected(
        &self,
        conn: &impl ConnectionTrait,
        change: &Change,
        went: &[Arc<Fact>],
    ) -> Result<Vec<(Arc<Fact>, Vec<i64>)>, WorldError> {
        let inspected = went.iter().filter(|fact| rules::releases(&fact.event));
        let inspected: Vec<&Arc<Fact>> = inspected.filter(|fact| concerns_lots(fact)).collect();
        if inspected.is_empty() {
            return Ok(Vec::new());
        }
        let ids = change.went.keys().copied().collect();
        let known = lines::lines_by_id(conn, &ids).await?;
        let cut = |fact: &Arc<Fact>| {
            let of = known.iter().filter(|(_, line)| {
                let events = change.went.get(&line.id);
                events.is_some_and(|events| events.contains(&fact.gseq))
            });
            let of: Vec<_> = of.collect();
            let lots = of
                .iter()
                .map(|(key, _)| (key.gtin.as_str(), key.lot.as_deref()));
            let said = documents::saying(fact, &lots.collect());
            (said, of.iter().map(|(_, line)| line.id).collect())
        };
        Ok(inspected.into_iter().map(cut).collect())
    }
}

impl Moved {
    fn key(&self) -> (Gseq, i64) {
        (self.gseq, self.n)
    }
}

/// Is this the finding of the interval below zero that began with an event?
fn is_below(finding: &Finding, below: Option<(DeviceId, EventId)>) -> bool {
    finding.code == FindingCode::NegBalance && Some(finding.judged()) == below
}
