//! The door of the public listener: who is asking, for what, and may they come in. Reads the
//! request; what is allowed is decided in `limits`.

use crate::{
    limits::{
        Class, Limits, Refusal, Why,
        buckets::Wait,
        client::{Client, Proxies},
        load::{Load, Turn},
    },
    problem::{Problem, ProblemCode},
};
use actix_web::{
    HttpRequest,
    http::{
        Method,
        header::{HeaderName, InvalidHeaderName},
    },
};
use std::{
    cell::Cell,
    net::{IpAddr, Ipv4Addr},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use suyuan_sync::trace_code::TraceCode;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whom to believe about who is asking.
#[derive(Clone)]
pub struct Witnesses {
    /// Proxies in front.
    pub proxies: Arc<Proxies>,
    /// The header in which they name a region.
    pub region: Option<HeaderName>,
}

impl Witnesses {
    /// From settings; `region` is empty or a header's name.
    pub fn new(proxies: Proxies, region: &str) -> Result<Witnesses, InvalidHeaderName> {
        let region = Some(region).filter(|name| !name.is_empty());
        Ok(Witnesses {
            proxies: Arc::new(proxies),
            region: region.map(str::parse).transpose()?,
        })
    }

    /// Who is asking.
    pub fn client<'a>(&self, request: &'a HttpRequest) -> Client<'a> {
        let peer = request
            .peer_addr()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        // Nearly nobody is one of them: then there is nothing to look for.
        if !self.proxies.trust(peer) {
            return Client {
                address: peer.to_canonical(),
                region: None,
            };
        }
        // A line that is not text cannot be read, so the list ends there.
        let lines = request.headers().get_all(&FORWARDED_FOR);
        let lines = lines.map(|line| line.to_str().unwrap_or_default());
        let region = self.region.as_ref();
        let region = region.and_then(|name| request.headers().get(name));
        let region = region.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        self.proxies.client(peer, lines, region)
    }
}

/// One worker's door.
pub struct Door {
    limits: Arc<Limits>,
    witnesses: Witnesses,
    load: Rc<Load>,
    held: Cell<usize>,
}

/// What a caller is told who may not come in.
pub struct Refused {
    /// Why, and when to come back.
    pub refusal: Refusal,
    /// Held back this long; `None`: answered at once, and the connection closed.
    pub held: Option<Held>,
}

/// A refusal that is held back.
pub struct Held {
    door: Rc<Door>,
    time: Duration,
}

impl Held {
    /// Waits until it may be said.
    pub async fn over(self) {
        tokio::time::sleep(self.time).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.door.held.set(self.door.held.get() - 1);
    }
}

impl Door {
    /// A door for the worker this is called on, with a heartbeat.
    pub fn open(limits: Arc<Limits>, witnesses: Witnesses) -> Rc<Door> {
        let load = Rc::new(Load::new(limits.settings(), Instant::now()));
        actix_web::rt::spawn(Load::beat(Rc::downgrade(&load)));
        Rc::new(Door {
            limits,
            witnesses,
            load,
            held: Cell::new(0),
        })
    }

    /// The door of the worker that answers this request.
    pub fn of(request: &HttpRequest) -> Option<&Rc<Door>> {
        request.app_data::<Rc<Door>>()
    }

