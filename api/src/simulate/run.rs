//! One run: virtual time, what people and faults do next, and the post between handsets and servers.
//! Everything happens one after the other, in an order that follows from the seed.

use super::{
    Options, Part, SimulateError,
    dice::Dice,
    handset::{Effect, Flight, Handset, Life},
    node::{Asked, Node},
    post::{Asking, Letter, Post, What},
    scans::{self, Memory},
    world::{self, World},
};
use crate::{
    clock::Clock,
    config::Settings,
    db::{self, Db},
    handheld::devices::{
        store as devices,
        wire::{DeviceIn, Profile},
    },
    log::Actor,
    played::{DeviceKey, is_signed},
    sealing::Sealer,
};
use actix_web::http::Method;
use std::{collections::BTreeMap, fmt::Write as _, rc::Rc, sync::Arc};
use suyuan_sync::{
    chain::{self, Hash},
    facts::Fact,
    ids::{DeviceId, Gseq, Micros},
    invariants::{Broken, DeviceHistory, LogHistory, Told},
    outbox::{Command, Fate},
    wire::{
        Deposit, Enrol, EnrolAnswer, LookUpAnswer, PullAnswer, PushAnswer, PushClaims, ReadClaims,
        StatusAnswer, TYP_PUSH, TYP_READ, V,
    },
};

/// When every run begins: 2026-06-01 00:00 UTC.
pub const BEGINNING: Micros = 1_780_272_000_000_000;
const SECOND: Micros = 1_000_000;

/// See the file's header.
pub struct Run {
    pub(super) options: Options,
    pub(super) dice: Dice,
    pub(super) now: Micros,
    pub(super) clock: Clock,
    pub(super) settings: Settings,
    pub(super) sealer: Sealer,
    /// Looks at the database whatever servers run.
    pub(super) observer: Db,
    /// Server processes; one that is down is `None`.
    pub(super) nodes: Vec<Option<Node>>,
    pub(super) world: World,
    pub(super) handsets: Vec<Handset>,
    /// What each handset made and was told.
    pub(super) histories: Vec<DeviceHistory>,
    pub(super) post: Post,
    pub(super) memory: Memory,
    pub(super) recalls: Vec<uuid::Uuid>,
    /// The log as it was last looked at.
    pub(super) log: LogHistory,
    pub(super) head: Gseq,
    /// How often what happened.
    pub(super) tally: BTreeMap<&'static str, u64>,
    /// What happened, in order.
    pub(super) trail: Hash,
    pub(super) step: u32,
    /// What was folded when the log was last looked at as a whole.
    pub(super) told: (Vec<Arc<Fact>>, suyuan_sync::facts::World),
    folder: Option<tempfile::TempDir>,
}

/// What a step may break off with.
pub enum Stop {
    /// An invariant does not hold.
    Broken(Broken),
    /// The run cannot go on.
    Failed(SimulateError),
}

impl<E: Into<SimulateError>> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::Failed(error.into())
    }
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Stop {
        Stop::Broken(broken)
    }
}

