//! The queue of pushes, and the one task that admits them. Pushes of many devices go into one act,
//! people before backlogs; what fails in an act of several is done again alone, and split until what
//! fails is a single event. If it fails twice in the same way it is set aside, so that a poisonous
//! event stops nobody; but never for a failure of the house, for which the answer is "later".

use super::{
    PushError,
    act::{Answered, Engine, Incoming},
    fault::Fault,
};
use futures_util::FutureExt;
use std::{
    collections::{HashSet, VecDeque},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use suyuan_sync::{
    admission::{Batch, Read},
    event::{EventFault, Header},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// A device with no more than this waiting has a person before it, who waits for nothing else.
const INTERACTIVE_MAX: u64 = 50;

type Outcome = Result<Answered, PushError>;

struct Job {
    push: Incoming,
    reply: oneshot::Sender<Outcome>,
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
        };
        let worker = Worker {
            engine,
            gathering,
            people,
            backlogs,
            todo,
            over: VecDeque::new(),
            waiting: ingest.waiting.clone(),
        };
        (ingest, tokio::spawn(worker.run()))
    }

    /// Admits a push of a device that has so many events waiting. Returns once it is durable.
    pub async fn admit(&self, push: Incoming, queue_depth: u64) -> Outcome {
        let queue = if queue_depth <= INTERACTIVE_MAX {
            &self.interactive
        } else {
            &self.backlog
        };
        let (reply, answer) = oneshot::channel();
        // Counted before it can be taken out again.
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        metrics::gauge!("suyuan_pushes_waiting").set(waiting as f64);
        if queue.try_send(Job { push, reply }).is_err() {
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
    /// Pushes of a device that has one in the act at hand.
    over: VecDeque<Job>,
    waiting: Arc<AtomicUsize>,
}

impl Worker {
    async fn run(mut self) {
        loop {
            let first = match self.over.pop_front() {
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
        let mut events = first.push.batch.events.len();
        let mut devices = HashSet::from([key(&first.push.batch)]);
        let mut jobs = vec![first];
        let until = Instant::now() + self.gathering.wait;
        let mut later = VecDeque::new();
        while events < self.gathering.events {
            let next = match self.over.pop_front() {
                Some(job) => Some(job),
                None => self
                    .people
                    .try_recv()
                    .or_else(|_| self.backlogs.try_recv())
                    .ok(),
            };
            let next = if let Some(job) = next {
                job
            } else {
                let any = async {
                    tokio::select! {
                        biased;
                        job = self.people.recv() => job,
                        job = self.backlogs.recv() => job,
                    }
                };
                match timeout_at(until, any).await {
                    Ok(Some(job)) => job,
                    _ => break,
                }
            };
            let fits = events + next.push.batch.events.len() <= self.gathering.events;
            if devices.contains(&key(&next.push.batch)) || !fits {
                later.push_back(next);
                if !fits {
                    break;
                }
                continue;
            }
            events += next.push.batch.events.len();
            devices.insert(key(&next.push.batch));
            jobs.push(next);
        }
        later.append(&mut self.over);
        self.over = later;
        jobs
    }

    async fn admit(&mut self, jobs: Vec<Job>) {
        let (pushes, replies): (Vec<Incoming>, Vec<_>) =
            jobs.into_iter().map(|job| (job.push, job.reply)).unzip();
        let outcomes = match self.attempt(&pushes).await {
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
        };
        for (reply, outcome) in replies.into_iter().zip(outcomes) {
            // Whoever asked may be gone; what was admitted stays.
            let _ = reply.send(outcome);
        }
    }

    async fn attempt(&mut self, pushes: &[Incoming]) -> Result<Vec<Outcome>, PushError> {
        let admitted = AssertUnwindSafe(self.engine.admit(pushes)).catch_unwind();
        let outcomes = admitted.await.unwrap_or(Err(PushError::Broken));
        if outcomes.is_err() {
            self.engine.forget_events();
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

fn key(batch: &Batch) -> (suyuan_sync::ids::DeviceId, u32) {
    (batch.device, batch.epoch)
}

fn halves(push: Incoming) -> (Incoming, Incoming) {
    let mut first = push.batch;
    let second = first.events.split_off(first.events.len() / 2);
    let second = Batch {
        device: first.device,
        epoch: first.epoch,
        first_seq: first.last_seq() + 1,
        prev_hash: first.head(),
        events: second,
    };
    let imported = push.imported;
    let of = |batch| Incoming { batch, imported };
    (of(first), of(second))
}
