//! How codes travel: as the string they print, read back through the same door.
//!
//! A value that arrives over the wire is parsed and never trusted; a bad one is a refusal that
//! names place and reason.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::code::TraceCode;
use super::error::{CodeError, CodeFault};
use super::keys::{Gln, Gtin, Sscc};
use super::scan::parse;
use super::text::Text;

/// The code of any text [`parse`] understands; claims and form are dropped.
impl FromStr for TraceCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        parse(text).map(|scanned| scanned.code)
    }
}

impl<const N: usize> FromStr for Text<N> {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        Self::new(text).ok_or(CodeError::new(N, CodeFault::TooLong))
    }
}

/// Reads a value from its string form without copying the string.
struct FromText<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for FromText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! travels_as_text {
    ($([$($generics:tt)*] $type:ty),+) => {$(
        impl<$($generics)*> Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de, $($generics)*> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(FromText(PhantomData))
            }
        }
    )+};
}

travels_as_text!([] TraceCode, [] Gtin, [] Sscc, [] Gln, [const N: usize] Text<N>);
