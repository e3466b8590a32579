//! Many codes at once, for the app of a brand: `POST /v1/public/lookups`. Each code gets the very
//! answer a scan of it gets, judged now; a scan made offline brings its own time along, which goes
//! into the query log and never into the answer.

pub mod example;
pub mod handlers;
pub mod rules;
pub mod wire;
