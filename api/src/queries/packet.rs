//! Queries on their way to the log: gathered by code in memory, then packed. A packet names few
//! codes, so that folding it holds the database only a moment; how often they were asked hardly
//! matters. Pure. What cannot be read as a packet is told so, never guessed.

use super::{
    entry::{self, Entry},
    sighting::{self, Manner, Times, Written, put_number, take_number, take_text},
};
use crate::{clock::Micros, codes::SpaceKey};
use std::hash::{DefaultHasher, Hash, Hasher};
use suyuan_sync::trace_code::TraceCode;

/// Codes in a packet: each is a row to write when it is folded.
pub const CODES_MAX: usize = 128;
/// Sightings in a packet.
const SIGHTINGS_MAX: usize = 2_000;
/// Queries in a packet.
const QUERIES_MAX: usize = 20_000;
/// Sightings of a code among which a query finds its own; past them it begins a new one, which
/// takes more room and is as good.
const LOOKED_THROUGH: usize = 16;

/// The first byte of a packet. Packets of version 1 held entry behind entry.
const VERSION: u8 = 2;

/// What is noted of a query besides the code: like [`Manner`], with the region not yet written
/// down.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// See [`Manner::advice`].
    pub advice: u8,
    /// See [`Manner::reasons`].
    pub reasons: u16,
    /// See [`Manner::channel`].
    pub channel: super::Channel,
    /// See [`Manner::bot`].
    pub bot: bool,
    /// See [`Manner::offline`].
    pub offline: bool,
    /// See [`Manner::device`].
    pub device: u64,
    /// See [`Manner::region`].
    pub region: &'a str,
}

impl Way<'_> {
    fn is(&self, manner: &Manner) -> bool {
        self.device == manner.device
            && self.reasons == manner.reasons
            && self.advice == manner.advice
            && self.channel == manner.channel
            && self.bot == manner.bot
            && self.offline == manner.offline
            && self.region == manner.region
    }

    fn written(&self) -> Manner {
        Manner {
            advice: self.advice,
            reasons: self.reasons,
            channel: self.channel,
            bot: self.bot,
            offline: self.offline,
            device: self.device,
            region: self.region.to_owned(),
        }
    }
}

/// The unit a code names, if it names one that was ever allocated.
type Unit = Option<(SpaceKey, u64)>;

/// A packet that still takes queries.
pub struct Open {
    /// Places in `codes`, plus one, by hash; zero is free. Twice as many as codes, so that one is
    /// found in a step or two.
    slots: [u8; SLOTS],
    codes: Vec<Asked>,
    sightings: Vec<Sighting>,
    queries: usize,
}

const SLOTS: usize = 2 * CODES_MAX;
const _: () = assert!(CODES_MAX < u8::MAX as usize && SLOTS.is_power_of_two());

struct Asked {
    code: TraceCode,
    unit: Unit,
    hash: u64,
    /// Its newest sighting, a place in `sightings`.
    newest: usize,
}

struct Sighting {
    manner: Manner,
    times: Times,
    /// The one before of the same code.
    before: Option<usize>,
}

impl Default for Open {
    fn default() -> Open {
        Open {
            slots: [0; SLOTS],
            codes: Vec::new(),
            sightings: Vec::new(),
            queries: 0,
        }
    }
}

impl Open {
    /// How many queries are in it.
    pub fn queries(&self) -> usize {
        self.queries
    }

    /// Takes no more.
    pub fn is_full(&self) -> bool {
        self.codes.len() >= CODES_MAX
            || self.sightings.len() >= SIGHTINGS_MAX
            || self.queries >= QUERIES_MAX
    }

    /// Takes queries anew, in the room it had.
    pub fn clear(&mut self) {
        self.slots = [0; SLOTS];
        self.codes.clear();
        self.sightings.clear();
        self.queries = 0;
    }

