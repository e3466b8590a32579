//! Effective time: one instant for each event of a device epoch, never decreasing along its
//! sequence, within what is known for certain, and little moved by one wrong clock reading.
//!
//! For the admitted events of one (device, epoch) in seq order:
//!
//! - `U_k` = least `hi_i` of i ≥ k: it happened before anything after it was received.
//! - `L_k` = greatest `min(lo_j, U_j)` of j ≤ k: it happened after anything before it.
//! - `m_k` = median of `est_{k−1}, est_k, est_{k+1}`, with `est_0 = L_1`; the last uses its own.
//! - `eff_k` = the greatest `m` so far, kept within `[L_k, U_k]`.
//!
//! [`effective`] computes this over a whole epoch. [`resume`] goes on from a [`Prefix`], a settled
//! beginning of three numbers: at the end of a growing epoch that is one step for each new event,
//! whatever came before. The two agree for every split and order of arrival (property test).
//!
//! It must not know what the events say.

use crate::{
    bugs::{self, Bug},
    ids::{Micros, Seq},
    order::Interval,
};
use serde::{Deserialize, Serialize};

/// An admitted event's place in its epoch and its frozen interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timed {
    /// Its place.
    pub seq: Seq,
    /// When it happened, as far as is known.
    pub interval: Interval,
}

/// An event with the effective time on record; `None` for one that is new to the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its place and interval.
    pub timed: Timed,
    /// Its effective time until now.
    pub eff: Option<Micros>,
}

/// An effective time that is new or has changed: whatever the event names is folded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Whose.
    pub seq: Seq,
    /// The new one.
    pub eff: Micros,
}

/// What a beginning of an epoch contributes to everything behind it. It covers the events up to
/// and including `seq`; its numbers stand as long as nothing comes in at or before the event after
/// `seq` (whose estimate they use), nor anything received before that event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix {
    /// The last event covered; 0 for none.
    pub seq: Seq,
    /// `L` there.
    lower: Micros,
    /// The greatest `m` up to there.
    peak: Micros,
    /// `est` there.
    est: Option<Micros>,
}

/// What [`resume`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Covers all but the last event: to be kept with the epoch for the next append.
    pub prefix: Prefix,
    /// New and changed effective times, in seq order.
    pub changed: Vec<Changed>,
    /// Prefixes on the way, about one for every [`Prefix::SPACING`] numbers. A store that keeps them
    /// need not go back to the start for a late filler. They replace all it had behind the one
    /// resumed from.
    pub checkpoints: Vec<Prefix>,
}

impl Prefix {
    /// Before the first event. Valid always.
    pub const START: Prefix = Prefix {
        seq: 0,
        lower: Micros::MIN,
        peak: Micros::MIN,
        est: None,
    };

    /// How far checkpoints lie apart, in sequence numbers.
    pub const SPACING: Seq = 1024;

    /// Takes in one event, given `U` there and the estimate after it; returns its effective time.
    fn step(&mut self, event: &Timed, upper: Micros, next: Option<Micros>) -> Micros {
        let Interval { lo, est, .. } = event.interval;
        self.lower = self.lower.max(lo.min(upper));
        let before = self.est.unwrap_or(self.lower);
        let middle = match next {
            Some(next) if !bugs::on(Bug::SpikeShiftsTheRest) => median(before, est, next),
            _ => est,
        };
        self.peak = self.peak.max(middle);
        self.seq = event.seq;
        self.est = Some(est);
        // L ≤ U always: L_k is some min(lo_j, U_j) with j ≤ k, and U never decreases.
        self.peak.min(upper).max(self.lower)
    }
}

/// The effective times of the admitted events of one device epoch, which stand in seq order.
pub fn effective(events: &[Timed]) -> Vec<Micros> {
    let uppers = uppers(events.iter());
    let mut state = Prefix::START;
    let mut following = events.iter().skip(1);
    events
        .iter()
        .zip(uppers)
        .map(|(event, upper)| {
            let next = following.next().map(|next| next.interval.est);
            state.step(event, upper, next)
        })
        .collect()
}

/// Goes on from `prefix` over all events behind it, old and new, in seq order.
///
/// `None` if the prefix does not stand for these: some new event is not behind the first of them,
/// or was received before it (as one that leaves parking may be). Then resume from an earlier
/// prefix; [`Prefix::START`] always stands.
pub fn resume(prefix: Prefix, events: &[Placed]) -> Option<Resumed> {
    if prefix != Prefix::START && !stands(events) {
        return None;
    }
    let uppers = uppers(events.iter().map(|placed| &placed.timed));
    let mut resumed = Resumed {
        prefix,
        changed: Vec::new(),
        checkpoints: Vec::new(),
    };
    let mut state = prefix;
    let mut following = events.iter().skip(1);
    for (placed, upper) in events.iter().zip(uppers) {
        let next = following.next().map(|next| next.timed);
        let eff = state.step(&placed.timed, upper, next.map(|next| next.interval.est));
        if placed.eff != Some(eff) {
            resumed.changed.push(Changed {
                seq: placed.timed.seq,
                eff,
            });
        }
        let Some(next) = next else { break };
        resumed.prefix = state;
        if state.seq / Prefix::SPACING != next.seq / Prefix::SPACING {
            resumed.checkpoints.push(state);
        }
    }
    Some(resumed)
}

/// Is the first of these an old one, and does every new one lie behind it in sequence and receipt?
fn stands(events: &[Placed]) -> bool {
    let Some(first) = events.first() else {
        return true;
    };
    first.eff.is_some()
        && events
            .iter()
            .filter(|placed| placed.eff.is_none())
            .all(|new| new.timed.interval.hi >= first.timed.interval.hi)
}

/// `U` of each event.
fn uppers<'a>(events: impl DoubleEndedIterator<Item = &'a Timed>) -> Vec<Micros> {
    let mut upper = Micros::MAX;
    let mut all: Vec<Micros> = events
        .rev()
        .map(|event| {
            upper = upper.min(event.interval.hi);
            upper
        })
        .collect();
    all.reverse();
    all
}

/// The middle one of three.
fn median(a: Micros, b: Micros, c: Micros) -> Micros {
    a.max(b).min(a.min(b).max(c))
}
