//! What must hold whatever happens (sync.md section 9), each invariant a function with its number.
//!
//! Property tests, the simulator and the tests that kill the real program call these functions on
//! what they saw; the README says what is looked at otherwise. An invariant takes histories, never a system:
//! what the log holds, what devices made and were told, what was read. It answers with the first
//! thing that is broken, in words that name it.
//!
//! It must not know how any of this was obtained.

mod chains;
pub mod complete;
mod cursors;
mod forks;
mod histories;
mod lots;
mod order;
mod reads;
mod receipts;
mod states;
mod uploads;

pub use chains::{i7_nothing_is_rewritten, i30_every_flipped_bit_is_found};
pub use complete::i15_the_oracle_finds_the_same;
pub use cursors::{
    Delivered, i21_cursors_neither_skip_nor_repeat, i22_whole_checkpoints_only,
    i23_reads_never_go_back, i24_snapshot_and_pull_equal_everything,
};
pub use forks::{i31_forks_are_found, i31_forks_are_told};
pub use histories::{DeviceHistory, LogHistory, Logged, Made, Told, Whereabouts};
pub use lots::{KeptLine, i13_each_balance_is_the_sum, i14_stated_goods_show};
pub use order::{
    i11_corrections_stand_for_what_they_correct, i11_the_order_is_total, i12_who_knew_came_later,
};
pub use reads::{
    Asked, Scope, i19_nothing_of_elsewhere_is_told, i20_strangers_are_told_nothing,
    i25_as_known_then_never_changes, i29_no_more_at_once_than_may_be,
};
pub use receipts::{
    i4_a_retry_is_answered_alike, i5_receipts_tell_the_truth,
    i18_a_bad_event_changes_no_others_result, i18_nothing_sent_is_a_fault_of_ours,
};
pub use states::{
    i8_replay_gives_the_same, i9_arrival_changes_nothing, i13_each_unit_is_in_one_state,
    i14_fates_add_up, i14_no_silent_effect, i16_no_finding_without_witnesses,
    i17_goods_of_lots_add_up,
};
pub use uploads::{
    i1_nothing_is_lost, i2_nothing_is_invented, i3_exactly_once, i6_groups_stand_whole,
    i26_every_outbox_drains, i28_what_is_parked_leaves_parking, i32_the_revoked_stay_out,
};

use std::fmt;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name, e.g. `I1`.
    pub invariant: &'static str,
    /// What is wrong, with ids.
    pub what: String,
}

impl Broken {
    /// The invariant `invariant` does not hold, as `what` says.
    pub fn new(invariant: &'static str, what: impl Into<String>) -> Broken {
        Broken {
            invariant,
            what: what.into(),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is broken: {}", self.invariant, self.what)
    }
}

impl std::error::Error for Broken {}

/// Whether an invariant holds.
pub type Holds = Result<(), Broken>;
