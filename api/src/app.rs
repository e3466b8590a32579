//! Puts the parts together and runs them: two listeners, the freshness feed, the query log. The
//! parts do not know each other; who needs what is seen here.

use crate::{
    accounts::token::{TokenError, Tokens},
    catalogue::{Catalogue, CatalogueError},
    clock::Clock,
    config::{Mode, Settings, SettingsError},
    db::{self, Db, FileLock, OpenError},
    http::{self, Draining},
    inbox::{self, SealedError, Seals, Slot},
    log::Log,
    queries::{self, QueryLog},
    resolver::{
        Resolver,
        cache::Views,
        counts::{self, Counts},
        feed::Feed,
        lease::Lease,
        redis_tier::{self, RedisTier},
        world::World,
    },
    routes,
    sealing::{SealError, Sealer},
    suspicions, telemetry,
    voices::{self, public::Desk, receive::Voices},
};
use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, web::Data};
use arc_swap::ArcSwap;
use sea_orm::DbErr;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};
use thiserror::Error;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

/// Connections a listener holds at once, per worker.
const CONNECTIONS_MAX: usize = 10_000;
/// A request's head must arrive within this.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// An idle connection is kept this long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// The first poll may take longer than later ones: it reads the whole projection.
const FIRST_POLL: Duration = Duration::from_mins(1);

