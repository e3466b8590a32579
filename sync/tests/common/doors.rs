//! Everything that must hold for any text at all. The fuzz target and the ordinary tests share it.

use std::sync::LazyLock;

use suyuan_sync::trace_code::{
    CodeProfiles, Epc, Filter, Form, Gln, Gtin, OwnCode, Scanned, Sscc, TagKind, TraceCode,
    check_digit, is_epc_segment, parse, parse_path,
};

static PROFILES: LazyLock<CodeProfiles> = LazyLock::new(|| {
    serde_json::from_str(
        r#"[
            {"name": "prefix-suffix", "fields": [
                {"characters": "digits", "min": 1, "max": 4, "issuer": true},
                {"text": "/"},
                {"characters": "visible", "min": 1, "max": 60}
            ]},
            {"name": "checked", "check": "mod-11-10", "grouping": "- ", "capitals": true, "fields": [
                {"characters": "digits", "min": 5, "max": 5}
            ]}
        ]"#,
    )
    .expect("profiles")
});

/// Reads a text through every door, and prints and reads again what comes out. Panics where the
/// promise is broken.
pub fn read(text: &str) {
    match parse(text) {
        Ok(scanned) => {
            printed_and_read_again(text, &scanned);
            assert_eq!(
                PROFILES
                    .parse(text)
                    .ok()
                    .filter(|r| r.form != Form::Profile),
                named_or(text, scanned)
            );
        }
        Err(error) => {
            assert!(error.position <= text.len(), "{error:?} in {text:?}");
            assert!(
                text.is_char_boundary(error.position),
                "{error:?} in {text:?}"
            );
        }
    }
    match PROFILES.parse(text) {
        Ok(scanned) => {
            let printed = scanned.code.to_string();
            let again = PROFILES.parse(&printed).map(|again| again.code);
            assert_eq!(again, Ok(scanned.code), "{text:?} printed {printed:?}");
        }
        Err(error) => {
            assert!(error.position <= text.len(), "{error:?} in {text:?}");
            assert!(
                text.is_char_boundary(error.position),
                "{error:?} in {text:?}"
            );
        }
    }
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    if let Err(error) = parse_path(path, query) {
        let end = path.len() + 1 + query.len();
        assert!(error.position <= end, "{error:?} in {text:?}");
    }
    let _ = (Gtin::parse(text), Sscc::parse(text), Gln::parse(text));
    let _ = (
        check_digit(text),
        Gtin::from_body(text),
        is_epc_segment(text),
    );
    let _ = (OwnCode::new(text, text), OwnCode::new("AB", text));
    let _ = Sscc::new(text.len() as u8, text, text.len() as u64);
}

/// A text that begins with the name of a profile is that profile's.
fn named_or(text: &str, scanned: Scanned) -> Option<Scanned> {
    let named = ["prefix-suffix:", "checked:"];
    let named = named.iter().any(|name| text.trim().starts_with(name));
    (!named).then_some(scanned)
}

fn printed_and_read_again(text: &str, scanned: &Scanned) {
    let code = scanned.code;
    let same = |printed: String| {
        let again = parse(&printed).map(|again| again.code);
        assert_eq!(again, Ok(code), "{text:?} printed {printed:?}");
    };
    same(code.to_string());
    same(code.digital_link("https://id.example.cn/s").to_string());
    if let Some(printed) = code.bracketed() {
        same(printed.to_string());
    }
    if let Some(printed) = code.element_string() {
        same(format!("]C1{printed}"));
    }
    for prefix in 4..=12 {
        let Some(epc) = Epc::of(&code, prefix) else {
            continue;
        };
        for kind in TagKind::ALL {
            if let Some(tag) = epc.tag(kind, Filter::OTHER) {
                let unit = without_what_tags_drop(code);
                for printed in [tag.to_string(), tag.urn().to_string(), epc.to_string()] {
                    let again = parse(&printed).map(|again| again.code);
                    assert_eq!(again, Ok(unit), "{text:?} printed {printed:?}");
                }
            }
        }
    }
}

/// Variant and lot are no part of a unit's EPC.
fn without_what_tags_drop(code: TraceCode) -> TraceCode {
    match code {
        TraceCode::Gtin(mut code) => {
            (code.variant, code.lot) = (None, None);
            TraceCode::Gtin(code)
        }
        other => other,
    }
}
