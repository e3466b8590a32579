//! Corrections (C10): their new events count unless one of their retracts is without effect. Which retracts decide
//! that, and whose new events are worth something else since something came in. A correction may be of hundreds of
//! events that name a thousand units each: only those are read whole that decide, or that an act has room for.

use super::{
    Change, Folding,
    relate::{About, is_among, meant},
};
use crate::{
    handheld::units::store::{self, DECIDES, Member},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::{Fact, World},
    fold::{Meaning, deciding, strikes},
    ids::{EnterpriseId, EventId, GroupId},
};

/// A correction: whose, and which group.
pub(super) type Correction = (EnterpriseId, GroupId);

/// The correction a fact belongs to.
pub(super) fn correction(fact: &Fact) -> Option<Correction> {
    let group = fact.event.group.filter(|group| group.correct);
    group.map(|group| (fact.enterprise, group.id))
}

/// What corrections turn on.
pub(super) struct Turns {
    /// The retracts that decide, and what they mean.
    pub on: BTreeMap<Correction, Vec<Arc<Fact>>>,
    /// Those that turn on something else since the new facts came in.
    otherwise: BTreeSet<Correction>,
}

/// New events of corrections that were in, and are worth something else since something came in.
#[derive(Default)]
pub(super) struct Turned {
    /// Those that there is room for.
    pub(super) facts: Vec<Arc<Fact>>,
    now: Vec<Member>,
    /// The others: they enter once more.
    pub(super) later: Vec<Member>,
}

impl Turned {
    /// All.
    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.now.iter().chain(&self.later)
    }
}

/// A retract that decides and what it means, by their positions.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Decides {
    retract: Position,
    target: Position,
    /// It may have meant something else once.
    several: bool,
    /// It is without effect.
    voids: bool,
}

