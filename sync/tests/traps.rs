//! Request targets that must be refused, each at the exact byte.
//!
//! The mark `‸` shows where the fault lies; it is taken out before the text is read. Texts that a
//! scanner delivers are in `golden/trace_codes.json`; here are the targets a server meets.

use suyuan_sync::trace_code::{CodeError, CodeFault, CodeFault::*, parse, parse_path};

const TRAPS: &[(&str, CodeFault)] = &[
    // A target begins with a slash and a key.
    ("‸", NotACode),
    ("‸01/06901234567892", NotACode),
    ("/‸", NotACode),
    ("/‸favicon.ico", NotACode),
    ("/‸.well-known/gs1resolver", NotACode),
    ("/‸1/06901234567892", NotACode),
    ("/‸gtin/06901234567892", NotACode),
    ("/‸21/9", NoKey),
    ("/‸17/270331", NoKey),
    ("/‸04/06901234567892", UnknownKey),
    // The conformance suite appends one segment and wants a refusal.
    ("/01/06901234567892/‸foo", ExtraSegment),
    ("/01/06901234567892/10/L7/‸foo", ExtraSegment),
    ("/01/06901234567892/10/L7/21/9/‸foo", ExtraSegment),
    ("/00/369012340000001236/‸foo", ExtraSegment),
    ("/01/06901234567892/‸/", ExtraSegment),
    ("/c/AB.129/‸foo", ExtraSegment),
    ("/stem/01/06901234567892/‸foo", ExtraSegment),
    ("/01/06901234567892/21‸", MissingValue),
    ("/01/06901234567892/21/‸", MissingValue),
    ("/01‸", MissingValue),
    ("/01/‸/21/9", MissingValue),
    ("/c‸", MissingValue),
    // Only qualifiers of the key, in their order, may follow it.
    ("/01/06901234567892/21/9/‸10/L7", QualifierOrder),
    ("/01/06901234567892/21/9/‸22/V", QualifierOrder),
    ("/01/06901234567892/10/L7/‸22/V", QualifierOrder),
    ("/01/06901234567892/21/9/‸21/9", DuplicateKey),
    ("/01/06901234567892/235/X/‸10/L", ConflictingKeys),
    ("/01/06901234567892/22/V/‸235/X", ConflictingKeys),
    ("/01/06901234567892/‸8011/1", NotAQualifier),
    ("/414/6901234000009/254/X/‸7040/1ABC", ConflictingKeys),
    ("/00/369012340000001236/‸21/9", NotAQualifier),
    ("/253/6901234000009/‸21/9", NotAQualifier),
    ("/01/06901234567892/‸17/261231", AttributeInPath),
    ("/01/06901234567892/‸3103/000900", AttributeInPath),
    ("/01/06901234567892/‸lot/L7", UnknownKey),
    ("/01/06901234567892/‸1/L7", UnknownKey),
    ("/01/06901234567892/‸%31%30/L7", UnknownKey),
    // Encoded slashes and dots are characters and no structure.
    ("/01/‸06901234567892%2F21%2F9", BadLength),
    ("/01/06901234567892/21/‸%2E%2E", DotSegment),
    ("/01/06901234567892/21/‸..", DotSegment),
    ("/01/06901234567892/‸./21/9", DotSegment),
    ("/‸%2e/01/06901234567892", DotSegment),
    ("/01/06901234567892/21/A‸%00", BadCharacter),
    ("/01/06901234567892/21/A‸%0d%0a", BadCharacter),
    ("/01/06901234567892/21/A‸%C3%28", BadCharacter),
    ("/01/06901234567892/21/A‸%", BadPercentEncoding),
    ("/01/06901234567892/21/A‸%1", BadPercentEncoding),
    ("/01/06901234567892/21/A‸%+1", BadPercentEncoding),
    ("/01/06901234567892/21/A‸%é1", BadPercentEncoding),
    // Values are judged by their identifier.
    ("/01/0690123456789‸3", BadCheckDigit),
    ("/01/690123456782‸9", BadCheckDigit),
    ("/01/69012345678‸9", BadCheckDigit),
    ("/01/‸1", BadLength),
    ("/01/0690123456789‸A", BadDigit),
    ("/01/‸069012345678921", BadLength),
    ("/00/06901234567892‸x", BadDigit),
    ("/00/‸6901234567892", BadLength),
    ("/01/06901234567892/22/‸123456789012345678901", BadLength),
    (
        "/01/06901234567892/235/‸12345678901234567890123456789",
        BadLength,
    ),
    ("/417/690123400000‸8", BadCheckDigit),
    ("/417/6901234000009/7040/‸AABC", BadDigit),
    ("/417/6901234000009/7040/1AB‸.", BadCharacter),
    ("/8018/369012340000001236/8019/‸12345678901", BadLength),
    ("/8010/6901‸a/8011/1", BadCharacter),
    // The query.
    ("/01/06901234567892?‸22=V", NotAnAttribute),
    ("/01/06901234567892?a=b&‸10=L7", NotAnAttribute),
    ("/01/06901234567892/10/L?‸10=L", NotAnAttribute),
    ("/8006/069012345678920101?‸10=L", NotAnAttribute),
    ("/01/06901234567892?‸254=X", NotAnAttribute),
    ("/01/06901234567892?‸03=06901234567892", NotAnAttribute),
    ("/01/06901234567892?17=270331;‸17=270331", DuplicateKey),
    ("/01/06901234567892/235/X?10=A&‸10=A", DuplicateKey),
    ("/01/06901234567892?x=1&17=‸270229", BadDate),
    ("/01/06901234567892?15=‸271301", BadDate),
    ("/01/06901234567892?11=‸", MissingValue),
    ("/01/06901234567892?11=27%30‸a01", BadDigit),
    ("/01/06901234567892?11=270‸%3g01", BadPercentEncoding),
    ("/01/06901234567892?‸3106=000001", UnknownKey),
];

