//! Answers one consumer scan (追溯查询): is the code legal, is it recalled or expired, what is it.
//!
//! The life of a scan, file by file: `handlers` reads the address and writes the answer; `judge`
//! finds what the code names (`lookup`) in the `world` this process keeps in memory, has `decide`
//! judge it, takes the rendered `view` from the `cache` (or loads it, once for all who ask) and the
//! `counts`; `texts` and `compose` splice in what differs per unit; the query is noted for the
//! query log. `lookups` does the same for many codes at once. `feed` keeps the world fresh and
//! `lease` says how long it may be trusted.
//!
//! Never writes to any table but the query log; never answers from a world it cannot vouch for;
//! never asks a database or Redis about a forged code. No feature of the internal side
//! uses the resolver; `watches` asks it at the public one.

pub mod cache;
pub mod compose;
pub mod counts;
pub mod decide;
pub mod documented;
pub mod exceptions;
pub mod feed;
pub mod handlers;
pub mod judge;
pub mod lease;
pub mod links;
pub mod lookup;
pub mod lookups;
pub mod redis_tier;
pub mod store;
pub mod texts;
pub mod view;
pub mod wire;
pub mod world;

use crate::{clock::Clock, http::Draining, queries::QueryLog};
use arc_swap::ArcSwap;
use std::sync::Arc;
use suyuan_sync::trace_code::CodeProfiles;

/// Everything a consumer-facing process needs. Holds no signing key and no writer but the query
/// log's.
pub struct Resolver {
    /// What is known, as of the newest poll.
    pub world: ArcSwap<world::World>,
    /// How long it may be trusted.
    pub lease: lease::Lease,
    /// Rendered answers.
    pub views: cache::Views,
    /// How often units were queried.
    pub counts: counts::Counts,
    /// Where queries are noted.
    pub log: Arc<QueryLog>,
    /// Where rows are read on a miss.
    pub db: crate::db::Reader,
    /// Codes of other schemes that people may type.
    pub profiles: CodeProfiles,
    /// The wall clock.
    pub clock: Clock,
    /// Leaving soon: readiness fails.
    pub draining: Draining,
    /// How codes' addresses are answered.
    pub site: links::Site,
}

/// Counts a call to a database or to Redis made for a scan.
pub fn note_io(kind: &'static str) {
    metrics::counter!("suyuan_resolver_io_total", "kind" => kind).increment(1);
}
