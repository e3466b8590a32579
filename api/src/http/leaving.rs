//! An answer that is made while it is sent: each piece that its reader took shows that the connection
//! is of use, however long the whole takes. Knows bodies, not what they say.

use super::connections::Connection;
use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};
use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// The body as it leaves on this connection; one that is there whole stays as it is.
pub fn on(connection: Option<&Arc<Connection>>, body: BoxBody) -> BoxBody {
    match (connection, body.size()) {
        (Some(connection), BodySize::Stream) => BoxBody::new(Leaving {
            body,
            connection: connection.clone(),
        }),
        _ => body,
    }
}

struct Leaving {
    body: BoxBody,
    connection: Arc<Connection>,
}

impl MessageBody for Leaving {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Box<dyn Error>>>> {
        let piece = Pin::new(&mut self.body).poll_next(context);
        if piece.is_ready() {
            self.connection.moves();
        }
        piece
    }
}
