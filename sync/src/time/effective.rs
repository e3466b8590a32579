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
    /// `U` of the event after `seq`, if it was kept. As long as this stands, nothing that comes in
    /// behind it changes that.
    #[serde(default)]
    upper: Option<Micros>,
}

/// What [`resume`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Covers all but the last event: to be kept with the epoch for the next append, or, of
    /// [`resume_to`], to be held against where it ended before.
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
        upper: None,
    };

    /// How far checkpoints lie apart, in sequence numbers.
    pub const SPACING: Seq = 1024;

    /// Does it stand for these events behind it, old and new? The first of them must be an old one,
    /// and every new one lie behind that in sequence and receipt.
    pub fn stands(&self, events: &[Placed]) -> bool {
        let Some(first) = events.first().filter(|_| *self != Prefix::START) else {
            return true;
        };
        let mut new = events.iter().filter(|placed| placed.eff.is_none());
        first.eff.is_some() && new.all(|new| new.timed.interval.hi >= first.timed.interval.hi)
    }

    /// Does it tell enough to be an end of [`resume_to`]? What earlier releases kept does not.
    pub const fn is_bounded(&self) -> bool {
        self.upper.is_some()
    }

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

/// Goes on from `prefix` over all events behind it, old and new, in seq order. A late filler need not
/// go so far: see [`resume_to`].
///
/// `None` if the prefix does not stand for these: some new event is not behind the first of them,
/// or was received before it (as one that leaves parking may be). Then resume from an earlier
/// prefix; [`Prefix::START`] always stands.
pub fn resume(prefix: Prefix, events: &[Placed]) -> Option<Resumed> {
    if !prefix.stands(events) {
        return None;
    }
    Some(over(prefix, events))
}

/// Goes on from `prefix` as far as `end`, a prefix that was kept and lies behind all that is new:
/// `events` are those behind `prefix` up to `end`, old and new, and the one after it, in seq order.
///
/// If what comes back has `end` for its prefix, all behind it is as it was. Else it is what stands
/// there now, and whatever stands behind is to be gone over from it, to the next prefix that was
/// kept or to the last event. Its checkpoints replace those between `prefix` and `end`.
///
/// `None` as for [`resume`], and if `end` does not tell enough to end there: an earlier release kept
/// it.
pub fn resume_to(prefix: Prefix, events: &[Placed], end: Prefix) -> Option<Resumed> {
    let upper = end.upper?;
    let (beyond, before) = events.split_last()?;
    let ends = beyond.eff.is_some() && before.last().map_or(0, |last| last.timed.seq) == end.seq;
    if !ends || !prefix.stands(events) {
        return None;
    }
    // What lies behind `beyond` bounds it as well: by `upper` all of it is told.
    let mut bounded = events.to_vec();
    if let Some(beyond) = bounded.last_mut() {
        beyond.timed.interval.hi = upper;
    }
    let mut resumed = over(prefix, &bounded);
    resumed.changed.retain(|changed| changed.seq <= end.seq);
    resumed.checkpoints.retain(|kept| kept.seq < end.seq);
    Some(resumed)
}

fn over(prefix: Prefix, events: &[Placed]) -> Resumed {
    let uppers = uppers(events.iter().map(|placed| &placed.timed));
    let mut resumed = Resumed {
        prefix,
        changed: Vec::new(),
        checkpoints: Vec::new(),
    };
    let mut state = Prefix {
        upper: None,
        ..prefix
    };
    let mut following = events.iter().skip(1).zip(uppers.iter().skip(1));
    for (placed, upper) in events.iter().zip(&uppers) {
        let next = following.next();
        let next_est = next.map(|(next, _)| next.timed.interval.est);
        let eff = state.step(&placed.timed, *upper, next_est);
        if placed.eff != Some(eff) {
            resumed.changed.push(Changed {
                seq: placed.timed.seq,
                eff,
            });
        }
        let Some((next, upper)) = next else { break };
        let kept = Prefix {
            upper: Some(*upper),
            ..state
        };
        resumed.prefix = kept;
        if state.seq / Prefix::SPACING != next.timed.seq / Prefix::SPACING {
            resumed.checkpoints.push(kept);
        }
    }
    resumed
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
