//! Golden traces: commands with the actions and the outbox after each, from seeded runs. The web
//! app's outbox takes the same commands and must show the same pictures.
//!
//! `cargo test -p suyuan-sync --test outbox write_the_traces -- --ignored` writes them anew.

use crate::{
    driver::{Do, Turned, World},
    world::DEVICE,
};
use serde::{Deserialize, Serialize};
use suyuan_sync::{
    ids::{DeviceId, Epoch, Micros},
    outbox::{Action, Command, Disk, Input, KeptAnchor, Key, Outbox, Picture},
    wire::Receipt,
};

#[derive(Serialize, Deserialize)]
struct Traces {
    about: String,
    traces: Vec<Trace>,
}

/// One device from its enrolment on.
#[derive(Serialize, Deserialize)]
struct Trace {
    seed: u64,
    device: DeviceId,
    epoch: Epoch,
    anchor: Option<KeptAnchor>,
    sessions: Vec<Session>,
}

/// From one start of the program to its death: how many of the transactions then being written
/// came through. Or the storage is set back to where it stood when the session began.
#[derive(Serialize, Deserialize)]
struct Session {
    /// What the storage did to texts before it began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    damage: Vec<(Key, String)>,
    /// What else it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turned: Option<Turned>,
    steps: Vec<Step>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dies_after: Option<usize>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    set_back: bool,
}

#[derive(Serialize, Deserialize)]
struct Step {
    input: Input,
    actions: Vec<Action>,
    after: Picture,
}

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/golden/outbox_traces.json"
);

fn dice(seed: &mut u64) -> u32 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as u32
}

/// The devices whose storage turns bits.
const DAMAGED: std::ops::RangeInclusive<u64> = 5..=6;

/// Those whose storage turns anything else.
const TURNED: std::ops::RangeInclusive<u64> = 7..=10;

/// Those who work on in calm at the end, while weeks pass by the server's clock.
const WEEKS: std::ops::RangeInclusive<u64> = 2..=3;

/// Those whose pushes are refused every other time, and that are woken often.
const REFUSED: std::ops::RangeInclusive<u64> = 11..=12;

const CALM: [Do; 7] = [
    Do::EnrolAgain,
    Do::Scan(1),
    Do::Commit(3),
    Do::Pass(60_000),
    Do::Arrive(0),
    Do::Answer(0),
    Do::Commit(3),
];

const WEEK: Micros = 8 * 86_400_000_000;

fn damage(disk: &mut Disk, texts: &[(Key, String)]) {
    for (key, text) in texts {
        disk.rows.get_mut(key).unwrap().text = text.as_str().into();
    }
}

fn next(seed: &mut u64) -> Do {
    let n = dice(seed) as u8;
    match dice(seed) % 45 {
        0..=8 => Do::Scan(n),
        9..=18 => Do::Commit(n),
        19 => Do::FailWrite(n),
        20..=22 => Do::Pass(dice(seed) % 3_000),
        23 => Do::Pass(dice(seed) % 60_000),
        24 => Do::Wake,
        25..=30 => Do::Arrive(n),
        31 => Do::Vanish(n),
        32 => Do::Refuse(n, [400, 401, 413, 429, 500, 503][usize::from(n % 6)]),
        33 => Do::Cut,
        34..=40 => Do::Answer(n),
        41 => Do::Mute(n),
        42 => Do::Pull,
        43 => Do::Snapshot,
        _ => Do::EnrolAgain,
    }
}

/// What happens to one of these instead.
fn refused(action: Do) -> Do {
    match action {
        Do::Arrive(n) if n % 2 == 0 => Do::Refuse(n / 2, [400, 401, 413][usize::from(n / 2 % 3)]),
        Do::Pass(ms) if ms % 3 == 0 => Do::Wake,
        action => action,
    }
}

fn trace(seed: u64) -> Trace {
    let mut rest = seed;
    let mut world = World::new();
    let disk = world.outbox.disk().clone();
    let mut sessions = Vec::new();
    for session in 0..3 {
        let mut damage = Vec::new();
        if session > 0 && DAMAGED.contains(&seed) {
            for _ in 0..2 {
                world.run(Do::Flip(dice(&mut rest) as u16));
            }
            let row = |key: &Key| world.outbox.disk().rows.get(key);
            for (key, text) in &world.flipped {
                // What was set back may be as it was.
                if row(key).is_some_and(|row| *row.text == **text) {
                    damage.push((*key, text.clone()));
                }
            }
        }
        if session > 0 && TURNED.contains(&seed) {
            world.run(Do::Turn(dice(&mut rest) as u16));
        }
        let turned = Some(world.turned.clone()).filter(|turned| *turned != Turned::default());
        // The driver's own steps after a restart belong to the session.
        let signed = |receipt: &Receipt| world.signed.contains(receipt);
        let mut outbox = Outbox::begin(world.found.clone(), signed);
        world.run(Do::Backup);
        let mut from = world.began;
        let mut steps = Vec::new();
        let is_long = session == 2 && WEEKS.contains(&seed);
        for step in 0..if is_long { 150 } else { 80 } {
            let calm = CALM[step % CALM.len()];
            if step > 80 && step % 14 == 0 {
                world.stamp += WEEK;
            }
            world.run(match step < 80 {
                true if REFUSED.contains(&seed) => refused(next(&mut rest)),
                true => next(&mut rest),
                false => calm,
            });
            for step in &world.steps[from..] {
                let actions = outbox.take(step.input.clone());
                assert_eq!(actions, step.actions);
                steps.push(Step {
                    input: step.input.clone(),
                    actions,
                    after: outbox.picture(),
                });
            }
            from = world.steps.len();
        }
        // Every device but the first is set back once.
        let set_back = session == 1 && seed > 1 && !TURNED.contains(&seed);
        let dies_after = dice(&mut rest) as usize % (world.outbox.writing() + 1);
        sessions.push(Session {
            damage,
            turned,
            steps,
            dies_after: (!set_back).then_some(dies_after),
            set_back,
        });
        world.run(if set_back {
            Do::Restore
        } else {
            Do::Crash(dies_after as u8)
        });
    }
    Trace {
        seed,
        device: DEVICE,
        epoch: 1,
        anchor: disk.anchor,
        sessions,
    }
}

