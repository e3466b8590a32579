//! The queue of pushes, and the one task that admits them. Pushes of many devices go into one act,
//! people before backlogs, and no more of them than one act can do in the time the head may be held: a
//! heavy push goes into several acts. What fails in an act of several is done again alone, and split until what
//! fails is a single event. If it fails twice in the same way it is set aside, so that a poisonous
//! event stops nobody; but never for a failure of the house, for which the answer is "later".

use super::{
    PushError,
    act::{Answered, Engine, Incoming},
    fault::Fault,
    lanes::{Drains, Lane},
    pace::Pace,
    weigh::{Long, cut, halves, weight},
};
use futures_util::FutureExt;
use std::{
    collections::{HashSet, VecDeque},
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use suyuan_sync::{
    admission::{Batch, Read},
    event::{EventFault, Header},
    ids::{DeviceId, Epoch},
    wire::EventResult,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// Of an act that a person's push began, backlogs get one part in so many.
const BACKLOG_SHARE: usize = 8;
/// After so many acts that people began, it is the turn of a backlog that waits.
const PEOPLE_IN_A_ROW: usize = 8;

type Outcome = Result<Answered, PushError>;
type Key = (DeviceId, Epoch);

struct Job {
    push: Incoming,
    reply: oneshot::Sender<Outcome>,
    lane: Lane,
    /// Results of what went into earlier acts.
    done: Vec<EventResult>,
}

/// Something the task does between pushes, alone.
type Task =
    Box<dyn for<'e> FnOnce(&'e mut Engine) -> futures_util::future::BoxFuture<'e, ()> + Send>;

/// How pushes are gathered.
#[derive(Debug, Clone, Copy)]
pub struct Gathering {
    /// How long one waits for others.
    pub wait: Duration,
    /// Most events of an act, unless one push alone has more.
    pub events: usize,
    /// Most pushes that wait.
    pub waiting: usize,
}

/// Where pushes are put.
#[derive(Clone)]
pub struct Ingest {
    interactive: mpsc::Sender<Job>,
    backlog: mpsc::Sender<Job>,
    tasks: mpsc::Sender<Task>,
    waiting: Arc<AtomicUsize>,
    most: usize,
    drains: Arc<Mutex<Drains<Key>>>,
}

impl Ingest {
    /// Starts the task.
    pub fn start(engine: Engine, gathering: Gathering) -> (Ingest, JoinHandle<()>) {
        let (interactive, people) = mpsc::channel(gathering.waiting);
        let (backlog, backlogs) = mpsc::channel(gathering.waiting);
        let (tasks, todo) = mpsc::channel(16);
        let ingest = Ingest {
            interactive,
            backlog,
            tasks,
            waiting: Arc::new(AtomicUsize::new(0)),
            most: gathering.waiting,
            drains: Arc::default(),
        };
        let worker = Worker {
            engine,
            gathering,
            people,
            backlogs,
            todo,
            over: [VecDeque::new(), VecDeque::new()],
            in_a_row: 0,
            pace: Pace::default(),
            waiting: ingest.waiting.clone(),
        };
        (ingest, tokio::spawn(worker.run()))
    }

    /// Admits a push of a device that has so many events waiting, those of the push among them.
    /// Returns once it is durable.
    pub async fn admit(&self, push: Incoming, waiting: u64) -> Outcome {
        let events = push.batch.events.len() as u64;
        let lane = {
            let drains = self.drains.lock();
            let mut drains = drains.unwrap_or_else(PoisonError::into_inner);
            drains.lane(key(&push.batch), waiting, events, std::time::Instant::now())
        };
        self.queue(push, lane).await
    }

    /// Admits a push for which nobody waits.
    pub async fn admit_unhurried(&self, push: Incoming) -> Outcome {
        self.queue(push, Lane::Backlog).await
    }

    async fn queue(&self, push: Incoming, lane: Lane) -> Outcome {
        let queue = match lane {
            Lane::Person => &self.interactive,
            Lane::Backlog => &self.backlog,
        };
        let (reply, answer) = oneshot::channel();
        let job = Job {
            push,
            reply,
            lane,
            done: Vec::new(),
        };
        // Counted before it can be taken out again. Those that were taken out and wait for their turn
        // all the same are counted, too.
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        metrics::gauge!("suyuan_pushes_waiting").set(waiting as f64);
        if waiting > 2 * self.most || queue.try_send(job).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(PushError::Full);
        }
        answer.await.unwrap_or(Err(PushError::Broken))
    }

    /// Is there still somebody who admits?
    pub fn is_admitting(&self) -> bool {
        !self.tasks.is_closed()
    }

    /// How full the queue is, in hundredths.
    pub fn load(&self) -> usize {
        self.waiting.load(Ordering::Relaxed) * 100 / self.most.max(1)
    }

    /// Has the task do something between two acts, and waits for it.
    pub async fn with_engine<T: Send + 'static>(
        &self,
        work: impl for<'e> FnOnce(&'e mut Engine) -> futures_util::future::BoxFuture<'e, T>
        + Send
        + 'static,
    ) -> Result<T, PushError> {
        let (reply, answer) = oneshot::channel();
        let task: Task = Box::new(move |engine| {
            async move {
                let _ = reply.send(work(engine).await);
            }
            .boxed()
        });
        self.tasks.send(task).await.map_err(|_| PushError::Full)?;
        answer.await.map_err(|_| PushError::Broken)
    }
}

