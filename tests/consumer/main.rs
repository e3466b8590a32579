//! What consumers see: scans, pages, freshness. One binary, one module a story.

mod app_examples;
mod app_links;
mod copies;
mod freshness;
mod half_open;
mod headers;
mod lookups;
mod mended;
mod negotiation;
mod outage;
mod pages;
mod paths;
mod queries;
mod records;
mod redis_tier;
mod scan;
mod statuses;
mod support;
mod time;
mod typed;
mod watches;
mod wire;
