//! Runs that must hold, on both databases; and the same seed makes the same run.

use crate::{differential::differences, postgres, ran};
use suyuan::simulate::{Options, Part, Ran};
use suyuan_sync::facts::Fact;

/// Every invariant held, and fold and oracle agree about the log that came of it (I15).
fn held(ran: Ran) -> Ran {
    assert!(ran.broken.is_none(), "{ran}");
    let facts: Vec<Fact> = ran.facts.iter().map(|fact| (**fact).clone()).collect();
    let unlike = differences(&ran.world, &facts);
    assert!(unlike.is_empty(), "seed {}: {unlike:#?}", ran.seed);
    ran
}

fn happened(ran: &Ran, what: &str) -> u64 {
    ran.tally.get(what).copied().unwrap_or_default()
}

/// Where it began: one handset, nothing goes wrong.
fn one_calm_handset(database: Option<String>) {
    let ran = held(ran(Options {
        steps: 60,
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
    let mut jumps = 0;
    for seed in [11, 12, 13] {
        jumps += happened(&foul(seed, None), "servers' clock");
    }
    assert!(jumps > 0, "the servers' clock stood well");
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
    looked_at_each_step(23, Some(postgres()));
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

#[test]
fn i10_two_servers_make_what_one_makes() {
    let of = |one_works| {
        held(ran(Options {
            servers: 2,
            steps: 150,
            one_works,
            without: vec![Part::Faults],
            ..options(41, Some(postgres()))
        }))
    };
    let (one, two) = (of(true), of(false));
    assert!(one.events > 20, "{one}");
    assert_eq!(one.history, two.history, "{one}\n{two}");
}
