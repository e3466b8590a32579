//! The receipt 回执 of a complaint: 25 characters in five groups, the only thing that shows whose it
//! is. Its first four say when it was given, the next twenty are secret, the last one checks the
//! whole against slips of the pen. We keep a digest of the secret alone.
//!
//! The secret follows from the form it was given for and from what was told, so that the same form
//! sent twice gives the same receipt and one complaint. Pure.

use crate::clock::Micros;
use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;
use suyuan_sync::trace_code::check_character;
use uuid::Uuid;

/// Digits and capitals without I, L, O, U.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of the time, of the secret.
const TIME_LEN: usize = 4;
const SECRET_LEN: usize = 20;
/// Length without groups.
const LEN: usize = TIME_LEN + SECRET_LEN + 1;
/// The check character is that of our own scheme, over this name and the rest.
const SCHEME: &str = "VX";
/// 2026-01-01, from which time is counted, in microseconds.
const EPOCH: Micros = 1_767_225_600_000_000;
/// The time is told in steps of ten minutes; 20 bits of them are 19 years.
const STEP: Micros = 600_000_000;
const STEPS: i64 = 1 << 20;

/// A receipt.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt([u8; LEN]);

/// What one form told makes: the id of its message and its receipt.
pub struct Given {
    /// The message's id.
    pub message: Uuid,
    /// The receipt.
    pub receipt: Receipt,
}

/// For `told` (all that was said, in one text) on the form `form`, a random id.
pub fn give(form: Uuid, told: &[u8], now: Micros) -> Given {
    let derive = |what: &[u8]| {
        let mut context = Context::new(&SHA256);
        for part in [b"suyuan-receipt-1".as_slice(), what, form.as_bytes(), told] {
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        bytes
    };
    let mut message = [0; 16];
    message.copy_from_slice(&derive(b"message")[..16]);
    let secret = derive(b"secret");
    let mut text = [0; LEN];
    let steps = (now - EPOCH).div_euclid(STEP).rem_euclid(STEPS);
    for (at, symbol) in text[..TIME_LEN].iter_mut().rev().enumerate() {
        *symbol = SYMBOLS[((steps >> (5 * at)) & 31) as usize];
    }
    // 20 bytes of the digest, five bits of each: 100 bits.
    for (symbol, byte) in text[TIME_LEN..LEN - 1].iter_mut().zip(secret) {
        *symbol = SYMBOLS[usize::from(byte & 31)];
    }
    text[LEN - 1] = check(&text[..LEN - 1]).unwrap_or(SYMBOLS[0]);
    Given {
        message: uuid::Builder::from_custom_bytes(message).into_uuid(),
        receipt: Receipt(text),
    }
}

impl Receipt {
    /// Reads what a person typed: groups, small letters and look-alikes do not matter.
    pub fn parse(typed: &str) -> Option<Receipt> {
        let mut text = [0; LEN];
        let mut filled = 0;
        let separator = |b: &u8| b.is_ascii_whitespace() || *b == b'-';
        for byte in typed.bytes().filter(|b| !separator(b)) {
            let symbol = match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            *text.get_mut(filled)? = SYMBOLS.contains(&symbol).then_some(symbol)?;
            filled += 1;
        }
        let whole = filled == LEN && check(&text[..LEN - 1]) == Some(text[LEN - 1]);
        whole.then_some(Receipt(text))
    }

    /// What we keep of it: SHA-256 of the secret, which nobody can guess.
    pub fn digest(&self) -> String {
        let secret = &self.0[TIME_LEN..LEN - 1];
        URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&SHA256, secret))
    }

    /// The moment by which it had been given.
    pub fn given_by(&self) -> Micros {
        let value = |symbol: &u8| SYMBOLS.iter().position(|s| s == symbol).unwrap_or(0) as i64;
        let steps = self.0[..TIME_LEN]
            .iter()
            .fold(0, |steps, symbol| (steps << 5) | value(symbol));
        EPOCH + (steps + 1) * STEP
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, group) in self.0.chunks(5).enumerate() {
            let group = std::str::from_utf8(group).unwrap_or_default();
            write!(f, "{}{group}", if n == 0 { "" } else { "-" })?;
        }
        Ok(())
    }
}

/// Never shows the secret: a receipt must not reach a log line.
impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt(…)")
    }
}

fn check(body: &[u8]) -> Option<u8> {
    let body = std::str::from_utf8(body).ok()?;
    check_character(SCHEME, body).map(|c| c as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = EPOCH + 123 * STEP + 5;

    fn given(told: &[u8]) -> Given {
        give(Uuid::from_u128(7), told, NOW)
    }

    #[test]
    fn a_receipt_reads_back_as_people_write_it() {
        let receipt = given(b"x").receipt;
        let text = receipt.to_string();
        assert_eq!(text.len(), 29);
        for typed in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', " "),
            text.replace('-', ""),
            text.replace('0', "o").replace('1', "l"),
        ] {
            assert_eq!(Receipt::parse(&typed).as_ref(), Some(&receipt), "{typed}");
        }
        assert_eq!(receipt.given_by(), EPOCH + 124 * STEP);
    }

    #[test]
    fn one_wrong_or_two_exchanged_characters_are_noticed() {
        let text = given(b"x").receipt.to_string().replace('-', "");
        for at in 0..LEN {
            for symbol in SYMBOLS {
                let mut bent = text.clone().into_bytes();
                if bent[at] == *symbol {
                    continue;
                }
                bent[at] = *symbol;
                assert!(Receipt::parse(std::str::from_utf8(&bent).unwrap()).is_none());
            }
        }
        for at in 1..LEN {
            let mut bent = text.clone().into_bytes();
            if bent[at - 1] != bent[at] {
                bent.swap(at - 1, at);
                assert!(Receipt::parse(std::str::from_utf8(&bent).unwrap()).is_none());
            }
        }
    }

    #[test]
    fn anything_else_is_no_receipt() {
        for bad in ["", "-", "U", &"0".repeat(10_000), "七七七七七", "%00"] {
            assert!(Receipt::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_same_form_gives_one_complaint_and_another_text_another() {
        let (a, b, c) = (given(b"x"), given(b"x"), given(b"y"));
        assert_eq!((a.message, &a.receipt), (b.message, &b.receipt));
        assert_ne!(a.message, c.message);
        assert_ne!(a.receipt.digest(), c.receipt.digest());
        // Sent again later it reads otherwise and still finds the same.
        let later = give(Uuid::from_u128(7), b"x", NOW + 5 * STEP);
        assert_ne!(a.receipt, later.receipt);
        assert_eq!(a.receipt.digest(), later.receipt.digest());
        assert_eq!(a.message, later.message);
    }
}
