//! One entry of the query log, and how entries are packed: many to a row, a hundred bytes each.
//! Pure. What cannot be read as a packet is told so, never guessed.

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
    /// Advice that was given, by rank: 0 ok, 1 caution, 2 stop.
    pub advice: u8,
    /// Reasons that were given, as bits.
    pub reasons: u16,
    /// By which door.
    pub channel: Channel,
    /// Software looked, not a person: not counted.
    pub bot: bool,
    /// Scanned earlier without network and asked about later: not counted as a query of now.
    pub offline: bool,
    /// Pseudonym of the device, good for a day.
    pub device: u64,
    /// Region as a trusted proxy named it, at most 16 bytes; empty where none did.
    pub region: String,
}

/// Of the packet form below.
const VERSION: u8 = 1;
const BOT: u8 = 1;
const OFFLINE: u8 = 2;
const UNIT: u8 = 4;

/// Entries packed one behind the other.
#[derive(Debug, Clone)]
pub struct Packet {
    /// How many.
    pub entries: usize,
    /// As they are stored.
    pub body: Vec<u8>,
}

impl Default for Packet {
    fn default() -> Packet {
        Packet {
            entries: 0,
            body: vec![VERSION],
        }
    }
}

/// What an entry is packed from: like [`Entry`], with its texts not yet written down.
pub struct Packable<'a, Code> {
    /// See [`Entry::at`].
    pub at: Micros,
    /// See [`Entry::code`].
    pub code: Code,
    /// See [`Entry::unit`].
    pub unit: Option<(SpaceKey, u64)>,
    /// See [`Entry::advice`].
    pub advice: u8,
    /// See [`Entry::reasons`].
    pub reasons: u16,
    /// See [`Entry::channel`].
    pub channel: Channel,
    /// See [`Entry::bot`].
    pub bot: bool,
    /// See [`Entry::offline`].
    pub offline: bool,
    /// See [`Entry::device`].
    pub device: u64,
    /// See [`Entry::region`].
    pub region: &'a str,
}

impl Packet {
    /// Appends an entry; allocates only where the packet must grow.
    pub fn push(&mut self, entry: &Packable<'_, impl std::fmt::Display>) {
        let body = &mut self.body;
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        body.extend_from_slice(&entry.at.to_le_bytes());
        body.extend_from_slice(&entry.device.to_le_bytes());
        body.extend_from_slice(&entry.reasons.to_le_bytes());
        body.push(entry.advice);
        body.push(entry.channel as u8);
        body.push(
            flag(entry.bot, BOT) | flag(entry.offline, OFFLINE) | flag(entry.unit.is_some(), UNIT),
        );
        text(body, entry.region);
        text(body, &entry.code);
        if let Some((space, index)) = entry.unit {
            text(body, space);
            body.extend_from_slice(&index.to_le_bytes());
        }
        self.entries += 1;
    }
}

/// A text behind its length.
fn text(body: &mut Vec<u8>, text: impl std::fmt::Display) {
    use std::io::Write;
    let at = body.len();
    body.extend_from_slice(&[0, 0]);
    // Writing to memory cannot fail.
    let _ = write!(body, "{text}");
    body.truncate(at + 2 + usize::from(u16::MAX));
    let length = (body.len() - at - 2) as u16;
    body[at..at + 2].copy_from_slice(&length.to_le_bytes());
}

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
        advice,
        reasons,
        channel,
        bot: flags & BOT != 0,
        offline: flags & OFFLINE != 0,
        device,
        region,
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

    fn any_entry() -> impl Strategy<Value = Entry> {
        let unit = prop::option::of((
            prop::sample::select(vec!["01/06901234567892", "c/ACME.LOTION", "00/6901234"]),
            any::<u64>(),
        ));
        (
            (any::<i64>(), "[ -~婴]{0,80}", unit, any::<u16>(), 0..3u8),
            (
                prop::sample::select(Channel::ALL.to_vec()),
                any::<bool>(),
                any::<bool>(),
                any::<u64>(),
                "[A-Z-]{0,16}",
            ),
        )
            .prop_map(
                |((at, code, unit, reasons, advice), (channel, bot, offline, device, region))| {
                    Entry {
                        at,
                        code,
                        unit: unit.and_then(|(name, index)| Some((SpaceKey::parse(name)?, index))),
                        advice,
                        reasons,
                        channel,
                        bot,
                        offline,
                        device,
                        region,
                    }
                },
            )
    }

    fn pack(entries: &[Entry]) -> Packet {
        let mut packet = Packet::default();
        for entry in entries {
            packet.push(&Packable {
                at: entry.at,
                code: &entry.code,
                unit: entry.unit,
                advice: entry.advice,
                reasons: entry.reasons,
                channel: entry.channel,
                bot: entry.bot,
                offline: entry.offline,
                device: entry.device,
                region: &entry.region,
            });
        }
        packet
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(entries in prop::collection::vec(any_entry(), 0..20)) {
            let packet = pack(&entries);
            prop_assert_eq!(packet.entries, entries.len());
            prop_assert_eq!(unpack(&packet.body), Some(entries));
        }

        #[test]
        fn no_packet_panics(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpack(&body);
        }

        #[test]
        fn a_packet_cut_short_is_refused(entry in any_entry(), cut in 1..20usize) {
            let packet = pack(std::slice::from_ref(&entry));
            let length = packet.body.len().saturating_sub(cut).max(2);
            prop_assert_eq!(unpack(&packet.body[..length]), None);
        }
    }
}
