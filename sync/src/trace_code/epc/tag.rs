//! Writes EPCs: the pure identity of a code, and what goes into the memory of a tag.

use std::fmt::{self, Display, Formatter, Write};

use super::urn::ESCAPED;
use super::{CHARACTERS, Family, Filter, PREFIXES, TagKind, Tail, WORD};
use crate::trace_code::charset::Charset;
use crate::trace_code::code::{GtinCode, OtherKey, TraceCode};
use crate::trace_code::text::Text;

/// The identity of a code as EPC: prints as `urn:epc:id:…`, for a product as
/// `urn:epc:idpat:sgtin:….*`, for a lot as `urn:epc:class:lgtin:…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epc {
    family: Family,
    prefix: Text<12>,
    reference: Text<13>,
    narrowed: Narrowed,
}

/// What narrows an identity down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Narrowed {
    No,
    Lot(Text<20>),
    Serial(Text<20>),
}

impl Epc {
    /// The EPC of a code whose company prefix has `prefix_len` digits, 4 to 12. A prefix of 4 or 5
    /// digits is written with 6, as TDS says.
    ///
    /// `None` for another length, for keys other than GTIN, SSCC and GLN (AI 414), for serials of
    /// third parties (AI 235), and for the extension `0` of a place, which would say that it has
    /// none. Of a unit GTIN and serial are kept; variant and lot are no part of its EPC.
    ///
    /// ```
    /// use suyuan_sync::trace_code::{Epc, parse};
    ///
    /// let code = parse("(01)80614141123458(21)6789")?.code;
    /// let epc = Epc::of(&code, 7).unwrap();
    /// assert_eq!(epc.to_string(), "urn:epc:id:sgtin:0614141.812345.6789");
    /// # Ok::<(), suyuan_sync::trace_code::CodeError>(())
    /// ```
    pub fn of(code: &TraceCode, prefix_len: usize) -> Option<Self> {
        if !(4..=12).contains(&prefix_len) {
            return None;
        }
        let len = prefix_len.max(6);
        match code {
            TraceCode::Gtin(code) => Self::of_gtin(code, len),
            TraceCode::Sscc(sscc) => Self::split(Family::Sscc, sscc.as_str(), len, Narrowed::No),
            TraceCode::Other(key) => Self::of_place(key, len),
            TraceCode::Own(_) | TraceCode::Profiled(_) => None,
        }
    }

    fn of_gtin(code: &GtinCode, len: usize) -> Option<Self> {
        if code.upui.is_some() {
            return None;
        }
        let narrowed = match (code.serial, code.lot) {
            (Some(serial), _) => Narrowed::Serial(serial),
            (None, Some(lot)) => Narrowed::Lot(lot),
            (None, None) => Narrowed::No,
        };
        Self::split(Family::Sgtin, code.gtin.as_str(), len, narrowed)
    }

    fn of_place(key: &OtherKey, len: usize) -> Option<Self> {
        if key.ai != "414" {
            return None;
        }
        let narrowed = match key.qualifiers.first().copied().flatten() {
            None => Narrowed::No,
            Some(qualifier) if qualifier.ai == "254" && qualifier.value != "0" => {
                Narrowed::Serial(Text::new(&qualifier.value)?)
            }
            Some(_) => return None,
        };
        Self::split(Family::Sgln, &key.value, len, narrowed)
    }

    /// Splits the digits of a key, check digit included, behind a company prefix of `len` digits.
    fn split(family: Family, key: &str, len: usize, narrowed: Narrowed) -> Option<Self> {
        let leading = usize::from(family != Family::Sgln);
        let body = key.get(..family.digits())?;
        let (first, rest) = body.split_at_checked(leading)?;
        let (prefix, rest) = rest.split_at_checked(len)?;
        let mut reference = [0; 13];
        let digits = first.bytes().chain(rest.bytes());
        for (slot, digit) in reference.iter_mut().zip(digits) {
            *slot = digit;
        }
        let reference = reference.get(..family.digits() - len)?;
        Some(Self {
            family,
            prefix: Text::new(prefix)?,
            reference: Text::new(std::str::from_utf8(reference).ok()?)?,
            narrowed,
        })
    }

