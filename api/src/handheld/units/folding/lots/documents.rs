//! Counts in several documents (C11): one count, placed at the last of them. What one document says of a lot is a
//! part of what the count says, so all are read for the lines at hand, and for these only: a count may be of
//! hundreds of documents that name a thousand lots each, and complete counts there may be a thousand.

use super::{
    Asked, Change, count_of,
    said::{AtHand, Before},
};
use crate::handheld::{
    lots::store as lines,
    units::{
        folding::{Folding, gather::Gathered, relate::Related},
        store::{self, Member},
    },
    world::WorldError,
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};
use suyuan_sync::{
    event::{Event, Kind, LotLine},
    facts::Fact,
    fold,
    ids::{EnterpriseId, GroupId, Gseq},
};

/// A count that names no more lots is taken as it is.
const FEW: usize = 16;

/// What counts say of a lot does not depend on the others they name.
type Lots<'k> = HashSet<(&'k str, Option<&'k str>)>;

/// What comes of counts in several documents besides what was asked about.
#[derive(Default)]
pub(super) struct Placed {
    /// Documents that say something else since their count stands elsewhere.
    pub(super) again: Vec<Arc<Fact>>,
    /// Counts that all lines of their places are held against, if they are complete: their last document came
    /// in, or is another. The others say nothing of what they do not name.
    pub(super) swept: BTreeSet<(EnterpriseId, GroupId)>,
    /// Documents like the first that there was no room for.
    pub(super) later: Vec<Member>,
}

