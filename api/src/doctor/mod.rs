//! `suyuan doctor --conformance URL`: replays the checks that GS1's own test suite for resolvers
//! makes, numbered as in its order, against any resolver, and says of each whether it passes.
//!
//! `client` asks, `evidence` holds what was answered, `checks` judges it. Judging is pure, so that
//! recorded answers can be judged again; nothing here knows this program's own resolver.

mod address;
mod checks;
mod client;
mod evidence;
mod links;
mod report;
mod shapes;

pub use address::{Address, AddressError};
pub use checks::{Check, Outcome, Weight, judge};
pub use client::Answer;
pub use evidence::{Evidence, gather};
pub use report::Report;

/// Asks the resolver at `url`, given as a GS1 Digital Link URI, and judges its answers.
pub async fn examine(url: &str) -> Result<Report, AddressError> {
    let address = Address::parse(url)?;
    let evidence = gather(&address).await;
    Ok(Report::new(url, judge(&evidence)))
}
