//! Open connections: how many one network may hold, and how long each may do nothing.
//!
//! The server below bounds the first head of a connection and its idle time, but not a second head
//! that never ends, nor an answer that is never taken. Here one rule covers all of it: when nothing
//! begins or ends on a connection for a while, it is cut. Knows sockets and time, not requests.

use crate::limits::{
    client::Proxies,
    place::{Block, network},
};
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{dev::Extensions, rt::net::TcpStream};
use socket2::{SockRef, Socket};
use std::{
    any::Any,
    collections::HashMap,
    net::{IpAddr, Shutdown},
    os::fd::AsFd,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// What a listener's connections are held to.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Connections of one network.
    pub of_a_network: usize,
    /// Requests over one connection.
    pub requests: u32,
    /// Seconds without anything beginning or ending.
    pub stalled_s: u64,
    /// Networks these belong to are not counted.
    pub proxies: Arc<Proxies>,
}

/// The open connections of one listener.
pub struct Connections {
    bounds: Bounds,
    /// Seconds since the start: exact enough, and free to read.
    now: AtomicU32,
    seats: Mutex<HashMap<Block, usize>>,
    open: Mutex<Vec<Weak<Connection>>>,
}

/// One open connection. Its seat is free again when this goes.
pub struct Connection {
    /// The same socket once more, so that it can be cut from outside.
    socket: Socket,
    /// When something last began or ended.
    moved: AtomicU32,
    requests: AtomicU32,
    seat: Option<Block>,
    home: Arc<Connections>,
}

/// Every seat of a network is taken.
struct AllTaken;

impl Connections {
    /// None yet.
    pub fn new(bounds: Bounds) -> Arc<Connections> {
        Arc::new(Connections {
            bounds,
            now: AtomicU32::new(0),
            seats: Mutex::default(),
            open: Mutex::default(),
        })
    }

    /// A new connection: takes a seat, or is closed at once.
    pub fn arrive(self: &Arc<Connections>, io: &dyn Any, about: &mut Extensions) {
        let secure = || io.downcast_ref::<TlsStream<TcpStream>>();
        let plain = io.downcast_ref::<TcpStream>();
        let Some(stream) = plain.or_else(|| Some(secure()?.get_ref().0)) else {
            return;
        };
        if let Some(connection) = self.seat(stream) {
            let connection = Arc::new(connection);
            lock(&self.open).push(Arc::downgrade(&connection));
            about.insert(connection);
        } else {
            metrics::counter!("suyuan_connections_refused_total").increment(1);
            cut(&SockRef::from(stream));
        }
    }

    fn seat(self: &Arc<Connections>, stream: &TcpStream) -> Option<Connection> {
        let peer = stream.peer_addr().ok()?.ip();
        // Out of file descriptors: one that cannot be watched is not kept.
        let socket = Socket::from(stream.as_fd().try_clone_to_owned().ok()?);
        Some(Connection {
            socket,
            moved: AtomicU32::new(self.now.load(Ordering::Relaxed)),
            requests: AtomicU32::new(0),
            seat: self.take_seat(peer).ok()?,
            home: self.clone(),
        })
    }

    /// A seat in the peer's network; none for a trusted proxy, who needs none.
    fn take_seat(&self, peer: IpAddr) -> Result<Option<Block>, AllTaken> {
        if self.bounds.proxies.trust(peer) {
            return Ok(None);
        }
        let mut seats = lock(&self.seats);
        let taken = seats.entry(network(peer)).or_default();
        if *taken >= self.bounds.of_a_network {
            return Err(AllTaken);
        }
        *taken += 1;
        Ok(Some(network(peer)))
    }

    /// Cuts what is stalled, once a second, for ever.
    pub async fn watch(self: Arc<Connections>) {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
            lock(&self.open).retain(|connection| match connection.upgrade() {
                Some(connection) => !connection.is_cut(now),
                None => false,
            });
        }
    }
}

impl Connection {
    /// A request began, or an answer was made.
    pub fn moves(&self) {
        let now = self.home.now.load(Ordering::Relaxed);
        self.moved.store(now, Ordering::Relaxed);
    }

    /// One request more; is it the last this connection may carry?
    pub fn is_last_request(&self) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1 >= self.home.bounds.requests
    }

    fn is_cut(&self, now: u32) -> bool {
        let still = now.saturating_sub(self.moved.load(Ordering::Relaxed));
        let stalled = u64::from(still) > self.home.bounds.stalled_s;
        if stalled {
            metrics::counter!("suyuan_connections_cut_total").increment(1);
            cut(&SockRef::from(&self.socket));
        }
        stalled
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(seat) = self.seat else {
            return;
        };
        let mut seats = lock(&self.home.seats);
        if let Some(taken) = seats.get_mut(&seat) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&seat);
            }
        }
    }
}

/// Ends it now; what was not sent is forgotten.
fn cut(socket: &SockRef) {
    // It may be gone already.
    socket.set_linger(Some(Duration::ZERO)).ok();
    socket.shutdown(Shutdown::Both).ok();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
