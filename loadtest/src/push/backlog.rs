//! Monday morning: very many events of devices that were offline go up at once, while somebody
//! stands at a till. Each device is the product's own [`Outbox`], which sizes its pushes and waits
//! as it was told; its storage is memory. The till sells on a schedule, and a sale counts from the
//! moment it was due.
//!
//! Whoever has no more than 50 events waiting is a person to the service, so a backlog worth the name
//! has more of them on each device.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::{Duration, Instant},
};

use suyuan_sync::{
    ids::{Epoch, Micros, Seq},
    outbox::{Action, Command, Disk, Fate, Input, Notice, Outbox},
    wire::{PushAnswer, Status},
};
use tokio::{
    task::spawn_local,
    time::{sleep, timeout},
};

use super::{
    device::{Device, Identity, Parcel, to_json},
    fleet::Fleet,
    lanes::{Lane, Tally, Watch, send_all},
    life::{self, Places, Step},
    micros_now,
};
use crate::{
    LoadError,
    client::{Connection, request},
    drive::Outcome,
    http::Decoder,
    summary::progress,
    target::Target,
    workload::Random,
};

/// Between two sales.
const SALE_EVERY: Duration = Duration::from_millis(100);
/// Units a device handles before it goes on to the next thing to do.
const WAVE: usize = 100;
/// A drain that takes longer is given up.
const LIMIT: Duration = Duration::from_mins(10);

/// What was measured.
pub struct Drained {
    /// Events of the backlog, and their pushes.
    pub backlog: Outcome,
    /// Sales.
    pub sales: Outcome,
    /// How often the till was told to come again; the customer waited.
    pub told_to_wait: u64,
    /// Pushes of the backlog that were refused: told to come again, or too large.
    pub refused: u64,
}

/// Has devices capture `events` events offline, then lets all of them go online at once.
pub async fn drain(fleet: &mut Fleet, events: usize) -> Result<Drained, LoadError> {
    let devices = fleet.sizes.backlog_devices;
    let units = (events / devices / Step::LIFE.len()).max(1);
    progress(&format!(
        "{devices} devices capture {events} events offline"
    ));
    let codes = fleet.take_codes(units * devices).await?;
    let mut queued = Vec::with_capacity(devices);
    for (n, codes) in codes.chunks(units).enumerate() {
        let identity = fleet.enrol(2_000_000 + n).await?;
        queued.push(Queued::offline(identity, n as u64, codes, &fleet.places));
    }
    let till = Till::open(fleet).await?;

    progress("all of them go online");
    let target = fleet.demo.internal.clone();
    let watch = Watch::start(Some(fleet.demo.pid()));
    let tally = Rc::new(RefCell::new(Tally::new(watch.since())?));
    let (over, refused) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
    let tasks: Vec<_> = queued
        .into_iter()
        .map(|device| {
            spawn_local(device.send_all(target.clone(), Rc::clone(&tally), Rc::clone(&refused)))
        })
        .collect();
    let selling = spawn_local(till.sell_until(Rc::clone(&over), fleet.places, target.clone()));
    for task in tasks {
        let left = LIMIT.saturating_sub(watch.since().elapsed());
        let ended = timeout(left, task).await.map_err(|_| LoadError::TimedOut {
            what: "draining the backlog".to_owned(),
            limit: LIMIT,
        })?;
        let ended = ended.map_err(|_| "the task of a device ended".to_owned());
        if let Err(what) = ended.and_then(|sent| sent) {
            tally.borrow_mut().wrong(what);
        }
    }
    over.set(true);
    let expected = (units * devices * Step::LIFE.len()) as u64;
    let receipted = tally.borrow().events();
    if receipted != expected {
        let what = format!("{receipted} of {expected} events were receipted");
        tally.borrow_mut().wrong(what);
    }
    let backlog = watch.stop(&mut tally.borrow_mut())?;
    let sold = selling
        .await
        .map_err(|_| LoadError::Unusable("the till's task ended".to_owned()))??;
    fleet.devices.push(sold.device);
    Ok(Drained {
        backlog,
        sales: sold.outcome,
        told_to_wait: sold.told_to_wait,
        refused: refused.get(),
    })
}

/// A device with a full queue.
struct Queued {
    identity: Identity,
    outbox: Outbox,
    todo: VecDeque<Action>,
    due: Option<u64>,
    session: Instant,
    random: Random,
}

