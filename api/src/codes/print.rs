//! The print file of a segment, streamed: serials are minted a few thousand at a time, so that
//! memory stays flat however long the file is.

use super::{SpaceKey, UnitLevel, minting::MintProfile, ring::Ring, space::sscc_at};
use std::fmt::Write;
use suyuan_sync::trace_code::{Epc, EpcTag, Filter, GtinCode, OwnCode, TagKind, Text, TraceCode};

/// Lines made in one go.
pub const LINES_A_CHUNK: u64 = 4096;

/// Shape of the print file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintFormat {
    /// `index,serial,url`, and `epc` where wanted, with a header line.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// Lot and expiry to be printed into codes.
#[derive(Debug, Clone)]
pub struct PrintedBatch {
    /// Lot.
    pub lot: String,
    /// `YYMMDD`, empty for goods that do not expire.
    pub expiry: String,
}

impl PrintedBatch {
    /// From a batch's lot and expiry date (`YYYY-MM-DD`, empty for goods that do not expire).
    pub fn of(lot: &str, expiry_date: &str) -> PrintedBatch {
        let digits = expiry_date.replace('-', "");
        PrintedBatch {
            lot: lot.to_owned(),
            expiry: digits.get(2..).unwrap_or_default().to_owned(),
        }
    }
}

/// What is written into the RFID tag of each unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags {
    kind: TagKind,
    prefix_len: usize,
    filter: Filter,
}

impl Tags {
    /// Tags of this kind for the units of a space, whose company prefix is the one of `prefixes`
    /// that its codes begin with. `None` where the kind has no room for them, or for codes of the
    /// own scheme.
    pub fn of(
        kind: TagKind,
        space: &SpaceKey,
        profile: MintProfile,
        level: UnitLevel,
        prefixes: &[String],
    ) -> Option<Tags> {
        let prefix_len = match (space, kind, profile) {
            (SpaceKey::Gtin(gtin), TagKind::Sgtin198, _)
            | (SpaceKey::Gtin(gtin), TagKind::Sgtin96, MintProfile::Numeric) => {
                let body = gtin.as_str().get(1..)?;
                let prefix = prefixes
                    .iter()
                    .find(|prefix| body.starts_with(prefix.as_str()))?;
                prefix.len()
            }
            (SpaceKey::Sscc(prefix), TagKind::Sscc96, _) => prefix.len(),
            _ => return None,
        };
        let filter = match level {
            UnitLevel::Item => Filter::POINT_OF_SALE,
            UnitLevel::Case => Filter::FULL_CASE,
            UnitLevel::Pallet => Filter::UNIT_LOAD,
        };
        Some(Tags {
            kind,
            prefix_len,
            filter,
        })
    }

    /// The tag of a code.
    fn tag(self, code: &TraceCode) -> Option<EpcTag> {
        Epc::of(code, self.prefix_len)?.tag(self.kind, self.filter)
    }
}

/// The code of a unit, by its index in a space and the key its segment was allocated under; and its
/// serial as text.
pub fn code_at(
    space: &SpaceKey,
    ring: &Ring,
    key_id: u8,
    index: u64,
) -> Option<(TraceCode, String)> {
    match space {
        SpaceKey::Gtin(gtin) => {
            let serial = ring.mint(key_id, index)?;
            let mut code = GtinCode::product(*gtin);
            code.serial = Text::new(serial.as_str());
            Some((TraceCode::Gtin(code), serial.as_str().to_owned()))
        }
        SpaceKey::Own(enterprise, product) => {
            let serial = ring.mint(key_id, index)?;
            let internal = format!("{product}-{serial}");
            let own = OwnCode::new(enterprise, &internal).ok()?;
            Some((TraceCode::Own(own), serial.as_str().to_owned()))
        }
        SpaceKey::Sscc(prefix) => {
            let sscc = sscc_at(prefix, index)?;
            Some((TraceCode::Sscc(sscc), sscc.as_str().to_owned()))
        }
    }
}

/// Writes codes of one segment.
pub struct Printer {
    /// Keys of the space.
    pub ring: Ring,
    /// The space.
    pub space: SpaceKey,
    /// The key the segment was allocated under.
    pub key_id: u8,
    /// Where codes resolve.
    pub base_url: String,
    /// Shape.
    pub format: PrintFormat,
    /// Printed into each code, if known.
    pub batch: Option<PrintedBatch>,
    /// Written into the tag of each unit, if wanted.
    pub tags: Option<Tags>,
}

impl Printer {
    /// The code at an index and its serial as text.
    pub fn code(&self, index: u64) -> Option<(TraceCode, String)> {
        let (code, serial) = code_at(&self.space, &self.ring, self.key_id, index)?;
        let lot = self.batch.as_ref().and_then(|batch| Text::new(&batch.lot));
        let code = match code {
            TraceCode::Gtin(code) => TraceCode::Gtin(GtinCode { lot, ..code }),
            other => other,
        };
        Some((code, serial))
    }

    /// What is printed on the product.
    pub fn url(&self, code: &TraceCode) -> String {
        let mut url = code.digital_link(&self.base_url).to_string();
        if let (Some(batch), SpaceKey::Gtin(_)) = (&self.batch, &self.space)
            && !batch.expiry.is_empty()
        {
            url.push_str("?17=");
            url.push_str(&batch.expiry);
        }
        url
    }

    /// The first line, in CSV.
    pub const fn header(&self) -> &'static str {
        match self.tags {
            None => "index,serial,url\n",
            Some(_) => "index,serial,url,epc\n",
        }
    }

    /// The lines of some indices, in order.
    pub fn lines(&self, from: u64, to: u64) -> String {
        let mut out = String::with_capacity(96 * (to - from + 1) as usize);
        for index in from..=to {
            let Some((code, serial)) = self.code(index) else {
                continue; // beyond the space: segments never reach there
            };
            let url = self.url(&code);
            let tag = self.tags.and_then(|tags| tags.tag(&code));
            let written = match (self.format, tag) {
                (PrintFormat::Csv, None) => writeln!(out, "{index},{serial},{url}"),
                (PrintFormat::Csv, Some(tag)) => writeln!(out, "{index},{serial},{url},{tag}"),
                (PrintFormat::JsonLines, None) => writeln!(
                    out,
                    r#"{{"index":{index},"serial":"{serial}","code":"{code}","url":"{url}"}}"#
                ),
                (PrintFormat::JsonLines, Some(tag)) => writeln!(
                    out,
                    r#"{{"index":{index},"serial":"{serial}","code":"{code}","url":"{url}","epc":"{tag}"}}"#
                ),
            };
            debug_assert!(written.is_ok(), "writing to a String cannot fail");
        }
        out
    }
}
