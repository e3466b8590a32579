//! That goods without codes of their own are neither made nor lost by counting them, and that whatever is
//! stated of them shows.

use super::{Broken, Holds};
use crate::{
    event::{Disposition, Event, Kind},
    facts::{Fact, World},
    finding::{Detail, Finding, FindingCode, LotKey},
    ids::Micros,
    lots::{Change, Movement, judged},
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

/// What is said at one place of the order: what moved, and what an accepted count saw.
#[derive(Default)]
struct Said {
    came: i128,
    inside: i128,
    away: i128,
    collected: i128,
    released: i128,
    seen: Option<i128>,
}

/// What a line comes to, and when it was below zero.
fn summed(movements: &[Movement]) -> (i64, BTreeSet<Below>) {
    let mut said: BTreeMap<Order, Said> = BTreeMap::new();
    for movement in movements {
        let at = said.entry(movement.order).or_default();
        match movement.change {
            Change::In { qty } => at.came += i128::from(qty),
            Change::Out { qty } => at.came -= i128::from(qty),
            Change::Away { qty } => at.away += i128::from(qty),
            Change::Collected { qty } => at.collected += i128::from(qty),
            Change::Released { qty } => at.released += i128::from(qty),
            Change::Carried(moves) => {
                at.came += i128::from(moves.by);
                at.inside += i128::from(moves.inside);
                at.away += i128::from(moves.away);
                at.collected += i128::from(moves.collected);
                at.released += i128::from(moves.released);
            }
            Change::Counted { there, accepted } if accepted => at.seen = Some(there.into()),
            Change::Counted { .. } | Change::Found { .. } => {}
        }
    }
    // In stock, in containers of that, and apart.
    let (mut sum, mut inside, mut apart) = (0_i128, 0_i128, 0_i128);
    let mut open: Option<(Micros, i128)> = None;
    let mut below = BTreeSet::new();
    for (order, said) in said {
        let of_apart = said.away.min(apart);
        sum += said.came - said.collected - (said.away - of_apart);
        let back = said.released.min(apart - of_apart);
        sum += back;
        apart += said.collected - of_apart - back;
        inside += said.inside;
        // None seen of what nobody says is there says nothing.
        if let Some(loose) = said
            .seen
            .filter(|loose| *loose > 0 || sum != 0 || apart != 0)
        {
            apart = apart.min(loose);
            sum = loose + inside - apart;
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

/// I14 of lots: what an event that is not struck states of goods without codes of their own shows in each
/// line it names, as much of it as it states (C11); what is stated at somebody else's place shows there as
/// that (C14); and what an inspection finds sellable shows as released, or as what a recall covers (C6). Counts in
/// several documents show as one, where the last of them stands. What is packed, or inspected otherwise, stays
/// where it is. That a balance is what shows in its line, [`i13_each_balance_is_the_sum`] says.
pub fn i14_stated_goods_show(
    world: &World,
    facts: &[&Fact],
    struck: &BTreeSet<Order>,
    lines: &[KeptLine],
) -> Holds {
    let mut shown: BTreeMap<&LotKey, BTreeMap<Order, Vec<Change>>> = BTreeMap::new();
    for line in lines {
        for movement in &line.movements {
            let of = shown.entry(&line.key).or_default();
            of.entry(movement.order).or_default().push(movement.change);
        }
    }
    let shows = |line: &LotKey, at: Order| -> Vec<Change> {
        let of = shown.get(line).and_then(|of| of.get(&at));
        of.cloned().unwrap_or_default()
    };
    let mut counts: BTreeMap<_, (Order, BTreeMap<LotKey, u64>)> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| !struck.contains(&fact.order)) {
        let event = &*fact.event;
        let comes = match event.kind {
            Kind::Commission | Kind::Inbound | Kind::Return => Some(1),
            Kind::Outbound | Kind::Sale | Kind::Collect | Kind::Destroy => Some(-1),
            Kind::Inspect if event.disposition == Some(Disposition::Sellable) => Some(0),
            Kind::Count => None,
            Kind::Pack | Kind::Unpack | Kind::Inspect | Kind::Retract => continue,
        };
        let owner = world.places.get(&event.location);
        let stranger = owner.is_some_and(|place| place.enterprise != fact.enterprise);
        for (line, qty) in stated(event) {
            let changes = shows(&line, fact.order);
            let as_stated = match comes {
                _ if stranger => changes.contains(&Change::Found {
                    code: FindingCode::UnexpectedHolder,
                }),
                Some(0) => {
                    let released = changes.iter().map(|change| released(*change));
                    // None, where that is found.
                    let mut found = judged(fact, &line, world).into_iter();
                    let kept = found.any(|it| it.code == FindingCode::ReleaseRecalled);
                    let kept = kept && changes.contains(&Change::Released { qty: 0 });
                    released.sum::<i128>() >= i128::from(qty) || kept
                }
                Some(way) => {
                    let by = changes.iter().map(|change| way * i128::from(by(*change)));
                    by.sum::<i128>() >= i128::from(qty)
                }
                None => {
                    let group = event.group.map(|group| group.id);
                    let alone = group.is_none().then_some(fact.order);
                    let count = counts.entry((fact.enterprise, group, alone));
                    let (_, seen) = count.or_insert((fact.order, BTreeMap::new()));
                    *seen.entry(line.clone()).or_default() += qty;
                    true
                }
            };
            if !as_stated {
                return Err(silent(&line, fact.order, qty, &changes));
            }
        }
        // The last document places them all, whether it names goods or not.
        if comes.is_none()
            && let Some(group) = event.group
            && let Some((last, _)) = counts.get_mut(&(fact.enterprise, Some(group.id), None))
        {
            *last = fact.order.max(*last);
        }
    }
    for (last, seen) in counts.into_values() {
        for (line, qty) in seen {
            let changes = shows(&line, last);
            let saw =
                |change: &Change| matches!(change, Change::Counted { there, .. } if *there == qty);
            if !changes.iter().any(saw) {
                return Err(silent(&line, last, qty, &changes));
            }
        }
    }
    Ok(())
}

fn silent(line: &LotKey, at: Order, qty: u64, changes: &[Change]) -> Broken {
    let LotKey {
        gtin,
        lot,
        location,
    } = line;
    let what = format!(
        "{qty} of {gtin} {lot:?} at {}, stated by {}, show as {changes:?}",
        location.0, at.event
    );
    Broken::new("I14", what)
}

/// The lines an event names, each once.
fn stated(event: &Event) -> BTreeMap<LotKey, u64> {
    let mut stated = BTreeMap::new();
    for line in &event.lots {
        let key = LotKey {
            gtin: line.gtin.clone(),
            lot: line.lot.clone(),
            location: event.location,
        };
        let sum: &mut u64 = stated.entry(key).or_default();
        *sum = sum.saturating_add(line.qty);
    }
    stated
}

/// How much came by a change; below zero, went.
fn by(change: Change) -> i64 {
    let signed = |qty: u64| i64::try_from(qty).unwrap_or(i64::MAX);
    match change {
        Change::In { qty } => signed(qty),
        Change::Out { qty } | Change::Away { qty } | Change::Collected { qty } => -signed(qty),
        Change::Carried(moves) => moves.by - moves.away - moves.collected,
        Change::Released { .. } | Change::Counted { .. } | Change::Found { .. } => 0,
    }
}

/// How much an inspection found sellable.
fn released(change: Change) -> i128 {
    match change {
        Change::Released { qty } => qty.into(),
        Change::Carried(moves) => moves.released.into(),
        _ => 0,
    }
}
