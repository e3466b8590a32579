//! What comes at once. Pushes reach a server while an act of somebody else holds the head of the log: the
//! first of them is an act that waits, what the second needs is read ahead meanwhile, and the others gather;
//! or the second is of another server, and what that read is out of date when its turn comes. And people
//! scan the same thing again and again, while they set the clock.
//!
//! The head is held by the simulator until all wait where they should, so that nothing of it is chance.

use super::{
    Part, SimulateError,
    post::Asking,
    run::{Run, Stop},
    scans::{self, WANTED},
    store,
    wire::begin,
};
use std::time::{Duration, Instant};

/// So often of a thousand a push comes with others, if there are any.
const TOGETHER: u32 = 700;
/// And so often over two connections at once.
const TWICE: u32 = 100;
/// Most that come with it.
const OTHERS: usize = 4;
/// The head is not held for longer than this, come what may.
const PATIENCE: Duration = Duration::from_secs(2);
const SECOND: i64 = 1_000_000;

impl Run {
    /// What reaches a server together with a request: pushes with a push.
    pub(super) fn come_with(&mut self, n: usize, asking: Asking) -> Vec<Asking> {
        let mut come = vec![asking];
        let races = self.races(n);
        let others = if races {
            1
        } else if self.options.has(Part::Crowds)
            && come.iter().all(Asking::is_push)
            && self.dice.happens(TOGETHER)
        {
            1 + self.dice.below(OTHERS)
        } else {
            0
        };
        for _ in 0..others {
            // The same push over another connection, or another.
            if !races && self.dice.happens(TWICE) {
                come.extend(come.first().cloned());
            } else {
                come.extend(self.post.meeting(self.now, &come));
            }
        }
        come
    }

    /// Is there another server that works at the very same time?
    fn races(&self, n: usize) -> bool {
        let other = (n + 1) % self.nodes.len().max(1);
        self.options.race && other != n && matches!(self.nodes.get(other), Some(Some(_)))
    }

    /// They are carried out in their order, as if each had come while the one before was.
    pub(super) async fn arrive_together(
        &mut self,
        n: usize,
        come: Vec<Asking>,
    ) -> Result<(), Stop> {
        self.note("together", &come.len().to_string());
        let races = self.races(n);
        let held = store::hold_the_head(&self.observer).await?;
        let (mut calls, mut queued) = (Vec::new(), 0);
        for (at, asking) in come.into_iter().enumerate() {
            let at = if races { n + at } else { n };
            let node = self.nodes.get(at % self.nodes.len().max(1));
            let Some(node) = node.and_then(Option::as_ref) else {
                continue;
            };
            let ingest = &node.state.handheld.ingest;
            let (put, gathered) = ingest.progress();
            let call = actix_web::rt::spawn(begin(node, &asking));
            let is_put = || ingest.progress().0 > put;
            patiently(async || is_put() || call.is_finished()).await;
            if is_put() {
                queued += 1;
                // Of one server the first is the act that waits, for the second is read ahead; the others
                // gather. Each of several servers has an act that waits.
                patiently(async || queued > 2 || ingest.progress().1 > gathered).await;
                patiently(async || {
                    let waiting = store::waiting_for_locks(&held).await;
                    !races || waiting.is_ok_and(|waiting| waiting >= queued)
                })
                .await;
            }
            calls.push((asking, call));
        }
        held.rollback().await?;
        for (asking, call) in calls {
            let answer = call.await;
            let answer = answer.map_err(|error| SimulateError::World(error.to_string()))?;
            self.answered(asking, Some(answer))?;
        }
        Ok(())
    }

    /// Somebody scans the same thing several times in a row, and sets the clock meanwhile.
    pub(super) async fn counter(&mut self, n: usize) -> Result<(), Stop> {
        self.note("counter", &n.to_string());
        let wanted = self.world.tins.get(..WANTED).unwrap_or_default();
        let Some(code) = self.dice.pick(wanted).cloned() else {
            return Ok(());
        };
        if self.dice.happens(800) {
            // A program that was just started has but the clock on the wall.
            let now = self.now;
            self.hurt(n, |handset, history, dice| handset.die(now, dice, history))?;
        }
        let mut before = n;
        for at in 0..self.dice.between(2, 5) {
            // Others want it, too.
            let n = match self.dice.below(4) {
                0 => self.dice.below(self.handsets.len()),
                _ => n,
            };
            if self.options.has(Part::Rare) && n != before {
                self.hears_first(n).await?;
            }
            before = n;
            // Mostly back, as who finds that it is ahead.
            let back = at > 0 && self.dice.happens(800);
            let by = self.dice.between(0, 3_600) * if back { -SECOND } else { SECOND };
            let now = self.now;
            let (handset, history) = (self.handsets.get_mut(n), self.histories.get_mut(n));
            let Some((handset, history)) = handset.zip(history) else {
                return Ok(());
            };
            handset.upset_clock(by, false, now);
            let (world, memory) = (&self.world, &mut self.memory);
            let again = (at, code.as_str());
            let texts = scans::scan_again(&mut self.dice, world, memory, handset, now, again);
            let flights = handset.capture(texts, now, &mut self.dice, history);
            self.send_all(n, flights)?;
            self.commit(n, usize::MAX)?;
            let soon = self.dice.between(1, 700) * 1000;
            self.pass(self.now + soon).await?;
        }
        Ok(())
    }

    /// Whoever takes over hears first what the others did; and then has but the clock on the wall (I12).
    async fn hears_first(&mut self, n: usize) -> Result<(), Stop> {
        self.pull(n)?;
        let soon = self.dice.between(200, 900) * 1000;
        self.pass(self.now + soon).await?;
        self.commit(n, usize::MAX)?;
        let now = self.now;
        self.hurt(n, |handset, history, dice| handset.die(now, dice, history))
    }
}

/// Waits until something is so, in real time: no longer than one may.
async fn patiently(mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}