impl Queued {
    /// Captures the lives of these units without a network: whatever it sends is lost.
    fn offline(identity: Identity, seed: u64, codes: &[String], places: &Places) -> Self {
        let (anchor, heard) = identity.first_anchor.clone();
        let (wall, passed) = (anchor.wall, heard.elapsed().as_micros() as u64);
        let disk = Disk::new(identity.device, identity.epoch, Some(anchor));
        let mut device = Self {
            identity,
            outbox: Outbox::new(disk),
            todo: VecDeque::new(),
            due: None,
            session: heard,
            random: Random::new(seed),
        };
        let count = (codes.len() * Step::LIFE.len()) as u64;
        for (n, (step, code)) in life::waves(codes, WAVE).enumerate() {
            let since = passed * (n as u64 + 1) / count.max(1);
            let slot = device.outbox.slot(since / 1_000);
            let text = life::text(&slot, wall + since as Micros, step, code, places);
            device.tell(Command::Capture { texts: vec![text] });
            while let Some(action) = device.todo.pop_front() {
                match action {
                    Action::Persist { write } => {
                        device.tell(Command::Committed { write: write.id });
                    }
                    Action::Send { flight, .. } => device.tell(Command::Lost { flight }),
                    Action::WaitUntil { at } => device.due = Some(at),
                    Action::Show { .. } => {}
                }
            }
        }
        device
    }

    fn tell(&mut self, command: Command) {
        let input = Input {
            now: self.session.elapsed().as_millis() as u64,
            jitter: (self.random.next() % 1_001) as u16,
            command,
        };
        self.todo.extend(self.outbox.take(input));
    }

    /// Online until nothing is unsent.
    async fn send_all(
        mut self,
        target: Target,
        tally: Rc<RefCell<Tally>>,
        refused: Rc<Cell<u64>>,
    ) -> Result<(), String> {
        let mut line: Option<Connection> = None;
        self.tell(Command::Wake);
        loop {
            while let Some(action) = self.todo.pop_front() {
                match action {
                    Action::Persist { write } => self.tell(Command::Committed { write: write.id }),
                    Action::WaitUntil { at } => self.due = Some(at),
                    Action::Show { notice } => match notice {
                        Notice::Saved(_) | Notice::ManyUnsent(_) | Notice::Resolved(_) => {}
                        bad => return Err(format!("{}: {bad:?}", self.identity.device)),
                    },
                    Action::Send {
                        flight,
                        epoch,
                        first,
                        last,
                    } => {
                        let push = (flight, epoch, first, last);
                        let command = self.send(push, &target, &mut line, &tally).await;
                        if matches!(command, Command::Refused { .. }) {
                            refused.set(refused.get() + 1);
                        }
                        self.tell(command);
                    }
                }
            }
            if self.outbox.unsent() == 0 && self.outbox.writing() == 0 {
                return Ok(());
            }
            let Some(at) = self.due.take() else {
                return Err(format!("{} waits for nothing", self.identity.device));
            };
            let now = self.session.elapsed().as_millis() as u64;
            sleep(Duration::from_millis(at.saturating_sub(now))).await;
            self.tell(Command::Due);
        }
    }

    /// Sends a push; what came of it, as the outbox is told.
    async fn send(
        &self,
        (flight, epoch, first, last): (u64, Epoch, Seq, Seq),
        target: &Target,
        line: &mut Option<Connection>,
        tally: &RefCell<Tally>,
    ) -> Command {
        let lost = Command::Lost { flight };
        let push = match self.outbox.push(epoch, first, last) {
            Ok(push) => push,
            Err(keys) => return Command::Damaged { keys },
        };
        let (Ok(token), Ok(body)) = (self.identity.push_token(&push), to_json(&push)) else {
            return lost;
        };
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str())];
        let bytes = request(target, "POST", "/v1/sync/push", &headers, Some(&body));
        let since = Instant::now();
        let (mut decoder, mut body) = (Decoder::keeping_head(), Vec::new());
        let exchanged = async {
            let mut connection = match line.take() {
                Some(connection) => connection,
                None => Connection::open(target).await?,
            };
            connection
                .exchange(&bytes, &mut decoder, |part| body.extend_from_slice(part))
                .await?;
            Ok::<_, LoadError>(connection)
        };
        match exchanged.await {
            Ok(connection) if !decoder.closes() => *line = Some(connection),
            Ok(_) => {}
            Err(_) => return lost,
        }
        if decoder.status() != 200 {
            return Command::Refused {
                flight,
                status: decoder.status(),
                retry_after: retry_after(&decoder),
            };
        }
        let Ok(answer) = serde_json::from_slice::<PushAnswer>(&body) else {
            return lost;
        };
        if !self.identity.believes(&answer.receipt) {
            tally
                .borrow_mut()
                .wrong("a receipt that is not signed".to_owned());
            return lost;
        }
        let stored = |result: &&suyuan_sync::wire::EventResult| result.status == Status::Stored;
        let stored = answer.results.iter().filter(stored).count();
        tally.borrow_mut().answered(stored, since.elapsed());
        Command::Answer {
            flight,
            first,
            fates: answer.results.iter().map(Fate::of_result).collect(),
            receipt: answer.receipt,
            anchor: answer.anchor,
            wall: micros_now(),
            credit: answer.credit,
            retry_after: answer.retry_after,
        }
    }
}

