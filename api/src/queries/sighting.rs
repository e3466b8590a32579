//! Sightings of one code: what queries have in common is written once, their times behind it, a
//! byte or two each. So a code that a whole country scans takes little more room, in memory and on
//! disk, than its times do. Pure. What cannot be read is told so, never guessed.
//!
//! Heads and times are kept apart: who asked, and how often, is read without the times.

use super::entry::Channel;
use crate::clock::Micros;

/// How a code was asked for, and answered: what queries of it have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
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
    /// Region as a trusted proxy named it, at most 255 bytes; empty where none did.
    pub region: String,
}

impl Manner {
    /// Does a query of this manner count as one?
    pub fn counts(&self) -> bool {
        !self.bot && !self.offline
    }
}

/// Times of queries: the first as it is, each other by its distance to the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    start: Micros,
    newest: Micros,
    first: Micros,
    last: Micros,
    n: u64,
    rest: Vec<u8>,
}

impl Times {
    /// One time.
    pub fn of(at: Micros) -> Times {
        Times {
            start: at,
            newest: at,
            first: at,
            last: at,
            n: 1,
            rest: Vec::new(),
        }
    }

    /// One more.
    pub fn add(&mut self, at: Micros) {
        put_number(&mut self.rest, zigzag(at.wrapping_sub(self.newest)));
        self.newest = at;
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        self.n += 1;
    }
}

/// Sightings of one code, written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Who asked, and how often.
    pub heads: Vec<u8>,
    /// When.
    pub times: Vec<u8>,
}

const BOT: u8 = 1;
const OFFLINE: u8 = 2;

impl Written {
    /// Writes one more sighting down.
    pub fn push(&mut self, manner: &Manner, times: &Times) {
        let heads = &mut self.heads;
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        heads.push(flag(manner.bot, BOT) | flag(manner.offline, OFFLINE));
        heads.push(manner.channel as u8);
        heads.push(manner.advice);
        heads.extend_from_slice(&manner.reasons.to_le_bytes());
        heads.extend_from_slice(&manner.device.to_le_bytes());
        put_short(heads, &manner.region);
        heads.extend_from_slice(&times.start.to_le_bytes());
        put_number(heads, times.start.wrapping_sub(times.first) as u64);
        put_number(heads, times.last.wrapping_sub(times.start) as u64);
        put_number(heads, times.n);
        put_number(heads, times.rest.len() as u64);
        self.times.extend_from_slice(&times.rest);
    }
}

/// A sighting without its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How it was asked.
    pub manner: Manner,
    /// How often.
    pub n: u64,
    /// First when.
    pub first_at: Micros,
    /// Last when.
    pub last_at: Micros,
    start: Micros,
    /// Of its times, in bytes.
    length: usize,
}

/// Reads all heads; `None` where they are none.
pub fn heads(mut rest: &[u8]) -> Option<Vec<Head>> {
    let mut heads = Vec::new();
    while !rest.is_empty() {
        heads.push(read_head(&mut rest)?);
    }
    Some(heads)
}

fn read_head(rest: &mut &[u8]) -> Option<Head> {
    let [flags, channel, advice] = take(rest)?;
    let reasons = u16::from_le_bytes(take(rest)?);
    let device = u64::from_le_bytes(take(rest)?);
    let region = take_short(rest)?.to_owned();
    let start = i64::from_le_bytes(take(rest)?);
    let first_at = start.wrapping_sub(take_number(rest)? as i64);
    let last_at = start.wrapping_add(take_number(rest)? as i64);
    Some(Head {
        manner: Manner {
            advice,
            reasons,
            channel: *Channel::ALL.get(usize::from(channel))?,
            bot: flags & BOT != 0,
            offline: flags & OFFLINE != 0,
            device,
            region,
        },
        n: take_number(rest)?,
        first_at,
        last_at,
        start,
        length: usize::try_from(take_number(rest)?).ok()?,
    })
}

/// Reads sightings with their times, each in the order in which it was noted; `None` where heads
/// and times do not belong together.
pub fn unpack(written_heads: &[u8], mut rest: &[u8]) -> Option<Vec<(Manner, Vec<Micros>)>> {
    let mut all = Vec::new();
    for head in heads(written_heads)? {
        let (times, after) = rest.split_at_checked(head.length)?;
        rest = after;
        let (mut at, mut times) = (head.start, times);
        let mut seen = vec![at];
        while !times.is_empty() {
            at = at.wrapping_add(unzigzag(take_number(&mut times)?));
            seen.push(at);
        }
        let first = seen.iter().min() == Some(&head.first_at);
        let last = seen.iter().max() == Some(&head.last_at);
        if !(first && last && seen.len() as u64 == head.n) {
            return None;
        }
        all.push((head.manner, seen));
    }
    rest.is_empty().then_some(all)
}

