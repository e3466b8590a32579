//! What is asked, in which order, and what a right answer looks like.
//!
//! Paths come from a seed or from the server itself, so a run can be repeated. Every answer's
//! status is checked; of one in [`SAMPLE_EVERY`] the body too: that it says the expected legality
//! and names the very unit asked for, so a server that always sends the same page is found out.

use std::{cell::RefCell, rc::Rc};

use serde_json::Value;

use crate::{
    LoadError,
    target::{Target, path_of},
};

/// One body in so many is read and checked.
pub const SAMPLE_EVERY: u64 = 64;

/// The base-32 alphabet of minted serials: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A printed GS1 code of a unit, taken apart as far as this driver needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedCode {
    /// Path and query, as a phone would ask for it.
    pub path: String,
    /// 14 digits.
    pub gtin: String,
    /// Everything after `/21/`.
    pub serial: String,
    /// The lot, if the code carries one.
    pub lot: Option<String>,
}

impl PrintedCode {
    /// Reads `http://…/01/{gtin}[/10/{lot}]/21/{serial}[?…]`.
    pub fn parse(url: &str) -> Result<Self, LoadError> {
        let path = path_of(url);
        let keys = path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = keys.trim_matches('/').split('/').collect();
        let value = |key: &str| {
            parts
                .chunks_exact(2)
                .find(|pair| pair[0] == key)
                .map(|pair| pair[1].to_owned())
        };
        match (value("01"), value("21")) {
            (Some(gtin), Some(serial)) if gtin.len() == 14 && !serial.is_empty() => Ok(Self {
                path: path.to_owned(),
                gtin,
                serial,
                lot: value("10"),
            }),
            _ => Err(LoadError::Unusable(format!(
                "`{url}` is not a code with /01/ and /21/"
            ))),
        }
    }
}

/// A right answer.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// The HTTP status of every answer.
    pub status: u16,
    /// `legality` in the JSON view.
    pub legality: &'static str,
    /// The answer names the serial asked for. The baseline cannot: it sends fixed bytes.
    pub names_its_unit: bool,
}

impl Expected {
    /// A commissioned unit.
    pub const LEGAL: Self = Self {
        status: 200,
        legality: "legal",
        names_its_unit: true,
    };
    /// A serial nobody minted.
    pub const FORGED: Self = Self {
        status: 404,
        legality: "not_allocated",
        names_its_unit: true,
    };
    /// The bare handler, sending the bytes of a legal answer whatever it is asked.
    pub const BASELINE: Self = Self {
        names_its_unit: false,
        ..Self::LEGAL
    };

    /// Checks an answer to `request`; `body` only where it was sampled.
    pub fn check(&self, status: u16, request: &[u8], body: Option<&[u8]>) -> Result<(), String> {
        if status != self.status {
            return Err(format!("status {status} instead of {}", self.status));
        }
        let Some(body) = body else { return Ok(()) };
        let view: Value =
            serde_json::from_slice(body).map_err(|error| format!("a body not JSON: {error}"))?;
        if view["legality"] != self.legality {
            return Err(format!(
                "legality {} instead of {}",
                view["legality"], self.legality
            ));
        }
        if self.names_its_unit {
            let serial = serial_in(request).ok_or("a request without a serial")?;
            if !contains(body, serial) {
                return Err("an answer about another unit".to_owned());
            }
        }
        Ok(())
    }
}

/// The serial in the request line.
fn serial_in(request: &[u8]) -> Option<&[u8]> {
    let line = request.split(|byte| *byte == b'\r').next()?;
    let at = line.windows(4).position(|four| four == b"/21/")? + 4;
    line[at..]
        .split(|byte| matches!(byte, b'/' | b'?' | b' '))
        .next()
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len().max(1)).any(|found| found == part)
}

/// Where the next path comes from.
#[derive(Debug)]
pub enum Paths {
    /// The same few, in turn.
    Cycle {
        /// The paths.
        paths: Rc<[String]>,
        /// Which is next.
        next: usize,
    },
    /// Each exactly once; then the run is over.
    Once(std::vec::IntoIter<String>),
    /// Serials of the right shape that nobody minted, never the same twice.
    Forged {
        /// `/01/{gtin}/21/{key id}`.
        stem: String,
        /// Source of the serials.
        random: Random,
    },
}

/// An endless or bounded stream of requests with their expected answer.
#[derive(Debug)]
pub struct Workload {
    paths: Paths,
    tail: Vec<u8>,
    /// What a right answer looks like.
    pub expected: Expected,
}

/// Shared by the connections of one run, all on one thread.
pub type Shared = Rc<RefCell<Workload>>;

impl Workload {
    /// Requests for JSON to `target`.
    pub fn new(target: &Target, paths: Paths, expected: Expected) -> Shared {
        let tail = format!(
            " HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\n\r\n",
            target.authority()
        );
        Rc::new(RefCell::new(Self {
            paths,
            tail: tail.into_bytes(),
            expected,
        }))
    }

    /// The same few codes again and again.
    pub fn cycle(target: &Target, paths: Rc<[String]>, expected: Expected) -> Shared {
        Self::new(target, Paths::Cycle { paths, next: 0 }, expected)
    }

    /// Each code once.
    pub fn once(target: &Target, paths: Vec<String>) -> Shared {
        Self::new(target, Paths::Once(paths.into_iter()), Expected::LEGAL)
    }