/// The seconds an answer says to wait.
fn retry_after(decoder: &Decoder) -> Option<u32> {
    let headers = decoder.headers().into_iter();
    let mut told = headers.filter(|(name, _)| name == "retry-after");
    told.next()?.1.parse().ok()
}

/// What a till did.
struct Sold {
    device: Device,
    outcome: Outcome,
    told_to_wait: u64,
}

/// A till with tins in its store.
struct Till {
    device: Device,
    tins: Vec<String>,
    pid: u32,
}

impl Till {
    async fn open(fleet: &mut Fleet) -> Result<Self, LoadError> {
        let tins = fleet.take_codes(fleet.sizes.tins_to_sell).await?;
        let mut device = fleet.lend()?;
        let before = [Step::Receive, Step::Ship, Step::Arrive];
        let steps = before
            .into_iter()
            .flat_map(|step| tins.chunks(1).map(move |unit| (step, unit)));
        let parcels = device.fill(steps, 500, &fleet.places)?;
        let (target, pid) = (fleet.demo.internal.clone(), fleet.demo.pid());
        let lane = Lane { device, parcels };
        let (mut lanes, sent) = send_all(&target, pid, vec![lane], Status::Stored).await?;
        match (lanes.pop(), sent.outcome.first_wrong) {
            (Some(Lane { device, .. }), None) => Ok(Self { device, tins, pid }),
            (_, what) => Err(LoadError::Unusable(what.unwrap_or_default())),
        }
    }

    /// Sells a tin whenever one is due. Gives the device back.
    async fn sell_until(
        mut self,
        over: Rc<Cell<bool>>,
        places: Places,
        target: Target,
    ) -> Result<Sold, LoadError> {
        let mut connection = Connection::open(&target).await?;
        let watch = Watch::start(Some(self.pid));
        let mut tally = Tally::new(watch.since())?;
        let mut due = watch.since();
        let (mut body, mut told_to_wait) = (Vec::new(), 0);
        while let (false, Some(code)) = (over.get(), self.tins.pop()) {
            due += SALE_EVERY;
            sleep(due.saturating_duration_since(Instant::now())).await;
            let unit = [code];
            let steps = std::iter::once((Step::Sell, &unit[..]));
            let parcels = self.device.fill(steps, 1, &places)?;
            let Ok([mut parcel]) = <[Parcel; 1]>::try_from(parcels) else {
                continue;
            };
            let bytes = self.device.request(&target, &mut parcel)?;
            // Whoever is told to come again does, and the customer waits.
            let status = loop {
                let mut decoder = Decoder::keeping_head();
                body.clear();
                connection
                    .exchange(&bytes, &mut decoder, |part| body.extend_from_slice(part))
                    .await?;
                if decoder.closes() {
                    connection = Connection::open(&target).await?;
                }
                if !matches!(decoder.status(), 429 | 503) {
                    break decoder.status();
                }
                told_to_wait += 1;
                sleep(Duration::from_secs(
                    retry_after(&decoder).unwrap_or(1).into(),
                ))
                .await;
            };
            let heard = match status {
                200 => self.device.hear(&parcel, &body, Status::Stored).map(|_| ()),
                other => Err(format!("status {other}")),
            };
            match heard {
                Ok(()) => tally.answered(1, due.elapsed()),
                Err(what) => {
                    tally.wrong(format!("a sale: {what}"));
                    break;
                }
            }
        }
        if self.tins.is_empty() {
            tally.wrong("the till ran out of tins before the backlog was drained".to_owned());
        }
        let mut outcome = watch.stop(&mut tally)?;
        (outcome.cpu_us, outcome.server_busy) = (None, None);
        Ok(Sold {
            device: self.device,
            outcome,
            told_to_wait,
        })
    }
}
