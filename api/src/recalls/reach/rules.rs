//! What the state of a unit counts as in the reach of a recall, and what a unit shares with the
//! container it is in. Pure.

use suyuan_sync::fold::{Phase, Place};
use uuid::Uuid;

/// Where a unit is, as a recall sees it. Every state is exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whereabouts {
    /// At a place: in stock, brought back, or commissioned and seen there.
    Located(Uuid),
    /// On its way.
    InTransit {
        /// From here.
        from: Uuid,
        /// To this place, if it was named.
        to: Option<Uuid>,
        /// To this enterprise, if it was named.
        to_enterprise: Option<Uuid>,
    },
    /// Sold, by this store: whoever has it is to be told.
    Sold(Option<Uuid>),
    /// Fetched back.
    Collected,
    /// Destroyed.
    Destroyed,
    /// Commissioned and not seen anywhere since: at the plant still, or lost from sight.
    Unaccounted,
}

/// What a state counts as.
pub const fn whereabouts(phase: Phase, place: Place) -> Whereabouts {
    match (phase, place) {
        (Phase::Collected, _) => Whereabouts::Collected,
        (Phase::Destroyed, _) => Whereabouts::Destroyed,
        (Phase::Sold, Place::At(store)) => Whereabouts::Sold(Some(store.0)),
        (Phase::Sold, Place::Nowhere | Place::Between { .. }) => Whereabouts::Sold(None),
        (
            _,
            Place::Between {
                from,
                to,
                to_enterprise,
            },
        ) => Whereabouts::InTransit {
            from: from.0,
            to: match to {
                Some(to) => Some(to.0),
                None => None,
            },
            to_enterprise: match to_enterprise {
                Some(to) => Some(to.0),
                None => None,
            },
        },
        (_, Place::At(place)) => Whereabouts::Located(place.0),
        (_, Place::Nowhere) => Whereabouts::Unaccounted,
    }
}

/// What a thing in a container is, by its own state as it was packed and the container's now; `None`
/// if that depends on what happened to the container before it was packed and what after.
pub const fn shared(own: (Phase, Place), container: (Phase, Place)) -> Option<(Phase, Place)> {
    match (container.0, own.0) {
        // Nothing was done with the container but packing.
        (Phase::Unknown, Phase::Unknown) | (Phase::Commissioned, Phase::Commissioned) => {
            match container.1 {
                Place::Nowhere => Some(own),
                place => Some((own.0, place)),
            }
        }
        (
            Phase::InStock | Phase::InTransit,
            Phase::Unknown
            | Phase::Commissioned
            | Phase::InStock
            | Phase::InTransit
            | Phase::Returned,
        ) => Some(container),
        // An end of the container is an end of what is in it, if it was in it then; what was fetched back
        // is released with it; and what was struck of it is struck of what is in it.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::ids::LocationId;

    const PHASES: [Phase; 8] = [
        Phase::Unknown,
        Phase::Commissioned,
        Phase::InStock,
        Phase::InTransit,
        Phase::Sold,
        Phase::Returned,
        Phase::Collected,
        Phase::Destroyed,
    ];

    fn places() -> [Place; 3] {
        let here = LocationId(Uuid::from_u128(1));
        let way = Place::Between {
            from: here,
            to: Some(LocationId(Uuid::from_u128(2))),
            to_enterprise: None,
        };
        [Place::Nowhere, Place::At(here), way]
    }

    #[test]
    fn an_end_counts_wherever_the_unit_is() {
        for place in places() {
            let of = |phase| whereabouts(phase, place);
            assert_eq!(of(Phase::Collected), Whereabouts::Collected);
            assert_eq!(of(Phase::Destroyed), Whereabouts::Destroyed);
            assert!(matches!(of(Phase::Sold), Whereabouts::Sold(_)));
        }
        let [nowhere, here, way] = places();
        for phase in [Phase::Commissioned, Phase::InStock, Phase::Returned] {
            assert_eq!(whereabouts(phase, nowhere), Whereabouts::Unaccounted);
            let located = Whereabouts::Located(Uuid::from_u128(1));
            assert_eq!(whereabouts(phase, here), located);
            let moving = whereabouts(phase, way);
            assert!(matches!(moving, Whereabouts::InTransit { .. }));
        }
    }

    #[test]
    fn an_end_and_what_takes_it_back_depend_on_which_was_first() {
        let [_, here, way] = places();
        for phase in PHASES {
            let sold = shared((phase, here), (Phase::Sold, here));
            assert_eq!(sold, None, "{phase:?}");
        }
        // Collected before the case was, and released with it.
        let own = (Phase::Collected, here);
        assert_eq!(shared(own, (Phase::Collected, way)), None);
        assert_eq!(shared(own, (Phase::InTransit, way)), None);
        let own = (Phase::InStock, here);
        let moving = (Phase::InTransit, way);
        assert_eq!(shared(own, moving), Some(moving));
        // Something was done with the container, and struck.
        let packed = (Phase::Commissioned, here);
        for own in [Phase::InTransit, Phase::Collected, Phase::Sold] {
            assert_eq!(shared((own, here), packed), None, "{own:?}");
        }
        assert_eq!(shared((Phase::Commissioned, here), packed), Some(packed));
    }
}
