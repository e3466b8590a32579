//! Settings: defaults < file < environment `SUYUAN__SECTION__KEY` < flags. Every key is typed and
//! documented in `config/default.toml`, which is compiled in; an unknown key stops the start.

use crate::handheld::patrol;
use crate::limits::{self, client::Proxies};
use crate::suspicions;
use config::{Config, Environment, File, FileFormat};
use serde::Deserialize;
use std::{
    fmt,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};
use suyuan_sync::{limits::PARKING_HOURS, trace_code::CodeProfiles};
use thiserror::Error;

const DEFAULTS: &str = include_str!("../config/default.toml");

/// The thresholds of suspicions that the program comes with.
pub fn shipped_thresholds() -> Result<suspicions::rules::Thresholds, SettingsError> {
    let own = File::from_str(DEFAULTS, FileFormat::Toml);
    let shipped = Config::builder().add_source(own).build()?;
    Ok(shipped.get("suspicion")?)
}

/// Why settings cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A wrong value or unknown key; the message names it.
    #[error("settings")]
    Read(#[from] config::ConfigError),
    /// Values that do not go together.
    #[error("settings: {0}")]
    Refused(String),
}

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Development or production.
    pub mode: Mode,
    /// Where an embedded database and its key file live.
    pub data_dir: PathBuf,
    /// The standards as data.
    pub catalogue: CatalogueFolder,
    /// Codes of other schemes.
    pub codes: Codes,
    /// The database.
    pub database: Database,
    /// Redis, optional.
    pub redis: Redis,
    /// The consumers' listener.
    pub public: Public,
    /// The enterprises' listener.
    pub internal: Internal,
    /// Handhelds and tills.
    pub handheld: Handheld,
    /// Secrets.
    pub security: Security,
    /// How fresh an answer must be.
    pub freshness: Freshness,
    /// The cache of rendered answers.
    pub cache: Cache,
    /// The query log.
    pub queries: Queries,
    /// How much one caller may ask for.
    pub limits: limits::settings::Settings,
    /// Reading photos.
    pub photo: Photo,
    /// What consumers tell.
    pub inbox: Inbox,
    /// Complaints and feedback.
    pub voices: Voices,
    /// Recall notices by token.
    pub watches: Watches,
    /// The brand's app.
    pub app_links: AppLinks,
    /// When a unit calls for a second look.
    pub suspicion: suspicions::rules::Thresholds,
    /// What is written to standard error.
    pub log: Log,
    /// How the process ends.
    pub drain: Drain,
}

/// How strict the start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Makes missing secrets itself.
    Development,
    /// Refuses missing and weak secrets.
    Production,
}

/// What a process is for. Each needs settings of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Both listeners in one process.
    Both,
    /// The consumers' listener alone.
    Public,
    /// The internal listener and the jobs alone.
    Internal,
}

/// `[catalogue]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFolder {
    /// Further catalogue files, or empty.
    pub folder: String,
}

/// `[codes]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// Schemes besides GS1 and our own, in the order in which they are tried.
    pub profiles: CodeProfiles,
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Empty for SQLite in the data folder.
    pub url: Secret,
    /// Connections for reading.
    pub connections: u32,
    /// Longest wait for one.
    pub acquire_timeout_ms: u64,
}

/// `[redis]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Empty for none.
    pub url: Secret,
    /// Past this the database is asked.
    pub timeout_ms: u64,
}

/// `[public]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Public {
    /// Address.
    pub listen: SocketAddr,
    /// Worker threads; 0 = one a core.
    pub workers: usize,
    /// What is printed into codes; empty = `http://{listen}`.
    pub base_url: String,
    /// Send browsers to the page's own address too, instead of showing it in one trip.
    pub always_redirect: bool,
    /// Proxies that say who is asking.
    pub trusted_proxies: Proxies,
    /// The header in which they name the region, or empty.
    pub region_header: String,
}

/// `[internal]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Internal {
    /// Address.
    pub listen: SocketAddr,
    /// Worker threads; 0 = one a core.
    pub workers: usize,
    /// Proxies that say who is asking.
    pub trusted_proxies: Proxies,
    /// A file with the certificate, or empty for plain HTTP.
    pub tls_certificate: String,
    /// The file with its key.
    pub tls_key: String,
    /// The file with the certificate of the authority that devices have to be told to trust, or empty.
    pub tls_authority: String,
}

impl Internal {
    /// How an address of this listener begins.
    pub fn scheme(&self) -> &'static str {
        if self.tls_certificate.is_empty() {
            "http"
        } else {
            "https"
        }
    }
}

