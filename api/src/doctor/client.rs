//! One request over a connection of its own: nothing is followed, nothing is kept, an answer is
//! bounded in time and size.

use super::address::Address;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest body that is read.
const BODY_MAX: usize = 4 * 1024 * 1024;

/// An answer as it came.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Is it HTTP 1.1 or newer?
    pub modern: bool,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// All headers of this name, joined as one.
    pub fn joined(&self, name: &str) -> String {
        let all = self.headers.iter().filter(|(known, _)| known == name);
        let values: Vec<&str> = all.map(|(_, value)| value.as_str()).collect();
        values.join(", ")
    }
}

/// What came of a request: an answer, or why there was none.
pub type Fetched = Result<Answer, String>;

/// Sends a request to the host of `address`.
pub async fn send(
    address: &Address,
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
) -> Fetched {
    let exchange = exchange(address, method, target, headers);
    match tokio::time::timeout(TIMEOUT, exchange).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer within 10 s".into()),
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(
    address: &Address,
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
) -> Result<Answer, AnyError> {
    let mut request = Request::builder()
        .method(method)
        .uri(if target.is_empty() { "/" } else { target })
        .header("host", &address.host)
        .header("user-agent", "suyuan-doctor (monitor)");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::<Bytes>::new())?;
    let (host, port) = host_and_port(address);
    let stream = TcpStream::connect((host, port)).await?;
    if !address.https {
        return talk(stream, request).await;
    }
    let name = ServerName::try_from(host.to_owned())?;
    let stream = connector()?.connect(name, stream).await?;
    talk(stream, request).await
}

/// The port of the scheme where none is given.
fn host_and_port(address: &Address) -> (&str, u16) {
    let port = if address.https { 443 } else { 80 };
    let given = address.host.rsplit_once(':');
    let given = given.and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = given.unwrap_or((&address.host, port));
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    (bare.unwrap_or(host), port)
}

/// TLS as a browser would do it: the certificate must be good under the public roots.
fn connector() -> Result<TlsConnector, AnyError> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
) -> Result<Answer, AnyError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, BODY_MAX)
        .collect()
        .await?
        .to_bytes()
        .to_vec();
    driver.abort();
    let header =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(Answer {
        status: head.status.as_u16(),
        modern: head.version >= hyper::Version::HTTP_11,
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), header(value)))
            .collect(),
        body,
    })
}
