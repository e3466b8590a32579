//! When does what the query log shows of one unit call for a second look? Pure: thresholds and
//! sightings come in, a suspicion and its evidence come out.
//!
//! Shoppers browse, families scan again, previews look by themselves: so people are counted by
//! device and day, bots and scans reported later not at all, and a copy is suspected only where
//! one unit is seen in several regions on one day, which one tin cannot be.

use crate::projection::{CHUNK_COPY, CHUNK_OFTEN};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// From where on a unit stands out. Zero switches a rule off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Days looked back.
    pub window_days: u32,
    /// So many devices, counted once a day each, make a unit `queried_often`.
    pub often_devices: u32,
    /// So many devices on one day …
    pub copy_devices: u32,
    /// … in so many regions make it a `suspected_copy`.
    pub copy_regions: u32,
}

impl Thresholds {
    /// Fewer queries than this cannot raise anything.
    pub fn least_queries(&self) -> u64 {
        let rules = [self.often_devices, self.copy_devices.max(self.copy_regions)];
        let least = rules.into_iter().filter(|devices| *devices > 0).min();
        least.map_or(u64::MAX, u64::from)
    }
}

/// One device that asked on one day from one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Days since 1970, UTC.
    pub day: i64,
    /// Pseudonym of the device, good for that day.
    pub device: String,
    /// Region as a trusted proxy named it, or empty.
    pub region: String,
    /// By which door.
    pub channel: String,
    /// How many queries.
    pub queries: u64,
    /// The first, microseconds.
    pub first_at: i64,
    /// The last, microseconds.
    pub last_at: i64,
}

/// What kind of suspicion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Suspicion {
    /// Many devices asked about this one unit.
    QueriedOften,
    /// One unit was seen where one unit cannot be.
    SuspectedCopy,
}

impl Suspicion {
    /// Both.
    pub const ALL: [Suspicion; 2] = [Suspicion::QueriedOften, Suspicion::SuspectedCopy];

