//! Opens what a device compressed, no further than a limit: a small body that swells is refused
//! before it is held. Pure but for memory.

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use std::io::Read;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Why a body was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InflateError {
    /// It is larger than the limit.
    TooLarge,
    /// To be opened it asks for more memory to look back in than allowed, however much it holds.
    Window {
        /// How many bytes it asks for.
        asked: u64,
        /// How many it may ask for.
        max: u64,
    },
    /// It is not what it says it is, or breaks off.
    Malformed,
}

impl Encoding {
    /// Reads the header `Content-Encoding`; `None` for one we do not take.
    pub fn parse(name: &str) -> Option<Encoding> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Encoding::Plain),
            "gzip" | "x-gzip" => Some(Encoding::Gzip),
            "zstd" => Some(Encoding::Zstd),
            _ => None,
        }
    }
}

/// Most memory a frame of Zstandard may ask for to look back in.
const WINDOW_MAX: u64 = 8 * 1024 * 1024;

/// The body itself, of at most `max` bytes.
pub fn inflate(body: &[u8], encoding: Encoding, max: usize) -> Result<Vec<u8>, InflateError> {
    match encoding {
        Encoding::Plain if body.len() > max => Err(InflateError::TooLarge),
        Encoding::Plain => Ok(body.to_vec()),
        Encoding::Gzip => {
            let mut out = Vec::new();
            bounded(MultiGzDecoder::new(body), &mut out, max)?;
            Ok(out)
        }
        Encoding::Zstd => frames(body, max),
    }
}

/// Frame after frame to the end of the body (RFC 8878, section 3), as `MultiGzDecoder` reads members:
/// what is behind one has to be another. The limit is for all of them together.
fn frames(body: &[u8], max: usize) -> Result<Vec<u8>, InflateError> {
    let mut rest = body;
    let mut out = Vec::new();
    loop {
        rest = match skipped(rest) {
            Some(bytes) => rest.get(bytes..).ok_or(InflateError::Malformed)?,
            None => frame(rest, &mut out, max)?,
        };
        if rest.is_empty() {
            return Ok(out);
        }
    }
}

/// How long the frame is that a body begins with, if it is one with nothing for a reader (section 3.1.2).
fn skipped(body: &[u8]) -> Option<usize> {
    let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = body else {
        return None;
    };
    let size = u32::from_le_bytes([*a, *b, *c, *d]);
    Some((size as usize).saturating_add(8))
}

/// Opens the frame a body begins with, and gives what is behind it.
fn frame<'a>(body: &'a [u8], out: &mut Vec<u8>, max: usize) -> Result<&'a [u8], InflateError> {
    let before = out.len();
    let head = Head::of(body).ok_or(InflateError::Malformed)?;
    match head {
        // Such a frame holds that much itself, and looks back over all of it.
        Head {
            size: Some(size),
            window: None,
        } if size > max.saturating_sub(before) as u64 => {
            return Err(InflateError::TooLarge);
        }
        Head { size, window } => {
            let asked = window.or(size).unwrap_or_default();
            if asked > WINDOW_MAX {
                let max = WINDOW_MAX;
                return Err(InflateError::Window { asked, max });
            }
        }
    }
    let mut rest = body;
    let mut decoder = StreamingDecoder::new(&mut rest).map_err(|_| InflateError::Malformed)?;
    bounded(&mut decoder, out, max)?;
    let decoder = decoder.into_frame_decoder();
    // The decoder reads both sums and leaves it to us to compare them.
    let sum = decoder.get_checksum_from_data();
    let is_whole = sum.is_none() || sum == decoder.get_calculated_checksum();
    let held = (out.len() - before) as u64;
    if !is_whole || head.size.is_some_and(|size| size != held) {
        return Err(InflateError::Malformed);
    }
    Ok(rest)
}

/// What the header of a frame of Zstandard says (RFC 8878, section 3.1.1.1).
#[derive(Clone, Copy)]
struct Head {
    /// How many bytes it holds, where it says so.
    size: Option<u64>,
    /// How far it looks back; `None` where that is all it holds.
    window: Option<u64>,
}

impl Head {
    fn of(frame: &[u8]) -> Option<Head> {
        let rest = frame.strip_prefix(&[0x28, 0xb5, 0x2f, 0xfd])?;
        let (&descriptor, mut rest) = rest.split_first()?;
        // Kept for later forms of frames, which nobody here could read.
        if descriptor & 0x08 != 0 {
            return None;
        }
        let mut window = None;
        if descriptor & 0x20 == 0 {
            let (&byte, behind) = rest.split_first()?;
            let base = 1_u64 << (10 + (byte >> 3));
            window = Some(base + (base / 8) * u64::from(byte & 7));
            rest = behind;
        }
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let (bytes, more) = match (descriptor >> 6, window) {
            (0, Some(_)) => return Some(Head { size: None, window }),
            (0, None) => (1, 0),
            (1, _) => (2, 256),
            (2, _) => (4, 0),
            _ => (8, 0),
        };
        let mut size = [0; 8];
        size[..bytes].copy_from_slice(rest.get(dictionary..dictionary + bytes)?);
        let size = Some(u64::from_le_bytes(size).saturating_add(more));
        Some(Head { size, window })
    }
}

