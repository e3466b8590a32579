//! `[limits]`: how much one caller may ask for, and when the service asks people to come back.
//! `config/default.toml` explains each key.

use serde::Deserialize;
use std::{num::NonZeroU32, time::Duration};

/// `[limits]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Off: rates and load are not looked at. Limits of size, time and connections stay.
    pub enabled: bool,
    /// A scan, a page, a file.
    pub scan: Rate,
    /// A code typed by hand or looked up by a program.
    pub typed: Rate,
    /// A photo.
    pub photo: Rate,
    /// A form or another message.
    pub form: Rate,
    /// Answers about codes that nobody ever issued.
    pub missed: Rate,
    /// One code, asked for by everybody together.
    pub code: Rate,
    /// The same code from one address, once the code itself is over `code`.
    pub code_again: Rate,
    /// A network of addresses (/24, /56) may ask this many times as much as one address.
    pub network_times: NonZeroU32,
    /// A region of networks (/16, /32), the same.
    pub region_times: NonZeroU32,
    /// A refusal is held back this long, so that whoever asks again at once waits.
    pub refusal_ms: u64,
    /// Refusals held at the same time, a worker; more are answered at once and their connections
    /// closed.
    pub refusals_held: usize,
    /// A worker this far behind refuses scans; other requests earlier.
    pub behind_ms: u64,
    /// Requests in progress, a worker.
    pub in_progress: usize,
    /// Between two messages to the other processes about what was admitted here.
    pub share_ms: u64,
    /// Connections of one network (/24, /56).
    pub connections: usize,
    /// Requests over one connection; then it is closed.
    pub requests: u32,
    /// An idle connection is kept this long.
    pub idle_s: u64,
    /// A connection on which nothing begins or ends this long is cut: a head, a body, or an answer
    /// that is not taken.
    pub stalled_s: u64,
}

/// So many a minute, and so many at once after a pause.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// In the long run.
    pub per_minute: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// The same rate for so many callers together.
    #[must_use]
    pub fn times(self, factor: NonZeroU32) -> Rate {
        Rate {
            per_minute: self.per_minute.saturating_mul(factor),
            burst: self.burst.saturating_mul(factor),
        }
    }
}

impl Settings {
    /// What is wrong with them, if anything.
    pub fn fault(&self) -> Option<&'static str> {
        let zero = [self.behind_ms, self.share_ms, self.idle_s, self.stalled_s].contains(&0);
        if zero || self.in_progress == 0 || self.connections == 0 || self.requests == 0 {
            return Some("limits: times, in_progress, connections and requests must be above 0");
        }
        if self.stalled_s <= self.idle_s {
            return Some("limits: stalled_s must be above idle_s");
        }
        None
    }

    /// How long a refusal is held back.
    pub fn refusal(&self) -> Duration {
        Duration::from_millis(self.refusal_ms)
    }
}
