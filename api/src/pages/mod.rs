//! What a person reads after scanning: the page about a code, the form to type one, the page
//! when something is wrong; the forms
//! for complaints and feedback, and how those stand.
//!
//! It exists so that every sentence a consumer may act on stands in one place (`wording`), in
//! both languages, and so that no page can be built without its escaping. It turns a decided
//! [`Verdict`](crate::resolver::decide::Verdict) into words and decides nothing itself; where
//! what it is given does not agree, it shows the worse of the two.
//!
//! Must not know: HTTP (no headers, no requests), the database, caches, a clock. Dates and ages
//! come in as text and numbers. A scan page is the same for every unit of a batch; what differs
//! per unit is left out as [`slot`] characters and spliced in by the resolver.

mod entry;
mod lang;
mod linked_data;
mod phone;
mod photo;
mod problem;
mod queries;
mod scan;
#[cfg(test)]
mod tests;
mod text;
mod voice;
mod wording;

pub use entry::EntryPage;
pub use lang::Lang;
pub use photo::{PhotoItem, PhotoPage};
pub use problem::ProblemPage;
pub use queries::queries_sentence;
pub use scan::{FileLink, InfoRow, InfoValue, RecallNotice, ScanPage};
pub use text::escape;
pub use voice::{FormFault, ReceiptPage, StandingPage, VoiceForm, VoicePage};

/// The style sheet of every page, embedded verbatim in its one `<style>` element, so that the
/// SHA-256 of this constant is the `style-src` of the content security policy.
pub const CSS: &str = include_str!("../../templates/page.css");

/// Places in a rendered [`ScanPage`] where the values of one unit are spliced in later.
///
/// Each is a private-use character that [`ScanPage::render`] removes from all other text. What
/// is spliced in must be HTML already: [`escape`] for text, [`slot::here`] for the path,
/// [`queries_sentence`] for the count.
pub mod slot {
    use super::text::escape;

    /// How the code reads. At least once, as text.
    pub const CODE: char = '\u{E000}';
    /// The whole section about earlier queries, once, between two sections. Splice nothing to
    /// leave it out, as for a code that was never issued.
    pub const QUERIES: char = '\u{E001}';
    /// When this was last known to be true, in Beijing time (the page says so). Once, as text.
    pub const AS_OF: char = '\u{E002}';
    /// The page's own address up to where `lang=…` is appended: see [`here`]. In `href` only.
    pub const PATH: char = '\u{E003}';
    /// In the page's data about the product, before its name: the member [`gtin`], or nothing.
    pub const GTIN: char = '\u{E004}';

    /// The value for [`PATH`]: [`own_address`](super::own_address), escaped.
    pub fn here(path: &str, query: &str) -> String {
        escape(&super::own_address(path, query))
    }

    /// The value for [`GTIN`]; `digits` are digits.
    pub fn gtin(digits: &str) -> String {
        format!("\"gtin\":\"{digits}\",")
    }
}

/// A page's own address up to where `lang=…` is appended: `path?`, or `path?17=270416&` where the
/// code carried more. Plain text.
///
/// The query must survive a change of language: a date in it may be what contradicts the record,
/// and a language must not turn `stop` into `ok`. Leading slashes are folded into one, so that no
/// path can become the name of another host.
pub fn own_address(path: &str, query: &str) -> String {
    let mut address = format!("/{}?", path.trim_start_matches(['/', '\\']));
    let kept = |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some("lang");
    for pair in query.split('&').filter(kept) {
        address.push_str(pair);
        address.push('&');
    }
    address
}

/// What the frame around every page needs.
struct Frame {
    lang: Lang,
    words: &'static wording::Words,
    /// Plain text; the template escapes it.
    title: String,
    /// Where the other language is, without the language; `None` where asking again is no help.
    other_language: Option<String>,
    /// A number of the maker, where one is known.
    phone: Option<phone::Phone>,
}

impl Frame {
    fn new(lang: Lang, title: String) -> Frame {
        Frame {
            lang,
            words: lang.words(),
            title: text::shorten(&title),
            other_language: Some("?".into()),
            phone: None,
        }
    }
}

/// The page, or, should formatting ever fail, a bare one that says nothing could be confirmed.
fn html(lang: Lang, page: &impl askama::Template) -> String {
    page.render().unwrap_or_else(|_| {
        let words = lang.words();
        format!(
            "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><title>{1}</title>\
             <h1>{1}</h1><p>{2}</p></html>",
            lang.tag(),
            words.unavailable,
            words.unavailable_plainly,
        )
    })
}
