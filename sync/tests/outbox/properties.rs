//! What must hold whatever storage, network, server and people do: I1, I4, I26 of sync.md
//! section 9 as seen from the device. Losses are looked for after every step, by the driver.

use crate::driver::{Do, World};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::outbox::{Action, Key};

/// Ten minutes: twice the longest wait.
const LONG: u64 = 600_000;

fn fault() -> impl Strategy<Value = Do> {
    prop_oneof![
        8 => any::<u8>().prop_map(Do::Scan),
        8 => any::<u8>().prop_map(Do::Commit),
        1 => any::<u8>().prop_map(Do::FailWrite),
        4 => prop_oneof![0..2000u32, 0..60_000u32].prop_map(Do::Pass),
        1 => Just(Do::Wake),
        6 => any::<u8>().prop_map(Do::Arrive),
        2 => any::<u8>().prop_map(Do::Vanish),
        2 => (any::<u8>(), prop_oneof![Just(400), Just(401), Just(413), Just(429), Just(500), Just(503)])
            .prop_map(|(n, status)| Do::Refuse(n, status)),
        1 => Just(Do::Cut),
        6 => any::<u8>().prop_map(Do::Answer),
        2 => any::<u8>().prop_map(Do::Mute),
        2 => Just(Do::Pull),
        1 => Just(Do::Snapshot),
        1 => any::<u8>().prop_map(Do::Crash),
    ]
}

fn nemesis() -> impl Strategy<Value = Do> {
    prop_oneof![
        20 => fault(),
        1 => Just(Do::Backup),
        1 => Just(Do::Restore),
        1 => Just(Do::EnrolAgain),
    ]
}

/// All that was promised is on the server, byte for byte, and once for each number of a life
/// unless there were two copies.
fn all_is_home(world: &World) -> Result<(), TestCaseError> {
    for (key, text) in &world.promised {
        prop_assert!(world.has(key.0, text), "{:?} is lost", key);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// I1 and I26: whatever happened, once all works again the outbox drains without a new scan,
    /// and nothing that was durable is lost, wherever the program died.
    #[test]
    fn after_healing_the_outbox_drains_and_nothing_is_lost(
        steps in prop::collection::vec(fault(), 1..120),
    ) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        prop_assert!(world.heal(LONG).is_some(), "wedged: {:?}", world.outbox.picture());
        all_is_home(&world)?;
        let store = world.store(1);
        prop_assert!(store.forks.is_empty(), "one device is no fork of itself");
        let keys: Vec<u64> = store.rows.iter().map(|row| row.kept.seq).collect();
        prop_assert_eq!(keys.len() as u64, store.extent.contiguous, "once each and dense");
    }

    /// The same when the storage is set back: what the device still held, or the server, is kept.
    #[test]
    fn a_storage_that_was_set_back_loses_nothing_it_still_held(
        steps in prop::collection::vec(nemesis(), 1..160),
    ) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        prop_assert!(world.heal(LONG).is_some(), "wedged: {:?}", world.outbox.picture());
        all_is_home(&world)?;
    }

    /// I30: a bit that turned in the queue is found and located, nothing else is taken for damaged, no
    /// such text ever goes out, and all others arrive.
    #[test]
    fn i30_a_flipped_bit_in_the_queue_is_found_and_harms_no_other_event(
        steps in prop::collection::vec(
            prop_oneof![30 => fault(), 1 => any::<u16>().prop_map(Do::Flip)],
            1..120,
        ),
    ) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        prop_assert!(world.heal(LONG).is_some(), "wedged: {:?}", world.outbox.picture());
        let disk = world.outbox.disk();
        let waits = |key: &Key| disk.rows.get(key).is_some_and(|row| !row.state.is_receipted());
        let flipped: BTreeSet<Key> = world.flipped.keys().copied().filter(waits).collect();
        prop_assert_eq!(world.outbox.damaged(), &flipped, "found and located");
        for (key, text) in &world.flipped {
            prop_assert!(!world.has(key.0, text), "{:?} went out", key);
            let kept = disk.rows.get(key).map(|row| &*row.text);
            prop_assert!(!waits(key) || kept == Some(text), "its bytes are kept");
        }
        for (key, text) in &world.promised {
            prop_assert!(flipped.contains(key) || world.has(key.0, text), "{:?} is lost", key);
        }
        prop_assert!(world.store(1).forks.is_empty(), "no fork of itself");
    }

    /// I30: whatever turns on the storage besides (a receipt, a state, the anchor, the position, the next
    /// number), no event is dropped that no signed receipt covers (by the driver, after each step), none
    /// takes the place of another, and the outbox drains.
    #[test]
    fn i30_whatever_else_turns_on_the_storage_no_event_is_lost_and_all_drains(
        steps in prop::collection::vec(
            prop_oneof![12 => fault(), 1 => any::<u16>().prop_map(Do::Turn)],
            1..120,
        ),
    ) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        prop_assert!(world.heal(LONG).is_some(), "wedged: {:?}", world.outbox.picture());
        all_is_home(&world)?;
        prop_assert!(world.store(1).forks.is_empty(), "no fork of itself");
        let disk = world.outbox.disk();
        let held = disk.rows.values().all(|row| disk.receipts[&row.key.0].covers(row.key.1));
        prop_assert!(held, "each by a receipt");
    }

    /// Capture never waits, numbers are dense, texts never change, and anchors never go back
    /// within a life.
    #[test]
    fn the_queue_is_dense_and_its_texts_never_change(
        steps in prop::collection::vec(fault(), 1..120),
    ) {
        let mut world = World::new();
        let mut texts: BTreeMap<Key, String> = BTreeMap::new();
        let mut greatest = String::new();
        for step in steps {
            world.run(step);
            let disk = world.outbox.disk();
            for (n, row) in (1..).zip(disk.rows.values()) {
                prop_assert_eq!(row.key, (1, n));
                let text = texts.entry(row.key).or_insert_with(|| row.text.to_string());
                prop_assert_eq!(&*row.text, text.as_str());
            }
            let anchor = disk.anchor.as_ref().map(|anchor| anchor.text.clone()).unwrap_or_default();
            prop_assert!(anchor >= greatest, "an anchor went back");
            greatest = anchor;
        }
    }

    /// Between 1 and 500 events a push, and never more than one attempt for each command.
    #[test]
    fn pushes_are_bounded(steps in prop::collection::vec(fault(), 1..120)) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        for step in &world.steps {
            for action in &step.actions {
                if let Action::Send { first, last, .. } = action {
                    prop_assert!(first <= last && last - first < 500);
                }
            }
            let sends = step.actions.iter().filter(|action| matches!(action, Action::Send { .. }));
            prop_assert!(sends.count() <= 1);
        }
    }
}
