//! What fuzzing does for hours, done for a moment in every run: pushes, events and chains of the
//! shared vectors, each damaged in ways that follow from a seed.

#[path = "common/chain_doors.rs"]
mod chain_doors;
#[path = "common/damage.rs"]
mod damage;
#[path = "common/wire_doors.rs"]
mod doors;

use damage::{Dice, damaged};
use serde_json::Value;

fn messages() -> Vec<Vec<u8>> {
    let golden: Value = serde_json::from_str(include_str!("golden/wire.json")).unwrap();
    let said = golden["messages"].as_array().unwrap().iter();
    let refused = golden["refused"].as_array().unwrap().iter();
    said.map(|message| message["json"].to_string())
        .chain(refused.map(|row| row["text"].as_str().unwrap().to_owned()))
        .map(String::into_bytes)
        .collect()
}

/// One of each kind, with everything an event can say.
fn events() -> Vec<Vec<u8>> {
    let id = "018f2f6e-0000-7000-8000-000000000001";
    let unit = serde_json::json!({"code": "(01)06901234567892(21)A9", "input": "camera"});
    ["commission", "pack", "count", "retract", "teleport", ""]
        .into_iter()
        .map(|kind| {
            serde_json::json!({
                "v": 1, "kind": kind, "event_id": id, "device": id, "epoch": 1, "seq": 7,
                "actor": {"id": "s-17", "proof": "pin", "login_age_s": 9, "supervisor": true},
                "location": id, "units": [unit], "children": [unit, {}], "parent": unit,
                "declared": 6, "lots": [{"gtin": "6901234567892", "lot": "L7", "qty": 12}],
                "counterpart": {"type": "location", "id": id, "name": "x"},
                "doc": {"no": "7", "at": "x"}, "at": "2026-01-15T09:30:00.250+08:00",
                "mono": 5, "anchor": "a", "anchor_wall": "+010000-01-01T00:00:00Z",
                "list_version": 9, "cursor": 10, "env": {"temperature": -1.5, "humidity": 1e2},
                "override": {"code": "a", "reason": "b", "supervisor": "c", "recall": id},
                "target": id, "disposition": "hold",
                "group": {"id": id, "n": 1, "of": 2, "correct": true},
                "body": {"a": [1, 2.5, null, "x"], "b": {"c": true}, "d": -1},
            })
            .to_string()
            .into_bytes()
        })
        .collect()
}

fn all_and_damaged(texts: &[Vec<u8>], each: usize, door: fn(&[u8])) -> usize {
    let mut dice = Dice(20_260_102);
    let mut read = 0;
    for text in texts {
        door(text);
        for _ in 0..each {
            let other = &texts[dice.roll(texts.len())];
            door(&damaged(text, other, &mut dice));
            read += 1;
        }
    }
    read
}

#[test]
fn pushes_and_thousands_of_damaged_ones_pass_every_door() {
    let texts = messages();
    assert!(all_and_damaged(&texts, 200, doors::push) >= 5_000);
}

#[test]
fn events_and_thousands_of_damaged_ones_pass_every_door() {
    assert!(all_and_damaged(&events(), 2_000, doors::event) >= 10_000);
}

#[test]
fn chains_of_any_bytes_hold() {
    let mut texts = messages();
    texts.push(b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_vec());
    assert!(all_and_damaged(&texts, 20, chain_doors::chain) >= 500);
}
