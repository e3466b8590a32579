//! What went of lots, held against what is on record of their batches (`suyuan_sync::lots::judged`): by the
//! act that brings it or strikes it, and anew when the record changes. No balance depends on it, so a line
//! is never folded for it.
//!
//! What is read for it: nothing, where no recall ever covered a batch and nothing older is touched.

use super::{
    Asked,
    plan::{Outcome, Touched},
    said::AtHand,
};
use crate::handheld::{
    lots::store as lines,
    units::{
        folding::{Change, Folding, gather::Gathered},
        store,
    },
    world::WorldError,
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::Fact,
    finding::Finding,
    fold,
    ids::{BatchId, Gseq},
    lots as rules,
};

/// Lines of a slice that are held against the record anew. Goods may be there again since it was read
/// which went.
pub(super) fn looked_at_again(change: &Change, known: &AtHand) -> Vec<Touched> {
    let mut out = Vec::new();
    for line in known.rows.values() {
        let events = change.went.get(&line.id);
        out.extend(events.into_iter().flatten().map(|gseq| Touched {
            line: line.clone(),
            gseq: *gseq,
            went: false,
            found: line.findings > 0,
        }));
    }
    out
}

impl Folding<'_> {
    /// What is wrong with goods having gone, and what is wrong no more.
    pub(super) async fn judge(
        &mut self,
        conn: &impl ConnectionTrait,
        mut touched: Vec<Touched>,
        (asked, gathered): (&Asked, &Gathered),
        out: &mut Outcome,
    ) -> Result<(), WorldError> {
        let mut once = BTreeSet::new();
        touched.retain(|at| once.insert((at.line.id, at.gseq)));
        let facts = self
            .facts_of_touched(conn, &touched, (asked, gathered))
            .await?;
        touched.retain(|at| facts.contains_key(&at.gseq));
        if touched.is_empty() {
            return Ok(());
        }
        self.make_sure(conn, &mut touched).await?;
        let is_old = |at: &&Touched| at.found && at.gseq < self.moment.first;
        let old: BTreeSet<Gseq> = touched.iter().filter(is_old).map(|at| at.gseq).collect();
        let mut open = BTreeMap::new();
        if !old.is_empty() {
            open = lines::open_of_gone(conn, &old).await?;
        }
        let before = self.put_in_recalls(conn, &touched, &facts).await?;
        for at in touched {
            let open = open.remove(&(at.line.id, at.gseq)).unwrap_or_default();
            let fact = facts.get(&at.gseq).filter(|_| at.went);
            let key = &at.line.kept.line.key;
            let judged = |fact: &Arc<Fact>| rules::judged(fact, key, self.source.world());
            let now = fact.map(judged).unwrap_or_default();
            tell(at, &open, now, out);
        }
        if let Some((recalls, instants)) = before {
            let world = self.source.world_mut();
            (world.recalls, world.instants) = (recalls, instants);
        }
        Ok(())
    }

    /// The events among these that are held against the record at all.
    async fn facts_of_touched(
        &mut self,
        conn: &impl ConnectionTrait,
        touched: &[Touched],
        (asked, gathered): (&Asked, &Gathered),
    ) -> Result<BTreeMap<Gseq, Arc<Fact>>, WorldError> {
        let wanted: BTreeSet<Gseq> = touched.iter().map(|at| at.gseq).collect();
        let mut facts: BTreeMap<Gseq, Arc<Fact>> = BTreeMap::new();
        let near = gathered.facts();
        let near = near.chain(asked.with.values()).chain(asked.facts.values());
        let near = near.chain(asked.went.values());
        for fact in near.filter(|fact| wanted.contains(&fact.gseq)) {
            facts.insert(fact.gseq, fact.clone());
        }
        let far: BTreeSet<Gseq> = wanted
            .into_iter()
            .filter(|gseq| !facts.contains_key(gseq))
            .collect();
        if !far.is_empty() {
            let far = store::by_position(conn, self.reader, &far).await?;
            facts.extend(far.into_iter().map(|fact| (fact.gseq, fact)));
        }
        facts.retain(|_, fact| rules::is_judged(fact.event.kind));
        Ok(facts)
    }

    /// Of old events, what they took away is asked of what is written down: a container that nobody looks at
    /// now may carry it still.
    async fn make_sure(
        &self,
        conn: &impl ConnectionTrait,
        touched: &mut [Touched],
    ) -> Result<(), WorldError> {
        let unsure = |at: &Touched| !at.went && at.gseq < self.moment.first;
        let events: BTreeSet<Gseq> = touched
            .iter()
            .filter(|at| unsure(at))
            .map(|at| at.gseq)
            .collect();
        if events.is_empty() {
            return Ok(());
        }
        let gone = lines::gone_by(conn, &events).await?;
        for at in touched.iter_mut().filter(|at| unsure(at)) {
            at.went = gone.contains(&(at.line.id, at.gseq));
        }
        Ok(())
    }

    /// Puts in the recalls of the lots' batches, if there ever were any, and how old the tills' lists are
    /// then. Tells what was there before.
    async fn put_in_recalls(
        &mut self,
        conn: &impl ConnectionTrait,
        touched: &[Touched],
        facts: &BTreeMap<Gseq, Arc<Fact>>,
    ) -> Result<Option<Before>, WorldError> {
        let world = self.source.world();
        let mut batches: BTreeSet<BatchId> = BTreeSet::new();
        for at in touched.iter().filter(|at| at.went) {
            let stater = facts.get(&at.gseq).map(|fact| fact.enterprise);
            let of = |stater| rules::batch_of(&at.line.kept.line.key, stater, world);
            batches.extend(stater.and_then(of));
        }
        batches.retain(|batch| self.source.was_recalled(*batch));
        if batches.is_empty() {
            return Ok(None);
        }
        let recalls = self.source.recalls_of(conn, &batches).await?;
        let world = self.source.world_mut();
        let recalls = std::mem::replace(&mut world.recalls, recalls);
        let instants = std::mem::take(&mut world.instants);
        let sales = facts.values().filter(|fact| fact.event.kind == Kind::Sale);
        let mut positions = BTreeSet::new();
        for sale in sales {
            for then in sale.thens() {
                positions.extend(then.list_version);
                positions.insert(then.delivered);
            }
        }
        self.put_instants(conn, positions).await?;
        Ok(Some((recalls, instants)))
    }
}

/// Recalls and instants that were put in for units.
type Before = (
    Vec<suyuan_sync::facts::RecallSpan>,
    BTreeMap<Gseq, suyuan_sync::ids::Micros>,
);

fn tell(at: Touched, open: &[(i64, Finding)], now: Vec<Finding>, out: &mut Outcome) {
    let old: Vec<Finding> = open.iter().map(|(_, finding)| finding.clone()).collect();
    let (new, gone) = fold::diff(&old, &now);
    let told = open.iter().filter_map(|(id, finding)| {
        let still = now.iter().find(|now| now.is(finding))?;
        (still != finding).then(|| (*id, still.clone()))
    });
    let told: Vec<(i64, Finding)> = told.collect();
    if new.is_empty() && gone.is_empty() && told.is_empty() {
        return;
    }
    let line = at.line.id;
    let row = out.line(at.line);
    row.findings += new.len() as i64 - gone.len() as i64;
    let closed = open.iter().filter(|(_, finding)| gone.contains(finding));
    out.closed.extend(closed.map(|(id, _)| (*id, line)));
    out.opened
        .extend(new.into_iter().map(|finding| (line, finding)));
    out.told.extend(told);
}
