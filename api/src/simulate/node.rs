//! A server process without its sockets: the internal part with its real database, its real routes
//! and its real handlers, called in memory. Jobs that would run by themselves are run by whoever
//! simulates, at virtual times. Killing one drops everything it held in memory.

use super::SimulateError;
use crate::{
    app::Internal,
    clock::Clock,
    config::Settings,
    db::{self, Db, FileLock},
    handheld::anchor::ANCHOR_HEADER,
    http::{self, Draining},
    routes,
    sealing::Sealer,
};
use actix_web::{
    App,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::Method,
    middleware::from_fn,
    test::{self, TestRequest},
    web::Data,
};
use futures_util::future::LocalBoxFuture;
use tokio::task::JoinHandle;

/// A call under way.
pub type Called = LocalBoxFuture<'static, Came>;

/// An answer: status and body, and the anchor in its header where that is no JSON.
pub type Came = (u16, Vec<u8>, Option<String>);

/// See the file's header.
pub struct Node {
    /// What its handlers work with.
    pub state: Data<Internal>,
    admitting: JoinHandle<()>,
    call: Box<dyn Fn(TestRequest) -> Called>,
    _lock: FileLock,
}

/// A request of a device.
pub struct Asked<'a> {
    /// GET or POST.
    pub method: Method,
    /// With its query.
    pub path: &'a str,
    /// What stands in `Authorization`.
    pub bearer: Option<&'a str>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Node {
    /// Starts it on this database.
    pub async fn start(
        settings: Settings,
        clock: Clock,
        sealer: Sealer,
    ) -> Result<Node, SimulateError> {
        let url = db::url(&settings);
        let lock = Db::lock(&url)?;
        let db = Db::open(&url, &settings.database).await?;
        db.migrate().await?;
        let (internal, admitting) =
            Internal::open(settings, db, clock, sealer, Draining::default()).await?;
        let state = Data::new(internal);
        let service = test::init_service(
            App::new()
                .app_data(state.clone())
                .app_data(state.draining.clone())
                .wrap(from_fn(http::finish_internal))
                .configure(routes::internal),
        )
        .await;
        let call = Box::new(move |request: TestRequest| -> Called {
            let answer = service.call(request.to_request());
            Box::pin(async move {
                match answer.await {
                    Ok(response) => read(response).await,
                    // A handler's word that became no answer: what a fault of ours would be.
                    Err(error) => (
                        error.as_response_error().status_code().as_u16(),
                        Vec::new(),
                        None,
                    ),
                }
            })
        });
        Ok(Node {
            state,
            admitting,
            call,
            _lock: lock,
        })
    }

    /// Calls a route: status and body.
    pub async fn call(&self, asked: Asked<'_>) -> (u16, Vec<u8>) {
        let (status, body, _) = self.begin(asked).await;
        (status, body)
    }

    /// Begins a call of a route, which goes on when what is returned is looked at.
    pub fn begin(&self, asked: Asked<'_>) -> Called {
        let mut request = TestRequest::with_uri(asked.path)
            .method(asked.method)
            .peer_addr(std::net::SocketAddr::from(([127, 0, 0, 1], 9)))
            .insert_header(("content-type", "application/json"))
            .set_payload(asked.body);
        if let Some(bearer) = asked.bearer {
            request = request.insert_header(("authorization", format!("Bearer {bearer}")));
        }
        (self.call)(request)
    }

    /// It dies: whatever it held in memory is gone, and what it was doing is undone.
    pub async fn die(self) {
        self.admitting.abort();
        let _ = self.admitting.await;
        let db = self.state.db.clone();
        drop(self.call);
        drop(self.state);
        db.close().await;
    }
}

async fn read(response: ServiceResponse<impl MessageBody>) -> Came {
    let status = response.status().as_u16();
    let anchor = response.headers().get(ANCHOR_HEADER);
    let anchor = anchor.and_then(|anchor| anchor.to_str().ok().map(str::to_owned));
    let body = actix_web::body::to_bytes(response.into_body()).await;
    let body = body.map(|body| body.to_vec()).unwrap_or_default();
    (status, body, anchor)
}
