//! Who asks for a thing by its id is told of it if they have a part in it, and otherwise what is told of an
//! id that nobody ever gave (I20): people of each enterprise at their desks, whoever is not signed in, and
//! devices that say they are others'.
//!
//! Who has a part follows from what the log says; what the routes think of it is not asked.

use super::{
    SimulateError,
    handset::Handset,
    node::Asked as Request,
    run::{Run, Stop},
};
use crate::{
    accounts::{self, NewUser, Role},
    app::Internal,
    log::Actor,
};
use actix_web::http::Method;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};
use suyuan_sync::{
    event::Kind,
    finding::{FindingCode, Subject},
    fold::{Folded, Step},
    ids::{EnterpriseId, EventId},
    invariants::{Asked, Broken, i20_strangers_are_told_nothing as i20},
    unit::UnitKey,
    wire::{PushClaims, ReadClaims, TYP_PUSH, TYP_READ},
};
use uuid::Uuid;

/// Units that are asked about at a look, and events that stand aside.
const UNITS: usize = 3;
const ASIDE: usize = 2;
/// An id and a position that nobody ever gave, and a code that nobody issued.
const NO_ID: Uuid = Uuid::from_u128(1);
const NO_POSITION: i64 = 4_000_000_000;
const NO_CODE: &str = "/01/06901234567892/21/NOBODYS";

/// Somebody of an enterprise at a desk.
pub struct Clerk {
    enterprise: EnterpriseId,
    account: Uuid,
}

/// Somebody at a desk of each enterprise.
pub(super) async fn hire(
    state: &Internal,
    enterprises: &[EnterpriseId],
) -> Result<Vec<Clerk>, SimulateError> {
    let mut clerks = Vec::new();
    for (n, enterprise) in enterprises.iter().enumerate() {
        let user = NewUser {
            username: format!("clerk-{n}"),
            // No password has this hash: nobody signs in.
            password_hash: String::new(),
            role: Role::EnterpriseAdmin,
            enterprise: Some(enterprise.0),
        };
        let account = accounts::create_user(&state.log, Actor::System, None, user).await;
        clerks.push(Clerk {
            enterprise: *enterprise,
            account: account
                .map_err(|error| SimulateError::World(error.to_string()))?
                .id,
        });
    }
    Ok(clerks)
}

/// A thing that has an id, and who has a part in it.
struct Thing {
    path: String,
    /// The same of an id that nobody ever gave.
    nothing: String,
    parts: Vec<EnterpriseId>,
}

impl Thing {
    fn new(of: [&str; 2], (id, nobodys): (String, String), parts: Vec<EnterpriseId>) -> Thing {
        let [before, after] = of;
        Thing {
            path: format!("{before}{id}{after}"),
            nothing: format!("{before}{nobodys}{after}"),
            parts,
        }
    }
}

impl Run {
    /// I20 of some things, asked for by another clerk each time.
    pub(super) async fn strangers_are_told_nothing(&self) -> Result<(), Stop> {
        let Some(clerk) = self.clerks.get(self.looks % self.clerks.len().max(1)) else {
            return Ok(());
        };
        let mut asked = Vec::new();
        for thing in self.things() {
            for who in [Some(clerk), None] {
                let may = who.is_some_and(|clerk| thing.parts.contains(&clerk.enterprise));
                let (told, words) = self.read_as(who, &thing.path).await?;
                let of_nothing = if may {
                    String::new()
                } else {
                    self.read_as(who, &thing.nothing).await?.1
                };
                let name = who.map_or("nobody".to_owned(), |clerk| clerk.enterprise.to_string());
                let what = format!("{name} of {}", thing.path);
                if let Some(clerk) = who.filter(|_| may && told) {
                    only_what_is_theirs(clerk, &what, &words)?;
                }
                asked.push(Asked {
                    what,
                    may,
                    told,
                    words,
                    of_nothing,
                });
            }
        }
        i20(&asked)?;
        self.devices_are_who_they_are().await
    }

