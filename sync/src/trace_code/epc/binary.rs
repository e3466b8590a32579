//! Reads binary EPCs: hexadecimal digits as RFID readers deliver them, and the path segments
//! `/eh{hex}` and `/ex{base64url}` of the GS1 standard for EPC binary strings in addresses.
//!
//! Faults point at the character that holds the first bit of the part that is wrong.

use super::identity::{self, Narrowed};
use super::{CHARACTERS, PAIR_AT, PARTITION_AT, PREFIXES, TagKind, Tail};
use crate::trace_code::code::{Form, Scanned};
use crate::trace_code::elements::Elements;
use crate::trace_code::error::{CodeError, CodeFault};
use crate::trace_code::path::{Segment, decode};
use crate::trace_code::value::Value;

/// Bits of a hexadecimal digit and of a base64url character.
const HEX: usize = 4;
const BASE64URL: usize = 6;

/// The fewest hexadecimal digits that are taken for a tag of a kind we do not read.
const SHORTEST_UNKNOWN: usize = 24;

/// Whether a bare text is meant as a binary EPC: hexadecimal digits, in groups or not, behind
/// `0x`, or of just the length that the header asks for, or so many beginning with a letter that
/// it can be nothing else.
///
/// Digits alone could in theory also be an element string that begins with a weight or a volume;
/// a symbology identifier settles it.
pub(in crate::trace_code) fn looks_binary(text: &str) -> bool {
    let (announced, digits) = without_0x(text);
    if announced {
        return true;
    }
    if !digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b' ') {
        return false;
    }
    let count = digits.bytes().filter(|&b| b != b' ').count();
    let known = digits
        .get(..2)
        .and_then(|header| u64::from_str_radix(header, 16).ok())
        .and_then(TagKind::with_header);
    match known {
        Some(kind) => kind.fills(count, HEX),
        None => count >= SHORTEST_UNKNOWN && !digits.starts_with(|c: char| c.is_ascii_digit()),
    }
}

/// Reads a text that [`looks_binary`], which begins at byte `start` of what was given.
pub(in crate::trace_code) fn parse(text: &str, start: usize) -> Result<Scanned, CodeError> {
    let (_, digits) = without_0x(text);
    let start = start + (text.len() - digits.len());
    let mut bits = Bits::new(HEX, start);
    for (offset, byte) in digits.bytes().enumerate() {
        if byte != b' ' {
            bits.push(byte, start + offset)?;
        }
    }
    let mut elements = Elements::new();
    read(&bits, &mut elements)?;
    elements.finish(Form::EpcBinary, start)
}

fn without_0x(text: &str) -> (bool, &str) {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (true, digits),
        None => (false, text),
    }
}

/// Whether a path segment is meant as a binary EPC: `eh` or `ex`, in either case, begins it.
pub fn is_epc_segment(segment: &str) -> bool {
    bits_each(segment).is_some()
}

fn bits_each(segment: &str) -> Option<usize> {
    let mark = segment.get(..2)?;
    if mark.eq_ignore_ascii_case("eh") {
        Some(HEX)
    } else if mark.eq_ignore_ascii_case("ex") {
        Some(BASE64URL)
    } else {
        None
    }
}

/// Reads a segment that is [`is_epc_segment`].
pub(in crate::trace_code) fn read_path(
    segment: Segment<'_>,
    elements: &mut Elements,
) -> Result<(), CodeError> {
    let each = bits_each(segment.text).unwrap_or(HEX);
    let decoded = decode(segment.text, segment.position, false)?;
    let mut bits = Bits::new(each, segment.position + 2);
    for (index, &byte) in decoded.bytes().iter().enumerate().skip(2) {
        bits.push(byte, decoded.position(index))?;
    }
    read(&bits, elements)
}

/// The bits of an EPC, held as its characters, so that every bit has its place in the text.
struct Bits {
    characters: Value,
    each: usize,
}

impl Bits {
    const fn new(each: usize, start: usize) -> Self {
        Self {
            characters: Value::starting(start),
            each,
        }
    }

    /// Takes the next character.
    fn push(&mut self, character: u8, position: usize) -> Result<(), CodeError> {
        let value = match (self.each, character) {
            (HEX, _) => char::from(character).to_digit(16).map(|value| value as u8),
            (_, b'A'..=b'Z') => Some(character - b'A'),
            (_, b'a'..=b'z') => Some(character - b'a' + 26),
            (_, b'0'..=b'9') => Some(character - b'0' + 52),
            (_, b'-') => Some(62),
            (_, b'_') => Some(63),
            _ => None,
        };
        let value = value.ok_or(CodeError::new(position, CodeFault::BadCharacter))?;
        self.characters.push(value, position)
    }

