//! One keep-alive connection with one request in flight, written by hand so that the driver costs
//! less than what it drives, and every answer is read to its last byte before the next request.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    LoadError,
    http::{Decoder, HEAD_MAX, Progress, WireError},
    target::Target,
};

/// A connection that is not there by then will not come.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Bodies of single calls beyond this are refused; streams are not held in memory.
const BODY_MAX: usize = 8 * 1024 * 1024;

/// An open connection to a [`Target`].
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Connection {
    /// Connects, with small writes sent at once.
    pub async fn open(target: &Target) -> Result<Self, LoadError> {
        let what = || format!("connecting to {}", target.addr());
        let stream = timeout(CONNECT_LIMIT, TcpStream::connect(target.addr()))
            .await
            .map_err(|_| LoadError::TimedOut {
                what: what(),
                limit: CONNECT_LIMIT,
            })?
            .map_err(LoadError::io(what()))?;
        stream.set_nodelay(true).map_err(LoadError::io(what()))?;
        Ok(Self {
            stream,
            buffer: vec![0; 2 * HEAD_MAX],
            start: 0,
            end: 0,
        })
    }

    /// Sends `request` and reads the whole answer; the body goes to `body` part by part.
    pub async fn exchange(
        &mut self,
        request: &[u8],
        decoder: &mut Decoder,
        body: impl FnMut(&[u8]),
    ) -> Result<(), LoadError> {
        self.exchange_while(request, decoder, body, || true).await
    }

    /// As [`Connection::exchange`], but gives up reading once `wanted` says no. The connection is
    /// of no use afterwards.
    pub async fn exchange_while(
        &mut self,
        request: &[u8],
        decoder: &mut Decoder,
        mut body: impl FnMut(&[u8]),
        wanted: impl Fn() -> bool,
    ) -> Result<(), LoadError> {
        self.stream
            .write_all(request)
            .await
            .map_err(LoadError::io("sending a request"))?;
        while wanted() {
            if self.end == self.buffer.len() {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            let read = self
                .stream
                .read(&mut self.buffer[self.end..])
                .await
                .map_err(LoadError::io("reading an answer"))?;
            if read == 0 {
                return Err(wire(WireError::Truncated));
            }
            self.end += read;
            let unread = &self.buffer[self.start..self.end];
            let (used, progress) = decoder.step(unread, &mut body).map_err(wire)?;
            self.start += used;
            if self.start == self.end {
                (self.start, self.end) = (0, 0);
            }
            if progress == Progress::Done {
                if self.start != self.end {
                    return Err(wire(WireError::Surplus));
                }
                return Ok(());
            }
        }
        Ok(())
    }
}

fn wire(source: WireError) -> LoadError {
    LoadError::Wire {
        what: "reading an answer".to_owned(),
        source,
    }
}

/// A request as bytes.
pub fn request(
    target: &Target,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Vec<u8> {
    let mut out = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\n",
        target.authority()
    );
    for (name, value) in headers {
        out.push_str(name);
        out.push_str(": ");
        out.push_str(value);
        out.push_str("\r\n");
    }
    if let Some(body) = body {
        out.push_str("Content-Type: application/json\r\nContent-Length: ");
        out.push_str(&body.len().to_string());
        out.push_str("\r\n");
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(body.unwrap_or_default());
    out
}

/// The answer to a single call.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Fails unless the status is 2xx.
    pub fn succeeded(self, what: &str) -> Result<Self, LoadError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let text = String::from_utf8_lossy(&self.body);
        Err(LoadError::Status {
            what: what.to_owned(),
            status: self.status,
            body: text.chars().take(300).collect(),
        })
    }
}

/// One call on a connection of its own, within `limit`.
pub async fn call(target: &Target, request: &[u8], limit: Duration) -> Result<Reply, LoadError> {
    let whole = async {
        let mut connection = Connection::open(target).await?;
        let mut decoder = Decoder::keeping_head();
        let (mut body, held) = (Vec::new(), std::cell::Cell::new(0));
        connection
            .exchange_while(
                request,
                &mut decoder,
                |part| {
                    body.extend_from_slice(part);
                    held.set(body.len());
                },
                || held.get() <= BODY_MAX,
            )
            .await?;
        if body.len() > BODY_MAX {
            let what = "an answer larger than a single call may bring";
            return Err(LoadError::Unusable(what.to_owned()));
        }
        Ok(Reply {
            status: decoder.status(),
            headers: decoder.headers(),
            body,
        })
    };
    timeout(limit, whole)
        .await
        .map_err(|_| LoadError::TimedOut {
            what: "a call".to_owned(),
            limit,
        })?
}

/// GET with an `Accept` header.
pub async fn get(target: &Target, path: &str, accept: &str) -> Result<Reply, LoadError> {
    let bytes = request(target, "GET", path, &[("Accept", accept)], None);
    call(target, &bytes, Duration::from_secs(10)).await
}
