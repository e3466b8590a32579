//! Work that goes on when whoever asked for it waits no longer, and is found by who asks again: of a key one
//! at a time, given once. What nobody asks for any more is given up, done or not; so is everything when this
//! is dropped. Knows nothing of what the work is.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::watch::{self, Receiver},
    task::{AbortHandle, spawn_local},
    time::{Instant, sleep_until, timeout},
};
use uuid::Uuid;

/// What is being done, and what is done and was not asked for since.
pub struct GoingOn<T, E> {
    table: Arc<Mutex<Table<T, E>>>,
    /// Given up when nobody asked for so long.
    unasked: Duration,
}

type Told<T, E> = Option<Result<T, E>>;

struct Table<T, E> {
    begun: u64,
    works: BTreeMap<Uuid, Work<T, E>>,
}

struct Work<T, E> {
    number: u64,
    asked: Instant,
    done: Receiver<Told<T, E>>,
    task: Task,
}

/// Ends with its entry.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T, E> GoingOn<T, E>
where
    T: Clone + 'static,
    E: Clone + 'static,
{
    /// Nothing is being done.
    pub fn new(unasked: Duration) -> GoingOn<T, E> {
        let table = Table {
            begun: 0,
            works: BTreeMap::new(),
        };
        GoingOn {
            table: Arc::new(Mutex::new(table)),
            unasked,
        }
    }

    /// What the work for a key comes to, if it does so within `wait`: that which is being done or is done
    /// already, or else this.
    pub async fn ask<W>(
        &self,
        key: Uuid,
        wait: Duration,
        work: impl FnOnce() -> W,
    ) -> Option<Result<T, E>>
    where
        W: Future<Output = Result<T, E>> + 'static,
    {
        let (number, mut done) = self.join(key, work);
        let told = timeout(wait, done.wait_for(Option::is_some)).await;
        let told = told.ok()?.ok()?.clone()?;
        forget(&self.table, key, number);
        Some(told)
    }

    fn join<W>(&self, key: Uuid, work: impl FnOnce() -> W) -> (u64, Receiver<Told<T, E>>)
    where
        W: Future<Output = Result<T, E>> + 'static,
    {
        let mut table = lock(&self.table);
        if let Some(work) = table.works.get_mut(&key).filter(|work| work.is_of_use()) {
            work.asked = Instant::now();
            return (work.number, work.done.clone());
        }
        table.begun += 1;
        let number = table.begun;
        let (tell, done) = watch::channel(None);
        let entry = Entry {
            table: Arc::downgrade(&self.table),
            key,
            number,
        };
        let (unasked, work) = (self.unasked, work());
        let task = spawn_local(async move {
            tokio::select! {
                told = work => drop(tell.send_replace(Some(told))),
                () = entry.unasked_for(unasked) => return,
            }
            entry.unasked_for(unasked).await;
        });
        let work = Work {
            number,
            asked: Instant::now(),
            done: done.clone(),
            task: Task(task.abort_handle()),
        };
        table.works.insert(key, work);
        (number, done)
    }
}

impl<T, E> Work<T, E> {
    /// Not one that failed when nobody waited, or that broke off.
    fn is_of_use(&self) -> bool {
        let failed = matches!(&*self.done.borrow(), Some(Err(_)));
        let ended = self.task.0.is_finished();
        !failed && !ended
    }
}

/// The entry of a work in the table; it goes when the work is over.
struct Entry<T, E> {
    table: Weak<Mutex<Table<T, E>>>,
    key: Uuid,
    number: u64,
}

impl<T, E> Entry<T, E> {
    /// Ends when nobody asked for so long.
    async fn unasked_for(&self, long: Duration) {
        loop {
            let Some(table) = self.table.upgrade() else {
                return;
            };
            let asked = {
                let table = lock(&table);
                let work = table.works.get(&self.key);
                let work = work.filter(|work| work.number == self.number);
                work.map(|work| work.asked)
            };
            drop(table);
            // It was given, and is forgotten.
            let Some(due) = asked.and_then(|asked| asked.checked_add(long)) else {
                return;
            };
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }
}

impl<T, E> Drop for Entry<T, E> {
    fn drop(&mut self) {
        if let Some(table) = self.table.upgrade() {
            forget(&table, self.key, self.number);
        }
    }
}

fn lock<T, E>(table: &Mutex<Table<T, E>>) -> MutexGuard<'_, Table<T, E>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a work out of the table; its task ends, if it has not. It is let go of when no lock is held.
fn forget<T, E>(table: &Mutex<Table<T, E>>, key: Uuid, number: u64) {
    let gone = {
        let mut table = lock(table);
        let is_this = table.works.get(&key).map(|work| work.number) == Some(number);
        is_this.then(|| table.works.remove(&key))
    };
    drop(gone);
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::{Semaphore, oneshot};

    const KEY: Uuid = Uuid::from_u128(1);
    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(5);

    /// Work that ends when it is let: how often that began, and what it comes to.
    #[derive(Clone, Default)]
    struct Works(Arc<AtomicUsize>);

    impl Works {
        async fn when(self, let_go: Arc<Semaphore>) -> Result<usize, &'static str> {
            let n = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            let turn = let_go.acquire().await;
            turn.map_err(|_| "gone").map(|_| n)
        }
    }

