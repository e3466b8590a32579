//! Sets right what the patrol found: an act of its own, which looks once more under the head of the log, folds
//! the units as if they were to be folded for any other reason, and says so in the log.

use super::{Looked, Shown, look};
use crate::{
    handheld::{
        push::{PushError, act::Engine},
        units::folding::{Change, Folding, Moment},
    },
    log::{Actor, Begun, Entry, Kind},
    projection::units::set_unit_statuses,
};
use serde::Serialize;
use std::collections::BTreeMap;
use suyuan_sync::unit::UnitKey;

/// What the entry says.
#[derive(Serialize)]
struct Body<'k> {
    /// Of which units.
    units: Vec<&'k UnitKey>,
    /// How many findings opened.
    opened: usize,
    /// How many closed.
    closed: usize,
}

/// Sets right what is kept of these units otherwise, and tells what was.
pub(super) async fn mend(
    engine: &mut Engine,
    keys: &[UnitKey],
) -> Result<BTreeMap<UnitKey, Looked>, PushError> {
    let act = match engine.log().begin::<()>(Actor::System, None).await? {
        Begun::Act(act) => act,
        Begun::Answered(()) => return Ok(BTreeMap::new()), // no key was given
    };
    let (source, reader) = engine.parts();
    source.refresh(act.tx(), act.position() - 1).await?;
    let otherwise = look(act.tx(), (source, reader), keys, &Shown::AskedFor).await?;
    if otherwise.is_empty() {
        act.abandon().await?;
        return Ok(otherwise);
    }
    let change = Change {
        units: otherwise.keys().cloned().collect(),
        // No act told of it: of all periods that are closed by now it is told.
        left_at: Some(0),
        ..Change::default()
    };
    let moment = Moment {
        first: act.position(),
        last: act.position(),
        stamp: act.stamp(),
    };
    let folding = Folding::new(source, reader, moment);
    let done = folding.run(act.tx(), &change).await?;
    let mut public = done.public;
    // Their rows may be right, and what is told of them wrong.
    public.extend(otherwise.values().map(|looked| looked.public.clone()));
    set_unit_statuses(&act, &public).await?;
    let body = Body {
        units: otherwise.keys().collect(),
        opened: done.opened.values().map(Vec::len).sum(),
        closed: done.closed,
    };
    let entry = Entry {
        kind: Kind::Mended,
        enterprise: None,
        subject: format!("entry:{}", act.position()),
        body: &body,
    };
    act.commit(entry, &()).await?;
    Ok(otherwise)
}
