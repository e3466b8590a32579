//! The hash chain of sync.md section 2: the shared vectors, and what a chain is for: no change
//! of an event goes unseen.

use proptest::prelude::*;
use serde::Deserialize;
use suyuan_sync::{
    chain::{self, Hash},
    ids::DeviceId,
};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    device: DeviceId,
    epoch: u32,
    genesis: Hash,
    events: Vec<String>,
    hashes: Vec<Hash>,
}

/// `golden/chain.json` was made by another program (Python's hashlib), not by this crate.
#[test]
fn every_vector_is_hashed_as_agreed() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("golden/chain.json")).unwrap();
    assert!(rows.len() >= 4);
    for row in rows {
        let genesis = chain::genesis(row.device, row.epoch);
        assert_eq!(genesis, row.genesis);
        let hashes: Vec<Hash> = chain::hashes(genesis, &row.events).collect();
        assert_eq!(hashes, row.hashes);
        let head = row.hashes.last().copied().unwrap_or(genesis);
        assert_eq!(chain::head(genesis, &row.events), head);
    }
}

#[test]
fn a_hash_is_read_as_it_is_written_and_in_no_other_way() {
    let hash = Hash::of(b"abc");
    let text = hash.to_string();
    assert_eq!(
        text,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(text.parse(), Ok(hash));
    for wrong in [
        "",
        &text[1..],
        &text.to_uppercase(),
        &format!("{text}0"),
        &"é".repeat(32),
    ] {
        assert!(wrong.parse::<Hash>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn pushed_in_parts_or_at_once_the_head_is_the_same(
        events in prop::collection::vec(".{0,40}", 0..12), cut in any::<prop::sample::Index>(),
        device in any::<u128>(), epoch in any::<u32>(),
    ) {
        let genesis = chain::genesis(DeviceId(Uuid::from_u128(device)), epoch);
        let (first, second) = events.split_at(cut.index(events.len() + 1));
        let head = chain::head(chain::head(genesis, first), second);
        prop_assert_eq!(head, chain::head(genesis, &events));
    }

    /// I30: whichever bit is turned, the chain tells from which event on it does not hold.
    #[test]
    fn i30_a_turned_bit_is_located(
        events in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..12),
        which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let genesis = chain::genesis(DeviceId(Uuid::from_u128(7)), 1);
        let whole: Vec<Hash> = chain::hashes(genesis, &events).collect();
        let which = which.index(events.len());
        let mut damaged = events;
        let place = place.index(damaged[which].len());
        damaged[which][place] ^= 1 << bit;
        let broken = chain::hashes(genesis, &damaged).zip(whole).position(|(a, b)| a != b);
        prop_assert_eq!(broken, Some(which));
    }

    #[test]
    fn epochs_and_devices_do_not_share_a_chain(a in any::<(u128, u32)>(), b in any::<(u128, u32)>()) {
        let genesis = |(device, epoch)| chain::genesis(DeviceId(Uuid::from_u128(device)), epoch);
        prop_assert_eq!(genesis(a) == genesis(b), a == b);
    }
}