    /// The name in rows and answers: that of the reason consumers are told.
    pub const fn name(self) -> &'static str {
        match self {
            Suspicion::QueriedOften => CHUNK_OFTEN,
            Suspicion::SuspectedCopy => CHUNK_COPY,
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Suspicion> {
        Suspicion::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a suspicion rests on: figures that can be recounted from the query log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Queries by people, now, within the window.
    pub queries: u64,
    /// Devices, counted once a day each.
    pub device_days: u64,
    /// The day with most devices, days since 1970, UTC.
    pub busiest_day: i64,
    /// Devices on that day.
    pub busiest_day_devices: u64,
    /// Most regions on one day that has enough devices.
    pub regions_on_one_day: u64,
    /// Queries by door.
    pub channels: BTreeMap<String, u64>,
    /// Queries by region; those from nowhere known are left out.
    pub regions: BTreeMap<String, u64>,
    /// The first, microseconds UTC.
    pub first_at: i64,
    /// The last, microseconds UTC.
    pub last_at: i64,
    /// What was held against it.
    pub thresholds: Thresholds,
}

/// Judges one unit by all its sightings within the window.
pub fn judge(sightings: &[Sighting], thresholds: Thresholds) -> (Vec<Suspicion>, Evidence) {
    let mut days: BTreeMap<i64, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    let (mut channels, mut regions) = (BTreeMap::new(), BTreeMap::new());
    for seen in sightings {
        let (devices, places) = days.entry(seen.day).or_default();
        devices.insert(&seen.device);
        *channels.entry(seen.channel.clone()).or_insert(0) += seen.queries;
        if !seen.region.is_empty() {
            places.insert(&seen.region);
            *regions.entry(seen.region.clone()).or_insert(0) += seen.queries;
        }
    }
    let busiest = days.iter().max_by_key(|(_, (devices, _))| devices.len());
    let enough = |devices: usize| devices as u64 >= u64::from(thresholds.copy_devices);
    let evidence = Evidence {
        queries: sightings.iter().map(|seen| seen.queries).sum(),
        device_days: days.values().map(|(devices, _)| devices.len() as u64).sum(),
        busiest_day: busiest.map_or(0, |(day, _)| *day),
        busiest_day_devices: busiest.map_or(0, |(_, (devices, _))| devices.len() as u64),
        regions_on_one_day: days
            .values()
            .filter(|(devices, _)| enough(devices.len()))
            .map(|(_, places)| places.len() as u64)
            .max()
            .unwrap_or(0),
        channels,
        regions,
        first_at: sightings
            .iter()
            .map(|seen| seen.first_at)
            .min()
            .unwrap_or(0),
        last_at: sightings.iter().map(|seen| seen.last_at).max().unwrap_or(0),
        thresholds,
    };
    let reaches = |figure: u64, threshold: u32| threshold > 0 && figure >= u64::from(threshold);
    let raised = Suspicion::ALL
        .into_iter()
        .filter(|kind| match kind {
            Suspicion::QueriedOften => reaches(evidence.device_days, thresholds.often_devices),
            Suspicion::SuspectedCopy => {
                thresholds.copy_devices > 0
                    && reaches(evidence.regions_on_one_day, thresholds.copy_regions)
            }
        })
        .collect();
    (raised, evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const THRESHOLDS: Thresholds = Thresholds {
        window_days: 30,
        often_devices: 6,
        copy_devices: 3,
        copy_regions: 2,
    };

    fn seen(day: i64, device: &str, region: &str) -> Sighting {
        Sighting {
            day,
            device: device.into(),
            region: region.into(),
            channel: "browser".into(),
            queries: 2,
            first_at: day * 10,
            last_at: day * 10 + 5,
        }
    }

    fn raised(sightings: &[Sighting]) -> Vec<Suspicion> {
        judge(sightings, THRESHOLDS).0
    }

    #[test]
    fn one_person_may_ask_as_often_as_they_like() {
        let mut same = seen(1, "a", "CN-31");
        same.queries = 1_000_000;
        assert!(raised(&[same]).is_empty());
        assert!(raised(&[]).is_empty());
    }

    #[test]
    fn many_devices_are_often_and_no_copy() {
        let people = ["a", "b", "c", "d", "e", "f"].map(|device| seen(1, device, "CN-31"));
        assert!(raised(&people[..5]).is_empty());
        assert_eq!(raised(&people), [Suspicion::QueriedOften]);
        // Without a region nobody is anywhere.
        let people = ["a", "b", "c", "d", "e"].map(|device| seen(1, device, ""));
        assert!(raised(&people).is_empty());
    }

    #[test]
    fn two_regions_on_one_day_are_a_copy_and_on_two_days_a_journey() {
        let one_day = [
            seen(1, "a", "CN-31"),
            seen(1, "b", "CN-31"),
            seen(1, "c", "CN-44"),
        ];
        assert_eq!(raised(&one_day), [Suspicion::SuspectedCopy]);
        assert!(raised(&one_day[1..]).is_empty(), "too few devices");
        let journey = [
            seen(1, "a", "CN-31"),
            seen(1, "b", "CN-31"),
            seen(1, "d", "CN-31"),
            seen(2, "c", "CN-44"),
            seen(2, "e", "CN-44"),
        ];
        assert!(raised(&journey).is_empty());
    }

    #[test]
    fn a_threshold_of_zero_is_off() {
        let off = Thresholds {
            often_devices: 0,
            copy_devices: 0,
            ..THRESHOLDS
        };
        let people: Vec<_> = (0..50)
            .map(|n| seen(1, &n.to_string(), &n.to_string()))
            .collect();
        assert!(judge(&people, off).0.is_empty());
        let regions_off = Thresholds {
            copy_regions: 0,
            ..THRESHOLDS
        };
        assert_eq!(judge(&people, regions_off).0, [Suspicion::QueriedOften]);
        assert_eq!(THRESHOLDS.least_queries(), 3);
    }

    proptest! {
        #[test]
        fn fewer_queries_than_the_least_raise_nothing(
            sightings in prop::collection::vec((0..3i64, 0..5u8, 0..4u8), 0..12),
            often in 0..6u32, devices in 0..6u32, regions in 0..4u32,
        ) {
            let thresholds = Thresholds {
                window_days: 30, often_devices: often, copy_devices: devices, copy_regions: regions,
            };
            let sightings: Vec<_> = sightings
                .into_iter()
                .map(|(day, device, region)| {
                    let mut one = seen(day, &device.to_string(), &region.to_string());
                    one.queries = 1;
                    one
                })
                .collect();
            let (raised, evidence) = judge(&sightings, thresholds);
            prop_assert!(raised.is_empty() || evidence.queries >= thresholds.least_queries());
        }
    }
}
