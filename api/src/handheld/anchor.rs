//! Anchors: the server's time, handed to a device with every answer and brought back with every
//! event (sync.md section 4). The device cannot read or make one; it keeps the greatest.
//!
//! An anchor is 16 hexadecimal digits of microseconds, then a code of authentication over instant,
//! device and epoch; greater anchors are greater texts. Knows no clock: whoever makes one says what
//! time it is and what position the answer was computed at.

use crate::{clock::Micros, sealing::Sealer};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::sync::Arc;
use suyuan_sync::bugs::{self, Bug};
use uuid::Uuid;

/// The header of an answer that is no JSON and has no room for its anchor elsewhere.
pub const ANCHOR_HEADER: &str = "suyuan-anchor";
/// Bytes of the code of authentication that are kept.
const TAG: usize = 16;
const DIGITS: usize = 16;

/// Makes and reads anchors of this installation.
#[derive(Clone)]
pub struct Anchors {
    key: Arc<hmac::Key>,
    installation: Uuid,
}

impl Anchors {
    /// With a key that follows from the master key: any process of the installation reads what
    /// another made.
    pub fn new(sealer: &Sealer, installation: Uuid) -> Anchors {
        Anchors {
            key: Arc::new(sealer.mac_key("anchor")),
            installation,
        }
    }

    /// An anchor for an answer computed at a log position with this `stamp`: strictly above it,
    /// and no earlier than `now`.
    pub fn issue(&self, device: Uuid, epoch: u32, stamp: Micros, now: Micros) -> String {
        let at = if bugs::on(Bug::AnchorEqualsStamp) {
            stamp
        } else {
            now.max(stamp.saturating_add(1))
        };
        let at = at.max(0);
        let tag = self.tag(device, epoch, at);
        format!("{at:016x}{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// The instant of an anchor that was issued to this device in this epoch.
    pub fn read(&self, device: Uuid, epoch: u32, anchor: &str) -> Option<Micros> {
        let (digits, tag) = anchor.split_at_checked(DIGITS)?;
        let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if !digits.bytes().all(plain) {
            return None;
        }
        let at = Micros::from_str_radix(digits, 16).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        let own = self.tag(device, epoch, at);
        aws_lc_rs::constant_time::verify_slices_are_equal(&own, &tag).ok()?;
        Some(at)
    }

    fn tag(&self, device: Uuid, epoch: u32, at: Micros) -> [u8; TAG] {
        let mut text = [0; 16 + 16 + 4 + 8];
        text[..16].copy_from_slice(self.installation.as_bytes());
        text[16..32].copy_from_slice(device.as_bytes());
        text[32..36].copy_from_slice(&epoch.to_be_bytes());
        text[36..].copy_from_slice(&at.to_be_bytes());
        let mut tag = [0; TAG];
        tag.copy_from_slice(&hmac::sign(&self.key, &text).as_ref()[..TAG]);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchors() -> Anchors {
        let sealer = Sealer::from_base64(&Sealer::generate().unwrap()).unwrap();
        Anchors::new(&sealer, Uuid::nil())
    }

    #[test]
    fn an_anchor_lies_strictly_above_the_stamp_even_when_the_clock_is_behind() {
        let (anchors, device) = (anchors(), Uuid::new_v4());
        for (stamp, now, expected) in [(500, 400, 501), (500, 500, 501), (500, 900, 900)] {
            let anchor = anchors.issue(device, 1, stamp, now);
            assert_eq!(anchors.read(device, 1, &anchor), Some(expected));
        }
    }

    #[test]
    fn an_anchor_is_good_for_its_device_and_epoch_only() {
        let (anchors, device) = (anchors(), Uuid::new_v4());
        let anchor = anchors.issue(device, 2, 5, 6);
        assert_eq!(anchors.read(device, 2, &anchor), Some(6));
        assert_eq!(anchors.read(device, 1, &anchor), None);
        assert_eq!(anchors.read(Uuid::new_v4(), 2, &anchor), None);
        assert_eq!(self::anchors().read(device, 2, &anchor), None);
    }

    #[test]
    fn any_other_text_is_no_anchor() {
        let (anchors, device) = (anchors(), Uuid::new_v4());
        let anchor = anchors.issue(device, 1, 5, 1_700_000_000_000_000);
        for at in 0..anchor.len() {
            let mut bent = anchor.clone().into_bytes();
            bent[at] = if bent[at] == b'1' { b'2' } else { b'1' };
            let bent = String::from_utf8(bent).unwrap();
            // The last character carries bits that the code does not use.
            assert_eq!(anchors.read(device, 1, &bent), None, "{bent}");
        }
        for text in [
            "",
            "0",
            &"f".repeat(38),
            "一二三四五六七八九十",
            &anchor[..37],
        ] {
            assert_eq!(anchors.read(device, 1, text), None, "{text}");
        }
        let upper = anchor[..16].to_uppercase() + &anchor[16..];
        assert_eq!(anchors.read(device, 1, &upper), None);
    }

    #[test]
    fn a_later_anchor_is_a_greater_text() {
        let (anchors, device) = (anchors(), Uuid::new_v4());
        let at = |now| anchors.issue(device, 1, 0, now);
        assert!(at(9) < at(10));
        assert!(at(255) < at(256));
        assert!(at(1_700_000_000_000_000) < at(1_700_000_000_000_001));
    }
}
