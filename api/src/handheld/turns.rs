//! Whose turn it is to have something made or read that takes long: so many at once, of an enterprise one
//! at a time, and enterprises in turn. However many of somebody's ask, and however much there is to tell
//! them, whoever belongs to another enterprise waits for one turn of theirs at most. Knows nothing of what a
//! turn is for: a device's snapshot, or a unit about which very much was said.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Gives turns.
#[derive(Clone)]
pub struct Turns(Arc<Mutex<Line>>);

struct Line {
    free: usize,
    /// Enterprises that wait or have a turn; who had one last is behind the others.
    enterprises: VecDeque<Waiting>,
}

struct Waiting {
    enterprise: Uuid,
    has_turn: bool,
    devices: VecDeque<oneshot::Sender<Turn>>,
}

/// A turn of an enterprise, until it is dropped.
pub struct Turn {
    turns: Turns,
    enterprise: Uuid,
}

impl Turns {
    /// So many turns at once.
    pub fn new(at_once: usize) -> Turns {
        Turns(Arc::new(Mutex::new(Line {
            free: at_once,
            enterprises: VecDeque::new(),
        })))
    }

    /// The next turn of an enterprise; whoever waits no longer just drops this.
    pub async fn next(&self, enterprise: Uuid) -> Option<Turn> {
        let (mine, turn) = oneshot::channel();
        self.line().enter(enterprise, mine);
        self.give();
        turn.await.ok()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the turns that are free. What nobody takes comes back when it is dropped, so no lock is held
    /// then.
    fn give(&self) {
        loop {
            let Some((enterprise, device)) = self.line().leave() else {
                return;
            };
            let turn = Turn {
                turns: self.clone(),
                enterprise,
            };
            drop(device.send(turn));
        }
    }
}

impl Line {
    fn enter(&mut self, enterprise: Uuid, device: oneshot::Sender<Turn>) {
        let mut all = self.enterprises.iter_mut();
        match all.find(|waiting| waiting.enterprise == enterprise) {
            Some(waiting) => waiting.devices.push_back(device),
            None => self.enterprises.push_back(Waiting {
                enterprise,
                has_turn: false,
                devices: VecDeque::from([device]),
            }),
        }
    }

    /// Who is next, if a turn is free.
    fn leave(&mut self) -> Option<(Uuid, oneshot::Sender<Turn>)> {
        if self.free == 0 {
            return None;
        }
        for waiting in &mut self.enterprises {
            waiting.devices.retain(|device| !device.is_closed());
        }
        self.enterprises
            .retain(|waiting| waiting.has_turn || !waiting.devices.is_empty());
        let mut all = self.enterprises.iter_mut();
        let next = all.find(|waiting| !waiting.has_turn)?;
        let device = next.devices.pop_front()?;
        next.has_turn = true;
        self.free -= 1;
        Some((next.enterprise, device))
    }

    fn ended(&mut self, enterprise: Uuid) {
        self.free += 1;
        let mut all = self.enterprises.iter();
        let place = all.position(|waiting| waiting.enterprise == enterprise);
        if let Some(mut waiting) = place.and_then(|place| self.enterprises.remove(place)) {
            waiting.has_turn = false;
            self.enterprises.push_back(waiting);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.line().ended(self.enterprise);
        self.turns.give();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    const BIG: Uuid = Uuid::from_u128(1);
    const SMALL: Uuid = Uuid::from_u128(2);
    const THIRD: Uuid = Uuid::from_u128(3);

    #[tokio::test]
    async fn i29_an_enterprise_has_one_turn_at_a_time_and_another_begins_at_once() {
        let turns = Turns::new(2);
        let first = turns.next(BIG).await;
        let mut more: Vec<_> = (0..6).map(|_| Box::pin(turns.next(BIG))).collect();
        for waits in &mut more {
            assert!(waits.now_or_never().is_none(), "one of an enterprise");
        }
        let other = turns.next(SMALL).now_or_never().flatten();
        assert!(other.is_some(), "another's begins");
        assert!(turns.next(THIRD).now_or_never().is_none(), "two at once");
        drop(first);
        let next = more[0].as_mut().now_or_never().flatten();
        assert!(next.is_some(), "who waited longest; the third is gone");
    }

    #[tokio::test]
    async fn i29_who_had_a_turn_is_behind_those_who_had_none() {
        let turns = Turns::new(1);
        let first = turns.next(BIG).await;
        let mut again = Box::pin(turns.next(BIG));
        assert!(again.as_mut().now_or_never().is_none());
        let mut small = Box::pin(turns.next(SMALL));
        assert!(small.as_mut().now_or_never().is_none());
        drop(first);
        assert!(again.as_mut().now_or_never().is_none());
        let turn = small.as_mut().now_or_never().flatten();
        assert!(turn.is_some(), "the other's, though it asked later");
        drop(turn);
        assert!(again.as_mut().now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn a_turn_that_nobody_takes_is_given_on() {
        let turns = Turns::new(1);
        let first = turns.next(BIG).await;
        let mut gone = Box::pin(turns.next(SMALL));
        assert!(gone.as_mut().now_or_never().is_none());
        let mut taken = Box::pin(turns.next(THIRD));
        assert!(taken.as_mut().now_or_never().is_none());
        // Given, and then not waited for.
        drop(first);
        drop(gone);
        assert!(taken.as_mut().now_or_never().flatten().is_some());
        assert!(turns.next(BIG).now_or_never().flatten().is_some());
    }
}
