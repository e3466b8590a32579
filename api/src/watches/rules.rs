//! Tokens, and how long a watch lasts. Pure.

use crate::clock::Micros;
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

/// Seconds after which an app should ask again.
pub const POLL_AFTER_S: u32 = 3600;
/// Seconds after which a watch that is still on its way should be asked for again.
pub const PENDING_AFTER_S: u32 = 1;

const SECOND: Micros = 1_000_000;
const DAY: Micros = 86_400 * SECOND;
/// A watch goes on this long after the last good day.
const AFTER_EXPIRY: Micros = 90 * DAY;
/// The longest a watch lasts: 24 months.
const LONGEST: Micros = 731 * DAY;
/// The shortest.
const SHORTEST: Micros = 30 * DAY;

/// When a watch ends: 90 days after the last of its goods has expired, but at least 30 days and
/// at most 24 months from now; 24 months where a code has no expiry date. `expiry_days` in days
/// since 1970, one a code.
pub fn ends_at(now: Micros, expiry_days: impl IntoIterator<Item = Option<i32>>) -> Micros {
    // The day after the last good one begins at 00:00 in Asia/Shanghai.
    let after = |day: i32| (i64::from(day) + 1) * DAY - 8 * 3600 * SECOND + AFTER_EXPIRY;
    let last = expiry_days
        .into_iter()
        .map(|day| day.map_or(Micros::MAX, after))
        .max();
    at_most(now, last.unwrap_or(Micros::MAX)).max(now.saturating_add(SHORTEST))
}

/// No watch lasts longer than 24 months, whoever says so.
pub fn at_most(now: Micros, ends_at: Micros) -> Micros {
    ends_at.min(now.saturating_add(LONGEST))
}

/// What a person shows to see their watch. The secret names the watch; the time only says since
/// when it can have been on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// When it was given, in seconds since 1970.
    made_s: u32,
    secret: [u8; 32],
}

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHash(String);

impl Token {
    /// The token of the watch that `id` names for these codes: the same each time, so that a
    /// request sent twice begins one watch. As hard to guess as the id is.
    pub fn of(id: &str, codes: &[String], now: Micros) -> Token {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in ["suyuan-watch-1", id]
            .into_iter()
            .chain(codes.iter().map(String::as_str))
        {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        Token {
            made_s: u32::try_from(now / SECOND).unwrap_or(0),
            secret: hash_of(context.finish()),
        }
    }

    /// Reads a token; `None` where it is none.
    pub fn parse(text: &str) -> Option<Token> {
        let (made, secret) = text.split_once('.')?;
        let shaped = made.len() == 8 && made.bytes().all(|b| b.is_ascii_hexdigit());
        let made_s = u32::from_str_radix(made, 16).ok().filter(|_| shaped)?;
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        Some(Token { made_s, secret })
    }

    /// As it is given: 8 hex digits, a dot, 43 characters.
    pub fn text(&self) -> String {
        format!(
            "{:08x}.{}",
            self.made_s,
            URL_SAFE_NO_PAD.encode(self.secret)
        )
    }

    /// What is kept of it.
    pub fn hash(&self) -> TokenHash {
        let hash = hash_of(digest::digest(&digest::SHA256, &self.secret));
        TokenHash(URL_SAFE_NO_PAD.encode(hash))
    }

    /// May a watch that is not there be on its way still? `taken_until` is up to when all messages
    /// were taken. Clocks may differ by a few seconds.
    pub fn may_be_pending(&self, taken_until: Micros, now: Micros) -> bool {
        let made = i64::from(self.made_s) * SECOND;
        made >= taken_until.saturating_sub(5 * SECOND) && made <= now.saturating_add(60 * SECOND)
    }
}

impl TokenHash {
    /// Reads what [`TokenHash::as_str`] gave.
    pub fn parse(text: &str) -> Option<TokenHash> {
        let shaped = text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok();
        shaped.then(|| TokenHash(text.to_owned()))
    }

