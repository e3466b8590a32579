//! All SQL of admission: what is held of devices, and what becomes of pushes. Reading what is held
//! (`held`) and writing what became of it (`events`, `chains`) are apart; `times` is what the
//! effective times of a device go on from.

mod chains;
mod dead;
mod environment;
mod events;
mod held;
mod times;

pub use chains::{ChainRow, forget_waiting, write_chains, write_forks, write_groups};
pub use dead::dead_letter;
pub use environment::{Environs, write_environs};
pub use events::{
    EventRow, Restanding, StandingRow, branch, fate_name, members, names_in, remarks_of, sizes_of,
    standing, told_remarks, waiting, write_events, write_meant, write_standing,
};
pub use held::{Known, chains, groups, known};
pub use times::{
    acknowledged, anchored_before, anchored_on, checkpoint_before, checkpoint_from,
    delivered_before, forget_checkpoints, interval, keep_checkpoints, move_events, move_on_branch,
    on_branch, placed,
};

use crate::{clock::Micros, log::Position};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::cmp::Reverse;
use suyuan_sync::{
    admission::{Extent, Remark, Status},
    ids::{DeviceId, Epoch},
    limits::FINDINGS_TOLD_MAX,
    time::{Prefix, Timed},
    wire::FindingNote,
};
use uuid::Uuid;

/// What `sync` keeps of a device epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainState {
    /// How far it is held.
    pub extent: Extent,
    /// Its effective times.
    pub time: Timeline,
    /// The greatest anchor that events on the branch in state state; none of what an older program kept.
    #[serde(default)]
    pub anchored: Option<Micros>,
}

impl ChainState {
    /// Of an epoch of which nothing is held.
    pub fn empty(device: DeviceId, epoch: Epoch) -> ChainState {
        ChainState {
            extent: Extent::empty(device, epoch),
            time: Timeline {
                prefix: Prefix::START,
                last: None,
            },
            anchored: None,
        }
    }
}

/// Where the effective times of an epoch go on from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Timeline {
    /// Covers all but the last event.
    pub prefix: Prefix,
    /// The last event.
    pub last: Option<Last>,
}

/// The last event of an epoch that is in the state.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Last {
    /// Its number and interval.
    pub timed: Timed,
    /// Its effective time.
    pub eff: Micros,
}

/// A device epoch as rows have it.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Whose device.
    pub enterprise: Uuid,
    /// When the epoch began.
    pub enrolled_at: Micros,
    /// Its key is revoked.
    pub revoked: bool,
    /// There are second branches.
    pub forked: bool,
    /// The newest position it acknowledged, and since when.
    pub delivered: (Position, Micros),
    /// The rest.
    pub state: ChainState,
}

/// The first answer about an event, as it is kept to be given again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Its fate.
    pub status: Status,
    /// What was remarked.
    pub remarks: Vec<Remark>,
    /// What was found at once.
    pub findings: Vec<FindingNote>,
    /// How many more there were.
    #[serde(default, skip_serializing_if = "suyuan_sync::wire::is_none")]
    pub more_findings: u32,
    /// Not everything it is about was judged at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

impl Told {
    /// Stored, and nothing to say.
    pub const CLEAN: Told = Told {
        status: Status::Stored,
        remarks: Vec::new(),
        findings: Vec::new(),
        more_findings: 0,
        pending: false,
    };

    /// The same with no more findings than one result tells: the worst, in their order.
    #[must_use]
    pub fn bounded(mut self) -> Told {
        let all = self.findings.len();
        if all > FINDINGS_TOLD_MAX {
            self.findings.sort_by_key(|note| Reverse(note.severity));
            self.findings.truncate(FINDINGS_TOLD_MAX);
            let more = u32::try_from(all - FINDINGS_TOLD_MAX).unwrap_or(u32::MAX);
            self.more_findings = self.more_findings.saturating_add(more);
        }
        self
    }

    /// The same the other way round.
    pub fn read(text: &str) -> Result<Told, DbErr> {
        if text.is_empty() {
            return Ok(Told::CLEAN);
        }
        parse(text, "event.told")
    }

    /// As it stands in its column; nothing for what is clean.
    pub fn written(&self) -> Result<String, DbErr> {
        if *self == Told::CLEAN {
            return Ok(String::new());
        }
        json(self)
    }
}

fn parse<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, DbErr> {
    serde_json::from_str(text).map_err(|error| DbErr::Json(format!("{what}: {error}")))
}

fn json(value: &impl Serialize) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
}
