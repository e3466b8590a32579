//! The two ways to ask.
//!
//! *Closed loop*: every connection asks again as soon as it has its answer: how much the server
//! can do. *Open loop*: requests fall due on a schedule whatever the server does, and lateness is
//! counted from the moment a request was due, not from the moment it could be sent: how long a
//! consumer waits. A closed loop must not be used for the second question, since a stalled server
//! stalls the questions too.
//!
//! All of it runs on one thread, so that one core bounds the load generator and it can be seen
//! whether it was the limit ([`Outcome::generator_busy`]).

use std::{
    cell::{Cell, RefCell},
    future::Future,
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::{
    task::{JoinHandle, LocalSet, spawn_local, yield_now},
    time::{sleep, timeout},
};

use crate::{
    LoadError,
    client::Connection,
    http::Decoder,
    process,
    target::Target,
    workload::{SAMPLE_EVERY, Shared},
};

/// An answer later than this after the end of a run counts as none.
const GRACE: Duration = Duration::from_secs(5);
/// A run is given up after so many wrong answers: it is worthless anyway.
const WRONG_MAX: u64 = 1_000;
/// Latencies are kept in microseconds up to a minute, to three digits.
const LATENCY_MAX_US: u64 = 60_000_000;
/// The runtime's timer is coarse: it is left so long before a request is due, and the rest of the
/// wait is spent asking for the time.
const SLEEP_SLACK: Duration = Duration::from_millis(2);

/// Where the load goes and over how many connections.
#[derive(Debug, Clone)]
pub struct Aim {
    /// The service.
    pub target: Target,
    /// Its process, to count CPU time.
    pub pid: Option<u32>,
    /// Keep-alive connections, one request in flight on each.
    pub connections: usize,
}

/// What one run brought.
#[derive(Debug)]
pub struct Outcome {
    /// Right and wrong answers, including those after the end of the measured time.
    pub answered: u64,
    /// Answers within the measured time.
    pub in_time: u64,
    /// The measured time.
    pub measured: Duration,
    /// Answers that were not right, and requests without answer.
    pub wrong: u64,
    /// What was wrong with the first of them.
    pub first_wrong: Option<String>,
    /// Microseconds per answer.
    pub latency: Histogram<u64>,
    /// Open loop only: by how many microseconds requests were sent late although their connection
    /// was free: the generator's own fault, and yet part of their latency.
    pub lateness: Histogram<u64>,
    /// CPU time of the server per answer, in microseconds.
    pub cpu_us: Option<f64>,
    /// Share of one core the server used.
    pub server_busy: Option<f64>,
    /// Share of one core the load generator used. Near 1, the server was not the limit.
    pub generator_busy: Option<f64>,
}

impl Outcome {
    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.in_time as f64 / self.measured.as_secs_f64().max(1e-9)
    }

    /// A quantile of the latency in milliseconds.
    pub fn latency_ms(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }

    /// How late the generator itself was.
    pub fn sent_late_p99_ms(&self) -> f64 {
        self.lateness.value_at_quantile(0.99) as f64 / 1e3
    }

    /// The longest latency in milliseconds.
    pub fn max_ms(&self) -> f64 {
        self.latency.max() as f64 / 1e3
    }
}

/// Runs a future, and the tasks it spawns, on the calling thread alone.
pub fn on_this_thread<T>(future: impl Future<Output = T>) -> Result<T, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(LoadError::io("starting the runtime"))?;
    Ok(LocalSet::new().block_on(&runtime, future))
}

/// Asks `warm_up.0` for `warm_up.1`, unmeasured, then `load` for `length` or until it is used up.
pub async fn closed_loop(
    aim: &Aim,
    warm_up: (&Shared, Duration),
    load: &Shared,
    length: Duration,
) -> Result<Outcome, LoadError> {
    let mut pool = Pool::open(aim).await?;
    pool.run(warm_up.1, |work| ask_until_over(work, Rc::clone(warm_up.0)))
        .await?;
    pool.run(length, |work| ask_until_over(work, Rc::clone(load)))
        .await
}

