//! What goes into one act: the pushes of many devices, people before backlogs, and no more of them than one
//! act can do in the time the head may be held; of a heavy push a part. While an act runs, the next is
//! gathered, and what is known of its pushes is read ahead.
//!
//! It admits nothing, and nothing here fails for good: a push that cannot be read for goes into its act
//! all the same.

use super::{
    act::Incoming,
    ahead::{Ahead, Scout},
    ingest::Outcome,
    lanes::Lane,
    weigh::{Long, cut, weight},
};
use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use suyuan_sync::{
    admission::Batch,
    ids::{DeviceId, Epoch},
    wire::EventResult,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

/// Of an act that a person's push began, backlogs get one part in so many.
const BACKLOG_SHARE: usize = 8;
/// After so many acts that people began, it is the turn of a backlog that waits.
const PEOPLE_IN_A_ROW: usize = 8;

/// Whose push.
pub(super) type Key = (DeviceId, Epoch);

/// A push that waits.
pub(super) struct Job {
    pub(super) push: Incoming,
    /// Who asked.
    pub(super) asker: Asker,
    pub(super) lane: Lane,
}

/// Who waits for what becomes of a push, and what became of it so far.
pub(super) struct Asker {
    pub(super) reply: oneshot::Sender<Outcome>,
    /// Results of what went into earlier acts.
    pub(super) done: Vec<EventResult>,
}

/// What goes into one act.
pub(super) struct Gathered {
    /// The pushes, no two of one device epoch.
    pub(super) pushes: Arc<Vec<Incoming>>,
    /// Of each who asked, and what of it is left for another act.
    pub(super) askers: Vec<(Asker, Option<Incoming>)>,
    /// What is known of them, if it was read.
    pub(super) ahead: Option<Ahead>,
}

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

/// How far pushes have come, for whoever watches.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Pushes that were put in a queue.
    pub(super) put: AtomicUsize,
    /// Acts that were gathered and read ahead for.
    pub(super) gathered: AtomicUsize,
}

/// Gathers, in a task of its own.
pub(super) struct Gatherer {
    pub(super) gathering: Gathering,
    pub(super) people: mpsc::Receiver<Job>,
    pub(super) backlogs: mpsc::Receiver<Job>,
    /// What was left of heavy pushes.
    pub(super) rests: mpsc::UnboundedReceiver<Job>,
    /// Pushes that were taken out and did not go into the act at hand, and what is left of heavy
    /// ones; by lane.
    pub(super) over: [VecDeque<Job>; 2],
    /// Acts that people began since the last that a backlog began.
    pub(super) in_a_row: usize,
    /// What an act may weigh, as learned from those before.
    pub(super) limit: Arc<AtomicUsize>,
    pub(super) long: Long,
    pub(super) waiting: Arc<AtomicUsize>,
    pub(super) scout: Scout,
    pub(super) progress: Arc<Progress>,
}

impl Gatherer {
    /// Gathers one act after the other, never more than the next.
    pub(super) async fn run(mut self, acts: mpsc::Sender<Gathered>) {
        while let Ok(place) = acts.reserve().await {
            let Some(first) = self.begun().await else {
                return;
            };
            let jobs = self.gather(first).await;
            self.waiting.fetch_sub(jobs.len(), Ordering::Relaxed);
            place.send(self.read_for(jobs).await);
            self.progress.gathered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What the next act begins with, once there is something; nothing when nobody can ask any more.
    async fn begun(&mut self) -> Option<Job> {
        while let Ok(rest) = self.rests.try_recv() {
            self.over[rest.lane as usize].push_back(rest);
        }
        if let Some(job) = self.first() {
            return Some(job);
        }
        tokio::select! {
            biased;
            // Who can ask can ask in both lanes; when nobody can any more, what waits is taken.
            job = self.people.recv() => job.or_else(|| self.backlogs.try_recv().ok()),
            Some(job) = self.backlogs.recv() => Some(job),
            Some(job) = self.rests.recv() => Some(job),
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

    /// What goes into one act.
    async fn gather(&mut self, first: Job) -> Vec<Job> {
        self.in_a_row = match first.lane {
            Lane::Person => self.in_a_row + 1,
            Lane::Backlog => 0,
        };
        let most = (self.gathering.events, self.limit.load(Ordering::Relaxed));
        let mut room = Room::new(&first, most, &self.long);
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
            if room.take(&next, &self.long) {
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

    /// Cuts each to what an act may hold, and reads ahead for all.
    async fn read_for(&self, jobs: Vec<Job>) -> Gathered {
        let limit = self.limit.load(Ordering::Relaxed);
        let (mut pushes, mut askers) = (Vec::with_capacity(jobs.len()), Vec::new());
        for job in jobs {
            let (push, rest) = cut(job.push, limit, &self.long);
            pushes.push(push);
            askers.push((job.asker, rest));
        }
        let pushes = Arc::new(pushes);
        let ahead = self.scout.read(&pushes).await;
        Gathered {
            pushes,
            askers,
            ahead,
        }
    }
}

/// Whose push.
pub(super) fn key(batch: &Batch) -> Key {
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
            asker: Asker {
                reply: oneshot::channel().0,
                done: Vec::new(),
            },
            lane,
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