fn parking_s() -> i64 {
    PARKING_HOURS as i64 * 3600
}

/// `[handheld]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handheld {
    /// Where devices call, as their enrolment code names it; empty = the internal listener.
    pub url: String,
    /// SHA-256 of the certificate devices have to trust there; empty = that of `internal.tls_authority`.
    pub certificate_fingerprint: String,
    /// How long an upload waits for others to be written together with it.
    pub gather_ms: u64,
    /// Events written together at most.
    pub gather_events: usize,
    /// Uploads waiting to be written; past this devices are told to come again.
    pub waiting: usize,
    /// How long a gap, or an incomplete group, is waited for; as long as the agreement says unless set.
    #[serde(default = "parking_s")]
    pub parking_s: i64,
    /// Between two looks at what waits.
    pub tend_ms: u64,
    /// Units a second that are folded again while nothing waits, and held against what is kept of them; 0:
    /// none.
    pub patrol_units: u16,
}

/// `[security]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// 32 bytes in base64, or empty.
    pub master_key: Secret,
    /// A file with the same, or empty.
    pub master_key_file: String,
    /// 32 bytes in base64, or empty: all that `suyuan public` needs of the master key.
    pub reader_key: Secret,
    /// A file with the same, or empty.
    pub reader_key_file: String,
    /// Life of an access token.
    pub access_token_s: i64,
    /// Life of a refresh token that is not used.
    pub refresh_token_s: i64,
}

/// `[freshness]`, all in milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// Between two polls.
    pub poll_ms: u64,
    /// Longest wait for one.
    pub timeout_ms: u64,
    /// How long `ok` may be said after a poll was sent.
    pub lease_ms: u64,
    /// How long a marked answer is given after that.
    pub grace_ms: u64,
}

/// `[cache]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Bytes of rendered answers held.
    pub bytes: usize,
}

/// `[queries]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queries {
    /// Entries waiting to be written.
    pub buffer: usize,
    /// Between two writes.
    pub flush_ms: u64,
    /// Between two folds into counts.
    pub fold_ms: u64,
    /// Between two reads of new counts.
    pub refresh_ms: u64,
    /// Longest wait of an answer for its count.
    pub wait_ms: u64,
}

/// `[photo]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Photo {
    /// The program that reads a picture; empty = this one.
    pub reader: String,
    /// Longest time for one picture.
    pub read_ms: u64,
    /// Longest time for its upload.
    pub upload_ms: u64,
}

/// `[inbox]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inbox {
    /// Messages one process puts in a second.
    pub per_second: NonZeroU32,
}

/// `[voices]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voices {
    /// How long personal data is kept.
    pub keep_days: u32,
}

/// `[watches]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watches {
    /// Watches one process begins or ends in a second.
    pub per_second: NonZeroU32,
}

/// `[app_links]`. Lists may stand as one text with commas, as an environment variable has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppLinks {
    /// The Android app, or empty.
    pub android_package: String,
    /// SHA-256 fingerprints of its signing certificates.
    #[serde(deserialize_with = "list")]
    pub android_fingerprints: Vec<String>,
    /// iOS apps as `TEAM.bundle`.
    #[serde(deserialize_with = "list")]
    pub apple_app_ids: Vec<String>,
}

/// A list, or a text with commas.
fn list<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        List(Vec<String>),
        Text(String),
    }
    let list = match Given::deserialize(from)? {
        Given::List(list) => list,
        Given::Text(text) => text.split(',').map(str::to_owned).collect(),
    };
    let trimmed = list.iter().map(|item| item.trim().to_owned());
    Ok(trimmed.filter(|item| !item.is_empty()).collect())
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `json` or `text`.
    pub format: LogFormat,
    /// tracing filter.
    pub level: String,
}

/// Shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For reading at a terminal.
    Text,
}

/// `[drain]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// Readiness fails this long before listeners close.
    pub lame_duck_ms: u64,
    /// Open requests may take this long.
    pub timeout_s: u64,
}

/// Text that never shows itself in a log or an error.
#[derive(Clone, Deserialize, Default)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { "\"…\"" })
    }
}

impl Settings {
    /// Reads all sources; `flags` are `section.key` pairs from the command line.
    pub fn load(file: Option<&Path>, flags: &[(&str, String)]) -> Result<Settings, SettingsError> {
        Settings::load_over(&[], file, flags)
    }

