//! Messages between device and server: the shared vectors, the limits, what is signed, and what a
//! token covers.
//!
//! `golden/wire.json` was made by another program (Python), and the browser reads the same file.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::cell::RefCell;
use suyuan_sync::{
    admission,
    chain::{self, Hash},
    ids::{DeviceId, EnterpriseId},
    limits::{EVENT_BYTES_MAX, EVENTS_PER_PUSH_MAX, Limits, PUSH_INFLATED_BYTES_MAX},
    wire::{
        BadgeRole, BadgesAnswer, Deposit, Enrol, EnrolAnswer, FrameFault, LookUpAnswer, PublicKey,
        PullAnswer, Push, PushAnswer, PushClaims, ReadClaims, RecallList, Receipt, Signature,
        SnapshotChunk, SnapshotManifest, StatusAnswer, Ticket, TokenFault, TrustKey, V, follow,
        hash_of_badge,
    },
};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    messages: Vec<Message>,
    badges: Vec<Badge>,
    signed: Vec<Signed>,
    tokens: Vec<Token>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    r#type: String,
    json: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Badge {
    enterprise: EnterpriseId,
    number: String,
    hash: Hash,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    what: String,
    value: Value,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    push: Push,
    installation: String,
    claims: PushClaims,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    r#type: String,
    text: String,
    fault: String,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/wire.json")).unwrap()
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

fn read_and_written<T: DeserializeOwned + Serialize>(value: &Value) -> Value {
    serde_json::to_value(read::<T>(value)).unwrap()
}

#[test]
fn every_message_is_read_and_written_as_agreed() {
    for Message { r#type, json } in golden().messages {
        let written = match r#type.as_str() {
            "ticket" => read_and_written::<Ticket>(&json),
            "enrol" => read_and_written::<Enrol>(&json),
            "enrol_answer" => read_and_written::<EnrolAnswer>(&json),
            "push" => read_and_written::<Push>(&json),
            "push_answer" => read_and_written::<PushAnswer>(&json),
            "deposit" => read_and_written::<Deposit>(&json),
            "pull_answer" => read_and_written::<PullAnswer>(&json),
            "badges_answer" => read_and_written::<BadgesAnswer>(&json),
            "snapshot_manifest" => read_and_written::<SnapshotManifest>(&json),
            "snapshot_chunk" => read_and_written::<SnapshotChunk>(&json),
            "status_answer" => read_and_written::<StatusAnswer>(&json),
            "look_up_answer" => read_and_written::<LookUpAnswer>(&json),
            "push_claims" => read_and_written::<PushClaims>(&json),
            "read_claims" => read_and_written::<ReadClaims>(&json),
            other => panic!("{other}"),
        };
        assert_eq!(written, json, "{type}");
    }
}

#[test]
fn a_message_of_another_version_is_refused() {
    for Message { r#type, mut json } in golden().messages {
        if json.get("v").is_none() {
            continue;
        }
        json["v"] = 2.into();
        let refused = match r#type.as_str() {
            "push" => Push::read(json.to_string().as_bytes()).is_err(),
            "deposit" => Deposit::read(json.to_string().as_bytes()).is_err(),
            "enrol" => Enrol::read(json.to_string().as_bytes()).is_err(),
            "pull_answer" => serde_json::from_value::<PullAnswer>(json).is_err(),
            "push_answer" => serde_json::from_value::<PushAnswer>(json).is_err(),
            _ => serde_json::from_value::<V<1>>(json["v"].clone()).is_err(),
        };
        assert!(refused, "{type}");
    }
}

#[test]
fn a_badge_is_known_by_its_hash_and_an_unknown_role_is_a_worker() {
    for badge in golden().badges {
        assert_eq!(hash_of_badge(badge.enterprise, &badge.number), badge.hash);
        let other = EnterpriseId(Uuid::nil());
        assert_ne!(hash_of_badge(other, &badge.number), badge.hash);
    }
    for (name, role) in [
        ("worker", BadgeRole::Worker),
        ("supervisor", BadgeRole::Supervisor),
        ("auditor", BadgeRole::Worker),
    ] {
        assert_eq!(read::<BadgeRole>(&name.into()), role, "{name}");
    }
}

