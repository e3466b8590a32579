//! Files as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How a file is called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    /// Title shown in lists, 1 to 200 characters.
    pub title: String,
}

/// A file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FileOut {
    /// SHA-256 in lower-case hex: the value of a catalogue field of type file.
    pub hash: String,
    /// Media type.
    pub media_type: String,
    /// Title.
    pub title: String,
    /// Bytes.
    pub size: i64,
}
