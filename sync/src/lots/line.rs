//! A line and its balance.

use super::{Change, Movement, change::signed, in_order};
use crate::{
    finding::{Detail, Finding, FindingCode, LotKey, Subject},
    ids::{DeviceId, EventId, Micros},
    order::Order,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A line of goods without codes of their own, as of its last movement. It is its own checkpoint:
/// the next movement in order is appended to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which goods, where.
    pub key: LotKey,
    /// How many there should be. Below zero it says that something is missing from the log.
    pub balance: i64,
    /// How many of these lie in containers that stand here: the containers answer for them. None in
    /// what was kept before this was counted.
    #[serde(default)]
    pub inside: i64,
    /// The last movement.
    pub last: Option<Order>,
    /// The interval below zero that has not ended.
    pub below: Option<Below>,
    /// What was found up to now, without that interval.
    pub found: Vec<Finding>,
    /// The difference the last count told, if nobody accepted it and nothing moved since. Nothing in what
    /// was kept before this was said.
    #[serde(default)]
    pub told: Option<Difference>,
}

/// What a count told: how many there should be and how many there are, with those in containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The balance.
    pub expected: i64,
    /// What was seen, and what lies in containers here.
    pub there: i64,
}

/// An interval in which the balance is below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Below {
    /// The movement that took it there.
    pub event: EventId,
    /// The device that stated it; nil in what was kept before this was said.
    #[serde(default = "not_said")]
    pub device: DeviceId,
    /// When.
    pub from: Micros,
    /// The lowest it got.
    pub lowest: i64,
    /// By this movement.
    pub deepest: EventId,
}

impl Below {
    /// The movement that took it there, as nobody else's.
    pub const fn judged(&self) -> (DeviceId, EventId) {
        (self.device, self.event)
    }
}

const fn not_said() -> DeviceId {
    DeviceId::SERVER
}

impl Line {
    /// A line to which nothing happened.
    pub fn new(key: LotKey) -> Line {
        Line {
            key,
            balance: 0,
            inside: 0,
            last: None,
            below: None,
            found: Vec::new(),
            told: None,
        }
    }

    /// Adds a movement that is later in the order than all before, or something wrong with the
    /// last, or what a count saw that itself moved containers. `false` if it is not: then nothing was
    /// done, and the line must be folded again from all its movements.
    #[must_use]
    pub fn append(&mut self, movement: &Movement) -> bool {
        // One event may move a line and be found to be wrong about it as well.
        let accompanies = matches!(
            movement.change,
            Change::Found { .. } | Change::Counted { .. }
        );
        if self
            .last
            .is_some_and(|last| movement.order < last || (movement.order == last && !accompanies))
        {
            return false;
        }
        self.last = Some(movement.order);
        let order = movement.order;
        if movement.change.sums().is_some_and(|(by, _)| by != 0) {
            self.told = None;
        }
        match movement.change {
            Change::In { qty } => self.balance = self.balance.saturating_add(signed(qty)),
            Change::Out { qty } => self.balance = self.balance.saturating_sub(signed(qty)),
            Change::Carried { by, inside } => {
                self.balance = self.balance.saturating_add(by);
                self.inside = self.inside.saturating_add(inside);
            }
            Change::Counted { there, accepted } => self.counted(order, there, accepted),
            Change::Found { code } => self.find(code, order, None, Detail::Nothing),
        }
        self.bound(order);
        true
    }

    /// All that is open, sorted.
    pub fn findings(&self) -> Vec<Finding> {
        let mut out = self.found.clone();
        out.extend(self.below.map(|below| self.negative(below, None)));
        out.sort();
        out
    }

    /// A count states the balance: the difference is found, and enters the balance only if it was
    /// accepted. What it says is about what lies loose; what is in a container is answered for by the
    /// container, so that is there as well. Counting the same once more tells nothing new.
    fn counted(&mut self, order: Order, there: u64, accepted: bool) {
        if there == 0 && self.balance == 0 {
            // Nothing seen of what nobody stated to be there says nothing.
            return;
        }
        let seen = signed(there).saturating_add(self.inside);
        let told = self.told.take();
        if accepted {
            self.balance = seen;
            return;
        }
        let code = match seen.cmp(&self.balance) {
            std::cmp::Ordering::Less => FindingCode::MissingAtCount,
            // Nothing that was seen is no surplus, however low the balance is.
            std::cmp::Ordering::Greater if there > 0 => FindingCode::SurplusAtCount,
            std::cmp::Ordering::Greater | std::cmp::Ordering::Equal => return,
        };
        let difference = Difference {
            expected: self.balance,
            there: seen,
        };
        self.told = Some(difference);
        if told != self.told {
            let detail = Detail::Count {
                expected: difference.expected,
                there: difference.there,
            };
            self.find(code, order, None, detail);
        }
    }

    /// Opens, deepens or ends the interval below zero.
    fn bound(&mut self, order: Order) {
        match &mut self.below {
            None if self.balance < 0 => {
                self.below = Some(Below {
                    event: order.event,
                    device: order.device,
                    from: order.eff,
                    lowest: self.balance,
                    deepest: order.event,
                });
            }
            Some(below) if self.balance < below.lowest => {
                below.lowest = self.balance;
                below.deepest = order.event;
            }
            Some(below) if self.balance >= 0 => {
                let ended = *below;
                self.below = None;
                let finding = self.negative(ended, Some(order.eff));
                self.found.push(finding);
            }
            Some(_) | None => {}
        }
    }

    fn negative(&self, below: Below, until: Option<Micros>) -> Finding {
        let detail = Detail::Balance {
            from: below.from,
            until,
            lowest: below.lowest,
        };
        self.about(
            FindingCode::NegBalance,
            below.judged(),
            Some(below.deepest),
            detail,
        )
    }

    fn find(&mut self, code: FindingCode, order: Order, other: Option<EventId>, detail: Detail) {
        let finding = self.about(code, (order.device, order.event), other, detail);
        self.found.push(finding);
    }

    fn about(
        &self,
        code: FindingCode,
        (device, event): (DeviceId, EventId),
        other: Option<EventId>,
        detail: Detail,
    ) -> Finding {
        let mut witnesses = vec![event];
        witnesses.extend(other);
        witnesses.sort_unstable();
        witnesses.dedup();
        Finding {
            code,
            subject: Subject::Lot(self.key.clone()),
            event,
            device,
            batch: None,
            witnesses,
            detail,
        }
    }
}

/// Where, on from a line, counts saw none of what is not there. They say nothing there, and are no
/// movements of the line: otherwise it would depend on what came in first which of them are kept.
pub fn unsaid(from: &Line, movements: Vec<Movement>) -> BTreeSet<Order> {
    let mut line = from.clone();
    let mut out = BTreeSet::new();
    for movement in in_order(movements) {
        if movement.change.saw_none() && line.balance == 0 {
            out.insert(movement.order);
        } else {
            let _ = line.append(&movement); // of two at one place the first counts
        }
    }
    out
}

/// Folds a line from all its movements, sorted by order; of two at one place the first counts.
pub fn balance(key: LotKey, movements: &[Movement]) -> Line {
    let mut line = Line::new(key);
    for movement in movements {
        let _ = line.append(movement);
    }
    line
}
