//! What these stories begin with: a certificate, a maker with places and tins, and the program that
//! serves them over TLS.

use crate::{
    programs::{Program, run},
    scene::Scene,
};
use std::path::PathBuf;
use suyuan::sealing::Sealer;
use suyuan_tests::{Engine, TestApp, migrated_postgres_database};
use tempfile::TempDir;

/// The name devices find it by.
pub const HOST: &str = "suyuan.test";

/// The files of `suyuan cert`.
pub struct Certificate {
    folder: TempDir,
    /// What it said.
    pub said: String,
}

impl Certificate {
    /// Made for [`HOST`] and this machine.
    pub fn new() -> Certificate {
        let folder = tempfile::tempdir().expect("a folder");
        let said = String::new();
        let mut certificate = Certificate { folder, said };
        certificate.renew();
        certificate
    }

    /// Another one of the same authority, in the same files.
    pub fn renew(&mut self) {
        let out = self.folder.path().display().to_string();
        let words = ["cert", "--address", HOST, "127.0.0.1", "--out", &out];
        let (well, said, faults) = run(&words, &[]);
        assert!(well, "{faults}");
        self.said = said;
    }

    /// One of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The settings that name them.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let file = |name: &str| self.file(name).display().to_string();
        vec![
            ("internal.tls_certificate", file("server.crt")),
            ("internal.tls_key", file("server.key")),
            ("internal.tls_authority", file("authority.crt")),
            ("handheld.url", format!("https://{HOST}")),
        ]
    }
}

/// An installation whose server is a process of its own.
pub struct Site {
    /// Its maker and places.
    pub scene: Scene,
    /// Its certificate.
    pub certificate: Certificate,
    /// Its server.
    pub program: Program,
    /// Its database.
    pub url: String,
    settings: Vec<(&'static str, String)>,
    _data: TempDir,
}

impl Site {
    /// On a database of its own.
    pub async fn new(engine: Engine) -> Site {
        let data = tempfile::tempdir().expect("a folder");
        let url = match engine {
            Engine::Sqlite => format!("sqlite://{}/suyuan.db", data.path().display()),
            Engine::Postgres => migrated_postgres_database().await,
        };
        let key = Sealer::generate().expect("randomness").to_string();
        let sealer = Sealer::from_base64(&key).expect("a key");
        let folder = tempfile::tempdir().expect("a folder");
        let app = TestApp::spawn_on(engine, url.clone(), sealer, folder, &[]).await;
        let scene = Scene::of(&app).await;
        app.stop().await;
        let certificate = Certificate::new();
        let mut settings = certificate.settings();
        settings.push(("database.url", url.clone()));
        settings.push(("security.master_key", key));
        settings.push(("data_dir", data.path().display().to_string()));
        settings.push(("log.level", "suyuan=warn".to_owned()));
        // A debug build reads pictures slowly.
        settings.push(("photo.read_ms", "20000".to_owned()));
        let program = started(&settings).await;
        Site {
            scene,
            certificate,
            program,
            url,
            settings,
            _data: data,
        }
    }

    /// Another server in the place of one that is gone, on a port of its own.
    pub async fn restart(&mut self) {
        self.program = started(&self.settings).await;
    }

    /// Where devices find it on this machine.
    pub fn port(&self) -> u16 {
        let port = self.program.url.rsplit(':').next();
        port.and_then(|port| port.parse().ok()).expect("a port")
    }

    /// Where consumers find it.
    pub fn public_url(&self) -> String {
        let said = self.program.said();
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix("consumers: "));
        let url = line.and_then(|line| line.strip_suffix("/q"));
        url.expect("an address for consumers").to_owned()
    }
}

async fn started(settings: &[(&'static str, String)]) -> Program {
    let all: Vec<(&str, &str)> = settings
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    Program::start("serve", &all).await
}
