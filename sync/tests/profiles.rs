//! Codes of other schemes, read by the profiles an installation has.

mod common;

use proptest::prelude::*;
use serde_json::{Value, json};
use suyuan_sync::trace_code::{CodeFault::*, CodeProfiles, Form, MAX_TEXT, TraceCode, parse};

fn digits(len: usize) -> Value {
    json!({"characters": "digits", "min": len, "max": len})
}

fn load(profiles: &Value) -> Result<CodeProfiles, String> {
    serde_json::from_value(profiles.clone()).map_err(|error| error.to_string())
}

/// Prefix and suffix, a 20-digit and a 24-digit scheme, and one with check digit.
fn profiles() -> CodeProfiles {
    load(&json!([
        {"name": "industrial-internet", "fields": [
            {"characters": "digits", "min": 1, "max": 4, "issuer": true},
            {"text": ".", "issuer": true},
            {"characters": "digits", "min": 1, "max": 8, "issuer": true},
            {"text": ".", "issuer": true},
            {"characters": "digits", "min": 1, "max": 12, "issuer": true},
            {"text": "/"},
            {"characters": "visible", "min": 1, "max": 60},
        ]},
        {"name": "twenty", "grouping": " ", "fields": [
            {"characters": "digits", "min": 7, "max": 7, "issuer": true}, digits(13),
        ]},
        {"name": "twenty-four", "fields": [digits(8),
            {"characters": "digits", "min": 5, "max": 5, "issuer": true}, digits(11),
        ]},
        {"name": "licence", "capitals": true, "check": "none", "fields": [{"text": "SC"}, digits(14)]},
        {"name": "checked", "check": "mod-11-10", "fields": [digits(5)]},
        {"name": "weighted", "check": "gs1", "fields": [digits(10)]},
    ]))
    .unwrap()
}

#[test]
fn codes_of_profiles_are_read_and_told_apart() {
    let profiles = profiles();
    for (text, printed, issuer) in [
        (
            "88.118.8/JX-1.2026.0001",
            "industrial-internet:88.118.8/JX-1.2026.0001",
            "88.118.8",
        ),
        (
            " 86.1000.12/奶粉/1 ",
            "industrial-internet:86.1000.12/奶粉/1",
            "86.1000.12",
        ),
        (
            "industrial-internet:1.2.3/x",
            "industrial-internet:1.2.3/x",
            "1.2.3",
        ),
        (
            "90000010000000000001",
            "twenty:90000010000000000001",
            "9000001",
        ),
        (
            "9000001 0000 0000 0000 1",
            "twenty:90000010000000000001",
            "9000001",
        ),
        // GS1 has the first word: 8004 is an asset. The name has it over all.
        (
            "twenty:80040000000000000001",
            "twenty:80040000000000000001",
            "8004000",
        ),
        (
            "202601010012300000000001",
            "twenty-four:202601010012300000000001",
            "00123",
        ),
        ("sc12345678901234", "licence:SC12345678901234", ""),
        ("checked:07945", "checked:07945", ""),
    ] {
        let read = profiles
            .parse(text)
            .unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let TraceCode::Profiled(code) = read.code else {
            panic!("{text}: {read:?}")
        };
        assert_eq!(
            (read.form, code.issuer()),
            (Form::Profile, issuer),
            "{text}"
        );
        assert_eq!(read.code.to_string(), printed);
        assert_eq!(
            profiles.parse(printed),
            Ok(read),
            "what is printed is read back"
        );
        assert!(read.code.element_string().is_none() && read.code.bracketed().is_none());
    }
    let read = profiles.parse("86.1000.12/奶/1").unwrap();
    assert_eq!(
        read.code.digital_link("https://id.example.cn/").to_string(),
        "https://id.example.cn/q?code=industrial-internet%3A86.1000.12%2F%E5%A5%B6%2F1"
    );
}

