//! How much memory pushes may take that are on their way: a budget in bytes that is asked before a
//! body is read on and before it is opened, so that what devices send at once does not decide how much
//! the program needs. Nobody has more than a share of it: whoever opens connections and sends nothing more
//! on them keeps nobody else from sending.

use super::PushError;
use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// Most bytes of pushes that are on their way, in one process. What they take in memory is up to twice
/// as much: a body that grows is moved.
pub const BYTES_MAX: usize = 256 << 20;
/// Most of it that one sender has: two pushes of the largest size, as read and as opened.
pub const SHARE_MAX: usize = 34 << 20;
/// Most pushes that are opened at a time. Opening takes a processor, so that more would not be faster.
pub const OPENED_MAX: usize = 4;
/// What a byte of an opened push takes until it is answered: its text, and what was read in it.
const TIMES_OPENED: usize = 2;
/// The budget is counted in pieces of so many bytes.
const PIECE: usize = 1024;

/// The budget.
#[derive(Debug, Clone)]
pub struct Memory {
    pieces: Arc<Semaphore>,
    opening: Arc<Semaphore>,
    /// Pieces by sender.
    shares: Arc<Mutex<HashMap<Uuid, usize>>>,
}

/// A part of the budget, given back when it is dropped.
#[derive(Debug)]
pub struct Held {
    of: Memory,
    whose: Uuid,
    permit: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

/// A body that was read within the budget.
#[derive(Debug)]
pub struct Body {
    /// As it was sent.
    pub bytes: Bytes,
    /// What it takes.
    pub held: Held,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new(BYTES_MAX)
    }
}

impl Memory {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Memory {
        Memory {
            pieces: Arc::new(Semaphore::new(bytes / PIECE)),
            opening: Arc::new(Semaphore::new(OPENED_MAX)),
            shares: Arc::default(),
        }
    }

    /// A part of it that is nothing yet, of a sender: a device, or whoever brings what a device sent.
    pub fn nothing(&self, whose: Uuid) -> Held {
        Held {
            of: self.clone(),
            whose,
            permit: None,
            bytes: 0,
        }
    }

    /// A body that is in memory already.
    pub fn body(&self, whose: Uuid, bytes: Bytes) -> Result<Body, PushError> {
        let mut held = self.nothing(whose);
        held.grow(bytes.len())?;
        Ok(Body { bytes, held })
    }

    /// Waits for the turn to open a push; it lasts until what is returned is dropped.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.opening.clone().acquire_owned().await.ok()
    }
}

impl Memory {
    /// So many pieces for a sender, if they are to be had.
    fn take(&self, whose: Uuid, pieces: usize) -> Option<OwnedSemaphorePermit> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let has = shares.get(&whose).copied().unwrap_or_default();
        let has = has.checked_add(pieces)?;
        if has > SHARE_MAX / PIECE {
            return None;
        }
        let pieces = u32::try_from(pieces).ok()?;
        let permit = self.pieces.clone().try_acquire_many_owned(pieces).ok()?;
        shares.insert(whose, has);
        Some(permit)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let pieces = self.bytes.div_ceil(PIECE);
        let shares = &self.of.shares;
        let mut shares = shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(has) = shares.get_mut(&self.whose) {
            *has = has.saturating_sub(pieces);
            if *has == 0 {
                shares.remove(&self.whose);
            }
        }
    }
}

impl Held {
    /// Takes so many bytes more, if they are to be had.
    pub fn grow(&mut self, bytes: usize) -> Result<(), PushError> {
        let wanted = self.bytes.saturating_add(bytes);
        let more = wanted.div_ceil(PIECE) - self.bytes.div_ceil(PIECE);
        let Some(permit) = self.of.take(self.whose, more) else {
            metrics::counter!("suyuan_pushes_refused_for_memory_total").increment(1);
            return Err(PushError::Full);
        };
        match &mut self.permit {
            Some(held) => held.merge(permit),
            none => *none = Some(permit),
        }
        self.bytes = wanted;
        Ok(())
    }

    /// It was opened to so many bytes.
    pub fn opened(&mut self, bytes: usize) -> Result<(), PushError> {
        self.grow(bytes.saturating_mul(TIMES_OPENED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: Uuid = Uuid::from_u128(1);
    const BEN: Uuid = Uuid::from_u128(2);

    #[test]
    fn no_more_is_held_than_there_is_and_all_of_it_comes_back() {
        let memory = Memory::new(10 * PIECE);
        let body = |pieces: usize| memory.body(BEN, Bytes::from(vec![0; pieces * PIECE]));
        let mut one = memory.nothing(ANNA);
        for _ in 0..8 {
            // Drop by drop: eight halves are four pieces.
            assert!(one.grow(PIECE / 2).is_ok());
        }
        assert!(matches!(one.opened(4 * PIECE), Err(PushError::Full)));
        let two = body(6);
        assert!(two.is_ok(), "what was refused is not held");
        assert!(matches!(memory.nothing(BEN).grow(1), Err(PushError::Full)));
        drop(one);
        assert!(body(4).is_ok());
        drop(two);
        assert!(body(10).is_ok());
        assert!(memory.nothing(BEN).grow(usize::MAX).is_err());
    }

    #[test]
    fn nobody_has_more_than_a_share() {
        let memory = Memory::default();
        let held = |whose, bytes| {
            let mut held = memory.nothing(whose);
            held.grow(bytes).map(|()| held)
        };
        let mut annas = Vec::new();
        while let Ok(held) = held(ANNA, 1 << 20) {
            annas.push(held);
        }
        assert_eq!(annas.len(), SHARE_MAX >> 20);
        assert!(held(BEN, 1 << 20).is_ok());
        annas.pop();
        assert!(held(ANNA, 1 << 20).is_ok());
        annas.clear();
        assert!(memory.shares.lock().unwrap().is_empty());
    }
}
