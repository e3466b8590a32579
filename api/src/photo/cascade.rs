//! The codes in a picture: decoders and ways to improve the picture, cheapest first. rxing on the
//! stretched, the smaller and the smoothed picture always runs, so that several codes of
//! different quality are all read; the slower steps run only while nothing was found. What the
//! steps gain is measured by `suyuan-loadtest photo`.

use super::{CODES_MAX, grey::Grey};
use rxing::{
    BarcodeFormat, BinaryBitmap, DecodeHints, Luma8Source, common::HybridBinarizer,
    multi::MultipleBarcodeReader, qrcode::cpp_port::QrReader,
};
use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Slow steps look at no more pixels: a larger picture is shrunk for them.
const SLOW_MAX: usize = 2 * 1024 * 1024;
/// A picture of no more pixels is doubled.
const DOUBLED_MAX: usize = 1024 * 1024;
/// Shrunk no further than to this many pixels.
const SHRUNK_MIN: usize = 64 * 1024;

/// Texts of the QR codes in a picture, each told once, at most [`CODES_MAX`]. `late` is asked
/// between steps and ends the search.
pub fn read(picture: &Grey, late: impl Fn() -> bool, tell: impl FnMut(&str)) {
    let mut search = Search {
        found: Vec::new(),
        late,
        tell,
    };
    let clear = picture.stretched();
    search.with(|| rxing(&clear));
    let mut smaller = clear.shrunk(2);
    while smaller.pixels() >= SHRUNK_MIN {
        search.with(|| rxing(&smaller));
        smaller = smaller.shrunk(2);
    }
    search.with(|| rxing(&clear.smoothed()));

    let by = (1..8).find(|by| picture.pixels() / (by * by) <= SLOW_MAX);
    let picture = picture.shrunk(by.unwrap_or(8));
    let clear = picture.stretched();
    let small = picture.pixels() <= DOUBLED_MAX;
    search.or(|| rqrr(&picture));
    if small {
        search.or(|| rxing(&clear.doubled()));
    }
    search.or(|| rqrr_black(&picture.thresholded(61)));
    search.or(|| rqrr(&clear.sharpened()));
    if small {
        search.or(|| rqrr_black(&picture.doubled().thresholded(121)));
        search.or(|| rqrr(&clear.doubled().sharpened()));
    }
}

struct Search<Late, Tell> {
    found: Vec<String>,
    late: Late,
    tell: Tell,
}

impl<Late: Fn() -> bool, Tell: FnMut(&str)> Search<Late, Tell> {
    /// One step. Decoders panic on some pictures: that step then found nothing.
    fn with(&mut self, step: impl Fn() -> Vec<String>) {
        if self.found.len() >= CODES_MAX || (self.late)() {
            return;
        }
        for text in catch_unwind(AssertUnwindSafe(step)).unwrap_or_default() {
            if self.found.len() < CODES_MAX && !self.found.contains(&text) {
                (self.tell)(&text);
                self.found.push(text);
            }
        }
    }

    /// One step, if nothing was found before.
    fn or(&mut self, step: impl Fn() -> Vec<String>) {
        if self.found.is_empty() {
            self.with(step);
        }
    }
}

fn rxing(picture: &Grey) -> Vec<String> {
    let hints = DecodeHints {
        TryHarder: Some(true),
        PossibleFormats: Some(HashSet::from([BarcodeFormat::QR_CODE])),
        ..DecodeHints::default()
    };
    let (width, height) = (picture.width as u32, picture.height as u32);
    let Ok(source) = Luma8Source::new_with_slice(&picture.levels, width, height) else {
        return Vec::new();
    };
    let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source));
    let read = QrReader.decode_multiple_with_hints(&mut bitmap, &hints);
    let read = read.unwrap_or_default();
    read.iter().map(|code| code.getText().to_owned()).collect()
}

/// With rqrr's own threshold.
fn rqrr(picture: &Grey) -> Vec<String> {
    let level = |x: usize, y: usize| picture.levels[y * picture.width + x];
    let (width, height) = (picture.width, picture.height);
    texts(&rqrr::PreparedImage::prepare_from_greyscale(width, height, level).detect_grids())
}

/// A picture that is black and white already.
fn rqrr_black(picture: &Grey) -> Vec<String> {
    let black = |x: usize, y: usize| picture.levels[y * picture.width + x] < 128;
    let (width, height) = (picture.width, picture.height);
    texts(&rqrr::PreparedImage::prepare_from_bitmap(width, height, black).detect_grids())
}

fn texts(grids: &[rqrr::Grid<impl rqrr::BitGrid>]) -> Vec<String> {
    let read = grids.iter().filter_map(|grid| {
        let mut bytes = Vec::new();
        grid.decode_to(&mut bytes).ok()?;
        String::from_utf8(bytes).ok()
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by drawing finder patterns in strong perspective over noise, a few hundred thousand
    /// times.
    #[test]
    fn a_picture_on_which_a_decoder_panics_only_holds_no_code() {
        let bomb = super::super::picture::grey(include_bytes!("panics.png")).unwrap();
        assert!(
            catch_unwind(|| rqrr(&bomb)).is_err(),
            "rqrr was mended: find another picture"
        );
        let mut found = Vec::new();
        read(&bomb, || false, |text| found.push(text.to_owned()));
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_search_that_is_late_takes_no_further_step() {
        let blank = Grey {
            width: 100,
            height: 100,
            levels: vec![255; 10_000],
        };
        let asked = std::cell::Cell::new(0);
        let late = || {
            asked.set(asked.get() + 1);
            asked.get() > 2
        };
        let mut search = Search {
            found: Vec::new(),
            late,
            tell: |_: &str| {},
        };
        let steps = std::cell::Cell::new(0);
        for _ in 0..5 {
            search.or(|| {
                steps.set(steps.get() + 1);
                Vec::new()
            });
        }
        assert_eq!(steps.get(), 2);
        read(&blank, || true, |_| panic!("late from the start"));
    }

    #[test]
    fn no_more_codes_are_told_than_agreed() {
        let mut told = 0;
        let mut search = Search {
            found: Vec::new(),
            late: || false,
            tell: |_: &str| told += 1,
        };
        search.with(|| (0..100).map(|n| (n / 2).to_string()).collect());
        search.with(|| vec!["one more".into()]);
        assert_eq!(search.found.len(), CODES_MAX);
        assert_eq!(told, CODES_MAX);
    }
}