    /// The same with a subcommand's own defaults, which file, environment and flags override.
    pub fn load_over(
        defaults: &[(&str, String)],
        file: Option<&Path>,
        flags: &[(&str, String)],
    ) -> Result<Settings, SettingsError> {
        let mut builder = Config::builder();
        let own = File::from_str(DEFAULTS, FileFormat::Toml);
        builder = builder.add_source(own);
        if !defaults.is_empty() {
            let mut over = Config::builder();
            for (key, value) in defaults {
                over = over.set_override(key, value.as_str())?;
            }
            builder = builder.add_source(over.build()?);
        }
        if let Some(path) = file {
            builder = builder.add_source(File::from(path).format(FileFormat::Toml));
        }
        builder = builder.add_source(
            Environment::with_prefix("SUYUAN")
                .prefix_separator("__")
                .separator("__")
                .try_parsing(true),
        );
        for (key, value) in flags {
            builder = builder.set_override(key, value.as_str())?;
        }
        let settings: Settings = builder.build()?.try_deserialize()?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let refuse = |why: &str| Err(SettingsError::Refused(why.to_owned()));
        let f = &self.freshness;
        if f.poll_ms == 0 || f.timeout_ms == 0 || f.poll_ms + f.timeout_ms > f.lease_ms {
            return refuse("freshness: poll_ms + timeout_ms must fit into lease_ms, all above 0");
        }
        if self.database.connections == 0 {
            return refuse("database.connections must be at least 1");
        }
        if !(60..=3600).contains(&self.security.access_token_s) {
            return refuse("security.access_token_s must lie between 60 and 3600");
        }
        if self.queries.flush_ms == 0 || self.queries.fold_ms == 0 || self.queries.refresh_ms == 0 {
            return refuse("queries: intervals must be above 0");
        }
        if !(100..=60_000).contains(&self.photo.read_ms)
            || !(100..=300_000).contains(&self.photo.upload_ms)
        {
            return refuse("photo: read_ms 100 to 60000, upload_ms 100 to 300000");
        }
        let h = &self.handheld;
        if h.gather_ms > 1000 || !(1..=1000).contains(&h.gather_events) {
            return refuse("handheld: gather_ms at most 1000, gather_events 1 to 1000");
        }
        if h.waiting == 0 || h.parking_s < 1 || h.tend_ms == 0 {
            return refuse("handheld: waiting, parking_s and tend_ms must be above 0");
        }
        if h.patrol_units > patrol::PAGE_MAX {
            return refuse("handheld.patrol_units must be at most 1000");
        }
        let i = &self.internal;
        if i.tls_certificate.is_empty() != i.tls_key.is_empty() {
            return refuse("internal: tls_certificate and tls_key go together");
        }
        if !i.tls_authority.is_empty() && i.tls_certificate.is_empty() {
            return refuse("internal: tls_authority is of no use without tls_certificate");
        }
        if let Some(fault) = self.limits.fault() {
            return refuse(fault);
        }
        Ok(())
    }

    /// Do these settings fit such a process? Two processes cannot share an embedded database, and
    /// production takes no secret made by the program itself.
    pub fn fit_for(&self, role: Role) -> Result<(), SettingsError> {
        let refuse = |why: &str| Err(SettingsError::Refused(why.to_owned()));
        let url = self.database.url.expose();
        let postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        if role != Role::Both && !postgres {
            return refuse(
                "`public` and `internal` are processes of their own and need PostgreSQL: set \
                 database.url to postgres://…, or run both in one process with `serve`",
            );
        }
        if self.mode == Mode::Development {
            return Ok(());
        }
        let security = &self.security;
        let given = |key: &Secret, file: &str| !(key.expose().is_empty() && file.is_empty());
        let master = given(&security.master_key, &security.master_key_file);
        if role == Role::Public {
            if master {
                return refuse("a public process in production must not be given the master key");
            }
            if !given(&security.reader_key, &security.reader_key_file) {
                return refuse(
                    "production needs security.reader_key_file or security.reader_key; \
                     print it where the master key is with: suyuan keys reader",
                );
            }
            return Ok(());
        }
        if !master {
            return refuse(
                "production needs security.master_key_file or security.master_key; \
                 make one with: head -c 32 /dev/urandom | base64",
            );
        }
        if self.public.base_url.is_empty() {
            return refuse("production needs public.base_url, the address printed into codes");
        }
        Ok(())
    }

    /// Where devices call, without a trailing slash.
    pub fn device_url(&self) -> String {
        if self.handheld.url.is_empty() {
            format!("{}://{}", self.internal.scheme(), self.internal.listen)
        } else {
            self.handheld.url.trim_end_matches('/').to_owned()
        }
    }

