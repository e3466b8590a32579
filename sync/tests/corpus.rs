//! What fuzzing does for hours, done for a moment in every run: the shared vectors, and each of
//! them damaged in ways that follow from a seed, through every door.

#[path = "common/doors.rs"]
mod doors;

#[path = "common/damage.rs"]
mod damage;

use damage::{Dice, damaged};

#[derive(serde::Deserialize)]
struct Row {
    text: String,
}

fn texts() -> Vec<String> {
    let rows: Vec<Row> = serde_json::from_str(include_str!("golden/trace_codes.json")).unwrap();
    rows.into_iter().map(|row| row.text).collect()
}

#[test]
fn the_vectors_and_thousands_of_damaged_ones_pass_every_door() {
    let texts = texts();
    let mut dice = Dice(20_260_101);
    let mut read = 0;
    for text in &texts {
        doors::read(text);
        for _ in 0..100 {
            let other = &texts[dice.roll(texts.len())];
            let damaged = damaged(text.as_bytes(), other.as_bytes(), &mut dice);
            doors::read(&String::from_utf8_lossy(&damaged));
            read += 1;
        }
    }
    assert!(read > 10_000, "{read}");
}
