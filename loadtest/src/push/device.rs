//! A device that fills its queue offline and then sends it in pushes of one size. What it makes,
//! signs and checks is what a real one does; only the size of its pushes is ours to say, which is
//! why it is not an [`suyuan_sync::outbox::Outbox`] (that one sizes them itself, and drives the
//! backlog).

use std::time::{Duration, Instant};

use suyuan_sync::{
    chain::{self, Hash},
    ids::{DeviceId, Epoch, Gseq, Micros, Seq},
    outbox::{KeptAnchor, Slot},
    wire::{
        Enrol, EnrolAnswer, Push, PushAnswer, PushClaims, ReadClaims, Receipt, Status, TYP_PUSH,
        TYP_READ, TrustKey, V,
    },
};

use super::{
    key::{DeviceKey, verifies},
    life::{self, Places, Step},
    micros_now,
};
use crate::{
    LoadError,
    client::{call, request},
    target::Target,
};

/// An enrolment that takes longer has failed.
const ENROL_LIMIT: Duration = Duration::from_secs(30);

/// A device as the service knows it: who it is and how it signs.
pub struct Identity {
    key: DeviceKey,
    installation: String,
    trust: Vec<TrustKey>,
    /// Its id.
    pub device: DeviceId,
    /// Its life.
    pub epoch: Epoch,
    /// Its first anchor, and when it was received.
    pub first_anchor: (KeptAnchor, Instant),
}

impl Identity {
    /// Enrols with a one-time code.
    pub async fn enrol(internal: &Target, code: &str) -> Result<Self, LoadError> {
        let key = DeviceKey::new()?;
        let body = Enrol {
            v: V,
            code: code.to_owned(),
            key: key.public()?,
            program: Some("suyuan-loadtest".to_owned()),
        };
        let body = to_json(&body)?;
        let bytes = request(internal, "POST", "/v1/enrol", &[], Some(&body));
        let reply = call(internal, &bytes, ENROL_LIMIT)
            .await?
            .succeeded("POST /v1/enrol")?;
        let welcome: EnrolAnswer = serde_json::from_slice(&reply.body)
            .map_err(|error| LoadError::Unusable(format!("the welcome: {error}")))?;
        Ok(Self {
            key,
            installation: welcome.installation,
            trust: welcome.trust_keys,
            device: welcome.device,
            epoch: welcome.epoch,
            first_anchor: (
                KeptAnchor::new(welcome.anchor, micros_now()),
                Instant::now(),
            ),
        })
    }

    /// What it signs over a push.
    pub fn push_token(&self, push: &Push) -> Result<String, LoadError> {
        let claims = PushClaims::of(push, &self.installation);
        self.key.token(TYP_PUSH, &claims)
    }

    /// What it signs when it reads.
    pub fn read_token(&self, anchor: &str) -> Result<String, LoadError> {
        let claims = ReadClaims {
            aud: self.installation.clone(),
            device: self.device,
            epoch: self.epoch,
            anchor: anchor.to_owned(),
        };
        self.key.token(TYP_READ, &claims)
    }

    /// Is this receipt signed by the installation?
    pub fn believes(&self, receipt: &Receipt) -> bool {
        self.trust
            .iter()
            .find(|trusted| trusted.n == receipt.key)
            .is_some_and(|trusted| verifies(&trusted.key, &receipt.bytes_to_sign(), &receipt.sig))
    }
}

/// A push ready to be sent but for its newest receipt, which its signature does not cover.
pub struct Parcel {
    push: Push,
    token: String,
    head: Hash,
}

impl Parcel {
    /// How many events it carries.
    pub fn events(&self) -> usize {
        self.push.events.len()
    }

    /// The texts it carries.
    pub fn texts(&self) -> &[String] {
        &self.push.events
    }
}

/// See the file's header.
pub struct Device {
    /// Who it is.
    pub identity: Identity,
    anchor: KeptAnchor,
    heard: Instant,
    next: Seq,
    head: Hash,
    receipt: Option<Receipt>,
}

impl Device {
    /// Enrols with a one-time code.
    pub async fn enrol(internal: &Target, code: &str) -> Result<Self, LoadError> {
        Identity::enrol(internal, code).await.map(Self::of)
    }

    /// One that has said nothing yet.
    pub fn of(identity: Identity) -> Self {
        let (anchor, heard) = identity.first_anchor.clone();
        Self {
            head: chain::genesis(identity.device, identity.epoch),
            identity,
            anchor,
            heard,
            next: 1,
            receipt: None,
        }
    }

