//! How a request's body may arrive at the internal listener: over a line as slow as a handheld's, but
//! not for ever. Whoever waits for the next piece is told when the sender paused for too long or took
//! too long altogether; how long was waited is told to whoever counts the time of an answer, so that
//! a slow line is not taken for a slow service. Knows time, not what is sent.

use super::connections::Connection;
use actix_web::{
    HttpMessage,
    dev::{Payload, ServiceRequest},
    error::PayloadError,
    http::header,
    web::Bytes,
};
use futures_util::Stream;
use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// A body arrives within this: 1 MiB, the largest push, at 3.5 kB/s. GPRS brings about 5.
pub const BODY_WITHIN: Duration = Duration::from_mins(5);
/// No two pieces of it are further apart.
pub const PAUSE_MAX: Duration = Duration::from_secs(15);

/// How slow a sender may be.
#[derive(Clone, Copy)]
struct Slowest {
    within: Duration,
    pause: Duration,
}

const SLOWEST: Slowest = Slowest {
    within: BODY_WITHIN,
    pause: PAUSE_MAX,
};

/// How long a handler waited for its sender so far.
#[derive(Default)]
pub struct Waited {
    before: Cell<Duration>,
    since: Cell<Option<Instant>>,
}

impl Waited {
    /// Up to now.
    pub fn so_far(&self) -> Duration {
        let now = self.since.get().map(|since| since.elapsed());
        self.before.get() + now.unwrap_or_default()
    }

    fn begins(&self) {
        if self.since.get().is_none() {
            self.since.set(Some(Instant::now()));
        }
    }

    fn ends(&self) {
        self.before.set(self.so_far());
        self.since.set(None);
    }
}

/// Holds the body of a request to these bounds, if it has one.
pub fn bound(request: &mut ServiceRequest) -> Rc<Waited> {
    let waited = Rc::new(Waited::default());
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH);
    let none = length.is_none_or(|length| length.as_bytes() == b"0")
        && !headers.contains_key(header::TRANSFER_ENCODING);
    if none {
        return waited;
    }
    let connection = request.conn_data::<Arc<Connection>>().cloned();
    let arriving = Arriving::new(request.take_payload(), SLOWEST, waited.clone(), connection);
    let arriving: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(arriving);
    request.set_payload(Payload::from(arriving));
    waited
}

/// Was this body given up because its sender was too slow?
pub fn was_too_slow(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}

/// The body.
struct Arriving<S> {
    pieces: S,
    waited: Rc<Waited>,
    connection: Option<Arc<Connection>>,
    pause: Duration,
    /// Until when all of it must be here.
    until: Instant,
    next: Pin<Box<Sleep>>,
}

impl<S> Arriving<S> {
    fn new(
        pieces: S,
        slowest: Slowest,
        waited: Rc<Waited>,
        connection: Option<Arc<Connection>>,
    ) -> Arriving<S> {
        let Slowest { within, pause } = slowest;
        let now = Instant::now();
        Arriving {
            pieces,
            waited,
            connection,
            pause,
            until: now + within,
            next: Box::pin(sleep_until(now + pause.min(within))),
        }
    }
}

impl<S> Stream for Arriving<S>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(piece) = Pin::new(&mut self.pieces).poll_next(context) {
            self.waited.ends();
            if let Some(connection) = &self.connection {
                connection.moves();
            }
            let next = self.until.min(Instant::now() + self.pause);
            self.next.as_mut().reset(next);
            return Poll::Ready(piece);
        }
        self.waited.begins();
        if self.next.as_mut().poll(context).is_ready() {
            self.waited.ends();
            let late = io::Error::from(io::ErrorKind::TimedOut);
            return Poll::Ready(Some(Err(PayloadError::Io(late))));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;

    /// A sender of single bytes, so far apart, for ever.
    fn dripping(every: Duration) -> Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> {
        Box::pin(futures_util::stream::unfold((), move |()| async move {
            tokio::time::sleep(every).await;
            Some((Ok(Bytes::from_static(b"x")), ()))
        }))
    }

    /// Bounds that a test can wait for, far from what a busy machine makes of them.
    const SHORT: Slowest = Slowest {
        within: Duration::from_secs(4),
        pause: Duration::from_millis(1500),
    };

    /// How many pieces came, after how long it was given up, and how much of that was waiting.
    async fn given_up(every: Duration) -> (usize, Duration, Duration) {
        let waited = Rc::new(Waited::default());
        let mut body = Arriving::new(dripping(every), SHORT, waited.clone(), None);
        let (begun, mut pieces) = (Instant::now(), 0);
        while let Some(piece) = body.next().await {
            match piece {
                Ok(_) => pieces += 1,
                Err(error) => {
                    assert!(was_too_slow(&error));
                    break;
                }
            }
        }
        (pieces, begun.elapsed(), waited.so_far())
    }

    #[tokio::test]
    async fn who_pauses_is_given_up_and_so_is_who_drips_for_ever() {
        let paused = given_up(Duration::from_mins(1));
        let dripped = given_up(Duration::from_millis(250));
        let ((none, took, waited), (some, longer, all)) = tokio::join!(paused, dripped);
        assert_eq!(none, 0);
        assert!(took >= SHORT.pause && took < SHORT.within, "{took:?}");
        assert!(waited >= SHORT.pause && waited <= took);
        assert!(some > 2 && longer >= SHORT.within, "{some} in {longer:?}");
        assert!(all <= longer && all > SHORT.pause);
    }

    #[tokio::test]
    async fn what_the_service_does_in_between_is_not_waiting() {
        let waited = Rc::new(Waited::default());
        let piece = Duration::from_millis(20);
        let mut body = Arriving::new(dripping(piece), SHORT, waited.clone(), None);
        let begun = Instant::now();
        for _ in 0..5 {
            let arrived = body.next().await;
            assert!(arrived.is_some_and(|piece| piece.is_ok()));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let own = begun.elapsed().saturating_sub(waited.so_far());
        assert!(own >= Duration::from_millis(500), "{own:?}");
        assert!(waited.so_far() >= piece * 5);
    }

    #[test]
    fn the_largest_push_comes_in_over_gprs() {
        let needed = suyuan_sync::limits::PUSH_BYTES_MAX as u64 / BODY_WITHIN.as_secs();
        assert!(needed < 5_000, "{needed} bytes a second");
    }
}
