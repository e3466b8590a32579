//! Any bytes as a device, an epoch and the events of its chain.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/chain_doors.rs"]
mod doors;

fuzz_target!(|data: &[u8]| doors::chain(data));
