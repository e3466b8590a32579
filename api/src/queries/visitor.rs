//! Who asked, as far as it is kept: a pseudonym good for a day, whether software looks in place of
//! a person, and by which door. Addresses and names of software end here.

use super::entry::Channel;
use aws_lc_rs::hmac;
use lru::LruCache;
use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    num::NonZeroUsize,
};

/// Visitors remembered, so that one who comes again is not worked out again.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");
/// Salts held: yesterday's for queries just past midnight or late scans, today's, tomorrow's.
const SALTS_MAX: usize = 3;

/// What is kept of who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    /// HMAC of address prefix and software under the day's salt, its first eight bytes.
    pub device: u64,
    /// By which door.
    pub channel: Channel,
    /// Not a person.
    pub bot: bool,
}

/// Tells visitors apart.
pub struct Visitors {
    salts: Vec<(i64, hmac::Key)>,
    known: LruCache<u64, Visitor>,
    hasher: RandomState,
}

impl Default for Visitors {
    fn default() -> Visitors {
        Visitors {
            salts: Vec::new(),
            known: LruCache::new(REMEMBERED),
            hasher: RandomState::new(),
        }
    }
}

impl Visitors {
    /// Uses this salt for this day (days since 1970, UTC): all processes of an installation use
    /// the same, so that one device is one device.
    pub fn use_salt(&mut self, day: i64, salt: &[u8]) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, salt);
        if let Some(known) = self.salts.iter_mut().find(|(of, _)| *of == day) {
            known.1 = key;
        } else {
            self.salts.push((day, key));
            self.salts.sort_by_key(|(of, _)| *of);
            if self.salts.len() > SALTS_MAX {
                self.salts.remove(0);
            }
        }
        self.known.clear();
    }

    /// Who this is. Where the day has no salt yet, one is made that this process alone knows.
    pub fn of(&mut self, day: i64, address: Option<IpAddr>, agent: &[u8]) -> Visitor {
        let (prefix, length) = prefix(address);
        let prefix = &prefix[..length];
        let name = self.hasher.hash_one((day, prefix, agent));
        if let Some(known) = self.known.get(&name) {
            return *known;
        }
        if !self.salts.iter().any(|(of, _)| *of == day) {
            // Without randomness nobody is told apart; nothing is revealed either.
            let salt = crate::sealing::random::<32>().unwrap_or_default();
            self.use_salt(day, &salt);
        }
        let device = self.salts.iter().find(|(of, _)| *of == day);
        let device = device.map_or(0, |(_, key)| {
            let mut context = hmac::Context::with_key(key);
            context.update(prefix);
            context.update(agent);
            let mut short = [0; 8];
            short.copy_from_slice(&context.sign().as_ref()[..8]);
            u64::from_be_bytes(short)
        });
        let agent = String::from_utf8_lossy(agent);
        let visitor = Visitor {
            device,
            channel: channel(&agent),
            bot: is_bot(&agent),
        };
        self.known.put(name, visitor);
        visitor
    }
}

/// The part of an address that is used: /24 of IPv4, /48 of IPv6.
fn prefix(address: Option<IpAddr>) -> ([u8; 6], usize) {
    let mut prefix = [0; 6];
    match address {
        Some(IpAddr::V4(v4)) => {
            prefix[..3].copy_from_slice(&v4.octets()[..3]);
            (prefix, 3)
        }
        Some(IpAddr::V6(v6)) => {
            prefix.copy_from_slice(&v6.octets()[..6]);
            (prefix, 6)
        }
        None => (prefix, 0),
    }
}

/// By which door a query came.
fn channel(agent: &str) -> Channel {
    if agent.contains("MicroMessenger") {
        Channel::Wechat
    } else if agent.starts_with("Mozilla/") {
        Channel::Browser
    } else {
        Channel::Program
    }
}

/// Does this software look at pages without a person wanting to know?
fn is_bot(agent: &str) -> bool {
    const SIGNS: [&str; 8] = [
        "bot",
        "spider",
        "crawler",
        "preview",
        "headlesschrome",
        "facebookexternalhit",
        "slurp",
        "monitor",
    ];
    let agent = agent.to_ascii_lowercase();
    SIGNS.iter().any(|sign| agent.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_and_crawlers_are_told_from_people() {
        assert!(is_bot("Mozilla/5.0 (compatible; Googlebot/2.1)"));
        assert!(is_bot("WhatsApp/2.0 LinkPreview"));
        assert!(!is_bot(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"
        ));
        assert_eq!(
            channel("Mozilla/5.0 ... MicroMessenger/8.0"),
            Channel::Wechat
        );
        assert_eq!(channel("curl/8.5"), Channel::Program);
    }

    #[test]
    fn a_device_is_told_apart_only_within_a_day() {
        let mut visitors = Visitors::default();
        let home: Option<IpAddr> = Some([10, 1, 2, 3].into());
        let neighbour: Option<IpAddr> = Some([10, 1, 2, 99].into());
        let mut device =
            |day, address, agent: &str| visitors.of(day, address, agent.as_bytes()).device;
        let monday = device(1, home, "x");
        assert_eq!(monday, device(1, home, "x"));
        assert_eq!(monday, device(1, neighbour, "x"));
        assert_ne!(monday, device(1, home, "y"));
        assert_ne!(monday, device(1, None, "x"));
        assert_ne!(monday, device(2, home, "x"));
    }

    #[test]
    fn processes_with_the_same_salt_see_the_same_device() {
        let (mut one, mut other) = (Visitors::default(), Visitors::default());
        let home: Option<IpAddr> = Some([10, 1, 2, 3].into());
        assert_ne!(one.of(5, home, b"x"), other.of(5, home, b"x"));
        for visitors in [&mut one, &mut other] {
            visitors.use_salt(5, &[7; 32]);
        }
        assert_eq!(one.of(5, home, b"x"), other.of(5, home, b"x"));
        for day in 6..20 {
            one.use_salt(day, &[8; 32]);
        }
        assert_eq!(one.salts.len(), SALTS_MAX, "old salts are let go");
    }
}
