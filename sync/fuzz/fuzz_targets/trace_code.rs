//! Any text through every door of the reader of codes, and what was read through every printer.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/doors.rs"]
mod doors;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        doors::read(text);
    }
});
