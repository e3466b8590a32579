//! Suspicions as JSON.

use super::rules::{Evidence, Suspicion};
use serde::{Deserialize, Serialize};
use std::{
    cmp::{Ordering, Reverse},
    fmt,
};
use utoipa::ToSchema;
use uuid::Uuid;

/// A suspicion about one unit.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SuspicionOut {
    /// Id.
    pub id: Uuid,
    /// The unit's canonical code.
    pub code: String,
    /// What is suspected; consumers are told this reason.
    pub kind: Suspicion,
    /// What it rests on, as it stood when it was raised.
    pub evidence: Evidence,
    /// When it was raised, UTC.
    pub raised_at: String,
    /// When the issuer cleared it.
    pub cleared_at: Option<String>,
    /// Why.
    pub clearing_note: Option<String>,
}

/// How a suspicion is cleared.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearingIn {
    /// What was found out, 1 to 1000 characters; kept, not shown to consumers.
    pub note: String,
}

/// One entry of the query log (追溯查询记录) about a unit. Tells no place finer than a region and no
/// person: a device is a pseudonym that lasts a day.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QueryOut {
    /// When, UTC (查询时间).
    pub at: String,
    /// The code that was asked (追溯码).
    pub code: String,
    /// By which door: `browser`, `wechat`, `program`, `app`, `photo` (查询方式).
    pub channel: String,
    /// Region as a trusted proxy named it; empty where unknown (查询地点).
    pub region: String,
    /// Pseudonym of the device.
    pub device: String,
    /// What was answered: advice, and reasons as bits (查询结果).
    pub verdict: String,
    /// Software, not a person: not counted.
    pub bot: bool,
    /// Scanned earlier without network: not counted.
    pub offline: bool,
}

/// Queries of a unit, newest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UnitQueriesOut {
    /// At most 500.
    pub items: Vec<QueryOut>,
    /// Give this as `after` for older ones; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Where a query stands in the list, and where a page of queries ended. What comes first in the
/// list is less: the newest, and of one moment by packet and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Time of the last one, microseconds.
    pub at: i64,
    /// Its packet, or its row as one number.
    pub packet: Uuid,
    /// Its number there.
    pub n: i64,
}

impl Ord for Place {
    fn cmp(&self, other: &Place) -> Ordering {
        let by = |place: &Place| (Reverse(place.at), place.packet, place.n);
        by(self).cmp(&by(other))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Place) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.at, self.packet.simple(), self.n)
    }
}

impl Place {
    /// Reads what [`Display`](fmt::Display) wrote.
    pub fn parse(text: &str) -> Option<Place> {
        let mut parts = text.split('.');
        let place = Place {
            at: parts.next()?.parse().ok()?,
            packet: parts.next()?.parse().ok()?,
            n: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back() {
        let place = Place {
            at: -3,
            packet: Uuid::from_u128(7),
            n: 499,
        };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        for wrong in [
            "",
            "1",
            "1.2",
            "x.y.z",
            "1.00000000000000000000000000000007.2.3",
        ] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
