//! How deep a JSON text nests, found out before any reader that could recurse sees it.

/// The byte at which the text nests deeper than `max`, if it does. Brackets inside strings do
/// not count. What is no JSON gets some answer; the reader will say what is wrong with it.
pub(crate) fn exceeded(text: &[u8], max: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut bytes = text.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'[' | b'{' => {
                depth += 1;
                if depth > max {
                    return Some(at);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Goes on behind the closing quote.
fn skip_string<'a>(bytes: &mut impl Iterator<Item = (usize, &'a u8)>) {
    while let Some((_, byte)) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::exceeded;

    #[test]
    fn brackets_count_and_quoted_ones_do_not() {
        assert_eq!(exceeded(br#"{"a":["[[[[\"[[["]}"#, 2), None);
        assert_eq!(exceeded(br#"{"a":[[]]}"#, 2), Some(6));
        assert_eq!(exceeded(br"[][][]", 1), None);
        assert_eq!(exceeded(b"]]]][", 1), None);
        let deep = vec![b'['; 1_000_000];
        assert_eq!(exceeded(&deep, 16), Some(16));
    }
}
