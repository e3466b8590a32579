//! What is made serves, what cannot serve is told, and an authority vouches for nobody else.

use super::{
    issue::{Address, IssueError, issue},
    *,
};
use std::{fs, os::unix::fs::PermissionsExt};

const DAY: i64 = 86_400_000_000;

fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

fn addresses(list: &[&str]) -> Vec<Address> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

/// Settings that name what `suyuan cert` left in a folder.
fn settings(folder: &Path) -> config::Internal {
    let file = |name: &str| folder.join(name).display().to_string();
    let flags = [
        (CERTIFICATE, file("server.crt")),
        (KEY, file("server.key")),
        (AUTHORITY, file("authority.crt")),
    ];
    config::Settings::load(None, &flags).unwrap().internal
}

fn fault(settings: &config::Internal, now: i64) -> String {
    let error = Identity::open(settings, now).err().expect("an error");
    crate::telemetry::in_full(&error)
}

#[test]
fn an_authority_is_made_once_and_renews_what_it_signed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let given = addresses(&["pda.example.cn", "192.168.1.20", "fd00::1"]);
    let first = issue(path, &given, now()).unwrap();
    assert!(first.is_new);
    for name in ["authority.key", "server.key"] {
        let mode = fs::metadata(path.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let leaf = fs::read(path.join("server.crt")).unwrap();
    let kept = fs::read(path.join("authority.key")).unwrap();
    let identity = Identity::open(&settings(path), now()).unwrap().unwrap();
    let until = identity.shown.until();
    assert!(until > now() + 800 * DAY && until < now() + 825 * DAY);

    // Under another address of the shop's own network, too.
    let again = issue(path, &addresses(&["pda.example.cn", "10.1.2.3"]), now()).unwrap();
    assert!(!again.is_new);
    assert_eq!(again.fingerprint, first.fingerprint);
    assert_eq!(fs::read(path.join("authority.key")).unwrap(), kept);
    assert_ne!(fs::read(path.join("server.crt")).unwrap(), leaf);
    assert!(Identity::open(&settings(path), now()).unwrap().is_some());
}

#[test]
fn an_authority_vouches_for_nobody_elses_names() {
    let folder = tempfile::tempdir().unwrap();
    issue(folder.path(), &addresses(&["pda.example.cn"]), now()).unwrap();
    for other in ["bank.example.com", "8.8.8.8", "example.cn"] {
        let refused = issue(folder.path(), &addresses(&[other]), now());
        assert!(
            matches!(refused, Err(IssueError::NotPermitted { .. })),
            "{other} {refused:?}"
        );
    }
    issue(
        folder.path(),
        &addresses(&["localhost", "127.0.0.1", "x.pda.example.cn"]),
        now(),
    )
    .unwrap();
}

#[test]
fn half_an_authority_is_none_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let given = addresses(&["localhost"]);
    issue(folder.path(), &given, now()).unwrap();
    fs::remove_file(folder.path().join("authority.key")).unwrap();
    let before = fs::read(folder.path().join("authority.crt")).unwrap();
    assert!(matches!(
        issue(folder.path(), &given, now()),
        Err(IssueError::Half(_))
    ));
    assert_eq!(
        fs::read(folder.path().join("authority.crt")).unwrap(),
        before
    );
    fs::write(folder.path().join("authority.key"), "no key").unwrap();
    assert!(matches!(
        issue(folder.path(), &given, now()),
        Err(IssueError::Key(..))
    ));
}

#[test]
fn what_is_no_address_is_refused() {
    for wrong in [
        "",
        "https://a.example",
        "a.example:8081",
        "*.example",
        "0.0.0.0",
        "::",
        "a b",
        "a.",
    ] {
        assert!(wrong.parse::<Address>().is_err(), "{wrong}");
    }
    assert_eq!("[::1]".parse(), Ok(Address::Ip("::1".parse().unwrap())));
    assert_eq!(
        "PDA.Example".parse(),
        Ok(Address::Name("pda.example".to_owned()))
    );
}

#[test]
fn what_cannot_serve_is_told_by_setting_and_file() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    issue(&ours, &addresses(&["localhost"]), now()).unwrap();
    issue(&theirs, &addresses(&["localhost"]), now()).unwrap();
    let good = settings(&ours);
    assert!(Identity::open(&good, now()).is_ok());
    let with = |change: &dyn Fn(&mut config::Internal)| {
        let mut changed = good.clone();
        change(&mut changed);
        fault(&changed, now())
    };
    let other = settings(&theirs);

    let text = with(&|s| s.tls_key = other.tls_key.clone());
    assert!(
        text.contains("tls_key") && text.contains("is not the key"),
        "{text}"
    );
    let text = with(&|s| s.tls_authority = other.tls_authority.clone());
    assert!(
        text.contains("tls_authority") && text.contains("did not sign"),
        "{text}"
    );
    let text = with(&|s| s.tls_certificate = "/nowhere/a.crt".to_owned());
    assert!(
        text.contains("tls_certificate: /nowhere/a.crt cannot be read"),
        "{text}"
    );
    let text = with(&|s| s.tls_key = s.tls_certificate.clone());
    assert!(text.contains("holds no private key"), "{text}");
    let text = with(&|s| s.tls_certificate = s.tls_key.clone());
    assert!(text.contains("holds no certificate"), "{text}");
    let none = folder.path().join("none.crt");
    fs::write(
        &none,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let text = with(&|s| s.tls_certificate = none.display().to_string());
    assert!(text.contains("certificate that cannot be read"), "{text}");
    let text = fault(&good, now() + 830 * DAY);
    assert!(
        text.contains("expired on") && text.contains("suyuan cert"),
        "{text}"
    );
    let text = fault(&good, now() - 3 * DAY);
    assert!(text.contains("begins to hold on"), "{text}");

    let mut plain = good;
    plain.tls_certificate = String::new();
    assert!(Identity::open(&plain, now()).unwrap().is_none());
}