impl Run {
    /// Starts servers on an empty database and makes the world.
    pub async fn begin(options: Options) -> Result<Run, SimulateError> {
        let folder = match &options.database {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new()
                    .prefix("suyuan-simulate-")
                    .tempdir()?,
            ),
        };
        let url = match (&options.database, &folder) {
            (Some(url), _) => url.clone(),
            (None, Some(folder)) => format!("sqlite://{}/run.db", folder.path().display()),
            (None, None) => String::new(),
        };
        let defaults = [
            ("database.url", url),
            ("limits.enabled", "false".to_owned()),
            ("handheld.gather_ms", "0".to_owned()),
            ("log.level", "error".to_owned()),
        ];
        let settings = Settings::load_over(&defaults, None, &[])?;
        let (clock, sealer) = (Clock::standing(BEGINNING), Sealer::for_demo(options.seed)?);
        let servers = if options.database.is_some() {
            options.servers.max(1)
        } else {
            1
        };
        let mut nodes = Vec::new();
        for _ in 0..servers {
            let node = Node::start(settings.clone(), clock.clone(), sealer.clone()).await?;
            nodes.push(Some(node));
        }
        let node = nodes.first().and_then(Option::as_ref);
        let node = node.ok_or(SimulateError::Down)?;
        let mut world = world::make(&node.state).await?;
        world.lots = options.has(Part::Lots);
        let observer = Db::open_single(&db::url(&settings), &settings.database).await?;
        let mut run = Run {
            dice: Dice::of(options.seed),
            now: BEGINNING,
            clock,
            settings,
            sealer,
            observer,
            nodes,
            world,
            handsets: Vec::new(),
            histories: Vec::new(),
            post: Post::default(),
            memory: Memory::default(),
            recalls: Vec::new(),
            log: LogHistory::default(),
            head: 0,
            tally: BTreeMap::new(),
            trail: Hash::of(b"suyuan-simulate-1"),
            step: 0,
            told: <(Vec<Arc<Fact>>, suyuan_sync::facts::World)>::default(),
            options,
            folder,
        };
        run.post.healed = !run.options.has(Part::Faults);
        for n in 0..run.options.devices {
            let site = run.world.sites.get(n % run.world.sites.len().max(1));
            let site = site.copied().ok_or(SimulateError::Down)?;
            let wanted = DeviceIn {
                name: format!("PDA {n}"),
                profile: Profile::Handheld,
                location_id: site.id.0,
            };
            let log = run.node()?.state.log.clone();
            let made = devices::create(&log, site.enterprise.0, Actor::System, None, wanted);
            let device = DeviceId(made.await?);
            let (welcome, key) = run.enrol(site.enterprise.0, device).await?;
            let life = Life {
                epoch: welcome.epoch,
                key,
                anchor: welcome.anchor,
            };
            let mut handset = Handset::new(device, site, life, run.now);
            handset.trust = welcome.trust_keys;
            handset.installation = welcome.installation;
            run.handsets.push(handset);
            run.histories.push(DeviceHistory {
                device,
                made: Vec::new(),
                told: Vec::new(),
            });
        }
        Ok(run)
    }

    /// A server that runs.
    pub fn node(&self) -> Result<&Node, SimulateError> {
        let mut running = self.nodes.iter().flatten();
        running.next().ok_or(SimulateError::Down)
    }

    /// One of those that run.
    fn any_node(&mut self) -> Option<usize> {
        let running: Vec<usize> = (0..self.nodes.len())
            .filter(|n| self.nodes.get(*n).is_some_and(Option::is_some))
            .collect();
        self.dice.pick(&running).copied()
    }

    /// Notes that something happened, so that two runs can be compared.
    pub fn note(&mut self, what: &'static str, detail: &str) {
        *self.tally.entry(what).or_default() += 1;
        let mut line = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(line, "{} {} {what} {detail}", self.step, self.now);
        if self.options.verbose {
            eprint!("{line}");
        }
        self.trail = chain::next(self.trail, line.as_bytes());
    }

    /// A person with a ticket enrols a device: its key begins a new life.
    pub async fn enrol(
        &mut self,
        enterprise: uuid::Uuid,
        device: DeviceId,
    ) -> Result<(EnrolAnswer, Rc<DeviceKey>), SimulateError> {
        let node = self.node()?;
        let ticket = devices::ticket(&node.state.log, enterprise, Actor::System, device.0);
        let (_, ticket) = ticket.await?;
        let key = Rc::new(DeviceKey::generate()?);
        let body = Enrol {
            v: V,
            code: ticket.code,
            key: key.public()?,
            program: None,
        };
        let asked = Asked {
            method: Method::POST,
            path: "/v1/enrol",
            bearer: None,
            body: serde_json::to_vec(&body)?,
        };
        let (status, body) = node.call(asked).await;
        if status != 201 {
            return Err(SimulateError::Answered("enrol", status));
        }
        let welcome: EnrolAnswer = serde_json::from_slice(&body)?;
        self.note("enrolled", &format!("{device} {}", welcome.epoch));
        Ok((welcome, key))
    }

    /// What happens until then: post arrives, timers fire.
    pub async fn pass(&mut self, until: Micros) -> Result<(), Stop> {
        loop {
            let timer = (0..self.handsets.len())
                .filter_map(|n| Some((self.timer(n)?, n)))
                .min();
            let post = self.post.next();
            let next = post.into_iter().chain(timer.map(|(at, _)| at)).min();
            let Some(next) = next.filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(next);
            self.clock.set(self.now);
            if post == Some(next) {
                if let Some(letter) = self.post.take(self.now) {
                    self.deliver(letter).await?;
                }
            } else if let Some((_, n)) = timer {
                if let Some(handset) = self.handsets.get_mut(n) {
                    handset.due = None;
                }
                self.command(n, Command::Due, None)?;
            }
        }
        self.now = self.now.max(until);
        self.clock.set(self.now);
        Ok(())
    }

    fn timer(&self, n: usize) -> Option<Micros> {
        let handset = self.handsets.get(n)?;
        let wait = handset.due?.saturating_sub(handset.session_ms(self.now));
        Some(
            self.now
                .saturating_add(i64::try_from(wait).ok()?.saturating_mul(1000)),
        )
    }

    /// A command to an outbox.
    pub fn command(
        &mut self,
        n: usize,
        command: Command,
        effect: Option<Effect>,
    ) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get_mut(n) else {
            return Ok(());
        };
        let flights = handset.take(command, effect, self.now, &mut self.dice);
        self.send_all(n, flights)
    }

    /// Sends the pushes an outbox wants sent.
    pub fn send_all(&mut self, n: usize, flights: Vec<Flight>) -> Result<(), Stop> {
        for flight in flights {
            let Some(handset) = self.handsets.get(n) else {
                continue;
            };
            let push = handset.outbox.push(flight.epoch, flight.first, flight.last);
            let Some(key) = handset.keys.get(&flight.epoch) else {
                self.command(
                    n,
                    Command::Refused {
                        flight: flight.id,
                        status: 401,
                        retry_after: None,
                    },
                    None,
                )?;
                continue;
            };
            let what = What::Push {
                flight: flight.id,
                epoch: push.epoch,
                first: push.first_seq,
                hashes: chain::hashes(push.prev_hash, &push.events).collect(),
            };
            let claims = PushClaims::of(&push, &handset.installation);
            let asking = Asking {
                from: n,
                session: handset.session,
                what,
                method: Method::POST,
                path: "/v1/sync/push".into(),
                bearer: key.token(TYP_PUSH, &claims)?,
                body: serde_json::to_vec(&push)?,
                receipted: handset.receipted,
            };
            self.send(asking);
        }
        Ok(())
    }

    fn send(&mut self, asking: Asking) {
        let letter = Letter::Request(Box::new(asking));
        self.post.send(letter, self.now, &mut self.dice);
    }

    /// What a handset asks as itself: signed over the newest anchor it holds.
    pub fn ask(
        &mut self,
        n: usize,
        what: What,
        method: Method,
        path: String,
        body: Vec<u8>,
    ) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get(n) else {
            return Ok(());
        };
        let disk = handset.outbox.disk();
        let (Some(anchor), Some(key)) = (&disk.anchor, handset.keys.get(&disk.epoch)) else {
            return Ok(());
        };
        let claims = ReadClaims {
            aud: handset.installation.clone(),
            device: handset.device,
            epoch: disk.epoch,
            anchor: anchor.text.clone(),
        };
        let asking = Asking {
            from: n,
            session: handset.session,
            what,
            method,
            path,
            bearer: key.token(TYP_READ, &claims)?,
            body,
            receipted: handset.receipted,
        };
        self.send(asking);
        Ok(())
    }

    /// A handset asks what changed.
    pub fn pull(&mut self, n: usize) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get_mut(n) else {
            return Ok(());
        };
        handset.pulling = true;
        let after = handset.outbox.disk().cursor;
        let limit = [3, 20, 500].get(self.dice.below(3)).copied().unwrap_or(500);
        let path = format!("/v1/sync/pull?cursor={after}&limit={limit}");
        self.ask(n, What::Pull { after }, Method::GET, path, Vec::new())
    }

    /// A handset carries what another could not send.
    pub fn deposit(&mut self, carrier: usize, of: usize) -> Result<(), Stop> {
        let Some(owner) = self.handsets.get(of) else {
            return Ok(());
        };
        for push in owner.outbox.export() {
            let Some(key) = owner.keys.get(&push.epoch) else {
                continue;
            };
            let token = key.token(TYP_PUSH, &PushClaims::of(&push, &owner.installation))?;
            let what = What::Deposit {
                of,
                epoch: push.epoch,
                hashes: chain::hashes(push.prev_hash, &push.events).collect(),
            };
            let body = serde_json::to_vec(&Deposit { v: V, token, push })?;
            self.note("deposit", &format!("{carrier} {of}"));
            return self.ask(carrier, what, Method::POST, "/v1/sync/deposit".into(), body);
        }
        Ok(())
    }

    async fn deliver(&mut self, letter: Letter) -> Result<(), Stop> {
        match letter {
            Letter::Request(asking) => self.arrive(*asking).await,
            Letter::Answer { to, status, body } => self.heard(&to, status, &body),
        }
    }

    /// A request reaches a server; another one another server, perhaps, at the very same time.
    async fn arrive(&mut self, asking: Asking) -> Result<(), Stop> {
        let Some(n) = self.any_node() else {
            return Ok(());
        };
        let other = (n + 1) % self.nodes.len();
        let meets =
            self.options.race && other != n && matches!(self.nodes.get(other), Some(Some(_)));
        let met = meets
            .then(|| self.post.meeting(self.now, asking.from))
            .flatten();
        let Some(met) = met else {
            let answer = call(self.nodes.get(n), &asking).await;
            return self.answered(asking, answer);
        };
        let (one, two) = futures_util::join!(
            call(self.nodes.get(n), &asking),
            call(self.nodes.get(other), &met)
        );
        self.answered(asking, one)?;
        self.answered(met, two)
    }

    /// What a server answered goes back.
    fn answered(&mut self, asking: Asking, answer: Option<(u16, Vec<u8>)>) -> Result<(), Stop> {
        let Some((status, body)) = answer else {
            return Ok(());
        };
        if status >= 500 && status != 503 {
            let text = String::from_utf8_lossy(&body);
            let what = format!("{} was answered {status}: {text}", asking.path);
            return Err(Broken::new("I18", what).into());
        }
        self.note(
            "answered",
            &format!("{} {} {status}", asking.from, asking.path),
        );
        if status == 200 {
            self.hear(&asking, &body)?;
        }
        let letter = Letter::Answer {
            to: Box::new(asking),
            status,
            body,
        };
        self.post.send(letter, self.now, &mut self.dice);
        Ok(())
    }

    /// What a server said is said, whether anybody heard it or not.
    fn hear(&mut self, asking: &Asking, body: &[u8]) -> Result<(), Stop> {
        let (of, epoch, hashes) = match &asking.what {
            What::Push { epoch, hashes, .. } => (asking.from, *epoch, hashes),
            What::Deposit { of, epoch, hashes } => (*of, *epoch, hashes),
            What::Pull { .. } => {
                let page: PullAnswer = serde_json::from_slice(body)?;
                let read = (asking.receipted, page.cursor);
                self.read(asking, read, page.more);
                return Ok(());
            }
            What::LookUp => {
                let answer: LookUpAnswer = serde_json::from_slice(body)?;
                self.read(asking, (asking.receipted, answer.position), false);
                return Ok(());
            }
            What::Status => return Ok(()),
        };
        let answer: PushAnswer = serde_json::from_slice(body)?;
        if answer.results.len() != hashes.len() {
            let what = format!(
                "{} results for {} events",
                answer.results.len(),
                hashes.len()
            );
            return Err(Broken::new("I6", what).into());
        }
        let detail: Vec<String> = answer
            .results
            .iter()
            .map(|result| format!("{}{}{:?}", result.seq, result.status.name(), result.gseq))
            .collect();
        self.note("results", &detail.join(" "));
        let Some(history) = self.histories.get_mut(of) else {
            return Ok(());
        };
        for (result, hash) in answer.results.into_iter().zip(hashes) {
            history.told.push(Told::Result {
                epoch,
                seq: result.seq,
                hash: *hash,
                status: result.status,
                code: result.code,
                gseq: result.gseq,
            });
        }
        history.told.push(Told::Receipt(answer.receipt));
        Ok(())
    }

    /// A handset that is still in the session that asked read at a position.
    fn read(&mut self, asking: &Asking, read: (Gseq, Gseq), more: bool) {
        if let Some(handset) = self.handsets.get_mut(asking.from)
            && handset.session == asking.session
            && !more
        {
            handset.reads.push(read);
        }
    }

    /// An answer reaches a handset.
    fn heard(&mut self, to: &Asking, status: u16, body: &[u8]) -> Result<(), Stop> {
        let n = to.from;
        let Some(handset) = self.handsets.get_mut(n) else {
            return Ok(());
        };
        if handset.session != to.session {
            return Ok(());
        }
        if matches!(to.what, What::Pull { .. }) {
            handset.pulling = false;
        }
        if status == 401 && !matches!(to.what, What::Push { .. }) {
            return self.fresh_anchor(n, body);
        }
        let wall = handset.wall(self.now);
        match &to.what {
            What::Push { flight, first, .. } => {
                if status != 200 {
                    let retry_after = (status == 503).then_some(2);
                    let refused = Command::Refused {
                        flight: *flight,
                        status,
                        retry_after,
                    };
                    return self.command(n, refused, None);
                }
                let answer: PushAnswer = serde_json::from_slice(body)?;
                if !is_signed(&answer.receipt, &handset.trust) {
                    return Err(Broken::new("I5", "a receipt is not signed").into());
                }
                let own = answer.results.iter().filter_map(|result| result.gseq).max();
                handset.receipted = handset.receipted.max(own.unwrap_or(0));
                let knows = own.map(Effect::Knows);
                let command = Command::Answer {
                    flight: *flight,
                    first: *first,
                    fates: answer.results.iter().map(Fate::of_result).collect(),
                    receipt: answer.receipt,
                    anchor: answer.anchor,
                    wall,
                    credit: answer.credit,
                    retry_after: answer.retry_after,
                };
                self.command(n, command, knows)
            }
            What::Pull { after } => match status {
                200 => {
                    let page: PullAnswer = serde_json::from_slice(body)?;
                    // Asked twice, or overtaken: only what goes on from here is a checkpoint.
                    if handset.outbox.disk().cursor != *after || handset.writing() > 0 {
                        return Ok(());
                    }
                    let command = Command::Checkpoint {
                        cursor: page.cursor,
                        anchor: page.anchor.clone(),
                        wall,
                        fates: handset.fates(&page),
                    };
                    let effect = Effect::Page(*after, Box::new(page));
                    self.command(n, command, Some(effect))
                }
                403 => {
                    handset.over = true;
                    Ok(())
                }
                _ => Err(SimulateError::Answered("pull", status).into()),
            },
            What::LookUp => {
                if status == 200 {
                    let answer: LookUpAnswer = serde_json::from_slice(body)?;
                    let effect = Effect::Knows(answer.position);
                    return self.looked_up(n, answer.anchor, Some(effect));
                }
                Ok(())
            }
            What::Status => {
                if status == 200 {
                    let answer: StatusAnswer = serde_json::from_slice(body)?;
                    handset.over |= answer.re_enrol;
                    return self.looked_up(n, answer.anchor, None);
                }
                Ok(())
            }
            What::Deposit { .. } => Ok(()),
        }
    }

    /// An anchor that came with anything but a page.
    fn looked_up(&mut self, n: usize, anchor: String, effect: Option<Effect>) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get(n) else {
            return Ok(());
        };
        let command = Command::Checkpoint {
            cursor: handset.outbox.disk().cursor,
            anchor,
            wall: handset.wall(self.now),
            fates: Vec::new(),
        };
        self.command(n, command, effect)
    }

    fn fresh_anchor(&mut self, n: usize, body: &[u8]) -> Result<(), Stop> {
        let problem: serde_json::Value = serde_json::from_slice(body)?;
        match problem.get("anchor").and_then(serde_json::Value::as_str) {
            Some(anchor) => self.looked_up(n, anchor.to_owned(), None),
            None => Ok(()),
        }
    }

    /// Somebody scans.
    pub fn scan(&mut self, n: usize) -> Result<(), Stop> {
        let Some((handset, history)) = self.handsets.get_mut(n).zip(self.histories.get_mut(n))
        else {
            return Ok(());
        };
        let texts = scans::scan(
            &mut self.dice,
            &self.world,
            &mut self.memory,
            handset,
            self.now,
        );
        let said: Vec<Hash> = texts
            .iter()
            .map(|(_, text)| Hash::of(text.as_bytes()))
            .collect();
        let flights = handset.capture(texts, self.now, &mut self.dice, history);
        self.note("scan", &format!("{n} {said:?}"));
        self.send_all(n, flights)
    }

    /// A storage commits.
    pub fn commit(&mut self, n: usize, count: usize) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get_mut(n) else {
            return Ok(());
        };
        let flights = handset.commit(count, self.now, &mut self.dice);
        self.send_all(n, flights)
    }

    /// How long until the next step.
    pub fn pause(&mut self) -> Micros {
        match self.dice.below(100) {
            0..70 => self.dice.between(1, 3_000) * 1000,
            70..92 => self.dice.between(3, 90) * SECOND,
            92..99 => self.dice.between(90, 1_800) * SECOND,
            _ => self.dice.between(1_800, 8 * 3_600) * SECOND,
        }
    }

    /// Ends all servers.
    pub async fn end(&mut self, broken: bool) {
        for node in self.nodes.iter_mut().filter_map(Option::take) {
            node.die().await;
        }
        self.observer.clone().close().await;
        if let Some(folder) = self.folder.take_if(|_| broken && self.options.verbose) {
            eprintln!("kept {}", folder.keep().display());
        }
    }
}

/// Calls a server, if it runs.
async fn call(node: Option<&Option<Node>>, asking: &Asking) -> Option<(u16, Vec<u8>)> {
    let node = node?.as_ref()?;
    let asked = Asked {
        method: asking.method.clone(),
        path: &asking.path,
        bearer: Some(&asking.bearer),
        body: asking.body.clone(),
    };
    Some(node.call(asked).await)
}
