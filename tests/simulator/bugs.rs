//! The checker is checked (sync.md section 9): deliberate bugs, switched on alone, are caught. Where the
//! whole system can show a bug, the simulator must see it on real servers, in a run that holds without it;
//! where it cannot, since the same function judges on both sides, a check that is not built on that function
//! must, on the log a run left behind: the slow oracle, the same facts told in another order or twice.

use crate::{ONE_AT_A_TIME, postgres, running};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan::simulate::{Options, Part, Ran};
use suyuan_sync::{
    admission::{self, Extent, Held},
    bugs::{self, Bug},
    chain,
    event::{self, Event, Input as Read, Kind, UnitRead},
    facts::{Fact, RecallScope, RecallSpan, ShiftClosed, StatedAt, World},
    finding::{Detail, Knowledge},
    fold,
    ids::{DeviceId, EnterpriseId, EventId, RecallId},
    invariants::complete::differences,
    order::{Interval, Order},
    outbox::{Action, Command, Disk, Input, KeptAnchor, Outbox},
    time::{Timed, effective},
    unit::UnitKey,
};
use uuid::Uuid;

/// Who catches a bug.
enum Watch {
    /// A run breaks this invariant.
    Run(&'static str, fn(u64) -> Options),
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
        database: Some(postgres()),
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
    !differences(&world, &log.facts).is_empty()
}

/// I9: the same facts, numbered as if they had come in the other way round, with ties to break. Of
/// codes nobody here issued it counts who was received first (C14): they are left out.
fn order_of_arrival(log: &Log) -> bool {
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
fn twice_is_once(log: &Log) -> bool {
    let none = BTreeMap::new();
    fold::about(&log.in_order(), &log.world)
        .iter()
        .any(|(unit, facts): (&UnitKey, _)| {
            let twice: Vec<&Fact> = facts.iter().flat_map(|fact| [*fact, *fact]).collect();
            let once = fold::fold(unit, facts, &none, &log.world);
            fold::fold(unit, &twice, &none, &log.world) != once
        })
}

/// Section 4: one wrong reading of a wall clock moves another event by its gap to its own neighbour
/// at most.
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
    let (plain, spiked) = (times(0), times(500 * second));
    let later = plain.iter().zip(&spiked).skip(4);
    later
        .map(|(one, other)| (other - one).abs())
        .any(|moved| moved > second)
}

/// T4: an event behind a gap is taken in at once.
fn behind_a_gap(_: &Log) -> bool {
    let (device, epoch) = (device(), 1);
    let id = EventId(Uuid::from_u128(7 << 76 | 1));
    let text = Event::bare(Kind::Sale, id, device, epoch, 3, 1_000_000).write();
    let before = chain::genesis(device, epoch);
    let batch = admission::read(device, epoch, 3, before, vec![text], event::parse);
    let held = Held {
        extent: Extent::empty(device, epoch),
        revoked: false,
        rows: Vec::new(),
        taken: BTreeSet::new(),
        groups: BTreeMap::new(),
    };
    let decision = admission::admit(&held, &batch.expect("a batch")).expect("a decision");
    !decision
        .judged
        .iter()
        .all(|judged| judged.kept().outcome.in_state())
}

/// Section 4: of anchors the greatest is kept, though it is not the latest.
fn greatest_anchor(_: &Log) -> bool {
    let kept = |text: &str| KeptAnchor {
        text: text.into(),
        wall: 0,
    };
    let mut outbox = Outbox::new(Disk::new(device(), 1, Some(kept("b"))));
    let input = |command| Input {
        now: 1,
        jitter: 0,
        command,
    };
    let older = Command::Checkpoint {
        cursor: 1,
        anchor: "a".into(),
        wall: 1,
        fates: Vec::new(),
        anew: false,
    };
    for action in outbox.take(input(older)) {
        if let Action::Persist { write } = action {
            outbox.take(input(Command::Committed { write: write.id }));
        }
    }
    outbox
        .disk()
        .anchor
        .as_ref()
        .is_none_or(|kept| kept.text != "b")
}

/// C12: two things are never in each other.
fn in_each_other(log: &Log) -> bool {
    let (one, other) = (code(1), code(2));
    let facts = [pack(1, &one, &other), pack(2, &other, &one)];
    let facts: Vec<&Fact> = facts.iter().collect();
    let forest = fold::forest(&facts, &log.world);
    let inside = |read: &UnitRead| {
        let unit = read.unit.as_ref().and_then(|unit| forest.get(unit));
        unit.is_some_and(|folded| folded.state.inside.is_some())
    };
    inside(&one) && inside(&other)
}

/// C9: what the server delivered is held against what a device says of its recall list.
fn list_is_doubted(log: &Log) -> bool {
    let tin = code(3);
    let mut sale = fact(9, Kind::Sale);
    sale.delivered = 10;
    let mut event = (*sale.event).clone();
    (event.units, event.list_version) = (vec![tin.clone()].into(), Some(1));
    sale.event = Arc::new(event);
    let mut world = log.world.clone();
    world.recalls = vec![RecallSpan {
        recall: RecallId(Uuid::from_u128(5)),
        from: StatedAt { at: 1, gseq: 5 },
        closed: None,
        mistaken: false,
        scope: RecallScope {
            units: tin.unit.iter().cloned().collect(),
            ..RecallScope::default()
        },
        destinations: BTreeSet::new(),
    }];
    let forest = fold::forest(&[&sale], &world);
    let mut found = forest.values().flat_map(|folded| &folded.findings);
    let knew = |detail: &Detail| {
        matches!(
            detail,
            Detail::SoldRecalled {
                knowledge: Knowledge::Knew,
                ..
            }
        )
    };
    !found.any(|finding| knew(&finding.detail))
}

fn device() -> DeviceId {
    DeviceId(Uuid::from_u128(7))
}

fn code(n: u32) -> UnitRead {
    UnitRead::of(
        &format!("https://id.example.cn/01/06901234567892/21/Z{n}"),
        Read::Wedge,
    )
}

fn fact(seq: u64, kind: Kind) -> Fact {
    let id = EventId(Uuid::from_u128(7 << 76 | u128::from(seq)));
    let eff = 1_800_000_000_000_000 + seq as i64 * 1_000_000;
    Fact {
        order: Order {
            eff,
            device: device(),
            epoch: 1,
            seq,
            event: id,
        },
        interval: Interval {
            lo: eff,
            est: eff,
            hi: eff,
        },
        gseq: 100 + seq as i64,
        enterprise: EnterpriseId(Uuid::from_u128(3)),
        event: Arc::new(Event::bare(kind, id, device(), 1, seq, eff)),
        delivered: 0,
        flags: Vec::new(),
    }
}

fn pack(seq: u64, parent: &UnitRead, child: &UnitRead) -> Fact {
    let mut fact = fact(seq, Kind::Pack);
    let mut event = (*fact.event).clone();
    (event.parent, event.units) = (Some(parent.clone()), vec![child.clone()].into());
    fact.event = Arc::new(event);
    fact
}

const ORACLE: &str = "I15 on a run's log";

/// Each with who must catch it. 19, of snapshots, is caught in `handheld/snapshots.rs`, where what devices
/// hold is held against the service; so is 2 besides.
const TABLE: [(Bug, Watch); 21] = [
    (Bug::CursorOffByOne, Watch::Run("I21", foul)),
    (
        Bug::TieInOwnFavour,
        Watch::Log("I9 on a run's log", order_of_arrival),
    ),
    (Bug::ReadBeforeLock, Watch::Run("I8", race)),
    (Bug::DroppedOnConflict, Watch::Run("I15", foul)),
    (Bug::ReceiptOneTooHigh, Watch::Run("I5", foul)),
    (Bug::AnswerBeforeCommit, Watch::Run("I1", foul)),
    (
        Bug::DuplicateTwice,
        Watch::Log("I3 on a run's log", twice_is_once),
    ),
    (
        Bug::LateRetractIgnored,
        Watch::Log(ORACLE, oracle_of_shifts),
    ),
    (Bug::StrangersRetract, Watch::Run("I15", foul)),
    (Bug::FindingsNeverClose, Watch::Run("I8", foul)),
    // The database has one place for an event of the first branch.
    (Bug::ForkOverwrites, Watch::Run("I18", foul)),
    (Bug::GapBlocks, Watch::Log("T4", behind_a_gap)),
    (
        Bug::SpikeShiftsTheRest,
        Watch::Log("the rule of one outlier", one_outlier),
    ),
    (
        Bug::AnchorEqualsStamp,
        Watch::Log("the greatest anchor", greatest_anchor),
    ),
    (Bug::ChildMissed, Watch::Log(ORACLE, oracle)),
    (Bug::PackCycle, Watch::Log("C12", in_each_other)),
    (Bug::ListTrusted, Watch::Log("C9", list_is_doubted)),
    (Bug::StrangersSale, Watch::Run("I15", foul)),
    (Bug::ParkedForgotten, Watch::Run("I28", foul)),
    (Bug::PoisonFailsBatch, Watch::Run("I26", foul)),
    (Bug::HashOverRewritten, Watch::Run("I1", foul)),
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
const SEEDS: std::ops::Range<u64> = 101..113;
/// Runs whose logs are kept.
const LOGS: std::ops::Range<u64> = 101..106;

/// Runs that hold without any bug: by their seed, and whether two servers race in them.
type Sound = BTreeSet<(u64, bool)>;

fn caught_by(bug: Bug, watch: &Watch, logs: &[Log], sound: &mut Sound) -> Option<String> {
    match watch {
        Watch::Run(invariant, options) => SEEDS.into_iter().find_map(|seed| {
            let on = On::with(bug);
            let ran = running(options(seed));
            drop(on);
            let broken = ran.expect("a run").broken?;
            let told = format!("seed {seed}: {broken}");
            if broken.invariant != *invariant {
                return None;
            }
            let same = options(seed);
            if sound.insert((seed, same.race)) {
                let without = running(same).expect("a run");
                assert!(without.broken.is_none(), "without a bug: {without}");
            }
            Some(told)
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
fn each_deliberate_bug_is_caught() {
    let _alone = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut logs = Vec::new();
    for seed in LOGS {
        // Where all scan the same few things, little is packed and moved.
        for without in [vec![Part::Crowds], Vec::new()] {
            let options = Options {
                without,
                ..foul(seed)
            };
            let ran = running(options).expect("a run");
            assert!(ran.broken.is_none(), "without a bug: {ran}");
            logs.push(Log::of(&ran));
        }
    }
    let (mut missed, mut sound) = (Vec::new(), Sound::new());
    for (bug, watch) in &TABLE {
        let caught = caught_by(*bug, watch, &logs, &mut sound);
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