struct Worker {
    engine: Engine,
    gathering: Gathering,
    people: mpsc::Receiver<Job>,
    backlogs: mpsc::Receiver<Job>,
    todo: mpsc::Receiver<Task>,
    /// Pushes that were taken out and did not go into the act at hand, and what is left of heavy
    /// ones; by lane.
    over: [VecDeque<Job>; 2],
    /// Acts that people began since the last that a backlog began.
    in_a_row: usize,
    /// What an act may weigh.
    pace: Pace,
    waiting: Arc<AtomicUsize>,
}

impl Worker {
    async fn run(mut self) {
        loop {
            let first = match self.first() {
                Some(job) => job,
                None => {
                    tokio::select! {
                        biased;
                        Some(job) = self.people.recv() => job,
                        Some(task) = self.todo.recv() => {
                            self.perform(task).await;
                            continue;
                        }
                        Some(job) = self.backlogs.recv() => job,
                        else => return,
                    }
                }
            };
            let jobs = self.gather(first).await;
            self.waiting.fetch_sub(jobs.len(), Ordering::Relaxed);
            self.admit(jobs).await;
            // Nothing that waits in the program waits for ever behind devices.
            if let Ok(task) = self.todo.try_recv() {
                self.perform(task).await;
            }
        }
    }

    /// What an act begins with, if something is at hand: people first, but not for ever.
    fn first(&mut self) -> Option<Job> {
        let lanes = if self.in_a_row < PEOPLE_IN_A_ROW {
            [Lane::Person, Lane::Backlog]
        } else {
            [Lane::Backlog, Lane::Person]
        };
        lanes.into_iter().find_map(|lane| self.at_hand(lane))
    }

    /// The next of a lane, without waiting.
    fn at_hand(&mut self, lane: Lane) -> Option<Job> {
        let queue = match lane {
            Lane::Person => &mut self.people,
            Lane::Backlog => &mut self.backlogs,
        };
        let over = &mut self.over[lane as usize];
        over.pop_front().or_else(|| queue.try_recv().ok())
    }

    /// Does a task. One that panics is answered as broken, its transaction is undone, and whatever
    /// the engine remembers of it is forgotten; the next is done as if it had not been.
    async fn perform(&mut self, task: Task) {
        let done = AssertUnwindSafe(async { task(&mut self.engine).await }).catch_unwind();
        if done.await.is_err() {
            tracing::error!("a task between two acts panicked");
            metrics::counter!("suyuan_engine_panics_total").increment(1);
            self.engine.forget_events();
        }
    }