    /// Notes a query; one that is full takes it for no new code.
    pub fn note(&mut self, code: &TraceCode, unit: Unit, way: &Way<'_>, at: Micros) {
        self.queries += 1;
        let hash = hash(code, unit);
        let mut slot = hash as usize % SLOTS;
        while let Some(place) = usize::from(self.slots[slot]).checked_sub(1) {
            let known = &self.codes[place];
            if known.hash == hash && known.unit == unit && known.code == *code {
                return self.note_again(place, way, at);
            }
            slot = (slot + 1) % SLOTS;
        }
        if self.codes.len() >= CODES_MAX {
            debug_assert!(false, "a full packet was noted in");
            return;
        }
        self.slots[slot] = self.codes.len() as u8 + 1;
        self.codes.push(Asked {
            code: *code,
            unit,
            hash,
            newest: self.sightings.len(),
        });
        self.sightings.push(Sighting {
            manner: way.written(),
            times: Times::of(at),
            before: None,
        });
    }

    fn note_again(&mut self, place: usize, way: &Way<'_>, at: Micros) {
        let newest = self.codes[place].newest;
        let mut look_at = Some(newest);
        for _ in 0..LOOKED_THROUGH {
            let Some(this) = look_at else { break };
            let sighting = &mut self.sightings[this];
            if way.is(&sighting.manner) {
                sighting.times.add(at);
                return;
            }
            look_at = sighting.before;
        }
        self.codes[place].newest = self.sightings.len();
        self.sightings.push(Sighting {
            manner: way.written(),
            times: Times::of(at),
            before: Some(newest),
        });
    }

    /// As it is stored.
    pub fn pack(&self) -> Packet {
        let mut body = Vec::with_capacity(1 + 128 * self.codes.len());
        body.push(VERSION);
        let mut written = Written::default();
        for code in &self.codes {
            written.heads.clear();
            written.times.clear();
            let mut next = Some(code.newest);
            while let Some(this) = next {
                let sighting = &self.sightings[this];
                written.push(&sighting.manner, &sighting.times);
                next = sighting.before;
            }
            put(&mut body, code, &written);
        }
        Packet {
            queries: self.queries,
            codes: self.codes.len(),
            body,
        }
    }
}

/// Units differ by their index; codes without one are few.
fn hash(code: &TraceCode, unit: Unit) -> u64 {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let number = unit.map_or_else(
        || {
            let mut hasher = DefaultHasher::new();
            code.hash(&mut hasher);
            hasher.finish()
        },
        |(_, index)| index,
    );
    number.wrapping_mul(SPREAD).rotate_left(32)
}

fn put(body: &mut Vec<u8>, code: &Asked, written: &Written) {
    put_text(body, &code.code.to_string());
    match code.unit {
        Some((space, index)) => {
            put_text(body, &space.to_string());
            put_number(body, index);
        }
        None => put_text(body, ""),
    }
    for part in [&written.heads, &written.times] {
        put_number(body, part.len() as u64);
    }
    body.extend_from_slice(&written.heads);
    body.extend_from_slice(&written.times);
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    put_number(body, text.len() as u64);
    body.extend_from_slice(text.as_bytes());
}

/// Queries, packed.
#[derive(Debug, Clone)]
pub struct Packet {
    /// How many queries.
    pub queries: usize,
    /// About how many codes.
    pub codes: usize,
    /// As they are stored.
    pub body: Vec<u8>,
}

/// What a packet holds about one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strip {
    /// The canonical code.
    pub code: String,
    /// Its unit, if it names one that was ever allocated.
    pub unit: Unit,
    /// The sightings.
    pub written: Written,
}

/// Reads a packet of either version; `None` where it is not one.
pub fn unpack(body: &[u8]) -> Option<Vec<Strip>> {
    let (&version, mut rest) = body.split_first()?;
    match version {
        entry::VERSION => Some(entry::unpack(body)?.into_iter().map(alone).collect()),
        VERSION => {
            let mut strips = Vec::new();
            while !rest.is_empty() {
                strips.push(read(&mut rest)?);
            }
            Some(strips)
        }
        _ => None,
    }
}

fn read(rest: &mut &[u8]) -> Option<Strip> {
    let code = take_long(rest)?.to_owned();
    let space = take_long(rest)?;
    let unit = if space.is_empty() {
        None
    } else {
        Some((SpaceKey::parse(space)?, take_number(rest)?))
    };
    let [heads, times] = [take_number(rest)?, take_number(rest)?];
    let mut part = |length: u64| {
        let (taken, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        *rest = after;
        Some(taken.to_vec())
    };
    let written = Written {
        heads: part(heads)?,
        times: part(times)?,
    };
    // Once written into rows, nobody looks again whether they can be read.
    sighting::unpack(&written.heads, &written.times)?;
    Some(Strip {
        code,
        unit,
        written,
    })
}

fn take_long<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(take_number(rest)?).ok()?;
    take_text(rest, length)
}

