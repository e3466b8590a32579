//! The reader of pictures as a program of its own: the application under test runs inside a test
//! binary, which is no `suyuan` it could start again.

use std::{process::ExitCode, time::Duration};

fn main() -> ExitCode {
    let within: Option<u64> = std::env::args()
        .next_back()
        .and_then(|last| last.parse().ok());
    let within = Duration::from_millis(within.unwrap_or_default());
    match suyuan::photo::worker::read_one(within) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
