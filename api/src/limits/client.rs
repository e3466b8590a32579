//! Who is asking: the address a request is counted under, and the region a proxy named for it.
//!
//! Pure. Nothing a caller writes is believed: only headers set by a proxy that the settings name
//! count, and of its list only the part that such proxies wrote. Must not know HTTP.

use ipnet::IpNet;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};

/// Entries of `X-Forwarded-For` looked at, from the right.
const HOPS_MAX: usize = 32;
/// Longest region taken, in bytes.
const REGION_MAX: usize = 64;

/// Networks of proxies whose word about a caller is taken: addresses and CIDR blocks with commas or
/// spaces between. Empty by default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Proxies(Vec<IpNet>);

impl TryFrom<String> for Proxies {
    type Error = String;

    fn try_from(text: String) -> Result<Proxies, String> {
        let parts = text.split([',', ' ', '\n']).filter(|part| !part.is_empty());
        let nets = parts.map(|part| {
            let address = part.parse::<IpAddr>().map(IpNet::from);
            address
                .or_else(|_| part.parse::<IpNet>())
                .map_err(|_| format!("{part:?} is neither an address nor a CIDR block"))
        });
        Ok(Proxies(nets.collect::<Result<_, _>>()?))
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client<'a> {
    /// Where they are, as far as anyone trusted says.
    pub address: IpAddr,
    /// Their region as the proxy names it; never guessed.
    pub region: Option<&'a str>,
}

impl Proxies {
    /// Is this one of them?
    pub fn trust(&self, address: IpAddr) -> bool {
        !self.0.is_empty()
            && self
                .0
                .iter()
                .any(|net| net.contains(&address.to_canonical()))
    }

    /// The client behind a connection from `peer`. `forwarded` are the lines of `X-Forwarded-For`
    /// in their order, `region` the value of the region header.
    ///
    /// The right-most address that is no trusted proxy's is the client's: what stands left of it
    /// was written by the client itself. Where every entry is a trusted proxy's, it is the left-most.
    /// A list that cannot be read up to there counts as none: the client is the peer.
    pub fn client<'a, 'b>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'b str>,
        region: Option<&'a str>,
    ) -> Client<'a> {
        let peer = peer.to_canonical();
        if !self.trust(peer) {
            return Client {
                address: peer,
                region: None,
            };
        }
        Client {
            address: self.told(forwarded).unwrap_or(peer),
            region: region.and_then(region_of),
        }
    }

    fn told<'b>(&self, lines: impl DoubleEndedIterator<Item = &'b str>) -> Option<IpAddr> {
        let entries = lines.rev().flat_map(|line| line.rsplit(','));
        let mut farthest = None;
        for entry in entries.take(HOPS_MAX) {
            let address = address_of(entry.trim())?;
            if !self.trust(address) {
                return Some(address);
            }
            farthest = Some(address);
        }
        farthest
    }
}

/// `192.0.2.1`, `2001:db8::1`, either with a port; an IPv4 address in IPv6 clothes is IPv4.
fn address_of(entry: &str) -> Option<IpAddr> {
    let bare = entry
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(entry).parse::<IpAddr>();
    let address = address.or_else(|_| entry.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

fn region_of(text: &str) -> Option<&str> {
    let text = text.trim();
    let plain = (1..=REGION_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    plain.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(text: &str) -> Proxies {
        Proxies::try_from(text.to_owned()).unwrap()
    }

    fn seen(proxies: &Proxies, peer: &str, lines: &[&str]) -> String {
        let peer = peer.parse().unwrap();
        let client = proxies.client(peer, lines.iter().copied(), None);
        client.address.to_string()
    }

    #[test]
    fn nobody_is_believed_by_default() {
        let none = Proxies::default();
        assert_eq!(seen(&none, "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(seen(&none, "127.0.0.1", &["198.51.100.7"]), "127.0.0.1");
        let client = none.client("192.0.2.1".parse().unwrap(), [].into_iter(), Some("CN-31"));
        assert_eq!(client.region, None);
    }

    #[test]
    fn the_right_most_address_that_is_no_proxy_is_the_client() {
        let ours = proxies("10.0.0.0/8, 2001:db8:1::/48 203.0.113.5");
        for (peer, lines, client) in [
            ("10.1.1.1", &["198.51.100.7"][..], "198.51.100.7"),
            // What a client sends itself stands to the left of what the proxy adds.
            ("10.1.1.1", &["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            ("10.1.1.1", &["10.9.9.9, 198.51.100.7"], "198.51.100.7"),
            ("10.1.1.1", &["garbage, 198.51.100.7"], "198.51.100.7"),
            // Two lines are one list.
            ("10.1.1.1", &["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
            // Two proxies in a row.
            (
                "10.1.1.1",
                &["198.51.100.7, 203.0.113.5,10.2.2.2"],
                "198.51.100.7",
            ),
            ("2001:db8:1::9", &["2001:db8:2::1"], "2001:db8:2::1"),
            // Ports, brackets, IPv4 as IPv6.
            ("10.1.1.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("10.1.1.1", &["[2001:db8:2::1]:4711"], "2001:db8:2::1"),
            ("10.1.1.1", &["[2001:db8:2::1]"], "2001:db8:2::1"),
            ("::ffff:10.1.1.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
            // Only proxies of ours on the way: the farthest.
            ("10.1.1.1", &["10.5.5.5, 10.2.2.2"], "10.5.5.5"),
        ] {
            assert_eq!(seen(&ours, peer, lines), client, "{peer} {lines:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_counted_as_the_peer() {
        let ours = proxies("10.0.0.0/8");
        let long = "10.2.2.2,".repeat(100) + "10.2.2.2";
        for (line, client) in [
            ("", "10.1.1.1"),
            (",", "10.1.1.1"),
            ("unknown", "10.1.1.1"),
            ("198.51.100.7, unknown", "10.1.1.1"),
            ("198.51.100.7,", "10.1.1.1"),
            ("198.51.100.256", "10.1.1.1"),
            ("198.51.100.7\t1.1.1.1", "10.1.1.1"),
            ("fe80::1%eth0", "10.1.1.1"),
            ("_hidden", "10.1.1.1"),
            (long.as_str(), "10.2.2.2"),
        ] {
            assert_eq!(seen(&ours, "10.1.1.1", &[line]), client, "{line:.40}");
        }
        assert_eq!(seen(&ours, "10.1.1.1", &[]), "10.1.1.1");
    }

    #[test]
    fn a_region_counts_only_from_a_proxy_and_only_if_it_is_plain() {
        let ours = proxies("10.0.0.0/8");
        let long = "x".repeat(65);
        for (peer, told, region) in [
            ("10.1.1.1", " CN-31 ", Some("CN-31")),
            ("10.1.1.1", "上海", Some("上海")),
            ("192.0.2.1", "CN-31", None),
            ("10.1.1.1", "", None),
            ("10.1.1.1", "a\u{7}b", None),
            ("10.1.1.1", &long, None),
        ] {
            let client = ours.client(peer.parse().unwrap(), [].into_iter(), Some(told));
            assert_eq!(client.region, region, "{peer} {told:?}");
        }
    }

    #[test]
    fn a_wrong_list_of_proxies_is_refused() {
        for wrong in ["10.0.0.0/33", "proxy.example", "10.0.0", "10.0.0.0/8;::1"] {
            assert!(Proxies::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
