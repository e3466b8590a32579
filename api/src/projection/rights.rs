//! What a consumer-facing process may do with the database, table by table: the one list from which
//! the public role is made. A table that is not named here is out of its reach.

/// Tables it may read: the public projection, counts of queries, the salts visitors are hashed
/// with, the keys it seals complaints to, and how far the inbox was emptied.
pub const READ: &[&str] = &[
    "public_head",
    "public_space",
    "public_product",
    "public_batch",
    "public_range",
    "public_chunk",
    "public_unit",
    "public_recall",
    "public_file",
    "public_link",
    "public_watch",
    "public_complaint",
    "public_inbox_key",
    "public_inbox_state",
    "query_count",
    "query_chunk",
    "query_salt",
];

/// Tables it may add rows to, and not read: the query log, and the inbox of what consumers tell.
pub const APPEND: &[&str] = &["query_packet", "public_inbox"];
