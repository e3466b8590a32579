//! How long the service held the head of its log, as its own metrics tell: while it is held, nobody
//! else writes. Of everything that was done since the service began: making the demo, issuing codes,
//! uploads of every size. Knows no act.

use crate::summary::Taken;

const LONGEST: &str = "suyuan_head_held_longest_seconds";
const TIMES: &str = "suyuan_head_held_seconds_count";
const IN_ALL: &str = "suyuan_head_held_seconds_sum";
const WITHIN: &str = "suyuan_head_held_seconds_bucket{le=\"0.05\"}";

/// The longest time in milliseconds; with how often it was held, for how long on average, and how
/// often beyond 50 ms.
pub fn held(metrics: &str) -> Result<Taken, String> {
    let [longest, times, in_all, within] =
        [LONGEST, TIMES, IN_ALL, WITHIN].map(|name| value(metrics, name));
    let (longest, times) = (longest?, times?);
    Ok(Taken::median(&[longest * 1e3])?
        .with("times", times)
        .with("mean_ms", in_all? * 1e3 / times.max(1.0))
        .with("beyond_50_ms", times - within?))
}

fn value(metrics: &str, name: &str) -> Result<f64, String> {
    metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        .ok_or_else(|| format!("GET /metrics has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::held;

    #[test]
    fn the_longest_is_told_in_milliseconds() {
        let text = "# TYPE suyuan_head_held_seconds histogram\n\
            suyuan_head_held_seconds_bucket{le=\"0.05\"} 7\n\
            suyuan_head_held_seconds_bucket{le=\"0.5\"} 8\n\
            suyuan_head_held_seconds_sum 0.16\n\
            suyuan_head_held_seconds_count 8\n\
            suyuan_head_held_longest_seconds 0.075\n";
        let taken = held(text).unwrap();
        assert!((taken.value() - 75.0).abs() < 1e-9);
        assert!(held("suyuan_head_held_seconds_count 8\n").is_err());
    }
}
