//! A line and its balance.

use super::{Change, Movement, Moves, change::signed, in_order};
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
    /// How many lie apart loose, fetched back under a recall: they are in no balance, and counts miss them all
    /// the same. None in what was kept before this was counted.
    #[serde(default)]
    pub collected: i64,
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
    /// The balance, and what lies apart.
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
            collected: 0,
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
        match movement.change {
            Change::Counted { there, accepted } => self.counted(order, there, accepted),
            Change::Found { code } => self.find(code, order, None, Detail::Nothing),
            change => self.moved(change.moves().unwrap_or_default()),
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

    /// How many there should be, in stock or apart.
    pub const fn there(&self) -> i64 {
        self.balance.saturating_add(self.collected)
    }

    /// Goods came, went, were fetched back or released, or lie in containers now.
    fn moved(&mut self, moves: Moves) {
        if moves.comes_or_goes() {
            self.told = None;
        }
        let apart = moves.away.min(self.collected);
        let away = moves.away.saturating_sub(apart);
        // No more than lies there.
        let released = moves.released.min(self.collected.saturating_sub(apart));
        let less = apart.saturating_add(released);
        self.collected = self
            .collected
            .saturating_add(moves.collected.saturating_sub(less));
        let came = moves.by.saturating_add(released);
        let gone = away.saturating_add(moves.collected);
        self.balance = self.balance.saturating_add(came).saturating_sub(gone);
        self.inside = self.inside.saturating_add(moves.inside);
    }

    /// A count states the balance: the difference is found, and enters the balance only if it was
    /// accepted. What it says is about what lies loose; what is in a container is answered for by the
    /// container, so that is there as well. What was fetched back lies there too until it is shipped or
    /// destroyed; if fewer lie loose, there are fewer of it. Counting the same once more tells nothing new.
    fn counted(&mut self, order: Order, there: u64, accepted: bool) {
        if self.is_told_nothing(there, accepted) {
            return;
        }
        let seen = signed(there).saturating_add(self.inside);
        let told = self.told.take();
        if accepted {
            self.collected = self.collected.min(signed(there));
            self.balance = seen.saturating_sub(self.collected);
            return;
        }
        let code = match seen.cmp(&self.there()) {
            std::cmp::Ordering::Less => FindingCode::MissingAtCount,
            // Nothing that was seen is no surplus, however low the balance is.
            std::cmp::Ordering::Greater if there > 0 => FindingCode::SurplusAtCount,
            std::cmp::Ordering::Greater | std::cmp::Ordering::Equal => return,
        };
        let difference = Difference {
            expected: self.there(),
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

    /// Does a count tell nothing, that saw none of what nobody stated to be there? One that is accepted also
    /// ends what was fetched back without having come.
    const fn is_told_nothing(&self, there: u64, accepted: bool) -> bool {
        let nothing = if accepted {
            self.balance == 0 && self.collected == 0
        } else {
            self.there() == 0
        };
        there == 0 && nothing
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
        match movement.change {
            Change::Counted { there, accepted } if line.is_told_nothing(there, accepted) => {
                out.insert(movement.order);
            }
            _ => {
                let _ = line.append(&movement); // of two at one place the first counts
            }
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