    /// Captures these steps of these loads, one event each, spread evenly over the time from when its
    /// anchor was received until now, and signs them as pushes of `batch`.
    pub fn fill<'a>(
        &mut self,
        steps: impl Iterator<Item = (Step, &'a [String])>,
        batch: usize,
        places: &Places,
    ) -> Result<Vec<Parcel>, LoadError> {
        let steps: Vec<(Step, &[String])> = steps.collect();
        let (count, passed) = (steps.len() as u64, self.heard.elapsed().as_micros() as u64);
        let mut parcels = Vec::with_capacity(steps.len().div_ceil(batch.max(1)));
        let mut waiting = count;
        for (n, chunk) in steps.chunks(batch.max(1)).enumerate() {
            let (first_seq, prev_hash) = (self.next, self.head);
            let mut events = Vec::with_capacity(chunk.len());
            for (m, (step, codes)) in chunk.iter().enumerate() {
                let place = (n * batch + m) as u64 + 1;
                let since = passed * place / count.max(1);
                let wall = self.anchor.wall + since as Micros;
                let text = life::text(&self.slot(since / 1_000), wall, *step, codes, places);
                self.head = chain::next(self.head, text.as_bytes());
                self.next += 1;
                events.push(text);
            }
            let push = Push {
                v: V,
                device: self.identity.device,
                epoch: self.identity.epoch,
                first_seq,
                prev_hash,
                last_receipt: None,
                queue_depth: waiting,
                events,
            };
            waiting -= chunk.len() as u64;
            parcels.push(Parcel {
                token: self.identity.push_token(&push)?,
                head: self.head,
                push,
            });
        }
        Ok(parcels)
    }

    fn slot(&self, mono_ms: u64) -> Slot {
        Slot {
            device: self.identity.device,
            epoch: self.identity.epoch,
            seq: self.next,
            prev_hash: self.head,
            anchor: Some(self.anchor.text.clone()),
            anchor_wall: Some(self.anchor.wall),
            mono_ms,
            cursor: 0,
        }
    }

    /// The request that sends a parcel now.
    pub fn request(&self, target: &Target, parcel: &mut Parcel) -> Result<Vec<u8>, LoadError> {
        parcel.push.last_receipt.clone_from(&self.receipt);
        let body = to_json(&parcel.push)?;
        let bearer = format!("Bearer {}", parcel.token);
        let headers = [("Authorization", bearer.as_str())];
        Ok(request(
            target,
            "POST",
            "/v1/sync/push",
            &headers,
            Some(&body),
        ))
    }

    /// Takes the answer: every event has this status and no finding, and the receipt covers all of
    /// it. Returns the first and the last position told.
    pub fn hear(
        &mut self,
        parcel: &Parcel,
        body: &[u8],
        wanted: Status,
    ) -> Result<(Gseq, Gseq), String> {
        let answer: PushAnswer =
            serde_json::from_slice(body).map_err(|error| format!("the answer: {error}"))?;
        if answer.results.len() != parcel.events() {
            return Err(format!(
                "{} results for {} events",
                answer.results.len(),
                parcel.events()
            ));
        }
        for (seq, result) in (parcel.push.first_seq..).zip(&answer.results) {
            if (result.seq, result.status) != (seq, wanted) || !result.findings.is_empty() {
                return Err(format!("event {seq}: {result:?} instead of {wanted:?}"));
            }
        }
        let receipt = answer.receipt;
        let last = parcel.push.last_seq();
        let ours = (receipt.device, receipt.epoch) == (self.identity.device, self.identity.epoch);
        if !ours || !(parcel.push.first_seq..=last).all(|seq| receipt.covers(seq)) {
            return Err(format!("a receipt that does not cover events up to {last}"));
        }
        if receipt.contiguous_seq == last && receipt.head_hash != parcel.head {
            return Err(format!("a receipt with another head at {last}"));
        }
        self.receipt = Some(receipt);
        let told = || answer.results.iter().filter_map(|result| result.gseq);
        told()
            .min()
            .zip(told().max())
            .ok_or_else(|| "no event was given a position".to_owned())
    }

    /// The last receipt is signed by the installation. (Every answer has one; a device checks each
    /// on a processor of its own, so this is done once the clock has stopped.)
    pub fn trusts_its_receipt(&self) -> bool {
        self.receipt
            .as_ref()
            .is_some_and(|receipt| self.identity.believes(receipt))
    }
}