impl Folding<'_> {
    /// What the corrections of these groups turn on.
    pub(super) async fn turns(
        &mut self,
        conn: &impl ConnectionTrait,
        arrived: &[Arc<Fact>],
        groups: &BTreeSet<GroupId>,
    ) -> Result<Turns, DbErr> {
        let of_groups = |fact: &Arc<Fact>| {
            let of = correction(fact).filter(|_| fact.event.kind == Kind::Retract);
            of.is_some_and(|(_, group)| groups.contains(&group))
        };
        // What a retract of the group means may have come later than the group did, as may members that do not fit
        // it, or whose group was released (T8): they count by themselves, and are its all the same.
        let mut retracts = store::by_group(conn, self.reader, groups, Kind::Retract).await?;
        retracts.retain(|fact| of_groups(fact) && !is_among(arrived, fact));
        let ids: BTreeSet<EventId> = retracts
            .iter()
            .chain(arrived.iter().filter(|fact| of_groups(fact)))
            .filter_map(|fact| fact.event.target)
            .collect();
        let mut targets = store::outlines(conn, self.reader, &ids, self.upto).await?;
        targets.retain(|fact| !is_among(arrived, fact));
        let world = self.source.world();
        let was = decide(&retracts, &targets, world);
        retracts.extend(arrived.iter().filter(|fact| of_groups(fact)).cloned());
        let meant = |fact: &&Arc<Fact>| ids.contains(&fact.event.id);
        targets.extend(arrived.iter().filter(meant).cloned());
        let now = decide(&retracts, &targets, world);
        let otherwise = now
            .iter()
            .filter(|(of, pairs)| worth(pairs) != was.get(of).map(worth).unwrap_or_default())
            .map(|(of, _)| *of)
            .collect();
        // What decides is read whole.
        let positions = now.values().flatten().map(|pair| pair.target).collect();
        let whole = store::by_position(conn, self.reader, &positions).await?;
        let known: BTreeMap<Position, &Arc<Fact>> = retracts
            .iter()
            .chain(&whole)
            .chain(arrived)
            .map(|fact| (fact.gseq, fact))
            .collect();
        let both = |pair: &Decides| [pair.retract, pair.target];
        let on = now.iter().map(|(of, pairs)| {
            let facts = pairs.iter().flat_map(both).filter_map(|at| known.get(&at));
            (*of, facts.map(|fact| Arc::clone(fact)).collect())
        });
        Ok(Turns {
            on: on.collect(),
            otherwise,
        })
    }

    /// Whether the new events of corrections count depends on their retracts, and on what these strike: notes it of
    /// what came in, and of what was in and may be worth something else since these retracts, or what they mean,
    /// came in.
    pub(super) async fn corrections(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        retracts: &[Arc<Fact>],
        about: &mut About,
    ) -> Result<Turned, DbErr> {
        let of = |facts: &[Arc<Fact>]| -> BTreeSet<Correction> {
            facts.iter().filter_map(|fact| correction(fact)).collect()
        };
        let (new, touched) = (of(&change.arrived), of(retracts));
        let groups = new.union(&touched).map(|(_, group)| *group).collect();
        let turns = self.turns(conn, &change.arrived, &groups).await?;
        let turned = if change.again {
            BTreeSet::new()
        } else if change.entering {
            // What else came in meanwhile took this for noted.
            touched
        } else {
            touched.intersection(&turns.otherwise).copied().collect()
        };
        let turned = self.worth_else(conn, &change.arrived, &turned).await?;
        for fact in change.arrived.iter().chain(&turned.facts) {
            let on = correction(fact).filter(|_| fact.event.kind != Kind::Retract);
            for other in on.and_then(|of| turns.on.get(&of)).into_iter().flatten() {
                for (unit, _) in store::named(fact) {
                    about.relate(unit, DECIDES, other);
                }
            }
        }
        Ok(turned)
    }

    /// New events of these corrections that were in: as many as there is room for; the others enter once more.
    async fn worth_else(
        &mut self,
        conn: &impl ConnectionTrait,
        arrived: &[Arc<Fact>],
        turned: &BTreeSet<Correction>,
    ) -> Result<Turned, DbErr> {
        let groups = turned.iter().map(|(_, group)| *group).collect();
        let mut members = store::members_of(conn, &groups).await?;
        let arrived: BTreeSet<Position> = arrived.iter().map(|fact| fact.gseq).collect();
        members.retain(|member| {
            let is_new = member.kind != Kind::Retract && !arrived.contains(&member.gseq);
            is_new && turned.contains(&member.of)
        });
        let mut sum = 0;
        let has_room = |member: &Member| {
            // Each name, and what its correction turns on.
            sum += 2 * member.names();
            sum <= self.room.weight
        };
        let (now, later): (Vec<Member>, Vec<Member>) = members.into_iter().partition(has_room);
        let positions = now.iter().map(|member| member.gseq).collect();
        let mut facts = store::by_position(conn, self.reader, &positions).await?;
        facts.retain(|fact| correction(fact).is_some_and(|of| turned.contains(&of)));
        Ok(Turned { facts, now, later })
    }
}

/// What decides of each correction.
fn decide(
    retracts: &[Arc<Fact>],
    targets: &[Arc<Fact>],
    world: &World,
) -> BTreeMap<Correction, BTreeSet<Decides>> {
    let mut meanings: BTreeMap<Correction, Vec<Meaning<'_>>> = BTreeMap::new();
    for retract in retracts {
        let Some((of, id)) = correction(retract).zip(retract.event.target) else {
            continue;
        };
        let named = targets.iter().filter(|fact| fact.event.id == id);
        if let Some(target) = meant(retract, id, named.clone()) {
            meanings.entry(of).or_default().push(Meaning {
                retract,
                target,
                several: named.clone().nth(1).is_some(),
            });
        }
    }
    let pair = |of: Meaning<'_>| Decides {
        retract: of.retract.gseq,
        target: of.target.gseq,
        several: of.several,
        voids: !strikes(of.retract, of.target, world),
    };
    let decides = |meanings| deciding(meanings, world).into_iter().map(pair).collect();
    meanings
        .into_iter()
        .map(|(of, meanings)| (of, decides(meanings)))
        .collect()
}

/// What a correction's new events are worth: whether one of its retracts is without effect, however many are, and
/// what those mean that may have meant something else.
fn worth(pairs: &BTreeSet<Decides>) -> (bool, BTreeSet<(Position, Position)>) {
    let several = pairs.iter().filter(|pair| pair.several);
    (
        pairs.iter().any(|pair| pair.voids),
        several.map(|pair| (pair.retract, pair.target)).collect(),
    )
}