#[test]
fn what_is_signed_has_one_form() {
    for Signed { what, value, text } in golden().signed {
        let bytes = match what.as_str() {
            "receipt" => read::<Receipt>(&value).bytes_to_sign(),
            "recall_list" => read::<RecallList>(&value).bytes_to_sign(),
            "snapshot_manifest" => read::<SnapshotManifest>(&value).bytes_to_sign(),
            "trust_key" => {
                read::<TrustKey>(&value["key"]).bytes_to_sign(&read::<PublicKey>(&value["before"]))
            }
            other => panic!("{other}"),
        };
        assert_eq!(String::from_utf8(bytes).unwrap(), text, "{what}");
    }
}

/// Whatever a receipt, list or manifest says stands in what is signed: no field can be changed
/// under a signature.
#[test]
fn i30_every_field_is_covered_by_the_signature() {
    fn changed(value: &Value) -> Option<Value> {
        Some(match value {
            Value::Number(number) => (number.as_u64()? + 1).into(),
            Value::String(text) => {
                let last = text.chars().last()?;
                let other = if last == '1' { '2' } else { '1' };
                format!("{}{other}", &text[..text.len() - last.len_utf8()]).into()
            }
            _ => return None,
        })
    }
    fn each(value: &Value, visit: &mut dyn FnMut(Value)) {
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    // The signature itself, what stands beside it, and keys that have their own.
                    if ["sig", "anchor", "trust_keys", "v"].contains(&name.as_str()) {
                        continue;
                    }
                    each(inner, &mut |new| {
                        let mut copy = value.clone();
                        copy[name] = new;
                        visit(copy);
                    });
                }
            }
            Value::Array(list) => {
                for (at, inner) in list.iter().enumerate() {
                    each(inner, &mut |new| {
                        let mut copy = value.clone();
                        copy[at] = new;
                        visit(copy);
                    });
                }
                if let [shorter @ .., _] = list.as_slice() {
                    visit(shorter.into());
                }
            }
            other => {
                if let Some(new) = changed(other) {
                    visit(new);
                }
            }
        }
    }
    fn bytes(what: &str, value: &Value) -> Option<Vec<u8>> {
        let value = value.clone();
        match what {
            "receipt" => Some(
                serde_json::from_value::<Receipt>(value)
                    .ok()?
                    .bytes_to_sign(),
            ),
            "recall_list" => Some(
                serde_json::from_value::<RecallList>(value)
                    .ok()?
                    .bytes_to_sign(),
            ),
            "snapshot_manifest" => Some(
                serde_json::from_value::<SnapshotManifest>(value)
                    .ok()?
                    .bytes_to_sign(),
            ),
            _ => None,
        }
    }
    let mut tried = 0;
    for Signed { what, value, .. } in golden().signed {
        let original = bytes(&what, &value);
        each(&value, &mut |other| {
            if let Some(bytes) = bytes(&what, &other) {
                assert_ne!(Some(bytes), original, "{what}: {other}");
                tried += 1;
            }
        });
    }
    assert!(tried > 30, "{tried}");
}

