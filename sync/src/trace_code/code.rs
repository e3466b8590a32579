//! The canonical trace code (追溯码) and what comes with it when it is scanned.
//!
//! Plain values: two carriers of one tin give equal codes, whatever form they were written in.
//! How they are read and printed is told elsewhere.

use super::ai::MAX_QUALIFIERS;
use super::keys::{Gtin, Sscc};
use super::profile::ProfiledCode;
use super::text::Text;

/// A globally unique name of a product, a batch, a unit or a logistic unit (追溯码).
///
/// Prints as its canonical path, which [`parse`](super::parse) reads back; a code of a profile as
/// `{profile}:{code}`, which needs the profiles: [`CodeProfiles::parse`](super::CodeProfiles::parse).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TraceCode {
    /// A trade item: product, batch or single unit, by how much of it is given.
    Gtin(GtinCode),
    /// A logistic unit.
    Sscc(Sscc),
    /// A code of our own scheme.
    Own(OwnCode),
    /// Another GS1 key: recognised and validated, nothing more.
    Other(OtherKey),
    /// A code of another scheme, described by a profile: recognised and validated, nothing more.
    Profiled(ProfiledCode),
}

/// A GTIN with the qualifiers that narrow it down from a product to one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GtinCode {
    /// The product (AI 01).
    pub gtin: Gtin,
    /// Consumer product variant (AI 22).
    pub variant: Option<Text<20>>,
    /// Batch or lot (批号, AI 10).
    pub lot: Option<Text<20>>,
    /// Serial (系列号, AI 21). Case-sensitive, as the standard says.
    pub serial: Option<Text<20>>,
    /// Third-party controlled serial (AI 235); it identifies the unit alone, and a code that
    /// has it has no variant, lot or serial.
    pub upui: Option<Text<28>>,
}

impl GtinCode {
    /// The code that names the product and nothing narrower.
    pub const fn product(gtin: Gtin) -> Self {
        Self {
            gtin,
            variant: None,
            lot: None,
            serial: None,
            upui: None,
        }
    }
}

/// A code of our own scheme: `ENTERPRISE.INTERNAL`, for enterprises without a GS1 prefix
/// (企业代码 + 企业内部产品代码).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnCode {
    /// The enterprise that issued the code.
    pub enterprise: Text<12>,
    /// The code inside the enterprise; its last character is the check character.
    pub internal: Text<40>,
}

/// A primary key other than GTIN and SSCC, with its qualifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherKey {
    /// The application identifier of the key.
    pub ai: Text<4>,
    /// Its value.
    pub value: Text<90>,
    /// Its qualifiers in the order of a path; those given come first.
    pub qualifiers: [Option<Qualifier>; MAX_QUALIFIERS],
}

/// A qualifier of a primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Qualifier {
    /// Its application identifier.
    pub ai: Text<4>,
    /// Its value.
    pub value: Text<28>,
}

/// What a code itself says besides naming a thing. A claim is what was printed, not what is
/// true: it is compared with the batch on record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Claims {
    /// Expiry (有效期, AI 17) as the six ASCII digits `YYMMDD`; day 00 is the last of the month.
    pub expiry: Option<[u8; 6]>,
    /// Best before (保质期, AI 15), likewise.
    pub best_before: Option<[u8; 6]>,
    /// Production date (生产日期, AI 11), likewise.
    pub produced: Option<[u8; 6]>,
    /// Batch or lot (批号, AI 10), whether or not it is part of the code's name.
    pub lot: Option<Text<20>>,
}

/// A text that was read: the code, its claims, and the form it was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scanned {
    /// What the text names.
    pub code: TraceCode,
    /// What else it says.
    pub claims: Claims,
    /// How it was written.
    pub form: Form,
}

/// The form a code was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// A GS1 Digital Link URI, or the path of one.
    DigitalLink,
    /// A GS1 element string, as DataMatrix, GS1-128 and GS1 QR carry it.
    ElementString,
    /// The bracketed line printed for people: `(01)…(10)…`.
    Bracketed,
    /// The digits of an EAN, UPC, GTIN-14 or SSCC alone.
    PlainNumber,
    /// Our own scheme, bare or as an address.
    OwnScheme,
    /// A binary EPC: the hexadecimal digits an RFID reader delivers, or the path `/eh…`, `/ex…`.
    /// The address it stands for is [`TraceCode::digital_link`] of its code.
    EpcBinary,
    /// An EPC URN.
    EpcUrn,
    /// A code of a profile, bare or behind the profile's name.
    Profile,
}
