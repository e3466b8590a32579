//! What admission has to remark on an event, in the order of precedence, and what follows from it.
//!
//! T9, T6, T7, T1, T3, T2, T5, T8: all that applies is kept with the event, the first that keeps it
//! out of the state decides. So when that one is lifted later the next one holds.

use crate::{finding::FindingCode, wire::Status};
use serde::{Deserialize, Serialize};

/// Declares the remarks in the order of precedence.
macro_rules! remarks {
    ($($(#[$doc:meta])* $variant:ident $name:literal $rule:literal $status:ident $finding:expr;)+) => {
        /// Something remarkable about an event. The order is that of precedence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Remark {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl Remark {
            /// All of them.
            pub const ALL: &'static [Remark] = &[$(Remark::$variant,)+];

            /// The name on the wire and in rows.
            pub const fn name(self) -> &'static str {
                match self { $(Remark::$variant => $name,)+ }
            }

            /// The rule of sync.md section 6.
            pub const fn rule(self) -> &'static str {
                match self { $(Remark::$variant => $rule,)+ }
            }

            /// The fate of an event of which this is the only remark.
            pub const fn status(self) -> Status {
                match self { $(Remark::$variant => Status::$status,)+ }
            }

            /// The finding it raises; what merely waits raises none.
            pub const fn finding(self) -> Option<FindingCode> {
                match self { $(Remark::$variant => $finding,)+ }
            }
        }
    };
}

remarks! {
    /// The text is no event.
    Unreadable "UNREADABLE" "T9" Quarantined Some(FindingCode::Unreadable);
    /// Its device, epoch or number are not those of its place in the push.
    SeqMismatch "SEQ_MISMATCH" "T9" Quarantined Some(FindingCode::SeqMismatch);
    /// Signed with a revoked key.
    Revoked "DEVICE_REVOKED" "T6" Quarantined Some(FindingCode::DeviceRevoked);
    /// Of a kind or version that a later program knows.
    Later "UNKNOWN_KIND" "T7" Parked None;
    /// An event at its place that the program at hand failed to fold, again and again.
    Unfoldable "UNFOLDABLE" "T9" Quarantined Some(FindingCode::Unfoldable);
    /// On a second branch of its device's epoch.
    Fork "DEVICE_FORK" "T3" Quarantined Some(FindingCode::DeviceFork);
    /// Its id belongs to another event of the enterprise.
    IdReuse "ID_REUSE" "T2" Quarantined Some(FindingCode::IdReuse);
    /// It does not chain to the event before it.
    ChainBreak "CHAIN_BREAK" "T5" StoredFlagged Some(FindingCode::ChainBreak);
    /// Its group is incomplete.
    GroupIncomplete "GROUP_INCOMPLETE" "T8" Parked None;
    /// It was taken in without the rest of its group.
    PartialGroup "PARTIAL_GROUP" "T8" StoredFlagged Some(FindingCode::PartialGroup);
}

impl Remark {
    /// The remark of that name.
    pub fn of_name(name: &str) -> Option<Remark> {
        Remark::ALL
            .iter()
            .copied()
            .find(|remark| remark.name() == name)
    }

    /// Does it keep the event out of the state?
    pub const fn keeps_out(self) -> bool {
        matches!(self.status(), Status::Parked | Status::Quarantined)
    }
}

/// What was decided of an event, as it is kept with it and told to its device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its fate.
    pub status: Status,
    /// All that applies, in the order of precedence.
    pub remarks: Vec<Remark>,
}

impl Outcome {
    /// The outcome that follows from the remarks.
    pub fn of(mut remarks: Vec<Remark>) -> Outcome {
        remarks.sort_unstable();
        remarks.dedup();
        let status = remarks
            .iter()
            .find(|remark| remark.keeps_out())
            .or(remarks.first())
            .map_or(Status::Stored, |remark| remark.status());
        Outcome { status, remarks }
    }

    /// The same with one remark more.
    #[must_use]
    pub fn with(&self, remark: Remark) -> Outcome {
        let mut remarks = self.remarks.clone();
        remarks.push(remark);
        Outcome::of(remarks)
    }

    /// The same with one remark less.
    #[must_use]
    pub fn without(&self, lifted: Remark) -> Outcome {
        let mut remarks = self.remarks.clone();
        remarks.retain(|remark| *remark != lifted);
        Outcome::of(remarks)
    }

    /// The remark that decided: the first that keeps it out, else the first.
    pub fn decisive(&self) -> Option<Remark> {
        self.remarks
            .iter()
            .copied()
            .find(|remark| remark.keeps_out())
            .or(self.remarks.first().copied())
    }

    /// Is it part of the state?
    pub fn in_state(&self) -> bool {
        matches!(self.status, Status::Stored | Status::StoredFlagged)
    }

    /// What it raises as findings on the event.
    pub fn findings(&self) -> impl Iterator<Item = FindingCode> {
        self.remarks.iter().filter_map(|remark| remark.finding())
    }
}
