//! A handheld: it owns a P-256 key and a chain of events, and pushes over sockets. What it says and
//! when is the test's affair, wrong things included; [`Pda`](crate::Pda) is one that decides by its
//! outbox what to send, what to send again and what to drop.

use crate::{Answer, Caller};
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::Method;
use serde_json::{Value, json};
use suyuan_sync::{
    chain::{self, Hash},
    ids::{DeviceId, Epoch, Seq},
    wire::{
        PullAnswer, Push, PushAnswer, PushClaims, ReadClaims, StatusAnswer, TYP_PUSH, TYP_READ,
    },
};
use uuid::Uuid;

/// A key pair on P-256, as a browser makes one.
pub struct DeviceKey(EcdsaKeyPair);

impl Default for DeviceKey {
    fn default() -> DeviceKey {
        DeviceKey::new()
    }
}

impl DeviceKey {
    /// A new one.
    pub fn new() -> DeviceKey {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        DeviceKey(pair.expect("a key"))
    }

    /// A copy, as whoever clones a device has it.
    #[must_use]
    pub fn copy(&self) -> DeviceKey {
        let pkcs8 = self.0.to_pkcs8v1().expect("the key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref());
        DeviceKey(pair.expect("the key"))
    }

    /// The public half as JWK.
    pub fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let side = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        json!({"kty": "EC", "crv": "P-256", "x": side(1..33), "y": side(33..65)})
    }

    /// A token (JWT, ES256) of this type.
    pub fn token(&self, typ: &str, claims: &Value) -> String {
        self.token_with(&json!({"alg": "ES256", "typ": typ}), claims)
    }

    /// The public half as a point: what anybody may know of it.
    pub fn point(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// A token that says HS256 and is signed with a secret everybody knows, as whoever takes a public key
    /// for a secret would accept it.
    pub fn token_by_mac(typ: &str, claims: &Value, secret: &[u8]) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "HS256", "typ": typ});
        let text = format!("{}.{}", part(&header), part(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let mac = URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes()));
        format!("{text}.{mac}")
    }

    /// The same with a header of the test's own.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.expect("a signature"));
        format!("{text}.{signature}")
    }
}

/// An enrolled device.
pub struct Handheld {
    caller: Caller,
    /// Its key.
    pub key: DeviceKey,
    /// Its id.
    pub device: DeviceId,
    /// Its epoch.
    pub epoch: Epoch,
    /// What its tokens name as `aud`.
    pub installation: String,
    /// Where it is.
    pub location: Uuid,
    /// The greatest anchor it was given.
    pub anchor: String,
    /// What it was told when it enrolled.
    pub welcome: Value,
    /// Number of the next event.
    pub next: Seq,
    /// The hash before its first event, and after each.
    pub history: Vec<Hash>,
}

impl Handheld {
    /// Enrols with a one-time code.
    pub async fn enrol(internal_url: &str, code: &str) -> Handheld {
        let key = DeviceKey::new();
        let caller = Caller::new(internal_url, None);
        let body = json!({"v": 1, "code": code, "key": key.jwk()});
        let answer = caller.post("/v1/enrol", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        Handheld::of(caller, key, answer.json())
    }

    fn of(caller: Caller, key: DeviceKey, welcome: Value) -> Handheld {
        let text = |name: &str| welcome[name].as_str().expect("a text").to_owned();
        let uuid = |name: &str| text(name).parse::<Uuid>().expect("an id");
        let (device, epoch) = (
            DeviceId(uuid("device")),
            u32::try_from(welcome["epoch"].as_u64().expect("a number")).expect("an epoch"),
        );
        Handheld {
            caller,
            key,
            device,
            epoch,
            installation: text("installation"),
            location: uuid("location"),
            anchor: text("anchor"),
            next: 1,
            history: vec![chain::genesis(device, epoch)],
            welcome,
        }
    }

    /// A copy of the whole device, as after a restore or a theft.
    #[must_use]
    pub fn copy(&self, internal_url: &str) -> Handheld {
        let caller = Caller::new(internal_url, None);
        let mut copy = Handheld::of(caller, self.key.copy(), self.welcome.clone());
        copy.anchor.clone_from(&self.anchor);
        copy.next = self.next;
        copy.history.clone_from(&self.history);
        copy
    }

    /// The text of an event at the next place of the sequence: `said` over what every event says.
    pub fn event(&mut self, kind: &str, said: &Value) -> String {
        let text = self.text(self.next, kind, said);
        self.make(text)
    }

    /// Takes a text, whatever it is, as the next event.
    pub fn make(&mut self, text: String) -> String {
        self.next += 1;
        self.history.push(chain::next(self.head(), text.as_bytes()));
        text
    }

    /// The hash after the last event it made.
    pub fn head(&self) -> Hash {
        *self.history.last().expect("the first hash")
    }

    /// The text of an event, not made yet.
    pub fn text(&self, seq: Seq, kind: &str, said: &Value) -> String {
        let mut event = json!({
            "v": 1, "kind": kind, "event_id": Uuid::now_v7(),
            "device": self.device, "epoch": self.epoch, "seq": seq,
            "actor": {"id": "w-17", "proof": "pin", "login_age_s": 60},
            "location": self.location,
            "at": jiff_now(), "mono": 0, "anchor": self.anchor, "anchor_wall": jiff_now(),
            "cursor": 0,
        });
        for (name, value) in said.as_object().expect("an object") {
            event[name] = value.clone();
        }
        event.to_string()
    }

    /// The frame of a push of texts that begin at `first` and follow `prev`.
    pub fn frame(&self, first: Seq, prev: Hash, events: &[String]) -> Value {
        json!({
            "v": 1, "device": self.device, "epoch": self.epoch, "first_seq": first,
            "prev_hash": prev, "queue_depth": events.len(), "events": events,
        })
    }

    /// What it signs over such a push.
    pub fn claims(&self, first: Seq, prev: Hash, events: &[String]) -> Value {
        let claims = PushClaims {
            aud: self.installation.clone(),
            device: self.device,
            epoch: self.epoch,
            first_seq: first,
            last_seq: first + events.len() as u64 - 1,
            prev_hash: prev,
            head: chain::head(prev, events),
        };
        serde_json::to_value(claims).expect("claims")
    }

    /// Pushes texts that were just made: they end at its head.
    pub async fn push(&mut self, events: &[String]) -> PushAnswer {
        let first = self.next - events.len() as u64;
        let prev = self.before(events);
        self.push_at(first, prev, events).await
    }

    /// Pushes texts from a place of the sequence on.
    pub async fn push_at(&mut self, first: Seq, prev: Hash, events: &[String]) -> PushAnswer {
        let answer = self.try_push(first, prev, events).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer: PushAnswer = serde_json::from_slice(&answer.body).expect("an answer");
        self.keep(&answer.anchor);
        answer
    }

    /// The same, whatever comes of it.
    pub async fn try_push(&self, first: Seq, prev: Hash, events: &[String]) -> Answer {
        let token = self.key.token(TYP_PUSH, &self.claims(first, prev, events));
        let frame = self.frame(first, prev, events).to_string();
        self.send(&token, "", frame.into_bytes()).await
    }

    /// The token over a push that somebody else put together.
    pub fn signed(&self, push: &Push) -> String {
        let claims = PushClaims::of(push, &self.installation);
        let claims = serde_json::to_value(claims).expect("claims");
        self.key.token(TYP_PUSH, &claims)
    }

    /// Sends these very bytes under this token.
    pub async fn send(&self, token: &str, encoding: &str, body: Vec<u8>) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.push(("content-type", "application/json"));
        if !encoding.is_empty() {
            headers.push(("content-encoding", encoding));
        }
        self.caller
            .send(Method::POST, "/v1/sync/push", &headers, body)
            .await
    }

