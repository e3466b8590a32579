//! What an enterprise may know of a unit whose code it holds in front of a device (sync.md section 5).
//! Pure; timelines, which tell more, are cut by `suyuan_sync::fold::visible`.

use crate::handheld::units::place_of;
use suyuan_sync::{
    fold::{Place, UnitState},
    ids::{EnterpriseId, LocationId},
};

/// The unit as `own` may know it at one of its places: all of it for its issuer, who holds it and whom
/// it is on the way to; without its place for who had it and sent it on; `None` for anybody else.
pub fn as_known(mut state: UnitState, own: EnterpriseId, here: LocationId) -> Option<UnitState> {
    if is_near(&state, own, here) {
        return Some(state);
    }
    if !state.linked.contains(&own) {
        return None;
    }
    state.place = Place::Nowhere;
    state.inside = None;
    Some(state)
}

fn is_near(state: &UnitState, own: EnterpriseId, here: LocationId) -> bool {
    let comes = match state.place {
        Place::Between { to_enterprise, .. } => to_enterprise == Some(own),
        Place::At(_) | Place::Nowhere => false,
    };
    let is_own = [state.issuer, state.holder].contains(&Some(own));
    is_own || comes || place_of(state.place) == Some(here)
}
