//! When a scan was made, as far as its caller can be believed. Pure.

use crate::clock::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The version of the calls under `/v1/public` that apps use. It grows when a field is removed or
/// changes its type or meaning, or when a request needs a new one; new fields, reasons and problem
/// codes come without.
pub const VERSION: u64 = 1;

/// Codes in one call, at most.
pub const CODES_MAX: usize = 20;

const MINUTE: Micros = 60_000_000;
/// A phone's clock may run ahead this much.
pub const AHEAD_MAX: Micros = 5 * MINUTE;
/// A scan made offline is noted when it is at most this old.
pub const AGE_MAX: Micros = 30 * 24 * 60 * MINUTE;

/// What the time of a scan makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scanned {
    /// No time was given: asked now, and counted.
    Now,
    /// Made offline: noted under its own time, counted nowhere.
    Offline,
    /// More than 30 days ago: answered, not noted.
    TooOld,
    /// More than 5 minutes ahead of us: answered, not noted.
    InFuture,
}

impl Scanned {
    /// Does the query log get an entry?
    pub const fn is_noted(self) -> bool {
        matches!(self, Scanned::Now | Scanned::Offline)
    }
}

/// Judges the time a scan brought along.
pub const fn scanned(at: Option<Micros>, now: Micros) -> Scanned {
    match at {
        None => Scanned::Now,
        Some(at) if at > now.saturating_add(AHEAD_MAX) => Scanned::InFuture,
        Some(at) if at < now.saturating_sub(AGE_MAX) => Scanned::TooOld,
        Some(_) => Scanned::Offline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_800_000_000_000_000;

    #[test]
    fn only_a_scan_without_a_time_is_one_of_now() {
        assert_eq!(scanned(None, NOW), Scanned::Now);
        for at in [NOW, NOW - 1, NOW + 1, NOW - AGE_MAX, NOW + AHEAD_MAX] {
            assert_eq!(scanned(Some(at), NOW), Scanned::Offline, "{at}");
        }
    }

    #[test]
    fn what_cannot_be_believed_is_told_and_not_noted() {
        for (at, told) in [
            (NOW + AHEAD_MAX + 1, Scanned::InFuture),
            (NOW - AGE_MAX - 1, Scanned::TooOld),
            (Micros::MAX, Scanned::InFuture),
            (Micros::MIN, Scanned::TooOld),
        ] {
            assert_eq!(scanned(Some(at), NOW), told);
            assert!(!told.is_noted());
        }
        assert_eq!(scanned(Some(0), Micros::MAX), Scanned::TooOld);
        assert_eq!(scanned(Some(0), Micros::MIN), Scanned::InFuture);
        assert!(Scanned::Now.is_noted() && Scanned::Offline.is_noted());
    }
}
