//! Where a text belongs that cannot be read as an event: whatever can still be made out of it.
//!
//! For T7 (a later program's event waits under its own place) and for showing people which event
//! a broken text was. It never refuses: bytes that are no JSON, no UTF-8 or nest a million deep
//! give what stood before the fault.

use super::{halves, read::read_uuid};
use crate::ids::{DeviceId, Epoch, EventId};
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::fmt;

/// The first names of an event, each if it can be made out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Its version.
    pub v: Option<u64>,
    /// Its kind, known or not; at most 64 bytes.
    pub kind: Option<String>,
    /// Its id.
    pub event_id: Option<EventId>,
    /// Whose it says it is.
    pub device: Option<DeviceId>,
    /// Of which life.
    pub epoch: Option<Epoch>,
    /// Its number, even one that is too great for an event.
    pub seq: Option<u64>,
    /// Was all of the text one JSON object?
    pub whole: bool,
}

const SHORT_BYTES_MAX: usize = 64;

impl Header {
    /// Makes out what it can.
    pub fn read(bytes: &[u8]) -> Header {
        let mended = std::str::from_utf8(bytes).map(halves::replaced);
        let bytes = mended.as_ref().map_or(bytes, |text| text.as_bytes());
        let mut header = Header::default();
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let read = Fill(&mut header).deserialize(&mut json);
        header.whole = read.is_ok() && json.end().is_ok();
        header
    }

    fn take(&mut self, name: &str, said: Said) {
        match (name, said) {
            ("v", Said::Number(v)) => first(&mut self.v, Some(v)),
            ("epoch", Said::Number(n)) => {
                first(&mut self.epoch, Epoch::try_from(n).ok().filter(|&n| n > 0));
            }
            ("seq", Said::Number(n)) => first(&mut self.seq, Some(n)),
            ("kind", Said::Text(kind)) => first(&mut self.kind, Some(kind)),
            ("event_id", Said::Text(id)) => first(&mut self.event_id, read_uuid(&id).map(EventId)),
            ("device", Said::Text(id)) => first(&mut self.device, read_uuid(&id).map(DeviceId)),
            _ => {}
        }
    }
}

/// Fills a header; what was filled stays when the text breaks off. The first of two wins.
struct Fill<'h>(&'h mut Header);

impl<'de> DeserializeSeed<'de> for Fill<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // A value counts once the text goes on behind it: a number may have been cut short.
        let mut before: Option<(String, Said)> = None;
        loop {
            let name = map.next_key::<String>()?;
            if let Some((name, said)) = before.take() {
                self.0.take(&name, said);
            }
            let Some(name) = name else {
                return Ok(());
            };
            before = Some((name, map.next_value_seed(Scalar)?));
        }
    }
}

fn first<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// A number or a short text; everything else is passed over without being kept.
struct Scalar;

enum Said {
    Number(u64),
    Text(String),
    Other,
}

impl<'de> DeserializeSeed<'de> for Scalar {
    type Value = Said;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Said, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalar {
    type Value = Said;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Said, E> {
        Ok(Said::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Said, E> {
        Ok(if text.len() <= SHORT_BYTES_MAX {
            Said::Text(text.to_owned())
        } else {
            Said::Other
        })
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Said, E> {
        Ok(Said::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Said, E> {
        Ok(Said::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Said, E> {
        Ok(Said::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Said, E> {
        Ok(Said::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Said, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Said::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Said, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Said::Other)
    }
}