    fn going_on(unasked: Duration) -> GoingOn<usize, &'static str> {
        GoingOn::new(unasked)
    }

    #[actix_web::test]
    async fn what_was_asked_for_goes_on_is_found_and_given_once() {
        let (all, works) = (going_on(LONG), Works::default());
        let gate = Arc::new(Semaphore::new(0));
        let ask = |wait| all.ask(KEY, wait, || works.clone().when(gate.clone()));
        for _ in 0..3 {
            assert_eq!(ask(SHORT).await, None, "not yet");
        }
        let other = Uuid::from_u128(2);
        let another = all.ask(other, SHORT, || async { Ok(100) }).await;
        assert_eq!(another, Some(Ok(100)), "another key waits for nothing");
        gate.add_permits(10);
        assert_eq!(ask(LONG).await, Some(Ok(1)), "the one that was begun first");
        assert_eq!(ask(LONG).await, Some(Ok(2)), "and then another one");
        assert!(lock(&all.table).works.is_empty());
    }

    #[actix_web::test]
    async fn all_who_wait_for_a_work_are_told() {
        let (all, works) = (going_on(LONG), Works::default());
        let gate = Arc::new(Semaphore::new(0));
        let ask = || all.ask(KEY, LONG, || works.clone().when(gate.clone()));
        let (mut one, mut two) = (Box::pin(ask()), Box::pin(ask()));
        assert!(one.as_mut().now_or_never().is_none());
        assert!(two.as_mut().now_or_never().is_none());
        gate.add_permits(10);
        assert_eq!(tokio::join!(one, two), (Some(Ok(1)), Some(Ok(1))));
    }

    #[actix_web::test]
    async fn what_failed_or_broke_off_while_nobody_waited_is_begun_anew() {
        let (all, works) = (going_on(LONG), Works::default());
        let gate = Arc::new(Semaphore::new(0));
        let failing = Arc::new(Semaphore::new(0));
        let failed = all.ask(KEY, SHORT, || works.clone().when(failing.clone()));
        assert_eq!(failed.await, None);
        failing.close();
        let over = |all: &GoingOn<usize, &str>| {
            lock(&all.table)
                .works
                .values()
                .all(|work| !work.is_of_use())
        };
        while !over(&all) {
            tokio::task::yield_now().await;
        }
        gate.add_permits(10);
        let again = all.ask(KEY, LONG, || works.clone().when(gate.clone()));
        assert_eq!(again.await, Some(Ok(2)));
        let broken = all.ask(KEY, LONG, || async { panic!("it broke off") });
        assert_eq!(broken.await, None);
        let again = all.ask(KEY, LONG, || works.clone().when(gate.clone()));
        assert_eq!(again.await, Some(Ok(3)));
    }

    #[actix_web::test]
    async fn what_nobody_asks_for_any_more_is_given_up_and_so_is_all_at_the_end() {
        let begin = |all: &GoingOn<usize, &'static str>| {
            let (held, dropped) = oneshot::channel::<()>();
            let work = async move {
                let _held = held;
                std::future::pending().await
            };
            drop(all.join(KEY, || work));
            dropped
        };
        let all = going_on(Duration::from_millis(50));
        let dropped = tokio::time::timeout(LONG, begin(&all)).await;
        assert!(dropped.expect("given up").is_err());
        while !lock(&all.table).works.is_empty() {
            tokio::task::yield_now().await;
        }
        // What is done is not kept for ever either.
        let (_, mut done) = all.join(KEY, || async { Ok(1) });
        assert!(done.wait_for(Option::is_some).await.is_ok());
        while !lock(&all.table).works.is_empty() {
            tokio::time::sleep(SHORT).await;
        }
        let all = going_on(LONG);
        let mut dropped = begin(&all);
        tokio::task::yield_now().await;
        assert!((&mut dropped).now_or_never().is_none(), "it is being done");
        drop(all);
        let dropped = tokio::time::timeout(LONG, dropped).await;
        assert!(dropped.expect("given up").is_err());
    }
}
