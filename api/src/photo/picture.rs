//! From bytes of a stranger to grey levels, or a refusal: told by the first bytes, measured by
//! the header, and only then decoded, within a bound of memory. Pure.

use super::grey::Grey;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use serde::{Deserialize, Serialize};
use std::io::Cursor;

/// Most pixels a side.
pub const SIDE_MAX: u32 = 4096;
/// Most pixels: 4096 × 3072, what twelve-megapixel cameras deliver.
pub const PIXELS_MAX: u64 = 4096 * 3072;
/// Most bytes a decoder may take: a picture of the largest size at 16 bits a channel, and as much
/// again for what the decoder keeps beside it.
const DECODER_MAX: u64 = 192 * 1024 * 1024;

/// Why a picture is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// No PNG, JPEG or WebP.
    NotAPicture,
    /// Too wide, too high, or too many pixels.
    TooManyPixels,
    /// Begins like a picture, but cannot be decoded.
    Unreadable,
}

/// Decodes a picture.
pub fn grey(bytes: &[u8]) -> Result<Grey, Fault> {
    let format = format(bytes).ok_or(Fault::NotAPicture)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODER_MAX);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|e| fault(&e))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if width > SIDE_MAX || height > SIDE_MAX || pixels > PIXELS_MAX {
        return Err(Fault::TooManyPixels);
    }
    let picture = DynamicImage::from_decoder(decoder).map_err(|e| fault(&e))?;
    let levels = picture.into_luma8().into_raw();
    let (width, height) = (width as usize, height as usize);
    if pixels == 0 || levels.len() != width * height {
        return Err(Fault::Unreadable);
    }
    Ok(Grey {
        width,
        height,
        levels,
    })
}

fn fault(error: &ImageError) -> Fault {
    match error {
        ImageError::Limits(_) => Fault::TooManyPixels,
        _ => Fault::Unreadable,
    }
}

/// What the first bytes say. Names and media types are the sender's to choose.
fn format(bytes: &[u8]) -> Option<ImageFormat> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(ImageFormat::Png)
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some(ImageFormat::Jpeg)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(ImageFormat::WebP)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height)
            .write_to(&mut out, format)
            .unwrap();
        out.into_inner()
    }

    #[test]
    fn three_formats_are_read_and_told_by_their_bytes() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let grey = grey(&encoded(30, 20, format)).unwrap();
            assert_eq!((grey.width, grey.height), (30, 20), "{format:?}");
        }
        for other in [&b"GIF89a"[..], b"<svg/>", b"BM", b"", b"RIFF....WAVE"] {
            assert_eq!(grey(other).unwrap_err(), Fault::NotAPicture);
        }
    }

    #[test]
    fn a_size_is_refused_before_a_pixel_is_decoded() {
        // The header alone: everything after it is missing.
        let mut huge = encoded(1, 1, ImageFormat::Png);
        huge[16..20].copy_from_slice(&60_000u32.to_be_bytes());
        huge[20..24].copy_from_slice(&60_000u32.to_be_bytes());
        let crc = crc32fast::hash(&huge[12..29]);
        huge[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(grey(&huge).unwrap_err(), Fault::TooManyPixels);
        for (width, height, fits) in [(4096, 3072, true), (4097, 1, false), (4000, 3200, false)] {
            let read = grey(&encoded(width, height, ImageFormat::Png));
            assert_eq!(read.is_ok(), fits, "{width} × {height}");
        }
    }

    #[test]
    fn what_is_cut_off_is_a_refusal_or_a_picture_never_a_panic() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let whole = encoded(64, 64, format);
            for end in 0..whole.len() {
                let _ = grey(&whole[..end]);
            }
        }
    }
}
