//! What an event is about: the key of a single unit, and its level.

use crate::trace_code::{Text, TraceCode};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};

/// The key of a unit (单品): primary key and serial of its canonical trace code, as a path:
/// `/01/{gtin}/21/{serial}`, `/01/{gtin}/235/{serial}`, `/00/{sscc}` or `/c/{enterprise}.{code}`.
/// Lot and dates that a code carries are claims and no part of it (sync.md section 1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitKey(Box<str>);

impl UnitKey {
    /// The unit a code names; `None` for a code that names a product or a batch only, and for one of a
    /// scheme that only settings know ([`CodeProfiles`](crate::trace_code::CodeProfiles)).
    pub fn of(code: &TraceCode) -> Option<UnitKey> {
        let text = match code {
            TraceCode::Gtin(code) => match (&code.serial, &code.upui) {
                (Some(serial), _) => format!("/01/{}/21/{}", code.gtin, escaped(serial)),
                (None, Some(upui)) => format!("/01/{}/235/{}", code.gtin, escaped(upui)),
                (None, None) => return None,
            },
            TraceCode::Sscc(_) | TraceCode::Own(_) => code.to_string(),
            // What a profile reads depends on settings; what an event is about must not.
            TraceCode::Other(_) | TraceCode::Profiled(_) => return None,
        };
        Some(UnitKey(text.into_boxed_str()))
    }

    /// A key as it stands in a row of ours. It is taken at its word.
    pub fn kept(text: &str) -> UnitKey {
        UnitKey(text.into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The GTIN-14 of a trade item's key.
    pub fn gtin(&self) -> Option<&str> {
        let digits = self.0.strip_prefix("/01/")?.get(..14)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(digits)
    }

    /// Is this a logistic unit?
    pub fn is_sscc(&self) -> bool {
        self.0.starts_with("/00/")
    }
}

/// A serial as it stands in a path.
fn escaped<const N: usize>(serial: &Text<N>) -> String {
    let mut out = String::with_capacity(serial.len());
    for byte in serial.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl fmt::Display for UnitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The level of a unit. A container holds only what is of a lower level, so cycles cannot exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The smallest saleable unit (单品).
    Item,
    /// A case (箱).
    Case,
    /// A pallet (托盘).
    Pallet,
}
