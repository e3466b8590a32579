//! The public part: the resolver, the feed that keeps it fresh, the writer of the query log, the
//! counts, and the forms for complaints and feedback. It reads the public projection and writes the
//! query log and the inbox; it makes no schema, holds no
//! signing key, and has no route of the internal listener.

use super::{
    StartError,
    listener::{self, Bound, CONNECTIONS_MAX, HEAD_TIMEOUT},
};
use crate::{
    app_links::AppLinkFiles,
    catalogue::Catalogue,
    clock::Clock,
    codes::ring::Opener,
    config::Settings,
    db::{self, Line, Reader},
    http::{
        self, Draining,
        connections::{Bounds, Connections},
        door::{Door, Witnesses},
    },
    inbox::Slot,
    limits::{self, Limits},
    photo::readers::Readers,
    public_role,
    queries::{self, QueryLog},
    resolver::{
        Resolver,
        cache::Views,
        counts::{self, Counts},
        feed::Feed,
        lease::Lease,
        links::Site,
        redis_tier::{self, RedisTier},
        world::World,
    },
    routes,
    telemetry::in_full,
    voices::public::Desk,
    watches::handlers::WatchSlot,
};
use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, web::Data};
use arc_swap::ArcSwap;
use std::{
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinHandle};

/// The first poll may take longer than later ones: it reads the whole projection.
const FIRST_POLL: Duration = Duration::from_mins(1);

/// The public part, ready to be served.
pub struct PublicPart {
    /// What its handlers work with.
    pub resolver: Data<Resolver>,
    /// Where its handlers put what consumers tell.
    pub slot: Data<Slot>,
    /// The same for watches, with a rate of its own.
    pub watch_slot: Data<WatchSlot>,
    /// What the forms for complaints and feedback work with.
    pub desk: Data<Desk>,
    /// Which app opens printed codes.
    app_links: Data<AppLinkFiles>,
    /// How much one caller may ask for.
    pub limits: Arc<Limits>,
    bound: Option<Bound>,
    settings: Settings,
    wake: Arc<Notify>,
    tasks: Vec<JoinHandle<()>>,
}

impl PublicPart {
    /// Reads the projection and begins to follow it.
    pub async fn open(
        settings: &Settings,
        bound: Bound,
        clock: Clock,
        opener: Opener,
        draining: Draining,
    ) -> Result<PublicPart, StartError> {
        let url = db::url(settings);
        let redis = RedisTier::open(&settings.redis)?;
        let query_log = Arc::new(QueryLog::new(settings.queries.buffer));
        let resolver = Data::new(Resolver {
            world: ArcSwap::from_pointee(World::default()),
            lease: Lease::new(&settings.freshness, clock.clone()),
            views: Views::new(settings.cache.bytes, redis.clone()),
            counts: Counts::new(
                redis.clone(),
                clock.clone(),
                Duration::from_millis(settings.queries.wait_ms),
            ),
            log: query_log.clone(),
            db: Reader::open(&url, &settings.database).await?,
            profiles: settings.codes.profiles.clone(),
            clock,
            draining,
            site: Site {
                base_url: settings.base_url(),
                always_redirect: settings.public.always_redirect,
            },
        });
        // A connection of its own: a flood of messages must not hold up the query log.
        let inbox = Arc::new(Line::open(&url, &settings.database).await?);
        let slot = |per_second| {
            let (reader, clock) = (resolver.db.clone(), resolver.clock.clone());
            Slot::new(reader, inbox.clone(), clock, per_second)
        };
        let watch_slot = Data::new(WatchSlot(slot(settings.watches.per_second)));
        let slot = Data::new(slot(settings.inbox.per_second));
        let app_links = Data::new(AppLinkFiles::of(&settings.app_links)?);
        let key = opener.reader_key().derived_key("limits");
        let limits = Arc::new(Limits::new(settings.limits, &key));
        let feed = Feed::open(url.clone(), settings, opener).await?;
        // The first poll fills the world; only then is anything vouched for.
        fill(&feed, &resolver).await?;
        resolver.counts.refresh(&resolver.db).await?;

        let folder = Some(settings.catalogue.folder.as_str()).filter(|folder| !folder.is_empty());
        let desk = Data::new(Desk {
            db: resolver.db.clone(),
            slot: slot.clone().into_inner(),
            catalogue: Catalogue::with_folder(folder.map(Path::new))?,
            profiles: resolver.profiles.clone(),
            clock: resolver.clock.clone(),
            keep_days: settings.voices.keep_days,
        });

        let every = Duration::from_millis;
        let mut tasks = vec![
            tokio::spawn(queries::note::follow_salts(
                resolver.db.clone(),
                query_log.clone(),
                resolver.clock.clone(),
                every(settings.queries.refresh_ms),
            )),
            tokio::spawn(queries::note::write_for_ever(
                Line::open(&url, &settings.database).await?,
                query_log,
                every(settings.queries.flush_ms),
            )),
            tokio::spawn(counts::run(
                resolver.clone().into_inner(),
                every(settings.queries.refresh_ms),
            )),
        ];
        let wake = feed.wake();
        if redis.is_configured() {
            tasks.push(tokio::spawn(redis_tier::follow(
                settings.redis.clone(),
                resolver.world.load().installation,
                wake.clone(),
            )));
            if settings.limits.enabled {
                tasks.push(tokio::spawn(limits::share::run(
                    limits.clone(),
                    redis.clone(),
                    settings.redis.clone(),
                    resolver.world.load().installation,
                )));
            }
        }
        tasks.push(tokio::spawn(feed.run(resolver.clone().into_inner())));
        Ok(PublicPart {
            resolver,
            slot,
            watch_slot,
            desk,
            app_links,
            limits,
            bound: Some(bound),
            settings: settings.clone(),
            wake,
            tasks,
        })
    }

