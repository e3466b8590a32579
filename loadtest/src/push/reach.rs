//! Where a million recalled units are (`GET /v1/recalls/{id}/reach`), asked as staff ask it while they
//! wait: right after the recall, and again. As many of the units were scanned as were pushed before;
//! the others nobody has seen. The batch stays recalled, so nothing is measured on this service behind it.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::timeout;

use super::fleet::Fleet;
use crate::{
    LoadError,
    summary::{Taken, progress},
};

/// All of it takes no longer: the codes, the recall, the questions.
const LIMIT: Duration = Duration::from_mins(3);
/// What the units of a reach are told as; all of them together are its total.
const PARTS: [&str; 6] = [
    "located",
    "in_transit",
    "sold",
    "collected",
    "destroyed",
    "unaccounted",
];

/// Milliseconds from the question to the whole answer, the median of `rounds`.
pub async fn measure(fleet: &Fleet, rounds: usize) -> Result<Taken, String> {
    let codes = fleet.sizes.recalled;
    progress(&format!(
        "recalling {codes} codes and asking where they are"
    ));
    let asked = timeout(LIMIT, ask(fleet, rounds)).await;
    let asked = asked.map_err(|_| format!("it took longer than {} s", LIMIT.as_secs()))?;
    asked.map_err(|error| error.to_string())?
}

async fn ask(fleet: &Fleet, rounds: usize) -> Result<Result<Taken, String>, LoadError> {
    let (office, codes) = (fleet.office(), fleet.sizes.recalled);
    let segment = office.officer.allocate(&office.product, codes).await?;
    office
        .officer
        .commission(&office.batch, &segment, codes)
        .await?;
    let recall = office.officer.open_recall(&office.batch).await?;
    let (first, told) = timed(fleet, &recall).await?;
    let mut walls = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        walls.push(timed(fleet, &recall).await?.0);
    }
    Ok(Taken::median(&walls).map(|taken| {
        taken
            .with("units", told.total)
            .with("scanned", told.total - told.unaccounted)
            .with("right_after_the_recall_ms", first)
    }))
}

/// How long an answer took, if it is one.
async fn timed(fleet: &Fleet, recall: &crate::issuing::Id) -> Result<(f64, Told), LoadError> {
    let begun = Instant::now();
    let reach = fleet.office().officer.reach(recall).await?;
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    let told = Told::of(&reach, fleet.sizes.recalled).map_err(LoadError::Unusable)?;
    Ok((took, told))
}

/// What an answer says, as far as it is held against itself.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    total: u64,
    unaccounted: u64,
}

impl Told {
    fn of(reach: &Value, codes: u64) -> Result<Told, String> {
        let units = |what: &str| {
            let units = reach[what]["units"].as_u64();
            units.ok_or_else(|| format!("a reach does not tell of {what}"))
        };
        let mut sum = 0;
        for part in PARTS {
            sum += units(part)?;
        }
        let told = Told {
            total: units("total")?,
            unaccounted: units("unaccounted")?,
        };
        if told.total != sum || told.total < codes {
            let total = told.total;
            return Err(format!("a reach of {total} units, {sum} by its parts"));
        }
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CODES: u64 = 1_000_000;

    #[test]
    fn an_answer_whose_parts_are_not_its_total_is_no_figure() {
        let told = |sold: u64, unaccounted: u64, total: u64| {
            let mut reach = json!({"total": {"units": total}});
            for part in PARTS {
                reach[part] = json!({"units": 0});
            }
            reach["sold"]["units"] = json!(sold);
            reach["unaccounted"]["units"] = json!(unaccounted);
            Told::of(&reach, CODES)
        };
        let whole = Told {
            total: CODES + 5,
            unaccounted: CODES,
        };
        assert_eq!(told(5, CODES, CODES + 5), Ok(whole));
        assert!(told(5, CODES, CODES + 6).is_err());
        assert!(told(5, CODES - 6, CODES - 1).is_err(), "not a million");
        assert!(Told::of(&json!({"total": {"units": CODES}}), CODES).is_err());
    }
}
