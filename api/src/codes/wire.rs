//! Segments, commissions and destructions as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Most codes in one segment.
pub const SEGMENT_CODES_MAX: u64 = 10_000_000;
/// Most codes listed in one request.
pub const CODES_LISTED_MAX: usize = 10_000;
/// Most ranges in one request.
pub const RANGES_MAX: usize = 100;

/// Ask for a segment (码段): `product_id` (and `level`) for units, `gs1_prefix` for pallets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentIn {
    /// The product.
    pub product_id: Option<Uuid>,
    /// `item` (default) or `case`.
    pub level: Option<String>,
    /// A company prefix of the enterprise, for SSCCs.
    pub gs1_prefix: Option<String>,
    /// How many codes, 1 to 10 000 000.
    pub count: u64,
}

/// A segment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SegmentOut {
    /// Id.
    pub id: Uuid,
    /// Code space, e.g. `01/06901234567892`.
    pub space: String,
    /// First index.
    pub from: u64,
    /// Last index.
    pub to: u64,
    /// How many codes.
    pub count: u64,
}

/// What the print file looks like.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PrintQuery {
    /// `csv` (default) or `jsonl`.
    pub format: Option<String>,
    /// First index wanted (default: the segment's).
    pub from: Option<u64>,
    /// Last index wanted (default: the segment's).
    pub to: Option<u64>,
    /// Print lot and expiry of this batch into each code, so that tills can judge offline.
    pub batch_id: Option<Uuid>,
    /// Add a column `epc` with what goes into the RFID tag of each unit, in hexadecimal digits:
    /// `sgtin-198` for units, `sgtin-96` for units of a product with numeric serials, `sscc-96` for
    /// pallets. The company prefix is that of the enterprise.
    pub epc: Option<String>,
}

/// Part of a segment.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeIn {
    /// The segment.
    pub segment_id: Uuid,
    /// First index (default: the segment's).
    pub from: Option<u64>,
    /// Last index (default: the segment's).
    pub to: Option<u64>,
}

/// Commission codes to a batch: ranges, or codes as scanned.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommissionIn {
    /// The batch.
    pub batch_id: Uuid,
    /// Parts of segments, at most 100.
    #[serde(default)]
    pub ranges: Vec<RangeIn>,
    /// Codes in any form, at most 10 000.
    #[serde(default)]
    pub codes: Vec<String>,
}

/// What was commissioned. Codes that were so before are not counted again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CommissionOut {
    /// Id.
    pub id: Uuid,
    /// The batch.
    pub batch_id: Uuid,
    /// Codes newly commissioned.
    pub commissioned: u64,
    /// Codes that were commissioned to this batch before.
    pub unchanged: u64,
}

/// Destroy unqualified codes before use (MB-6.3, 不合格编码回收销毁).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DestructionIn {
    /// Parts of segments.
    #[serde(default)]
    pub ranges: Vec<RangeIn>,
    /// Codes in any form.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Why (原因).
    pub reason: String,
    /// How (销毁方式).
    pub method: String,
    /// Who saw it (见证人): a staff number, not a name.
    pub witness: String,
    /// Hash of an uploaded file that shows it (证据).
    pub evidence: Option<String>,
    /// When (`YYYY-MM-DD`).
    pub destroyed_on: String,
}

/// What was destroyed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DestructionOut {
    /// Id.
    pub id: Uuid,
    /// Codes newly void.
    pub voided: u64,
    /// Codes that were void before.
    pub unchanged: u64,
}

/// A commissioning as recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommissionRecord {
    /// Id.
    pub id: Uuid,
    /// Code space.
    pub space: String,
    /// The batch.
    pub batch_id: Uuid,
    /// Codes newly commissioned.
    pub codes: i64,
    /// Which indices were named.
    pub what: String,
    /// When, UTC.
    pub at: String,
}

/// A destruction as recorded (回收和销毁记录, MB-6.3).
#[derive(Debug, Serialize, ToSchema)]
pub struct DestructionRecord {
    /// Id.
    pub id: Uuid,
    /// Code space.
    pub space: String,
    /// Codes newly void.
    pub codes: i64,
    /// Which indices were named.
    pub what: String,
    /// Why.
    pub reason: String,
    /// How.
    pub method: String,
    /// Who saw it: a staff number.
    pub witness: String,
    /// Hash of the file that shows it.
    pub evidence: Option<String>,
    /// The day it was done.
    pub destroyed_on: String,
    /// When it was recorded, UTC.
    pub at: String,
}

/// A code to be drawn.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct QrQuery {
    /// A trace code in any form.
    pub code: String,
}

/// A code to be drawn as pixels.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct QrPixelQuery {
    /// A trace code in any form.
    pub code: String,
    /// Pixels a side of each module, 1 to 32 (default 8).
    pub scale: Option<u32>,
}