    /// Some things of the run.
    fn things(&self) -> Vec<Thing> {
        let at = self.looks;
        let mut things = Vec::new();
        let units: Vec<(&UnitKey, &Folded)> = self.units.iter().collect();
        for n in 0..UNITS.min(units.len()) {
            let Some((key, unit)) = units.get((at * 7 + n * 13) % units.len()) else {
                continue;
            };
            let ids = (encoded(key.as_str()), encoded(NO_CODE));
            let parts = self.parts_in(key, unit);
            things.push(Thing::new(["/v1/units/", ""], ids.clone(), parts.clone()));
            things.push(Thing::new(["/v1/units/", "/contents"], ids, parts));
        }
        let aside = self.log.events.iter().filter(|logged| !logged.counts());
        let aside: Vec<_> = aside.collect();
        for n in 0..ASIDE.min(aside.len()) {
            if let Some(logged) = aside.get((at * 5 + n * 11) % aside.len()) {
                let ids = (logged.gseq.to_string(), NO_POSITION.to_string());
                let of = ["/v1/quarantine/", ""];
                things.push(Thing::new(of, ids, vec![logged.enterprise]));
            }
        }
        let nobodys = |id: Uuid| (id.to_string(), NO_ID.to_string());
        if let Some(handset) = self.handsets.get(at % self.handsets.len().max(1)) {
            let (site, device) = (handset.site, handset.device.0);
            let own = || vec![site.enterprise];
            things.push(Thing::new(["/v1/devices/", ""], nobodys(device), own()));
            let place = nobodys(site.id.0);
            things.push(Thing::new(["/v1/locations/", ""], place, own()));
        }
        let maker = || vec![self.world.maker];
        if let Some(batch) = self.world.batches.get(at % self.world.batches.len().max(1)) {
            things.push(Thing::new(["/v1/batches/", ""], nobodys(batch.0), maker()));
        }
        if let Some(recall) = self.recalls.get(at % self.recalls.len().max(1)) {
            for after in ["", "/reach"] {
                things.push(Thing::new(
                    ["/v1/recalls/", after],
                    nobodys(*recall),
                    maker(),
                ));
            }
        }
        things
    }

    /// Who has a part in a unit: its issuer, whom it came to, whose word counts on it, if only by what it is
    /// in, since its issuer accepts that, and who says something of it.
    fn parts_in(&self, key: &UnitKey, unit: &Folded) -> Vec<EnterpriseId> {
        let clerks = self.clerks.iter().map(|clerk| clerk.enterprise);
        let states = |enterprise: EnterpriseId| {
            self.told.0.iter().any(|fact| {
                let mut named = fact.event.units.iter().chain(&fact.event.parent);
                fact.enterprise == enterprise
                    && fact.event.kind != Kind::Retract
                    && named.any(|read| read.unit.as_ref() == Some(key))
            })
        };
        clerks
            .filter(|enterprise| {
                let counts = |step: &Step| {
                    let kept = !step.struck && !step.stranger;
                    let fact = &step.fact;
                    kept && fact.enterprise == *enterprise && fact.event.kind != Kind::Retract
                };
                unit.state.issuer == Some(*enterprise)
                    || unit.state.linked.contains(enterprise)
                    || unit.steps.iter().any(counts)
                    || states(*enterprise)
            })
            .collect()
    }

