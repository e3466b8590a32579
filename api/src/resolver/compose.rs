//! Splices what differs per unit into a rendered view: one allocation, a few copies. Compressed
//! bodies are spliced too: fixed parts were compressed once, slots go in as stored blocks.

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
}

impl Fillings<'_> {
    fn of(&self, slot: Slot) -> &[u8] {
        match slot {
            Slot::Code => self.code,
            Slot::Own => self.own,
            Slot::Queries => self.queries,
            Slot::AsOf => self.as_of,
        }
        .as_bytes()
    }
}

/// The body as it is.
pub fn plain(view: &View, fillings: &Fillings<'_>) -> Bytes {
    let size = view
        .parts
        .iter()
        .map(|part| match part {
            Part::Fixed(fixed) => fixed.plain.len(),
            Part::Slot(slot) => fillings.of(*slot).len(),
        })
        .sum();
    let mut out = BytesMut::with_capacity(size);
    for part in &view.parts {
        match part {
            Part::Fixed(fixed) => out.put_slice(&fixed.plain),
            Part::Slot(slot) => out.put_slice(fillings.of(*slot)),
        }
    }
    out.freeze()
}

/// The body as gzip (RFC 1952).
pub fn gzip(view: &View, fillings: &Fillings<'_>) -> Bytes {
    let size: usize = view
        .parts
        .iter()
        .map(|part| match part {
            Part::Fixed(fixed) => fixed.deflated.len(),
            Part::Slot(slot) => fillings.of(*slot).len() + 5,
        })
        .sum();
    let mut out = BytesMut::with_capacity(size + 23);
    out.put_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    let mut crc = crc32fast::Hasher::new();
    let mut length = 0usize;
    for part in &view.parts {
        match part {
            Part::Fixed(fixed) => {
                out.put_slice(&fixed.deflated);
                crc.combine(&fixed.crc);
                length += fixed.plain.len();
            }
            Part::Slot(slot) => {
                let text = fillings.of(*slot);
                for block in text.chunks(0xffff) {
                    let len = u16::try_from(block.len()).unwrap_or(u16::MAX);
                    out.put_u8(0);
                    out.put_u16_le(len);
                    out.put_u16_le(!len);
                    out.put_slice(block);
                }
                crc.update(text);
                length += text.len();
            }
        }
    }
    out.put_slice(&[1, 0, 0, 0xff, 0xff]);
    out.put_u32_le(crc.finalize());
    out.put_u32_le(length as u32);
    out.freeze()
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
            fixed in prop::collection::vec("[a-z<>婴\u{E000}\u{E001}\u{E002}\u{E003}]{0,200}", 0..5),
            code in ".{0,40}", queries in ".{0,300}",
        ) {
            let view = View::from_text(&fixed.concat());
            let fillings = Fillings { code: &code, own: "/p/x", queries: &queries, as_of: "now" };
            let plain = plain(&view, &fillings);
            let packed = gzip(&view, &fillings);
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
            prop_assert_eq!(&back[..], &plain[..]);
        }
    }

    #[test]
    fn slots_are_filled_in_place() {
        let view = View::from_text(&format!("[{}|{}]", slot::CODE, slot::AS_OF));
        let fillings = Fillings {
            code: "c",
            own: "o",
            queries: "q",
            as_of: "t",
        };
        assert_eq!(&plain(&view, &fillings)[..], b"[c|t]");
    }
}
