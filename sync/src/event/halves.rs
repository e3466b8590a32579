//! What is JSON and no text that everybody can keep: half a character, which a browser writes when it
//! cuts a text inside an emoji (one half of a surrogate pair as an escape, `\ud83c`), and U+0000
//! (`\u0000`), which PostgreSQL takes into no text and SQLite does. Both are read as U+FFFD, so that a
//! note cut short does not make a sale unreadable, and an event means the same on every database. The
//! bytes that are kept and hashed stay as they are.

use std::borrow::Cow;

/// The text with each escaped half that has no other half, and each escaped U+0000, replaced. Bare,
/// U+0000 is no JSON.
pub fn replaced(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at += next;
        match escaped(text, at) {
            // Another escape, of two characters; what follows a backslash begins no escape.
            None => {
                let follows = text.get(at + 1..).and_then(|rest| rest.chars().next());
                at += 1 + follows.map_or(0, char::len_utf8);
            }
            Some(0xd800..=0xdbff) if matches!(escaped(text, at + 6), Some(0xdc00..=0xdfff)) => {
                at += 12;
            }
            Some(0xd800..=0xdfff | 0) => {
                mended.push_str(text.get(kept..at).unwrap_or_default());
                mended.push_str("\\ufffd");
                at += 6;
                kept = at;
            }
            Some(_) => at += 6,
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(mended)
}

/// The number of the escape `\uXXXX` that begins here.
fn escaped(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_half_alone_and_a_nul_are_replaced_and_nothing_else() {
        for (text, expected) in [
            (r#""\ud83c""#, r#""\ufffd""#),
            (r#""\uDF7C""#, r#""\ufffd""#),
            (r#""\ud83c\udf7c""#, r#""\ud83c\udf7c""#),
            (r#""\ud83c\ud83c\udf7c""#, r#""\ufffd\ud83c\udf7c""#),
            (r#""\udf7c\ud83c""#, r#""\ufffd\ufffd""#),
            (r#""\\ud83c""#, r#""\\ud83c""#),
            (r#""\\\ud83c奶""#, r#""\\\ufffd奶""#),
            (r#""\n\u5976\"""#, r#""\n\u5976\"""#),
            (r"\ud8", r"\ud8"),
            (r"\奶\ud800", r"\奶\ufffd"),
            (r"\", r"\"),
            (r"\u+d80", r"\u+d80"),
            (r#""\u0000""#, r#""\ufffd""#),
            (r#""\u0000\u0000a\u00000""#, r#""\ufffd\ufffda\ufffd0""#),
            (r#""\\u0000\u0001""#, r#""\\u0000\u0001""#),
            (r#""\ud83c\u0000""#, r#""\ufffd\ufffd""#),
        ] {
            assert_eq!(replaced(text), expected, "{text}");
        }
    }
}
