//! The exact list of stopped units: nobody is missed, nobody is hit by chance, what changes little
//! travels little; the shared vectors of `golden/recall_list.json`, which another program (Python)
//! made; size and false hits of a list of a million, printed.

use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use suyuan_sync::{
    chain::Hash,
    limits::SNAPSHOT_CHUNK_BYTES,
    recall_list::{Filter, ListFault, Marks, UnitHash, UnitList},
    unit::UnitKey,
};

fn marks(bits: u8) -> Marks {
    Marks::of_bits(bits).unwrap()
}

fn serial(n: u64) -> UnitHash {
    UnitHash::of(&UnitKey::kept(&format!("/01/09521234000013/21/{n}")))
}

/// Hashes near each other, far apart and at the edges.
fn hash() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0u64..50,
        (0u64..50).prop_map(|n| u64::MAX - n),
        (0u64..50).prop_map(|n| (1 << 63) + n),
    ]
}

fn entries() -> impl Strategy<Value = Vec<(u64, u8)>> {
    prop::collection::vec((hash(), 1u8..16), 0..300)
}

fn list(entries: &[(u64, u8)]) -> UnitList {
    UnitList::of(
        entries
            .iter()
            .map(|(hash, bits)| (UnitHash(*hash), marks(*bits))),
    )
}

proptest! {
    #[test]
    fn a_list_is_exact(entries in entries(), others in prop::collection::vec(hash(), 0..100)) {
        let mut expected: BTreeMap<u64, u8> = BTreeMap::new();
        for (hash, bits) in &entries {
            *expected.entry(*hash).or_default() |= bits;
        }
        let list = list(&entries);
        prop_assert_eq!(list.len(), expected.len());
        for hash in expected.keys().chain(&others) {
            let bits = expected.get(hash).copied().unwrap_or_default();
            prop_assert_eq!(list.marks(UnitHash(*hash)).bits(), bits);
        }
    }

    #[test]
    fn a_list_is_read_back_whatever_order_it_was_made_in(entries in entries()) {
        let whole = list(&entries);
        let reversed: Vec<_> = entries.iter().rev().copied().collect();
        prop_assert_eq!(&list(&reversed), &whole);
        prop_assert_eq!(UnitList::read(&whole.chunks()), Ok(whole));
    }

    #[test]
    fn a_filter_never_says_no_of_a_unit_in_the_list(entries in entries()) {
        let list = list(&entries);
        let filter = Filter::of(&list);
        for (unit, _) in list.iter() {
            prop_assert!(filter.says_look(unit));
        }
    }

    #[test]
    fn whatever_bytes_come_nothing_panics_and_only_what_we_write_is_read(
        entries in entries(),
        change in (any::<prop::sample::Index>(), any::<u8>()),
        noise in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let _ = UnitList::read(&[&noise]);
        let mut chunks = list(&entries).chunks();
        let at = change.0.index(chunks[0].len());
        chunks[0][at] ^= change.1;
        if let Ok(read) = UnitList::read(&chunks) {
            prop_assert_eq!(read.chunks(), chunks, "there is one way to write a list");
        }
    }
}

#[test]
fn one_unit_more_changes_one_chunk() {
    let units = |n: u64| UnitList::of((0..n).map(|n| (serial(n), Marks::RECALLED)));
    let (before, after) = (units(60_000).chunks(), units(60_001).chunks());
    assert_eq!(before.len(), 8);
    let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    assert_eq!(changed, 1);
}

