//! What consumers see: scans, pages, freshness. One binary, one module a story.

mod scan;
