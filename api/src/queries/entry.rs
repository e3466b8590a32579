//! One entry of the query log, as it is told and as packets of the first form held it: one behind
//! the other, a hundred bytes each. Pure. What cannot be read is told so, never guessed.

use super::sighting::Manner;
use crate::{clock::Micros, codes::SpaceKey};

/// By which door a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A page opened in a browser.
    Browser,
    /// A page opened inside WeChat (微信).
    Wechat,
    /// A program that says nothing more of itself.
    Program,
    /// The app of a brand.
    App,
    /// A photo of the code.
    Photo,
}

impl Channel {
    /// Every channel; its place here is its number in packets.
    pub const ALL: [Channel; 5] = [
        Channel::Browser,
        Channel::Wechat,
        Channel::Program,
        Channel::App,
        Channel::Photo,
    ];

    /// The name in rows and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Channel::Browser => "browser",
            Channel::Wechat => "wechat",
            Channel::Program => "program",
            Channel::App => "app",
            Channel::Photo => "photo",
        }
    }
}

/// One consumer query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When the code was scanned.
    pub at: Micros,
    /// The canonical code, at most 65 535 bytes.
    pub code: String,
    /// Its unit, if it names one that was ever allocated.
    pub unit: Option<(SpaceKey, u64)>,
    /// How it was asked, and answered.
    pub manner: Manner,
}

/// The first byte of such a packet.
pub(super) const VERSION: u8 = 1;
const BOT: u8 = 1;
const OFFLINE: u8 = 2;
const UNIT: u8 = 4;

/// Reads a packet; `None` where it is not one.
pub fn unpack(body: &[u8]) -> Option<Vec<Entry>> {
    let (&version, mut rest) = body.split_first()?;
    if version != VERSION {
        return None;
    }
    let mut entries = Vec::new();
    while !rest.is_empty() {
        entries.push(read(&mut rest)?);
    }
    Some(entries)
}

fn read(rest: &mut &[u8]) -> Option<Entry> {
    let at = i64::from_le_bytes(take(rest)?);
    let device = u64::from_le_bytes(take(rest)?);
    let reasons = u16::from_le_bytes(take(rest)?);
    let [advice, channel, flags] = take(rest)?;
    let channel = *Channel::ALL.get(usize::from(channel))?;
    let region = read_text(rest)?;
    let code = read_text(rest)?;
    let unit = if flags & UNIT == 0 {
        None
    } else {
        let space = SpaceKey::parse(&read_text(rest)?)?;
        Some((space, u64::from_le_bytes(take(rest)?)))
    };
    Some(Entry {
        at,
        code,
        unit,
        manner: Manner {
            advice,
            reasons,
            channel,
            bot: flags & BOT != 0,
            offline: flags & OFFLINE != 0,
            device,
            region,
        },
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

fn read_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::from(u16::from_le_bytes(take(rest)?));
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    String::from_utf8(taken.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the release that wrote such packets did.
    fn written(entry: &Entry) -> Vec<u8> {
        let manner = &entry.manner;
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let mut body = vec![VERSION];
        let text = |body: &mut Vec<u8>, text: &str| {
            body.extend_from_slice(&(text.len() as u16).to_le_bytes());
            body.extend_from_slice(text.as_bytes());
        };
        body.extend_from_slice(&entry.at.to_le_bytes());
        body.extend_from_slice(&manner.device.to_le_bytes());
        body.extend_from_slice(&manner.reasons.to_le_bytes());
        body.push(manner.advice);
        body.push(manner.channel as u8);
        body.push(
            flag(manner.bot, BOT)
                | flag(manner.offline, OFFLINE)
                | flag(entry.unit.is_some(), UNIT),
        );
        text(&mut body, &manner.region);
        text(&mut body, &entry.code);
        if let Some((space, index)) = entry.unit {
            text(&mut body, &space.to_string());
            body.extend_from_slice(&index.to_le_bytes());
        }
        body
    }

    fn an_entry() -> Entry {
        Entry {
            at: -7,
            code: "/01/06901234567892/21/婴".into(),
            unit: Some((SpaceKey::parse("01/06901234567892").unwrap(), 9)),
            manner: Manner {
                advice: 2,
                reasons: 0x102,
                channel: Channel::Photo,
                bot: true,
                offline: true,
                device: u64::MAX,
                region: "CN-31".into(),
            },
        }
    }

    #[test]
    fn packets_of_the_release_before_are_read() {
        let entry = an_entry();
        let body = written(&entry);
        assert_eq!(unpack(&body), Some(vec![entry]));
        for length in 2..body.len() {
            assert_eq!(unpack(&body[..length]), None, "cut short at {length}");
        }
    }

    proptest! {
        #[test]
        fn no_packet_panics(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpack(&body);
        }
    }
}
