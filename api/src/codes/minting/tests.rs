//! What both profiles promise.

use super::MintProfile::{Alphanumeric, Numeric};
use super::*;
use proptest::prelude::*;

const KEY: [u8; 32] = [
    0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C,
    0xEF, 0x43, 0x59, 0xD8, 0xD5, 0x80, 0xAA, 0x4F, 0x7F, 0x03, 0x6D, 0x6F, 0x04, 0xFC, 0x6A, 0x94,
];
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GTIN: &str = "06901234567892";

fn key(profile: MintProfile, id: u8, key: &[u8; 32], scope: &str) -> SerialKey {
    SerialKey::new(profile, id, key, scope).unwrap()
}

/// Either profile, and one of its key ids.
fn profile_and_id() -> impl Strategy<Value = (MintProfile, u8)> {
    prop_oneof![
        (Just(Alphanumeric), Alphanumeric.key_ids()),
        (Just(Numeric), Numeric.key_ids()),
    ]
}

#[test]
fn serials_keep_the_form_they_were_first_printed_in() {
    let other = std::array::from_fn(|i| i as u8);
    let top = Alphanumeric.index_space() - 1;
    for (key_id, material, scope, index, serial) in [
        (0, &KEY, GTIN, 0, "08XMJXKPPS0Z7B"),
        (0, &KEY, GTIN, 1, "08W3YREERF7HWX"),
        (0, &KEY, GTIN, 2, "04Y9PFRQVGYYNZ"),
        (0, &KEY, GTIN, 1_000_000, "0EDVAKHFA7DGWM"),
        (0, &KEY, GTIN, top, "0CSPVCBYXW3872"),
        (1, &KEY, GTIN, 0, "1B3CQ0GNHSM810"),
        (31, &KEY, GTIN, top, "Z53RAQV7S1523Z"),
        (7, &other, GTIN, 42, "74BQYC62RQRN0D"),
        (7, &other, "16901234567899", 42, "70SWQAG7EBB5VR"),
        (7, &other, "09506000134352", 42, "7A8ERAP1KFZYRV"),
        (7, &other, "MY8", 42, "72655XQKHZK8ZM"),
        (7, &other, "0MY8", 42, "7BVWSV6YVW3M16"),
        (7, &other, "ZZZZZZZZZZZZ", top, "7ET9T5Z68K7HM0"),
    ] {
        let key = key(Alphanumeric, key_id, material, scope);
        assert_eq!(key.mint(index).unwrap().as_str(), serial, "{scope} {index}");
        assert_eq!(key.open(serial), Some(index));
    }
}

#[test]
fn numeric_serials_keep_the_form_they_were_first_printed_in() {
    let other = std::array::from_fn(|i| i as u8);
    let top = Numeric.index_space() - 1;
    for (key_id, material, scope, index, serial) in [
        (1, &KEY, GTIN, 0, "18204692268"),
        (1, &KEY, GTIN, 1, "16128546831"),
        (1, &KEY, GTIN, 1_000_000, "15412217056"),
        (1, &KEY, GTIN, top, "11051300038"),
        (9, &KEY, GTIN, top, "91060688458"),
        (7, &other, "16901234567899", 42, "74750231711"),
    ] {
        let key = key(Numeric, key_id, material, scope);
        assert_eq!(key.mint(index).unwrap().as_str(), serial, "{scope} {index}");
        assert_eq!(key.open(serial), Some(index));
    }
}

#[test]
fn what_lies_outside_the_space_is_refused() {
    for profile in [Alphanumeric, Numeric] {
        let key = key(profile, 1, &KEY, GTIN);
        assert!(key.mint(profile.index_space() - 1).is_some());
        assert!(key.mint(profile.index_space()).is_none());
        assert!(key.mint(u64::MAX).is_none());
    }
    let key = key(Alphanumeric, 0, &KEY, GTIN);
    for (profile, id) in [(Alphanumeric, 32), (Numeric, 0), (Numeric, 10)] {
        assert!(SerialKey::new(profile, id, &KEY, GTIN).is_none());
    }
    for scope in [
        "",
        "0690123456789",
        "0690123456789X",
        "MY-8",
        "my8",
        "ABCDEFGHJKMNP",
    ] {
        assert!(
            SerialKey::new(Alphanumeric, 0, &KEY, scope).is_none(),
            "{scope}"
        );
    }
    for text in [
        "",
        "0",
        "0000000000000",
        "000000000000000",
        "0000000000000U",
        "00000000000é",
    ] {
        assert!(key.open(text).is_none(), "{text}");
        assert!(parse_key_id(text).is_none(), "{text}");
    }
}

