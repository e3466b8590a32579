//! Which addresses may be loaded. A load generator pointed at someone else's host is a weapon, so
//! an address is parsed into a [`Target`] once, and only loopback ones can become one; every
//! connection of this crate is opened from a `Target`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::LoadError;

/// Ports given to children lie below the range from which client sockets get theirs; otherwise a
/// server now and then finds its port taken by an outgoing connection.
const PORTS: std::ops::Range<u16> = 18_000..32_000;

/// An HTTP service on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    addr: SocketAddr,
    authority: String,
}

impl Target {
    /// Reads `http://host:port/…`; refuses everything that is not loopback.
    pub fn parse(url: &str) -> Result<Self, LoadError> {
        let refuse = || LoadError::NotLoopback(url.to_owned());
        let rest = url.strip_prefix("http://").ok_or_else(refuse)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = split_authority(authority).ok_or_else(refuse)?;
        let ip = loopback_ip(host).ok_or_else(refuse)?;
        let port = port.unwrap_or(80);
        Ok(Self {
            addr: SocketAddr::new(ip, port),
            authority: authority.to_owned(),
        })
    }

    /// `127.0.0.1` with this port.
    pub fn local(port: u16) -> Self {
        let addr = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
        Self {
            addr,
            authority: addr.to_string(),
        }
    }

    /// Where to connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What goes into the `Host` header.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

/// Refuses a database or Redis address that is not on this machine (Unix sockets are).
///
/// A `host` or `hostaddr` parameter overrides the host of a PostgreSQL address, so those are held
/// to the same rule.
pub fn require_local_store(url: &str) -> Result<(), LoadError> {
    // The address is not repeated in full: it may carry a password.
    let refuse = |host: &str| Err(LoadError::NotLoopback(host.to_owned()));
    let Some((scheme, rest)) = url.split_once("://") else {
        return refuse("(an address without a scheme)");
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    for pair in query.split('&') {
        if let Some((key, value)) = pair.split_once('=')
            && key.to_ascii_lowercase().starts_with("host")
            && !is_socket_path(value)
            && loopback_ip(value).is_none()
        {
            return refuse(value);
        }
    }
    if matches!(scheme, "unix" | "redis+unix") {
        return Ok(());
    }
    let authority = place.split(['/', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let socket_in_query = query.split('&').any(|pair| pair.starts_with("host="));
    if is_socket_path(authority) || (authority.is_empty() && socket_in_query) {
        return Ok(());
    }
    match split_authority(authority) {
        Some((host, _)) if loopback_ip(host).is_some() => Ok(()),
        _ => refuse(authority),
    }
}

/// Free loopback ports outside the range of client sockets, none of them given out before by this
/// process: a port is free again between here and the child that binds it.
pub fn free_ports<const N: usize>() -> Result<[u16; N], LoadError> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let span = u32::from(PORTS.end - PORTS.start);
    // Runs side by side begin their search at different places.
    let first = std::process::id().wrapping_mul(97);
    let mut ports = [0; N];
    for port in &mut ports {
        *port = (0..span)
            .map(|_| first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % span)
            .map(|at| PORTS.start + at as u16)
            .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
            .ok_or_else(|| LoadError::Unusable(format!("no free loopback port in {PORTS:?}")))?;
    }
    Ok(ports)
}

/// The path and query of an absolute address, `/` if it has none.
pub fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

fn is_socket_path(host: &str) -> bool {
    host.starts_with('/') || host.to_ascii_lowercase().starts_with("%2f")
}

fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return match port.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None if port.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((authority, None)),
    }
}

/// `localhost` is taken to be 127.0.0.1 and never looked up: a name can be made to mean anything.
fn loopback_ip(host: &str) -> Option<IpAddr> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    host.parse().ok().filter(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_become_targets() {
        for (url, addr) in [
            ("http://127.0.0.1:18080", "127.0.0.1:18080"),
            ("http://127.9.8.7:1/01/x", "127.9.8.7:1"),
            ("http://localhost:8080/", "127.0.0.1:8080"),
            ("http://[::1]:8080?x", "[::1]:8080"),
        ] {
            assert_eq!(Target::parse(url).unwrap().addr().to_string(), addr);
        }
    }

    #[test]
    fn other_hosts_are_refused() {
        for url in [
            "http://192.0.2.1:8080/",
            "http://10.0.0.5/",
            "http://0.0.0.0:8080/",
            "http://example.org/",
            "http://127.0.0.1.example.org/",
            "http://127.0.0.1@example.org/",
            "http://[2001:db8::1]:80/",
            "https://127.0.0.1:8080/",
            "127.0.0.1:8080",
        ] {
            assert!(
                matches!(Target::parse(url), Err(LoadError::NotLoopback(_))),
                "{url}"
            );
        }
    }

    #[test]
    fn stores_elsewhere_are_refused() {
        for url in [
            "redis://127.0.0.1:6379/0",
            "redis://:secret@localhost/",
            "redis+unix:///run/redis.sock",
            "postgres://u:p@[::1]:5432/db",
            "postgres://u@127.0.0.1/db?sslmode=disable",
            "postgres:///db?host=/run/postgresql",
            "postgres://%2Frun%2Fpostgresql/db",
        ] {
            assert!(require_local_store(url).is_ok(), "{url}");
        }
        for url in [
            "redis://cache.example.org/",
            "redis://10.1.2.3:6379",
            "postgres://127.0.0.1/db?host=192.0.2.9",
            "postgres://127.0.0.1/db?hostaddr=192.0.2.9",
            "postgres://127.0.0.1,192.0.2.9/db",
            "postgres://u:p@127.0.0.1@192.0.2.9/db",
            "localhost:6379",
        ] {
            assert!(require_local_store(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_refused_store_does_not_print_its_password() {
        let text = require_local_store("postgres://u:hunter2@192.0.2.9/db")
            .unwrap_err()
            .to_string();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("192.0.2.9"), "{text}");
    }

    #[test]
    fn free_ports_lie_below_the_client_range() {
        let [one, other] = free_ports().unwrap();
        assert!(PORTS.contains(&one) && PORTS.contains(&other) && one != other);
    }

    #[test]
    fn a_path_keeps_its_query() {
        assert_eq!(
            path_of("http://h:1/01/x/21/y?17=270101"),
            "/01/x/21/y?17=270101"
        );
        assert_eq!(path_of("https://h"), "/");
    }
}
