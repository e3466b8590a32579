//! Everything that must hold for any bytes that claim to be a push or an event. The fuzz
//! targets and the ordinary tests share it.

use std::collections::BTreeMap;
use suyuan_sync::{
    event::{self, Event, Header},
    limits::{EVENT_BYTES_MAX, EVENTS_PER_PUSH_MAX, SEQ_MAX},
    wire::{Deposit, Push, PushClaims},
};

/// Reads bytes as a push and each of its events. Panics where the promise is broken.
pub fn push(bytes: &[u8]) {
    let _ = Deposit::read(bytes);
    let Ok(push) = Push::read(bytes) else {
        return;
    };
    assert!(push.events.len() <= EVENTS_PER_PUSH_MAX);
    assert!(push.first_seq >= 1 && push.last_seq() <= SEQ_MAX);
    let written = serde_json::to_vec(&push).expect("a push is written");
    assert_eq!(Push::read(&written).as_ref(), Ok(&push));
    let claims = PushClaims::of(&push, "here");
    let covered = claims
        .cover(push.clone(), "here")
        .expect("claims cover their push");
    assert_eq!(covered.hashes().len(), push.events.len());
    for text in &push.events {
        event(text.as_bytes());
    }
}

/// Reads bytes as an event, and writes and reads again what comes out.
pub fn event(bytes: &[u8]) {
    let header = Header::read(bytes);
    match event::parse_bytes(bytes) {
        Ok(read) => {
            assert!(header.whole);
            assert_eq!(header.event_id, Some(read.id));
            assert_eq!(header.device, Some(read.device));
            assert_eq!(header.epoch, Some(read.epoch));
            assert_eq!(header.seq, Some(read.seq));
            let _ = event::required::missing(&read);
            written_and_read_again(read);
        }
        Err(fault) if fault.parks() => {
            assert!(header.whole && header.event_id.is_some() && header.device.is_some());
            assert!(header.epoch.is_some() && header.seq.is_some());
        }
        Err(fault) => assert!(fault.finding().is_some()),
    }
}

fn written_and_read_again(read: Event) {
    let written = read.write();
    // An event just below the limit may say in more words what it said in fewer.
    if written.len() > EVENT_BYTES_MAX {
        return;
    }
    let again = event::parse(&written).expect("what is written is read");
    // Decimals of many digits may lose their last one.
    let but_body = |event: Event| Event {
        body: BTreeMap::new(),
        ..event
    };
    assert!(again.body.keys().eq(read.body.keys()));
    assert_eq!(but_body(again), but_body(read));
}
