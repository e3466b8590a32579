//! Waits for what comes true by itself, and not for ever.

use std::time::{Duration, Instant};

/// Asks until it is so, and says how long that took.
pub async fn until<F: Future<Output = bool>>(
    what: &str,
    within: Duration,
    mut so: impl FnMut() -> F,
) -> Duration {
    let started = Instant::now();
    while !so().await {
        assert!(started.elapsed() < within, "{what}: not within {within:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    started.elapsed()
}
