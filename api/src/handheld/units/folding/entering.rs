//! What counts from an act on and is more than the act has room for: a group that was waited for comes in whole,
//! up to 500 events with a thousand names each, and so do corrections, and what a decision takes in. Of these
//! an act takes as many as fit; the others enter by slices (`units::refold`), event by event, as if they left
//! parking there. It knows how heavy they are, and nothing of what they say.

use super::{Change, corrections::correction};
use crate::{
    handheld::{
        push::store::sizes_of,
        units::{
            refold::Scope,
            store::{Member, named},
        },
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{facts::Fact, ids::GroupId};

/// Events that are left for slices.
#[derive(Default)]
pub struct Entering {
    /// They count, and nothing was noted of what they are about.
    events: Vec<Arc<Fact>>,
    /// The same of such as are in rows and were not read.
    unread: Vec<Position>,
    /// They are judged again as events.
    recheck: Vec<Position>,
    /// They are in, and what their group comes to is another now: they enter once more.
    again: BTreeMap<GroupId, BTreeSet<Position>>,
}

impl Entering {
    /// Takes of a change what an act that may relate so many names has no room for. The first event always stays.
    pub async fn cut(
        conn: &impl ConnectionTrait,
        change: &mut Change,
        most: usize,
    ) -> Result<Entering, DbErr> {
        let targets = change.arrived.iter().filter_map(|fact| fact.event.target);
        let struck = sizes_of(conn, &targets.collect()).await?;
        let of = |fact: &Fact| {
            let struck = fact.event.target.and_then(|target| struck.get(&target));
            weight(fact) + struck.copied().unwrap_or_default()
        };
        let mut sum = 0;
        let mut first_of = |facts: &[Arc<Fact>], of: &dyn Fn(&Fact) -> usize| {
            let fits = facts.iter().take_while(|fact| {
                let first = sum == 0;
                sum += of(fact);
                first || sum <= most
            });
            fits.count()
        };
        let arrived = first_of(&change.arrived, &of);
        let recheck = first_of(&change.recheck, &|fact| weight(fact));
        let recheck = change.recheck.split_off(recheck);
        let mut recheck: Vec<Position> = recheck.iter().map(|fact| fact.gseq).collect();
        recheck.append(&mut change.unread.recheck);
        Ok(Entering {
            events: change.arrived.split_off(arrived),
            unread: std::mem::take(&mut change.unread.arrived),
            recheck,
            again: BTreeMap::new(),
        })
    }

    /// Is nothing left?
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.unread.is_empty() && self.recheck.is_empty()
    }

    /// What counts, and nothing was noted of yet, as far as it is not in rows.
    pub(super) fn events(&self) -> &[Arc<Fact>] {
        &self.events
    }

    /// An event of a group enters once more, unless it has not yet.
    pub(super) fn once_more(&mut self, member: &Member) {
        let mut entering = self.events.iter().map(|fact| fact.gseq);
        if !entering.any(|gseq| gseq == member.gseq) && !self.unread.contains(&member.gseq) {
            let (_, group) = member.of;
            self.again.entry(group).or_default().insert(member.gseq);
        }
    }

    /// What slices have to do.
    pub(super) fn scopes(self) -> impl Iterator<Item = Scope> {
        let events = self.events.iter().map(|fact| fact.gseq);
        let mut events: Vec<Position> = events.chain(self.unread).collect();
        events.sort_unstable();
        let recheck = self.recheck;
        let entered = (!events.is_empty()).then_some(Scope::Entered {
            events,
            again: None,
        });
        let remarked = (!recheck.is_empty()).then_some(Scope::Remarked { events: recheck });
        let again = self
            .again
            .into_iter()
            .map(|(group, events)| Scope::Entered {
                events: events.into_iter().collect(),
                again: Some(group),
            });
        entered.into_iter().chain(remarked).chain(again)
    }
}

/// What there is to relate of an event: each name, and of one that corrects what its correction turns on.
pub fn weight(fact: &Fact) -> usize {
    let corrects = correction(fact).is_some();
    let names = named(fact).len() + fact.event.lots.len();
    (if corrects { 2 * names } else { names }).max(1)
}