/// As JSON, which cannot fail for what is sent here.
pub fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, LoadError> {
    serde_json::to_vec(value).map_err(|error| LoadError::Unusable(format!("JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use suyuan_sync::{
        finding::{FindingCode, Subject},
        wire::FindingNote,
    };
    use uuid::Uuid;

    /// A device, the key of its installation, and a parcel of four events.
    fn packed() -> (Device, DeviceKey, Parcel) {
        let installation = DeviceKey::new().unwrap();
        let identity = Identity {
            key: DeviceKey::new().unwrap(),
            installation: "installation".to_owned(),
            trust: vec![TrustKey {
                n: 1,
                key: installation.public().unwrap(),
                since: 0,
                sig: None,
            }],
            device: DeviceId(Uuid::from_u128(7)),
            epoch: 1,
            first_anchor: (
                KeptAnchor::new("anchor".to_owned(), micros_now()),
                Instant::now(),
            ),
        };
        let mut device = Device::of(identity);
        let [plant, warehouse, store] = [1, 2, 3].map(Uuid::from_u128);
        let places = life::places(plant, warehouse, store).unwrap();
        let code = ["http://h/01/09521234000013/21/08EV92F3KSKWSD".to_owned()];
        let mut parcels = device.fill(life::waves(&code, 1), 4, &places).unwrap();
        (device, installation, parcels.remove(0))
    }

    /// What a service says that stored all of it.
    fn stored(parcel: &Parcel) -> Value {
        let result = |n: usize| {
            let seq = parcel.push.seq_at(n);
            json!({"seq": seq, "status": "stored", "gseq": 10 + n, "findings": []})
        };
        json!({
            "v": 1, "results": (0..parcel.events()).map(result).collect::<Vec<_>>(),
            "receipt": {
                "device": parcel.push.device, "epoch": 1, "contiguous_seq": 4,
                "held_ranges": [[1, 4]], "missing_ranges": [], "head_hash": parcel.head,
                "stamp": 5, "key": 1, "sig": "A".repeat(86),
            },
            "anchor": "anchor", "t_recv": 5, "t_sent": 6, "credit": 500, "pull_hint": false,
        })
    }

    #[test]
    fn only_an_answer_that_is_right_in_every_event_is_taken() {
        let (mut device, _, parcel) = packed();
        let right = stored(&parcel);
        let mut hear =
            |answer: &Value, wanted| device.hear(&parcel, answer.to_string().as_bytes(), wanted);
        assert_eq!(hear(&right, Status::Stored), Ok((10, 13)));
        assert!(hear(&right, Status::Duplicate).is_err());
        let finding = FindingNote {
            code: FindingCode::Misroute,
            severity: FindingCode::Misroute.severity(),
            subject: Subject::Event,
            closed_by: None,
            closed_entry: None,
            closed: false,
        };
        let other = "0".repeat(64);
        for (at, wrong) in [
            ("/results/3/status", json!("parked")),
            ("/results/2/seq", json!(9)),
            ("/results/0/findings", json!([finding])),
            ("/receipt/held_ranges", json!([[1, 3]])),
            ("/receipt/head_hash", json!(other)),
            ("/receipt/epoch", json!(2)),
            ("/results", json!([])),
        ] {
            let mut answer = right.clone();
            *answer.pointer_mut(at).unwrap() = wrong;
            assert!(hear(&answer, Status::Stored).is_err(), "{at}");
        }
    }

    #[test]
    fn a_receipt_is_believed_if_the_installation_signed_it() {
        let (mut device, installation, parcel) = packed();
        assert!(!device.trusts_its_receipt());
        let answer = stored(&parcel).to_string();
        device
            .hear(&parcel, answer.as_bytes(), Status::Stored)
            .unwrap();
        assert!(!device.trusts_its_receipt());
        let receipt = device.receipt.as_mut().unwrap();
        receipt.sig = installation.sign(&receipt.bytes_to_sign()).unwrap();
        assert!(device.trusts_its_receipt());
        device.receipt.as_mut().unwrap().stamp += 1;
        assert!(!device.trusts_its_receipt());
    }

    #[test]
    fn a_parcel_is_what_the_wire_wants() {
        let (device, _, mut parcel) = packed();
        let target = Target::local(1);
        let bytes = device.request(&target, &mut parcel).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Authorization: Bearer "), "{head}");
        let push = Push::read(body.as_bytes()).unwrap();
        assert_eq!(
            (push.first_seq, push.last_seq(), push.queue_depth),
            (1, 4, 4)
        );
        assert_eq!(push.head(), parcel.head);
    }
}
