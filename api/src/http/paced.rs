//! A large body that is handed to the connection piece by piece, and keeps its turn until the last
//! piece was taken: a reader who takes his time holds one of few turns, and no copy of the rest.

use actix_web::{
    body::{BodySize, MessageBody},
    web::Bytes,
};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::SemaphorePermit;

/// Bytes of a piece.
const PIECE: usize = 32 * 1024;

/// The body and its turn.
pub struct Paced {
    rest: Bytes,
    _turn: SemaphorePermit<'static>,
}

impl Paced {
    /// All of it, still to be sent.
    pub fn new(body: Vec<u8>, turn: SemaphorePermit<'static>) -> Paced {
        Paced {
            rest: Bytes::from(body),
            _turn: turn,
        }
    }
}

impl MessageBody for Paced {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let piece = self.rest.len().min(PIECE);
        Poll::Ready((piece > 0).then(|| Ok(self.rest.split_to(piece))))
    }
}
