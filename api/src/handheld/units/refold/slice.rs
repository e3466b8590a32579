//! One slice: a short act under the head of the log that folds a page of units and moves the work on.

use super::{Scope, Work, apart, pages::Page, store};
use crate::{
    handheld::{
        push::{PushError, act::Engine},
        units::{
            folding::{Change, Done, Folding, Moment, Swept},
            store::by_position,
        },
    },
    log::{Actor, Begun, Entry, Kind, Position},
    projection::units::set_unit_statuses,
};
use futures_util::FutureExt;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use suyuan_sync::ids::EventId;

/// What a slice's entry says.
#[derive(Serialize)]
pub(super) struct Body {
    /// The position whose entry or event made it necessary.
    because: i64,
    /// How many findings opened.
    opened: usize,
    /// How many closed.
    closed: usize,
    /// How many facts about units were read under the head.
    read: usize,
}

impl Body {
    /// Of one that folded nothing, and opened so many findings.
    pub(super) fn unfolded(work: &Work, opened: usize) -> Body {
        Body {
            because: work.gseq,
            opened,
            closed: 0,
            read: 0,
        }
    }

    /// Of what a slice did.
    pub(super) fn of(work: &Work, done: &Done) -> Body {
        Body {
            because: work.gseq,
            opened: done.opened.values().map(Vec::len).sum(),
            closed: done.closed,
            read: done.facts,
        }
    }

    /// A slice's entry in the log.
    pub(super) fn entry(&self, work: &Work) -> Entry<'_> {
        Entry {
            kind: Kind::Refolded,
            enterprise: None,
            subject: format!("entry:{}", work.gseq),
            body: self,
        }
    }
}

/// What a slice took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Took {
    /// How long the head was held.
    pub held: Duration,
    /// How much it was about: units, lines, or names of events.
    pub size: usize,
}

/// Does a slice of some work, whose page of at most so many units was read before; tells what it took. A unit
/// that cannot be folded is left as it is, once it is alone: what comes after it must not wait.
pub async fn slice(
    engine: &mut Engine,
    work: &Work,
    limit: i64,
    page: Result<Page, PushError>,
) -> Result<Took, PushError> {
    let limit = engine.at_most(limit as usize) as i64;
    let next = page.as_ref().map(|page| page.next).ok();
    let folded = match page {
        Ok(page) => {
            let folded = AssertUnwindSafe(fold(engine, work, limit, page)).catch_unwind();
            folded.await.unwrap_or(Err(PushError::Broken))
        }
        Err(error) => Err(error),
    };
    let error = match folded {
        Ok(took) => return Ok(took),
        Err(error) => error,
    };
    if limit > 1 || !error.is_of_the_push() {
        return Err(error);
    }
    // What counts is not passed by: it waits apart from the others, and is tried again.
    if is_entering(work) {
        if apart::set_apart(engine, work).await? {
            tracing::error!(%error, work = work.id, "an event cannot enter: alone from now on");
            return Ok(Took::default());
        }
        return Err(error);
    }
    let Some(next) = next else {
        return Err(error);
    };
    tracing::error!(%error, work = work.id, cursor = work.cursor, "cannot be folded: left");
    passed(engine.db(), work, next).await?;
    Ok(Took::default())
}

fn is_entering(work: &Work) -> bool {
    matches!(work.scope, Scope::Entered { .. })
}

async fn fold(engine: &mut Engine, work: &Work, limit: i64, page: Page) -> Result<Took, PushError> {
    let db = engine.db().clone();
    // What is new on record since is read before the head is locked.
    let (seen, _) = engine.log().head().await?;
    let (source, _) = engine.parts();
    source.refresh(db.reader(), seen).await?;
    let size = page.size();
    let act = match engine.log().begin::<()>(Actor::System, None).await? {
        Begun::Act(act) => act,
        Begun::Answered(()) => return Ok(Took::default()), // no key was given
    };
    let locked = Instant::now();
    if !store::advance(act.tx(), work, page.next).await? {
        act.abandon().await?;
        return Ok(Took::default());
    }
    let (source, reader) = engine.parts();
    source.refresh(act.tx(), act.position() - 1).await?;
    let events = by_position(act.tx(), reader, &page.events).await?;
    let mut swept = None;
    if let Some(lines) = page.lines {
        let count = by_position(act.tx(), reader, &[lines.count].into()).await?;
        swept = count.into_iter().next().map(|count| Swept {
            count,
            moved: lines.moved,
            lines: lines.rows,
        });
    }
    let since: BTreeSet<Position> = page.left.values().copied().collect();
    let named: BTreeMap<Position, EventId> = by_position(act.tx(), reader, &since)
        .await?
        .into_iter()
        .map(|fact| (fact.gseq, fact.event.id))
        .collect();
    let left = page.left.into_iter();
    let entered = by_position(act.tx(), reader, &page.entered).await?;
    let again = matches!(work.scope, Scope::Entered { again: Some(_), .. });
    if !again {
        // As known at a position before this one they were not known.
        store::count_from(act.tx(), &page.entered, act.position()).await?;
    }
    let reordered = by_position(act.tx(), reader, &page.moved).await?;
    // What an event says of lots is one page, the first.
    let lots_reordered = if work.cursor == 0 {
        reordered.clone()
    } else {
        Vec::new()
    };
    let change = Change {
        entering: !entered.is_empty() && !again,
        // What comes on record changes what was closed before as well.
        left_at: Some(if work.scope.is_what_came_on_record() {
            0
        } else {
            since.first().copied().unwrap_or(work.gseq)
        }),
        again,
        arrived: entered,
        swept,
        went: page.went,
        left: left
            .map(|(unit, since)| (unit, named.get(&since).copied()))
            .collect(),
        units: page.units,
        reordered,
        lots_reordered,
        // What is on record by now may change what lines are called by.
        moved: events
            .iter()
            .filter(|fact| page.renamed.contains(&fact.gseq) && !fact.event.lots.is_empty())
            .cloned()
            .collect(),
        recheck: events,
        because: work.cause,
        ..Change::default()
    };
    let moment = Moment {
        first: act.position(),
        last: act.position(),
        stamp: act.stamp(),
    };
    let mut folding = Folding::new(source, reader, moment);
    if !page.entered.is_empty() {
        folding = folding.within(limit.max(1) as usize);
    }
    let done = folding.run(act.tx(), &change).await?;
    let shown = set_unit_statuses(&act, &done.public).await?
        | store::tell_again(act.tx(), &page.voided, act.position()).await?;
    // What enters is noted, whatever came of it.
    if done.written == 0 && !shown && page.entered.is_empty() {
        // Nothing is another than it was: nothing to be told in the log.
        act.abandon().await?;
        let held = locked.elapsed();
        passed(&db, work, page.next).await?;
        return Ok(Took { held, size });
    }
    let body = Body::of(work, &done);
    act.commit(body.entry(work), &()).await?;
    let held = locked.elapsed();
    Ok(Took { held, size })
}

/// Notes how far work has come, outside of any act.
pub(super) async fn passed(
    db: &crate::db::Db,
    work: &Work,
    next: Option<i64>,
) -> Result<(), PushError> {
    store::advance(db.writer(), work, next).await?;
    Ok(())
}
