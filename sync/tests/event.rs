//! Reading and writing events (sync.md section 2): what is an event, what is none (T9), what
//! waits for a later program (T7).

use serde_json::{Value, json};
use suyuan_sync::{
    event::{
        self, Counterpart, Disposition, Document, Environment, Event, EventFault, Header, Input,
        Kind, LotLine, Proof,
    },
    ids::{DeviceId, LocationId},
    limits::{
        BODY_ITEMS_MAX, BODY_VALUES_MAX, EVENT_BYTES_MAX, JSON_DEPTH_MAX, LOTS_PER_EVENT_MAX,
        QTY_MAX, SEQ_MAX, TEXT_BYTES_MAX, UNITS_PER_EVENT_MAX,
    },
};
use uuid::Uuid;

const ID: &str = "018f2f6e-0000-7000-8000-000000000001";
const DEVICE: &str = "5b0c1c5e-7f39-4f53-9a0c-3f0a4e1d2c3b";
const OTHER: &str = "2f1b7c2a-90aa-4c0e-8a55-0c7a7d2a9b11";

/// The least that is an event.
fn least() -> Value {
    json!({
        "v": 1, "kind": "sale", "event_id": ID, "device": DEVICE, "epoch": 1, "seq": 7,
        "at": "2026-01-15T09:30:00.250+08:00",
    })
}

fn with(name: &str, value: Value) -> String {
    let mut event = least();
    event[name] = value;
    event.to_string()
}

fn without(name: &str) -> String {
    let mut event = least();
    event.as_object_mut().unwrap().remove(name);
    event.to_string()
}

