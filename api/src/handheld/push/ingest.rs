//! Where pushes are put, and the one task that admits them, act after act as they are gathered. What fails
//! in an act of several is done again alone, and split until what fails is a single event. If it fails
//! twice in the same way it is set aside, so that a poisonous event stops nobody; but never for a
//! failure of the house, for which the answer is "later".

use super::{
    PushError,
    act::{Answered, Engine, Incoming},
    ahead::Ahead,
    fault::Fault,
    gather::{Asker, Gathered, Gatherer, Gathering, Job, Key, Progress, key},
    lanes::{Drains, Lane},
    pace::Pace,
    weigh::{halves, weight},
};
use futures_util::FutureExt;
use std::{
    collections::VecDeque,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use suyuan_sync::{
    admission::Read,
    event::{EventFault, Header},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// What became of a push.
pub(super) type Outcome = Result<Answered, PushError>;

/// Something the task does between pushes, alone.
type Task =
    Box<dyn for<'e> FnOnce(&'e mut Engine) -> futures_util::future::BoxFuture<'e, ()> + Send>;

/// Where pushes are put.
#[derive(Clone)]
pub struct Ingest {
    interactive: mpsc::Sender<Job>,
    backlog: mpsc::Sender<Job>,
    tasks: mpsc::Sender<Task>,
    waiting: Arc<AtomicUsize>,
    most: usize,
    drains: Arc<Mutex<Drains<Key>>>,
    progress: Arc<Progress>,
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
            progress: Arc::default(),
        };
        let (rest, rests) = mpsc::unbounded_channel();
        let (act, acts) = mpsc::channel(1);
        let pace = Pace::default();
        let limit = Arc::new(AtomicUsize::new(pace.limit()));
        let gatherer = Gatherer {
            gathering,
            people,
            backlogs,
            rests,
            over: Default::default(),
            in_a_row: 0,
            limit: limit.clone(),
            long: engine.long().clone(),
            waiting: ingest.waiting.clone(),
            scout: engine.scout(),
            progress: ingest.progress.clone(),
        };
        let worker = Worker {
            engine,
            acts,
            todo,
            rest,
            pace,
            limit,
            waiting: ingest.waiting.clone(),
        };
        // One without the other is nothing.
        let both = async move {
            tokio::join!(gatherer.run(act), worker.run());
        };
        (ingest, tokio::spawn(both))
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
            asker: Asker {
                reply,
                done: Vec::new(),
            },
            lane,
        };
        // Counted before it can be taken out again. Those that were taken out and wait for their turn
        // all the same are counted, too.
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        metrics::gauge!("suyuan_pushes_waiting").set(waiting as f64);
        if waiting > 2 * self.most || queue.try_send(job).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(PushError::Full);
        }
        self.progress.put.fetch_add(1, Ordering::Relaxed);
        answer.await.unwrap_or(Err(PushError::Broken))
    }

    /// Is there still somebody who admits?
    pub fn is_admitting(&self) -> bool {
        !self.tasks.is_closed()
    }

    /// How many pushes were put here so far, and how many acts were gathered and read ahead for.
    pub fn progress(&self) -> (usize, usize) {
        let Progress { put, gathered } = &*self.progress;
        let so_far = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (so_far(put), so_far(gathered))
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
    acts: mpsc::Receiver<Gathered>,
    todo: mpsc::Receiver<Task>,
    /// Where what is left of heavy pushes goes back to.
    rest: mpsc::UnboundedSender<Job>,
    pace: Pace,
    /// What it allows, for whoever gathers.
    limit: Arc<AtomicUsize>,
    waiting: Arc<AtomicUsize>,
}

impl Worker {
    async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                act = self.acts.recv() => match act {
                    Some(act) => self.admit(act).await,
                    None => return,
                },
                Some(task) = self.todo.recv() => {
                    self.perform(task).await;
                    continue;
                }
            }
            // Nothing that waits in the program waits for ever behind devices.
            if let Ok(task) = self.todo.try_recv() {
                self.perform(task).await;
            }
        }
    }

    /// Does a task. One that panics is answered as broken, and its transaction is undone; the next is
    /// done as if it had not been.
    async fn perform(&mut self, task: Task) {
        let done = AssertUnwindSafe(async { task(&mut self.engine).await }).catch_unwind();
        if done.await.is_err() {
            tracing::error!("a task between two acts panicked");
            metrics::counter!("suyuan_engine_panics_total").increment(1);
        }
    }

    async fn admit(&mut self, act: Gathered) {
        let outcomes = self.outcomes(act.pushes, act.ahead).await;
        for ((mut asker, rest), outcome) in act.askers.into_iter().zip(outcomes) {
            match (outcome, rest) {
                (Ok(mut answered), Some(push)) => {
                    asker.done.append(&mut answered.results);
                    self.waiting.fetch_add(1, Ordering::Relaxed);
                    // Whoever stands there with so much does not stand before others.
                    let lane = Lane::Backlog;
                    let _ = self.rest.send(Job { push, asker, lane });
                }
                (outcome, _) => {
                    let Asker { reply, mut done } = asker;
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
    async fn outcomes(&mut self, pushes: Arc<Vec<Incoming>>, ahead: Option<Ahead>) -> Vec<Outcome> {
        let attempted = self.attempt(&pushes, ahead).await;
        let pushes = Arc::unwrap_or_clone(pushes);
        match attempted {
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

    async fn attempt(
        &mut self,
        pushes: &[Incoming],
        ahead: Option<Ahead>,
    ) -> Result<Vec<Outcome>, PushError> {
        // A unit of which something is known takes more time than one that is new.
        self.engine.fold_at_most(2 * self.pace.limit());
        let admitted = AssertUnwindSafe(self.engine.admit(pushes, ahead)).catch_unwind();
        let outcomes = admitted.await.unwrap_or(Err(PushError::Broken));
        if let Some(wrote) = self.engine.wrote() {
            let events: usize = pushes.iter().map(|push| push.batch.events.len()).sum();
            let long = self.engine.long();
            let weight: usize = pushes.iter().map(|push| weight(push, long)).sum();
            // Of what was known already nothing was folded, and of what one event names too much no more
            // than this.
            let written = (weight * wrote.events / events.max(1)).min(self.pace.limit());
            self.pace = self.pace.after(written, wrote.held);
            self.limit.store(self.pace.limit(), Ordering::Relaxed);
            metrics::gauge!("suyuan_act_limit").set(self.pace.limit() as f64);
        }
        Ok(outcomes?
            .into_iter()
            .map(|outcome| outcome.map_err(PushError::Frame))
            .collect())
    }

    async fn alone(&mut self, push: Incoming) -> Outcome {
        match self.attempt(std::slice::from_ref(&push), None).await {
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
            let outcome = match self.attempt(std::slice::from_ref(&part), None).await {
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
