//! What minting and opening a serial cost on this machine, beside the same permutation by `fpe`:
//!
//! ```text
//! cargo run --release -p suyuan --example serials
//! ```

use std::hint::black_box;
use std::time::{Duration, Instant};

use aes::Aes256;
use fpe::ff1::{BinaryNumeralString, FF1, FlexibleNumeralString};
use suyuan::codes::{MintProfile, minting::SerialKey};

const KEY: [u8; 32] = *b"this key opens nothing elsewhere";
const CALLS: u64 = 100_000;

/// The best of five runs, per call: the others were disturbed.
fn per_call(mut call: impl FnMut(u64)) -> Duration {
    let run = |call: &mut dyn FnMut(u64)| {
        let began = Instant::now();
        (0..CALLS).for_each(call);
        began.elapsed()
    };
    let best = (0..5).map(|_| run(&mut call)).min();
    best.unwrap_or_default() / CALLS as u32
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:<14}{:>12}{:>12}{:>12}", "profile", "mint", "open", "fpe");
    for profile in [MintProfile::Alphanumeric, MintProfile::Numeric] {
        let key = SerialKey::new(profile, 1, &KEY, "06901234567892").ok_or("no key")?;
        let serials: Vec<_> = (0..1024).filter_map(|index| key.mint(index)).collect();
        let mint = per_call(|index| {
            black_box(key.mint(black_box(index)));
        });
        let open = per_call(|at| {
            let serial = &serials[at as usize % serials.len()];
            black_box(key.open(black_box(serial.as_str())));
        });
        let fpe = match profile {
            MintProfile::Alphanumeric => {
                let peer = FF1::<Aes256>::new(&KEY, 2)?;
                per_call(|block| {
                    let bits = BinaryNumeralString::from_bytes_le(&block.to_be_bytes());
                    let _ = black_box(peer.decrypt(&[0; 10], &bits));
                })
            }
            MintProfile::Numeric => {
                let peer = FF1::<Aes256>::new(&KEY, 10)?;
                per_call(|number| {
                    let digits = (0..10)
                        .rev()
                        .map(|place| (number / 10u64.pow(place) % 10) as u16);
                    let digits = FlexibleNumeralString::from(digits.collect::<Vec<_>>());
                    let _ = black_box(peer.decrypt(&[0; 10], &digits));
                })
            }
        };
        let name = profile.name();
        println!("{name:<14}{mint:>12.0?}{open:>12.0?}{fpe:>12.0?}");
    }
    Ok(())
}
