//! What both listeners have in common: a bound address, the limits of their connections, and the
//! signal that ends them. Knows no route.

use super::StartError;
use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};
use tokio::task::JoinHandle;

/// Connections a listener holds at once, per worker.
pub(super) const CONNECTIONS_MAX: usize = 10_000;
/// A request's head must arrive within this.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// A listening socket that nobody serves yet.
pub struct Bound {
    pub(super) socket: TcpListener,
    /// Its address, with the port it was given.
    pub addr: SocketAddr,
}

impl Bound {
    /// Listens on `addr`.
    pub fn to(addr: SocketAddr) -> Result<Bound, StartError> {
        raise_file_limit();
        let failed = |error| StartError::Listen(addr, error);
        let socket = TcpListener::bind(addr).map_err(failed)?;
        let addr = socket.local_addr().map_err(failed)?;
        Ok(Bound { socket, addr })
    }
}

/// Every connection takes two file descriptors; many systems allow 1024 unless asked for more.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Worker threads; 0 stands for one a core.
pub(super) fn workers(wanted: usize) -> usize {
    match wanted {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        some => some,
    }
}

/// Lets a server run in the background.
pub(super) fn spawn(server: actix_web::dev::Server) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "a listener failed");
        }
    })
}

/// Waits for SIGTERM or Ctrl-C.
pub async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