    /// Notify this when the log has moved: the feed polls at once.
    pub fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// Starts the consumers' listener.
    pub fn serve(&mut self) -> Result<ServerHandle, StartError> {
        let bound = self.bound.take();
        let bound = bound.ok_or_else(|| io::Error::other("served already"))?;
        let witnesses = Witnesses::new(
            self.settings.public.trusted_proxies.clone(),
            &self.settings.public.region_header,
        )?;
        let connections = Connections::new(Bounds {
            of_a_network: self.settings.limits.connections,
            requests: self.settings.limits.requests,
            stalled_s: self.settings.limits.stalled_s,
            proxies: witnesses.proxies.clone(),
        });
        self.tasks.push(tokio::spawn(connections.clone().watch()));
        let (slot, watch_slot) = (self.slot.clone(), self.watch_slot.clone());
        let app_links = self.app_links.clone();
        let readers = Data::new(Readers::new(&self.settings.photo));
        let resolver = self.resolver.clone();
        let limits = self.limits.clone();
        let desk = self.desk.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Door::open(limits.clone(), witnesses.clone()))
                .app_data(resolver.clone())
                .app_data(readers.clone())
                .app_data(slot.clone())
                .app_data(watch_slot.clone())
                .app_data(desk.clone())
                .app_data(app_links.clone())
                .app_data(resolver.draining.clone())
                .wrap(from_fn(http::finish_public))
                .configure(routes::public)
        })
        .workers(listener::workers(self.settings.public.workers))
        .max_connections(CONNECTIONS_MAX)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(Duration::from_secs(self.settings.limits.idle_s))
        .shutdown_timeout(self.settings.drain.timeout_s)
        .disable_signals()
        .on_connect(move |io, about| connections.arrive(io, about))
        .listen(bound.socket)?
        .run();
        let handle = server.handle();
        self.tasks.push(listener::spawn(server));
        Ok(handle)
    }

    /// Ends background work.
    pub async fn finish(self) {
        // What was noted in the last moments is written before the writer goes.
        tokio::time::sleep(Duration::from_millis(2 * self.settings.queries.flush_ms)).await;
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Fills the world. The internal process may still be making the schema, or wrapping keys for
/// readers: that is waited for. A key that does not open will not open later either.
async fn fill(feed: &Feed, resolver: &Resolver) -> Result<(), StartError> {
    let begun = Instant::now();
    loop {
        let missing = public_role::missing(&resolver.db).await?;
        let why = if missing.is_empty() {
            match tokio::time::timeout(FIRST_POLL, feed.poll(resolver)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if error.will_stay() => {
                    return Err(StartError::Projection(in_full(&error)));
                }
                Ok(Err(error)) => in_full(&error),
                Err(_) => "no answer within a minute".to_owned(),
            }
        } else {
            format!(
                "{} (run `suyuan migrate`, then `suyuan admin public-role`)",
                missing.join(", ")
            )
        };
        if begun.elapsed() >= FIRST_POLL {
            return Err(StartError::Projection(why));
        }
        tracing::warn!(why, "waiting for the public projection");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
