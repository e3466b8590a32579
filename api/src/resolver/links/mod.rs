//! GS1 Digital Link: what else there is to read about a code, by link type (GS1-Conformant
//! Resolver standard 1.2).
//!
//! `wanted` tells from the request which form of answer is meant; `offer` collects the links of a
//! code level by level, those registered (`known`) and those the installation serves itself;
//! `choose` picks one of several by language, context and media type; `linkset` and `description`
//! write them down; `handlers` answers.
//!
//! A link never decides what is true of a code: its page does, and no enterprise can register
//! another default link for goods.

pub mod choose;
pub mod description;
pub mod handlers;
pub mod known;
pub mod linkset;
pub mod offer;
pub mod wanted;

pub use known::Links;

/// How codes' addresses are answered.
pub struct Site {
    /// Scheme and host of every address made here, without a trailing slash. What a request's
    /// Host header says is never used.
    pub base_url: String,
    /// Send browsers to the page's own address too.
    pub always_redirect: bool,
}
