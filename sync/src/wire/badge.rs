//! `GET /v1/sync/badges`: which badges work at a device's place, and which of them may overrule.
//!
//! A list of its own, named by its version in the answer of every pull like the rules, and not a kind
//! of item: a program of before reads its items whole and would refuse a page with one it does not
//! know, while a field it does not know it passes over.

use super::V;
use crate::{chain::Hash, ids::EnterpriseId};
use serde::{Deserialize, Serialize};

/// The badges that work at the place of the device that asks. A device holds the whole of it in the
/// place of what it held; what is not in it works no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadgesAnswer {
    /// Version of this message.
    pub v: V<1>,
    /// The version of the list; absent as in the answer of a pull.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The badges, by their hashes.
    pub badges: Vec<BadgeCard>,
    /// The newest anchor, opaque.
    pub anchor: String,
}

/// A badge that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BadgeCard {
    /// [`hash_of_badge`] of its number.
    pub badge: Hash,
    /// What it may do.
    pub role: BadgeRole,
}

/// What a badge may do. A role a program does not know is that of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadgeRole {
    /// Works, overrules stops and strikes what others stated.
    Supervisor,
    /// Works.
    #[serde(other)]
    Worker,
}

/// What devices know a badge by, so that whoever opens the storage of one cannot print badges from it:
/// the hash of its number behind a tag and its enterprise. It keeps no secret that is short: a number
/// of a few characters is found by trying all.
pub fn hash_of_badge(enterprise: EnterpriseId, number: &str) -> Hash {
    Hash::of(format!("suyuan-badge-1\n{enterprise}\n{number}").as_bytes())
}
