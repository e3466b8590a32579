//! What became of the goods of a line, per kind of movement: the reach of a recall (I17) for goods
//! without codes of their own. It must not know who asks, or for which recall.

use super::{Change, Line, Movement};
use crate::{event::Kind, finding::LotKey, order::Order};
use std::ops::AddAssign;

/// Base units, per kind of movement; of a line, or of several added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Commissioned there.
    pub made: i64,
    /// Received.
    pub received: i64,
    /// Brought back by who bought them.
    pub returned: i64,
    /// Shipped.
    pub shipped: i64,
    /// Sold.
    pub sold: i64,
    /// Fetched back under a recall.
    pub collected: i64,
    /// Destroyed.
    pub destroyed: i64,
    /// More by accepted counts; below zero, fewer.
    pub counted: i64,
    /// Still there, by the balances of places that have some.
    pub on_hand: i64,
    /// Gone without having come, by the balances of places that are below zero.
    pub short: i64,
}

impl Tally {
    /// What left some place for another and came to none: on its way, or lost. Below zero, more came in than
    /// was shipped: from somebody who states nothing here.
    pub const fn on_the_way(&self) -> i64 {
        self.shipped.saturating_sub(self.received)
    }

    /// What came in is what is there and what went: do the sums match?
    pub fn adds_up(&self) -> bool {
        let wide = |parts: &[i64]| parts.iter().map(|part| i128::from(*part)).sum::<i128>();
        let came = wide(&[self.made, self.received, self.returned, self.counted]);
        let there = wide(&[self.on_hand, self.shipped, self.sold]);
        let ended = wide(&[self.collected, self.destroyed]);
        came == there + ended - i128::from(self.short)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        let add = |sum: &mut i64, part: i64| *sum = sum.saturating_add(part);
        add(&mut self.made, other.made);
        add(&mut self.received, other.received);
        add(&mut self.returned, other.returned);
        add(&mut self.shipped, other.shipped);
        add(&mut self.sold, other.sold);
        add(&mut self.collected, other.collected);
        add(&mut self.destroyed, other.destroyed);
        add(&mut self.counted, other.counted);
        add(&mut self.on_hand, other.on_hand);
        add(&mut self.short, other.short);
    }
}

/// Adds up a line from all its movements, in order ([`super::in_order`]). `kind` tells which kind of event is at a
/// place in the order; what it does not tell is as good as not there.
pub fn tally(key: LotKey, movements: &[Movement], kind: impl Fn(Order) -> Option<Kind>) -> Tally {
    let mut out = Tally::default();
    let mut line = Line::new(key);
    for movement in movements {
        let Some(kind) = kind(movement.order) else {
            continue;
        };
        let before = line.balance;
        let _ = line.append(movement); // of two at one place the first counts
        let by = line.balance.saturating_sub(before);
        if let Change::Counted { .. } = movement.change {
            out.counted = out.counted.saturating_add(by);
            continue;
        }
        let (sum, by) = match kind {
            Kind::Commission => (&mut out.made, by),
            Kind::Inbound => (&mut out.received, by),
            Kind::Return => (&mut out.returned, by),
            Kind::Outbound => (&mut out.shipped, -by),
            Kind::Sale => (&mut out.sold, -by),
            Kind::Collect => (&mut out.collected, -by),
            Kind::Destroy => (&mut out.destroyed, -by),
            Kind::Pack | Kind::Unpack | Kind::Inspect | Kind::Count | Kind::Retract => continue,
        };
        *sum = sum.saturating_add(by);
    }
    out.on_hand = line.balance.max(0);
    out.short = line.balance.min(0).saturating_neg();
    out
}