#[test]
fn a_token_covers_the_bytes_of_its_push() {
    for Token {
        push,
        installation,
        claims,
    } in golden().tokens
    {
        assert_eq!(PushClaims::of(&push, &installation), claims);
        let covered = claims.cover(push.clone(), &installation).unwrap();
        let hashes = covered.hashes().to_vec();
        assert_eq!(hashes.len(), push.events.len());
        // What was hashed for the signature is not hashed again, and is the same.
        let (device, epoch, prev_hash) = (push.device, push.epoch, push.prev_hash);
        let texts = push.events.clone();
        let parse = suyuan_sync::event::parse;
        assert_eq!(
            admission::read_covered(covered, parse),
            admission::read(device, epoch, push.first_seq, prev_hash, texts, parse)
        );
        assert_eq!(
            hashes.last().copied().unwrap_or(push.prev_hash),
            claims.head
        );

        let fault = |change: &dyn Fn(&mut Push)| {
            let mut other = push.clone();
            change(&mut other);
            claims.cover(other, &installation)
        };
        assert_eq!(
            claims.cover(push.clone(), "inst-2"),
            Err(TokenFault::Audience)
        );
        assert_eq!(
            fault(&|push| push.device = DeviceId(Uuid::nil())),
            Err(TokenFault::Device)
        );
        assert_eq!(fault(&|push| push.epoch += 1), Err(TokenFault::Device));
        assert_eq!(fault(&|push| push.first_seq += 1), Err(TokenFault::Seq));
        assert_eq!(
            fault(&|push| push.events.push(String::new())),
            Err(TokenFault::Seq)
        );
        assert_eq!(
            fault(&|push| push.prev_hash = Hash::of(b"")),
            Err(TokenFault::Chain)
        );
        if !push.events.is_empty() {
            assert_eq!(
                fault(&|push| push.events[0].push(' ')),
                Err(TokenFault::Chain)
            );
            assert_eq!(fault(&|push| push.events.reverse()), Err(TokenFault::Chain));
        }
        // What is not signed may differ: how much is left, and which receipt is held.
        assert!(fault(&|push| push.queue_depth += 1).is_ok());
    }
}

#[test]
fn a_frame_is_refused_as_a_whole_and_by_name() {
    for Refused {
        r#type,
        text,
        fault,
    } in golden().refused
    {
        let refused = match r#type.as_str() {
            "push" => Push::read(text.as_bytes()).map(drop),
            "enrol" => Enrol::read(text.as_bytes()).map(drop),
            "deposit" => Deposit::read(text.as_bytes()).map(drop),
            other => panic!("{other}"),
        };
        let refused = refused.expect_err(&text);
        assert_eq!(refused.name(), fault, "{text}");
    }
}

fn push_of(events: Vec<String>) -> Push {
    Push {
        v: V,
        device: DeviceId(Uuid::from_u128(7)),
        epoch: 1,
        first_seq: 1,
        prev_hash: chain::genesis(DeviceId(Uuid::from_u128(7)), 1),
        last_receipt: None,
        queue_depth: 0,
        events,
    }
}

fn as_bytes(push: &Push) -> Vec<u8> {
    serde_json::to_vec(push).unwrap()
}

#[test]
fn the_limits_of_a_push_are_exact() {
    let full = push_of(vec!["e".to_owned(); EVENTS_PER_PUSH_MAX]);
    assert_eq!(Push::read(&as_bytes(&full)), Ok(full));
    let over = push_of(vec!["e".to_owned(); 100_000]);
    let fault = Push::read(&as_bytes(&over)).unwrap_err();
    assert!(fault.is_size() && fault.name() == "too_many_events");

    let mut bytes = as_bytes(&push_of(Vec::new()));
    bytes.resize(PUSH_INFLATED_BYTES_MAX, b' ');
    assert!(Push::read(&bytes).is_ok());
    bytes.push(b' ');
    let fault = Push::read(&bytes).unwrap_err();
    assert!(fault.is_size() && matches!(fault, FrameFault::TooLong { .. }));
}

/// What is longer than an event may be refuses its frame: nothing that long is kept.
#[test]
fn a_text_that_is_longer_than_an_event_may_be_refuses_its_frame() {
    let longest = "e".repeat(EVENT_BYTES_MAX);
    let push = push_of(vec![longest.clone(), "f".to_owned()]);
    assert_eq!(Push::read(&as_bytes(&push)), Ok(push));
    let push = push_of(vec!["f".to_owned(), longest + "e"]);
    let refused = FrameFault::EventTooLong {
        seq: 2,
        bytes: EVENT_BYTES_MAX + 1,
        max: EVENT_BYTES_MAX,
    };
    assert!(refused.is_size() && !refused.is_to_be_split());
    assert_eq!(Push::read(&as_bytes(&push)), Err(refused.clone()));
    let deposit = Deposit {
        v: V,
        token: "t".to_owned(),
        push,
    };
    let deposit = serde_json::to_vec(&deposit).unwrap();
    assert_eq!(Deposit::read(&deposit), Err(refused));
}

