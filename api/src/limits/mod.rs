//! Who may ask how much (限流): what keeps one caller, or many, from taking the service away from
//! the others.
//!
//! `client` says who asks; `place` where they are counted; `buckets` counts; this file says what
//! each kind of request costs. `load` says when a worker is too far behind to take more, `share`
//! keeps several processes to one rate, `hot` remembers codes that everybody asks for. Must not
//! know HTTP: `http/door.rs` asks here.

pub mod buckets;
pub mod client;
pub mod hot;
pub mod load;
pub mod place;
pub mod settings;
pub mod share;

use buckets::{Buckets, Wait};
use hot::Hot;
use place::{Place, Places};
use settings::{Rate, Settings};
use std::net::IpAddr;
use suyuan_sync::trace_code::TraceCode;

/// Kinds of request on the public listener, by what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A scan, a page, a file.
    Scan,
    /// A code typed by hand or looked up by a program.
    Typed,
    /// A form or another message.
    Form,
    /// A photo.
    Photo,
    /// For those who run the service: never refused.
    Probe,
}

/// Why somebody is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Too many requests from one address, its network or its region.
    Rate,
    /// Too many codes that nobody ever issued.
    Missed,
    /// One code, again and again.
    Code,
    /// The service has more to do than it can.
    Load,
}

impl Why {
    /// For metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Why::Rate => "rate",
            Why::Missed => "missed",
            Why::Code => "code",
            Why::Load => "load",
        }
    }
}

/// A refusal: why, and when to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub why: Why,
    /// When.
    pub wait: Wait,
}

impl Refusal {
    /// Counts it.
    pub fn new(why: Why, wait: Wait) -> Refusal {
        metrics::counter!("suyuan_refused_total", "why" => why.name()).increment(1);
        Refusal { why, wait }
    }
}

/// One rate, kept by address, by network and by region.
struct Nested {
    address: Buckets,
    network: Buckets,
    region: Buckets,
}

impl Nested {
    fn new(rate: Rate, settings: &Settings) -> Nested {
        Nested {
            address: Buckets::new(rate),
            network: Buckets::new(rate.times(settings.network_times)),
            region: Buckets::new(rate.times(settings.region_times)),
        }
    }

    /// The narrow bucket is asked first: what it refuses never reaches the wide one, so that one
    /// address cannot use up what its neighbours share.
    fn take(&self, place: &Place) -> Result<(), Wait> {
        self.address.take(place.address)?;
        self.network.take(place.network)?;
        self.region.take(place.region)
    }

    fn is_used_up(&self, place: &Place) -> Option<Wait> {
        let address = self.address.is_used_up(place.address);
        address
            .or_else(|| self.network.is_used_up(place.network))
            .or_else(|| self.region.is_used_up(place.region))
    }
}

/// What callers may ask of a process.
pub struct Limits {
    settings: Settings,
    /// None where limits are off.
    tables: Option<Tables>,
    hot: Hot,
}

/// All buckets of a process.
struct Tables {
    places: Places,
    scan: Nested,
    typed: Nested,
    form: Nested,
    photo: Nested,
    missed: Nested,
    code: Buckets,
    code_again: Buckets,
}

impl Limits {
    /// Full buckets. Processes with the same key count a caller in the same cells.
    pub fn new(settings: Settings, key: &[u8; 32]) -> Limits {
        Limits {
            tables: settings.enabled.then(|| Tables::new(&settings, key)),
            hot: Hot::default(),
            settings,
        }
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// May this address make one more request of this class?
    pub fn ask(&self, address: IpAddr, class: Class) -> Result<(), Refusal> {
        let Some(tables) = &self.tables else {
            return Ok(());
        };
        let rate = match class {
            Class::Scan => &tables.scan,
            Class::Typed => &tables.typed,
            Class::Form => &tables.form,
            Class::Photo => &tables.photo,
            Class::Probe => return Ok(()),
        };
        let place = tables.places.caller(address);
        if let Some(wait) = tables.missed.is_used_up(&place) {
            return Err(Refusal::new(Why::Missed, wait));
        }
        rate.take(&place)
            .map_err(|wait| Refusal::new(Why::Rate, wait))
    }

    /// This address asked about a code that nobody ever issued. Many such answers, and it is
    /// guessing: then it may ask nothing for a while.
    pub fn note_missed(&self, address: IpAddr) {
        if let Some(tables) = &self.tables {
            // Already used up: that is what the next request is told.
            tables.missed.take(&tables.places.caller(address)).ok();
        }
    }

    /// May this address ask for this code? A code that everybody asks for is a signal, not a reason
    /// to refuse: only an address that asks for it again and again is.
    pub fn ask_code(&self, code: &TraceCode, address: IpAddr) -> Result<(), Refusal> {
        let Some(tables) = &self.tables else {
            return Ok(());
        };
        if tables.code.take(tables.places.code(code)).is_ok() {
            return Ok(());
        }
        self.hot.note(code);
        let again = tables.places.code_of(code, address);
        let again = tables.code_again.take(again);
        again.map_err(|wait| Refusal::new(Why::Code, wait))
    }

    /// Codes that were asked for more often than `limits.code` allows, newest first, with how often
    /// it was past that.
    pub fn hot_codes(&self) -> Vec<(TraceCode, u64)> {
        self.hot.list()
    }

    /// Every table, in an order that all processes agree on.
    fn tables(&self) -> impl Iterator<Item = &Buckets> {
        self.tables.iter().flat_map(Tables::all)
    }
}

impl Tables {
    fn new(settings: &Settings, key: &[u8; 32]) -> Tables {
        let nested = |rate| Nested::new(rate, settings);
        Tables {
            places: Places::new(key),
            scan: nested(settings.scan),
            typed: nested(settings.typed),
            form: nested(settings.form),
            photo: nested(settings.photo),
            missed: nested(settings.missed),
            code: Buckets::new(settings.code),
            code_again: Buckets::new(settings.code_again),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Buckets> {
        let nested = [
            &self.scan,
            &self.typed,
            &self.form,
            &self.photo,
            &self.missed,
        ];
        let nested = nested.map(|rate| [&rate.address, &rate.network, &rate.region]);
        let nested = nested.into_iter().flatten();
        nested.chain([&self.code, &self.code_again])
    }
}

#[cfg(test)]
mod tests;
