//! Events that were read, by position, since the same are folded again and again while their units move. As many
//! are remembered as there is room for by what they name: one event may name a thousand units. It must not know
//! where they are read from.

use lru::LruCache;
use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};
use suyuan_sync::{event::Event, ids::Gseq};

/// Most events: about 2 kB each, with little that they name.
const EVENTS_MAX: NonZeroUsize = NonZeroUsize::new(8192).expect("not zero");
/// Most units that they name together, some 300 bytes each, or three times as many lots.
const NAMES_MAX: usize = 200_000;

/// Events that were read. Clones are one.
#[derive(Clone)]
pub(super) struct Remembered(Arc<Mutex<Kept>>);

struct Kept {
    events: LruCache<Gseq, Arc<Event>>,
    /// How much these name.
    names: usize,
}

impl Default for Remembered {
    fn default() -> Remembered {
        let events = LruCache::new(EVENTS_MAX);
        Remembered(Arc::new(Mutex::new(Kept { events, names: 0 })))
    }
}

impl Remembered {
    /// The event at a position, if it is remembered.
    pub(super) fn get(&self, gseq: Gseq) -> Option<Arc<Event>> {
        self.with(|kept| kept.events.get(&gseq).cloned())
    }

    /// Remembers an event; those that were not asked for the longest make room.
    pub(super) fn put(&self, gseq: Gseq, event: Arc<Event>) {
        self.with(|kept| {
            kept.names += names(&event);
            let gone = kept.events.push(gseq, event);
            kept.names -= gone.map_or(0, |(_, event)| names(&event));
            while kept.names > NAMES_MAX
                && let Some((_, event)) = kept.events.pop_lru()
            {
                kept.names -= names(&event);
            }
        });
    }

    fn with<T>(&self, what: impl FnOnce(&mut Kept) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn names(event: &Event) -> usize {
    event.units.len() + event.lots.len().div_ceil(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::{
        event::{Kind, LotLine},
        ids::{DeviceId, EventId},
    };
    use uuid::Uuid;

    /// An event that names as many lots as take the room of so many units.
    fn naming(lots: usize) -> Arc<Event> {
        let lot = LotLine {
            gtin: "00012345678905".into(),
            lot: None,
            qty: 1,
        };
        let (id, device) = (EventId(Uuid::nil()), DeviceId(Uuid::nil()));
        let mut event = Event::bare(Kind::Count, id, device, 1, 1, 0);
        event.lots = vec![lot; 3 * lots];
        event.into()
    }

    #[test]
    fn as_much_is_remembered_as_there_is_room_for() {
        let remembered = Remembered::default();
        let known = |gseq| remembered.get(gseq).is_some();
        let half = NAMES_MAX / 2;
        remembered.put(1, naming(half));
        remembered.put(2, naming(half));
        // The same once more takes no more room.
        remembered.put(2, naming(half));
        assert!(known(2) && known(1));
        // The second was asked for longest ago.
        remembered.put(3, naming(1));
        assert!(known(1) && !known(2) && known(3));
        // One that is larger than all the room is not kept, and nothing is counted of what went.
        remembered.put(4, naming(NAMES_MAX + 1));
        assert!(!known(1) && !known(4));
        for gseq in 10..20 {
            remembered.put(gseq, naming(NAMES_MAX / 10));
        }
        assert!((10..20).all(known));
    }

    #[test]
    fn no_more_events_are_remembered_than_that() {
        let remembered = Remembered::default();
        let most = EVENTS_MAX.get() as i64;
        (0..=most).for_each(|gseq| remembered.put(gseq, naming(1)));
        assert!(remembered.get(0).is_none() && remembered.get(1).is_some());
        assert_eq!(remembered.with(|kept| kept.names), EVENTS_MAX.get());
    }
}
