//! The checker is checked (sync.md section 9): each of the 22 deliberate bugs, switched on alone, is
//! caught. Where the whole system can show a bug, the simulator must see it on real servers; where it
//! cannot, since the same function judges on both sides, a check that is not built on that function
//! must, on the log a run left behind: the slow oracle, the same facts told in another order or twice.

use crate::{ONE_AT_A_TIME, differential::differences, postgres, running};
use std::collections::BTreeMap;
use suyuan::simulate::{Options, Part, Ran};
use suyuan_sync::{
    bugs::{self, Bug},
    facts::{Fact, ShiftClosed, StatedAt, World},
    fold,
    order::Interval,
    time::{Timed, effective},
    unit::UnitKey,
};

/// Who catches a bug.
enum Watch {
    /// A run breaks an invariant.
    Run(fn(u64) -> Options),
    /// A check of the log that a run without bugs left.
    Log(&'static str, fn(&Log) -> bool),
}

/// What a run left.
struct Log {
    world: World,
    facts: Vec<Fact>,
}

impl Log {
    fn of(ran: &Ran) -> Log {
        Log {
            world: ran.world.clone(),
            facts: ran.facts.iter().map(|fact| (**fact).clone()).collect(),
        }
    }

    fn in_order(&self) -> Vec<&Fact> {
        let mut sorted: Vec<&Fact> = self.facts.iter().collect();
        sorted.sort_by_key(|fact| fact.order);
        sorted
    }
}

/// Everything goes wrong, on SQLite.
fn foul(seed: u64) -> Options {
    Options {
        steps: 160,
        every: 40,
        ..Options::of(seed)
    }
}

/// Two servers that work at the very same time.
fn race(seed: u64) -> Options {
    Options {
        steps: 160,
        every: 40,
        devices: 24,
        race: true,
        without: vec![Part::Faults, Part::Recalls, Part::Lots],
        database: postgres(),
        ..Options::of(seed)
    }
}

/// I15: the fold says otherwise than the slow oracle.
fn oracle(log: &Log) -> bool {
    !differences(&log.world, &log.facts).is_empty()
}

/// I15, with shifts that end between events and the retracts that strike them.
fn oracle_of_shifts(log: &Log) -> bool {
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
    world.shifts.sort_by_key(|shift| shift.at);
    !differences(&world, &log.facts).is_empty()
}

/// I9: the same facts, numbered as if they had come in the other way round, with ties to break.
fn order_of_arrival(log: &Log) -> bool {
    let hashes = |turned: bool| {
        let mut facts = log.facts.clone();
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
fn twice_is_once(log: &Log) -> bool {
    let none = BTreeMap::new();
    fold::about(&log.in_order())
        .iter()
        .any(|(unit, facts): (&UnitKey, _)| {
            let twice: Vec<&Fact> = facts.iter().flat_map(|fact| [*fact, *fact]).collect();
            let once = fold::fold(unit, facts, &none, &log.world);
            fold::fold(unit, &twice, &none, &log.world) != once
        })
}

/// Section 4: one wrong reading of a wall clock moves no event that comes later.
fn one_outlier(_: &Log) -> bool {
    let second = 1_000_000;
    let timed = |seq: u64, spike: i64| Timed {
        seq,
        interval: Interval {
            lo: 0,
            est: seq as i64 * second + spike,
            hi: 1_000 * second,
        },
    };
    let times = |spike| {
        let of = (1..=9).map(|seq| timed(seq, if seq == 4 { spike } else { 0 }));
        effective(&of.collect::<Vec<_>>())
    };
    times(0)[4..] != times(500 * second)[4..]
}

/// All of them, each with who must catch it.
const TABLE: [(Bug, Watch); 20] = [
    (
        Bug::TieInOwnFavour,
        Watch::Log("I9 on a run's log", order_of_arrival),
    ),
    (Bug::ReadBeforeLock, Watch::Run(race)),
    (
        Bug::DroppedOnConflict,
        Watch::Log("I15 on a run's log", oracle),
    ),
    (Bug::ReceiptOneTooHigh, Watch::Run(foul)),
    (Bug::AnswerBeforeCommit, Watch::Run(foul)),
    (
        Bug::DuplicateTwice,
        Watch::Log("I3 on a run's log", twice_is_once),
    ),
    (
        Bug::LateRetractIgnored,
        Watch::Log("I15 on a run's log", oracle_of_shifts),
    ),
    (
        Bug::StrangersRetract,
        Watch::Log("I15 on a run's log", oracle),
    ),
    (Bug::FindingsNeverClose, Watch::Run(foul)),
    (Bug::ForkOverwrites, Watch::Run(foul)),
    (Bug::GapBlocks, Watch::Run(foul)),
    (
        Bug::SpikeShiftsTheRest,
        Watch::Log("the rule of one outlier", one_outlier),
    ),
    (Bug::AnchorEqualsStamp, Watch::Run(foul)),
    (Bug::ChildMissed, Watch::Log("I15 on a run's log", oracle)),
    (Bug::PackCycle, Watch::Log("I15 on a run's log", oracle)),
    (Bug::ListTrusted, Watch::Log("I15 on a run's log", oracle)),
    (Bug::StrangersSale, Watch::Log("I15 on a run's log", oracle)),
    (Bug::ParkedForgotten, Watch::Run(foul)),
    (Bug::PoisonFailsBatch, Watch::Run(foul)),
    (Bug::HashOverRewritten, Watch::Run(foul)),
];

/// Switches a bug on for the whole process, and off again however it ends.
struct On(Bug);

impl On {
    fn with(bug: Bug) -> On {
        bugs::everywhere(bug, true);
        On(bug)
    }
}

impl Drop for On {
    fn drop(&mut self) {
        bugs::everywhere(self.0, false);
    }
}

/// Runs that look for a bug.
const SEEDS: std::ops::Range<u64> = 101..107;

fn caught_by(bug: Bug, watch: &Watch, logs: &[Log]) -> Option<String> {
    match watch {
        Watch::Run(options) => SEEDS.into_iter().find_map(|seed| {
            let options = options(seed);
            let on = On::with(bug);
            let ran = running(options);
            drop(on);
            match ran {
                Ok(ran) => Some(format!("seed {seed}: {}", ran.broken?.what)),
                Err(error) => Some(format!("seed {seed}: {error}")),
            }
        }),
        Watch::Log(name, judge) => logs.iter().find_map(|log| {
            assert!(!judge(log), "{bug:?} is noticed where it is not");
            let on = On::with(bug);
            let seen = judge(log);
            drop(on);
            seen.then(|| (*name).to_owned())
        }),
    }
}

#[test]
fn every_deliberate_bug_is_caught() {
    let _alone = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut logs = Vec::new();
    for seed in SEEDS {
        let ran = running(foul(seed)).expect("a run");
        assert!(ran.broken.is_none(), "without a bug: {ran}");
        logs.push(Log::of(&ran));
    }
    let mut missed = Vec::new();
    for (bug, watch) in &TABLE {
        let caught = caught_by(*bug, watch, &logs);
        let told = caught.as_deref().and_then(|told| told.lines().next());
        println!(
            "bug {:>2} {bug:?}: {}",
            bug.number(),
            told.unwrap_or("NOT CAUGHT")
        );
        if caught.is_none() {
            missed.push(bug);
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
