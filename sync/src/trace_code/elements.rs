//! Collects what was read, whatever form it was read in, and decides what it names.
//!
//! Every reader feeds application identifiers and values into one [`Elements`]. It checks each
//! value, refuses repetitions and contradictions, and picks the key. It must not know how the
//! elements were written.

use super::MAX_ELEMENTS;
use super::ai::{Ai, MAX_QUALIFIERS, QUALIFIERS, find, number};
use super::code::{Claims, Form, GtinCode, OtherKey, Qualifier, Scanned, TraceCode};
use super::error::{CodeError, CodeFault};
use super::keys::{Gtin, Sscc};
use super::text::Text;
use super::value::Value;

/// The elements of one code, as far as they have been read.
pub(super) struct Elements {
    // Number and position of every identifier met, the latter within `MAX_TEXT`.
    seen: [(u16, u16); MAX_ELEMENTS],
    count: usize,
    key: Option<Key>,
    // A second key of the same rank, which is a contradiction unless a higher one follows.
    rival: Option<usize>,
    qualifiers: [Option<Text<28>>; QUALIFIERS.len()],
    claims: Claims,
}

/// The best candidate for what the code names.
#[derive(Clone, Copy)]
struct Key {
    ai: &'static Ai,
    value: Text<90>,
    position: usize,
    rank: u8,
}

/// How strongly a key names the thing scanned: goods before assets and documents, those before
/// places, which usually only say where the goods were.
fn rank(ai: &Ai) -> u8 {
    match ai.first {
        "00" | "01" | "8006" => 0,
        "414" | "415" | "417" => 2,
        _ => 1,
    }
}

/// Identifiers that contradict a key: each says that the code speaks of other goods.
///
/// Pairings the standard demands (a lot wants a GTIN) are not checked, since it wants them judged
/// over all carriers of a thing and a text is only one of them.
const CONTRADICTIONS: [(&str, &[&str]); 2] = [
    ("01", &["02", "03", "255", "37"]),
    ("8006", &["02", "255", "37", "8026"]),
];

impl Elements {
    pub(super) const fn new() -> Self {
        Self {
            seen: [(0, 0); MAX_ELEMENTS],
            count: 0,
            key: None,
            rival: None,
            qualifiers: [None; QUALIFIERS.len()],
            claims: Claims {
                expiry: None,
                best_before: None,
                produced: None,
                lot: None,
            },
        }
    }

    /// Takes an element that may name the thing, qualify it, or say something about it.
    /// `digits` is the identifier as written, `position` its place in the text.
    pub(super) fn add(
        &mut self,
        ai: &'static Ai,
        digits: &[u8],
        position: usize,
        value: &Value,
    ) -> Result<(), CodeError> {
        self.add_attribute(ai, digits, position, value)?;
        if ai.qualifiers().is_some() {
            self.consider(Key {
                ai,
                value: value.text().ok_or(value.fault(CodeFault::BadLength))?,
                position,
                rank: rank(ai),
            });
        }
        if let Some(index) = QUALIFIERS.iter().position(|&q| q == ai.first)
            && let Some(slot) = self.qualifiers.get_mut(index)
        {
            *slot = value.text();
        }
        Ok(())
    }

    /// Takes an element that only says something about the thing.
    pub(super) fn add_attribute(
        &mut self,
        ai: &'static Ai,
        digits: &[u8],
        position: usize,
        value: &Value,
    ) -> Result<(), CodeError> {
        self.note(digits, position)?;
        ai.check(value)?;
        match ai.first {
            "10" => self.claims.lot = value.text(),
            "11" => self.claims.produced = value.bytes().try_into().ok(),
            "15" => self.claims.best_before = value.bytes().try_into().ok(),
            "17" => self.claims.expiry = value.bytes().try_into().ok(),
            _ => {}
        }
        Ok(())
    }

    /// Remembers that an identifier was met, and refuses to meet it twice.
    fn note(&mut self, digits: &[u8], position: usize) -> Result<(), CodeError> {
        let refused = |fault| Err(CodeError::new(position, fault));
        let Some(number) = number(digits) else {
            return refused(CodeFault::UnknownKey);
        };
        if self.met().any(|(met, _)| met == number) {
            return refused(CodeFault::DuplicateKey);
        }
        let Some(slot) = self.seen.get_mut(self.count) else {
            return refused(CodeFault::TooLong);
        };
        *slot = (number, position as u16);
        self.count += 1;
        Ok(())
    }

    fn met(&self) -> impl Iterator<Item = (u16, u16)> {
        self.seen.iter().take(self.count).copied()
    }

