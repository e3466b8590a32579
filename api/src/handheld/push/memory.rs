//! How much memory pushes may take that are on their way: a budget in bytes that is asked before a
//! body is read on and before it is opened, so that what devices send at once does not decide how much
//! the program needs.

use super::PushError;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most bytes of pushes that are on their way, in one process.
pub const BYTES_MAX: usize = 256 << 20;
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
}

/// A part of the budget, given back when it is dropped.
#[derive(Debug)]
pub struct Held {
    of: Memory,
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
        }
    }

    /// A part of it that is nothing yet.
    pub fn nothing(&self) -> Held {
        Held {
            of: self.clone(),
            permit: None,
            bytes: 0,
        }
    }

    /// A body that is in memory already.
    pub fn body(&self, bytes: Bytes) -> Result<Body, PushError> {
        let mut held = self.nothing();
        held.grow(bytes.len())?;
        Ok(Body { bytes, held })
    }

    /// Waits for the turn to open a push; it lasts until what is returned is dropped.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.opening.clone().acquire_owned().await.ok()
    }
}

impl Held {
    /// Takes so many bytes more, if they are to be had.
    pub fn grow(&mut self, bytes: usize) -> Result<(), PushError> {
        let wanted = self.bytes.saturating_add(bytes);
        let more = wanted.div_ceil(PIECE) - self.bytes.div_ceil(PIECE);
        let more = u32::try_from(more).map_err(|_| PushError::Full)?;
        let permit = self.of.pieces.clone().try_acquire_many_owned(more);
        let permit = permit.map_err(|_| {
            metrics::counter!("suyuan_pushes_refused_for_memory_total").increment(1);
            PushError::Full
        })?;
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

    #[test]
    fn no_more_is_held_than_there_is_and_all_of_it_comes_back() {
        let memory = Memory::new(10 * PIECE);
        let mut one = memory.nothing();
        for _ in 0..8 {
            // Drop by drop: eight halves are four pieces.
            assert!(one.grow(PIECE / 2).is_ok());
        }
        assert!(matches!(one.opened(4 * PIECE), Err(PushError::Full)));
        let two = memory.body(Bytes::from(vec![0; 6 * PIECE]));
        assert!(two.is_ok(), "what was refused is not held");
        assert!(matches!(memory.nothing().grow(1), Err(PushError::Full)));
        drop(one);
        assert!(memory.body(Bytes::from(vec![0; 4 * PIECE])).is_ok());
        drop(two);
        assert!(memory.body(Bytes::from(vec![0; 10 * PIECE])).is_ok());
        assert!(memory.nothing().grow(usize::MAX).is_err());
    }
}