/// Printed with `cargo test -p suyuan-sync --test recall_list -- million --nocapture`.
#[test]
fn a_list_of_a_million_units_is_small_and_hits_nobody_by_chance() {
    const UNITS: u64 = 1_000_000;
    const ASKED: u64 = 1_000_000;
    let list = UnitList::of((0..UNITS).map(|n| (serial(n), Marks::RECALLED)));
    assert_eq!(list.len() as u64, UNITS);
    let chunks = list.chunks();
    let bytes: usize = chunks.iter().map(Vec::len).sum();
    let longest = chunks.iter().map(Vec::len).max().unwrap();
    let filter = Filter::of(&list);

    let (mut hits, mut looks) = (0u64, 0u64);
    // The same question with shorter hashes, where chance can be seen: it must be as often as
    // uniform hashes make it, and then it is what they make it with 64 bits, too.
    let mut short: Vec<u32> = list.iter().map(|(hash, _)| (hash.0 >> 32) as u32).collect();
    short.dedup();
    let mut short_hits = 0u64;
    for n in UNITS..UNITS + ASKED {
        let unit = serial(n);
        hits += u64::from(!list.marks(unit).is_empty());
        looks += u64::from(filter.says_look(unit));
        short_hits += u64::from(short.binary_search(&((unit.0 >> 32) as u32)).is_ok());
    }
    let rate = UNITS as f64 / 2f64.powi(64);
    let expected = ASKED as f64 * short.len() as f64 / 2f64.powi(32);
    println!(
        "{UNITS} units: {bytes} bytes ({:.2} a unit) in {} chunks of at most {longest}; \
         {hits} false hits in {ASKED}, {rate:.1e} a scan by 64 bits (by 32 bits {short_hits}, \
         expected {expected:.0}); filter {} bytes, {:.2} % told to look",
        bytes as f64 / UNITS as f64,
        chunks.len(),
        filter.bytes(),
        100.0 * looks as f64 / ASKED as f64,
    );
    assert!(bytes <= 8_000_000, "{bytes}");
    assert!(longest <= SNAPSHOT_CHUNK_BYTES, "{longest}");
    assert_eq!(hits, 0);
    assert!(rate < 1e-9);
    let apart = (short_hits as f64 - expected).abs();
    assert!(apart < 6.0 * expected.sqrt(), "{short_hits} for {expected}");
    assert!(looks < ASKED / 50, "{looks}");
    assert_eq!(UnitList::read(&chunks).as_ref(), Ok(&list));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    hashes: Vec<Named>,
    lists: Vec<Row>,
    ruled: Ruled,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    unit: String,
    hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    note: String,
    entries: Vec<Entry>,
    chunks: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    hash: String,
    marks: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ruled {
    #[allow(dead_code)] // for people
    note: String,
    units: u64,
    chunks: Vec<Coded>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Coded {
    bytes: usize,
    sha256: Hash,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    note: String,
    chunks: Vec<String>,
    fault: String,
    chunk: usize,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/recall_list.json")).unwrap()
}

fn number(hex: &str) -> u64 {
    assert_eq!(hex.len(), 16);
    u64::from_str_radix(hex, 16).unwrap()
}

/// Base64 with the alphabet of addresses, without padding.
fn bytes(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => panic!("{text}"),
    };
    let (mut out, mut held, mut bits) = (Vec::new(), 0u32, 0);
    for c in text.bytes() {
        held = held << 6 | u32::from(value(c));
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    out
}

#[test]
fn the_vectors_agree() {
    let golden = golden();
    for named in &golden.hashes {
        let hash = UnitHash::of(&UnitKey::kept(&named.unit));
        assert_eq!(hash.0, number(&named.hash), "{}", named.unit);
    }
    for row in &golden.lists {
        let entries: Vec<_> = row
            .entries
            .iter()
            .map(|e| (number(&e.hash), e.marks))
            .collect();
        let list = list(&entries);
        let chunks: Vec<Vec<u8>> = row.chunks.iter().map(|text| bytes(text)).collect();
        assert_eq!(list.chunks(), chunks, "{}", row.note);
        assert_eq!(UnitList::read(&chunks), Ok(list), "{}", row.note);
    }
    let of = |n: u64| (serial(n), marks(1 + (n % 15) as u8));
    let chunks = UnitList::of((0..golden.ruled.units).map(of)).chunks();
    let coded = |chunk: &Vec<u8>| Coded {
        bytes: chunk.len(),
        sha256: Hash::of(chunk),
    };
    let chunks: Vec<Coded> = chunks.iter().map(coded).collect();
    assert_eq!(chunks, golden.ruled.chunks);
    for row in &golden.refused {
        let chunks: Vec<Vec<u8>> = row.chunks.iter().map(|text| bytes(text)).collect();
        let expected = match row.fault.as_str() {
            "malformed" => ListFault::Malformed(row.chunk),
            "misplaced" => ListFault::Misplaced(row.chunk),
            "disordered" => ListFault::Disordered(row.chunk),
            "trailing" => ListFault::Trailing(row.chunk),
            other => panic!("{other}"),
        };
        assert_eq!(UnitList::read(&chunks), Err(expected), "{}", row.note);
    }
}
