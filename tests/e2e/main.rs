//! The end-to-end tests: one binary, one module a story.

mod consumer_scan;