    /// I20 of findings: somebody at a desk is told of those that are open about what their enterprise stated,
    /// or about units it issued, and of no others. Of what stands aside `status_tells_the_log` looks at what
    /// is told, of lots `lots_reached`.
    pub(super) async fn findings_are_told(&self, clerk: &Clerk) -> Result<(), Stop> {
        let of_device = |handset: &Handset| (handset.device, handset.site.enterprise);
        let devices: BTreeMap<_, _> = self.handsets.iter().map(of_device).collect();
        let counting = self.log.events.iter().filter(|logged| logged.counts());
        let counting: BTreeSet<EventId> = counting.filter_map(|logged| logged.event).collect();
        let mut told = self.findings_told(clerk).await?;
        told.retain(|(code, event, _)| is_of_state(*code) && counting.contains(event));
        let mut theirs: Vec<(FindingCode, EventId, Option<String>)> = Vec::new();
        for finding in &self.open {
            let (unit, issuer) = match &finding.subject {
                Subject::Lot(_) => continue,
                Subject::Event => (None, None),
                Subject::Unit(key) => {
                    let state = self.units.get(key).map(|unit| &unit.state);
                    (Some(key.to_string()), state.and_then(|state| state.issuer))
                }
            };
            let stater = devices.get(&finding.device).copied();
            if [issuer, stater].contains(&Some(clerk.enterprise)) {
                theirs.push((finding.code, finding.event, unit));
            }
        }
        theirs.retain(|(code, event, _)| is_of_state(*code) && counting.contains(event));
        told.sort_unstable();
        theirs.sort_unstable();
        if told == theirs {
            return Ok(());
        }
        let more = told.iter().find(|found| !theirs.contains(found));
        let less = theirs.iter().find(|found| !told.contains(found));
        let what = format!(
            "{} is told {} findings of {}, for example {more:?}, not {less:?}",
            clerk.enterprise,
            told.len(),
            theirs.len()
        );
        Err(Broken::new("I20", what).into())
    }

    async fn findings_told(
        &self,
        clerk: &Clerk,
    ) -> Result<Vec<(FindingCode, EventId, Option<String>)>, Stop> {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/findings?open=true&limit=500{after}");
            let (_, words) = self.read_as(Some(clerk), &path).await?;
            let page: Value = serde_json::from_str(&words)?;
            let items = page.get("items").and_then(Value::as_array);
            for item in items.into_iter().flatten() {
                let text = |name: &str| item.get(name).and_then(Value::as_str);
                if item.get("lot").is_some() {
                    continue;
                }
                let code = text("code").and_then(FindingCode::of_name);
                let event = text("event").and_then(|id| id.parse().ok()).map(EventId);
                let (Some(code), Some(event)) = (code, event) else {
                    let what = format!("a finding that cannot be read: {item}");
                    return Err(SimulateError::World(what).into());
                };
                found.push((code, event, text("unit").map(str::to_owned)));
            }
            match page.get("next").and_then(Value::as_i64) {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(found),
            }
        }
    }

    /// I20 of devices: nobody reads or states anything in the name of a device whose key they lack.
    async fn devices_are_who_they_are(&self) -> Result<(), Stop> {
        let at = self.looks;
        let (Some(forger), Some(other)) = (
            self.handsets.get(at % self.handsets.len().max(1)),
            self.handsets.get((at * 3 + 1) % self.handsets.len().max(1)),
        ) else {
            return Ok(());
        };
        if forger.device == other.device {
            return Ok(());
        }
        let node = self.node()?;
        let disk = other.outbox.disk();
        let Some(key) = forger.keys.values().next_back() else {
            return Ok(());
        };
        // As the servers have it: with an old anchor anybody would be refused.
        let (anchors, now) = (&node.state.handheld.anchors, self.clock.now());
        let reads = ReadClaims {
            aud: other.installation.clone(),
            device: other.device,
            epoch: disk.epoch,
            anchor: anchors.issue(other.device.0, disk.epoch, now, now),
        };
        let (before, _) = node.state.log.head().await?;
        for path in [
            "/v1/sync/status",
            "/v1/sync/pull?cursor=0&limit=3",
            "/v1/sync/snapshot",
        ] {
            let token = key.token(TYP_READ, &reads)?;
            self.is_refused(other, (Method::GET, path), &token, Vec::new())
                .await?;
        }
        let Ok(push) = other.outbox.push(disk.epoch, disk.next, disk.next) else {
            return Ok(());
        };
        let push = suyuan_sync::wire::Push {
            last_receipt: None,
            events: vec!["{}".to_owned()],
            ..push
        };
        let token = key.token(TYP_PUSH, &PushClaims::of(&push, &other.installation))?;
        let body = serde_json::to_vec(&push)?;
        self.is_refused(other, (Method::POST, "/v1/sync/push"), &token, body)
            .await?;
        let (after, _) = node.state.log.head().await?;
        if after != before {
            let what = format!("somebody else stated something as {}", other.device);
            return Err(Broken::new("I20", what).into());
        }
        Ok(())
    }

    async fn is_refused(
        &self,
        device: &Handset,
        (method, path): (Method, &str),
        token: &str,
        body: Vec<u8>,
    ) -> Result<(), Stop> {
        let asked = Request {
            method,
            path,
            bearer: Some(token),
            body,
        };
        let (status, body) = self.node()?.call(asked).await;
        if status != 401 {
            let words = String::from_utf8_lossy(&body);
            let what = format!(
                "who lacks the key of {} is answered {status} at {path}: {words}",
                device.device
            );
            return Err(Broken::new("I20", what).into());
        }
        Ok(())
    }

    /// What is answered at a desk, and whether that is what was asked for. How a request is called is left
    /// out: each has a name of its own.
    async fn read_as(&self, clerk: Option<&Clerk>, path: &str) -> Result<(bool, String), Stop> {
        let node = self.node()?;
        let token = clerk
            .map(|clerk| {
                node.state
                    .tokens
                    .issue(clerk.account, 0, node.state.clock.now())
            })
            .transpose()
            .map_err(|error| SimulateError::World(error.to_string()))?;
        let asked = Request {
            method: Method::GET,
            path,
            bearer: token.as_ref().map(|(token, _)| token.as_str()),
            body: Vec::new(),
        };
        let (status, body) = node.call(asked).await;
        if status >= 500 {
            return Err(SimulateError::Answered("a question at a desk", status).into());
        }
        let told = status == 200;
        if told {
            return Ok((told, String::from_utf8_lossy(&body).into_owned()));
        }
        let mut problem: Value = serde_json::from_slice(&body)?;
        if let Some(problem) = problem.as_object_mut() {
            problem.remove("request_id");
        }
        Ok((told, problem.to_string()))
    }
}