    /// What goes into one act.
    async fn gather(&mut self, first: Job) -> Vec<Job> {
        self.in_a_row = match first.lane {
            Lane::Person => self.in_a_row + 1,
            Lane::Backlog => 0,
        };
        let most = (self.gathering.events, self.pace.limit());
        let mut room = Room::new(&first, most, self.engine.long());
        let mut jobs = vec![first];
        let until = Instant::now() + self.gathering.wait;
        let mut later = Vec::new();
        while !room.is_full() {
            let mut next = self.at_hand(Lane::Person);
            if next.is_none() && room.takes_backlog() {
                next = self.at_hand(Lane::Backlog);
            }
            if next.is_none() {
                let any = async {
                    tokio::select! {
                        biased;
                        job = self.people.recv() => job,
                        job = self.backlogs.recv(), if room.takes_backlog() => job,
                    }
                };
                next = timeout_at(until, any).await.ok().flatten();
            }
            let Some(next) = next else {
                break;
            };
            if room.take(&next, self.engine.long()) {
                jobs.push(next);
            } else {
                later.push(next);
            }
        }
        for job in later.into_iter().rev() {
            self.over[job.lane as usize].push_front(job);
        }
        jobs
    }

    async fn admit(&mut self, jobs: Vec<Job>) {
        let mut pushes = Vec::with_capacity(jobs.len());
        let mut askers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let (push, rest) = cut(job.push, self.pace.limit(), self.engine.long());
            pushes.push(push);
            askers.push((job.reply, job.done, rest));
        }
        let outcomes = self.outcomes(pushes).await;
        for ((reply, mut done, rest), outcome) in askers.into_iter().zip(outcomes) {
            match (outcome, rest) {
                (Ok(mut answered), Some(push)) => {
                    done.append(&mut answered.results);
                    self.waiting.fetch_add(1, Ordering::Relaxed);
                    // Whoever stands there with so much does not stand before others.
                    self.over[Lane::Backlog as usize].push_back(Job {
                        push,
                        reply,
                        lane: Lane::Backlog,
                        done,
                    });
                }
                (outcome, _) => {
                    let outcome = outcome.map(|mut answered| {
                        done.append(&mut answered.results);
                        answered.results = done;
                        answered
                    });
                    // Whoever asked may be gone; what was admitted stays.
                    let _ = reply.send(outcome);
                }
            }
        }
    }

    /// What becomes of each of these pushes.
    async fn outcomes(&mut self, pushes: Vec<Incoming>) -> Vec<Outcome> {
        match self.attempt(&pushes).await {
            Ok(outcomes) => outcomes,
            Err(error) if pushes.len() > 1 && splits(&error, &pushes) => {
                let what = error.words();
                tracing::warn!(
                    what,
                    pushes = pushes.len(),
                    "an act failed: each push alone"
                );
                let mut outcomes = Vec::with_capacity(pushes.len());
                for push in pushes {
                    outcomes.push(self.alone(push).await);
                }
                outcomes
            }
            Err(error) if splits(&error, &pushes) => match <[Incoming; 1]>::try_from(pushes) {
                Ok([push]) => {
                    tracing::warn!(what = error.words(), "a push failed: in parts");
                    vec![self.in_parts(push).await]
                }
                Err(_) => vec![Err(error)],
            },
            Err(error) => {
                tracing::warn!(what = error.words(), "nothing can be admitted");
                pushes.iter().map(|_| Err(later(&error))).collect()
            }
        }
    }

    async fn attempt(&mut self, pushes: &[Incoming]) -> Result<Vec<Outcome>, PushError> {
        let admitted = AssertUnwindSafe(self.engine.admit(pushes)).catch_unwind();
        let outcomes = admitted.await.unwrap_or(Err(PushError::Broken));
        if outcomes.is_err() {
            self.engine.forget_events();
        }
        if let Some(wrote) = self.engine.wrote() {
            let events: usize = pushes.iter().map(|push| push.batch.events.len()).sum();
            let long = self.engine.long();
            let weight: usize = pushes.iter().map(|push| weight(push, long)).sum();
            // Of what was known already nothing was folded.
            let written = weight * wrote.events / events.max(1);
            self.pace = self.pace.after(written, wrote.held);
            metrics::gauge!("suyuan_act_limit").set(self.pace.limit() as f64);
        }
        Ok(outcomes?
            .into_iter()
            .map(|outcome| outcome.map_err(PushError::Frame))
            .collect())
    }

    async fn alone(&mut self, push: Incoming) -> Outcome {
        match self.attempt(std::slice::from_ref(&push)).await {
            Ok(mut outcomes) => outcomes.pop().unwrap_or(Err(PushError::Broken)),
            Err(error) if splits(&error, std::slice::from_ref(&push)) => self.in_parts(push).await,
            Err(error) => Err(later(&error)),
        }
    }

    /// Admits a push in halves, down to the event that cannot be.
    async fn in_parts(&mut self, push: Incoming) -> Outcome {
        let mut results = Vec::with_capacity(push.batch.events.len());
        let mut parts = VecDeque::from([push]);
        let mut last = Err(PushError::Broken);
        let mut failed: Option<String> = None;
        while let Some(mut part) = parts.pop_front() {
            let outcome = match self.attempt(std::slice::from_ref(&part)).await {
                Ok(mut outcomes) => outcomes.pop().unwrap_or(Err(PushError::Broken)),
                Err(error) => Err(error),
            };
            let error = match outcome {
                Ok(mut answered) => {
                    failed = None;
                    results.append(&mut answered.results);
                    last = Ok(answered);
                    continue;
                }
                Err(PushError::Frame(fault)) => return Err(PushError::Frame(fault)),
                Err(error) => error,
            };
            if part.batch.events.len() > 1 && splits(&error, std::slice::from_ref(&part)) {
                let (first, second) = halves(part);
                parts.push_front(second);
                parts.push_front(first);
                continue;
            }
            let what = error.words();
            if error.fault() != Fault::Event {
                tracing::error!(what, "a push has to wait: it is not its own fault");
                return Err(later(&error));
            }
            // Once may be chance. Twice, and each time something else, is not what an event does.
            match failed.take() {
                None => {
                    failed = Some(what);
                    parts.push_front(part);
                    continue;
                }
                Some(before) if before == what => {}
                Some(_) => return Err(later(&error)),
            }
            let Some(event) = part.batch.events.first_mut() else {
                return Err(error);
            };
            tracing::error!(
                what,
                seq = event.seq,
                "an event cannot be folded: set aside"
            );
            event.read = match &event.read {
                Read::Event(_) => Read::Unfoldable(Header::read(event.text.as_bytes())),
                Read::Unreadable(_) => return Err(error),
                // Not even its row can be written as what it is.
                _ => Read::Unreadable(EventFault::NotAnEvent {
                    why: "it cannot be kept".into(),
                }),
            };
            parts.push_front(part);
        }
        let mut answered = last?;
        answered.results = results;
        Ok(answered)
    }
}