/// Seven bits a byte, the lowest first.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = take(rest)?;
        let bits = u64::from(byte & 0x7f);
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return (bits << shift >> shift == bits).then_some(number);
        }
    }
    None
}

/// A text behind its length, cut where it is longer than 255 bytes.
fn put_short(out: &mut Vec<u8>, text: &str) {
    let text = &text[..text.floor_char_boundary(usize::from(u8::MAX))];
    out.push(text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

fn take_short<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let [length] = take(rest)?;
    take_text(rest, usize::from(length))
}

pub(super) fn take_text<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a str> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(taken).ok()
}

pub(super) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

/// Small distances, forward or back, as small numbers.
const fn zigzag(distance: i64) -> u64 {
    ((distance << 1) ^ (distance >> 63)) as u64
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub fn any_manner() -> impl Strategy<Value = Manner> {
        (
            (0..3u8, any::<u16>(), any::<bool>(), any::<bool>()),
            prop::sample::select(Channel::ALL.to_vec()),
            any::<u64>(),
            "[A-Z婴-]{0,16}",
        )
            .prop_map(
                |((advice, reasons, bot, offline), channel, device, region)| Manner {
                    advice,
                    reasons,
                    channel,
                    bot,
                    offline,
                    device,
                    region,
                },
            )
    }

    fn any_times() -> impl Strategy<Value = Vec<Micros>> {
        prop_oneof![
            prop::collection::vec(any::<i64>(), 1..6),
            prop::collection::vec(1_700_000_000_000_000..1_700_000_000_100_000i64, 1..40),
        ]
    }

    fn written(sightings: &[(Manner, Vec<Micros>)]) -> Written {
        let mut written = Written::default();
        for (manner, seen) in sightings {
            let mut times = Times::of(seen[0]);
            seen[1..].iter().for_each(|at| times.add(*at));
            written.push(manner, &times);
        }
        written
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            sightings in prop::collection::vec((any_manner(), any_times()), 0..6),
        ) {
            let Written { heads: front, times } = written(&sightings);
            prop_assert_eq!(unpack(&front, &times), Some(sightings.clone()));
            let read = heads(&front).unwrap();
            prop_assert_eq!(read.len(), sightings.len());
            for (head, (manner, seen)) in read.iter().zip(&sightings) {
                prop_assert_eq!(&head.manner, manner);
                prop_assert_eq!(head.n, seen.len() as u64);
                prop_assert_eq!(Some(&head.first_at), seen.iter().min());
                prop_assert_eq!(Some(&head.last_at), seen.iter().max());
            }
        }

        #[test]
        fn what_was_cut_or_changed_is_refused_and_never_panics(
            sightings in prop::collection::vec((any_manner(), any_times()), 1..4),
            heads_to in any::<prop::sample::Index>(), times_to in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let Written { heads: mut front, mut times } = written(&sightings);
            let short = &front[..heads_to.index(front.len())];
            // Cut between two heads, it is what was before.
            if let Some(some) = unpack(short, &times) {
                prop_assert!(sightings.starts_with(&some));
            }
            times.push(0);
            prop_assert_eq!(unpack(&front, &times), None);
            times.truncate(times_to.index(times.len()));
            let _ = unpack(&front, &times);
            let at = at.index(front.len());
            front[at] = byte;
            let _ = unpack(&front, &times);
        }

        #[test]
        fn numbers_are_read_back(number in any::<u64>(), distance in any::<i64>()) {
            let mut out = Vec::new();
            put_number(&mut out, number);
            prop_assert_eq!(take_number(&mut &out[..]), Some(number));
            prop_assert_eq!(unzigzag(zigzag(distance)), distance);
        }
    }

    #[test]
    fn a_hot_codes_query_takes_a_byte_or_two() {
        let mut times = Times::of(0);
        for n in 1..1000 {
            times.add(n * 30);
        }
        assert_eq!(times.rest.len(), 999);
        let mut slow = Times::of(0);
        (1..1000).for_each(|n| slow.add(n * 8000));
        assert_eq!(slow.rest.len(), 2 * 999);
    }
}