/// Whoever did not issue a unit is told of it what they said themselves, and one step up and down.
fn only_what_is_theirs(clerk: &Clerk, what: &str, words: &str) -> Result<(), Stop> {
    let told: Value = serde_json::from_str(words)?;
    let own = |of: &Value| of.get("enterprise_id") == Some(&clerk.enterprise.0.to_string().into());
    if told.get("issuer") == Some(&clerk.enterprise.0.to_string().into()) {
        return Ok(());
    }
    let listed = |name: &str| {
        told.get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let step = |entry: &&Value| {
        let kind = entry.get("kind").and_then(Value::as_str);
        matches!(kind, Some("inbound" | "outbound"))
    };
    let entry = listed("timeline").find(|entry| !own(entry) && !step(entry));
    let shown = |found: &&Value| {
        let witnesses = found.get("witnesses").and_then(Value::as_array);
        own(found) && witnesses.is_some_and(|witnesses| witnesses.iter().all(own))
    };
    let found = listed("findings").find(|found| !shown(found));
    if let Some(others) = entry.or(found) {
        return Err(Broken::new("I20", format!("{what} is told {others}")).into());
    }
    Ok(())
}

/// Is it found of what counts? The others are told of what stands aside, under whatever id that says.
fn is_of_state(code: FindingCode) -> bool {
    use FindingCode::{DeviceFork, DeviceRevoked, IdReuse, SeqMismatch, Unreadable};
    !matches!(
        code,
        DeviceFork | DeviceRevoked | IdReuse | SeqMismatch | Unreadable
    )
}

/// As one part of a path.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        // Writing to a string cannot fail.
        let _ = if byte.is_ascii_alphanumeric() {
            write!(out, "{}", char::from(byte))
        } else {
            write!(out, "%{byte:02X}")
        };
    }
    out
}
