//! Codes that very many ask for at the same time: a picture that went round, or copied labels. A
//! signal for people to look at; nobody is refused for it here.

use lru::LruCache;
use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};
use suyuan_sync::trace_code::TraceCode;

/// Codes remembered.
const KEPT: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");

/// The newest of them.
pub struct Hot(Mutex<LruCache<TraceCode, u64>>);

impl Default for Hot {
    fn default() -> Hot {
        Hot(Mutex::new(LruCache::new(KEPT)))
    }
}

impl Hot {
    /// This code is over its rate once more.
    pub fn note(&self, code: &TraceCode) {
        metrics::counter!("suyuan_hot_code_queries_total").increment(1);
        let mut codes = self.lock();
        let times = codes.get_or_insert_mut(*code, || 0);
        *times += 1;
        // Told at 1, 10, 100, …: a line for each would be a flood of its own.
        let tell = 10_u64.pow(times.ilog10()) == *times;
        let times = *times;
        drop(codes);
        if tell {
            tracing::warn!(%code, times, "a code is asked for unusually often");
        }
    }

    /// Newest first.
    pub fn list(&self) -> Vec<(TraceCode, u64)> {
        let codes = self.lock();
        codes.iter().map(|(code, times)| (*code, *times)).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<TraceCode, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
