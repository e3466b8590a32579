//! A TCP proxy that misbehaves on demand: between the application and its database or Redis it
//! passes, cuts, delays or freezes what flows, also in connections that are open already.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    task::JoinHandle,
};

/// What the proxy does with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Passes them on.
    Fair,
    /// Connections end, new ones end at once: the server is gone.
    Cut,
    /// Each piece arrives this much later.
    Slow(Duration),
    /// What is asked arrives, and the connection ends when the answer begins.
    Unanswered,
    /// Nothing arrives and nothing ends: a half-open connection, new ones included.
    Frozen,
}

#[derive(Clone, Copy)]
struct Plan {
    weather: Weather,
    /// Connections with a number below it are dead and do not know it.
    lost_below: u64,
}

/// A proxy on a free port of 127.0.0.1; it ends when dropped.
pub struct Proxy {
    addr: SocketAddr,
    plan: watch::Sender<Plan>,
    opened: std::sync::Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Before the server of this URL, e.g. `redis://127.0.0.1:6379`. Returns the URL to use instead.
    pub async fn before(url: &str) -> (Proxy, String) {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let at = if user.is_empty() { "" } else { "@" };
        let proxy = Proxy::start(host.to_owned()).await;
        let through = format!("{scheme}://{user}{at}{}{path}", proxy.addr);
        (proxy, through)
    }

    async fn start(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        let (plan, watched) = watch::channel(Plan {
            weather: Weather::Fair,
            lost_below: 0,
        });
        let opened = std::sync::Arc::new(AtomicU64::new(0));
        let count = opened.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::Relaxed);
                if watched.borrow().weather != Weather::Cut {
                    tokio::spawn(carry(client, server.clone(), number, watched.clone()));
                }
            }
        });
        Proxy {
            addr,
            plan,
            opened,
            task,
        }
    }

    /// From now on, for open connections too.
    pub fn set(&self, weather: Weather) {
        self.plan.send_modify(|plan| plan.weather = weather);
    }

    /// What is open now never hears anything again, as after a cable was pulled or a firewall
    /// forgot it; new connections are fine.
    pub fn lose_open_connections(&self) {
        let opened = self.opened.load(Ordering::Relaxed);
        self.plan.send_modify(|plan| plan.lost_below = opened);
    }

    /// How many connections there ever were.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(client: TcpStream, server: String, number: u64, plan: watch::Receiver<Plan>) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    for stream in [&client, &server] {
        stream.set_nodelay(true).ok();
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // When one direction ends, both do.
    tokio::select! {
        () = pump(from_client, to_server, number, plan.clone(), false) => {}
        () = pump(from_server, to_client, number, plan.clone(), true) => {}
    }
}

async fn pump(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    number: u64,
    mut plan: watch::Receiver<Plan>,
    answers: bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let got = tokio::select! {
            got = from.read(&mut buffer) => got,
            changed = plan.changed() => match changed {
                Ok(()) if plan.borrow().weather != Weather::Cut => continue,
                _ => return,
            },
        };
        // An end is news as well: behind a frozen line nobody hears of it.
        loop {
            let now = *plan.borrow_and_update();
            match now.weather {
                Weather::Cut => return,
                Weather::Unanswered if answers => return,
                Weather::Fair | Weather::Unanswered if number >= now.lost_below => break,
                Weather::Slow(by) if number >= now.lost_below => {
                    tokio::time::sleep(by).await;
                    break;
                }
                _ => {
                    if plan.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
        match got {
            Ok(n) if n > 0 && to.write_all(&buffer[..n]).await.is_ok() => {}
            _ => return,
        }
    }
}
