//! A certificate is renewed by replacing its files, also while the listener serves: they are looked
//! at every few seconds, and what has changed and is at rest is judged as at the start. What is no
//! good changes nothing: the certificate that was shown goes on being shown, and somebody is told.
//! Knows no listener.

use super::{Fingerprint, Identity, Shown, TlsError, read};
use crate::{
    clock::{Clock, rfc3339},
    config,
    telemetry::in_full,
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    sync::{Arc, Weak},
    time::Duration,
};

/// Between two looks at the files.
const EVERY: Duration = Duration::from_secs(2);
/// Within this of its end, in microseconds, a certificate is spoken of each day.
const SHORT: i64 = 14 * DAY;
const DAY: i64 = 24 * 3600 * 1_000_000;

/// What tells a file from what it was: when it was written, its length, and which file it is. A file
/// that is not there has none.
type Stamp = Option<(i64, i64, u64, u64)>;

/// What a look came to.
#[derive(Debug)]
pub enum Looked {
    /// The files are those of before.
    Same,
    /// They have changed since the last look: somebody may still be writing.
    Changing,
    /// A new certificate is shown.
    Taken,
    /// They cannot be used; the certificate of before is shown.
    Refused(TlsError),
}

/// Watches the files of one listener.
pub struct Renewal {
    settings: config::Internal,
    shown: Weak<Shown>,
    authority: Option<Fingerprint>,
    /// Judged, whatever the judgement was.
    judged: [Stamp; 3],
    /// Seen last.
    seen: [Stamp; 3],
    /// When its end was last spoken of.
    told: Option<i64>,
}

impl Renewal {
    /// Of the files that this identity was read from just now.
    pub fn of(identity: &Identity) -> Renewal {
        let stamps = stamps(&identity.settings);
        Renewal {
            settings: identity.settings.clone(),
            shown: Arc::downgrade(&identity.shown),
            authority: identity.authority,
            judged: stamps,
            seen: stamps,
            told: None,
        }
    }

