//! What goes over the wire at once is never more than may be (I29), however much there is: so neither
//! side holds more of it than that.

use suyuan_sync::{
    invariants::{Holds, i29_no_more_at_once_than_may_be as i29},
    limits::{
        EVENTS_PER_PUSH_MAX, FINDINGS_TOLD_MAX, LOOK_UP_CODES_MAX, PULL_UNITS_PER_ITEM,
        PUSH_BYTES_MAX, SNAPSHOT_CHUNK_BYTES,
    },
    wire::{Item, LookUpAnswer, PullAnswer, Push, PushAnswer, Removed},
};

/// A push that an outbox wants sent.
pub fn push(push: &Push) -> Holds {
    let bytes = push.events.iter().map(String::len).sum();
    i29("events in a push", push.events.len(), EVENTS_PER_PUSH_MAX)?;
    i29("bytes of events in a push", bytes, PUSH_BYTES_MAX)
}

/// What is answered to one.
pub fn answer(answer: &PushAnswer) -> Holds {
    i29("results", answer.results.len(), EVENTS_PER_PUSH_MAX)?;
    let found = answer.results.iter().map(|result| result.findings.len());
    let most = found.max().unwrap_or(0);
    i29("findings of one event", most, FINDINGS_TOLD_MAX)
}

/// A page that so many items were asked for. Of one position everything else comes whole.
pub fn page(page: &PullAnswer, asked: usize) -> Holds {
    let is_unit = |item: &&Item| matches!(item, Item::Unit(_) | Item::Removed(Removed::Unit(_)));
    let units = page.items.iter().map(|told| &told.item).filter(is_unit);
    let most = asked.saturating_mul(PULL_UNITS_PER_ITEM);
    i29("units on a page", units.count(), most)
}

/// What is answered to a look-up.
pub fn look_up(answer: &LookUpAnswer) -> Holds {
    i29("cards of a look-up", answer.cards.len(), LOOK_UP_CODES_MAX)
}

/// A piece of a snapshot or a recall list. No item of a run is as long as that.
pub fn piece(bytes: &[u8]) -> Holds {
    i29("bytes of a piece", bytes.len(), SNAPSHOT_CHUNK_BYTES)
}
