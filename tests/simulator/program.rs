//! The program itself, as somebody runs it who looks for what is broken: `suyuan simulate --seed N` ends
//! with exit status 1 where a promise does not hold, names it last, and with the same seed it breaks at the
//! same step again. It ends with 0 where all hold, and with 2 where it could not go on.

use std::process::{Command, Stdio};

/// Exit status, and standard output.
fn simulate(words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suyuan-node"));
    command.arg("simulate").args(words).stdin(Stdio::null());
    let ended = command.output().expect("the program");
    let told = String::from_utf8(ended.stdout).expect("text");
    if told.is_empty() {
        eprintln!("{}", String::from_utf8_lossy(&ended.stderr));
    }
    (ended.status.code(), told)
}

fn last_line(told: &str) -> &str {
    told.lines().last().unwrap_or_default()
}

#[test]
fn a_seed_that_breaks_ends_with_1_names_the_invariant_and_breaks_at_the_same_step_again() {
    // One that shows at a step, and one that shows when the log is looked at as a whole.
    for (bug, seed, invariant) in [("5", "101", "I5"), ("10", "101", "I8")] {
        let words = [
            "--seed", seed, "--steps", "160", "--every", "20", "--bug", bug,
        ];
        let (status, told) = simulate(&words);
        assert_eq!(status, Some(1), "{told}");
        let broken = told
            .lines()
            .find(|line| line.starts_with("step "))
            .unwrap_or_else(|| panic!("nothing is named: {told}"));
        let (step, what) = broken.split_once(": ").expect("a step and what broke");
        assert!(step.ends_with(&format!(" of seed {seed}")), "{broken}");
        let named = what.strip_prefix(&format!("{invariant} is broken: "));
        assert!(named.is_some_and(|what| !what.is_empty()), "{broken}");
        // All that is told: what happened, how often, and what broke where.
        assert_eq!(simulate(&words), (status, told), "seed {seed}");
    }
}

#[test]
fn a_seed_that_holds_ends_with_0_and_says_so() {
    let words = ["--seed", "101", "--steps", "40", "--devices", "8"];
    let (status, told) = simulate(&words);
    assert_eq!(status, Some(0), "{told}");
    assert_eq!(last_line(&told), "every invariant held");
}

#[test]
fn a_bug_that_there_is_not_is_refused() {
    let (status, told) = simulate(&["--seed", "101", "--bug", "23"]);
    assert_eq!((status, told.as_str()), (Some(2), ""));
}

/// Whoever looks for a seed that breaks something must not take this for one.
#[test]
fn a_run_that_cannot_go_on_ends_with_2() {
    let nowhere = "sqlite:///proc/nowhere/run.db";
    let (status, told) = simulate(&["--seed", "101", "--database", nowhere]);
    assert_eq!((status, told.as_str()), (Some(2), ""));
}