    /// Looks as long as a listener shows it.
    pub async fn for_ever(mut self, clock: Clock) {
        loop {
            let now = clock.now();
            // A disk may be slow, and a share may be gone.
            let looked = tokio::task::spawn_blocking(move || {
                let looked = self.look(now);
                (self, looked)
            });
            let Ok((back, looked)) = looked.await else {
                return;
            };
            self = back;
            let Some(until) = self.shown.upgrade().map(|shown| shown.until()) else {
                return;
            };
            self.tell(&looked, until, now);
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Takes up what has changed and is at rest.
    pub fn look(&mut self, now: i64) -> Looked {
        let before = std::mem::replace(&mut self.seen, stamps(&self.settings));
        if self.seen == self.judged {
            return Looked::Same;
        }
        if self.seen != before {
            return Looked::Changing;
        }
        self.judged = self.seen;
        match self.take(now) {
            Ok(()) => Looked::Taken,
            Err(error) => Looked::Refused(error),
        }
    }

    fn take(&self, now: i64) -> Result<(), TlsError> {
        let Some(read) = read(&self.settings, now)? else {
            return Ok(());
        };
        // Devices are told of the authority that was read at the start.
        if read.authority != self.authority {
            let authority = self.settings.tls_authority.clone();
            return Err(TlsError::NewAuthority { authority });
        }
        if let Some(shown) = self.shown.upgrade() {
            shown.replace(read.key, read.until);
        }
        Ok(())
    }

    fn tell(&mut self, looked: &Looked, until: i64, now: i64) {
        let file = self.settings.tls_certificate.as_str();
        match looked {
            Looked::Same | Looked::Changing => {}
            Looked::Taken => {
                self.told = None;
                metrics::counter!("suyuan_tls_renewals_total", "result" => "taken").increment(1);
                tracing::info!(file, until = rfc3339(until), "the new certificate is shown");
            }
            Looked::Refused(error) => {
                metrics::counter!("suyuan_tls_renewals_total", "result" => "refused").increment(1);
                let error = in_full(error);
                tracing::error!(
                    error,
                    until = rfc3339(until),
                    "the new certificate cannot be used, the one of before is shown"
                );
            }
        }
        let left = until.saturating_sub(now);
        metrics::gauge!("suyuan_tls_certificate_expires_seconds").set(left as f64 / 1e6);
        if left < SHORT && self.told.is_none_or(|told| now - told >= DAY) {
            self.told = Some(now);
            let until = rfc3339(until);
            if left > 0 {
                tracing::warn!(file, until, "the certificate expires soon: renew it");
            } else {
                tracing::error!(file, until, "the certificate has expired: renew it");
            }
        }
    }
}

fn stamps(settings: &config::Internal) -> [Stamp; 3] {
    let files = [
        &settings.tls_certificate,
        &settings.tls_key,
        &settings.tls_authority,
    ];
    files.map(|file| {
        let about = fs::metadata(file).ok()?;
        Some((about.mtime(), about.mtime_nsec(), about.len(), about.ino()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::issue::{Address, issue};
    use std::path::Path;

    fn now() -> i64 {
        jiff::Timestamp::now().as_microsecond()
    }

    fn made(folder: &Path) {
        issue(folder, &[Address::Name("localhost".to_owned())], now()).unwrap();
    }

    fn settings(folder: &Path) -> config::Internal {
        let file = |name: &str| folder.join(name).display().to_string();
        let flags = [
            ("internal.tls_certificate", file("server.crt")),
            ("internal.tls_key", file("server.key")),
            ("internal.tls_authority", file("authority.crt")),
        ];
        config::Settings::load(None, &flags).unwrap().internal
    }

    fn renewal(folder: &Path) -> (Arc<Shown>, Renewal) {
        let settings = settings(folder);
        let identity = Identity::open(&settings, now()).unwrap().unwrap();
        (identity.shown.clone(), Renewal::of(&identity))
    }

    #[test]
    fn new_files_are_taken_up_when_they_are_at_rest() {
        let folder = tempfile::tempdir().unwrap();
        made(folder.path());
        let (shown, mut renewal) = renewal(folder.path());
        let before = shown.leaf();
        assert!(matches!(renewal.look(now()), Looked::Same));
        made(folder.path());
        assert!(matches!(renewal.look(now()), Looked::Changing));
        assert_eq!(shown.leaf(), before);
        assert!(matches!(renewal.look(now()), Looked::Taken));
        assert_ne!(shown.leaf(), before);
        assert!(matches!(renewal.look(now()), Looked::Same));
    }

    #[test]
    fn what_is_no_good_changes_nothing_and_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        made(&ours);
        made(&theirs);
        let (shown, mut renewal) = renewal(&ours);
        let before = shown.leaf();
        let refused = |renewal: &mut Renewal| {
            assert!(matches!(renewal.look(now()), Looked::Changing));
            let Looked::Refused(error) = renewal.look(now()) else {
                panic!("refused");
            };
            assert!(matches!(renewal.look(now()), Looked::Same));
            in_full(&error)
        };
        let copy = |name: &str| fs::copy(theirs.join(name), ours.join(name)).unwrap();
        copy("server.key");
        assert!(refused(&mut renewal).contains("is not the key"));
        copy("server.crt");
        assert!(refused(&mut renewal).contains("did not sign"));
        // Another authority, though it fits: devices were told of this one.
        copy("authority.crt");
        assert!(refused(&mut renewal).contains("another authority"));
        fs::write(ours.join("server.crt"), "nothing").unwrap();
        assert!(refused(&mut renewal).contains("holds no certificate"));
        fs::remove_file(ours.join("server.key")).unwrap();
        refused(&mut renewal);
        assert_eq!(shown.leaf(), before);
    }

    #[test]
    fn one_that_has_expired_is_not_shown_instead_of_one_that_holds() {
        let folder = tempfile::tempdir().unwrap();
        made(folder.path());
        let (shown, mut renewal) = renewal(folder.path());
        let before = (shown.leaf(), shown.until());
        made(folder.path());
        let later = now() + 830 * DAY;
        assert!(matches!(renewal.look(later), Looked::Changing));
        let Looked::Refused(error) = renewal.look(later) else {
            panic!("refused");
        };
        assert!(matches!(error, TlsError::Expired { .. }), "{error}");
        assert_eq!((shown.leaf(), shown.until()), before);
    }
}