    /// `width` bits, at most 64, from the bit `at` on. Those beyond the end are zero.
    fn number(&self, at: usize, width: usize) -> u64 {
        (at..at + width).fold(0, |number, bit| {
            let character = self.characters.bytes().get(bit / self.each).copied();
            let shift = self.each - 1 - bit % self.each;
            number << 1 | u64::from(character.unwrap_or_default() >> shift & 1)
        })
    }

    /// How many there are.
    fn len(&self) -> usize {
        self.characters.bytes().len() * self.each
    }

    /// Where the bit `at` stands in the text.
    fn position(&self, at: usize) -> usize {
        self.characters.position(at / self.each)
    }

    /// A fault of what begins with the bit `at`.
    fn fault(&self, at: usize, fault: CodeFault) -> CodeError {
        CodeError::new(self.position(at), fault)
    }

    /// A number of `width` bits as `digits` decimal digits, all standing where it begins.
    fn digits(&self, at: usize, width: usize, digits: usize) -> Result<Value, CodeError> {
        let place = self.position(at);
        decimal(self.number(at, width), digits, place).ok_or(self.fault(at, CodeFault::BadValue))?
    }

    /// Refuses a bit other than zero from `at` on.
    fn zeros_from(&self, at: usize) -> Result<(), CodeError> {
        match (at..self.len()).find(|&bit| self.number(bit, 1) != 0) {
            Some(bit) => Err(self.fault(bit, CodeFault::BadPadding)),
            None => Ok(()),
        }
    }
}

/// A number as exactly `digits` decimal digits; `None` when it needs more.
fn decimal(number: u64, digits: usize, place: usize) -> Option<Result<Value, CodeError>> {
    let scale = |index: usize| 10u64.checked_pow((digits - 1 - index) as u32);
    if number.checked_div(10u64.checked_pow(digits as u32)?)? > 0 {
        return None;
    }
    let mut value = Value::starting(place);
    let written = (0..digits).try_for_each(|index| {
        let digit = scale(index).map_or(0, |scale| number / scale % 10);
        value.push(b'0' + digit as u8, place)
    });
    Some(written.map(|()| value))
}

/// Gives the elements a binary EPC stands for.
fn read(bits: &Bits, elements: &mut Elements) -> Result<(), CodeError> {
    if bits.len() == 0 {
        return Err(bits.fault(0, CodeFault::MissingValue));
    }
    let kind =
        TagKind::with_header(bits.number(0, 8)).ok_or(bits.fault(0, CodeFault::UnknownEpc))?;
    if !kind.fills(bits.characters.bytes().len(), bits.each) {
        return Err(bits.fault(0, CodeFault::BadLength));
    }
    let family = kind.family();
    let partition = bits.number(PARTITION_AT, 3) as usize;
    let &(prefix_bits, prefix_digits) = PREFIXES
        .get(partition)
        .ok_or(bits.fault(PARTITION_AT, CodeFault::BadPartition))?;
    let reference_at = PAIR_AT + prefix_bits;
    let tail_at = PAIR_AT + family.bits();
    let prefix = bits.digits(PAIR_AT, prefix_bits, prefix_digits)?;
    let reference = bits.digits(
        reference_at,
        tail_at - reference_at,
        family.digits() - prefix_digits,
    )?;
    bits.zeros_from(kind.bits())?;
    let mut serial = Value::starting(bits.position(tail_at));
    match kind.tail() {
        Tail::Zeros(_) => bits.zeros_from(tail_at)?,
        Tail::Number(width) => push_number(&mut serial, bits.number(tail_at, width))?,
        Tail::Characters => push_characters(&mut serial, bits, tail_at)?,
    }
    // The extension 0 of a place says that it has none.
    let narrowed = match kind {
        TagKind::Sscc96 => Narrowed::No,
        TagKind::Sgln96 if serial.bytes() == b"0" => Narrowed::No,
        _ => Narrowed::Serial(&serial),
    };
    identity::name(family, &prefix, &reference, &narrowed, elements)
}

/// A number without leading zeros.
fn push_number(serial: &mut Value, number: u64) -> Result<(), CodeError> {
    let place = serial.position(0);
    let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
    if let Some(value) = decimal(number, digits, place) {
        *serial = value?;
    }
    Ok(())
}

/// Characters of seven bits up to the first zero, behind which only zeros may follow.
fn push_characters(serial: &mut Value, bits: &Bits, at: usize) -> Result<(), CodeError> {
    let places = (0..CHARACTERS).map(|index| at + 7 * index);
    for place in places {
        match bits.number(place, 7) as u8 {
            0 => return bits.zeros_from(place),
            character => serial.push(character, bits.position(place))?,
        }
    }
    Ok(())
}
