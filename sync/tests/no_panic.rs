//! No input makes a reader panic, and every refusal points into the text.

mod common;

use proptest::prelude::*;
use suyuan_sync::trace_code::{MAX_TEXT, parse, parse_path};

#[path = "common/doors.rs"]
mod doors;

use doors::read;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn on_any_text(text: String) {
        read(&text);
    }

    #[test]
    fn on_any_bytes(bytes: Vec<u8>) {
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn on_text_made_of_what_codes_are_made_of(text in "(/|//|%2F|%|\\.|\\.\\.|\\?|&|;|=|#|\u{1d}|\\]C1|\\]d2|\\(|\\)|\\\\|00|01|10|17|21|235|8006|414|c|6901234567892|06901234567892|270331|A|-| |https://|x\\.cn|奶|urn:epc:|id:sgtin:|tag:sgtin-96:|class:lgtin:|0614141\\.|812345\\.|eh|ex|0x|3074257BF7194E4000001A85){0,14}") {
        read(&text);
    }

    #[test]
    fn on_damaged_codes(
        code in common::trace_code(), form in 0..4u8,
        damage in proptest::collection::vec((0..400usize, 0..3u8, any::<char>()), 1..4),
    ) {
        let text = match form {
            0 => code.digital_link("https://id.example.cn").to_string() + "?17=270331",
            1 => code.element_string().map_or_else(|| code.to_string(), |t| format!("]C1{t}")),
            2 => code.bracketed().map_or_else(|| code.to_string(), |t| t.to_string()),
            _ => code.to_string(),
        };
        let mut characters: Vec<char> = text.chars().collect();
        for (place, kind, character) in damage {
            let place = place % characters.len().max(1);
            match kind {
                0 if !characters.is_empty() => { characters.remove(place); }
                1 if !characters.is_empty() => characters[place] = character,
                _ => characters.insert(place, character),
            }
        }
        read(&characters.into_iter().collect::<String>());
    }

    #[test]
    fn on_text_of_any_length(piece in "/01/|0|\u{1d}|\\(21\\)A|/c/|/| |a=b&|%41", count in 0..3000usize) {
        read(&piece.repeat(count));
        read(&("/01/06901234567892?".to_owned() + &piece.repeat(count)));
    }
}

#[test]
fn the_limit_is_exact() {
    let path = |len: usize| "/".to_owned() + &"a".repeat(len - 1);
    let fault = |text: &str| parse(text).unwrap_err();
    assert_eq!(fault(&path(MAX_TEXT)).fault.code(), "not-a-code");
    assert_eq!(fault(&path(MAX_TEXT + 1)).fault.code(), "too-long");
    assert_eq!(fault(&path(MAX_TEXT + 1)).position, MAX_TEXT);
    let long = "a".repeat(MAX_TEXT + 1);
    assert_eq!(parse_path("/00", &long).unwrap_err().position, 4 + MAX_TEXT);
}
