//! The internal part: what handlers of the internal listener work with, and the jobs. It makes the
//! schema, holds the signing keys, and is the only one that writes anything but the
//! query log and the inbox.

use super::{
    StartError,
    background::Background,
    listener::{self, Bound, CONNECTIONS_MAX, HEAD_TIMEOUT},
    secure,
};
use crate::{
    accounts::token::Tokens,
    catalogue::Catalogue,
    clock::Clock,
    codes,
    config::{self, Settings},
    db::{self, Db, FileLock, checkpoint},
    handheld::{Handheld, aside, down, patrol, units::refold},
    http::{
        self, Draining,
        arriving::BODY_WITHIN,
        connections::{Bounds, Connections},
    },
    inbox::{self, Seals},
    log::Log,
    personal_data,
    photo::readers::Readers,
    queries, recalls,
    resolver::redis_tier::{self, RedisTier},
    routes,
    sealing::Sealer,
    suspicions,
    tls::{Authority, Identity},
    voices::receive::Voices,
    watches::take::{self, Watches},
};
use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, web::Data};
use std::{io, path::Path, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

/// Connections of their own for background work. A database that was there a moment ago will be there
/// again.
async fn open_or_wait(url: &str, settings: &config::Database) -> Db {
    loop {
        match Db::open_single(url, settings).await {
            Ok(db) => return db,
            Err(error) => tracing::warn!(%error, "no connection for background work yet"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Seconds in which nothing of a request or an answer moves, until its connection is cut: as long as a
/// body may take. Of a body, and of an answer that is made while it is sent, each piece counts.
const STALLED_S: u64 = BODY_WITHIN.as_secs();

/// Everything the internal listener needs.
pub struct Internal {
    /// Settings.
    pub settings: Settings,
    /// Database.
    pub db: Db,
    /// The installation's log.
    pub log: Log,
    /// Wall clock.
    pub clock: Clock,
    /// Wraps keys.
    pub sealer: Sealer,
    /// Opens what consumers sealed.
    pub seals: Seals,
    /// Access tokens.
    pub tokens: Tokens,
    /// Devices.
    pub handheld: Handheld,
    /// The standards.
    pub catalogue: Catalogue,
    /// Redis, or none.
    pub redis: RedisTier,
    /// What is printed into codes.
    pub base_url: String,
    /// Whom devices have to be told to trust, if anybody.
    pub authority: Option<Authority>,
    /// Leaving soon: readiness fails.
    pub draining: Draining,
}

impl Internal {
    /// Opens log, keys and catalogue on a database with this schema, and begins admitting. Nothing
    /// else runs by itself: the jobs are the part's.
    pub async fn open(
        settings: Settings,
        db: Db,
        clock: Clock,
        sealer: Sealer,
        draining: Draining,
    ) -> Result<(Internal, JoinHandle<()>), StartError> {
        let log = Log::open(db.clone(), clock.clone()).await?;
        let tokens = Tokens::open(
            &db,
            &sealer,
            log.installation(),
            settings.security.access_token_s,
            clock.now(),
        )
        .await?;
        let seals = Seals::open_keys(db.clone(), sealer.clone(), clock.now()).await?;
        let wrapped = codes::store::wrap_for_readers(&db, &sealer).await?;
        if wrapped > 0 {
            tracing::info!(wrapped, "issue keys wrapped for readers");
        }
        let (handheld, admitting) =
            Handheld::open(&settings.handheld, &db, &log, &sealer, &clock).await?;
        let redis = RedisTier::open(&settings.redis)?;
        let folder = Some(settings.catalogue.folder.as_str()).filter(|folder| !folder.is_empty());
        let catalogue = Catalogue::with_folder(folder.map(Path::new))?;
        let internal = Internal {
            authority: Authority::open(&settings.internal)?,
            base_url: settings.base_url(),
            catalogue,
            settings,
            db,
            log,
            clock,
            sealer,
            seals,
            tokens,
            handheld,
            redis,
            draining,
        };
        Ok((internal, admitting))
    }
}

/// The internal part, ready to be served.
pub struct InternalPart {
    /// What its handlers work with; demo and tests use it too.
    pub state: Data<Internal>,
    bound: Option<Bound>,
    identity: Option<Box<Identity>>,
    tasks: Vec<JoinHandle<()>>,
    _folding: Background,
    _lock: FileLock,
}

impl InternalPart {
    /// Brings the schema up to date, opens log and keys, begins the jobs.
    pub async fn open(
        settings: Settings,
        bound: Bound,
        clock: Clock,
        sealer: Sealer,
        draining: Draining,
    ) -> Result<InternalPart, StartError> {
        // Before anything is changed: a server that nobody can reach is none.
        let identity = Identity::open(&settings.internal, clock.now())?;
        let url = db::url(&settings);
        let lock = Db::lock(&url)?;
        let db = Db::open(&url, &settings.database).await?;
        db.migrate().await?;
        let (internal, admitting) = Internal::open(settings, db, clock, sealer, draining).await?;
        let Internal {
            settings,
            db,
            log,
            clock,
            handheld,
            redis,
            ..
        } = &internal;

        let shipped = config::shipped_thresholds()?;
        let (counted, just_counted) = mpsc::channel(64);
        let folding = {
            let (database, clock) = (settings.database.clone(), clock.clone());
            let every = Duration::from_millis(settings.queries.fold_ms);
            Background::run("query-log", move || async move {
                let db = open_or_wait(&url, &database).await;
                queries::fold::fold_for_ever(db, clock, every, counted).await;
            })?
        };
        let mut tasks = vec![
            admitting,
            tokio::spawn(aside::tend::for_ever(
                settings.handheld.clone(),
                db.clone(),
                clock.clone(),
                handheld.ingest.clone(),
            )),
            tokio::spawn(refold::job::for_ever(
                db.clone(),
                log.clone(),
                handheld.ingest.clone(),
            )),
            tokio::spawn(patrol::for_ever(
                (db.clone(), internal.sealer.clone()),
                handheld.ingest.clone(),
                clock.clone(),
                settings.handheld.patrol_units,
            )),
            tokio::spawn(down::tend::for_ever(
                db.clone(),
                clock.clone(),
                log.news(),
                handheld.lists.clone(),
            )),
            tokio::spawn(checkpoint::for_ever(db.clone())),
            tokio::spawn(log.clone().tidy_for_ever()),
            tokio::spawn(take::forget_for_ever(db.clone(), clock.clone())),
            tokio::spawn(recalls::job::finish_for_ever(
                db.clone(),
                log.clone(),
                clock.clone(),
            )),
            tokio::spawn(suspicions::job::run(
                db.clone(),
                log.clone(),
                clock.clone(),
                (shipped, settings.suspicion),
                just_counted,
            )),
            // Who takes what consumers tell, by kind of message.
            tokio::spawn(inbox::take_for_ever(
                db.clone(),
                log.clone(),
                clock.clone(),
                vec![
                    Arc::new(Watches),
                    Arc::new(Voices {
                        keep_days: settings.voices.keep_days,
                        profiles: settings.codes.profiles.clone(),
                    }),
                ],
            )),
            tokio::spawn(handheld.keys.clone().follow_for_ever(clock.clone())),
            tokio::spawn(personal_data::forget_for_ever(
                db.clone(),
                log.clone(),
                clock.clone(),
            )),
        ];
        if redis.is_configured() {
            tasks.push(tokio::spawn(redis_tier::announce(
                redis.clone(),
                log.installation(),
                log.news(),
            )));
        }
        Ok(InternalPart {
            state: Data::new(internal),
            bound: Some(bound),
            identity: identity.map(Box::new),
            tasks,
            _folding: folding,
            _lock: lock,
        })
    }

    /// Notified after each commit in this process.
    pub fn news(&self) -> Arc<Notify> {
        self.state.log.news()
    }

    /// Starts the internal listener.
    pub fn serve(&mut self) -> Result<ServerHandle, StartError> {
        let bound = self.bound.take();
        let bound = bound.ok_or_else(|| io::Error::other("served already"))?;
        let settings = &self.state.settings;
        let connections = Connections::new(Bounds {
            of_a_network: settings.limits.connections,
            requests: settings.limits.requests,
            stalled_s: STALLED_S,
            proxies: Arc::new(settings.internal.trusted_proxies.clone()),
        });
        self.tasks.push(tokio::spawn(connections.clone().watch()));
        let state = self.state.clone();
        let readers = Data::new(Readers::new(&settings.photo));
        let app = move || {
            App::new()
                .app_data(state.clone())
                .app_data(readers.clone())
                .app_data(state.draining.clone())
                .wrap(from_fn(routes::only_documented))
                .wrap(from_fn(http::finish_internal))
                .configure(routes::internal)
        };
        let terms = secure::Terms {
            workers: listener::workers(settings.internal.workers),
            idle: Duration::from_secs(settings.limits.idle_s),
            drain_s: settings.drain.timeout_s,
        };
        let server = match self.identity.take() {
            Some(identity) => secure::serve(app, bound, *identity, terms, connections)?,
            None => HttpServer::new(app)
                .workers(terms.workers)
                .max_connections(CONNECTIONS_MAX)
                .client_request_timeout(HEAD_TIMEOUT)
                .keep_alive(terms.idle)
                .shutdown_timeout(terms.drain_s)
                .disable_signals()
                .on_connect(move |io, about| connections.arrive(io, about))
                .listen(bound.socket)?
                .run(),
        };
        let handle = server.handle();
        self.tasks.push(listener::spawn(server));
        Ok(handle)
    }

    /// Ends background work.
    pub fn finish(self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
