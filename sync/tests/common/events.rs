//! Any event that keeps the limits, for properties of reader and writer.

use proptest::{option, prelude::*};
use serde_json::Value;
use std::collections::BTreeMap;
use suyuan_sync::{
    event::{
        Actor, Counterpart, Disposition, Document, Environment, Event, Group, Input, Kind, LotLine,
        Override, Proof, UnitRead,
    },
    ids::{DeviceId, EnterpriseId, EventId, GroupId, LocationId, RecallId},
    limits::{GROUP_EVENTS_MAX, QTY_MAX, SEQ_MAX},
};
use uuid::Uuid;

fn uuid() -> impl Strategy<Value = Uuid> {
    (1_u128..).prop_map(Uuid::from_u128)
}

/// A text a person may have typed; never empty, since an empty text says nothing.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 .-]{1,20}",
        "\\PC{1,12}",
        any::<String>().prop_filter("says something", |text| !text.is_empty()),
    ]
}

/// What a browser's clock can say, in milliseconds.
fn instant() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 1_500_000_000_000_i64..2_500_000_000_000,
        1 => -8_640_000_000_000_000_i64..=8_640_000_000_000_000,
    ]
    .prop_map(|ms| ms * 1000)
}

fn input() -> impl Strategy<Value = Input> {
    prop::sample::select(vec![
        Input::Wedge,
        Input::Camera,
        Input::Typed,
        Input::Imported,
    ])
}

fn unit() -> impl Strategy<Value = UnitRead> {
    let code = prop_oneof![
        4 => "[A-Za-z0-9]{1,12}".prop_map(|serial| format!("https://id.example.cn/01/06901234567892/21/{serial}")),
        1 => Just("(00)106141411234567897".to_owned()),
        1 => Just("]d201069012345678921727033110L7\u{1d}21A-9".to_owned()),
        1 => text(),
        1 => Just(String::new()),
    ];
    (code, input()).prop_map(|(code, input)| UnitRead::of(&code, input))
}

fn lot() -> impl Strategy<Value = LotLine> {
    (
        "[0-9]{14}|MY8\\.[A-Z0-9]{3,8}",
        option::of(text()),
        0..=QTY_MAX,
    )
        .prop_map(|(gtin, lot, qty)| LotLine { gtin, lot, qty })
}

fn counterpart() -> impl Strategy<Value = Counterpart> {
    prop_oneof![
        uuid().prop_map(|id| Counterpart::Enterprise(EnterpriseId(id))),
        uuid().prop_map(|id| Counterpart::Location(LocationId(id))),
        text().prop_map(Counterpart::Named),
    ]
}

fn actor() -> impl Strategy<Value = Actor> {
    (
        prop_oneof![1 => Just(String::new()), 4 => text()],
        prop::sample::select(vec![Proof::Pin, Proof::Badge, Proof::None]),
        option::of(0..=SEQ_MAX),
        any::<bool>(),
    )
        .prop_map(|(id, proof, login_age_s, supervisor)| Actor {
            id,
            proof,
            login_age_s,
            supervisor,
        })
}

fn overridden() -> impl Strategy<Value = Override> {
    (text(), text(), option::of(text()), option::of(uuid())).prop_map(
        |(code, reason, supervisor, recall)| Override {
            code,
            reason,
            supervisor,
            recall: recall.map(RecallId),
        },
    )
}

/// Decimals have few digits, as measured values have.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1_000_000_i32..1_000_000).prop_map(|n| Value::from(f64::from(n) / 100.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn body() -> impl Strategy<Value = BTreeMap<String, Value>> {
    prop::collection::btree_map("[a-z_]{1,16}", value(), 0..4)
}

/// Any event.
pub fn event() -> impl Strategy<Value = Event> {
    let envelope = (
        (uuid(), uuid(), 1..=u32::MAX, 1..=SEQ_MAX),
        prop::sample::select(Kind::ALL.to_vec()),
        actor(),
        prop_oneof![1 => Just(Uuid::nil()), 6 => uuid()],
        (instant(), -1439..=1439_i32, 0..=SEQ_MAX),
        (option::of(text()), option::of(instant())),
        (option::of(0..=SEQ_MAX as i64), 0..=SEQ_MAX as i64),
    );
    let goods = (
        prop::collection::vec(unit(), 0..5),
        prop::collection::vec(lot(), 0..4),
        option::of(unit()),
        option::of(any::<u32>()),
    );
    let act = (
        option::of(counterpart()),
        option::of((text(), option::of(text()))),
        option::of((option::of(-1000..=2000_i32), option::of(0..=1000_i32))),
        option::of(overridden()),
        option::of(uuid()),
        option::of(prop::sample::select(vec![
            Disposition::Sellable,
            Disposition::Hold,
            Disposition::Destroy,
        ])),
        option::of((uuid(), 1..=GROUP_EVENTS_MAX, any::<bool>())),
        body(),
    );
    (envelope, goods, act).prop_map(|(envelope, goods, act)| {
        let (place, kind, actor, location, time, anchor, known) = envelope;
        let (counterpart, doc, env, overridden, target, disposition, group, body) = act;
        let (id, device, epoch, seq) = place;
        Event {
            actor,
            location: LocationId(location),
            units: goods.0.into(),
            lots: goods.1,
            parent: goods.2,
            declared: goods.3,
            counterpart,
            doc: doc.map(|(no, at)| Document { no, at }),
            zone_minutes: time.1,
            mono_ms: time.2,
            anchor: anchor.0,
            anchor_wall: anchor.1,
            list_version: known.0,
            cursor: known.1,
            env: env.map(|(temperature, humidity)| Environment {
                temperature,
                humidity,
            }),
            overridden,
            target: target.map(EventId),
            disposition,
            group: group.map(|(id, of, correct)| Group {
                id: GroupId(id),
                n: 1 + (of - 1) / 2,
                of,
                correct,
            }),
            body,
            ..Event::bare(kind, EventId(id), DeviceId(device), epoch, seq, time.0)
        }
    })
}
