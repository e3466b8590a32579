//! An event that counts and cannot enter, since this program fails to fold it. It waits apart, so that no other waits
//! for it, and whoever stated it is told (I14: no event is without effect in silence). What is found closes when a
//! program comes that can fold it. It must not know why it failed.

use super::{Scope, Work, slice::Body, store};
use crate::{
    handheld::{
        push::{PushError, act::Engine},
        units::{
            folding::NUMBER_BITS,
            store::{Aside, by_position, open_of_events, write_aside},
        },
    },
    log::{Act, Position},
};
use std::{collections::BTreeSet, sync::Arc};
use suyuan_sync::{facts::Fact, finding::FindingCode};

/// Sets the event apart that is next to enter, and tells of it. `false` if both was done before, and it goes on
/// failing.
pub(super) async fn set_apart(engine: &mut Engine, work: &Work) -> Result<bool, PushError> {
    let Scope::Entered { events, .. } = &work.scope else {
        return Ok(false);
    };
    let at = usize::try_from(work.cursor).unwrap_or_default();
    let Some(event) = events.get(at) else {
        return Ok(false);
    };
    let is_alone = events.len() == 1;
    let next = if is_alone {
        Some(work.cursor)
    } else {
        (at + 1 < events.len()).then_some(work.cursor + 1)
    };
    let act = engine.log().begin_as_system().await?;
    if !store::advance(act.tx(), work, next).await? {
        // Another process took it in meanwhile.
        act.abandon().await?;
        return Ok(true);
    }
    let (_, reader) = engine.parts();
    let fact = by_position(act.tx(), reader, &[*event].into()).await?;
    let mut opened = 0;
    if let Some(fact) = fact.first()
        && !is_told(&act, fact).await?
    {
        write_aside(act.tx(), act.position(), &[told(fact)]).await?;
        opened = 1;
    }
    if is_alone && opened == 0 {
        act.abandon().await?;
        return Ok(false);
    }
    if !is_alone {
        store::add(act.tx(), &[alone(work, *event)]).await?;
    }
    let body = Body::unfolded(work, opened);
    act.commit(body.entry(work), &()).await?;
    Ok(true)
}

/// Work of its own for an event.
fn alone(work: &Work, event: Position) -> Work {
    Work {
        // No act numbers so many rows.
        id: (event << NUMBER_BITS) | ((1 << NUMBER_BITS) - 1),
        scope: Scope::Entered {
            events: vec![event],
            again: None,
        },
        cursor: 0,
        ..work.clone()
    }
}

async fn is_told(act: &Act, fact: &Fact) -> Result<bool, PushError> {
    let open = open_of_events(act.tx(), &[fact.gseq].into()).await?;
    let mut open = open.values().flatten();
    Ok(open.any(|(_, finding)| finding.code == FindingCode::Unfoldable))
}

fn told(fact: &Arc<Fact>) -> Aside {
    let place = fact.event.location.0;
    Aside {
        enterprise: fact.enterprise.0,
        device: fact.event.device.0,
        event: Some(fact.event.id),
        gseq: fact.gseq,
        place: Some(place).filter(|place| !place.is_nil()),
        codes: BTreeSet::from([FindingCode::Unfoldable]),
    }
}
