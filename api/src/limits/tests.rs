//! What one caller may ask for, and what that leaves to the others.

use super::*;
use crate::config;

/// The defaults, switched on.
pub(super) fn settings() -> Settings {
    let mut settings = config::Settings::load(None, &[]).unwrap().limits;
    settings.enabled = true;
    settings
}

pub(super) fn limits() -> Limits {
    Limits::new(settings(), &[7; 32])
}

fn at(address: &str) -> IpAddr {
    address.parse().unwrap()
}

/// How many in a row are let in.
fn let_in(limits: &Limits, address: &str, class: Class) -> u32 {
    (0..1_000_000)
        .find(|_| limits.ask(at(address), class).is_err())
        .unwrap()
}

fn code(serial: &str) -> TraceCode {
    let text = format!("(01)09521234000013(21){serial}");
    suyuan_sync::trace_code::parse(&text).unwrap().code
}

#[test]
fn each_class_has_its_own_bucket_and_probes_have_none() {
    let (limits, settings) = (limits(), settings());
    for (class, rate) in [
        (Class::Photo, settings.photo),
        (Class::Form, settings.form),
        (Class::Typed, settings.typed),
        (Class::Scan, settings.scan),
    ] {
        let n = let_in(&limits, "192.0.2.1", class);
        let burst = rate.burst.get();
        assert!((burst..burst + 5).contains(&n), "{class:?}: {n}");
    }
    for _ in 0..100_000 {
        limits.ask(at("192.0.2.1"), Class::Probe).unwrap();
    }
}

#[test]
fn one_address_does_not_use_up_what_its_neighbours_share() {
    let limits = limits();
    for _ in 0..10_000 {
        limits.ask(at("192.0.2.1"), Class::Photo).ok();
    }
    let burst = settings().photo.burst.get();
    assert!(let_in(&limits, "192.0.2.2", Class::Photo) >= burst);
    assert!(let_in(&limits, "192.0.3.1", Class::Photo) >= burst);
}

#[test]
fn a_network_and_a_region_have_an_end_too() {
    let (limits, settings) = (limits(), settings());
    let burst = settings.photo.burst.get();
    let together = |prefix: &str, range: std::ops::Range<u32>| -> u32 {
        range
            .map(|n| let_in(&limits, &format!("{prefix}{n:x}::1"), Class::Photo))
            .sum()
    };
    // 200 of the 256 blocks of /64 in one /56.
    let network = together("2001:db8:0:", 0..200);
    let most = burst * settings.network_times.get();
    assert!(
        (most..most + most / 4).contains(&network),
        "{network} of {most}"
    );
    // 2000 blocks of /48 in one /32.
    let region = together("2001:db9:", 0..2000);
    let most = burst * settings.region_times.get();
    assert!(
        (most..most + most / 4).contains(&region),
        "{region} of {most}"
    );
    assert!(let_in(&limits, "2001:dba::1", Class::Photo) >= burst);
}

#[test]
fn guessing_ends_everything_for_a_while_and_only_for_the_guesser() {
    let limits = limits();
    let burst = settings().missed.burst.get();
    for n in 0..burst {
        assert_eq!(limits.ask(at("192.0.2.1"), Class::Scan), Ok(()), "{n}");
        limits.note_missed(at("192.0.2.1"));
    }
    for class in [Class::Scan, Class::Typed, Class::Photo] {
        let refusal = limits.ask(at("192.0.2.1"), class).unwrap_err();
        assert_eq!(refusal.why, Why::Missed);
        assert!(!refusal.wait.0.is_zero());
    }
    assert_eq!(limits.ask(at("192.0.2.2"), Class::Scan), Ok(()));
}

#[test]
fn a_code_everybody_asks_for_is_a_signal_and_refused_only_to_who_repeats() {
    let (limits, settings) = (limits(), settings());
    let viral = code("VIRAL");
    let everybody = settings.code.burst.get() * 3;
    for n in 0..everybody {
        let address = IpAddr::from(n.to_be_bytes());
        assert_eq!(limits.ask_code(&viral, address), Ok(()), "{address}");
    }
    let hot = limits.hot_codes();
    assert_eq!(hot.len(), 1);
    assert_eq!(hot[0].0, viral);
    assert!(hot[0].1 >= u64::from(everybody / 2), "{}", hot[0].1);
    let again = settings.code_again.burst.get();
    let address = at("192.0.2.1");
    let n = (0..1000).find(|_| limits.ask_code(&viral, address).is_err());
    assert!((again..again + 3).contains(&n.unwrap()), "{n:?}");
    assert_eq!(limits.ask_code(&code("OTHER"), address), Ok(()));
    assert_eq!(limits.ask_code(&viral, at("192.0.2.2")), Ok(()));
}

#[test]
fn switched_off_nothing_is_refused() {
    let mut settings = settings();
    settings.enabled = false;
    let limits = Limits::new(settings, &[7; 32]);
    for _ in 0..100_000 {
        limits.ask(at("192.0.2.1"), Class::Photo).unwrap();
        limits.note_missed(at("192.0.2.1"));
        limits.ask_code(&code("A"), at("192.0.2.1")).unwrap();
    }
}

/// Not a limit, a budget: what all this costs a scan. Generous, since tests run unoptimised and
/// beside others; printed with `--no-capture`.
#[test]
fn asking_costs_little() {
    const TIMES: u32 = 100_000;
    let mut settings = settings();
    settings.scan.burst = std::num::NonZeroU32::new(1_000_000).unwrap();
    let limits = Limits::new(settings, &[7; 32]);
    let viral = code("VIRAL");
    let began = std::time::Instant::now();
    for n in 0..TIMES {
        let address = IpAddr::from(n.to_be_bytes());
        limits.ask(address, Class::Scan).unwrap();
        limits.ask_code(&viral, address).unwrap();
    }
    let each = began.elapsed() / TIMES;
    println!("one scan asks in {each:?}");
    assert!(each.as_micros() < 50, "{each:?}");
}