/// Why the program did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Database.
    #[error("database")]
    Db(#[from] DbErr),
    /// Master key.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Keys of the inbox.
    #[error(transparent)]
    Inbox(#[from] SealedError),
    /// Signing keys.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Catalogue.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// Redis address.
    #[error("redis.url")]
    Redis(#[from] redis::RedisError),
    /// An address is taken, or may not be used.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The server itself.
    #[error("server")]
    Server(#[from] io::Error),
    /// The public projection could not be read.
    #[error("the public projection could not be read: {0}")]
    Projection(String),
}

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
    /// The standards.
    pub catalogue: Catalogue,
    /// Redis, or none.
    pub redis: RedisTier,
    /// What is printed into codes.
    pub base_url: String,
    /// Leaving soon: readiness fails.
    pub draining: Draining,
}

/// A running program.
pub struct Application {
    /// What the internal listener works with; demo and tests use it too.
    pub state: Data<Internal>,
    /// What the public listener works with.
    pub resolver: Data<Resolver>,
    /// Where the public listener puts what consumers tell.
    pub slot: Data<Slot>,
    /// What its forms for complaints and feedback work with.
    pub desk: Data<Desk>,
    /// Bound address of the consumers' listener.
    pub public_addr: SocketAddr,
    /// Bound address of the internal listener.
    pub internal_addr: SocketAddr,
    listeners: Option<(TcpListener, TcpListener)>,
    tasks: Vec<JoinHandle<()>>,
    _lock: FileLock,
}

impl Application {
    /// Opens everything and binds both listeners; requests are served once [`run`] is called.
    ///
    /// [`run`]: Application::run
    pub async fn build(
        mut settings: Settings,
        clock: Clock,
        sealer: Sealer,
    ) -> Result<Application, StartError> {
        telemetry::start_metrics();
        let url = db::url(&settings);
        let lock = Db::lock(&url)?;
        let db = Db::open(&url, &settings.database).await?;
        db.migrate().await?;
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
        let redis = RedisTier::open(&settings.redis)?;
        let folder = Some(settings.catalogue.folder.as_str()).filter(|folder| !folder.is_empty());
        let catalogue = Catalogue::with_folder(folder.map(Path::new))?;

        let bind = |addr: SocketAddr| {
            let listener = TcpListener::bind(addr).map_err(|e| StartError::Listen(addr, e))?;
            let bound = listener
                .local_addr()
                .map_err(|e| StartError::Listen(addr, e))?;
            Ok::<_, StartError>((listener, bound))
        };
        let (public, public_addr) = bind(settings.public.listen)?;
        let (internal, internal_addr) = bind(settings.internal.listen)?;
        settings.public.listen = public_addr;
        settings.internal.listen = internal_addr;

        let draining = Draining::default();
        let query_log = Arc::new(QueryLog::new(settings.queries.buffer));
        let resolver = Data::new(Resolver {
            world: ArcSwap::from_pointee(World::default()),
            lease: Lease::new(&settings.freshness),
            views: Views::new(settings.cache.bytes, redis.clone()),
            counts: Counts::new(redis.clone(), clock.clone()),
            log: query_log.clone(),
            db: Db::open(&url, &settings.database).await?,
            clock: clock.clone(),
            draining: draining.clone(),
        });
        let slot = Data::new(Slot::new(
            resolver.db.clone(),
            clock.clone(),
            settings.inbox.per_second,
        ));
        let desk = Data::new(Desk {
            db: resolver.db.clone(),
            slot: slot.clone().into_inner(),
            catalogue: catalogue.clone(),
            clock: clock.clone(),
            keep_days: settings.voices.keep_days,
        });
        let feed = Feed::open(url, &settings, sealer.clone()).await?;
        // The first poll fills the world; only then is anything vouched for.
        tokio::time::timeout(FIRST_POLL, feed.poll(&resolver))
            .await
            .map_err(|_| StartError::Projection("no answer within a minute".into()))?
            .map_err(|error| StartError::Projection(error.to_string()))?;

        resolver.counts.refresh(&db).await?;

        let every = Duration::from_millis;
        let (counted, just_counted) = mpsc::channel(64);
        let mut tasks = vec![
            tokio::spawn(pass_on(log.news(), feed.wake())),
            tokio::spawn(log.clone().tidy_for_ever()),
            tokio::spawn(queries::note::follow_salts(
                db.clone(),
                query_log.clone(),
                clock.clone(),
                every(settings.queries.refresh_ms),
            )),
            tokio::spawn(queries::note::write_for_ever(
                db.clone(),
                query_log,
                every(settings.queries.flush_ms),
            )),
            tokio::spawn(queries::fold::fold_for_ever(
                db.clone(),
                clock.clone(),
                every(settings.queries.fold_ms),
                counted,
            )),
            tokio::spawn(suspicions::job::run(
                db.clone(),
                log.clone(),
                clock.clone(),
                settings.suspicion,
                just_counted,
            )),
            // Who takes what consumers tell, by kind of message.
            tokio::spawn(inbox::take_for_ever(
                db.clone(),
                log.clone(),
                clock.clone(),
                vec![Arc::new(Voices {
                    keep_days: settings.voices.keep_days,
                })],
            )),
            tokio::spawn(voices::forget_for_ever(
                db.clone(),
                log.clone(),
                clock.clone(),
            )),
            tokio::spawn(counts::run(
                resolver.clone().into_inner(),
                every(settings.queries.refresh_ms),
            )),
        ];
        if redis.is_configured() {
            let installation = log.installation();
            tasks.push(tokio::spawn(redis_tier::announce(
                redis.clone(),
                installation,
                log.news(),
            )));
            tasks.push(tokio::spawn(redis_tier::follow(
                settings.redis.clone(),
                installation,
                feed.wake(),
            )));
        }
        tasks.push(tokio::spawn(feed.run(resolver.clone().into_inner())));

        let state = Data::new(Internal {
            base_url: settings.base_url(),
            catalogue,
            settings,
            db,
            log,
            clock,
            sealer,
            seals,
            tokens,
            redis,
            draining,
        });
        Ok(Application {
            state,
            resolver,
            slot,
            desk,
            public_addr,
            internal_addr,
            listeners: Some((public, internal)),
            tasks,
            _lock: lock,
        })
    }

    /// Serves until a signal comes, then drains: readiness fails first, then listeners close, then
    /// open requests may finish.
    pub async fn run(mut self) -> Result<(), StartError> {
        let (public, internal) = self.serve()?;
        wait_for_signal().await;
        let drain = self.state.settings.drain;
        tracing::info!("draining");
        self.state.draining.begin();
        tokio::time::sleep(Duration::from_millis(drain.lame_duck_ms)).await;
        // A second signal ends it at once.
        tokio::select! {
            () = async { tokio::join!(public.stop(true), internal.stop(true)); } => {}
            () = wait_for_signal() => {}
        }
        self.finish().await;
        Ok(())
    }

    /// Starts both servers.
    pub fn serve(&mut self) -> Result<(ServerHandle, ServerHandle), StartError> {
        let (public, internal) = self
            .listeners
            .take()
            .ok_or_else(|| io::Error::other("served already"))?;
        let settings = &self.state.settings;
        let workers = |wanted: usize| match wanted {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            some => some,
        };
        let resolver = self.resolver.clone();
        let (slot, desk) = (self.slot.clone(), self.desk.clone());
        let public = HttpServer::new(move || {
            App::new()
                .app_data(resolver.clone())
                .app_data(slot.clone())
                .app_data(desk.clone())
                .app_data(resolver.draining.clone())
                .wrap(from_fn(http::finish_public))
                .configure(routes::public)
        })
        .workers(workers(settings.public.workers))
        .max_connections(CONNECTIONS_MAX)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(settings.drain.timeout_s)
        .disable_signals()
        .listen(public)?
        .run();
        let state = self.state.clone();
        let internal = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .app_data(state.draining.clone())
                .wrap(from_fn(http::finish_internal))
                .configure(routes::internal)
        })
        .workers(workers(settings.internal.workers))
        .max_connections(CONNECTIONS_MAX)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(settings.drain.timeout_s)
        .disable_signals()
        .listen(internal)?
        .run();
        let handles = (public.handle(), internal.handle());
        for server in [public, internal] {
            self.tasks.push(tokio::spawn(async move {
                if let Err(error) = server.await {
                    tracing::error!(%error, "a listener failed");
                }
            }));
        }
        Ok(handles)
    }

    /// Ends background work.
    pub async fn finish(self) {
        // What was noted in the last moments is written before the writer goes.
        tokio::time::sleep(Duration::from_millis(
            2 * self.state.settings.queries.flush_ms,
        ))
        .await;
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A commit in this process wakes its own feed.
async fn pass_on(news: Arc<Notify>, wake: Arc<Notify>) {
    loop {
        news.notified().await;
        wake.notify_one();
    }
}

/// The master key: from the settings, or in development a file made once.
pub fn sealer(settings: &Settings) -> Result<Sealer, StartError> {
    let security = &settings.security;
    if !security.master_key_file.is_empty() {
        let path = Path::new(&security.master_key_file);
        let text = std::fs::read_to_string(path).map_err(SealError::from)?;
        return Ok(Sealer::from_base64(&text)?);
    }
    if !security.master_key.expose().is_empty() {
        return Ok(Sealer::from_base64(security.master_key.expose())?);
    }
    if settings.mode == Mode::Production {
        return Err(SealError::Malformed.into());
    }
    Ok(Sealer::from_file_or_new(
        &settings.data_dir.join("master.key"),
    )?)
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
