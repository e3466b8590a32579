//! Devices side by side: each has one connection and one push under way, and sends the next as soon
//! as it has its answer. What is counted are events, what is timed are pushes.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use suyuan_sync::{ids::Gseq, wire::Status};
use tokio::{task::spawn_local, time::timeout};

use super::device::{Device, Parcel};
use crate::{
    LoadError, client::Connection, drive::Outcome, http::Decoder, process, target::Target,
};

/// A run that takes longer is given up.
const LIMIT: Duration = Duration::from_mins(10);
/// Latencies are kept in microseconds up to a minute, to three digits.
const LATENCY_MAX_US: u64 = 60_000_000;

/// A device and what it sends.
pub struct Lane {
    /// The device.
    pub device: Device,
    /// Its queue.
    pub parcels: Vec<Parcel>,
}

/// What was measured, and where in the log it went.
pub struct Sent {
    /// The measurement.
    pub outcome: Outcome,
    /// The least and the greatest position that was told.
    pub positions: Option<(Gseq, Gseq)>,
}

/// Counts what is answered.
pub struct Tally {
    events: u64,
    wrong: u64,
    first_wrong: Option<String>,
    latency: Histogram<u64>,
    last: Instant,
    positions: Option<(Gseq, Gseq)>,
}

impl Tally {
    /// Nothing yet.
    pub fn new(start: Instant) -> Result<Self, LoadError> {
        Ok(Self {
            events: 0,
            wrong: 0,
            first_wrong: None,
            latency: histogram()?,
            last: start,
            positions: None,
        })
    }

    /// So many events were answered, this long after they were sent.
    pub fn answered(&mut self, events: usize, took: Duration) {
        self.events += events as u64;
        self.last = Instant::now();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.latency.saturating_record(micros);
    }

    /// Something was not as it has to be.
    pub fn wrong(&mut self, what: String) {
        self.wrong += 1;
        self.first_wrong.get_or_insert(what);
    }

    /// So many were answered until now.
    pub fn events(&self) -> u64 {
        self.events
    }

    fn told(&mut self, (first, last): (Gseq, Gseq)) {
        let (least, greatest) = self.positions.unwrap_or((first, last));
        self.positions = Some((least.min(first), greatest.max(last)));
    }
}

/// Microseconds, as everywhere in this crate.
pub fn histogram() -> Result<Histogram<u64>, LoadError> {
    Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)
        .map_err(|error| LoadError::Unusable(format!("no histogram: {error}")))
}

/// A stopwatch over wall and processor time.
pub struct Watch {
    start: Instant,
    pid: Option<u32>,
    cpu: (Option<Duration>, Option<Duration>),
}

impl Watch {
    /// Starts it; `pid` is who works.
    pub fn start(pid: Option<u32>) -> Self {
        Self {
            start: Instant::now(),
            pid,
            cpu: (pid.and_then(process::cpu_time), process::own_cpu_time()),
        }
    }

    /// When it was started.
    pub fn since(&self) -> Instant {
        self.start
    }

    /// What came of it. The time ends with the last answer.
    pub fn stop(self, tally: &mut Tally) -> Result<Outcome, LoadError> {
        let wall = self.start.elapsed().as_secs_f64().max(1e-9);
        let used = |before: Option<Duration>, after: Option<Duration>| {
            Some(after?.saturating_sub(before?).as_secs_f64())
        };
        let worker = used(self.cpu.0, self.pid.and_then(process::cpu_time));
        let own = used(self.cpu.1, process::own_cpu_time());
        Ok(Outcome {
            answered: tally.events,
            in_time: tally.events,
            measured: tally.last.saturating_duration_since(self.start),
            wrong: tally.wrong,
            first_wrong: tally.first_wrong.take(),
            latency: std::mem::replace(&mut tally.latency, histogram()?),
            lateness: histogram()?,
            cpu_us: worker
                .filter(|_| tally.events > 0)
                .map(|seconds| seconds * 1e6 / tally.events as f64),
            server_busy: worker.map(|seconds| seconds / wall),
            generator_busy: own.map(|seconds| seconds / wall),
        })
    }
}

/// Sends all parcels of all lanes. Every event is to have this status.
pub async fn send_all(
    target: &Target,
    pid: u32,
    lanes: Vec<Lane>,
    wanted: Status,
) -> Result<(Vec<Lane>, Sent), LoadError> {
    let mut ready = Vec::with_capacity(lanes.len());
    for lane in lanes {
        ready.push((lane, Connection::open(target).await?));
    }
    let watch = Watch::start(Some(pid));
    let tally = Rc::new(RefCell::new(Tally::new(watch.since())?));
    let tasks: Vec<_> = ready
        .into_iter()
        .map(|(lane, connection)| {
            let (target, tally) = (target.clone(), Rc::clone(&tally));
            spawn_local(run(lane, connection, target, wanted, tally))
        })
        .collect();
    let mut lanes = Vec::with_capacity(tasks.len());
    for task in tasks {
        let left = LIMIT.saturating_sub(watch.since().elapsed());
        let lane = timeout(left, task).await.map_err(|_| LoadError::TimedOut {
            what: "uploading".to_owned(),
            limit: LIMIT,
        })?;
        lanes.push(lane.map_err(|_| {
            LoadError::Unusable("the task of a device ended without its device".to_owned())
        })?);
    }
    let mut tally = tally.borrow_mut();
    let outcome = watch.stop(&mut tally)?;
    // What was wrong is told first: who broke off by it may hold no receipt.
    let mut untrusted = lanes
        .iter()
        .filter(|lane| !lane.device.trusts_its_receipt());
    if let (0, Some(lane)) = (outcome.wrong, untrusted.next()) {
        let device = lane.device.identity.device;
        return Err(LoadError::Unusable(format!(
            "{device} holds a receipt that the installation did not sign"
        )));
    }
    let positions = tally.positions;
    Ok((lanes, Sent { outcome, positions }))
}

async fn run(
    mut lane: Lane,
    mut connection: Connection,
    target: Target,
    wanted: Status,
    tally: Rc<RefCell<Tally>>,
) -> Lane {
    let mut body = Vec::new();
    for parcel in &mut lane.parcels {
        let since = Instant::now();
        let sent = async {
            let bytes = lane.device.request(&target, parcel)?;
            body.clear();
            let mut decoder = Decoder::new();
            connection
                .exchange(&bytes, &mut decoder, |part| body.extend_from_slice(part))
                .await?;
            Ok::<u16, LoadError>(decoder.status())
        }
        .await;
        let heard = match sent {
            Ok(200) => lane.device.hear(parcel, &body, wanted),
            Ok(status) => {
                let text = String::from_utf8_lossy(&body);
                Err(format!(
                    "status {status}: {}",
                    text.chars().take(300).collect::<String>()
                ))
            }
            Err(error) => Err(error.to_string()),
        };
        let mut tally = tally.borrow_mut();
        match heard {
            Ok(told) => {
                tally.answered(parcel.events(), since.elapsed());
                tally.told(told);
            }
            Err(what) => {
                // What follows would not be what was to be measured.
                tally.wrong(what);
                break;
            }
        }
    }
    lane
}
