//! What an app sends and gets. Unknown fields of a request are ignored, so that a newer app can
//! talk to an older server.

use super::rules::Scanned;
use crate::{problem::ProblemBody, resolver::wire::ScanOut};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Codes to be looked up.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LookupsIn {
    /// The version the app speaks: 1, or left out.
    #[schema(minimum = 1, maximum = 1)]
    pub version: Option<u64>,
    /// 1 to 20; the same code may stand more than once.
    #[schema(min_items = 1, max_items = 20)]
    pub codes: Vec<LookupIn>,
}

/// One code.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LookupIn {
    /// Any text a scanner reads or a person types; at most 2048 bytes.
    pub code: String,
    /// For a scan made offline, when that was: RFC 3339. Left out for a scan made just now.
    #[schema(format = DateTime)]
    pub scanned_at: Option<String>,
}

/// Answers, in the order of the codes.
#[derive(Serialize, ToSchema)]
pub struct LookupsOut<'a> {
    /// The version of this answer.
    pub version: u64,
    /// When all of it was judged, UTC: now, whenever the codes were scanned.
    pub judged_at: String,
    /// One for each code.
    pub results: Vec<LookupOut<'a>>,
}

/// The answer for one code: a view or a problem.
#[derive(Serialize, ToSchema)]
pub struct LookupOut<'a> {
    /// What a scan's status would be: 200 and 404 come with a view, others with a problem.
    pub status: u16,
    /// What the time of the scan made of it; absent where the code or the time could not be read.
    pub scanned: Option<Scanned>,
    /// The same as a scan's JSON.
    pub view: Option<ScanOut>,
    /// Why there is no view.
    pub problem: Option<ProblemBody<'a>>,
}