#[test]
fn neither_the_key_nor_its_schedule_is_printed() {
    assert_eq!(format!("{:?}", key(Numeric, 3, &KEY, GTIN)), "SerialKey(3)");
}

/// 10⁵ serials with one character changed: by chance one in 2³⁰ would open.
#[test]
fn a_changed_character_opens_nothing() {
    let key = key(Alphanumeric, 5, &KEY, GTIN);
    let mut tries = 0;
    for index in (0..).step_by(7_919) {
        let serial = key.mint(index).unwrap();
        for place in 0..SERIAL_LEN {
            for step in [1, 16, 31] {
                let mut changed = serial.as_str().as_bytes().to_vec();
                let value = alphanumeric::value_of(changed[place]).unwrap();
                changed[place] = ALPHABET[usize::from(value + step) % 32];
                let changed = String::from_utf8(changed).unwrap();
                assert_ne!(changed, serial.as_str());
                assert_eq!(key.open(&changed), None, "{changed}");
                tries += 1;
            }
        }
        if tries >= 100_000 {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_minted_opens_to_its_index(material: [u8; 32], (profile, id) in profile_and_id(), index: u64) {
        let key = key(profile, id, &material, GTIN);
        let index = index % profile.index_space();
        let serial = key.mint(index).unwrap();
        prop_assert_eq!(parse_key_id(serial.as_str()), Some(id));
        prop_assert_eq!(key.open(serial.as_str()), Some(index));
    }

    #[test]
    fn another_key_id_or_product_opens_nothing(
        material: [u8; 32], flipped in 0..256usize, id in 0..32u8, index in 0..1u64 << 34
    ) {
        let key = |id, material: &[u8; 32], gtin| key(Alphanumeric, id, material, gtin);
        let serial = key(id, &material, GTIN).mint(index).unwrap();
        let mut other = material;
        other[flipped / 8] ^= 1 << (flipped % 8);
        prop_assert_eq!(key(id, &other, GTIN).open(serial.as_str()), None);
        prop_assert_eq!(key(id, &material, "16901234567899").open(serial.as_str()), None);
        let next = (id + 1) % 32;
        prop_assert_eq!(key(next, &material, GTIN).open(serial.as_str()), None);
        // Nor does it help to write the other key's id over the first character.
        let mut relabelled = serial.as_str().to_owned();
        let digit = char::from(ALPHABET[usize::from(next)]);
        relabelled.replace_range(..1, &digit.to_string());
        prop_assert_eq!(key(next, &material, GTIN).open(&relabelled), None);
    }

    /// Every number is the serial of exactly one index, so that a look-up decides.
    #[test]
    fn a_numeric_serial_opens_to_the_index_it_is_minted_from(
        material: [u8; 32], id in 1..=9u8, number in 0..10_000_000_000u64,
    ) {
        let text = format!("{id}{number:010}");
        let own = key(Numeric, id, &material, GTIN);
        let index = own.open(&text).unwrap();
        let serial = own.mint(index).unwrap();
        prop_assert_eq!(serial.as_str(), &text);
        prop_assert_eq!(key(Alphanumeric, id, &material, GTIN).open(&text), None);
        prop_assert_eq!(key(Numeric, id % 9 + 1, &material, GTIN).open(&text), None);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,20}") {
        let (a, b) = (key(Alphanumeric, 0, &KEY, GTIN), key(Numeric, 1, &KEY, GTIN));
        let _ = (a.open(&text), b.open(&text), parse_key_id(&text));
    }

    #[test]
    fn two_scopes_never_share_a_tweak(a in "[0-9A-HJKMNP-TV-Z]{1,12}|[0-9]{14}", b in "[0-9A-HJKMNP-TV-Z]{1,12}|[0-9]{14}") {
        prop_assert_eq!(tweak(0, &a).unwrap() == tweak(0, &b).unwrap(), a == b);
    }
}