    /// What is printed into codes, without a trailing slash.
    pub fn base_url(&self) -> String {
        if self.public.base_url.is_empty() {
            format!("http://{}", self.public.listen)
        } else {
            self.public.base_url.trim_end_matches('/').to_owned()
        }
    }
}

impl Freshness {
    /// Between two polls.
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }
    /// Longest wait for one.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
    /// Lease, counted from the sending of the poll.
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }
    /// Grace after the lease.
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(flags: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let flags: Vec<_> = flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        Settings::load(None, &flags)
    }

    #[test]
    fn defaults_are_complete_and_listen_on_loopback() {
        let settings = load(&[]).unwrap();
        assert!(settings.public.listen.ip().is_loopback());
        assert!(settings.internal.listen.ip().is_loopback());
        assert_eq!(settings.base_url(), "http://127.0.0.1:8080");
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = load(&[("public.listne", "127.0.0.1:1")]).unwrap_err();
        assert!(format!("{error:?}").contains("listne"), "{error:?}");
    }

    #[test]
    fn a_wrong_value_is_an_error() {
        assert!(load(&[("public.listen", "nowhere")]).is_err());
        assert!(load(&[("freshness.poll_ms", "900")]).is_err());
    }

    #[test]
    fn production_refuses_missing_secrets() {
        let fit = |flags: &[(&str, &str)], role| load(flags).unwrap().fit_for(role);
        let error = fit(&[("mode", "production")], Role::Both).unwrap_err();
        assert!(error.to_string().contains("master_key"), "{error}");
        let key = crate::sealing::Sealer::generate().unwrap();
        let mut flags = vec![
            ("mode", "production"),
            ("security.master_key", key.as_str()),
        ];
        let error = fit(&flags, Role::Both).unwrap_err();
        assert!(error.to_string().contains("base_url"), "{error}");
        flags.push(("public.base_url", "https://id.example"));
        assert!(fit(&flags, Role::Both).is_ok());
        // The consumers' side alone is not to hold it.
        flags.push(("database.url", "postgres://u@h/d"));
        let error = fit(&flags, Role::Public).unwrap_err();
        assert!(error.to_string().contains("must not be given"), "{error}");
        flags.retain(|(key, _)| *key != "security.master_key");
        let error = fit(&flags, Role::Public).unwrap_err();
        assert!(error.to_string().contains("reader_key"), "{error}");
        flags.push(("security.reader_key_file", "/run/reader.key"));
        assert!(fit(&flags, Role::Public).is_ok());
    }

    #[test]
    fn one_part_alone_needs_postgres() {
        let embedded = load(&[]).unwrap();
        assert!(embedded.fit_for(Role::Both).is_ok());
        for role in [Role::Public, Role::Internal] {
            let error = embedded.fit_for(role).unwrap_err().to_string();
            assert!(error.contains("need PostgreSQL"), "{error}");
            let server = load(&[("database.url", "postgres://u@h/d")]).unwrap();
            assert!(server.fit_for(role).is_ok());
        }
    }

    #[test]
    fn code_profiles_come_from_the_settings_and_a_bad_one_stops_the_start() {
        let shipped = load(&[]).unwrap().codes.profiles;
        let read = shipped.parse("88.118.8/JX.2026.0001").unwrap();
        assert_eq!(
            read.code.to_string(),
            "industrial-internet:88.118.8/JX.2026.0001"
        );

        let file = tempfile::NamedTempFile::new().unwrap();
        // The examples of the defaults, as somebody would copy them.
        let examples: Vec<_> = DEFAULTS
            .lines()
            .filter_map(|line| line.strip_prefix("#: "))
            .collect();
        std::fs::write(file.path(), examples.join("\n")).unwrap();
        let own = Settings::load(Some(file.path()), &[])
            .unwrap()
            .codes
            .profiles;
        for (text, name) in [
            ("90000010000000000001", "drug-20"),
            ("202601010012300000000001", "veterinary-24"),
        ] {
            let code = own.parse(text).unwrap().code.to_string();
            assert_eq!(code, format!("{name}:{text}"));
        }

        let twice = "[[codes.profiles]]\nname = \"ab\"\nfields = []\n";
        std::fs::write(file.path(), twice).unwrap();
        let error = Settings::load(Some(file.path()), &[]).unwrap_err();
        assert!(format!("{error:?}").contains("code profile"), "{error:?}");
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let settings = load(&[("database.url", "postgres://u:hunter2@h/d")]).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
