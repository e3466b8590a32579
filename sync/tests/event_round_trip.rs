//! What a device writes is read back as it was meant, and nothing a device may send makes the
//! reader panic.

#[path = "common/events.rs"]
mod events;

use proptest::prelude::*;
use suyuan_sync::event::{self, Header};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_is_written_is_read_back(event in events::event()) {
        let text = event.write();
        prop_assert_eq!(event::parse(&text), Ok(event.clone()), "{}", text);
        prop_assert_eq!(event::counterpart_of(text.as_bytes()), event.counterpart, "{}", text);
        let header = Header::read(text.as_bytes());
        prop_assert!(header.whole);
        prop_assert_eq!(header.event_id, Some(event.id));
        prop_assert_eq!(header.device, Some(event.device));
        prop_assert_eq!(header.epoch, Some(event.epoch));
        prop_assert_eq!(header.seq, Some(event.seq));
        prop_assert_eq!(header.kind.as_deref(), Some(event.kind.name()));
    }

    #[test]
    fn any_text_is_read_or_refused(text: String, bytes: Vec<u8>) {
        let _ = event::parse(&text);
        let _ = event::parse_bytes(&bytes);
        let _ = Header::read(&bytes);
    }

    /// A header says no more of a damaged text than the event did, unless damage made it.
    #[test]
    fn a_cut_text_is_unreadable_and_never_waits(event in events::event(), cut: prop::sample::Index) {
        let text = event.write();
        let bytes = &text.as_bytes()[..cut.index(text.len())];
        let fault = event::parse_bytes(bytes).unwrap_err();
        prop_assert!(!fault.parks());
        let header = Header::read(bytes);
        prop_assert!(!header.whole);
        prop_assert!(header.event_id.is_none_or(|id| id == event.id));
    }
}
