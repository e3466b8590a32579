//! What is asked of the log a run left behind, where the run itself can show nothing: checks that are not
//! built on the function that is wrong. Each says what it puts to the log that the run did not.

use super::Log;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    admission::{self, Extent, Held},
    chain,
    event::{self, Kind, UnitRead},
    facts::{Fact, RecallScope, RecallSpan, ShiftClosed, StatedAt},
    finding::{Detail, Knowledge},
    fold,
    ids::{DeviceId, Epoch, EventId, RecallId},
    invariants::complete::differences,
    outbox::{Action, Command, Disk, Input, KeptAnchor, Outbox},
    time::{Timed, effective},
    unit::UnitKey,
};
use uuid::Uuid;

/// I15: the fold says otherwise than the slow oracle.
pub fn oracle(log: &Log) -> bool {
    !differences(&log.world, &log.facts).is_empty()
}

/// I15, with shifts that end between events and the retracts that strike them.
pub fn oracle_of_shifts(log: &Log) -> bool {
    let mut world = log.world.clone();
    for fact in &log.facts {
        if let Some(target) = fact.event.target
            && !fact.event.actor.supervisor
            && let Some(struck) = log.facts.iter().find(|fact| fact.event.id == target)
            && struck.order < fact.order
        {
            let at = struck.order.eff.midpoint(fact.order.eff);
            world.shifts.push(ShiftClosed {
                at: StatedAt { at, gseq: 1 },
                device: struck.event.device,
            });
        }
    }
    !differences(&world, &log.facts).is_empty()
}

/// I9: the same facts, numbered as if they had come in the other way round, with ties to break. Of
/// codes nobody here issued it counts who was received first (C14): they are left out.
pub fn order_of_arrival(log: &Log) -> bool {
    let issued = |key: &UnitKey| {
        let info = log.world.units.get(key);
        info.is_some_and(|info| info.issuer.is_some())
    };
    let hashes = |turned: bool| {
        let mut facts = log.facts.clone();
        facts.retain(|fact| {
            let mut named = fact.event.units.iter().chain(&fact.event.parent);
            named.all(|read| read.unit.as_ref().is_none_or(issued))
        });
        let n = facts.len() as i64;
        for (at, fact) in facts.iter_mut().enumerate() {
            fact.order.eff >>= 36;
            fact.gseq = if turned { n - at as i64 } else { at as i64 };
        }
        facts.sort_by_key(|fact| fact.order);
        let facts: Vec<&Fact> = facts.iter().collect();
        let hashes = fold::forest(&facts, &log.world).into_iter();
        hashes
            .map(|(unit, folded)| fold::state_hash(&unit, &folded))
            .collect::<Vec<_>>()
    };
    hashes(false) != hashes(true)
}

/// I3: each fact twice over gives what each once gives.
pub fn twice_is_once(log: &Log) -> bool {
    let none = BTreeMap::new();
    fold::about(&log.in_order(), &log.world)
        .iter()
        .any(|(unit, facts): (&UnitKey, _)| {
            let twice: Vec<&Fact> = facts.iter().flat_map(|fact| [*fact, *fact]).collect();
            let once = fold::fold(unit, facts, &none, &log.world);
            fold::fold(unit, &twice, &none, &log.world) != once
        })
}

/// C9: what the server delivered is held against what a device says of its recall list. Each sale of the
/// log, as if a recall of what it sold stood below what was delivered to its device, and above the list it
/// says it held.
pub fn list_is_doubted(log: &Log) -> bool {
    let sales = log.facts.iter().filter(|it| it.event.kind == Kind::Sale);
    let knew = |sale: &Fact| {
        let mut sale = sale.clone();
        sale.delivered = 10;
        let event = Arc::make_mut(&mut sale.event);
        (event.list_version, event.overridden) = (Some(1), None);
        let mut world = log.world.clone();
        world.recalls = vec![RecallSpan {
            recall: RecallId(Uuid::from_u128(5)),
            from: StatedAt { at: 1, gseq: 5 },
            closed: None,
            mistaken: false,
            scope: RecallScope {
                units: sale
                    .event
                    .units
                    .iter()
                    .filter_map(|read| read.unit.clone())
                    .collect(),
                ..RecallScope::default()
            },
            destinations: BTreeSet::new(),
        }];
        let forest = fold::forest(&[&sale], &world);
        let mut found = forest.values().flat_map(|folded| &folded.findings);
        found.any(|finding| {
            matches!(
                finding.detail,
                Detail::SoldRecalled {
                    knowledge: Knowledge::Knew,
                    ..
                }
            )
        })
    };
    !sales.take(40).any(knew)
}

/// Each life of a device in the log, as it went.
fn lives(log: &Log) -> BTreeMap<(DeviceId, Epoch), Vec<&Fact>> {
    let mut lives: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    for fact in &log.facts {
        let event = &fact.event;
        lives
            .entry((event.device, event.epoch))
            .or_default()
            .push(fact);
    }
    for life in lives.values_mut() {
        life.sort_by_key(|fact| fact.event.seq);
    }
    lives
}

