//! Runs that must hold, on both databases; and the same seed makes the same run.

use crate::{postgres, ran};
use std::collections::BTreeSet;
use suyuan::simulate::{Options, Part, Ran};
use suyuan_sync::{
    event::{Event, Kind},
    facts::Fact,
    finding::{Finding, FindingCode},
    invariants::complete::said,
};

/// Every invariant held.
fn held(ran: Ran) -> Ran {
    assert!(ran.broken.is_none(), "{ran}");
    ran
}

fn happened(ran: &Ran, what: &str) -> u64 {
    ran.tally.get(what).copied().unwrap_or_default()
}

/// Where it began: one handset, nothing goes wrong.
fn one_calm_handset(database: Option<String>) {
    let ran = held(ran(Options {
        steps: 80,
        devices: 1,
        servers: 1,
        every: 20,
        without: vec![Part::Faults],
        database,
        ..Options::of(1)
    }));
    assert!(ran.events >= 30, "{ran}");
}

#[test]
fn one_calm_handset_on_sqlite() {
    one_calm_handset(None);
}

#[test]
fn one_calm_handset_on_postgres() {
    one_calm_handset(Some(postgres()));
}

fn options(seed: u64, database: Option<String>) -> Options {
    Options {
        steps: 220,
        every: 55,
        database,
        ..Options::of(seed)
    }
}

/// With everything that can go wrong.
fn foul(seed: u64, database: Option<String>) -> Ran {
    let ran = held(ran(options(seed, database)));
    for what in [
        "died", "killed", "clock", "cut", "results", "together", "counter",
    ] {
        assert!(happened(&ran, what) > 0, "no {what} in {ran}");
    }
    ran
}

#[test]
fn seeds_hold_on_sqlite() {
    let (mut jumps, mut damaged, mut rarities) = (0, 0, Rarities::default());
    for seed in [11, 13, 15, 17] {
        let ran = foul(seed, None);
        jumps += happened(&ran, "servers' clock");
        damaged += happened(&ran, "found damaged");
        rarities.add(&ran);
    }
    assert!(jumps > 0, "the servers' clock stood well");
    assert!(damaged > 0, "nothing on a handset was damaged (I30)");
    rarities.all_happened();
}

/// What happens rarely, in several runs.
#[derive(Default)]
struct Rarities {
    found: BTreeSet<FindingCode>,
    /// By a container's own code.
    to_containers: BTreeSet<Kind>,
    packed_goods: usize,
    accepted: usize,
    in_documents: usize,
    filed: u64,
    /// Recalled goods that went to their maker, and not where their recall wants them.
    astray: usize,
}

impl Rarities {
    fn add(&mut self, ran: &Ran) {
        let facts: Vec<&Fact> = ran.facts.iter().map(AsRef::as_ref).collect();
        let findings = said(&ran.world, &facts).findings;
        self.found.extend(findings.iter().map(|found| found.code));
        let mut anywhere = ran.world.clone();
        for recall in &mut anywhere.recalls {
            recall.destinations.clear();
        }
        let shipped = |findings: &[Finding]| {
            let shipped = findings
                .iter()
                .filter(|found| found.code == FindingCode::ShipRecalled);
            shipped.cloned().collect::<BTreeSet<_>>()
        };
        let without = shipped(&said(&anywhere, &facts).findings);
        self.astray += shipped(&findings).difference(&without).count();
        let events = || facts.iter().map(|fact| &*fact.event);
        let of = |is: fn(&&Event) -> bool| events().filter(is).count();
        // Cases of the maker's, and pallets.
        let boxed = |event: &&Event| {
            let mut keys = event.units.iter().filter_map(|read| read.unit.as_ref());
            keys.any(|unit| {
                let key = unit.as_str();
                key.starts_with("/00/") || key.starts_with("/01/1952123400")
            })
        };
        self.to_containers
            .extend(events().filter(boxed).map(|event| event.kind));
        self.packed_goods += of(|event| event.kind == Kind::Pack && !event.lots.is_empty());
        self.accepted += of(|event| event.actor.supervisor && event.body.contains_key("accepted"));
        self.in_documents += of(|event| event.kind == Kind::Count && event.group.is_some());
        self.filed += happened(ran, "filed late");
    }

    fn all_happened(&self) {
        let never: Vec<_> = [
            FindingCode::CollectUnrecalled,
            FindingCode::SoldRecalled,
            FindingCode::MissingAtCount,
            FindingCode::SurplusAtCount,
            FindingCode::NegBalance,
            FindingCode::LotUnknown,
            FindingCode::ImpliedUnpack,
            FindingCode::UnexpectedHolder,
            FindingCode::UnknownRef,
            FindingCode::ShipRecalled,
            FindingCode::ReturnMismatch,
        ]
        .into_iter()
        .filter(|code| !self.found.contains(code))
        .collect();
        assert!(never.is_empty(), "never found: {never:?}");
        // Not all that may be is destroyed or looked at in a few runs.
        let (kinds, wanted) = (
            &self.to_containers,
            [Kind::Sale, Kind::Return, Kind::Collect],
        );
        assert!(wanted.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
        assert!(kinds.len() > 5, "{kinds:?}");
        let counted = (self.packed_goods, self.accepted, self.in_documents);
        let all = counted.0 > 0 && counted.1 > 0 && counted.2 > 0 && self.filed > 0;
        assert!(all, "{counted:?}, filed {}", self.filed);
        assert!(self.astray > 0, "all went where recalls want it");
        println!("{} recalled goods went astray", self.astray);
    }
}

#[test]
fn seeds_hold_on_two_servers_on_postgres() {
    for seed in [13, 21, 22] {
        foul(seed, Some(postgres()));
    }
}

/// All of it looked at after each step: what is wrong for a moment is wrong.
fn looked_at_each_step(seed: u64, database: Option<String>) {
    held(ran(Options {
        steps: 150,
        every: 1,
        ..options(seed, database)
    }));
}

#[test]
fn a_seed_holds_at_each_step_on_sqlite() {
    looked_at_each_step(14, None);
}

#[test]
fn a_seed_holds_at_each_step_on_postgres() {
    looked_at_each_step(26, Some(postgres()));
}

#[test]
fn a_seed_makes_one_run_on_either_database() {
    let of = |database| {
        ran(Options {
            servers: 1,
            steps: 120,
            ..options(31, database)
        })
    };
    let (first, second, elsewhere) = (of(None), of(None), of(Some(postgres())));
    assert!(first.events > 20, "{first}");
    assert_eq!(first.history, second.history, "{first}\n{second}");
    assert_eq!(first.history, elsewhere.history, "{first}\n{elsewhere}");
}

/// I10 of drawn runs: whichever of the servers on a database is asked, everything happens alike and the
/// same becomes of everything as where one of them does all the work. On SQLite there is but one, which
/// makes what one on PostgreSQL makes.
#[test]
fn i10_any_number_of_servers_makes_what_one_makes() {
    for seed in 41..45 {
        let of = |servers, one_works, database| {
            held(ran(Options {
                servers,
                steps: 90,
                devices: 24,
                every: 45,
                one_works,
                without: vec![Part::Faults],
                ..options(seed, database)
            }))
        };
        let servers = 2 + seed as usize % 2;
        for (one, other) in [
            (
                of(servers, true, Some(postgres())),
                of(servers, false, Some(postgres())),
            ),
            (of(1, true, Some(postgres())), of(1, true, None)),
        ] {
            assert!(one.events > 20, "{one}");
            assert_eq!(one.states, other.states, "{one}\n{other}");
            assert_eq!(one.history, other.history, "{one}\n{other}");
        }
    }
}