/// An entry of a packet of version 1.
fn alone(entry: Entry) -> Strip {
    let mut written = Written::default();
    written.push(&entry.manner, &Times::of(entry.at));
    Strip {
        code: entry.code,
        unit: entry.unit,
        written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use suyuan_sync::trace_code;

    fn asked(serial: u64) -> (TraceCode, Unit) {
        let path = format!("/01/06901234567892/21/{serial}");
        let code = trace_code::parse_path(&path, "").unwrap().code;
        let space = SpaceKey::parse("01/06901234567892").unwrap();
        (code, (!serial.is_multiple_of(5)).then_some((space, serial)))
    }

    fn note(open: &mut Open, serial: u64, manner: &Manner, at: Micros) {
        let (code, unit) = asked(serial);
        open.note(&code, unit, &way(manner), at);
    }

    fn way(manner: &Manner) -> Way<'_> {
        Way {
            advice: manner.advice,
            reasons: manner.reasons,
            channel: manner.channel,
            bot: manner.bot,
            offline: manner.offline,
            device: manner.device,
            region: &manner.region,
        }
    }

    /// Every query there is, however it was packed.
    fn all(packets: &[Packet]) -> BTreeMap<(String, String, Micros), usize> {
        let mut all = BTreeMap::new();
        for packet in packets {
            for strip in unpack(&packet.body).unwrap() {
                let written = strip.written;
                for (manner, times) in sighting::unpack(&written.heads, &written.times).unwrap() {
                    for at in times {
                        let query = (strip.code.clone(), format!("{manner:?}"), at);
                        *all.entry(query).or_default() += 1;
                    }
                }
            }
        }
        all
    }

    proptest! {
        #[test]
        fn every_query_noted_is_in_a_packet_once(
            manners in prop::collection::vec(sighting::tests::any_manner(), 40),
            noted in prop::collection::vec((0..400u64, 0..40usize, any::<i64>()), 0..600),
        ) {
            let (mut open, mut packets) = (Open::default(), Vec::new());
            let mut expected = BTreeMap::new();
            for (serial, manner, at) in noted {
                let manner = &manners[manner];
                note(&mut open, serial, manner, at);
                let query = (asked(serial).0.to_string(), format!("{manner:?}"), at);
                *expected.entry(query).or_default() += 1;
                if open.is_full() {
                    packets.push(open.pack());
                    open.clear();
                }
            }
            packets.push(open.pack());
            prop_assert!(packets.iter().all(|packet| packet.codes <= CODES_MAX));
            prop_assert_eq!(all(&packets), expected);
        }

        #[test]
        fn no_packet_panics(mut body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpack(&body);
            if let Some(version) = body.first_mut() {
                *version = VERSION;
            }
            let _ = unpack(&body);
        }

        #[test]
        fn a_packet_cut_short_is_refused(cut in 1..60usize) {
            let mut open = Open::default();
            let manner = manner();
            note(&mut open, 7, &manner, 5);
            note(&mut open, 7, &manner, 9);
            let body = open.pack().body;
            let length = body.len().saturating_sub(cut).max(2);
            prop_assert_eq!(unpack(&body[..length]), None);
        }
    }

    fn manner() -> Manner {
        Manner {
            advice: 0,
            reasons: 0,
            channel: super::super::Channel::Browser,
            bot: false,
            offline: false,
            device: 7,
            region: String::new(),
        }
    }

    #[test]
    fn a_hot_code_takes_little_room() {
        let (mut open, manner) = (Open::default(), manner());
        for n in 0..2_000 {
            note(&mut open, 3, &manner, n * 30);
        }
        let packet = open.pack();
        assert_eq!((packet.queries, packet.codes), (2_000, 1));
        assert!(packet.body.len() < 2_200, "{}", packet.body.len());
        // As many devices as it likes: a code stays one row.
        let mut open = Open::default();
        for device in 0..1_000 {
            let manner = Manner {
                device,
                ..manner.clone()
            };
            note(&mut open, 3, &manner, 0);
        }
        assert_eq!(unpack(&open.pack().body).unwrap().len(), 1);
    }
}
