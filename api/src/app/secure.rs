//! The internal listener over TLS. What comes in plain HTTP is told so in a sentence, as people type
//! addresses without `https://`; a bare TLS server would drop them with no word. Knows no route.
//!
//! [`actix_web::HttpServer`] has no place before its handshake, so the same service is put together
//! here by hand, under the same terms.

use super::{
    StartError,
    listener::{Bound, CONNECTIONS_MAX, HEAD_TIMEOUT},
};
use crate::{
    clock::Clock,
    http::connections::Connections,
    problem::{Problem, ProblemCode},
    tls::{Identity, renewal::Renewal},
};
use actix_http::{HttpService, Request, TlsAcceptorConfig, error::DispatchError};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_tls::accept::TlsError;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{AppConfig, Response, Server, Service},
    rt::net::TcpStream,
};
use std::{
    any::Any,
    fmt, io,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

/// What a listener is run under.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Worker threads.
    pub workers: usize,
    /// How long a connection may stay open with nothing asked.
    pub idle: Duration,
    /// How long open requests may take when the process leaves.
    pub drain_s: u64,
}

/// With this every TLS connection begins: a record of the handshake (RFC 8446 5.1).
const HANDSHAKE: u8 = 0x16;
/// A handshake takes two trips.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// What a plain request is read for before its line is cut, so that the answer arrives.
const PATIENCE: Duration = Duration::from_secs(1);

/// Serves the app over TLS.
pub(super) fn serve<F, I, S, B>(
    app: F,
    bound: Bound,
    identity: Identity,
    terms: Terms,
    connections: Arc<Connections>,
) -> Result<Server, StartError>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let builder = Server::build()
        .workers(terms.workers)
        .max_concurrent_connections(CONNECTIONS_MAX)
        .shutdown_timeout(terms.drain_s)
        .disable_signals();
    // By the wall, as who calls judges it.
    tokio::spawn(Renewal::of(&identity).for_ever(Clock::system()));
    let leaving = builder.graceful_shutdown_signal();
    let builder = builder.listen("internal", bound.socket, move || {
        let (leaving, connections) = (leaving.clone(), connections.clone());
        let served = app().into_factory().map_err(|error| {
            let error: Error = error.into();
            error.error_response()
        });
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let leaving = leaving.clone();
                async move { leaving.notified().await }
            })
            .keep_alive(terms.idle)
            .client_request_timeout(HEAD_TIMEOUT)
            .secure()
            .local_addr(bound.addr)
            .on_connect_ext(move |io: &_, about: _| connections.arrive(io as &dyn Any, about))
            // No handler asks under which address it was called.
            .finish(map_config(served, |()| AppConfig::default()))
            .rustls_0_23_with_config(
                identity.config.clone(),
                TlsAcceptorConfig::default().handshake_timeout(HANDSHAKE_TIMEOUT),
            );
        fn_service(|line: TcpStream| async move {
            let line = with_handshake(line).await;
            line.map_err(TlsError::<io::Error, DispatchError>::Tls)
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}

/// A line on which a handshake begins. One on which somebody speaks plain HTTP is told so and ended.
async fn with_handshake(mut line: TcpStream) -> io::Result<TcpStream> {
    let mut first = [0];
    if timeout(HEAD_TIMEOUT, line.peek(&mut first)).await?? == 1 && first[0] == HANDSHAKE {
        return Ok(line);
    }
    let told = timeout(PATIENCE, tell(&mut line));
    told.await.unwrap_or(Ok(()))?;
    Err(io::Error::new(io::ErrorKind::InvalidData, "no TLS"))
}

async fn tell(line: &mut TcpStream) -> io::Result<()> {
    let problem = Problem::new(ProblemCode::TlsNeeded);
    let body = serde_json::to_string(&problem.body(""))?;
    let head = format!(
        "HTTP/1.1 {} Bad Request\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\nconnection: close\r\ncache-control: no-store\r\n\r\n",
        problem.code.status().as_u16(),
        body.len()
    );
    line.write_all(head.as_bytes()).await?;
    line.write_all(body.as_bytes()).await?;
    line.shutdown().await?;
    // A line that is cut with something unread loses what was just written to it.
    let mut rest = [0; 4096];
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until && line.read(&mut rest).await? > 0 {}
    Ok(())
}
