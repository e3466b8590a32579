//! Text that came from outside, made harmless before it reaches a page.

use std::fmt;

/// Text from outside. Leaves out what must never reach a page from there: the slot characters,
/// control characters, and bidirectional overrides, which can make a date read backwards.
/// Markup is escaped by the template, not here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outside<'a>(pub &'a str);

impl fmt::Display for Outside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .split(is_left_out)
            .try_for_each(|part| f.write_str(part))
    }
}

/// A function, because templates call it on references to references.
pub(super) const fn outside(text: &str) -> Outside<'_> {
    Outside(text)
}

fn is_left_out(c: char) -> bool {
    let slot = matches!(c, '\u{E000}'..='\u{E004}');
    let bidi = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    slot || bidi || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// Text as HTML, fit for element content and for quoted attributes, free of slot characters.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_left_out(*c)) {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// At most 80 characters, for a window title.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// Is it written in Chinese characters? Then it is marked as Chinese on an English page, so
/// that it gets the right voice and the right shapes.
pub(super) fn is_chinese(text: &str) -> bool {
    text.chars()
        .any(|c| matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'))
}
