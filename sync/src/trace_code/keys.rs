//! The numeric GS1 keys, one type each, so that none can be mistaken for another.
//!
//! A value of these types has the right length and a valid check digit; there is no other way to
//! have one. Whether a number was ever assigned is not known here.

use std::fmt;
use std::str::FromStr;

use super::digits::check_digit_of;
use super::error::{CodeError, CodeFault};
use super::text::Text;

/// What the numeric keys have in common: parsing from a string, printing, the digits.
macro_rules! numeric_key {
    ($name:ident) => {
        impl $name {
            /// The digits.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = CodeError;

            fn from_str(text: &str) -> Result<Self, CodeError> {
                Self::parse(text)
            }
        }
    };
}

/// A Global Trade Item Number (全球贸易项目代码), always as 14 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtin(Text<14>);

numeric_key!(Gtin);

impl Gtin {
    /// Reads 8, 12, 13 or 14 digits with a valid check digit.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let digits = checked::<14>(text, &[8, 12, 13, 14])?;
        Ok(Self(digits))
    }

    /// The GTIN of 13 digits, indicator first, to which the check digit is added.
    pub fn from_body(body: &str) -> Result<Self, CodeError> {
        completed(body, 13).map(Self)
    }

    /// The indicator digit (包装指示符): 0 for the base unit, 1 to 8 for its packages, 9 for
    /// items of variable measure.
    pub fn indicator(&self) -> u8 {
        first_digit(&self.0)
    }
}

/// A Serial Shipping Container Code (系列货运包装箱代码): one logistic unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sscc(Text<18>);

numeric_key!(Sscc);

impl Sscc {
    /// Reads 18 digits with a valid check digit.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        checked::<18>(text, &[18]).map(Self)
    }

    /// Builds the SSCC of a company. The serial reference takes the digits the prefix leaves;
    /// one that needs more is refused, as is an extension above 9 or a prefix of other than 4 to
    /// 12 digits.
    pub fn new(extension: u8, company_prefix: &str, serial_ref: u64) -> Result<Self, CodeError> {
        if extension > 9 {
            return Err(CodeError::new(0, CodeFault::BadDigit));
        }
        all_digits(company_prefix)?;
        if !(4..=12).contains(&company_prefix.len()) {
            return Err(CodeError::new(0, CodeFault::BadLength));
        }
        let width = 16 - company_prefix.len();
        let mut body = [b'0'; 17];
        let mut rest = serial_ref;
        for (place, byte) in body.iter_mut().rev().enumerate() {
            if place < width {
                *byte += (rest % 10) as u8;
                rest /= 10;
            }
        }
        if rest > 0 {
            return Err(CodeError::new(0, CodeFault::BadLength));
        }
        for (byte, digit) in body
            .iter_mut()
            .zip(std::iter::once(extension + b'0').chain(company_prefix.bytes()))
        {
            *byte = digit;
        }
        completed(std::str::from_utf8(&body).unwrap_or_default(), 17).map(Self)
    }

    /// The extension digit (扩展位).
    pub fn extension(&self) -> u8 {
        first_digit(&self.0)
    }
}

/// A Global Location Number (全球位置码).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gln(Text<13>);

numeric_key!(Gln);

impl Gln {
    /// Reads 13 digits with a valid check digit.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        checked::<13>(text, &[13]).map(Self)
    }
}

fn first_digit<const N: usize>(digits: &Text<N>) -> u8 {
    digits.bytes().next().map_or(0, |byte| byte - b'0')
}

fn all_digits(text: &str) -> Result<(), CodeError> {
    match text.bytes().position(|byte| !byte.is_ascii_digit()) {
        Some(position) => Err(CodeError::new(position, CodeFault::BadDigit)),
        None => Ok(()),
    }
}

/// Digits of one of the given lengths with a valid check digit, zeros written before them up to
/// `N`.
fn checked<const N: usize>(text: &str, lengths: &[usize]) -> Result<Text<N>, CodeError> {
    if text.is_empty() {
        return Err(CodeError::new(0, CodeFault::Empty));
    }
    all_digits(text)?;
    if !lengths.contains(&text.len()) {
        return Err(CodeError::new(0, CodeFault::BadLength));
    }
    let last = text.len() - 1;
    let (data, check) = text.as_bytes().split_at(last);
    if check_digit_of(data).map(|digit| digit + b'0') != check.first().copied() {
        return Err(CodeError::new(last, CodeFault::BadCheckDigit));
    }
    zero_padded(text).ok_or(CodeError::new(0, CodeFault::BadLength))
}

/// `len` digits, to which their check digit is added.
fn completed<const N: usize>(body: &str, len: usize) -> Result<Text<N>, CodeError> {
    all_digits(body)?;
    let digit = check_digit_of(body.as_bytes()).filter(|_| body.len() == len);
    let too_long = CodeError::new(0, CodeFault::BadLength);
    let digit = digit.ok_or(too_long)?;
    let mut bytes = [0; N];
    for (slot, byte) in bytes
        .iter_mut()
        .zip(body.bytes().chain(std::iter::once(digit + b'0')))
    {
        *slot = byte;
    }
    std::str::from_utf8(&bytes)
        .ok()
        .and_then(Text::new)
        .ok_or(too_long)
}

fn zero_padded<const N: usize>(digits: &str) -> Option<Text<N>> {
    let mut bytes = [b'0'; N];
    let start = N.checked_sub(digits.len())?;
    bytes.get_mut(start..)?.copy_from_slice(digits.as_bytes());
    Text::new(std::str::from_utf8(&bytes).ok()?)
}