fn all() -> Traces {
    Traces {
        about: "A new outbox of `device`, `epoch`, `anchor` takes each `input`, answers `actions` \
                and then shows `after`. When a session ends, the first `dies_after` of the \
                transactions being written are applied to the storage, and the next session \
                begins with what is there; after a session that is `set_back` it begins with \
                what was there when that session began. Where a session has `damage`, these \
                texts stand on the storage instead before it begins; a push that is to hold \
                one is not made, and `damaged` follows. Where it has something `turned`, that \
                stands there instead, and receipts of it are signed by nobody."
            .to_owned(),
        traces: (1..=12).map(trace).collect(),
    }
}

#[test]
#[ignore = "writes the golden traces"]
fn write_the_traces() {
    let text = serde_json::to_string(&all()).unwrap();
    // A step a line: differences can be read.
    std::fs::write(PATH, text.replace("{\"input\"", "\n{\"input\"") + "\n").unwrap();
}

#[test]
fn the_golden_traces_replay() {
    let golden: Traces =
        serde_json::from_str(include_str!("../golden/outbox_traces.json")).unwrap();
    let mut steps = 0;
    for trace in golden.traces {
        let mut disk = Disk::new(trace.device, trace.epoch, trace.anchor);
        for session in trace.sessions {
            let before = disk.clone();
            damage(&mut disk, &session.damage);
            let turned = session.turned.unwrap_or_default();
            turned.put(&mut disk);
            let signed = |receipt: &Receipt| !turned.receipts.contains(receipt);
            let mut outbox = Outbox::begin(disk, signed);
            let mut found = None;
            for step in session.steps {
                let said = match &step.input.command {
                    Command::Damaged { keys } => Some(keys.clone()),
                    _ => None,
                };
                assert_eq!(found, said, "before {:?}", step.input);
                let actions = outbox.take(step.input.clone());
                assert_eq!(actions, step.actions, "{:?}", step.input);
                assert_eq!(outbox.picture(), step.after, "{:?}", step.input);
                found = actions.iter().find_map(|action| match action {
                    Action::Send {
                        epoch, first, last, ..
                    } => outbox.push(*epoch, *first, *last).err(),
                    _ => None,
                });
                steps += 1;
            }
            disk = if session.set_back {
                before
            } else {
                outbox.crash(session.dies_after.unwrap_or_default())
            };
        }
    }
    assert!(steps > 300, "{steps} steps");
}

#[test]
fn the_golden_traces_are_those_of_today() {
    let golden = include_str!("../golden/outbox_traces.json");
    let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
    assert!(
        golden == serde_json::to_value(all()).unwrap(),
        "see the head of this file"
    );
}

#[test]
fn the_golden_traces_show_every_command_action_and_state() {
    let golden = include_str!("../golden/outbox_traces.json");
    for word in [
        "capture",
        "committed",
        "not_written",
        "due",
        "wake",
        "answer",
        "lost",
        "refused",
        "checkpoint",
        "damaged",
        "new_epoch",
        "persist",
        "send",
        "wait_until",
        "show",
    ] {
        assert!(golden.contains(&format!("\"do\":\"{word}\"")), "{word}");
    }
    assert!(
        golden.contains("\"anew\":true"),
        "a snapshot after a position that is gone"
    );
    assert!(golden.contains("\"drop\":["), "weeks pass");
    assert!(
        golden.contains("\"turns\":1"),
        "a device wakes to which something is refused"
    );
    for word in ["doubted", "strayed"] {
        assert!(golden.contains(&format!("\"say\":\"{word}\"")), "{word}");
    }
    for state in [
        "captured",
        "durable",
        "sent",
        "receipted",
        "settled",
        "needs_attention",
        "damaged",
        "doubted",
    ] {
        assert!(golden.contains(&format!("\"{state}\":[[")), "{state}");
    }
}
