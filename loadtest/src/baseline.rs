//! The bare handler that the scan figures are ratios to: actix-web, one worker, the same core, no
//! routing, no lookup, no log; it sends the very bytes and headers the service sent for a hot
//! code. What the service loses against it is what the service itself costs.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use actix_web::{
    App, HttpResponse, HttpServer,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    rt, web,
};
use bytes::Bytes;

use crate::{
    LoadError,
    client::{Reply, get},
    process::{Cores, Running, ScratchFolder},
    target::{Target, free_ports},
};

/// Headers the HTTP library writes by itself.
const WRITTEN_BY_THE_LIBRARY: [&str; 4] =
    ["connection", "content-length", "date", "transfer-encoding"];
/// Ready by then, or not at all.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// Any path will do: the handler does not look.
const ANY_PATH: &str = "/baseline";

/// Flags of `suyuan-loadtest baseline`.
#[derive(Debug, clap::Args)]
pub struct BaselineArgs {
    /// Loopback address to listen on
    #[arg(long)]
    listen: SocketAddr,
    /// File with the body to send
    #[arg(long)]
    body_file: PathBuf,
    /// File with the headers to send, `name: value` on each line
    #[arg(long)]
    headers_file: PathBuf,
    /// Ends by itself after so many seconds
    #[arg(long, default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    max_seconds: u64,
}

struct Answer {
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

/// Serves until killed or out of time.
pub fn serve(args: &BaselineArgs) -> Result<(), LoadError> {
    if !args.listen.ip().is_loopback() {
        return Err(LoadError::NotLoopback(args.listen.to_string()));
    }
    let read =
        |path: &Path| fs::read(path).map_err(LoadError::io(format!("reading {}", path.display())));
    let answer = web::Data::new(Answer {
        headers: parse_headers(&read(&args.headers_file)?)?,
        body: read(&args.body_file)?.into(),
    });
    let what = format!("serving on {}", args.listen);
    rt::System::new().block_on(async {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(answer.clone())
                .default_service(web::to(send))
        })
        .workers(1)
        .bind(args.listen)
        .map_err(LoadError::io(what.clone()))?
        .run();
        println!("listening on {}", args.listen);
        let limit = Duration::from_secs(args.max_seconds);
        match tokio::time::timeout(limit, server).await {
            Ok(ended) => ended.map_err(LoadError::io(what)),
            Err(_) => Ok(()),
        }
    })
}

async fn send(answer: web::Data<Answer>) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::OK);
    for (name, value) in &answer.headers {
        response.headers_mut().append(name.clone(), value.clone());
    }
    response.set_body(actix_web::body::BoxBody::new(answer.body.clone()))
}

fn parse_headers(text: &[u8]) -> Result<Vec<(HeaderName, HeaderValue)>, LoadError> {
    let unusable = |line: &str| LoadError::Unusable(format!("`{line}` is not a header"));
    String::from_utf8_lossy(text)
        .lines()
        .map(|line| {
            let (name, value) = line.split_once(':').ok_or_else(|| unusable(line))?;
            let name = name.trim().parse().map_err(|_| unusable(line))?;
            let value = value.trim().parse().map_err(|_| unusable(line))?;
            Ok((name, value))
        })
        .collect()
}

/// The bare handler as a child process; killed on drop.
#[derive(Debug)]
pub struct Baseline {
    process: Running,
    _folder: ScratchFolder,
    /// Where it listens.
    pub target: Target,
}

impl Baseline {
    /// Starts `program baseline` on the server core with the bytes of `like`, and makes sure that
    /// it sends just these.
    pub async fn start(program: &Path, cores: Cores, like: &Reply) -> Result<Self, LoadError> {
        if like.status != 200 {
            let what = format!("a baseline cannot be made of a {} answer", like.status);
            return Err(LoadError::Unusable(what));
        }
        let folder = ScratchFolder::new()?;
        let (body, headers) = (folder.path().join("body"), folder.path().join("headers"));
        let mut headers_text = String::new();
        for (name, value) in own_headers(like) {
            headers_text.extend([name.as_str(), ": ", value.as_str(), "\n"]);
        }
        let write = |path: &Path, bytes: &[u8]| {
            fs::write(path, bytes).map_err(LoadError::io("handing the answer to the baseline"))
        };
        write(&body, &like.body)?;
        write(&headers, headers_text.as_bytes())?;
        let [port] = free_ports()?;
        let target = Target::local(port);
        let mut process = Running::start(
            cores
                .on_server_core(program)
                .args(["baseline", "--listen", &target.addr().to_string()])
                .arg("--body-file")
                .arg(&body)
                .arg("--headers-file")
                .arg(&headers),
        )?;
        // Only the child itself can say that it, and not a stranger, has the port.
        if process.first_line(READY_LIMIT).await.is_none() {
            let what = format!("the baseline did not start on port {port}");
            return Err(LoadError::Unusable(what));
        }
        let sent = get(&target, ANY_PATH, "application/json").await?;
        if sent.body != like.body || own_headers(&sent) != own_headers(like) {
            let what = "the baseline does not send the bytes it was given";
            return Err(LoadError::Unusable(what.to_owned()));
        }
        Ok(Self {
            process,
            _folder: folder,
            target,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

/// Sorted, without what the HTTP library writes by itself.
pub(crate) fn own_headers(reply: &Reply) -> Vec<(String, String)> {
    let mut headers: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| !WRITTEN_BY_THE_LIBRARY.contains(&name.as_str()))
        .cloned()
        .collect();
    headers.sort();
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_files_are_read() {
        let headers = parse_headers(b"etag: \"a:b\"\nvary: Accept\n").unwrap();
        assert_eq!(headers.len(), 2);
        assert_eq!(headers[0].1, "\"a:b\"");
        assert!(parse_headers(b"no colon\n").is_err());
    }

    #[test]
    fn other_than_loopback_is_not_listened_on() {
        let args = BaselineArgs {
            listen: "0.0.0.0:18000".parse().unwrap(),
            body_file: PathBuf::new(),
            headers_file: PathBuf::new(),
            max_seconds: 1,
        };
        assert!(matches!(serve(&args), Err(LoadError::NotLoopback(_))));
    }
}
