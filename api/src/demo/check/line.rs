//! One request over a connection of its own: enough of HTTP to ask the demo from outside.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An answer comes within this time, or none.
const PATIENCE: Duration = Duration::from_secs(5);

/// Status and body.
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Body.
    pub body: String,
}

/// GET with this `Accept`.
pub async fn get(url: &str, accept: &str) -> Result<Answer, String> {
    ask("GET", url, &format!("Accept: {accept}\r\n"), "").await
}

/// A request with these further header lines and this body.
pub async fn ask(method: &str, url: &str, head: &str, body: &str) -> Result<Answer, String> {
    let rest = url.strip_prefix("http://").ok_or("not http")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let exchange = async {
        let mut stream = TcpStream::connect(host).await?;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             User-Agent: suyuan-demo-monitor\r\nContent-Length: {length}\r\n{head}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = tokio::time::timeout(PATIENCE, exchange)
        .await
        .map_err(|_| "no answer in 5 s")?
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no head")?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .ok_or("no status")?;
    Ok(Answer {
        status,
        body: body.to_owned(),
    })
}
