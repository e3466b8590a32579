//! What became of the goods of a line, per kind of movement: the reach of a recall (I17) for goods
//! without codes of their own. It must not know who asks, or for which recall.

use super::{Line, Movement, Moves};
use crate::{event::Kind, finding::LotKey, ids::LocationId, order::Order};
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
    /// Fetched back under a recall, at whatever place it was. What became of them then is told as well.
    pub collected: i64,
    /// Fetched back, and still there.
    pub apart: i64,
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
        let there = wide(&[self.on_hand, self.apart]);
        let went = wide(&[self.shipped, self.sold, self.destroyed]);
        came == there + went - i128::from(self.short)
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
        add(&mut self.apart, other.apart);
        add(&mut self.destroyed, other.destroyed);
        add(&mut self.counted, other.counted);
        add(&mut self.on_hand, other.on_hand);
        add(&mut self.short, other.short);
    }
}

/// Adds up a line from all its movements, in order ([`super::in_order`]). `said` tells which kind of event is at
/// a place in the order, and where it happened; what it does not tell is as good as not there.
///
/// Goods that a container was seen with elsewhere went from here as if they had been shipped, and came there as
/// if they had been received.
pub fn tally(
    key: LotKey,
    movements: &[Movement],
    said: impl Fn(Order) -> Option<(Kind, LocationId)>,
) -> Tally {
    let mut out = Tally::default();
    let here = key.location;
    let mut line = Line::new(key);
    for movement in movements {
        let Some((kind, location)) = said(movement.order) else {
            continue;
        };
        let before = line.there();
        let _ = line.append(movement); // of two at one place the first counts
        let Some(moves) = movement.change.moves() else {
            let by = line.there().saturating_sub(before);
            out.counted = out.counted.saturating_add(by);
            continue;
        };
        out.moved(moves, Some(kind).filter(|_| location == here));
    }
    out.apart = out.apart.saturating_add(line.collected);
    out.on_hand = line.balance.max(0);
    out.short = line.balance.min(0).saturating_neg();
    out
}

impl Tally {
    /// Goods moved by an event: of this kind, if it happened here.
    fn moved(&mut self, moves: Moves, kind: Option<Kind>) {
        let by = moves
            .by
            .saturating_sub(moves.away)
            .saturating_add(moves.apart);
        let came = match kind {
            Some(Kind::Commission) => &mut self.made,
            Some(Kind::Return) => &mut self.returned,
            _ => &mut self.received,
        };
        *came = came.saturating_add(by.max(0)).saturating_add(moves.through);
        let went = match kind {
            Some(Kind::Sale) => &mut self.sold,
            Some(Kind::Destroy) => &mut self.destroyed,
            _ => &mut self.shipped,
        };
        let gone = by.min(0).saturating_neg();
        *went = went.saturating_add(gone).saturating_add(moves.through);
        self.apart = self.apart.saturating_add(moves.apart);
        // What is taken out of a container that was fetched back was fetched back before.
        let collected = match kind {
            Some(Kind::Collect) => moves.collected.saturating_add(moves.apart.max(0)),
            Some(Kind::Unpack) => 0,
            _ => moves.collected,
        };
        self.collected = self.collected.saturating_add(collected);
    }
}