/// Sends `rate` requests a second for `warm_up`, unmeasured, then for `length`.
pub async fn open_loop(
    aim: &Aim,
    load: &Shared,
    rate: f64,
    warm_up: Duration,
    length: Duration,
) -> Result<Outcome, LoadError> {
    if !(rate.is_finite() && rate >= 1.0) {
        let what = format!("no schedule for {rate} requests a second");
        return Err(LoadError::Unusable(what));
    }
    let mut pool = Pool::open(aim).await?;
    let mut part = async |length: Duration| {
        let schedule = Rc::new(Schedule {
            every: Duration::from_secs_f64(1.0 / rate),
            slots: (rate * length.as_secs_f64()) as u32,
            next: Cell::new(0),
        });
        pool.run(length, |work| {
            ask_on_schedule(work, Rc::clone(load), Rc::clone(&schedule))
        })
        .await
    };
    part(warm_up).await?;
    part(length).await
}

/// The connections of a run; they stay open from the warm-up to the end.
struct Pool<'a> {
    aim: &'a Aim,
    idle: Vec<Connection>,
}

/// What a task needs besides its workload.
struct Work {
    connection: Connection,
    target: Target,
    start: Instant,
    end: Instant,
    tally: Rc<RefCell<Tally>>,
}

struct Schedule {
    every: Duration,
    slots: u32,
    next: Cell<u32>,
}

struct Tally {
    answered: u64,
    in_time: u64,
    wrong: u64,
    first_wrong: Option<String>,
    last: Instant,
    latency: Histogram<u64>,
    lateness: Histogram<u64>,
}

impl<'a> Pool<'a> {
    async fn open(aim: &'a Aim) -> Result<Self, LoadError> {
        let mut pool = Self {
            aim,
            idle: Vec::with_capacity(aim.connections),
        };
        pool.refill().await?;
        Ok(pool)
    }

    async fn refill(&mut self) -> Result<(), LoadError> {
        while self.idle.len() < self.aim.connections {
            self.idle.push(Connection::open(&self.aim.target).await?);
        }
        Ok(())
    }

    /// Runs `task` on every connection, within `length` and a grace.
    async fn run<F>(
        &mut self,
        length: Duration,
        task: impl Fn(Work) -> F,
    ) -> Result<Outcome, LoadError>
    where
        F: Future<Output = Option<Connection>> + 'static,
    {
        self.refill().await?;
        let start = Instant::now();
        let tally = Rc::new(RefCell::new(Tally::new(start)?));
        let cpu = (self.server_cpu(), process::own_cpu_time());
        let tasks: Vec<JoinHandle<Option<Connection>>> = self
            .idle
            .drain(..)
            .map(|connection| {
                spawn_local(task(Work {
                    connection,
                    target: self.aim.target.clone(),
                    start,
                    end: start + length,
                    tally: Rc::clone(&tally),
                }))
            })
            .collect();
        for mut task in tasks {
            let left = (start + length + GRACE).saturating_duration_since(Instant::now());
            match timeout(left, &mut task).await {
                Ok(Ok(connection)) => self.idle.extend(connection),
                Ok(Err(_)) => tally.borrow_mut().wrong("a connection's task ended"),
                Err(_) => {
                    task.abort();
                    tally
                        .borrow_mut()
                        .wrong(&format!("no answer within {GRACE:?} after the end"));
                }
            }
        }
        let wall = start.elapsed();
        let used = |before: Option<Duration>, after: Option<Duration>| {
            Some(after?.saturating_sub(before?).as_secs_f64())
        };
        let server = used(cpu.0, self.server_cpu());
        let own = used(cpu.1, process::own_cpu_time());
        // Tasks that were aborted may still hold theirs until the runtime drops them.
        let mut end = tally.borrow_mut();
        let tally = std::mem::replace(&mut *end, Tally::new(start)?);
        Ok(Outcome {
            answered: tally.answered,
            in_time: tally.in_time,
            measured: tally.last.saturating_duration_since(start).min(length),
            wrong: tally.wrong,
            first_wrong: tally.first_wrong,
            latency: tally.latency,
            lateness: tally.lateness,
            cpu_us: server
                .filter(|_| tally.answered > 0)
                .map(|seconds| seconds * 1e6 / tally.answered as f64),
            server_busy: server.map(|seconds| seconds / wall.as_secs_f64()),
            generator_busy: own.map(|seconds| seconds / wall.as_secs_f64()),
        })
    }