/// Adds what a reader has, until all of it is more than `max` bytes.
fn bounded(reader: impl Read, out: &mut Vec<u8>, max: usize) -> Result<(), InflateError> {
    let room = max.saturating_sub(out.len()) as u64;
    let read = reader.take(room + 1).read_to_end(out);
    // What is too large is that first: it may well be broken behind the limit.
    if out.len() > max {
        return Err(InflateError::TooLarge);
    }
    read.map_err(|_| InflateError::Malformed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let text = "罐 tin ".repeat(1000);
        for (body, encoding) in [
            (text.clone().into_bytes(), Encoding::Plain),
            (gzip(text.as_bytes()), Encoding::Gzip),
            (zstd(text.as_bytes()), Encoding::Zstd),
        ] {
            let got = inflate(&body, encoding, text.len()).unwrap();
            assert_eq!(got, text.as_bytes(), "{encoding:?}");
        }
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let zeros = vec![0; 64 * 1024 * 1024];
        for (bomb, encoding) in [
            (gzip(&zeros), Encoding::Gzip),
            (zstd(&zeros), Encoding::Zstd),
        ] {
            assert!(bomb.len() < 1024 * 1024);
            let got = inflate(&bomb, encoding, 1000);
            assert_eq!(got, Err(InflateError::TooLarge), "{encoding:?}");
        }
    }

    #[test]
    fn a_frame_refused_for_its_window_says_so_and_is_not_called_too_large() {
        let body = zstd(b"small");
        assert_eq!(body[4] & 0x20, 0, "it tells its window");
        let mut greedy = body.clone();
        // 2^(10 + 14): 16 MiB.
        greedy[5] = 14 << 3;
        let refused = InflateError::Window {
            asked: 1 << 24,
            max: WINDOW_MAX,
        };
        assert_eq!(inflate(&greedy, Encoding::Zstd, 1000), Err(refused));
        // All of it in one: how much it looks back is how much it holds.
        let whole = [&[0x28, 0xb5, 0x2f, 0xfd, 0xa0][..], &[0, 0, 0, 2]].concat();
        assert_eq!(
            inflate(&whole, Encoding::Zstd, 1000),
            Err(InflateError::TooLarge)
        );
    }

    #[test]
    fn broken_bodies_are_told_from_large_ones() {
        let text = b"some text that is long enough to be cut".repeat(20);
        for (body, encoding) in [(gzip(&text), Encoding::Gzip), (zstd(&text), Encoding::Zstd)] {
            for cut in 0..body.len() {
                let got = inflate(&body[..cut], encoding, 1 << 20);
                assert_eq!(got, Err(InflateError::Malformed), "{encoding:?} {cut}");
            }
            for at in 0..body.len() {
                let mut bent = body.clone();
                bent[at] ^= 0xff;
                let _ = inflate(&bent, encoding, 1 << 20);
            }
            let got = inflate(b"not compressed at all", encoding, 1 << 20);
            assert_eq!(got, Err(InflateError::Malformed));
        }
    }

    /// What the program `zstd` 1.5.4 makes of a file (all of it one segment) and of a pipe (with a
    /// window), both with a sum; and `gzip`.
    const FIRST: &str = "{\"v\":1,\"events\":[\"first\"]}";
    const ZSTD_FIRST: &str =
        "28b52ffd241ad100007b2276223a312c226576656e7473223a5b226669727374225d7d314f6576";
    const GZIP_FIRST: &str = "1f8b0800000000000203ab562a53b232d4514a2d4bcd2b2956b28a564acb2c2a2e51\
         8aad0500db9ffd5a1a000000";
    const SECOND: &str = "second, and second, and second, and second";
    const ZSTD_SECOND: &str = "28b52ffd0458950000607365636f6e642c20616e64200100174b120847d921";
    const GZIP_SECOND: &str =
        "1f8b08000000000002032b4e4dcecf4bd15148cc4b5128c6cb0600d33f46ae2a000000";
    /// The first without a sum.
    const ZSTD_UNSUMMED: &str =
        "28b52ffd201ad100007b2276223a312c226576656e7473223a5b226669727374225d7d";
    /// Five bytes that no reader is meant to see (RFC 8878, section 3.1.2).
    const SKIPPED: &str = "5f2a4d1805000000ffffffffff";

    fn bytes(hex: &[&str]) -> Vec<u8> {
        let hex = hex.concat();
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn frames_and_members_one_behind_the_other_are_one_body() {
        let both = format!("{FIRST}{SECOND}");
        for (body, encoding, text) in [
            (vec![ZSTD_FIRST], Encoding::Zstd, FIRST),
            (vec![ZSTD_SECOND], Encoding::Zstd, SECOND),
            (vec![ZSTD_FIRST, ZSTD_SECOND], Encoding::Zstd, &both),
            (vec![ZSTD_UNSUMMED, ZSTD_SECOND], Encoding::Zstd, &both),
            (
                vec![SKIPPED, ZSTD_FIRST, SKIPPED, ZSTD_SECOND, SKIPPED],
                Encoding::Zstd,
                &both,
            ),
            (vec![SKIPPED], Encoding::Zstd, ""),
            (vec![GZIP_FIRST], Encoding::Gzip, FIRST),
            (vec![GZIP_FIRST, GZIP_SECOND], Encoding::Gzip, &both),
        ] {
            let whole = bytes(&body);
            let got = inflate(&whole, encoding, text.len());
            assert_eq!(got.as_deref(), Ok(text.as_bytes()), "{body:?}");
            if !text.is_empty() {
                // The limit is for all of them together.
                let less = inflate(&whole, encoding, text.len() - 1);
                assert_eq!(less, Err(InflateError::TooLarge), "{body:?}");
            }
            for cut in (0..whole.len()).filter(|cut| !is_an_end(&body, *cut)) {
                let got = inflate(&whole[..cut], encoding, 1000);
                assert_eq!(got, Err(InflateError::Malformed), "{body:?} {cut}");
            }
            // What is left behind the last is none of it, be it a zero.
            for junk in [
                "00",
                "28",
                "28b52ffd",
                "1f8b08",
                "5f2a4d18",
                "5f2a4d18010000",
            ] {
                let mut more = whole.clone();
                more.extend(bytes(&[junk]));
                let got = inflate(&more, encoding, 1000);
                assert_eq!(got, Err(InflateError::Malformed), "{body:?} {junk}");
            }
        }
    }

    /// Does one of these end there?
    fn is_an_end(parts: &[&str], at: usize) -> bool {
        let ends = parts.iter().scan(0, |end, part| {
            *end += part.len() / 2;
            Some(*end)
        });
        ends.into_iter().any(|end| end == at)
    }

    #[test]
    fn a_bit_that_turned_on_the_way_gives_no_other_body() {
        for (body, encoding) in [
            (vec![ZSTD_FIRST], Encoding::Zstd),
            (vec![ZSTD_FIRST, ZSTD_SECOND], Encoding::Zstd),
            (vec![GZIP_FIRST, GZIP_SECOND], Encoding::Gzip),
        ] {
            let whole = bytes(&body);
            let text = inflate(&whole, encoding, 1000).unwrap();
            for at in 0..whole.len() * 8 {
                let mut bent = whole.clone();
                bent[at / 8] ^= 1 << (at % 8);
                // Some bits say nothing of what is in it: when a member was made, for one.
                if let Ok(got) = inflate(&bent, encoding, 1000) {
                    assert_eq!(got, text, "{encoding:?} {at}");
                }
            }
        }
    }

    #[test]
    fn a_frame_holds_as_much_as_it_says() {
        for size in ["19", "1b"] {
            let other = ZSTD_UNSUMMED.replacen("fd201a", &format!("fd20{size}"), 1);
            let got = inflate(&bytes(&[&other]), Encoding::Zstd, 1000);
            assert_eq!(got, Err(InflateError::Malformed), "{size}");
        }
    }

    #[test]
    fn many_small_frames_are_no_bomb() {
        // An empty last block each: 9 bytes for nothing at all.
        let empty = bytes(&["28b52ffd2000010000"]);
        let body = empty.repeat((1 << 20) / empty.len());
        let begun = std::time::Instant::now();
        assert_eq!(inflate(&body, Encoding::Zstd, 1000), Ok(Vec::new()));
        // A quarter of a second where nothing is optimized.
        let took = begun.elapsed();
        assert!(took < std::time::Duration::from_secs(10), "{took:?}");
    }

    #[test]
    fn encodings_we_take_are_three() {
        assert_eq!(Encoding::parse(""), Some(Encoding::Plain));
        assert_eq!(Encoding::parse("GZIP"), Some(Encoding::Gzip));
        assert_eq!(Encoding::parse("zstd"), Some(Encoding::Zstd));
        assert_eq!(Encoding::parse("br"), None);
        assert_eq!(Encoding::parse("gzip, gzip"), None);
    }
}