/// May parts of these succeed where all of them failed?
fn splits(error: &PushError, pushes: &[Incoming]) -> bool {
    let events: usize = pushes.iter().map(|push| push.batch.events.len()).sum();
    error.is_of_the_push() || (error.timed_out() && events > 1)
}

/// The same for a device: it comes again.
fn later(error: &PushError) -> PushError {
    match error {
        PushError::ClockJumped => PushError::ClockJumped,
        _ => PushError::Full,
    }
}

fn key(batch: &Batch) -> Key {
    (batch.device, batch.epoch)
}

/// What an act can still take.
struct Room {
    events: usize,
    weight: usize,
    /// Of both, what is left for backlogs.
    backlog: usize,
    devices: HashSet<Key>,
    /// Something did not fit: it is the next to begin one.
    closed: bool,
}

impl Room {
    fn new(first: &Job, (events, weighs): (usize, usize), long: &Long) -> Room {
        let backlog = match first.lane {
            Lane::Person => events.min(weighs) / BACKLOG_SHARE,
            Lane::Backlog => usize::MAX,
        };
        Room {
            events: events.saturating_sub(first.push.batch.events.len()),
            weight: weighs.saturating_sub(weight(&first.push, long)),
            backlog,
            devices: HashSet::from([key(&first.push.batch)]),
            closed: false,
        }
    }