    fn server_cpu(&self) -> Option<Duration> {
        self.aim.pid.and_then(process::cpu_time)
    }
}

impl Tally {
    fn new(start: Instant) -> Result<Self, LoadError> {
        let histogram = || {
            Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)
                .map_err(|error| LoadError::Unusable(format!("no histogram: {error}")))
        };
        Ok(Self {
            answered: 0,
            in_time: 0,
            wrong: 0,
            first_wrong: None,
            last: start,
            latency: histogram()?,
            lateness: histogram()?,
        })
    }

    fn answer(&mut self, since: Instant, done: Instant, end: Instant) {
        self.answered += 1;
        if done <= end {
            self.in_time += 1;
        }
        self.last = done;
        record(&mut self.latency, done - since);
    }

    fn wrong(&mut self, what: &str) {
        self.wrong += 1;
        if self.first_wrong.is_none() {
            self.first_wrong = Some(what.to_owned());
        }
    }
}

fn record(histogram: &mut Histogram<u64>, time: Duration) {
    histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
}

/// One connection of a closed loop. Gives the connection back if it is still good.
async fn ask_until_over(mut work: Work, load: Shared) -> Option<Connection> {
    let mut asker = Asker::default();
    loop {
        let since = Instant::now();
        if since >= work.end || !load.borrow_mut().write_next(&mut asker.request) {
            return Some(work.connection);
        }
        if !asker.ask(&mut work, &load, since).await {
            return None;
        }
    }
}

/// One connection of an open loop: takes the next slot of the schedule, waits until it is due.
async fn ask_on_schedule(
    mut work: Work,
    load: Shared,
    schedule: Rc<Schedule>,
) -> Option<Connection> {
    let mut asker = Asker::default();
    loop {
        let slot = schedule.next.get();
        if slot >= schedule.slots || !load.borrow_mut().write_next(&mut asker.request) {
            return Some(work.connection);
        }
        schedule.next.set(slot + 1);
        let due = work.start + schedule.every * slot;
        if wait_until(due).await {
            record(&mut work.tally.borrow_mut().lateness, due.elapsed());
        }
        if !asker.ask(&mut work, &load, due).await {
            return None;
        }
    }
}

/// To a few microseconds; costs the core of the load generator, which is there for this.
/// False if it was over already.
async fn wait_until(due: Instant) -> bool {
    let left = due.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    if let Some(far) = left.checked_sub(SLEEP_SLACK) {
        sleep(far).await;
    }
    while Instant::now() < due {
        yield_now().await;
    }
    true
}

/// The buffers of one connection's task.
#[derive(Default)]
struct Asker {
    request: Vec<u8>,
    body: Vec<u8>,
    asked: u64,
}

impl Asker {
    /// Asks, checks, counts. False when the connection cannot be used or replaced.
    async fn ask(&mut self, work: &mut Work, load: &Shared, since: Instant) -> bool {
        // The first of each connection is looked at too, so that short runs check something.
        let sampled = self.asked.is_multiple_of(SAMPLE_EVERY);
        self.asked += 1;
        self.body.clear();
        let mut decoder = Decoder::new();
        let result = work
            .connection
            .exchange(&self.request, &mut decoder, |part| {
                if sampled {
                    self.body.extend_from_slice(part);
                }
            })
            .await;
        let done = Instant::now();
        let answered = result.is_ok();
        let wrong = match result {
            Ok(()) => {
                let body = sampled.then_some(&self.body[..]);
                let expected = load.borrow().expected;
                expected.check(decoder.status(), &self.request, body).err()
            }
            Err(error) => Some(error.to_string()),
        };
        {
            let mut tally = work.tally.borrow_mut();
            if answered {
                tally.answer(since, done, work.end);
            }
            if let Some(what) = wrong {
                tally.wrong(&what);
            }
            if tally.wrong > WRONG_MAX {
                return false;
            }
        }
        if answered && !decoder.closes() {
            return true;
        }
        match Connection::open(&work.target).await {
            Ok(connection) => {
                work.connection = connection;
                true
            }
            Err(error) => {
                work.tally.borrow_mut().wrong(&error.to_string());
                false
            }
        }
    }
}
