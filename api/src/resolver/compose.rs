//! Splices what differs per unit into a rendered view: one allocation, a few copies. Compressed
//! bodies are spliced too: fixed parts were compressed once, slots go in as stored blocks. Several
//! views may stand in one body, with text between them.

use super::view::{Part, Slot, View};
use bytes::{BufMut, Bytes, BytesMut};

/// The texts of one unit, already escaped for the format of the view.
pub struct Fillings<'a> {
    /// For [`Slot::Code`].
    pub code: &'a str,
    /// For [`Slot::Own`].
    pub own: &'a str,
    /// For [`Slot::Queries`].
    pub queries: &'a str,
    /// For [`Slot::AsOf`].
    pub as_of: &'a str,
    /// For [`Slot::Gtin`].
    pub gtin: &'a str,
}

impl Fillings<'_> {
    fn of(&self, slot: Slot) -> &[u8] {
        match slot {
            Slot::Code => self.code,
            Slot::Own => self.own,
            Slot::Queries => self.queries,
            Slot::AsOf => self.as_of,
            Slot::Gtin => self.gtin,
        }
        .as_bytes()
    }
}

/// A body in the making, of views and what stands between them.
pub trait Write: Default {
    /// Text as it is.
    fn text(&mut self, text: &[u8]);
    /// A view with its slots filled.
    fn view(&mut self, view: &View, fillings: &Fillings<'_>);
    /// The body.
    fn finish(self) -> Bytes;
}

/// A body as it is.
#[derive(Default)]
pub struct Plain(BytesMut);

impl Write for Plain {
    fn text(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }

    fn view(&mut self, view: &View, fillings: &Fillings<'_>) {
        let size = view
            .parts
            .iter()
            .map(|part| match part {
                Part::Fixed(fixed) => fixed.plain.len(),
                Part::Slot(slot) => fillings.of(*slot).len(),
            })
            .sum();
        self.0.reserve(size);
        for part in &view.parts {
            match part {
                Part::Fixed(fixed) => self.0.put_slice(&fixed.plain),
                Part::Slot(slot) => self.0.put_slice(fillings.of(*slot)),
            }
        }
    }

    fn finish(self) -> Bytes {
        self.0.freeze()
    }
}

/// A body as gzip (RFC 1952).
#[derive(Default)]
pub struct Gzip {
    out: BytesMut,
    crc: crc32fast::Hasher,
    length: usize,
}

/// What comes before the blocks, and after.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
const GZIP_TAIL: usize = 13;

impl Write for Gzip {
    fn text(&mut self, text: &[u8]) {
        if self.out.is_empty() {
            self.out.put_slice(&GZIP_HEAD);
        }
        for block in text.chunks(0xffff) {
            let len = u16::try_from(block.len()).unwrap_or(u16::MAX);
            self.out.put_u8(0);
            self.out.put_u16_le(len);
            self.out.put_u16_le(!len);
            self.out.put_slice(block);
        }
        self.crc.update(text);
        self.length += text.len();
    }

    fn view(&mut self, view: &View, fillings: &Fillings<'_>) {
        let size: usize = view
            .parts
            .iter()
            .map(|part| match part {
                Part::Fixed(fixed) => fixed.deflated.len(),
                Part::Slot(slot) => fillings.of(*slot).len() + 5,
            })
            .sum();
        self.out.reserve(size + GZIP_HEAD.len() + GZIP_TAIL);
        if self.out.is_empty() {
            self.out.put_slice(&GZIP_HEAD);
        }
        for part in &view.parts {
            match part {
                Part::Fixed(fixed) => {
                    self.out.put_slice(&fixed.deflated);
                    self.crc.combine(&fixed.crc);
                    self.length += fixed.plain.len();
                }
                Part::Slot(slot) => self.text(fillings.of(*slot)),
            }
        }
    }

    fn finish(mut self) -> Bytes {
        if self.out.is_empty() {
            self.out.put_slice(&GZIP_HEAD);
        }
        self.out.put_slice(&[1, 0, 0, 0xff, 0xff]);
        self.out.put_u32_le(self.crc.finalize());
        self.out.put_u32_le(self.length as u32);
        self.out.freeze()
    }
}

/// The body of one view as it is.
pub fn plain(view: &View, fillings: &Fillings<'_>) -> Bytes {
    let mut out = Plain::default();
    out.view(view, fillings);
    out.finish()
}

/// The body of one view as gzip.
pub fn gzip(view: &View, fillings: &Fillings<'_>) -> Bytes {
    let mut out = Gzip::default();
    out.view(view, fillings);
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::slot;
    use proptest::prelude::*;
    use std::io::Read;

    proptest! {
        #[test]
        fn gzip_and_plain_say_the_same(
            fixed in prop::collection::vec("[a-z<>婴\u{E000}\u{E001}\u{E002}\u{E003}\u{E004}]{0,200}", 0..5),
            code in ".{0,40}", queries in ".{0,300}",
        ) {
            let view = View::from_text(&fixed.concat());
            let fillings = Fillings { code: &code, own: "/p/x", queries: &queries, as_of: "now",
                gtin: "\"gtin\":\"09521234000013\"," };
            let plain = plain(&view, &fillings);
            let packed = gzip(&view, &fillings);
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
            prop_assert_eq!(&back[..], &plain[..]);
        }
    }

    #[test]
    fn several_views_stand_in_one_body() {
        fn all<W: Write>() -> Bytes {
            let view = View::from_text(&format!("[{}]", slot::CODE));
            let mut out = W::default();
            out.text(b"<");
            for code in ["a", "婴"] {
                let fillings = Fillings {
                    code,
                    own: "",
                    queries: "",
                    as_of: "",
                    gtin: "",
                };
                out.view(&view, &fillings);
            }
            out.text(b"");
            out.text(b">");
            out.finish()
        }
        assert_eq!(&all::<Plain>()[..], "<[a][婴]>".as_bytes());
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&all::<Gzip>()[..])
            .read_to_end(&mut back)
            .unwrap();
        assert_eq!(back, all::<Plain>());
        let nothing = Gzip::default().finish();
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&nothing[..])
            .read_to_end(&mut back)
            .unwrap();
        assert!(back.is_empty());
    }

    #[test]
    fn slots_are_filled_in_place() {
        let view = View::from_text(&format!("[{}|{}]", slot::CODE, slot::AS_OF));
        let fillings = Fillings {
            code: "c",
            own: "o",
            queries: "q",
            as_of: "t",
            gtin: "",
        };
        assert_eq!(&plain(&view, &fillings)[..], b"[c|t]");
    }
}
