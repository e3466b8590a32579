//! The vectors every reader of our codes must agree on, this one and the browser's.
//!
//! Each row of `golden/trace_codes.json` holds a text and either what it names (canonical path,
//! form, claims) or how it is refused (fault, and position in bytes of UTF-8). Each of
//! `golden/typed_codes.json` holds what may be meant by it, if a person typed it.

use std::collections::BTreeMap;

use serde::Deserialize;
use suyuan_sync::trace_code::{Claims, CodeFault, Form, Scanned, fold_typed, parse};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    text: String,
    #[serde(default)]
    note: String,
    canonical: Option<String>,
    form: Option<String>,
    claims: Option<BTreeMap<String, String>>,
    fault: Option<String>,
    position: Option<usize>,
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("golden/trace_codes.json")).unwrap()
}

fn form(form: Form) -> &'static str {
    match form {
        Form::DigitalLink => "digital-link",
        Form::ElementString => "element-string",
        Form::Bracketed => "bracketed",
        Form::PlainNumber => "plain-number",
        Form::OwnScheme => "own-scheme",
        Form::EpcBinary => "epc-binary",
        Form::EpcUrn => "epc-urn",
        Form::Profile => "profile",
    }
}

fn claims(claims: &Claims) -> BTreeMap<String, String> {
    let date = |digits: [u8; 6]| String::from_utf8(digits.to_vec()).unwrap();
    [
        ("expiry", claims.expiry.map(date)),
        ("best_before", claims.best_before.map(date)),
        ("produced", claims.produced.map(date)),
        ("lot", claims.lot.map(|lot| lot.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

fn described(scanned: &Scanned) -> (String, &'static str, BTreeMap<String, String>) {
    (
        scanned.code.to_string(),
        form(scanned.form),
        claims(&scanned.claims),
    )
}

#[test]
fn every_vector_is_read_as_agreed() {
    let mut wrong = Vec::new();
    for row in rows() {
        let expected = match (&row.canonical, &row.form, &row.fault) {
            (Some(canonical), Some(form), None) => Ok((
                canonical.clone(),
                form.as_str(),
                row.claims.clone().unwrap_or_default(),
            )),
            (None, None, Some(fault)) => Err((fault.as_str(), row.position.unwrap())),
            _ => panic!(
                "a row says either what it names or how it is refused: {}",
                row.text
            ),
        };
        let read = parse(&row.text);
        let read = match &read {
            Ok(scanned) => Ok(described(scanned)),
            Err(error) => Err((error.fault.code(), error.position)),
        };
        if read != expected {
            wrong.push(format!(
                "{:?} ({})\n  read     {read:?}\n  expected {expected:?}",
                row.text, row.note
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} vectors:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn the_vectors_cover_every_fault_that_a_short_text_can_have() {
    let rows = rows();
    assert!(rows.len() >= 80);
    for fault in CodeFault::ALL {
        let covered = rows
            .iter()
            .any(|row| row.fault.as_deref() == Some(fault.code()));
        assert_eq!(covered, *fault != CodeFault::TooLong, "{fault:?}");
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedRow {
    text: String,
    meant: Option<String>,
    note: String,
}

#[test]
fn what_may_be_meant_by_what_was_typed_is_as_agreed() {
    let rows: Vec<TypedRow> =
        serde_json::from_str(include_str!("golden/typed_codes.json")).unwrap();
    for row in rows {
        let read = parse(&row.text).unwrap();
        let meant = fold_typed(&read.code).map(|code| code.to_string());
        assert_eq!(meant, row.meant, "{} ({})", row.text, row.note);
    }
}
