//! QR symbols (GB/T 18284) as drawing and as pixels. Knows no code: it is given a text.

use fast_qr::{
    ECL, QRBuilder, QRCode,
    convert::{Builder, svg::SvgBuilder},
};
use image::{ExtendedColorType, ImageEncoder, ImageError, codecs::png::PngEncoder};

/// Most pixels a side of a module.
pub const SCALE_MAX: u32 = 32;

/// Modules of light around a symbol: its quiet zone.
const QUIET: usize = 4;

/// The symbol of a text, error correction level M; `None` when the text is too long for one.
pub fn of(text: &str) -> Option<QRCode> {
    QRBuilder::new(text).ecl(ECL::M).build().ok()
}

/// As SVG.
pub fn svg(qr: &QRCode) -> String {
    SvgBuilder::default().margin(QUIET).to_str(qr)
}

/// As PNG, eight bits of grey, `scale` pixels a side of each module.
pub fn png(qr: &QRCode, scale: u32) -> Result<Vec<u8>, ImageError> {
    let scale = scale.clamp(1, SCALE_MAX) as usize;
    let side = (qr.size + 2 * QUIET) * scale;
    let dark = |x: usize, y: usize| {
        let module = |at: usize| (at / scale).checked_sub(QUIET).filter(|at| *at < qr.size);
        module(x)
            .zip(module(y))
            .is_some_and(|(x, y)| qr[y][x].value())
    };
    let mut pixels = Vec::with_capacity(side * side);
    for y in 0..side {
        pixels.extend((0..side).map(|x| if dark(x, y) { 0 } else { 255 }));
    }
    let mut out = Vec::new();
    let side = side as u32;
    PngEncoder::new(&mut out).write_image(&pixels, side, side, ExtendedColorType::L8)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(png: &[u8]) -> String {
        let picture = image::load_from_memory(png).unwrap().to_luma8();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            picture.get_pixel(x as u32, y as u32).0[0]
        });
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_drawn_code_is_read_back_at_every_scale() {
        let url = "https://id.example.cn/01/06901234567892/10/L7/21/08XMJXKPPS0Z7B?17=270331";
        let qr = of(url).unwrap();
        for scale in [2, 3, 8, SCALE_MAX] {
            let png = png(&qr, scale).unwrap();
            assert_eq!(read_back(&png), url, "{scale}");
            let side = image::load_from_memory(&png).unwrap().width();
            assert_eq!(side as usize, (qr.size + 8) * scale as usize);
        }
    }

    #[test]
    fn the_longest_text_makes_a_picture_of_known_size_and_a_longer_one_none() {
        assert!(of(&"a".repeat(3000)).is_none());
        let qr = of(&"a".repeat(2300)).unwrap();
        let picture = image::load_from_memory(&png(&qr, u32::MAX).unwrap()).unwrap();
        assert_eq!(picture.width(), (177 + 8) * SCALE_MAX);
    }
}
