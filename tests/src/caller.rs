//! Someone who makes requests: paths go out exactly as written, nothing is followed or retried.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
pub use hyper::Method;
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A client of one listener.
pub struct Caller {
    base: String,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("not JSON ({e}), status {}: {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The first header of that name; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }

    /// The stable code of a problem.
    pub fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text()
        );
        let body = self.json();
        assert_eq!(body["status"], self.status, "{body}");
        assert!(
            !body["request_id"].as_str().unwrap_or("").is_empty(),
            "{body}"
        );
        body["code"].as_str().unwrap_or("").to_owned()
    }
}

/// Why no whole answer came.
#[derive(Debug)]
pub enum NoAnswer {
    /// There was no connection: nothing was sent.
    Unreached(String),
    /// It ended: what was sent may have arrived.
    Cut(String),
}

/// Works a connection while its exchange goes on, and ends with it.
struct Driver(tokio::task::JoinHandle<hyper::Result<()>>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Caller {
    /// Calls `base`, signed in with `token` if there is one.
    pub fn new(base: &str, token: Option<String>) -> Caller {
        Caller {
            base: base.to_owned(),
            token,
        }
    }

    /// The token it signs requests with.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// One request over a connection of its own. `path` may be a whole URL printed on a product.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let exchange = self.try_send(method, path, headers, body);
        let answer = tokio::time::timeout(TIMEOUT, exchange).await;
        answer
            .expect("an answer in time")
            .unwrap_or_else(|why| panic!("no answer: {why:?}"))
    }

    /// The same of a server that may be gone or go meanwhile: why no whole answer came.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, NoAnswer> {
        let path = path.strip_prefix(&self.base).unwrap_or(path);
        let host = self.base.strip_prefix("http://").expect("an http address");
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .expect("a request");
        let cut = |error: hyper::Error| NoAnswer::Cut(error.to_string());
        let stream = TcpStream::connect(host).await;
        let stream = stream.map_err(|error| NoAnswer::Unreached(error.to_string()))?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(cut)?;
        let driver = Driver(tokio::spawn(connection));
        let response = sender.send_request(request).await.map_err(cut)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(cut)?.to_bytes();
        let body = body.to_vec();
        drop(driver);
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head
                .headers
                .iter()
                .map(|(n, v)| {
                    (
                        n.to_string(),
                        String::from_utf8_lossy(v.as_bytes()).into_owned(),
                    )
                })
                .collect(),
            body,
        })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// GET with headers.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, Vec::new()).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body).await
    }

    /// POST of JSON with headers, e.g. `Idempotency-Key`.
    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(Method::POST, path, &all, body.to_string().into_bytes())
            .await
    }

    /// The JSON view of a scan, as a program asks for it.
    pub async fn scan(&self, url: &str) -> Answer {
        self.get_with(url, &[("accept", "application/json")]).await
    }

    /// The page of a scan, as a phone asks for it.
    pub async fn page(&self, url: &str) -> Answer {
        let browser = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Mobile";
        let headers = [("accept", "text/html,*/*;q=0.8"), ("user-agent", browser)];
        self.get_with(url, &headers).await
    }
}

/// A text as one part of a path.
pub fn encoded(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}