impl Folding<'_> {
    /// Other documents of the counts that these are documents of, where such a count is written down at another than
    /// the last: that came in now, or moved, or is struck. As many as there is room for; the others
    /// enter once more.
    pub(super) async fn placed_anew(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        (related, gathered): (&Related, &Gathered),
        (facts, documents): (&[Arc<Fact>], &BTreeMap<Gseq, Arc<Fact>>),
    ) -> Result<Placed, WorldError> {
        let mut placed = Placed::default();
        if documents.is_empty() || change.swept.is_some() {
            return Ok(placed);
        }
        let all: Vec<Arc<Fact>> = documents.values().cloned().collect();
        let deciding = self.what_decides(conn, related, &all).await?;
        let last = self.last_of(documents, &deciding);
        let own: BTreeSet<Gseq> = facts.iter().map(|fact| fact.gseq).collect();
        let ends = last.iter().filter(|(_, gseq)| own.contains(*gseq));
        placed.swept = ends.map(|(of, _)| *of).collect();
        // Where it stands is settled; whether it counts may have changed.
        if change.again {
            return Ok(placed);
        }
        let written = lines::moving(conn, &documents.keys().copied().collect()).await?;
        // Once for the one where it stands, and once for the one where it stood.
        let anew = |fact: &Arc<Fact>| {
            let of = count_of(fact)?;
            let is_last = last.get(&of) == Some(&fact.gseq);
            let mut others = documents
                .values()
                .filter(|other| count_of(other) == Some(of));
            let elsewhere =
                |other: &Arc<Fact>| other.gseq != fact.gseq && written.contains(&other.gseq);
            let anew = if is_last {
                others.any(elsewhere)
            } else {
                written.contains(&fact.gseq)
            };
            anew.then_some(of)
        };
        let anew: BTreeSet<(EnterpriseId, GroupId)> = facts.iter().filter_map(anew).collect();
        placed.swept.extend(anew.iter().copied());
        let groups = anew.iter().map(|(_, group)| *group).collect();
        let mut members = store::members_of(conn, &groups).await?;
        members.retain(|other| {
            let is_other = other.kind == Kind::Count && !own.contains(&other.gseq);
            is_other && anew.contains(&other.of)
        });
        let mut sum = 0;
        let (now, later): (Vec<Member>, Vec<Member>) = members.into_iter().partition(|member| {
            sum += member.names();
            sum <= gathered.room.weight
        });
        placed.later = later;
        let now = now.iter().map(|member| member.gseq).collect();
        placed.again = store::by_position(conn, self.reader, &now).await?;
        Ok(placed)
    }

    /// Where each of these counts stands: at the last of its documents that is not struck.
    fn last_of(
        &self,
        documents: &BTreeMap<Gseq, Arc<Fact>>,
        deciding: &BTreeMap<Gseq, Vec<Arc<Fact>>>,
    ) -> BTreeMap<(EnterpriseId, GroupId), Gseq> {
        let world = self.source.world();
        let strikes = |retract: &Arc<Fact>, fact: &Arc<Fact>| {
            retract.event.target == Some(fact.event.id) && fold::strikes(retract, fact, world)
        };
        let mut last: BTreeMap<(EnterpriseId, GroupId), &Arc<Fact>> = BTreeMap::new();
        for fact in documents.values() {
            let mut about = deciding.get(&fact.gseq).into_iter().flatten();
            let is_struck = about.any(|retract| strikes(retract, fact));
            if let Some(of) = count_of(fact).filter(|_| !is_struck) {
                let known = last.entry(of).or_insert(fact);
                if known.order < fact.order {
                    *known = fact;
                }
            }
        }
        last.into_iter().map(|(of, fact)| (of, fact.gseq)).collect()
    }

    /// All documents of the counts that these are documents of.
    pub(super) async fn documents(
        &mut self,
        conn: &impl ConnectionTrait,
        related: &Related,
        facts: &[Arc<Fact>],
    ) -> Result<BTreeMap<Gseq, Arc<Fact>>, WorldError> {
        let of: BTreeSet<_> = facts.iter().filter_map(|fact| count_of(fact)).collect();
        let groups = of.iter().map(|(_, group)| *group).collect();
        let known = store::by_group(conn, self.reader, &groups, Kind::Count).await?;
        // Those as well that came in now and enter later: the count stands at the last of all.
        let new = related.arrived.iter().chain(self.entering.events());
        let all = known.into_iter().chain(new.cloned());
        let all = all.filter(|fact| count_of(fact).is_some_and(|count| of.contains(&count)));
        Ok(all.map(|fact| (fact.gseq, fact)).collect())
    }

    /// Puts in what else is counted: in other documents, and by these complete counts. Of all of it only what is
    /// said of the lines at hand.
    pub(super) async fn put_counts(
        &mut self,
        conn: &impl ConnectionTrait,
        (change, related): (&Change, &Related),
        asked: &mut Asked,
        (counts, known): (Vec<Arc<Fact>>, &AtHand),
    ) -> Result<(), WorldError> {
        let more = self.documents(conn, related, &counts).await?;
        asked.documents.extend(more);
        let mut all: BTreeMap<Gseq, Arc<Fact>> = BTreeMap::new();
        all.extend(counts.into_iter().map(|fact| (fact.gseq, fact)));
        all.extend(asked.documents.clone());
        let all: Vec<Arc<Fact>> = all.into_values().collect();
        let deciding = self.what_decides(conn, related, &all).await?;
        let last = self.last_of(&asked.documents, &deciding);
        let lots: Lots<'_> = known
            .keys
            .iter()
            .map(|key| (key.gtin.as_str(), key.lot.as_deref()))
            .collect();
        let swept = change.swept.as_ref();
        let swept = swept.and_then(|swept| count_of(&swept.count));
        for fact in all {
            if asked.facts.contains_key(&fact.gseq) {
                continue;
            }
            // Where its count stands; where one is held against lines, all are where it may have stood.
            let stands = count_of(&fact)
                .is_none_or(|of| Some(of) == swept || last.get(&of) == Some(&fact.gseq));
            if let Some(said) = said_of(&fact, &lots, stands) {
                asked.facts.insert(said.gseq, said);
            }
        }
        let deciding = deciding.into_values().flatten();
        asked.with.extend(deciding.map(|fact| (fact.gseq, fact)));
        Ok(())
    }

    /// What counts said of the lines at hand before: complete ones, and those of several documents; `stated` are
    /// the facts that say which lines this is about.
    pub(super) async fn counted_before(
        &self,
        conn: &impl ConnectionTrait,
        (asked, stated): (&Asked, &BTreeSet<Gseq>),
        known: &AtHand,
        before: &mut Before,
    ) -> Result<(), WorldError> {
        let ids: Vec<i64> = known.rows.values().map(|line| line.id).collect();
        let is_old = |gseq: &Gseq| *gseq < self.moment.first;
        let alone = asked.sweeps().filter(|fact| count_of(fact).is_none());
        for gseq in alone.map(|fact| fact.gseq).filter(is_old) {
            for (line, moved) in lines::moves_on(conn, gseq, &ids).await? {
                before.entry(line).or_default().push(moved);
            }
        }
        let mut of: BTreeMap<(EnterpriseId, GroupId), BTreeSet<Gseq>> = BTreeMap::new();
        let stated = stated.iter().filter_map(|gseq| asked.facts.get(gseq));
        for fact in asked.documents.values().chain(stated) {
            if let Some(count) = count_of(fact).filter(|_| is_old(&fact.gseq)) {
                of.entry(count).or_default().insert(fact.gseq);
            }
        }
        for documents in of.values() {
            for (line, moved) in lines::moves_among(conn, documents, &ids).await? {
                before.entry(line).or_default().push(moved);
            }
        }
        Ok(())
    }
}

/// A count with what it says of some lots. None if it says nothing of them, unless a count stands there.
fn said_of(fact: &Arc<Fact>, lots: &Lots<'_>, stands: bool) -> Option<Arc<Fact>> {
    let event = &fact.event;
    if event.lots.len() <= FEW {
        return Some(fact.clone());
    }
    let said = saying(fact, lots);
    (stands || !said.event.lots.is_empty()).then_some(said)
}

/// A fact with what it says of some lots.
pub(super) fn saying(fact: &Arc<Fact>, lots: &Lots<'_>) -> Arc<Fact> {
    let event = &fact.event;
    let at_hand = |lot: &&LotLine| lots.contains(&(lot.gtin.as_str(), lot.lot.as_deref()));
    let said: Vec<LotLine> = event.lots.iter().filter(at_hand).cloned().collect();
    Arc::new(Fact {
        event: Arc::new(Event {
            lots: said,
            ..Event::clone(event)
        }),
        ..Fact::clone(fact)
    })
}