    fn consider(&mut self, candidate: Key) {
        match &self.key {
            Some(key) if key.rank < candidate.rank => {}
            Some(key) if key.rank == candidate.rank => {
                self.rival.get_or_insert(candidate.position);
            }
            _ => {
                self.key = Some(candidate);
                self.rival = None;
            }
        }
    }

    /// What has been said so far besides naming the thing.
    pub(super) const fn claims(&self) -> Claims {
        self.claims
    }

    /// Whether an identifier was met.
    pub(super) fn has(&self, ai: &str) -> bool {
        self.position_of(ai).is_some()
    }

    fn position_of(&self, ai: &str) -> Option<usize> {
        let number = number(ai.as_bytes())?;
        self.met()
            .find(|(met, _)| *met == number)
            .map(|(_, position)| usize::from(position))
    }

    /// What the elements name together. `start` is where the text begins.
    pub(super) fn finish(self, form: Form, start: usize) -> Result<Scanned, CodeError> {
        let Some(key) = self.key else {
            return Err(CodeError::new(start, CodeFault::NoKey));
        };
        if let Some(position) = self.rival {
            return Err(CodeError::new(position, CodeFault::ConflictingKeys));
        }
        let against = CONTRADICTIONS.iter().filter(|(ai, _)| *ai == key.ai.first);
        let contradiction = against
            .flat_map(|(_, others)| others.iter())
            .find_map(|ai| self.position_of(ai));
        if let Some(position) = contradiction {
            return Err(CodeError::new(position, CodeFault::ConflictingKeys));
        }
        let code = match key.ai.first {
            "01" => TraceCode::Gtin(self.gtin_code(&key)?),
            "00" => TraceCode::Sscc(Sscc::parse(&key.value).map_err(|e| e.shifted(key.position))?),
            _ => TraceCode::Other(self.other_key(&key)?),
        };
        Ok(Scanned {
            code,
            claims: self.claims,
            form,
        })
    }

    fn gtin_code(&self, key: &Key) -> Result<GtinCode, CodeError> {
        let gtin = Gtin::parse(&key.value).map_err(|e| e.shifted(key.position))?;
        let upui = self.qualifier("235");
        if upui.is_some() {
            if let Some(position) = self.position_of("21") {
                return Err(CodeError::new(position, CodeFault::ConflictingKeys));
            }
            return Ok(GtinCode {
                upui,
                ..GtinCode::product(gtin)
            });
        }
        let short = |ai| self.qualifier(ai).and_then(|text| Text::new(&text));
        Ok(GtinCode {
            gtin,
            variant: short("22"),
            lot: short("10"),
            serial: short("21"),
            upui: None,
        })
    }

    fn other_key(&self, key: &Key) -> Result<OtherKey, CodeError> {
        let rules = key.ai.qualifiers();
        let alternatives = rules.map_or(&[][..], |rules| rules.alternatives);
        let given = alternatives
            .iter()
            .find(|list| list.iter().any(|ai| self.qualifier(ai).is_some()));
        if given.is_none() && rules.is_some_and(|rules| rules.required) {
            return Err(CodeError::new(key.position, CodeFault::MissingQualifier));
        }
        let mut qualifiers = [None; MAX_QUALIFIERS];
        let found = given
            .into_iter()
            .flat_map(|list| list.iter())
            .filter_map(|ai| {
                Some(Qualifier {
                    ai: Text::new(ai)?,
                    value: self.qualifier(ai)?,
                })
            });
        for (slot, qualifier) in qualifiers.iter_mut().zip(found) {
            *slot = Some(qualifier);
        }
        Ok(OtherKey {
            ai: Text::new(key.ai.first).unwrap_or_default(),
            value: key.value,
            qualifiers,
        })
    }

    fn qualifier(&self, ai: &str) -> Option<Text<28>> {
        let index = QUALIFIERS.iter().position(|&q| q == ai)?;
        *self.qualifiers.get(index)?
    }
}

/// Writes the zeros a short GTIN lacks. Only forms meant for people and addresses may hold one;
/// an element string has 14 digits by definition.
pub(super) fn complete_gtin(ai: &Ai, value: &mut Value) {
    if ai.first == "01" && matches!(value.bytes().len(), 8 | 12 | 13) {
        value.pad_left(14);
    }
}

/// Reads an identifier that is written out in full, as a path, a query or brackets have it.
pub(super) fn named(digits: &[u8], position: usize) -> Result<&'static Ai, CodeError> {
    find(digits).ok_or(CodeError::new(position, CodeFault::UnknownKey))
}
