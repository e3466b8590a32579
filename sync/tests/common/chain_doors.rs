//! Everything that must hold for the chain over any bytes. The fuzz target and the ordinary tests
//! share it.

use std::collections::BTreeSet;
use suyuan_sync::{
    chain::{self, Hash},
    ids::DeviceId,
};
use uuid::Uuid;

/// Takes bytes for a device, an epoch and events with zeros between them.
pub fn chain(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(hash) = text.parse::<Hash>() {
        assert_eq!(hash.to_string(), text);
    }
    let Some((device, rest)) = bytes.split_first_chunk::<16>() else {
        return;
    };
    let Some((epoch, rest)) = rest.split_first_chunk::<4>() else {
        return;
    };
    let genesis = chain::genesis(
        DeviceId(Uuid::from_bytes(*device)),
        u32::from_be_bytes(*epoch),
    );
    let events: Vec<&[u8]> = rest.split(|byte| *byte == 0).collect();
    let hashes: Vec<Hash> = chain::hashes(genesis, &events).collect();
    let mut head = genesis;
    for (event, hash) in events.iter().zip(&hashes) {
        head = chain::next(head, event);
        assert_eq!(head, *hash);
        assert_eq!(hash.to_string().parse(), Ok(*hash));
    }
    assert_eq!(chain::head(genesis, &events), head);
    // No two places of a chain are alike, not even for equal events.
    let distinct: BTreeSet<&Hash> = hashes.iter().chain([&genesis]).collect();
    assert_eq!(distinct.len(), hashes.len() + 1);
}
