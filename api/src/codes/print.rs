//! The print file of a segment, streamed: serials are minted a few thousand at a time, so that
//! memory stays flat however long the file is.

use super::{SpaceKey, ring::Ring, space::sscc_at};
use std::fmt::Write;
use suyuan_sync::trace_code::{GtinCode, OwnCode, Text, TraceCode};

/// Lines made in one go.
pub const LINES_A_CHUNK: u64 = 4096;

/// Shape of the print file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintFormat {
    /// `index,serial,url` with a header line.
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
}

impl Printer {
    /// The code at an index and its serial as text.
    pub fn code(&self, index: u64) -> Option<(TraceCode, String)> {
        match &self.space {
            SpaceKey::Gtin(gtin) => {
                let serial = self.ring.mint(self.key_id, index)?;
                let mut code = GtinCode::product(*gtin);
                code.serial = Text::new(serial.as_str());
                code.lot = self.batch.as_ref().and_then(|batch| Text::new(&batch.lot));
                Some((TraceCode::Gtin(code), serial.as_str().to_owned()))
            }
            SpaceKey::Own(enterprise, product) => {
                let serial = self.ring.mint(self.key_id, index)?;
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

    /// The lines of some indices, in order.
    pub fn lines(&self, from: u64, to: u64) -> String {
        let mut out = String::with_capacity(96 * (to - from + 1) as usize);
        for index in from..=to {
            let Some((code, serial)) = self.code(index) else {
                continue; // beyond the space: segments never reach there
            };
            let url = self.url(&code);
            let written = match self.format {
                PrintFormat::Csv => writeln!(out, "{index},{serial},{url}"),
                PrintFormat::JsonLines => writeln!(
                    out,
                    r#"{{"index":{index},"serial":"{serial}","code":"{code}","url":"{url}"}}"#
                ),
            };
            debug_assert!(written.is_ok(), "writing to a String cannot fail");
        }
        out
    }
}
