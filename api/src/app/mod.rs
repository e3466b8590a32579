//! Puts the parts together and runs them. There are two: the public part answers consumers, the
//! internal part is everything else, jobs included. Neither knows the other; `suyuan public` and
//! `suyuan internal` run one of them, `suyuan serve` runs both in one process.

mod background;
mod internal;
mod listener;
mod public;
mod secure;

pub use internal::{Internal, InternalPart};
pub use listener::{Bound, wait_for_signal};
pub use public::PublicPart;

use crate::{
    accounts::token::TokenError,
    app_links::LinkError,
    catalogue::CatalogueError,
    clock::Clock,
    codes::{SpaceError, ring::Opener},
    config::{Drain, Mode, Secret, Settings, SettingsError},
    db::OpenError,
    handheld::keys::KeyError,
    http::Draining,
    inbox::SealedError,
    limits::Limits,
    resolver::Resolver,
    sealing::{ReaderKey, SealError, Sealer},
    telemetry,
    tls::TlsError,
};
use actix_web::{dev::ServerHandle, http::header::InvalidHeaderName, web::Data};
use sea_orm::DbErr;
use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::{sync::Notify, task::JoinHandle};
use zeroize::Zeroizing;

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
    /// The brand's app.
    #[error(transparent)]
    AppLinks(#[from] LinkError),
    /// Signing keys.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Keys that sign receipts and lists.
    #[error(transparent)]
    ListKeys(#[from] KeyError),
    /// Issue keys.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// Catalogue.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// Redis address.
    #[error("redis.url")]
    Redis(#[from] redis::RedisError),
    /// An address is taken, or may not be used.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// `public.region_header` is no header's name.
    #[error("public.region_header")]
    RegionHeader(#[from] InvalidHeaderName),
    /// Certificate or key of the internal listener.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server itself.
    #[error("server")]
    Server(#[from] io::Error),
    /// The public projection could not be read.
    #[error("the public projection could not be read: {0}")]
    Projection(String),
}

/// Both parts in one process.
pub struct Application {
    /// What the internal listener works with; demo and tests use it too.
    pub state: Data<Internal>,
    /// What the public listener works with.
    pub resolver: Data<Resolver>,
    /// How much one caller may ask for.
    pub limits: Arc<Limits>,
    /// Bound address of the consumers' listener.
    pub public_addr: SocketAddr,
    /// Bound address of the internal listener.
    pub internal_addr: SocketAddr,
    public: PublicPart,
    internal: InternalPart,
    between: JoinHandle<()>,
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
        let public = Bound::to(settings.public.listen)?;
        let internal = Bound::to(settings.internal.listen)?;
        settings.public.listen = public.addr;
        settings.internal.listen = internal.addr;
        let draining = Draining::default();
        let (public_addr, internal_addr) = (public.addr, internal.addr);
        // The internal part first: it makes the schema the public part reads. In a box: this future
        // stands inside those of whole stories.
        let internal = Box::pin(InternalPart::open(
            settings.clone(),
            internal,
            clock.clone(),
            sealer.clone(),
            draining.clone(),
        ))
        .await?;
        let opener = Opener::Master(sealer);
        let public = PublicPart::open(&settings, public, clock, opener, draining).await?;
        let between = tokio::spawn(pass_on(internal.news(), public.wake()));
        Ok(Application {
            state: internal.state.clone(),
            resolver: public.resolver.clone(),
            limits: public.limits.clone(),
            public_addr,
            internal_addr,
            public,
            internal,
            between,
        })
    }

    /// Serves until a signal comes, then drains: readiness fails first, then listeners close, then
    /// open requests may finish.
    pub async fn run(mut self) -> Result<(), StartError> {
        let (public, internal) = self.serve()?;
        let (drain, draining) = (self.state.settings.drain, self.state.draining.clone());
        until_told_to_leave(drain, &draining, &[public, internal]).await;
        self.finish().await;
        Ok(())
    }

    /// Starts both servers.
    pub fn serve(&mut self) -> Result<(ServerHandle, ServerHandle), StartError> {
        Ok((self.public.serve()?, self.internal.serve()?))
    }

    /// Ends background work.
    pub async fn finish(self) {
        self.between.abort();
        self.public.finish().await;
        self.internal.finish();
    }
}

/// Waits for a signal, then drains these servers.
pub async fn until_told_to_leave(drain: Drain, draining: &Draining, servers: &[ServerHandle]) {
    wait_for_signal().await;
    tracing::info!("draining");
    draining.begin();
    tokio::time::sleep(Duration::from_millis(drain.lame_duck_ms)).await;
    let stopped = servers.iter().map(|server| server.stop(true));
    // A second signal ends it at once.
    tokio::select! {
        _ = futures_util::future::join_all(stopped) => {}
        () = wait_for_signal() => {}
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
    sealer_or(settings, Sealer::from_file_or_new)
}

/// The master key as [`sealer`] finds it, for a command beside a server: it makes none.
pub fn sealer_made(settings: &Settings) -> Result<Sealer, StartError> {
    sealer_or(settings, Sealer::from_file)
}

fn sealer_or(
    settings: &Settings,
    from_file: fn(&Path) -> Result<Sealer, SealError>,
) -> Result<Sealer, StartError> {
    let security = &settings.security;
    if let Some(text) = given(&security.master_key, &security.master_key_file)? {
        return Ok(Sealer::from_base64(&text)?);
    }
    if settings.mode == Mode::Production {
        return Err(SealError::Malformed.into());
    }
    Ok(from_file(&settings.data_dir.join("master.key"))?)
}

/// What a process opens issue keys with that answers consumers alone: the reader key, or in
/// development the master key.
pub fn opener(settings: &Settings) -> Result<Opener, StartError> {
    let security = &settings.security;
    match given(&security.reader_key, &security.reader_key_file)? {
        Some(text) => Ok(Opener::Reader(ReaderKey::from_base64(&text)?)),
        None => Ok(Opener::Master(sealer(settings)?)),
    }
}

/// A key from its file, which wins, or from the settings.
fn given(key: &Secret, file: &str) -> Result<Option<Zeroizing<String>>, StartError> {
    if !file.is_empty() {
        let text = std::fs::read_to_string(file).map_err(SealError::from)?;
        return Ok(Some(Zeroizing::new(text)));
    }
    let text = key.expose();
    Ok((!text.is_empty()).then(|| Zeroizing::new(text.to_owned())))
}
