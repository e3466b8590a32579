//! What fuzzing does for hours, done for a moment in every run: the shared vectors, and each of
//! them damaged in ways that follow from a seed, through every door.

#[path = "common/doors.rs"]
mod doors;

#[derive(serde::Deserialize)]
struct Row {
    text: String,
}

fn texts() -> Vec<String> {
    let rows: Vec<Row> = serde_json::from_str(include_str!("golden/trace_codes.json")).unwrap();
    rows.into_iter().map(|row| row.text).collect()
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) as usize % sides.max(1)
    }
}

/// Changes, drops, doubles or joins a piece, as a fuzzer would.
fn damaged(text: &str, other: &str, dice: &mut Dice) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(bytes.len() + 1);
        match dice.roll(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            3 => {
                let piece = bytes[..at].to_vec();
                bytes.extend(piece);
            }
            _ => {
                let from = dice.roll(other.len() + 1);
                bytes.splice(at..at, other.as_bytes()[from..].iter().copied());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
            doors::read(&damaged(text, other, &mut dice));
            read += 1;
        }
    }
    assert!(read > 10_000, "{read}");
}
