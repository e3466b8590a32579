//! What differs per unit, as text escaped for the format it goes into: the code, its address, how
//! often it was queried. Knows no HTTP and reads nothing.

use super::{counts::Count, judge::Ask, lookup::Found, view::Format};
use crate::{
    clock::{self, Micros},
    pages,
};
use std::{cell::RefCell, fmt::Write};
use suyuan_sync::trace_code::TraceCode;

/// What differs per unit, as text for the format.
pub struct Texts {
    /// The code as it is printed under the mark.
    pub code: String,
    /// JSON: the object `code`; page: its own address, for a change of language.
    pub own: String,
    /// How often it was queried.
    pub queries: String,
    /// Page: the GTIN as programs read it; empty where the code holds none.
    pub gtin: String,
}

/// The texts of one answer. `here` is the address that was asked for, `now` the wall clock.
pub fn texts(found: &Found, count: Count, ask: Ask, here: (&str, &str), now: Micros) -> Texts {
    match ask.format {
        Format::Json => Texts {
            code: json_text(&printed(&found.code)),
            own: code_json(found),
            queries: queries_json(count),
            gtin: String::new(),
        },
        Format::Page => {
            let first_on = count.first_at.map(|at| clock::day_of(at).to_string());
            // A count that could not be read is not told as "nobody asked".
            let counted = found.unit.is_some() && count.read_at.is_some();
            Texts {
                code: pages::escape(&printed(&found.code)),
                own: pages::slot::here(here.0, here.1),
                queries: if counted {
                    let age = count.read_at.map(|at| (now - at) / 1_000_000);
                    let age = age.and_then(|seconds| u64::try_from(seconds).ok());
                    pages::queries_sentence(ask.lang, count.n, first_on.as_deref(), age)
                } else {
                    String::new()
                },
                gtin: match &found.code {
                    TraceCode::Gtin(gtin) => pages::slot::gtin(gtin.gtin.as_str()),
                    _ => String::new(),
                },
            }
        }
    }
}

/// The code as it is printed under the mark: bracketed, or of the own scheme.
fn printed(code: &TraceCode) -> String {
    let bracketed = code.bracketed().map(|text| text.to_string());
    bracketed.unwrap_or_else(|| {
        let path = code.to_string();
        path.strip_prefix("/c/").unwrap_or(&path).to_owned()
    })
}

fn code_json(found: &Found) -> String {
    let mut out = String::with_capacity(192);
    let canonical = json_text(&found.code.to_string());
    let scheme = match &found.code {
        TraceCode::Own(_) => "own",
        TraceCode::Profiled(code) => code.profile.as_str(),
        TraceCode::Gtin(_) | TraceCode::Sscc(_) | TraceCode::Other(_) => "gs1",
    };
    let level = found.level;
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        r#"{{"canonical":"{canonical}","scheme":"{scheme}","level":"{level}""#
    );
    let (mut serial, mut lot) = (None, None);
    if let TraceCode::Gtin(gtin) = &found.code {
        let _ = write!(out, r#","gtin":"{}""#, gtin.gtin);
        serial = gtin.serial;
        lot = gtin.lot.map(|lot| lot.as_str().to_owned());
    }
    if let Some(serial) = serial {
        let _ = write!(out, r#","serial":"{}""#, json_text(&serial));
    }
    if let super::lookup::Subject::Batch(batch) = &found.subject {
        lot = Some(batch.lot.clone());
    }
    if let Some(lot) = lot {
        let _ = write!(out, r#","batch":"{}""#, json_text(&lot));
    }
    out.push('}');
    out
}

fn queries_json(count: Count) -> String {
    thread_local! {
        // Nearly all answers of a few seconds tell the same time for "nobody asked before".
        static LAST: RefCell<(Count, String)> = RefCell::default();
    }
    LAST.with_borrow_mut(|(last, text)| {
        if text.is_empty() || *last != count {
            let told = |at: Option<Micros>| {
                at.map_or("null".to_owned(), |at| {
                    format!("\"{}\"", clock::rfc3339(at))
                })
            };
            let (first, as_of) = (told(count.first_at), told(count.read_at));
            *text = format!(
                r#"{{"count":{},"first_at":{first},"as_of":{as_of}}}"#,
                count.n
            );
            *last = count;
        }
        text.clone()
    })
}

/// Text inside JSON quotes.
fn json_text(text: &str) -> String {
    if text
        .bytes()
        .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
    {
        return text.to_owned();
    }
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default()
        .to_owned()
}
