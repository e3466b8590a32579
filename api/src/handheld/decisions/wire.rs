//! Decisions as JSON.

use super::DecisionError;
use crate::{
    clock::{Micros, rfc3339},
    log::Position,
};
use serde::{Deserialize, Serialize};
use suyuan_sync::{facts::Policy, ids::EventId, trace_code, unit::UnitKey};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Longest window within which the same scan says nothing new, in seconds.
pub const DUPLICATE_WINDOW_S_MAX: i64 = 24 * 3600;
/// Longest age of a recall list that is not its store's fault, in seconds.
pub const LIST_AGE_S_MAX: i64 = 30 * 24 * 3600;

/// Windows in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyIo {
    /// The same scan again within so many seconds says nothing new (0 to 86 400).
    pub duplicate_window_s: i64,
    /// A recall list older than so many seconds at a sale is the store's fault (60 to 2 592 000).
    pub list_age_s: i64,
}

impl PolicyIo {
    /// As folds read it.
    pub fn checked(self) -> Result<Policy, DecisionError> {
        let field = |name, en, zh| Err(DecisionError::Field(name, "out-of-range", en, zh));
        if !(0..=DUPLICATE_WINDOW_S_MAX).contains(&self.duplicate_window_s) {
            return field("duplicate_window_s", "0 to 86400", "0 到 86400");
        }
        if !(60..=LIST_AGE_S_MAX).contains(&self.list_age_s) {
            return field("list_age_s", "60 to 2592000", "60 到 2592000");
        }
        Ok(Policy {
            duplicate_window_us: self.duplicate_window_s * 1_000_000,
            list_age_us: self.list_age_s * 1_000_000,
        })
    }
}

impl From<Policy> for PolicyIo {
    fn from(policy: Policy) -> PolicyIo {
        PolicyIo {
            duplicate_window_s: policy.duplicate_window_us / 1_000_000,
            list_age_s: policy.list_age_us / 1_000_000,
        }
    }
}

/// On which of the issuer's units another enterprise's events count. Exactly one of `unit` and
/// `batch_id`, or neither for all of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceIn {
    /// Whose events.
    pub partner_id: Uuid,
    /// On this unit: its code as read.
    pub unit: Option<String>,
    /// On the units of this batch.
    pub batch_id: Option<Uuid>,
    /// From which log position on they count (default 0: what was stated before counts as well).
    #[serde(default)]
    pub from: Position,
}

impl AcceptanceIn {
    /// The unit it names, if it names one.
    pub fn named(&self) -> Result<Option<UnitKey>, DecisionError> {
        let Some(text) = &self.unit else {
            return Ok(None);
        };
        let code = trace_code::parse(text).ok();
        let unit = code.and_then(|scanned| UnitKey::of(&scanned.code));
        unit.map(Some).ok_or(DecisionError::Field(
            "unit",
            "malformed-code",
            "not the code of a unit",
            "不是单品追溯码",
        ))
    }
}

/// An accepted holder.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, ToSchema)]
pub struct AcceptanceOut {
    /// Position of the decision in the log.
    pub position: Position,
    /// When it was taken, UTC.
    pub at: String,
    /// Whose events count.
    pub partner_id: Uuid,
    /// On this unit only, in its canonical form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// On the units of this batch only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<Uuid>,
    /// From which log position on.
    pub from: Position,
}

/// The end of a shift.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, ToSchema)]
pub struct ShiftOut {
    /// Position in the log.
    pub position: Position,
    /// When it was stated, UTC.
    pub at: String,
}

/// A period to be closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodIn {
    /// Its end, RFC 3339, from the year 2000 on, not after now, and after the end of the period before.
    /// What changes what happened up to here is listed as a restatement from then on.
    pub until: String,
}

/// A closed period.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, ToSchema)]
pub struct PeriodOut {
    /// Position of the entry that closed it. A unit as it was known at this position can be read for
    /// ever (`GET /v1/units/{code}?at=`), and so can balances of goods without codes (`GET
    /// /v1/stock/lots?at=`); nothing else is told as of a position.
    pub position: Position,
    /// When it was closed, UTC.
    pub closed_at: String,
    /// Its end, UTC.
    pub until: String,
    /// Nothing of what had come in by then was left to be worked in, anywhere in the installation. Where something
    /// was, balances of goods without codes as of this position lack it, and what is worked in later and belongs to
    /// the period is listed among its restatements. Absent of periods that were closed before this was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<bool>,
}

impl PeriodOut {
    /// Out of a row.
    pub fn of(
        position: Position,
        closed_at: Micros,
        until: Micros,
        settled: Option<bool>,
    ) -> PeriodOut {
        PeriodOut {
            settled,
            position,
            closed_at: rfc3339(closed_at),
            until: rfc3339(until),
        }
    }
}

/// Where a list of restatements goes on: `noted-event`, two positions of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Noted {
    /// Of the act that noted it.
    pub noted: Position,
    /// Of the event.
    pub event: Position,
}

impl std::fmt::Display for Noted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.noted, self.event)
    }
}

impl std::str::FromStr for Noted {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Noted, Self::Err> {
        let (noted, event) = text.split_once('-').unwrap_or((text, ""));
        Ok(Noted {
            noted: noted.parse()?,
            event: event.parse()?,
        })
    }
}

/// Which page of a period's restatements.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct RestatementQuery {
    /// `next` of the page before, or `cursor` of the last item seen, however long ago.
    pub after: Option<String>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// One page of a period's restatements.
#[derive(Debug, Serialize, ToSchema)]
pub struct RestatementPage {
    /// In the order in which they were noted.
    pub items: Vec<RestatementOut>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An event on account of which a closed period is told otherwise than when it was closed: it came in,
/// moved, was struck or began to count after that, or it is the retract that struck one of the period.
#[derive(Debug, Serialize, ToSchema)]
pub struct RestatementOut {
    /// Give this as `after` to see what was noted since.
    pub cursor: String,
    /// The position at which it was noted, for the last time.
    pub noted: Position,
    /// Its position in the log.
    pub position: Position,
    /// Its id.
    #[schema(value_type = Uuid)]
    pub event_id: EventId,
    /// What happened.
    pub kind: String,
    /// Where.
    pub location_id: Option<Uuid>,
    /// When it took effect, UTC; of a retract, after the end of the period in most cases.
    pub at: String,
    /// When it came in, UTC.
    pub received_at: String,
    /// It was brought by another device or in a file (`POST /v1/sync/deposit`).
    pub imported: bool,
}

/// Which page of a list by log position.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PositionQuery {
    /// `next` of the page before.
    #[serde(default)]
    #[param(minimum = 0)]
    pub after: Position,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// One page of a list by log position.
#[derive(Debug, Serialize, ToSchema)]
pub struct PositionPage<T> {
    /// Oldest first.
    pub items: Vec<T>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Position>,
}
