//! Prints codes: canonical path, web address, element string, bracketed line.
//!
//! Every printer writes straight into the formatter and allocates nothing. What is printed,
//! [`parse`](super::parse) reads back to the same code.

use std::fmt::{self, Display, Formatter, Write};

use super::ai::{MAX_QUALIFIERS, find};
use super::charset::is_unreserved;
use super::code::{GtinCode, OtherKey, OwnCode, TraceCode};
use super::element_string::GS;
use super::profile::ProfiledCode;

/// An application identifier and its value.
type Element<'a> = (&'a str, &'a str);

/// The key and its qualifiers, in the order of a path.
type ElementList<'a> = [Option<Element<'a>>; 1 + MAX_QUALIFIERS];

impl TraceCode {
    /// The canonical path: `/01/{gtin}[/22/…][/10/…][/21/…]`, `/00/{sscc}`,
    /// `/c/{enterprise}.{internal}`; percent-encoded where a path needs it, always 14 digits. A
    /// code of a profile has no path of its own; it prints as `{profile}:{code}`.
    pub fn canonical_path(&self) -> impl Display {
        Path(self)
    }

    /// The web address under `base`, such as `https://id.example.cn`, with or without a slash
    /// at its end; for a code of a profile the address of the query form, `/q?code=…`.
    pub fn digital_link(&self, base: &str) -> impl Display {
        Address(base.trim_end_matches('/'), self)
    }

    /// The GS1 element string, without symbology identifier; `None` for codes without GS1 key.
    ///
    /// One that begins with 00 or 01 is read back as it stands. For other keys put `]C1` or
    /// another announcing symbology identifier before it, as a scanner does, since their digits
    /// alone may look like a bare number.
    pub fn element_string(&self) -> Option<impl Display> {
        self.elements().map(ElementString)
    }

    /// The bracketed line for people, `(01)…(10)…`; `None` for codes without GS1 key. A `(`
    /// inside a value is written `\(`.
    pub fn bracketed(&self) -> Option<impl Display> {
        self.elements().map(Bracketed)
    }

    /// The elements of a GS1 code, `None` for one of our own.
    fn elements(&self) -> Option<ElementList<'_>> {
        match self {
            Self::Gtin(code) => Some(gtin_elements(code)),
            Self::Sscc(sscc) => Some([Some(("00", sscc.as_str())), None, None, None]),
            Self::Own(_) | Self::Profiled(_) => None,
            Self::Other(key) => Some(other_elements(key)),
        }
    }
}

fn gtin_elements(code: &GtinCode) -> ElementList<'_> {
    let gtin = Some(("01", code.gtin.as_str()));
    if let Some(upui) = &code.upui {
        return [gtin, Some(("235", upui.as_str())), None, None];
    }
    [
        gtin,
        code.variant.as_ref().map(|text| ("22", text.as_str())),
        code.lot.as_ref().map(|text| ("10", text.as_str())),
        code.serial.as_ref().map(|text| ("21", text.as_str())),
    ]
}

fn other_elements(key: &OtherKey) -> ElementList<'_> {
    let [first, second, third] = &key.qualifiers;
    [
        Some((key.ai.as_str(), key.value.as_str())),
        first.as_ref().map(|q| (q.ai.as_str(), q.value.as_str())),
        second.as_ref().map(|q| (q.ai.as_str(), q.value.as_str())),
        third.as_ref().map(|q| (q.ai.as_str(), q.value.as_str())),
    ]
}

/// The canonical path.
impl Display for TraceCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Path(self).fmt(f)
    }
}

/// `ENTERPRISE.INTERNAL`.
impl Display for OwnCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.enterprise, self.internal)
    }
}

struct Path<'a>(&'a TraceCode);

impl Display for Path<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let TraceCode::Own(code) = self.0 {
            return write!(f, "/c/{code}");
        }
        if let TraceCode::Profiled(code) = self.0 {
            return code.fmt(f);
        }
        for (ai, value) in self.0.elements().into_iter().flatten().flatten() {
            f.write_char('/')?;
            f.write_str(ai)?;
            f.write_char('/')?;
            PercentEncoded(value).fmt(f)?;
        }
        Ok(())
    }
}

/// `{profile}:{code}`.
impl Display for ProfiledCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.profile, self.value)
    }
}

struct Address<'a, 'b>(&'a str, &'b TraceCode);

impl Display for Address<'_, '_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        match self.1 {
            TraceCode::Profiled(code) => {
                let value = PercentEncoded(&code.value);
                write!(f, "/q?code={}%3A{value}", code.profile)
            }
            code => Path(code).fmt(f),
        }
    }
}

struct PercentEncoded<'a>(&'a str);

impl Display for PercentEncoded<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.bytes().position(|byte| !is_unreserved(byte)) {
            let (plain, reserved) = rest.split_at(at);
            f.write_str(plain)?;
            // A character is encoded byte by byte, whole.
            let length = reserved.chars().next().map_or(0, char::len_utf8);
            let (one, after) = reserved.split_at(length);
            for byte in one.bytes() {
                write!(f, "%{byte:02X}")?;
            }
            rest = after;
        }
        f.write_str(rest)
    }
}

struct ElementString<'a>(ElementList<'a>);

impl Display for ElementString<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut open = false;
        for (ai, value) in self.0.iter().flatten() {
            if open {
                f.write_char(char::from(GS))?;
            }
            write!(f, "{ai}{value}")?;
            open = !find(ai.as_bytes()).is_some_and(|ai| ai.predefined);
        }
        Ok(())
    }
}

struct Bracketed<'a>(ElementList<'a>);

impl Display for Bracketed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (ai, value) in self.0.iter().flatten() {
            f.write_char('(')?;
            f.write_str(ai)?;
            f.write_char(')')?;
            let mut parts = value.split('(');
            f.write_str(parts.next().unwrap_or_default())?;
            for part in parts {
                f.write_str("\\(")?;
                f.write_str(part)?;
            }
        }
        Ok(())
    }
}