/// T9, I18: what an event says never makes the frame unreadable.
#[test]
fn t9_any_text_travels_as_an_event() {
    let texts = [
        "",
        "not json",
        "\u{0}\u{1}\u{7f}\u{feff}",
        "奶粉 🍼",
        "\\ud800",
        "{\"a\":",
    ];
    let bomb = "[".repeat(EVENT_BYTES_MAX);
    let events: Vec<String> = texts.into_iter().map(str::to_owned).chain([bomb]).collect();
    let push = push_of(events);
    assert_eq!(Push::read(&as_bytes(&push)), Ok(push));
}

#[test]
fn bytes_that_are_no_text_are_no_push() {
    let mut bytes = as_bytes(&push_of(vec!["@".to_owned()]));
    let at = bytes.iter().position(|byte| *byte == b'@').unwrap();
    bytes[at] = 0xff;
    assert_eq!(Push::read(&bytes).unwrap_err().name(), "unreadable_frame");
    assert_eq!(
        Push::read(&vec![b'['; 1_000_000]).unwrap_err().name(),
        "unreadable_frame"
    );
}

#[test]
fn the_advertised_limits_are_those_that_hold() {
    let advertised: Limits = golden()
        .messages
        .iter()
        .find(|message| message.r#type == "enrol_answer")
        .map(|message| read(&message.json["limits"]))
        .unwrap();
    assert_eq!(advertised, Limits::OURS);
    // What the API's document says of them is the same.
    let told: Value = serde_json::to_value(advertised).unwrap();
    assert_eq!(told.as_object().unwrap().len(), Limits::ADVERTISED.len());
    for limit in Limits::ADVERTISED {
        assert_eq!(told[limit.name], limit.value, "{limit:?}");
        assert!(limit.about.ends_with('.'), "{limit:?}");
    }
}

/// Keys with a number for a coordinate, and a verifier that knows which signature belongs where.
#[test]
fn a_device_follows_the_chain_of_keys_from_the_one_it_knows() {
    let coordinate = |n: u32| format!("{n:043}");
    let key = |n: u32| PublicKey::of(&coordinate(n), &coordinate(n + 100)).unwrap();
    let sig = |n: u32| Signature::of(&format!("{n:086}")).unwrap();
    let trust = |n: u32| TrustKey {
        n,
        key: key(n),
        since: i64::from(n) * 1000,
        sig: (n > 1).then(|| sig(n)),
    };
    let asked = RefCell::new(Vec::new());
    let verify = |by: &PublicKey, bytes: &[u8], signature: &Signature| {
        asked.borrow_mut().push(bytes.to_vec());
        (2..6).any(|n| {
            *by == key(n - 1)
                && *signature == sig(n)
                && bytes == trust(n).bytes_to_sign(&key(n - 1))
        })
    };
    let numbers = |keys: &[TrustKey]| keys.iter().map(|key| key.n).collect::<Vec<_>>();
    let shipped: Vec<TrustKey> = (1..6).map(trust).collect();
    assert_eq!(numbers(&follow(&trust(2), &shipped, verify)), [2, 3, 4, 5]);
    assert_eq!(asked.borrow().len(), 3);
    assert_eq!(numbers(&follow(&trust(5), &shipped, verify)), [5]);
    // One is missing, one is unsigned, one was signed by another, one was changed.
    let follow_changed = |change: &dyn Fn(&mut Vec<TrustKey>)| {
        let mut other = shipped.clone();
        change(&mut other);
        numbers(&follow(&trust(2), &other, verify))
    };
    assert_eq!(follow_changed(&|keys| drop(keys.remove(3))), [2, 3]);
    assert_eq!(follow_changed(&|keys| keys[3].sig = None), [2, 3]);
    assert_eq!(follow_changed(&|keys| keys[3].sig = Some(sig(3))), [2, 3]);
    assert_eq!(follow_changed(&|keys| keys[3].since += 1), [2, 3]);
    assert_eq!(follow_changed(&|keys| keys[3].key = key(9)), [2, 3]);
    assert_eq!(follow_changed(&|keys| keys.reverse()), [2]);
}
