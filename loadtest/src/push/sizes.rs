//! How much of everything is done beside the sizes that are asked for: as much as the figures are of,
//! or as little as will do where it is only asked whether all of it works.

use std::time::Duration;

/// See the file's header.
#[derive(Debug)]
pub struct Sizes {
    /// Codes are issued so many at a time, or as many as are asked for.
    pub codes_at_once: usize,
    /// Devices of a backlog.
    pub backlog_devices: usize,
    /// Tins the till can sell beside it.
    pub tins_to_sell: usize,
    /// A pass of folding is repeated until so much processor time was used.
    pub folding: Duration,
    /// How many changes a device that knows everything pulls in a round.
    pub changes: usize,
    /// Tins of such a change.
    pub change: usize,
    /// Tins of a load.
    pub load: usize,
    /// Such events in a push.
    pub loads: usize,
    /// Requests that commission codes from all over a segment.
    pub scattered: u64,
    /// Events of one turn of one device.
    pub turn: usize,
    /// Codes that are issued to be recalled, beside those that were pushed.
    pub recalled: u64,
}

/// What the figures are of.
pub const FULL: Sizes = Sizes {
    codes_at_once: 100_000,
    backlog_devices: 500,
    tins_to_sell: 6_000,
    // Processor time is counted in hundredths of a second.
    folding: Duration::from_secs(1),
    changes: 20,
    change: 100,
    // As many as an event may name; of more than seven, the texts of a push would be too long.
    load: 1_000,
    loads: 7,
    scattered: 10,
    turn: 5_000,
    recalled: 1_000_000,
};

/// As little as will do. Whoever has no more than 50 events waiting is no backlog.
pub const TINY: Sizes = Sizes {
    codes_at_once: 1_000,
    backlog_devices: 3,
    tins_to_sell: 100,
    folding: Duration::from_millis(20),
    changes: 2,
    change: 20,
    load: 40,
    loads: 2,
    scattered: 1,
    turn: 200,
    recalled: 1_000,
};
