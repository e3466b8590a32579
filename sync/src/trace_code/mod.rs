//! The trace code (追溯码): every carrier read to one canonical value, and printed back.
//!
//! One tin may be met as a GS1 Digital Link in a QR code, as an element string in a DataMatrix,
//! as the bracketed line printed under it, as a bare EAN-13, as the EPC in its RFID tag, or as a
//! code of our own scheme typed by hand. All of them become one [`TraceCode`], so that the same tin is the same key everywhere
//! in the system. [`parse`] reads any text a scanner may deliver or a person may type;
//! [`parse_path`] reads a request target as it came over the wire.
//!
//! The readers are total and do not allocate: values live in [`Text`], a short string stored
//! inline, and a refusal is a [`CodeError`] that names the byte it stumbled on.
//!
//! This module knows the syntax of codes. It must not know whether a code was ever issued, to
//! whom, or what became of the thing that carries it.

mod ai;
mod ai_table;
mod bracketed;
mod charset;
mod code;
mod digital_link;
mod digits;
mod element_string;
mod elements;
mod epc;
mod error;
mod format;
mod keys;
mod own_scheme;
mod path;
mod plain;
mod print;
mod profile;
mod scan;
mod text;
mod typed;
mod value;
mod wire;

pub use code::{Claims, Form, GtinCode, OtherKey, OwnCode, Qualifier, Scanned, TraceCode};
pub use digits::check_digit;
pub use epc::{Epc, EpcTag, Filter, TagKind, is_epc_segment};
pub use error::{CodeError, CodeFault};
pub use keys::{Gln, Gtin, Sscc};
pub use own_scheme::check_character;
pub use profile::{Characters, CheckRule, CodeProfile, CodeProfiles, ProfileError, ProfiledCode};
pub use scan::{parse, parse_path};
pub use text::Text;
pub use typed::{MINTED_SERIAL_LEN, fold_typed};

/// The longest text, path or query that is looked at, in bytes. The longest legal Digital Link
/// with every attribute stays well below it; anything longer is refused unread.
pub const MAX_TEXT: usize = 2048;

/// The most segments a path may have, stem included.
pub const MAX_SEGMENTS: usize = 32;

/// The most application identifiers one code may carry.
pub const MAX_ELEMENTS: usize = 32;
