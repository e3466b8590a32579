//! How long the service held the head of its log, as its own metrics tell: while it is held, nobody
//! else writes. Of everything that was done since the service began: making the demo, issuing codes,
//! uploads of every size; and at last of what names most at once: loads of a thousand tins, and codes
//! issued in as many places as a request may name.

use super::{
    fleet::Fleet,
    lanes::{Lane, send_all},
    life::Step,
};
use crate::{
    LoadError,
    summary::{Taken, progress},
};
use serde_json::{Map, Value};
use suyuan_sync::wire::Status;

/// Ranges one request may name.
const PARTS: u64 = 100;
/// Indices of a bitmap of the service: each part lies in one of its own, and is a row written.
const APART: u64 = 65_536;
/// Codes of a part: too few to be kept as a range.
const CODES: u64 = 63;

const LONGEST: &str = "suyuan_head_held_longest_seconds";
const COMMIT: &str = "suyuan_head_held_longest_commit_seconds";
const TIMES: &str = "suyuan_head_held_seconds_count";
const IN_ALL: &str = "suyuan_head_held_seconds_sum";
const WITHIN: &str = "suyuan_head_held_seconds_bucket";
const BOUND: &str = ",le=\"0.05\"";

/// How the head was held, by what is heaviest at last.
pub async fn measure(fleet: &mut Fleet) -> Result<Taken, String> {
    let told = |error: LoadError| error.to_string();
    carry_loads(fleet).await.map_err(told)?;
    commission_scattered(fleet).await.map_err(told)?;
    let metrics = fleet.office().officer.metrics().await;
    held(&metrics.map_err(told)?)
}

/// Whole loads are received, shipped, received and sold, an event each.
async fn carry_loads(fleet: &mut Fleet) -> Result<(), LoadError> {
    let (load, loads) = (fleet.sizes.load, fleet.sizes.loads);
    progress(&format!("loads of {load} tins"));
    let codes = fleet.take_codes(load * loads).await?;
    let mut device = fleet.lend()?;
    let all = || codes.chunks(load);
    let steps = Step::LIFE.into_iter();
    let steps = steps.flat_map(|step| all().map(move |load| (step, load)));
    let parcels = device.fill(steps, loads, &fleet.places)?;
    let (target, pid) = (fleet.demo.internal.clone(), fleet.demo.pid());
    let lane = Lane { device, parcels };
    let (lanes, sent) = send_all(&target, pid, vec![lane], Status::Stored).await?;
    fleet.take_back(lanes);
    match sent.outcome.first_wrong {
        None => Ok(()),
        Some(what) => Err(LoadError::Unusable(what)),
    }
}

/// Has codes commissioned as staff do that list them one by one, from all over a segment.
async fn commission_scattered(fleet: &Fleet) -> Result<(), LoadError> {
    progress("commissioning codes from all over a segment");
    let office = fleet.office();
    let segment = office
        .officer
        .allocate(&office.product, PARTS * APART)
        .await?;
    for request in 0..fleet.sizes.scattered {
        let parts = (0..PARTS).map(|part| (part * APART + request * 2 * CODES, CODES));
        office
            .officer
            .commission_parts(&office.batch, &segment, parts)
            .await?;
    }
    Ok(())
}

/// The longest time in milliseconds, by what, and how much of it the disk took to commit; with how often it was held, for how long on average,
/// and how often beyond 50 ms.
fn held(metrics: &str) -> Result<Taken, String> {
    let longest = series(metrics, LONGEST, "");
    let by_length = |one: &&(&str, f64), other: &&(&str, f64)| one.1.total_cmp(&other.1);
    let (act, longest) = longest
        .iter()
        .max_by(by_length)
        .ok_or_else(|| format!("GET /metrics has no {LONGEST}"))?;
    let of_each: Map<String, Value> = series(metrics, LONGEST, "")
        .into_iter()
        .map(|(act, seconds)| (act.to_owned(), Value::from(seconds * 1e3)))
        .collect();
    let commits = series(metrics, COMMIT, "");
    let commit = commits
        .iter()
        .find(|of| of.0 == *act)
        .map_or(0.0, |of| of.1);
    let [times, in_all, within] =
        [(TIMES, ""), (IN_ALL, ""), (WITHIN, BOUND)].map(|(name, bound)| {
            series(metrics, name, bound)
                .iter()
                .map(|of| of.1)
                .sum::<f64>()
        });
    Ok(Taken::median(&[longest * 1e3])?
        .with("longest_act", *act)
        .with("of_it_commit_ms", commit * 1e3)
        .with("times", times)
        .with("mean_ms", in_all * 1e3 / times.max(1.0))
        .with("beyond_50_ms", times - within)
        .with("longest_ms_of_each", of_each))
}

/// What a metric says of each kind of act.
fn series<'m>(metrics: &'m str, name: &str, bound: &str) -> Vec<(&'m str, f64)> {
    let read = |line: &'m str| {
        let (labels, value) = line.strip_prefix(name)?.split_once("} ")?;
        let act = labels
            .strip_prefix("{act=\"")?
            .strip_suffix(bound)?
            .strip_suffix('"')?;
        Some((act, value.trim().parse().ok()?))
    };
    metrics.lines().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::held;
    use serde_json::json;

    #[test]
    fn the_longest_is_told_in_milliseconds_and_by_what() {
        let text = "# TYPE suyuan_head_held_seconds histogram\n\
            suyuan_head_held_seconds_bucket{act=\"events\",le=\"0.05\"} 7\n\
            suyuan_head_held_seconds_bucket{act=\"events\",le=\"0.5\"} 8\n\
            suyuan_head_held_seconds_sum{act=\"events\"} 0.16\n\
            suyuan_head_held_seconds_count{act=\"events\"} 8\n\
            suyuan_head_held_seconds_bucket{act=\"refolded\",le=\"0.05\"} 2\n\
            suyuan_head_held_seconds_sum{act=\"refolded\"} 0.04\n\
            suyuan_head_held_seconds_count{act=\"refolded\"} 2\n\
            suyuan_head_held_longest_seconds{act=\"events\"} 0.075\n\
            suyuan_head_held_longest_seconds{act=\"refolded\"} 0.02\n\
            suyuan_head_held_longest_commit_seconds{act=\"refolded\"} 0.01\n\
            suyuan_head_held_longest_commit_seconds{act=\"events\"} 0.05\n";
        let taken = held(text).unwrap();
        assert!((taken.value() - 75.0).abs() < 1e-9);
        let detail = |key: &str| taken.detail(key).cloned();
        assert_eq!(detail("longest_act"), Some(json!("events")));
        assert_eq!(detail("of_it_commit_ms"), Some(json!(50.0)));
        assert_eq!(detail("times"), Some(json!(10.0)));
        assert_eq!(detail("mean_ms"), Some(json!(20.0)));
        assert_eq!(detail("beyond_50_ms"), Some(json!(1.0)));
        let of_each = json!({"events": 75.0, "refolded": 20.0});
        assert_eq!(detail("longest_ms_of_each"), Some(of_each));
        assert!(held("suyuan_head_held_seconds_count{act=\"events\"} 8\n").is_err());
    }
}
