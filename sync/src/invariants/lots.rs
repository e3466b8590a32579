//! That goods without codes of their own are neither made nor lost by counting them.

use super::{Broken, Holds};
use crate::{
    finding::{Detail, Finding, FindingCode, LotKey},
    ids::Micros,
    lots::{Change, Movement},
    order::Order,
};
use std::collections::{BTreeMap, BTreeSet};

/// A line as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLine {
    /// Which goods, where.
    pub key: LotKey,
    /// What it comes to.
    pub balance: i64,
    /// What is open of it.
    pub findings: Vec<Finding>,
    /// All that moved it, in whatever order.
    pub movements: Vec<Movement>,
}

/// An interval below zero: since when, until when, and the lowest.
type Below = (Micros, Option<Micros>, i64);

/// I13 of lots: each line is what came less what went, and what accepted counts saw (C11); and at
/// every instant at which that is below zero, that is found, and at no other.
pub fn i13_each_balance_is_the_sum(lines: &[KeptLine]) -> Holds {
    for line in lines {
        let LotKey {
            gtin,
            lot,
            location,
        } = &line.key;
        let name = || format!("{gtin} {lot:?} at {}", location.0);
        let (sum, below) = summed(&line.movements);
        if sum != line.balance {
            let what = format!("{} is kept as {} and sums to {sum}", name(), line.balance);
            return Err(Broken::new("I13", what));
        }
        let found: BTreeSet<Below> = line.findings.iter().filter_map(negative).collect();
        if found != below {
            let what = format!("{} was below zero in {below:?}, found {found:?}", name());
            return Err(Broken::new("I13", what));
        }
    }
    Ok(())
}

fn negative(finding: &Finding) -> Option<Below> {
    match finding.detail {
        Detail::Balance {
            from,
            until,
            lowest,
        } if finding.code == FindingCode::NegBalance => Some((from, until, lowest)),
        _ => None,
    }
}

/// What is said at one place of the order: what came less what went, what came to lie in containers, and
/// what an accepted count saw.
#[derive(Default)]
struct Said {
    by: i128,
    inside: i128,
    seen: Option<i128>,
}

/// What a line comes to, and when it was below zero.
fn summed(movements: &[Movement]) -> (i64, BTreeSet<Below>) {
    let mut said: BTreeMap<Order, Said> = BTreeMap::new();
    for movement in movements {
        let at = said.entry(movement.order).or_default();
        match movement.change {
            Change::In { qty } => at.by += i128::from(qty),
            Change::Out { qty } => at.by -= i128::from(qty),
            Change::Carried { by, inside } => {
                at.by += i128::from(by);
                at.inside += i128::from(inside);
            }
            Change::Counted { there, accepted } if accepted => at.seen = Some(there.into()),
            Change::Counted { .. } | Change::Found { .. } => {}
        }
    }
    let (mut sum, mut inside) = (0_i128, 0_i128);
    let mut open: Option<(Micros, i128)> = None;
    let mut below = BTreeSet::new();
    for (order, said) in said {
        sum += said.by;
        inside += said.inside;
        // None seen of what nobody says is there says nothing.
        if let Some(loose) = said.seen.filter(|loose| *loose > 0 || sum != 0) {
            sum = loose + inside;
        }
        open = match open {
            None if sum < 0 => Some((order.eff, sum)),
            Some((from, lowest)) if sum < 0 => Some((from, lowest.min(sum))),
            Some((from, lowest)) => {
                below.insert((from, Some(order.eff), short(lowest)));
                None
            }
            None => None,
        };
    }
    below.extend(open.map(|(from, lowest)| (from, None, short(lowest))));
    (short(sum), below)
}

fn short(n: i128) -> i64 {
    i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX })
}