/// The text without its mark, and the byte the mark stood at.
fn unmarked(marked: &str) -> (String, usize) {
    let (before, after) = marked.split_once('‸').unwrap();
    (format!("{before}{after}"), before.len())
}

#[test]
fn every_trap_is_refused_at_its_byte() {
    let mut wrong = Vec::new();
    for (marked, fault) in TRAPS {
        let (text, position) = unmarked(marked);
        let expected = CodeError {
            position,
            fault: *fault,
        };
        let (path, query) = text.split_once('?').unwrap_or((&text, ""));
        let read = parse_path(path, query);
        if read != Err(expected) {
            wrong.push(format!("{marked} {fault:?}: {read:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_target_and_the_address_it_came_from_are_refused_alike() {
    for (marked, _) in TRAPS {
        let (text, _) = unmarked(marked);
        if !text.starts_with('/') {
            continue;
        }
        let (path, query) = text.split_once('?').unwrap_or((&text, ""));
        let host = "https://id.example.cn";
        let shifted = parse_path(path, query).map_err(|error| CodeError {
            position: error.position + host.len(),
            ..error
        });
        assert_eq!(parse(&format!("{host}{text}")), shifted, "{text}");
    }
}

#[test]
fn too_many_segments_or_elements_are_refused() {
    let stem = "/a".repeat(40);
    let error = parse_path(&format!("{stem}/01/06901234567892"), "").unwrap_err();
    assert_eq!((error.fault, error.position), (TooLong, 65));
    // The key is the first element, so the 32nd attribute is one too many.
    let query: Vec<_> = (0..40)
        .map(|n| format!("31{}{}=000001", n / 6, n % 6))
        .collect();
    let error = parse_path("/01/06901234567892", &query.join("&")).unwrap_err();
    assert_eq!((error.fault, error.position), (TooLong, 19 + 31 * 12));
}