    /// Well-formed serials of `model`'s product and key, made at random.
    pub fn forged(target: &Target, model: &PrintedCode, seed: u64) -> Shared {
        let key: String = model.serial.chars().take(1).collect();
        let stem = format!("/01/{}/21/{key}", model.gtin);
        let random = Random::new(seed);
        Self::new(target, Paths::Forged { stem, random }, Expected::FORGED)
    }

    /// Writes the next request into `out`; false when there is none left.
    pub fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        out.extend_from_slice(b"GET ");
        match &mut self.paths {
            Paths::Cycle { paths, next } => {
                let Some(path) = paths.get(*next) else {
                    return false;
                };
                out.extend_from_slice(path.as_bytes());
                *next = (*next + 1) % paths.len();
            }
            Paths::Once(paths) => {
                let Some(path) = paths.next() else {
                    return false;
                };
                out.extend_from_slice(path.as_bytes());
            }
            Paths::Forged { stem, random } => {
                out.extend_from_slice(stem.as_bytes());
                out.extend_from_slice(&block_text(random.next()));
            }
        }
        out.extend_from_slice(&self.tail);
        true
    }
}

/// 64 bits as 13 characters. The first carries four bits only, so every block written here is one
/// that has to be decrypted to be refused; a larger first character would be refused by its shape.
fn block_text(block: u64) -> [u8; 13] {
    let mut text = [0; 13];
    for (at, place) in text.iter_mut().enumerate() {
        *place = ALPHABET[(block >> (60 - 5 * at) & 31) as usize];
    }
    text
}

/// SplitMix64: small, seeded, and a permutation of its counter, so no block comes twice in a run.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    #[expect(
        clippy::should_implement_trait,
        reason = "endless; no iterator is meant"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://127.0.0.1:8080/01/06901234000016/10/L7/21/0A123456789BCD?17=270101";

    #[test]
    fn a_printed_code_is_taken_apart() {
        let code = PrintedCode::parse(URL).unwrap();
        assert_eq!(code.gtin, "06901234000016");
        assert_eq!(code.serial, "0A123456789BCD");
        assert_eq!(code.lot.as_deref(), Some("L7"));
        assert_eq!(path_of(URL), code.path);
        assert!(PrintedCode::parse("http://h/00/106141412345678908").is_err());
    }

    #[test]
    fn blocks_are_thirteen_characters_of_which_the_first_carries_four_bits() {
        assert_eq!(&block_text(0), b"0000000000000");
        assert_eq!(&block_text(u64::MAX), b"FZZZZZZZZZZZZ");
        assert_eq!(&block_text(1), b"0000000000001");
        assert_eq!(&block_text(1 << 60), b"1000000000000");
    }

    #[test]
    fn forged_serials_have_the_shape_of_the_model_and_repeat_by_seed_only() {
        let model = PrintedCode::parse(URL).unwrap();
        let target = Target::local(18_000);
        let serials = |seed| {
            let load = Workload::forged(&target, &model, seed);
            let mut out = Vec::new();
            (0..2000)
                .map(|_| {
                    assert!(load.borrow_mut().write_next(&mut out));
                    serial_in(&out).unwrap().to_vec()
                })
                .collect::<Vec<_>>()
        };
        let first = serials(7);
        assert!(first.iter().all(|serial| serial.len() == 14
            && serial[0] == b'0'
            && serial.iter().all(|byte| ALPHABET.contains(byte))));
        assert_eq!(first, serials(7));
        let mut distinct = first.clone();
        distinct.extend(serials(8));
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 4000);
    }

    #[test]
    fn a_bounded_workload_ends_and_a_cycle_comes_round() {
        let target = Target::local(18_000);
        let mut out = Vec::new();
        let once = Workload::once(&target, vec!["/a".into(), "/b".into()]);
        let asked: Vec<bool> = (0..3)
            .map(|_| once.borrow_mut().write_next(&mut out))
            .collect();
        assert_eq!(asked, [true, true, false]);
        let cycle = Workload::cycle(
            &target,
            ["/a".to_owned(), "/b".to_owned()].into(),
            Expected::LEGAL,
        );
        for path in ["/a", "/b", "/a"] {
            assert!(cycle.borrow_mut().write_next(&mut out));
            assert!(out.starts_with(format!("GET {path} HTTP/1.1\r\nHost: ").as_bytes()));
        }
    }

    #[test]
    fn wrong_answers_are_told_from_right_ones() {
        let request = b"GET /01/06901234000016/21/0A123456789BCD?17=1 HTTP/1.1\r\n";
        let right = br#"{"code":{"serial":"0A123456789BCD"},"legality":"legal"}"#;
        let legal = Expected::LEGAL;
        assert!(legal.check(200, request, None).is_ok());
        assert!(legal.check(200, request, Some(right)).is_ok());
        assert!(legal.check(503, request, None).is_err());
        assert!(legal.check(200, request, Some(b"<html>")).is_err());
        assert!(Expected::FORGED.check(404, request, Some(right)).is_err());
        let other = br#"{"code":{"serial":"0B"},"legality":"legal"}"#;
        assert!(legal.check(200, request, Some(other)).is_err());
        assert!(Expected::BASELINE.check(200, request, Some(other)).is_ok());
    }
}
