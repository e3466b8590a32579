//! Who may read what of a unit (sync.md section 5).
//!
//! The issuer sees kind, time, place and partner of all; a holder its own events, one step up, one
//! step down, state and advice; operator and regulator see all by their role; anybody else sees
//! nothing, as if the unit did not exist. Who is asking, and in what role, is told by the caller.
//!
//! A retract says nothing of a unit: whoever names the id of somebody else's event is neither linked to
//! the units it was about nor claims them. Nor does who states something of a container that never came
//! to them: a claim is of the codes one read, not of what is inside.

use super::{Place, Step, UnitState};
use crate::{
    event::{Counterpart, Kind},
    ids::{EnterpriseId, EventId, LocationId},
    order::Interval,
    order::Order,
    unit::UnitKey,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Somebody of an enterprise.
    Enterprise(EnterpriseId),
    /// The operator of the installation, or a regulator.
    All,
}

/// One entry of a timeline as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The event.
    pub event: EventId,
    /// What happened.
    pub kind: Kind,
    /// Who stated it.
    pub enterprise: EnterpriseId,
    /// When, in the order of things.
    pub at: i64,
    /// Not before, not after.
    pub between: (i64, i64),
    /// Where.
    pub location: LocationId,
    /// With which enterprise or place; a name stays with who wrote it, and who sees all by their role.
    pub partner: Option<Partner>,
    /// The container it came by.
    pub via: Option<UnitKey>,
    /// Struck out.
    pub struck: bool,
    /// Stated by somebody whose word does not count.
    pub stranger: bool,
}

/// The other side of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Partner {
    /// An enterprise.
    Enterprise(EnterpriseId),
    /// A place.
    Location(LocationId),
    /// A name.
    Named(String),
}

/// What a reader sees of a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The state, without what concerns others; `None` for one who only claims to hold it.
    pub state: Option<UnitState>,
    /// The timeline, as much of it as may be seen.
    pub entries: Vec<Entry>,
}

/// What `who` may see; `None` if for them the unit does not exist.
pub fn visible(state: &UnitState, steps: &[Step], who: Reader) -> Option<View> {
    let me = match who {
        Reader::All => None,
        Reader::Enterprise(me) if state.issuer == Some(me) => None,
        Reader::Enterprise(me) => Some(me),
    };
    let Some(me) = me else {
        return Some(View {
            state: Some(state.clone()),
            entries: steps.iter().map(|step| entry(step, who)).collect(),
        });
    };
    let counted = |step: &&Step| !step.struck && !step.stranger;
    let mine = |step: &Step| step.fact.enterprise == me;
    let states = |step: &Step| mine(step) && step.fact.event.kind != Kind::Retract;
    let by_container = |step: &Step| step.stranger && step.via.is_some();
    let linked = state.linked.contains(&me) || steps.iter().filter(counted).any(states);
    let shown = if linked {
        neighbours(steps, me)
    } else {
        BTreeSet::new()
    };
    let entries: Vec<Entry> = steps
        .iter()
        .filter(|step| mine(step) && (linked || !by_container(step)) || shown.contains(&step.order))
        .map(|step| entry(step, who))
        .collect();
    if !linked {
        let claims = steps.iter().any(|step| states(step) && !by_container(step));
        return claims.then_some(View {
            state: None,
            entries,
        });
    }
    // It is where what took effect last says; what took none says nothing of that (C10).
    let last_is_shown = steps
        .iter()
        .rfind(|step| step.took)
        .is_none_or(|step| mine(step) || shown.contains(&step.order));
    Some(View {
        state: Some(redacted(state, me, last_is_shown)),
        entries,
    })
}

/// One step up and one step down: the outbound that sent it to `me`, and the first inbound of
/// somebody else after `me` sent it on, when the two name each other or nobody in between. Who states
/// what takes no effect, a retract above all, is not in between.
fn neighbours(steps: &[Step], me: EnterpriseId) -> BTreeSet<Order> {
    let mut out = BTreeSet::new();
    let mut up: Option<&Step> = None;
    let mut down = false;
    for step in steps.iter().filter(|step| step.took) {
        let enterprise = step.fact.enterprise;
        match step.fact.event.kind {
            Kind::Outbound if enterprise == me => {
                down = true;
                up = None;
            }
            Kind::Outbound => {
                up = Some(step);
                down = false;
            }
            Kind::Inbound if enterprise == me => {
                out.extend(up.take().map(|up| up.order));
                down = false;
            }
            Kind::Inbound => {
                if down {
                    out.insert(step.order);
                }
                down = false;
                up = None;
            }
            _ if enterprise == me => {}
            _ => {
                up = None;
                down = false;
            }
        }
    }
    // On its way to `me`, and not in yet.
    if let Some(up) = up {
        let to_me = match &up.after.place {
            Place::Between { to_enterprise, .. } => *to_enterprise == Some(me),
            Place::At(_) | Place::Nowhere => false,
        };
        if to_me {
            out.insert(up.order);
        }
    }
    out
}

/// The state without who else was linked or claims it, and without a place beyond one step.
fn redacted(state: &UnitState, me: EnterpriseId, place: bool) -> UnitState {
    let mut state = state.clone();
    let keep = |enterprise: &EnterpriseId| *enterprise == me;
    state.linked.retain(keep);
    state.claims.retain(|enterprise, _| keep(enterprise));
    if !place {
        state.place = Place::Nowhere;
        state.holder = None;
        state.inside = None;
    }
    state
}

fn entry(step: &Step, who: Reader) -> Entry {
    let Interval { lo, hi, .. } = step.fact.interval_there();
    let named_by = step.fact.enterprise;
    let is_told = |counterpart: &&Counterpart| match (counterpart, who) {
        (Counterpart::Named(_), Reader::Enterprise(me)) => me == named_by,
        (Counterpart::Named(_), Reader::All)
        | (Counterpart::Enterprise(_) | Counterpart::Location(_), _) => true,
    };
    Entry {
        event: step.event,
        kind: step.fact.event.kind,
        enterprise: step.fact.enterprise,
        at: step.order.eff,
        between: (lo, hi),
        location: step.fact.event.location,
        partner: step
            .fact
            .event
            .counterpart
            .as_ref()
            .filter(is_told)
            .map(|counterpart| match counterpart {
                Counterpart::Enterprise(enterprise) => Partner::Enterprise(*enterprise),
                Counterpart::Location(location) => Partner::Location(*location),
                Counterpart::Named(name) => Partner::Named(name.clone()),
            }),
        via: step.via.clone(),
        struck: step.struck,
        stranger: step.stranger,
    }
}
