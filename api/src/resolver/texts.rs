//! What differs per unit, as text escaped for the format it goes into: the code, its address, how
//! often it was queried. Knows no HTTP and reads nothing.

use super::{compose::Fillings, counts::Count, judge::Ask, lookup::Found, view::Format};
use crate::{
    clock::{self, Micros},
    pages,
};
use std::{
    cell::RefCell,
    fmt::{Display, Write},
};
use suyuan_sync::trace_code::TraceCode;

/// What differs per unit, as text for the format: one behind the other, since every scan makes
/// them.
pub struct Texts {
    all: String,
    /// Where the code ends as it is printed under the mark.
    code: usize,
    /// Where its own text ends: in JSON the object `code`, on a page the page's own address, for a
    /// change of language.
    own: usize,
    /// Where ends how often it was queried. On a page, the GTIN as programs read it is the rest.
    queries: usize,
}

impl Texts {
    /// For a view that holds as of `as_of`.
    pub fn fillings<'a>(&'a self, as_of: &'a str) -> Fillings<'a> {
        let (code, rest) = self.all.split_at(self.code);
        let (own, rest) = rest.split_at(self.own - self.code);
        let (queries, gtin) = rest.split_at(self.queries - self.own);
        Fillings {
            code,
            own,
            queries,
            as_of,
            gtin,
        }
    }
}

/// The texts of one answer. `here` is the address that was asked for, `now` the wall clock.
pub fn texts(found: &Found, count: Count, ask: Ask, here: (&str, &str), now: Micros) -> Texts {
    match ask.format {
        Format::Json => {
            let mut all = String::with_capacity(384);
            match found.code.bracketed() {
                Some(code) => put_json(&mut all, code),
                None => put_json(&mut all, printed(&found.code)),
            }
            let code = all.len();
            put_code(&mut all, found);
            let own = all.len();
            put_queries(&mut all, count);
            let queries = all.len();
            Texts {
                all,
                code,
                own,
                queries,
            }
        }
        Format::Page => {
            let mut all = pages::escape(&printed(&found.code));
            let code = all.len();
            all.push_str(&pages::slot::here(here.0, here.1));
            let own = all.len();
            let first_on = count.first_at.map(|at| clock::day_of(at).to_string());
            // A count that could not be read is not told as "nobody asked".
            if found.unit.is_some() && count.read_at.is_some() {
                let age = count.read_at.map(|at| (now - at) / 1_000_000);
                let age = age.and_then(|seconds| u64::try_from(seconds).ok());
                all.push_str(&pages::queries_sentence(
                    ask.lang,
                    count.n,
                    first_on.as_deref(),
                    age,
                ));
            }
            let queries = all.len();
            if let TraceCode::Gtin(gtin) = &found.code {
                all.push_str(&pages::slot::gtin(gtin.gtin.as_str()));
            }
            Texts {
                all,
                code,
                own,
                queries,
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

fn put_code(out: &mut String, found: &Found) {
    let scheme = match &found.code {
        TraceCode::Own(_) => "own",
        TraceCode::Profiled(code) => code.profile.as_str(),
        TraceCode::Gtin(_) | TraceCode::Sscc(_) | TraceCode::Other(_) => "gs1",
    };
    let (mut gtin, mut serial, mut lot) = (None, None, None);
    if let TraceCode::Gtin(code) = &found.code {
        gtin = Some(&code.gtin);
        serial = code.serial.as_deref();
        lot = code.lot.as_deref();
    }
    if let super::lookup::Subject::Batch(batch) = &found.subject {
        lot = Some(&batch.lot);
    }
    out.push_str(r#"{"canonical":""#);
    put_json(out, found.code);
    out.push_str(r#"","scheme":""#);
    out.push_str(scheme);
    out.push_str(r#"","level":""#);
    out.push_str(found.level);
    if let Some(gtin) = gtin {
        out.push_str(r#"","gtin":""#);
        out.push_str(gtin.as_str());
    }
    if let Some(serial) = serial {
        out.push_str(r#"","serial":""#);
        put_json(out, serial);
    }
    if let Some(lot) = lot {
        out.push_str(r#"","batch":""#);
        put_json(out, lot);
    }
    out.push_str(r#""}"#);
}

fn put_queries(out: &mut String, count: Count) {
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
        out.push_str(text);
    });
}

/// Text inside JSON quotes.
fn put_json(out: &mut String, text: impl Display) {
    let begin = out.len();
    // Writing to a String cannot fail.
    let _ = write!(out, "{text}");
    let plain = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    if out.as_bytes()[begin..].iter().all(|b| plain(*b)) {
        return;
    }
    let quoted = serde_json::to_string(&out[begin..]).unwrap_or_default();
    out.truncate(begin);
    out.push_str(
        quoted
            .get(1..quoted.len().saturating_sub(1))
            .unwrap_or_default(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_json_is_escaped_and_what_stood_before_is_left() {
        let mut out = "\"".to_owned();
        for (text, told) in [
            ("A-1", "A-1"),
            ("a\"b\\", "a\\\"b\\\\"),
            ("婴 ", "婴 "),
            ("", ""),
        ] {
            let before = out.len();
            put_json(&mut out, text);
            assert_eq!(&out[before..], told);
        }
        assert!(out.starts_with('"'));
    }
}
