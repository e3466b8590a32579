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
        Encoding::Gzip => bounded(MultiGzDecoder::new(body), max),
        Encoding::Zstd => {
            match window(body).ok_or(InflateError::Malformed)? {
                // Such a frame holds that much itself.
                (size, true) if size > max as u64 => return Err(InflateError::TooLarge),
                (asked, _) if asked > WINDOW_MAX => {
                    let max = WINDOW_MAX;
                    return Err(InflateError::Window { asked, max });
                }
                _ => {}
            }
            let decoder = StreamingDecoder::new(body).map_err(|_| InflateError::Malformed)?;
            bounded(decoder, max)
        }
    }
}

/// How far a frame of Zstandard looks back, from its header (RFC 8878, section 3.1.1.1), and whether
/// that is just all it holds.
fn window(frame: &[u8]) -> Option<(u64, bool)> {
    let rest = frame.strip_prefix(&[0x28, 0xb5, 0x2f, 0xfd])?;
    let (&descriptor, rest) = rest.split_first()?;
    let single_segment = descriptor & 0x20 != 0;
    if !single_segment {
        let &byte = rest.first()?;
        let base = 1_u64 << (10 + (byte >> 3));
        return Some((base + (base / 8) * u64::from(byte & 7), false));
    }
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let (size, more) = [(1, 0), (2, 256), (4, 0), (8, 0)][usize::from(descriptor >> 6)];
    let field = rest.get(dictionary..dictionary + size)?;
    let mut bytes = [0; 8];
    bytes[..size].copy_from_slice(field);
    Some((u64::from_le_bytes(bytes).saturating_add(more), true))
}

fn bounded(reader: impl Read, max: usize) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    let read = reader.take(max as u64 + 1).read_to_end(&mut out);
    // What is too large is that first: it may well be broken behind the limit.
    if out.len() > max {
        return Err(InflateError::TooLarge);
    }
    read.map_err(|_| InflateError::Malformed)?;
    Ok(out)
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
            for cut in 0..body.len() - 1 {
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

    #[test]
    fn encodings_we_take_are_three() {
        assert_eq!(Encoding::parse(""), Some(Encoding::Plain));
        assert_eq!(Encoding::parse("GZIP"), Some(Encoding::Gzip));
        assert_eq!(Encoding::parse("zstd"), Some(Encoding::Zstd));
        assert_eq!(Encoding::parse("br"), None);
        assert_eq!(Encoding::parse("gzip, gzip"), None);
    }
}
