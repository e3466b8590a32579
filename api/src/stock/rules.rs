//! What units at a place count as. Pure.

use super::wire::Line;
use crate::recalls::reach::rules::shared;
use suyuan_sync::fold::{Phase, Place};

/// Adds units of one phase to a line: `container` is the phase of what they are in, if they share its
/// life.
pub fn add(line: &mut Line, own: Phase, container: Option<Phase>, units: u64) {
    let phase = match container {
        None => own,
        // What depends on which came first counts as its container does.
        Some(container) => shared((own, Place::Nowhere), (container, Place::Nowhere))
            .map_or(container, |(phase, _)| phase),
    };
    match phase {
        Phase::Commissioned | Phase::InStock | Phase::Unknown => line.on_hand += units,
        Phase::Returned => line.returned += units,
        Phase::Collected => line.collected += units,
        Phase::InTransit => line.arriving += units,
        Phase::Sold | Phase::Destroyed => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_left_or_ended_is_no_stock() {
        let counted = |own, container| {
            let mut line = Line::default();
            add(&mut line, own, container, 3);
            (line.on_hand, line.returned, line.collected, line.arriving)
        };
        assert_eq!(counted(Phase::InStock, None), (3, 0, 0, 0));
        assert_eq!(counted(Phase::Returned, None), (0, 3, 0, 0));
        assert_eq!(counted(Phase::Sold, None), (0, 0, 0, 0));
        assert_eq!(counted(Phase::Destroyed, None), (0, 0, 0, 0));
        let way = Some(Phase::InTransit);
        assert_eq!(counted(Phase::InStock, way), (0, 0, 0, 3));
        assert_eq!(counted(Phase::Collected, way), (0, 0, 3, 0));
        assert_eq!(counted(Phase::InStock, Some(Phase::Sold)), (0, 0, 0, 0));
        let packed_only = Some(Phase::Unknown);
        assert_eq!(counted(Phase::Commissioned, packed_only), (3, 0, 0, 0));
    }
}