    /// What a tag of this kind holds. `None` when the EPC is of another key, names no single
    /// thing, or has a serial the tag has no room for.
    ///
    /// ```
    /// use suyuan_sync::trace_code::{Epc, Filter, TagKind, parse};
    ///
    /// let code = parse("(01)80614141123458(21)6789")?.code;
    /// let filter = Filter::new(3).unwrap();
    /// let tag = Epc::of(&code, 7).and_then(|epc| epc.tag(TagKind::Sgtin96, filter)).unwrap();
    /// assert_eq!(tag.to_string(), "3074257BF7194E4000001A85");
    /// assert_eq!(tag.urn().to_string(), "urn:epc:tag:sgtin-96:3.0614141.812345.6789");
    /// # Ok::<(), suyuan_sync::trace_code::CodeError>(())
    /// ```
    pub fn tag(&self, kind: TagKind, filter: Filter) -> Option<EpcTag> {
        if kind.family() != self.family {
            return None;
        }
        let partition = PREFIXES
            .iter()
            .position(|&(_, digits)| digits == self.prefix.len())?;
        let &(prefix_bits, _) = PREFIXES.get(partition)?;
        let mut memory = Memory::default();
        memory.put(kind.header().into(), 8);
        memory.put(filter.value().into(), 3);
        memory.put(partition as u64, 3);
        memory.put(self.prefix.parse().ok()?, prefix_bits);
        // A company prefix of twelve digits leaves a place no digit at all.
        let reference = match self.reference.as_str() {
            "" => 0,
            digits => digits.parse().ok()?,
        };
        memory.put(reference, self.family.bits() - prefix_bits);
        match (kind.tail(), &self.narrowed) {
            (Tail::Zeros(_), Narrowed::No) => {}
            (Tail::Number(bits), Narrowed::Serial(serial)) => {
                memory.put(number(serial, bits)?, bits);
            }
            (Tail::Number(_), Narrowed::No) if self.family == Family::Sgln => {}
            (Tail::Characters, Narrowed::Serial(serial)) => {
                let legal = (1..=CHARACTERS).contains(&serial.len())
                    && serial.bytes().all(|byte| Charset::Cset82.holds(byte));
                if !legal {
                    return None;
                }
                serial.bytes().for_each(|byte| memory.put(byte.into(), 7));
            }
            _ => return None,
        }
        Some(EpcTag {
            epc: *self,
            kind,
            filter,
            memory,
        })
    }

    fn components(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.prefix, self.reference)?;
        match (self.family, &self.narrowed) {
            (Family::Sscc, _) => Ok(()),
            (Family::Sgtin, Narrowed::No) => f.write_str(".*"),
            (Family::Sgln, Narrowed::No) => f.write_str(".0"),
            (_, Narrowed::Serial(text) | Narrowed::Lot(text)) => {
                write!(f, ".{}", Escaped(text))
            }
        }
    }
}

/// A plain number below 2 to the `bits`, without leading zeros.
pub(super) fn number(text: &str, bits: usize) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    let number: u64 = text.parse().ok()?;
    (number >> bits == 0).then_some(number)
}

impl Display for Epc {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.family, self.narrowed) {
            (Family::Sgtin, Narrowed::No) => f.write_str("urn:epc:idpat:sgtin:")?,
            (_, Narrowed::Lot(_)) => f.write_str("urn:epc:class:lgtin:")?,
            (family, _) => write!(f, "urn:epc:id:{}:", family.name())?,
        }
        self.components(f)
    }
}

/// What is written into the EPC memory of a tag: prints as capital hexadecimal digits, filled up
/// with zeros to the words of 16 bits such a memory has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EpcTag {
    epc: Epc,
    kind: TagKind,
    filter: Filter,
    memory: Memory,
}

impl EpcTag {
    /// The tag URI: `urn:epc:tag:sgtin-96:3.0614141.812345.6789`.
    pub fn urn(&self) -> impl Display {
        TagUrn(*self)
    }
}

struct TagUrn(EpcTag);

impl Display for TagUrn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let EpcTag {
            epc, kind, filter, ..
        } = &self.0;
        write!(f, "urn:epc:tag:{}:{}.", kind.name(), filter.value())?;
        epc.components(f)
    }
}

impl Display for EpcTag {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bytes = self.kind.bits().next_multiple_of(WORD) / 8;
        for byte in self.memory.bytes.iter().take(bytes) {
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

/// Bits, written from the left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Memory {
    bytes: [u8; 26],
    len: usize,
}

impl Memory {
    /// Appends the lowest `width` bits of `number`.
    fn put(&mut self, number: u64, width: usize) {
        for place in (0..width).rev() {
            if let Some(byte) = self.bytes.get_mut(self.len / 8) {
                *byte |= ((number >> place & 1) as u8) << (7 - self.len % 8);
            }
            self.len += 1;
        }
    }
}

struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_ascii() && ESCAPED.contains(&(c as u8)) {
                write!(f, "%{:02X}", c as u8)?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}