    /// The hash before the last `events` that were made.
    fn before(&self, events: &[String]) -> Hash {
        self.history[self.history.len() - 1 - events.len()]
    }

    /// Keeps an anchor if it is greater than the one held.
    pub fn keep(&mut self, anchor: &str) {
        if anchor > self.anchor.as_str() {
            anchor.clone_into(&mut self.anchor);
        }
    }

    /// GET as a device: with the newest anchor as nonce.
    pub async fn read(&self, path: &str) -> Answer {
        self.read_with(path, &self.anchor).await
    }

    /// GET with an anchor of the test's own.
    pub async fn read_with(&self, path: &str, anchor: &str) -> Answer {
        let bearer = self.reading(anchor);
        self.caller
            .get_with(path, &[("authorization", &bearer)])
            .await
    }

    /// GET as a device, with further headers.
    pub async fn read_piece(&self, path: &str, more: &[(&str, &str)]) -> Answer {
        let bearer = self.reading(&self.anchor);
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend_from_slice(more);
        self.caller.get_with(path, &headers).await
    }

    /// POST as a device reads: with the newest anchor as nonce.
    pub async fn ask(&self, path: &str, body: &Value) -> Answer {
        let bearer = self.reading(&self.anchor);
        self.caller
            .post_with(path, &[("authorization", &bearer)], body)
            .await
    }

    /// POST as a device reads, of bytes of this type.
    pub async fn upload(&self, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let bearer = self.reading(&self.anchor);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", content_type),
        ];
        self.caller.send(Method::POST, path, &headers, body).await
    }

    /// The page after a cursor, of a position that comes in parts all of them; keeps its anchor.
    pub async fn pull(&mut self, cursor: i64, limit: usize) -> PullAnswer {
        let (mut items, mut within) = (Vec::new(), None);
        loop {
            let mut page = self.pull_part(cursor, limit, within.as_deref()).await;
            items.append(&mut page.items);
            if page.within.is_none() {
                page.items = items;
                return page;
            }
            within = page.within;
        }
    }

    /// A page, or a part of one.
    pub async fn pull_part(
        &mut self,
        cursor: i64,
        limit: usize,
        within: Option<&str>,
    ) -> PullAnswer {
        let within = within.map(|within| format!("&within={within}"));
        let path = format!(
            "/v1/sync/pull?cursor={cursor}&limit={limit}{}",
            within.unwrap_or_default()
        );
        let answer = self.read(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer: PullAnswer = serde_json::from_slice(&answer.body).expect("a page");
        self.keep(&answer.anchor);
        answer
    }

    /// How the service says it stands; keeps its anchor.
    pub async fn status(&mut self) -> StatusAnswer {
        let answer = self.read("/v1/sync/status").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer: StatusAnswer = serde_json::from_slice(&answer.body).expect("a status");
        self.keep(&answer.anchor);
        answer
    }

    /// What this device would deposit elsewhere: texts that were just made.
    pub fn exported(&self, events: &[String]) -> Value {
        let first = self.next - events.len() as u64;
        let prev = self.before(events);
        let token = self.key.token(TYP_PUSH, &self.claims(first, prev, events));
        json!({"v": 1, "token": token, "push": self.frame(first, prev, events)})
    }

    /// The header of a read.
    fn reading(&self, anchor: &str) -> String {
        let claims = ReadClaims {
            aud: self.installation.clone(),
            device: self.device,
            epoch: self.epoch,
            anchor: anchor.to_owned(),
        };
        let claims = serde_json::to_value(claims).expect("claims");
        format!("Bearer {}", self.key.token(TYP_READ, &claims))
    }
}

/// The device's wall clock, which in tests is right.
pub(crate) fn jiff_now() -> String {
    let now = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
    now.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}
