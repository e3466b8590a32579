//! What units at a place count as. Pure.

use super::wire::Line;
use crate::clock::Micros;
use crate::recalls::reach::rules::shared;
use suyuan_sync::fold::{Phase, Place};

/// Adds units of one phase to a line: `container` is the phase of what they are in, if they share its
/// life. `moving`: what was brought or fetched back is on its way and not there yet; it stays what it
/// is (C3), where other goods are in transit.
pub fn add(line: &mut Line, own: Phase, container: Option<Phase>, moving: bool, units: u64) {
    let phase = match container {
        None => own,
        // What depends on which came first counts as its container does.
        Some(container) => shared((own, Place::Nowhere), (container, Place::Nowhere))
            .map_or(container, |(phase, _)| phase),
    };
    let moving = moving || container == Some(Phase::InTransit);
    match phase {
        Phase::Sold | Phase::Destroyed => {}
        _ if moving => line.arriving += units,
        Phase::Commissioned | Phase::InStock | Phase::Unknown => line.on_hand += units,
        Phase::Returned => line.returned += units,
        Phase::Collected => line.collected += units,
        Phase::InTransit => line.arriving += units,
    }
}

/// How many days before the end of its shelf life goods are warned of, unless somebody says otherwise.
pub const WARNING_DAYS: u32 = 90;
/// Most days anybody may say.
pub const WARNING_DAYS_MAX: u32 = 3_650;

const DAY: Micros = 86_400 * 1_000_000;

/// Are goods that expire at an instant past their end, or so many days before it (保质期预警)?
pub fn is_due(expires_at: Micros, now: Micros, days: u32) -> bool {
    expires_at.saturating_sub(now) <= Micros::from(days) * DAY
}

/// Is anything there, on its way there or said to be there?
pub fn says_something(line: &Line) -> bool {
    let Line {
        kind: _,
        batch_id: _,
        on_hand,
        returned,
        collected,
        arriving,
        claimed,
    } = line;
    on_hand + returned + collected + arriving + claimed > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_are_warned_of_so_many_days_before_they_expire_and_ever_after() {
        let now = 1_000 * DAY;
        assert!(is_due(now + 30 * DAY, now, 30));
        assert!(!is_due(now + 30 * DAY + 1, now, 30));
        assert!(is_due(now, now, 0));
        assert!(!is_due(now + 1, now, 0));
        assert!(is_due(now - 900 * DAY, now, 0));
    }

    #[test]
    fn a_line_of_claims_alone_is_told() {
        let line = Line {
            claimed: 1,
            ..Line::default()
        };
        assert!(says_something(&line));
        assert!(!says_something(&Line::default()));
    }

    #[test]
    fn what_left_or_ended_is_no_stock() {
        let counted = |own, container| {
            let mut line = Line::default();
            add(&mut line, own, container, false, 3);
            (line.on_hand, line.returned, line.collected, line.arriving)
        };
        assert_eq!(counted(Phase::InStock, None), (3, 0, 0, 0));
        assert_eq!(counted(Phase::Returned, None), (0, 3, 0, 0));
        assert_eq!(counted(Phase::Sold, None), (0, 0, 0, 0));
        assert_eq!(counted(Phase::Destroyed, None), (0, 0, 0, 0));
        let way = Some(Phase::InTransit);
        assert_eq!(counted(Phase::InStock, way), (0, 0, 0, 3));
        // Fetched back, and not here yet.
        assert_eq!(counted(Phase::Collected, way), (0, 0, 0, 3));
        assert_eq!(counted(Phase::InStock, Some(Phase::Sold)), (0, 0, 0, 0));
        let packed_only = Some(Phase::Unknown);
        assert_eq!(counted(Phase::Commissioned, packed_only), (3, 0, 0, 0));
    }

    #[test]
    fn what_is_sent_back_is_not_there_before_it_arrives() {
        for own in [Phase::Returned, Phase::Collected] {
            let mut line = Line::default();
            add(&mut line, own, None, true, 3);
            let expected = Line {
                arriving: 3,
                ..Line::default()
            };
            assert_eq!(line, expected, "{own:?}");
        }
    }
}
