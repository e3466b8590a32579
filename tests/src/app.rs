//! Spawns the application as it is, on free ports, with a database of its own.

use crate::{
    Caller,
    databases::{migrated_postgres_database, migrated_sqlite_database},
};
use actix_web::dev::ServerHandle;
use std::{env, time::Instant};
use suyuan::{
    app::{Application, Internal},
    clock::Clock,
    config::Settings,
    demo::{self, Demo},
    resolver::{Resolver, lease::Trust},
    sealing::Sealer,
};
use tempfile::TempDir;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded.
    Sqlite,
    /// The private server `tests/run` started.
    Postgres,
}

/// A running application.
pub struct TestApp {
    application: Application,
    handles: (ServerHandle, ServerHandle),
    /// `http://127.0.0.1:PORT` of the consumers' listener.
    pub public_url: String,
    /// The same of the internal one.
    pub internal_url: String,
    /// Moves the application's wall clock.
    pub clock: Clock,
    /// Which database it runs on.
    pub engine: Engine,
    /// Where the database is.
    pub database_url: String,
    /// Opens its keys.
    pub sealer: Sealer,
    _folder: TempDir,
}

impl TestApp {
    /// With an empty database and default settings.
    pub async fn spawn(engine: Engine) -> TestApp {
        TestApp::spawn_with(engine, &[]).await
    }

    /// With an empty database and a master key that is told, for programs beside it.
    pub async fn keyed(engine: Engine) -> (TestApp, String) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database_url = database_in(engine, &folder).await;
        let key = Sealer::generate().expect("randomness");
        let sealer = Sealer::from_base64(&key).expect("a fresh key");
        let app = TestApp::spawn_on(engine, database_url, sealer, folder, &[]).await;
        (app, key.to_string())
    }

    /// With settings of the test's own, e.g. `("freshness.grace_ms", "500")`.
    pub async fn spawn_with(engine: Engine, flags: &[(&str, &str)]) -> TestApp {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database_url = database_in(engine, &folder).await;
        let key = Sealer::generate().expect("randomness");
        let sealer = Sealer::from_base64(&key).expect("a fresh key");
        TestApp::spawn_on(engine, database_url, sealer, folder, flags).await
    }

    /// With an empty database and the keys of `suyuan demo --seed 7`, from which the examples in the
    /// documents come.
    pub async fn seeded(engine: Engine, flags: &[(&str, &str)]) -> TestApp {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database_url = database_in(engine, &folder).await;
        let sealer = Sealer::for_demo(7).expect("a sealer");
        TestApp::spawn_on(engine, database_url, sealer, folder, flags).await
    }

    /// On an existing database: another process, or the same one started again.
    pub async fn spawn_on(
        engine: Engine,
        database_url: String,
        sealer: Sealer,
        folder: TempDir,
        flags: &[(&str, &str)],
    ) -> TestApp {
        let mut all = vec![
            ("public.listen", "127.0.0.1:0".to_owned()),
            ("internal.listen", "127.0.0.1:0".to_owned()),
            ("public.workers", "1".to_owned()),
            ("internal.workers", "1".to_owned()),
            // Tests ask fast, and all from one address; those about limits switch them on.
            ("limits.enabled", "false".to_owned()),
            ("queries.fold_ms", "50".to_owned()),
            ("queries.refresh_ms", "100".to_owned()),
            // Machines that run tests are busy; the wait itself has a test of its own.
            ("queries.wait_ms", "2000".to_owned()),
            // What a slip of folding leaves must show, and not be set right before anybody looks.
            ("handheld.patrol_units", "0".to_owned()),
            ("data_dir", folder.path().display().to_string()),
            ("database.url", database_url.clone()),
        ];
        all.extend(flags.iter().map(|(key, value)| (*key, (*value).to_owned())));
        let settings = Settings::load(None, &all).expect("settings");
        if let Ok(filter) = env::var("TEST_LOG") {
            let mut log = settings.log.clone();
            log.level = filter;
            suyuan::telemetry::start_logging(&log).expect("a filter in TEST_LOG");
        }
        let clock = Clock::system();
        let mut application = Application::build(settings, clock.clone(), sealer.clone())
            .await
            .expect("the application starts");
        let handles = application.serve().expect("both listeners serve");
        TestApp {
            public_url: format!("http://{}", application.public_addr),
            internal_url: format!("http://{}", application.internal_addr),
            application,
            handles,
            clock,
            engine,
            database_url,
            sealer,
            _folder: folder,
        }
    }

    /// The demo's world in this application.
    pub async fn world(&self) -> Demo {
        let made = demo::make(self.state(), 1).await.expect("the demo's world");
        self.settled().await;
        made
    }

    /// Waits until the resolver has applied everything committed so far, and vouches for it: a
    /// clock that was moved costs the lease until the next poll.
    pub async fn settled(&self) {
        let (_, head) = suyuan::resolver::store::head(&self.state().db.as_reader())
            .await
            .expect("head");
        for _ in 0..200 {
            let fresh = self.resolver().lease.state(Instant::now()) == Trust::Fresh;
            if fresh && self.resolver().world.load().position >= head {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the resolver did not reach position {head} within 2 s");
    }

    /// What handlers of the internal listener work with.
    pub fn state(&self) -> &Internal {
        &self.application.state
    }

    /// What the public listener works with.
    pub fn resolver(&self) -> &Resolver {
        &self.application.resolver
    }

    /// How much callers may ask of it.
    pub fn limits(&self) -> &suyuan::limits::Limits {
        &self.application.limits
    }

    /// Someone with a phone.
    pub fn consumer(&self) -> Caller {
        Caller::new(&self.public_url, None)
    }

    /// A program that is not signed in.
    pub fn stranger(&self) -> Caller {
        Caller::new(&self.internal_url, None)
    }

    /// Someone signed in.
    pub async fn signed_in(&self, user: &str, password: &str) -> Caller {
        let body = serde_json::json!({"username": user, "password": password});
        let answer = self.stranger().post("/v1/sessions", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let token = answer.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        Caller::new(&self.internal_url, Some(token))
    }

    /// Stops it, as a deployment would.
    pub async fn stop(self) {
        tokio::join!(self.handles.0.stop(false), self.handles.1.stop(false));
        self.application.finish().await;
    }
}

async fn database_in(engine: Engine, folder: &TempDir) -> String {
    match engine {
        Engine::Sqlite => migrated_sqlite_database(folder.path()).await,
        Engine::Postgres => migrated_postgres_database().await,
    }
}
