//! One run: what there is of it, and virtual time, in which letters arrive and timers fire. Everything
//! happens one after the other, in an order that follows from the seed. What goes over the wire is
//! told in `wire` and `heard`, what people and faults do in `faults`.

use super::{
    Options, Part, SimulateError,
    badges::Badge,
    dice::Dice,
    handset::Handset,
    known::Balances,
    node::{Asked, Node},
    post::Post,
    scans::{self, Memory},
    seen::Effect,
    strangers::{self, Clerk},
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
    played::DeviceKey,
    sealing::Sealer,
};
use actix_web::http::Method;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    rc::Rc,
    sync::Arc,
};
use suyuan_sync::{
    chain::{self, Hash},
    facts::Fact,
    finding::{Finding, LotKey},
    fold::Folded,
    ids::{DeviceId, Gseq, Micros},
    invariants::{Broken, DeviceHistory, LogHistory},
    lots::Tally,
    order::Order,
    outbox::Command,
    unit::UnitKey,
    wire::{Enrol, EnrolAnswer, V},
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
    pub(super) badges: Vec<Badge>,
    /// How often the log was looked at as a whole.
    pub(super) looks: usize,
    /// Up to which position the oracle was asked.
    pub(super) judged: Gseq,
    /// Somebody at a desk of each enterprise.
    pub(super) clerks: Vec<Clerk>,
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
    /// What became of units by that log.
    pub(super) units: BTreeMap<UnitKey, Folded>,
    /// What became of goods without codes by that log, line by line.
    pub(super) tallies: BTreeMap<LotKey, Tally>,
    /// By which events goods moved at places that are on no record.
    pub(super) nowhere: BTreeMap<LotKey, BTreeSet<Order>>,
    /// Who sent such goods to whom, or got them from there.
    pub(super) legs: suyuan_sync::lots::Legs,
    /// Findings that are open by that log.
    pub(super) open: Vec<Finding>,
    /// How far the servers' clock is off.
    pub(super) jumped: Micros,
    /// It jumped, and nobody confirmed yet that it is right.
    pub(super) stopped: bool,
    /// What was told as known at positions, to be told alike for ever.
    pub(super) known: Vec<(UnitKey, Gseq, String)>,
    /// The same of balances.
    pub(super) known_lots: Vec<Balances>,
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
            // How long a busy machine takes is no part of a run.
            ("database.acquire_timeout_ms", "60000".to_owned()),
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
        let world = world::make(&node.state, &options.without).await?;
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
            badges: Vec::new(),
            clerks: Vec::new(),
            looks: 0,
            judged: 0,
            log: LogHistory::default(),
            head: 0,
            tally: BTreeMap::new(),
            trail: Hash::of(b"suyuan-simulate-1"),
            step: 0,
            told: <(Vec<Arc<Fact>>, suyuan_sync::facts::World)>::default(),
            units: BTreeMap::new(),
            tallies: BTreeMap::new(),
            nowhere: BTreeMap::new(),
            legs: BTreeMap::new(),
            open: Vec::new(),
            jumped: 0,
            stopped: false,
            known: Vec::new(),
            known_lots: Vec::new(),
            options,
            folder,
        };
        if run.options.has(Part::Desks) {
            let mut enterprises: Vec<_> = run.world.sites.iter().map(|it| it.enterprise).collect();
            enterprises.dedup();
            run.clerks = strangers::hire(&run.node()?.state, &enterprises).await?;
        }
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
            let device = DeviceId(made.await?.0.id);
            run.add(device, site).await?;
        }
        Ok(run)
    }

    /// A server that runs.
    pub fn node(&self) -> Result<&Node, SimulateError> {
        let mut running = self.nodes.iter().flatten();
        running.next().ok_or(SimulateError::Down)
    }

    /// One of those that run.
    pub(super) fn any_node(&mut self) -> Option<usize> {
        let running: Vec<usize> = (0..self.nodes.len())
            .filter(|n| self.nodes.get(*n).is_some_and(Option::is_some))
            .collect();
        let any = self.dice.pick(&running).copied();
        if self.options.one_works {
            return running.first().copied();
        }
        any
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
        let ticket = devices::ticket(&node.state.log, enterprise, Actor::System, None, device.0);
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
            let beside = self.timer_beside();
            let timers = timer.into_iter().chain(beside).map(|(at, _)| at);
            let next = post.into_iter().chain(timers).min();
            let Some(next) = next.filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(next);
            self.clock.set(self.now);
            if post == Some(next) {
                if let Some(letter) = self.post.take(self.now) {
                    self.deliver(letter).await?;
                }
            } else if let Some((_, n)) = beside.filter(|(at, _)| *at == next) {
                self.command_beside(n, Command::Due)?;
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