fn read(text: &str) -> Event {
    event::parse(text).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

fn fault(text: &str) -> EventFault {
    event::parse(text).expect_err(text)
}

#[test]
fn every_field_of_the_agreement_is_read() {
    let text = json!({
        "v": 1, "kind": "outbound", "event_id": ID, "device": DEVICE, "epoch": 3, "seq": 42,
        "actor": {"id": "s-17", "proof": "badge", "login_age_s": 3600, "supervisor": true},
        "location": OTHER,
        "units": [{"code": "]d20106901234567892172703312110A", "input": "wedge"}],
        "lots": [{"gtin": "6901234567892", "lot": "L7", "qty": 12}, {"gtin": "MY8.T1N", "qty": 0}],
        "counterpart": {"type": "enterprise", "id": OTHER},
        "doc": {"no": "S1-D2-0007", "at": "2026-01-15"},
        "at": "2026-01-15T09:30:00.250+08:00", "mono": 1500,
        "anchor": "a.b.c", "anchor_wall": "2026-01-15T01:29:58.750Z",
        "list_version": 900, "cursor": 1000,
        "env": {"temperature": 21.5, "humidity": 60},
        "override": {"code": "recalled", "reason": "for the laboratory", "supervisor": "s-1", "recall": OTHER},
        "target": OTHER, "parent": {"code": "(00)106141411234567897", "input": "camera"},
        "declared": 6, "disposition": "hold",
        "group": {"id": OTHER, "n": 1, "of": 2, "correct": true},
        "body": {"packaging": "carton", "duration": 3.5},
    })
    .to_string();
    let event = read(&text);
    assert_eq!(event.kind, Kind::Outbound);
    assert_eq!((event.epoch, event.seq), (3, 42));
    assert_eq!(event.actor.id, "s-17");
    assert_eq!(event.actor.proof, Proof::Badge);
    assert_eq!(event.actor.login_age_s, Some(3600));
    assert!(event.actor.supervisor);
    assert_eq!(event.location.0, Uuid::parse_str(OTHER).unwrap());
    assert_eq!(
        event.units[0].unit.as_ref().unwrap().as_str(),
        "/01/06901234567892/21/10A"
    );
    assert_eq!(event.units[0].input, Input::Wedge);
    assert_eq!(
        event.units[0].scanned.unwrap().claims.expiry,
        Some(*b"270331")
    );
    let line = |gtin: &str, lot: Option<&str>, qty| LotLine {
        gtin: gtin.to_owned(),
        lot: lot.map(str::to_owned),
        qty,
    };
    assert_eq!(
        event.lots,
        [
            line("06901234567892", Some("L7"), 12),
            line("MY8.T1N", None, 0)
        ]
    );
    assert!(matches!(
        event.counterpart,
        Some(Counterpart::Enterprise(_))
    ));
    assert_eq!(
        event.doc,
        Some(Document {
            no: "S1-D2-0007".to_owned(),
            at: Some("2026-01-15".to_owned())
        })
    );
    assert_eq!(event.at, 1_768_440_600_250_000);
    assert_eq!(event.zone_minutes, 480);
    assert_eq!(event.mono_ms, 1500);
    assert_eq!(event.anchor.as_deref(), Some("a.b.c"));
    assert_eq!(event.anchor_wall, Some(1_768_440_598_750_000));
    assert_eq!((event.list_version, event.cursor), (Some(900), 1000));
    assert_eq!(
        event.env,
        Some(Environment {
            temperature: Some(215),
            humidity: Some(600)
        })
    );
    let stop = event.overridden.unwrap();
    assert_eq!(
        (stop.code.as_str(), stop.recall.is_some()),
        ("recalled", true)
    );
    assert!(event.target.is_some() && event.parent.unwrap().unit.unwrap().is_sscc());
    assert_eq!(event.declared, Some(6));
    assert_eq!(event.disposition, Some(Disposition::Hold));
    let group = event.group.unwrap();
    assert_eq!((group.n, group.of, group.correct), (1, 2, true));
    assert_eq!(event.body["duration"], json!(3.5));
}

#[test]
fn t9_without_what_makes_it_an_event_a_text_is_unreadable() {
    for name in ["v", "kind", "event_id", "device", "epoch", "seq", "at"] {
        for text in [
            without(name),
            with(name, Value::Null),
            with(name, json!({})),
        ] {
            let fault = fault(&text);
            assert_eq!(fault.name(), "not-an-event", "{text}");
            assert!(!fault.parks());
        }
    }
    for (name, value) in [
        ("v", json!(0)),
        ("v", json!(1.0)),
        ("event_id", json!("018f2f6e000070008000000000000001")),
        ("event_id", json!(Uuid::nil())),
        ("device", json!(DeviceId::SERVER)),
        ("device", json!("")),
        ("epoch", json!(0)),
        ("epoch", json!(4_294_967_296_u64)),
        ("seq", json!(0)),
        ("seq", json!(-1)),
        ("seq", json!(7.0)),
        ("seq", json!(SEQ_MAX + 1)),
        ("seq", json!(1_u64 << 63)),
        ("seq", json!(u64::MAX)),
        ("at", json!("yesterday")),
        ("at", json!("2026-01-15T09:30:00")),
        ("units", json!({})),
        ("units", json!(["code"])),
        ("lots", json!([{"gtin": "1", "qty": -1}])),
        ("lots", json!([{"gtin": "1", "qty": 1.5}])),
        ("lots", json!([{"gtin": "1"}])),
        ("lots", json!([{"gtin": "1", "qty": QTY_MAX + 1}])),
        ("mono", json!(-1)),
        ("mono", json!(SEQ_MAX + 1)),
        ("cursor", json!(u64::MAX)),
        ("list_version", json!(1_u64 << 63)),
        ("group", json!({"id": OTHER, "n": 3, "of": 2})),
        ("group", json!({"id": OTHER, "n": 0, "of": 2})),
        ("group", json!({"id": OTHER, "n": 1, "of": 501})),
        ("group", json!({"id": "?", "n": 1, "of": 2})),
        ("body", json!([])),
        ("location", json!(5)),
    ] {
        let text = with(name, value);
        assert_eq!(fault(&text).name(), "not-an-event", "{text}");
    }
}

#[test]
fn t9_what_is_no_json_is_unreadable() {
    let whole = least().to_string();
    for text in [
        "",
        " ",
        "null",
        "[]",
        "7",
        "\"\"",
        "{}",
        "{",
        &whole[..whole.len() - 1],
        &format!("{whole}{whole}"),
        &format!("{whole}x"),
        &format!("\u{feff}{whole}"),
        &whole.replace('"', "'"),
        &with("seq", json!("@")).replace("\"@\"", "1e999"),
        &with("seq", json!("@")).replace("\"@\"", "99999999999999999999999"),
        &with("x", json!("@")).replace("\"@\"", "NaN"),
        &with("x", json!("@")).replace('@', "\u{1}"),
    ] {
        assert!(!fault(text).parks(), "{text}");
    }
    assert_eq!(
        event::parse_bytes(b"{\"v\":\xff}").unwrap_err(),
        EventFault::NotUtf8 { at: 5 }
    );
    assert_eq!(event::parse_bytes(whole.as_bytes()), Ok(read(&whole)));
}

#[test]
fn a_name_that_stands_twice_is_read_neither_way() {
    let whole = least().to_string();
    for twice in [
        whole.replacen('{', "{\"seq\":8,", 1),
        whole.replacen('{', "{\"body\":{\"a\":1,\"a\":2},", 1),
        whole.replacen('{', "{\"body\":{\"a\":{\"b\":1,\"b\":1}},", 1),
        whole.replacen('{', "{\"actor\":{\"id\":\"a\",\"id\":\"b\"},", 1),
        whole.replacen('{', "{\"units\":[{\"code\":\"a\",\"code\":\"b\"}],", 1),
    ] {
        assert_eq!(fault(&twice).name(), "not-an-event", "{twice}");
    }
}

/// A browser that cuts a note inside an emoji writes half a character.
#[test]
fn half_a_character_makes_no_event_unreadable() {
    let cut = |name: &str, value: Value| with(name, value).replace('@', "\\ud83c");
    for text in [
        cut("doc", json!({"no": "S1 @"})),
        cut("body", json!({"note @": ["@", {"@": 1}]})),
        cut("a_later_field", json!("@")),
        cut("units", json!([{"code": "@"}])),
    ] {
        assert!(Header::read(text.as_bytes()).whole);
        read(&text);
    }
    let doc = read(&cut("doc", json!({"no": "S1 @"}))).doc.unwrap();
    assert_eq!(doc.no, "S1 \u{fffd}");
    let whole = with("doc", json!({"no": "@"})).replace('@', "\\ud83c\\udf7c");
    assert_eq!(read(&whole).doc.unwrap().no, "🍼");
}

/// A scanner that sends U+0000 within a text: not every database takes it into a text, so nobody reads it.
#[test]
fn no_text_that_is_read_has_a_nul_in_it() {
    let nul = |name: &str, value: Value| with(name, value).replace('@', "\\u0000");
    let read_with = |name: &str, value: Value| {
        let text = nul(name, value);
        assert!(Header::read(text.as_bytes()).whole);
        read(&text)
    };
    let event = read_with("lots", json!([{"gtin": "A@B", "lot": "L@7", "qty": 1}]));
    assert_eq!(event.lots[0].gtin, "A\u{fffd}B");
    assert_eq!(event.lots[0].lot.as_deref(), Some("L\u{fffd}7"));
    let event = read_with("body", json!({"note @": ["@", {"@": 1}]}));
    assert_eq!(
        event.body["note \u{fffd}"],
        json!(["\u{fffd}", {"\u{fffd}": 1}])
    );
    let event = read_with("units", json!([{"code": "@"}]));
    assert_eq!(
        (&*event.units[0].code, &event.units[0].unit),
        ("\u{fffd}", &None)
    );
    let event = read_with("doc", json!({"no": "@", "at": "@"})).doc.unwrap();
    assert_eq!(
        (&*event.no, event.at.as_deref()),
        ("\u{fffd}", Some("\u{fffd}"))
    );
    // Escaped, a backslash and five characters: no NUL.
    let event = read(&with("doc", json!({"no": "\\u0000"})));
    assert_eq!(event.doc.unwrap().no, "\\u0000");
    // T7: as a kind it is one that nobody knows.
    let kind = nul("kind", json!("sale@"));
    let unknown = EventFault::UnknownKind {
        kind: "sale\u{fffd}".into(),
    };
    assert_eq!(fault(&kind), unknown);
    let header = Header::read(kind.as_bytes());
    assert_eq!(header.kind.as_deref(), Some("sale\u{fffd}"));
}

/// I33.
#[test]
fn i33_a_million_levels_are_refused_and_not_followed() {
    for open in ["[", "{\"a\":"] {
        let bomb = open.repeat(1_000_000);
        assert!(matches!(
            fault(&bomb[..EVENT_BYTES_MAX]),
            EventFault::TooDeep { .. }
        ));
        assert!(matches!(fault(&bomb), EventFault::TooLong { .. }));
        let header = least()
            .to_string()
            .replacen("\"kind\"", &format!("\"x\":{bomb}"), 1);
        assert_eq!(Header::read(bomb.as_bytes()), Header::default());
        assert!(!Header::read(header.as_bytes()).whole);
    }
    let nested = |depth: usize| {
        with("x", json!("@")).replace("\"@\"", &("[".repeat(depth) + &"]".repeat(depth)))
    };
    read(&nested(JSON_DEPTH_MAX - 1));
    assert!(matches!(
        fault(&nested(JSON_DEPTH_MAX)),
        EventFault::TooDeep { .. }
    ));
}

#[test]
fn the_limits_are_exact() {
    let units = |count| json!(vec![json!({"code": "1"}); count]);
    assert_eq!(
        read(&with("units", units(UNITS_PER_EVENT_MAX))).units.len(),
        UNITS_PER_EVENT_MAX
    );
    fault(&with("units", units(UNITS_PER_EVENT_MAX + 1)));
    let mut both = least();
    both["units"] = units(600);
    both["children"] = units(401);
    fault(&both.to_string());

    let lots = |count| json!(vec![json!({"gtin": "1", "qty": 1}); count]);
    read(&with("lots", lots(LOTS_PER_EVENT_MAX)));
    fault(&with("lots", lots(LOTS_PER_EVENT_MAX + 1)));

    let anchor = |length| with("anchor", json!("a".repeat(length)));
    read(&anchor(TEXT_BYTES_MAX));
    fault(&anchor(TEXT_BYTES_MAX + 1));
    // A text with escapes is copied and measured after that.
    let escaped = |length| with("anchor", json!("\n".repeat(length)));
    read(&escaped(TEXT_BYTES_MAX));
    fault(&escaped(TEXT_BYTES_MAX + 1));

    let items = |count: usize| {
        let body: serde_json::Map<_, _> = (0..count).map(|n| (n.to_string(), json!(n))).collect();
        with("body", Value::Object(body))
    };
    read(&items(BODY_ITEMS_MAX));
    fault(&items(BODY_ITEMS_MAX + 1));
    let values = |count| with("body", json!({"a": vec![0; count]}));
    read(&values(BODY_VALUES_MAX - 1));
    fault(&values(BODY_VALUES_MAX));

    let padded = |length: usize| {
        let whole = least().to_string();
        let padding = " ".repeat(length - whole.len());
        whole + &padding
    };
    read(&padded(EVENT_BYTES_MAX));
    assert!(matches!(
        fault(&padded(EVENT_BYTES_MAX + 1)),
        EventFault::TooLong { .. }
    ));
}

#[test]
fn t7_an_unknown_kind_or_a_newer_version_waits() {
    assert_eq!(
        fault(&with("kind", json!("teleport"))),
        EventFault::UnknownKind {
            kind: "teleport".to_owned()
        }
    );
    // What only the server states, and a correction, which is a group, are no kinds of a device.
    for kind in ["recall_opened", "correct", "Sale", ""] {
        assert!(fault(&with("kind", json!(kind))).parks(), "{kind}");
    }
    assert_eq!(
        fault(&with("v", json!(2))),
        EventFault::NewerVersion { v: 2 }
    );
    // A later version may look different altogether, as long as it says where it belongs.
    let mut later = least();
    later["v"] = json!(2);
    later["units"] = json!({"a": 1});
    later["kind"] = json!(7);
    assert_eq!(fault(&later.to_string()), EventFault::NewerVersion { v: 2 });
    for name in ["event_id", "device", "epoch", "seq"] {
        let mut lost = later.clone();
        lost[name] = json!([]);
        assert_eq!(fault(&lost.to_string()).name(), "not-an-event", "{name}");
    }
    let broken = later.to_string() + "}";
    assert_eq!(fault(&broken).name(), "not-json");
}

#[test]
fn c15_what_is_missing_or_not_on_record_never_makes_an_event_unreadable() {
    let event = read(&least().to_string());
    assert_eq!(event.actor.id, "");
    assert_eq!(event.location, LocationId(Uuid::nil()));
    assert_eq!(
        (event.mono_ms, event.cursor, event.list_version),
        (0, 0, None)
    );
    for (name, value) in [
        ("location", json!("GLN 6901234000000")),
        ("units", json!([{}, {"code": "?", "input": "telepathy"}])),
        ("actor", json!({"proof": "retina"})),
        ("lots", json!([{"qty": 1}])),
        ("counterpart", json!({"type": "planet", "name": "Mars"})),
        ("counterpart", json!({"type": "enterprise", "id": "Mars"})),
        ("counterpart", json!({})),
        ("doc", json!({})),
        ("env", json!({"temperature": -9999, "humidity": 1e300})),
        ("override", json!({"recall": "R1"})),
        ("target", json!("the one before")),
        ("disposition", json!("eat")),
        ("anchor_wall", json!("noon")),
        ("a_later_field", json!({"of": ["any", "shape"]})),
        ("location", Value::Null),
        ("units", Value::Null),
        ("body", Value::Null),
    ] {
        read(&with(name, value));
    }
    let named = read(&with(
        "counterpart",
        json!({"type": "enterprise", "id": "Mars"}),
    ));
    assert_eq!(
        named.counterpart,
        Some(Counterpart::Named("Mars".to_owned()))
    );
    let unit = &read(&with("units", json!([{"code": "?", "input": "telepathy"}]))).units[0];
    assert_eq!((unit.code.as_str(), unit.input), ("?", Input::Typed));
    assert!(unit.unit.is_none() && unit.scanned.is_none());
    let broken = read(&with(
        "env",
        json!({"temperature": -9999, "humidity": 45.54}),
    ));
    assert_eq!(
        broken.env,
        Some(Environment {
            temperature: None,
            humidity: Some(455)
        })
    );
}

#[test]
fn a_code_that_names_no_unit_is_kept_with_what_it_names() {
    let event = read(&with(
        "units",
        json!([{"code": "6901234567892", "input": "camera"}]),
    ));
    assert!(event.units[0].scanned.is_some() && event.units[0].unit.is_none());
}

#[test]
fn children_of_a_pack_are_its_units() {
    let mut pack = least();
    pack["kind"] = json!("pack");
    pack["children"] = json!([{"code": "(01)06901234567892(21)A", "input": "camera"}]);
    let event = read(&pack.to_string());
    assert_eq!(event.units.len(), 1);
    assert!(event.write().contains("\"children\":[{\"code\""));
    assert_eq!(read(&event.write()), event);
}

#[test]
fn a_header_is_made_out_of_what_is_broken() {
    let text = with("seq", json!(1_u64 << 63));
    let header = Header::read(text.as_bytes());
    assert!(header.whole);
    assert_eq!(header.seq, Some(1 << 63));
    assert_eq!((header.v, header.epoch), (Some(1), Some(1)));
    assert_eq!(header.kind.as_deref(), Some("sale"));
    assert_eq!(header.device.unwrap().to_string(), DEVICE);
    assert_eq!(header.event_id.unwrap().to_string(), ID);

    let written = read(&least().to_string()).write();
    let cut = Header::read(&written.as_bytes()[..written.find("\"at\"").unwrap() + 6]);
    assert_eq!((cut.seq, cut.whole), (Some(7), false));
    let mut bytes = written.clone().into_bytes();
    bytes.extend(b"\xff\xfe");
    assert!(!Header::read(&bytes).whole);
    assert_eq!(Header::read(&bytes).seq, Some(7));
    assert_eq!(Header::read(b"\xff\xfe"), Header::default());
    // A number that may have been cut is not believed.
    let cut = Header::read(br#"{"epoch":3,"seq":12"#);
    assert_eq!((cut.epoch, cut.seq), (Some(3), None));
    assert_eq!(
        Header::read(br#"{"seq":1,"seq":2,"kind":"sale","v":-1}"#).seq,
        Some(1)
    );
}

#[test]
fn what_is_written_is_canonical() {
    let mut event = read(&least().to_string());
    assert_eq!(
        event.write(),
        format!(
            r#"{{"v":1,"kind":"sale","event_id":"{ID}","device":"{DEVICE}","epoch":1,"seq":7,"at":"2026-01-15T09:30:00.250+08:00"}}"#
        )
    );
    event.env = Some(Environment {
        temperature: Some(-5),
        humidity: Some(400),
    });
    assert!(
        event
            .write()
            .contains(r#""env":{"temperature":-0.5,"humidity":40}"#)
    );
}
