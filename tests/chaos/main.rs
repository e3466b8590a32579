//! The program itself, under load of handhelds whose outboxes decide what they send and drop, while
//! it is killed, starved and cut off: nothing that was receipted is lost, nothing is there twice.
//!
//! What is judged is what stands in the tables, by the invariants of `suyuan_sync`.

mod answers;
mod calm;
mod disks;
mod faults;
mod heads;
mod kills;
mod late;
mod parked;
#[path = "../enterprise/support.rs"]
#[allow(dead_code)]
mod people;
mod poison;
#[path = "../nodes/postgres.rs"]
#[allow(dead_code)]
mod postgres;
#[path = "../nodes/support.rs"]
#[allow(dead_code)]
mod programs;
#[path = "../handheld/scene.rs"]
#[allow(dead_code)]
mod scene;
mod site;
mod stops;
mod verdict;
mod weights;

/// Where the files of the other stories look for what they share.
mod support {
    #[allow(unused_imports)]
    pub use crate::{people::*, programs::*};
}
