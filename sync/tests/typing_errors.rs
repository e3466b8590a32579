//! A mistyped or misread code is caught by its check digit or check character.

mod common;

use proptest::prelude::*;
use suyuan_sync::trace_code::{CodeFault, Gtin, OwnCode, Sscc, check_character, parse};

const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The text with the characters at two places exchanged.
fn exchanged(text: &str, left: usize, right: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes.swap(left, right);
    String::from_utf8(bytes).unwrap()
}

/// The places of the symbols of a code, without point and hyphens.
fn symbols(code: &str) -> Vec<usize> {
    (0..code.len())
        .filter(|&place| !matches!(code.as_bytes()[place], b'.' | b'-'))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_wrong_symbol_of_our_own_codes_is_caught(own in common::own_code()) {
        let code = own.to_string();
        for place in symbols(&code) {
            for symbol in SYMBOLS.chars().filter(|s| !code[place..].starts_with(*s)) {
                let mut wrong = code.clone();
                wrong.replace_range(place..=place, &symbol.to_string());
                let error = parse(&wrong).unwrap_err();
                prop_assert_eq!(error.fault, CodeFault::BadCheckCharacter, "{} {}", code, wrong);
                prop_assert_eq!(error.position, code.len() - 1);
            }
        }
    }

    #[test]
    fn every_exchange_of_neighbouring_symbols_of_our_own_codes_is_caught(own in common::own_code()) {
        let code = own.to_string();
        for pair in symbols(&code).windows(2) {
            let wrong = exchanged(&code, pair[0], pair[1]);
            prop_assert_eq!(parse(&wrong).is_ok(), wrong == code, "{} {}", code, wrong);
        }
    }

    #[test]
    fn a_shifted_point_is_caught(own in common::own_code()) {
        let code = own.to_string();
        let point = own.enterprise.len();
        for neighbour in [point - 1, point + 1] {
            let wrong = exchanged(&code, point, neighbour);
            prop_assert!(parse(&wrong).is_err(), "{} {}", code, wrong);
        }
    }

    #[test]
    fn the_check_character_is_that_of_the_code(own in common::own_code()) {
        let body = &own.internal[..own.internal.len() - 1];
        prop_assert_eq!(check_character(&own.enterprise, body), own.internal.chars().last());
        prop_assert_eq!(OwnCode::new(&own.enterprise, body), Ok(own));
    }

    #[test]
    fn every_wrong_digit_of_a_number_is_caught(gtin in common::numbered(14), sscc in common::numbered(18)) {
        for number in [gtin, sscc] {
            for place in 0..number.len() {
                for digit in ('0'..='9').filter(|d| !number[place..].starts_with(*d)) {
                    let mut wrong = number.clone();
                    wrong.replace_range(place..=place, &digit.to_string());
                    let error = parse(&wrong).unwrap_err();
                    prop_assert_eq!(error.fault, CodeFault::BadCheckDigit);
                    prop_assert_eq!(error.position, number.len() - 1);
                }
            }
        }
    }

    /// The check digit of GS1 misses exchanges of digits that differ by five, and no others.
    #[test]
    fn exchanged_neighbours_of_a_number_are_caught_unless_they_differ_by_five(number in common::numbered(14)) {
        for place in 1..number.len() {
            let wrong = exchanged(&number, place - 1, place);
            let [a, b] = [number.as_bytes()[place - 1], number.as_bytes()[place]];
            let missed = a.abs_diff(b) % 5 == 0;
            prop_assert_eq!(Gtin::parse(&wrong).is_ok(), missed, "{} {}", number, wrong);
        }
    }
}

#[test]
fn our_own_codes_are_refused_where_they_cannot_be() {
    for (enterprise, internal) in [
        ("A", "12"),
        ("ABCDEFGHJKMNP", "12"),
        ("A-B", "12"),
        ("AU", "12"),
        ("AB", "1"),
        ("AB", "-12"),
        ("AB", "1--2"),
        ("AB", "12.3"),
        ("AB", "0123456789012345678901234567890123456789"),
    ] {
        assert!(
            OwnCode::new(enterprise, internal).is_err(),
            "{enterprise} {internal}"
        );
        assert_eq!(check_character(enterprise, internal), None);
    }
    assert!(OwnCode::new("AB", "012345678901234567890123456789012345678").is_ok());
    assert!(Sscc::parse("36901234000000123").is_err());
}
