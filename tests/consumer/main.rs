//! What consumers see: scans, pages, freshness. One binary, one module a story.

mod carriers;
mod conformance;
mod copies;
mod flood;
mod freshness;
mod half_open;
mod headers;
mod limits;
mod mended;
mod negotiation;
mod outage;
mod pages;
mod paths;
mod queries;
mod records;
mod redis_tier;
mod scan;
mod slow_clients;
mod statuses;
mod support;
mod time;
mod typed;
mod wire;