    /// Who is asking.
    pub fn client<'a>(&self, request: &'a HttpRequest) -> Client<'a> {
        self.witnesses.client(request)
    }

    /// May this request come in? Whoever asks too much is told so before the load is looked at, so
    /// that a flood from few addresses does not count as load.
    pub fn enter(self: &Rc<Door>, request: &HttpRequest) -> Result<Option<Turn>, Refused> {
        if !self.limits.settings().enabled {
            return Ok(None);
        }
        let class = class_of(request.method(), request.path());
        let address = self.client(request).address;
        if let Err(refusal) = self.limits.ask(address, class) {
            warn_of_proxy(request);
            return Err(self.refuse(refusal));
        }
        let turn = self.load.enter(class, Instant::now());
        turn.map(Some).ok_or_else(|| {
            let second = Wait(Duration::from_secs(1));
            self.refuse(Refusal::new(Why::Load, second))
        })
    }

    /// May this caller ask for this code once more?
    pub fn ask_code(&self, request: &HttpRequest, code: &TraceCode) -> Result<(), Problem> {
        if !self.limits.settings().enabled {
            return Ok(());
        }
        let address = self.client(request).address;
        self.limits.ask_code(code, address).map_err(Problem::from)
    }

    /// This caller asked about a code that nobody ever issued.
    pub fn note_missed(&self, request: &HttpRequest) {
        if !self.limits.settings().enabled {
            return;
        }
        self.limits.note_missed(self.client(request).address);
    }

    fn refuse(self: &Rc<Door>, refusal: Refusal) -> Refused {
        let settings = self.limits.settings();
        let held = (self.held.get() < settings.refusals_held).then(|| {
            self.held.set(self.held.get() + 1);
            Held {
                door: self.clone(),
                time: settings.refusal(),
            }
        });
        Refused { refusal, held }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let code = match refusal.why {
            Why::Load => ProblemCode::Overloaded,
            Why::Rate | Why::Missed | Why::Code => ProblemCode::TooManyRequests,
        };
        let mut problem = Problem::new(code);
        let seconds = refusal.wait.0.as_secs_f64().ceil().clamp(1.0, 3600.0);
        problem.retry_after_s = Some(seconds as u32);
        problem
    }
}

/// What a request costs, by its address.
fn class_of(method: &Method, path: &str) -> Class {
    match path {
        "/livez" | "/readyz" => Class::Probe,
        "/q/photo" => Class::Photo,
        "/q" | "/v1/public/lookups" => Class::Typed,
        _ if method == Method::POST => Class::Form,
        _ => Class::Scan,
    }
}

/// A proxy nobody told us of makes all consumers one. Said once.
fn warn_of_proxy(request: &HttpRequest) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    let named = request.headers().contains_key(&FORWARDED_FOR);
    let door = Door::of(request);
    let peer = request.peer_addr().map(|peer| peer.ip());
    let trusted = door.zip(peer);
    let trusted = trusted.is_some_and(|(door, peer)| door.witnesses.proxies.trust(peer));
    if named && !trusted && !TOLD.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            "requests with X-Forwarded-For are being refused; if they come from a proxy of yours, \
             name it in public.trusted_proxies"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{http::header::HeaderValue, test::TestRequest};

    #[test]
    fn what_a_request_costs_follows_from_its_address() {
        for (method, path, class) in [
            (Method::GET, "/01/09521234000013/21/A", Class::Scan),
            (Method::HEAD, "/p/01/09521234000013", Class::Scan),
            (Method::GET, "/files/x", Class::Scan),
            (Method::GET, "/q", Class::Typed),
            (Method::POST, "/v1/public/lookups", Class::Typed),
            (Method::POST, "/q/photo", Class::Photo),
            (Method::POST, "/v1/public/complaints", Class::Form),
            (Method::OPTIONS, "/01/09521234000013", Class::Scan),
            (Method::GET, "/livez", Class::Probe),
        ] {
            assert_eq!(class_of(&method, path), class, "{method} {path}");
        }
    }

    #[test]
    fn headers_are_read_only_from_a_trusted_peer() {
        let proxies = Proxies::try_from("127.0.0.1".to_owned()).unwrap();
        let witnesses = Witnesses::new(proxies, "x-region").unwrap();
        let request = |peer: &str| {
            TestRequest::default()
                .peer_addr(peer.parse().unwrap())
                .append_header(("x-forwarded-for", "1.1.1.1"))
                .append_header(("x-forwarded-for", "192.0.2.1"))
                .append_header(("forwarded", "for=198.51.100.1"))
                .append_header(("x-region", "CN-31"))
                .to_http_request()
        };
        let (ours, theirs) = (request("127.0.0.1:1"), request("203.0.113.1:1"));
        let client = witnesses.client(&ours);
        assert_eq!(client.address.to_string(), "192.0.2.1");
        assert_eq!(client.region, Some("CN-31"));
        let client = witnesses.client(&theirs);
        assert_eq!(client.address.to_string(), "203.0.113.1");
        assert_eq!(client.region, None);
        let not_text = HeaderValue::from_bytes(b"192.0.2.\xff").unwrap();
        let request = TestRequest::default()
            .peer_addr("127.0.0.1:1".parse().unwrap())
            .append_header(("x-forwarded-for", not_text))
            .to_http_request();
        assert_eq!(witnesses.client(&request).address.to_string(), "127.0.0.1");
    }
}