/// Section 4: one wrong reading of a wall clock moves another event by its gap to its own neighbour
/// at most. Of each stretch of a log in which a device's clock went well, every reading in turn is
/// set wrong, as far as what is known for certain lets it.
pub fn one_outlier(log: &Log) -> bool {
    const STRETCH: usize = 6;
    lives(log).values().any(|life| {
        life.windows(STRETCH).any(|stretch| {
            let timed = |fact: &&Fact| Timed {
                seq: fact.event.seq,
                interval: fact.interval,
            };
            let timed: Vec<Timed> = stretch.iter().map(timed).collect();
            went_well(&timed) && (0..STRETCH).any(|at| moves_others(&timed, at))
        })
    })
}

/// What was read lies within what is known, and rises.
fn went_well(timed: &[Timed]) -> bool {
    let within = |it: &Timed| (it.interval.lo..=it.interval.hi).contains(&it.interval.est);
    timed.iter().all(within)
        && timed.is_sorted_by_key(|it| it.interval.est)
        && timed.is_sorted_by_key(|it| it.interval.lo)
}

/// Does a wrong reading here move any other event too far?
fn moves_others(timed: &[Timed], at: usize) -> bool {
    let est = |k: usize| timed[k].interval.est;
    let right = effective(timed);
    let Timed { interval, .. } = timed[at];
    [interval.lo, interval.hi].into_iter().any(|wrong| {
        let mut with = timed.to_vec();
        with[at].interval.est = wrong;
        let moved = effective(&with);
        (0..timed.len()).filter(|k| *k != at).any(|k| {
            let next = if k + 1 < timed.len() {
                est(k + 1) - est(k)
            } else {
                0
            };
            let last = if k > 0 {
                est(k) - est(k - 1)
            } else {
                est(0) - timed[0].interval.lo
            };
            (right[k] - moved[k]).abs() > next.max(last)
        })
    })
}

/// T4: an event behind a gap is taken in at once. Of each event of the log but the first of a life:
/// as if it were the first that came in.
pub fn behind_a_gap(log: &Log) -> bool {
    let alone = |fact: &&Fact| fact.event.seq > 1 && fact.event.group.is_none();
    log.facts.iter().filter(alone).any(|fact| {
        let (device, epoch, seq) = (fact.event.device, fact.event.epoch, fact.event.seq);
        let (before, texts) = (chain::genesis(device, epoch), vec![fact.event.write()]);
        let batch = admission::read(device, epoch, seq, before, texts, event::parse);
        let held = Held {
            extent: Extent::empty(device, epoch),
            revoked: false,
            rows: Vec::new(),
            taken: BTreeSet::new(),
            groups: BTreeMap::new(),
        };
        let decision = admission::admit(&held, &batch.expect("a batch")).expect("a decision");
        let judged = &decision.judged;
        !judged.iter().all(|one| one.kept().outcome.in_state())
    })
}

/// Section 4: of anchors the greatest is kept, though it is not the latest. Of each life of a device,
/// the anchors its events carry: the first comes again, late, after the last.
pub fn greatest_anchor(log: &Log) -> bool {
    lives(log).into_iter().any(|((device, epoch), life)| {
        let anchors: BTreeSet<&String> = life
            .iter()
            .filter_map(|fact| fact.event.anchor.as_ref())
            .collect();
        let (Some(least), Some(greatest)) = (anchors.first(), anchors.last()) else {
            return false;
        };
        let kept = KeptAnchor::new((*greatest).clone(), 0);
        let mut outbox = Outbox::new(Disk::new(device, epoch, Some(kept)));
        let input = |command| Input {
            now: 1,
            jitter: 0,
            command,
        };
        let late = Command::Checkpoint {
            cursor: 1,
            anchor: (*least).clone(),
            wall: 1,
            fates: Vec::new(),
            anew: false,
        };
        for action in outbox.take(input(late)) {
            if let Action::Persist { write } = action {
                outbox.take(input(Command::Committed { write: write.id }));
            }
        }
        let kept = outbox.disk().anchor.as_ref();
        kept.is_none_or(|kept| kept.text != **greatest)
    })
}

/// C12: two things are never in each other. Behind each pack of the log comes the same turned round: the
/// container into what was put into it.
pub fn in_each_other(log: &Log) -> bool {
    let mut packs = log
        .facts
        .iter()
        .filter(|fact| fact.event.kind == Kind::Pack);
    packs.any(|pack| {
        let (Some(parent), Some(child)) = (&pack.event.parent, pack.event.units.first()) else {
            return false;
        };
        let mut turned = pack.clone();
        turned.order.seq += 1;
        turned.gseq += 1;
        let event = Arc::make_mut(&mut turned.event);
        event.id = EventId(Uuid::from_u128(event.id.0.as_u128() ^ 1));
        (turned.order.event, event.seq) = (event.id, event.seq + 1);
        (event.parent, event.units) = (Some(child.clone()), vec![parent.clone()].into());
        let forest = fold::forest(&[pack, &turned], &log.world);
        let inside = |read: &UnitRead, container: &UnitRead| {
            let unit = read.unit.as_ref().and_then(|unit| forest.get(unit));
            unit.is_some_and(|folded| {
                folded.state.inside.is_some() && folded.state.inside == container.unit
            })
        };
        inside(parent, child) && inside(child, parent)
    })
}
