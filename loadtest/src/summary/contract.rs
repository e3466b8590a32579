//! The names a run answers for, and what each is held to. They are a contract with whoever reads the
//! JSON: none is ever left out.

/// A budget: the figure must be at least, or at most, so much.
#[derive(Debug, Clone, Copy)]
pub enum Budget {
    /// More is better.
    AtLeast(f64),
    /// Less is better.
    AtMost(f64),
}

impl Budget {
    /// Does this value keep it?
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

/// What a command reports.
#[derive(Debug)]
pub struct Contract {
    /// Every figure, in order, with its budget.
    pub figures: &'static [(&'static str, Budget)],
    /// Further figures with a budget, which stand under `detail` only.
    pub further: &'static [(&'static str, Budget)],
    /// What is counted in its table.
    pub unit: Unit,
}

/// What is counted. A request may carry many events; latencies are of requests all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Requests.
    Request,
    /// Events of devices, or rows and documents made of them.
    Event,
}

impl Unit {
    /// How often, in JSON.
    pub const fn rate_name(self) -> &'static str {
        match self {
            Self::Request => "requests_per_s",
            Self::Event => "events_per_s",
        }
    }

    /// What one costs, in JSON.
    pub const fn cpu_name(self) -> &'static str {
        match self {
            Self::Request => "cpu_us_per_request",
            Self::Event => "cpu_us_per_event",
        }
    }

    /// The same two over a table.
    pub const fn headings(self) -> (&'static str, &'static str) {
        match self {
            Self::Request => ("req/s", "CPU µs/req"),
            Self::Event => ("events/s", "CPU µs/event"),
        }
    }
}

impl Contract {
    /// All names with their budgets.
    pub fn budgets(&self) -> impl Iterator<Item = (&'static str, Budget)> + use<> {
        self.figures.iter().chain(self.further).copied()
    }

    /// Is this one of the figures proper?
    pub fn has(&self, name: &str) -> bool {
        self.figures.iter().any(|(known, _)| *known == name)
    }
}

/// Of consumer scans.
pub static SCAN: Contract = Contract {
    figures: &[
        ("scan_hot_ratio", Budget::AtLeast(0.60)),
        ("scan_hot_redis_ratio", Budget::AtLeast(0.60)),
        ("scan_new_ratio", Budget::AtLeast(0.70)),
        ("scan_new_redis_ratio", Budget::AtLeast(0.50)),
        ("scan_forged_ratio", Budget::AtLeast(0.70)),
        ("scan_forged_io_calls", Budget::AtMost(0.0)),
        ("scan_p99_ms", Budget::AtMost(5.0)),
        ("scan_max_ms", Budget::AtMost(200.0)),
        ("recall_visible_ms", Budget::AtMost(1000.0)),
        ("issue_million_s", Budget::AtMost(10.0)),
        ("issue_million_bytes", Budget::AtMost(1e6)),
        // Differences below a factor of 1.25 cannot be told from noise on a shared machine.
        ("scan_flat_ratio", Budget::AtLeast(0.80)),
        ("public_rss_mb", Budget::AtMost(150.0)),
        ("page_bytes", Budget::AtMost(14_000.0)),
    ],
    further: &[
        ("scan_counted_max_ms", Budget::AtMost(200.0)),
        ("flat_rss_mb", Budget::AtMost(150.0)),
    ],
    unit: Unit::Request,
};

/// Of what devices upload.
pub static PUSH: Contract = Contract {
    figures: &[
        ("push_sqlite_eps", Budget::AtLeast(15_000.0)),
        ("push_postgres_eps", Budget::AtLeast(10_000.0)),
        ("push_sqlite_bulk_ratio", Budget::AtLeast(0.25)),
        ("push_postgres_bulk_ratio", Budget::AtLeast(0.25)),
        ("push_pouch_ratio", Budget::AtLeast(1.5)),
        ("replay_ratio", Budget::AtLeast(1.5)),
        // The target of the peers' survey; the budget proper is the sale beside it.
        ("backlog_drain_s", Budget::AtMost(80.0)),
        ("backlog_sale_p99_ms", Budget::AtMost(150.0)),
        ("refold_eps", Budget::AtLeast(200_000.0)),
    ],
    further: &[
        // Differences below a factor of 1.25 cannot be told from noise on a shared machine.
        ("push_units_flat_ratio", Budget::AtLeast(0.80)),
        ("push_log_flat_ratio", Budget::AtLeast(0.80)),
        ("pull_rows_per_s", Budget::AtLeast(50_000.0)),
        ("head_held_sqlite_ms", Budget::AtMost(50.0)),
        ("head_held_postgres_ms", Budget::AtMost(50.0)),
        // Somebody waits for it.
        ("reach_million_ms", Budget::AtMost(5_000.0)),
        ("reach_million_postgres_ms", Budget::AtMost(5_000.0)),
    ],
    unit: Unit::Event,
};