    /// As it stands in rows.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id for the message that begins or ends this watch: one each, however often it is sent.
    pub fn message_id(&self, what: &str) -> Uuid {
        let hash = digest::digest(&digest::SHA256, format!("{what} {}", self.0).as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_ref()[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

fn hash_of(digest: digest::Digest) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

/// Is this an id nobody guesses? At least 128 bits take 22 characters of base64 or 32 hex digits;
/// whether they are random we cannot see, but not the plainest of texts.
pub fn is_good_id(id: &str) -> bool {
    let shaped = (22..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let mut distinct: Vec<u8> = id.bytes().collect();
    distinct.sort_unstable();
    distinct.dedup();
    shaped && distinct.len() >= 8
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_795_248_005_000_000;

    fn codes(list: &[&str]) -> Vec<String> {
        list.iter().map(|code| (*code).to_owned()).collect()
    }

    #[test]
    fn a_token_reads_back_and_only_whole() {
        let token = Token::of("id", &codes(&["/01/1"]), NOW);
        let text = token.text();
        assert_eq!(Token::parse(&text), Some(token));
        for at in 0..text.len() {
            assert_eq!(Token::parse(&text[..at]), None, "{at}");
        }
        for no in ["", ".", "zzzzzzzz.", "+1234567.x", &format!("{text}A")] {
            assert_eq!(Token::parse(no), None, "{no:?}");
        }
    }

    #[test]
    fn one_id_and_the_same_codes_are_one_watch() {
        let hash = |id: &str, list: &[&str], now| Token::of(id, &codes(list), now).hash();
        let one = hash("a", &["x", "y"], NOW);
        assert_eq!(hash("a", &["x", "y"], NOW + 5 * DAY), one);
        for other in [
            hash("b", &["x", "y"], NOW),
            hash("a", &["x"], NOW),
            hash("a", &["xy"], NOW),
            hash("ax", &["y"], NOW),
            hash("a", &["y", "x"], NOW),
        ] {
            assert_ne!(other, one);
        }
        assert_eq!(TokenHash::parse(one.as_str()), Some(one.clone()));
        assert_ne!(one.message_id("begin"), one.message_id("end"));
    }

    #[test]
    fn a_watch_outlives_its_goods_within_bounds() {
        let today = (NOW / DAY) as i32;
        let days = |list: &[Option<i32>]| {
            let list = list.iter().map(|day| day.map(|day| today + day));
            (ends_at(NOW, list) - NOW) / DAY
        };
        assert!((490..=491).contains(&days(&[Some(400)])));
        assert!((490..=491).contains(&days(&[Some(10), Some(400)])));
        assert_eq!(days(&[Some(-400)]), 30, "long expired");
        assert_eq!(days(&[Some(5000)]), 731);
        assert_eq!(days(&[Some(10), None]), 731, "one does not expire");
        assert_eq!(days(&[]), 731);
        assert_eq!(at_most(NOW, Micros::MAX), NOW + LONGEST);
    }

    #[test]
    fn only_a_young_token_is_on_its_way() {
        let token = Token::of("id", &[], NOW);
        assert!(token.may_be_pending(NOW - DAY, NOW));
        assert!(token.may_be_pending(NOW, NOW));
        assert!(!token.may_be_pending(NOW + 6 * SECOND, NOW + 6 * SECOND));
        assert!(!token.may_be_pending(0, NOW - DAY), "made tomorrow");
    }

    #[test]
    fn ids_are_long_and_not_plain() {
        assert!(is_good_id("7b0c2f9e-3a51-4d7e-9b1c-0f5a6e2d8c34"));
        assert!(is_good_id("Zk3x9Q_tLw0aB7cD-eFg1h"));
        for no in [
            "",
            "1",
            "Zk3x9Q_tLw0aB7cD-eFg1",
            "00000000000000000000000000000000",
            "Zk3x9Q tLw0aB7cD-eFg1hx",
            "婴儿婴儿婴儿婴儿婴儿婴儿",
            &"abcdefgh".repeat(9),
        ] {
            assert!(!is_good_id(no), "{no}");
        }
    }
}
