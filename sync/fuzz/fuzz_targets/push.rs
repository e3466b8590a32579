//! Any bytes as a push and as the text of an event, and what was read written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/wire_doors.rs"]
mod doors;

fuzz_target!(|data: &[u8]| {
    doors::push(data);
    doors::event(data);
});