    fn is_full(&self) -> bool {
        self.closed || self.events == 0 || self.weight == 0
    }

    fn takes_backlog(&self) -> bool {
        self.backlog > 0
    }

    /// Takes a push in, if there is room for it and none of its device is there.
    fn take(&mut self, job: &Job, long: &Long) -> bool {
        let (events, weight) = (job.push.batch.events.len(), weight(&job.push, long));
        if self.devices.contains(&key(&job.push.batch)) {
            return false;
        }
        if job.lane == Lane::Backlog && weight.max(events) > self.backlog {
            self.backlog = 0;
            return false;
        }
        if events > self.events || weight > self.weight {
            self.closed = true;
            return false;
        }
        self.events -= events;
        self.weight -= weight;
        if job.lane == Lane::Backlog {
            self.backlog -= weight.max(events).min(self.backlog);
        }
        self.devices.insert(key(&job.push.batch));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handheld::push::weigh::{WEIGHT_MAX, tests::push};
    use uuid::Uuid;

    fn job(device: u128, lane: Lane, said: &[(usize, Option<u128>)]) -> Job {
        let mut push = push(said);
        push.batch.device = DeviceId(Uuid::from_u128(device));
        Job {
            push,
            reply: oneshot::channel().0,
            lane,
            done: Vec::new(),
        }
    }

    const MOST: (usize, usize) = (400, WEIGHT_MAX);

    fn new() -> Long {
        Long::default()
    }

    const SCAN: (usize, Option<u128>) = (1, None);

    #[test]
    fn an_act_that_a_person_began_takes_little_backlog() {
        let person = job(1, Lane::Person, &[SCAN]);
        let mut room = Room::new(&person, MOST, &new());
        assert!(!room.take(&job(2, Lane::Backlog, &[SCAN; 60]), &new()));
        assert!(!room.takes_backlog() && !room.is_full());
        assert!(room.take(&job(3, Lane::Person, &[SCAN; 60]), &new()));
        let mut room = Room::new(&person, MOST, &new());
        assert!(room.take(&job(2, Lane::Backlog, &[SCAN; 50]), &new()));
        assert!(!room.takes_backlog());
        let mut room = Room::new(&job(1, Lane::Backlog, &[SCAN]), MOST, &new());
        assert!(room.take(&job(2, Lane::Backlog, &[SCAN; 200]), &new()));
        assert!(room.take(&job(3, Lane::Person, &[SCAN]), &new()));
    }

    #[test]
    fn an_act_is_bounded_by_what_its_events_name() {
        let mut room = Room::new(&job(1, Lane::Backlog, &[(900, None)]), MOST, &new());
        assert!(
            !room.take(&job(1, Lane::Backlog, &[SCAN]), &new()),
            "one of a device"
        );
        assert!(room.take(&job(2, Lane::Backlog, &[(1000, None)]), &new()));
        assert!(!room.take(&job(3, Lane::Backlog, &[(200, None)]), &new()));
        assert!(room.is_full());
        let room = Room::new(&job(1, Lane::Backlog, &[(1000, None); 3]), MOST, &new());
        assert!(room.is_full());
    }
}