/// The mark `‸` shows where the fault lies.
#[test]
fn what_fits_no_profile_is_refused_where_it_was_meant() {
    let profiles = profiles();
    for (marked, fault) in [
        ("industrial-internet:88.118‸", MissingValue),
        ("industrial-internet:88.118.‸x/1", BadDigit),
        ("industrial-internet:88‸/1", BadCharacter),
        ("industrial-internet:88.118.8/‸", MissingValue),
        ("industrial-internet:88.118.8/a‸ b", BadCharacter),
        ("industrial-internet:‸", MissingValue),
        ("industrial-internet:1234‸5.1.1/x", BadCharacter),
        (" twenty:9000001 0000 0000 0000‸", MissingValue),
        ("twenty:90000010000000000001‸2", BadLength),
        ("twenty:9000001000000000000‸x", BadDigit),
        ("checked:0794‸6", BadCheckDigit),
        ("weighted:000000000‸1", BadCheckDigit),
        // Of a bare text the check digit is judged once its shape has settled what it is.
        ("0794‸6", BadCheckDigit),
        // Without a name the refusal is that of the form it looks like.
        ("‸88.118/1", UnknownKey),
        ("‸nonsense:1", NotACode),
        ("690123456789‸3", BadCheckDigit),
    ] {
        let (before, after) = marked.split_once('‸').unwrap();
        let text = format!("{before}{after}");
        let error = profiles.parse(&text).unwrap_err();
        assert_eq!(
            (error.fault, error.position),
            (fault, before.len()),
            "{text}"
        );
    }
}

#[test]
fn nothing_longer_than_a_code_may_be_is_read_by_a_profile_either() {
    let profiles = profiles();
    for code in ["88.118.8/1", "twenty:90000010000000000001"] {
        assert!(profiles.parse(code).is_ok(), "{code}");
        let fits = format!("{code}{}", " ".repeat(MAX_TEXT - code.len()));
        assert!(profiles.parse(&fits).is_ok(), "{code} with spaces");
        let error = profiles.parse(&format!("{fits} ")).unwrap_err();
        assert_eq!((error.fault, error.position), (TooLong, MAX_TEXT), "{code}");
    }
}

#[test]
fn a_profile_that_could_be_read_two_ways_is_refused() {
    let run =
        |min: usize, max: usize| json!({"characters": "alphanumeric", "min": min, "max": max});
    let one = |fields: Value| json!([{"name": "ab", "fields": fields}]);
    for (profiles, told) in [
        (one(json!([run(1, 3), run(1, 3)])), "swallow"),
        (one(json!([run(1, 3), {"text": "x"}, run(1, 3)])), "swallow"),
        (one(json!([])), "a field has either"),
        (one(json!([run(2, 1)])), "a field has either"),
        (one(json!([run(0, 0)])), "a field has either"),
        (one(json!([run(1, 91)])), "90 characters"),
        (one(json!([{"text": "x", "min": 1}])), "a field has either"),
        (one(json!([{"text": "a b"}])), "a field has either"),
        (
            one(json!([{"text": "x", "issuer": true}, run(1, 1), {"text": "y", "issuer": true}])),
            "side by side",
        ),
        (
            json!([{"name": "ab", "check": "gs1", "fields": [run(5, 5)]}]),
            "needs digits",
        ),
        (json!([{"name": "Ab", "fields": [run(1, 1)]}]), "a name is"),
        (
            json!([{"name": "https", "fields": [run(1, 1)]}]),
            "a name is",
        ),
        (
            json!([{"name": "ab", "fields": [run(1, 1)]}, {"name": "ab", "fields": [run(1, 1)]}]),
            "own name",
        ),
        (
            json!([{"name": "ab", "pattern": ".*", "fields": [run(1, 1)]}]),
            "unknown field",
        ),
    ] {
        let error = load(&profiles).unwrap_err();
        assert!(
            error.contains(told) || told == "swallow" && error.contains("followed"),
            "{profiles}: {error}"
        );
    }
    assert!(load(&one(json!([run(1, 3), {"text": "-x"}, run(1, 3)]))).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    /// GS1 and our own scheme are read as ever, whatever profiles there are.
    #[test]
    fn profiles_change_nothing_for_other_codes(code in common::trace_code()) {
        let text = code.digital_link("https://id.example.cn").to_string();
        prop_assert_eq!(profiles().parse(&text), parse(&text));
    }

    #[test]
    fn no_text_makes_a_profile_panic(
        name in prop::sample::select(vec!["", "industrial-internet:", "twenty:", "licence:", "weighted:"]),
        text in "\\PC{0,30}|[0-9./ ]{0,100}|[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}/\\PC{0,40}",
    ) {
        let text = format!("{name}{text}");
        let profiles = profiles();
        match profiles.parse(&text) {
            Ok(read) => {
                let printed = read.code.to_string();
                let again = profiles.parse(&printed).map(|again| again.code);
                prop_assert_eq!(again, Ok(read.code), "{} {}", text, printed);
            }
            Err(error) => {
                prop_assert!(error.position <= text.len(), "{:?} in {:?}", error, text);
                prop_assert!(text.is_char_boundary(error.position), "{:?} in {:?}", error, text);
            }
        }
    }
}
