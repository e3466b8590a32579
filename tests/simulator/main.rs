//! The simulator (`suyuan::simulate`) on both databases: seeds that must hold, runs that must repeat,
//! and the checker itself, which must catch every deliberate bug.

mod bugs;
mod program;
mod seeds;

use std::sync::Mutex;
use suyuan::simulate::{Options, Ran, simulate};

/// Deliberate bugs are switched on for the whole process: one run at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs it, alone in this process.
fn ran(options: Options) -> Ran {
    let _alone = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    running(options).expect("a run")
}

/// Runs it, whatever comes of it.
fn running(options: Options) -> Result<Ran, suyuan::simulate::SimulateError> {
    actix_web::rt::System::new().block_on(simulate(options))
}

/// A new PostgreSQL database.
fn postgres() -> String {
    actix_web::rt::System::new().block_on(suyuan_tests::new_postgres_database())
}
