//! The certificate the listener shows, which can be replaced while it serves: lines that are open
//! keep theirs, the next handshake gets the new one. Reads no file.

use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// What is shown now, and until when it holds.
#[derive(Debug)]
pub struct Shown(RwLock<(Arc<CertifiedKey>, i64)>);

impl Shown {
    /// This one, which holds until then (microseconds UTC).
    pub(super) fn new(key: CertifiedKey, until: i64) -> Shown {
        Shown(RwLock::new((Arc::new(key), until)))
    }

    /// Another one from now on.
    pub(super) fn replace(&self, key: CertifiedKey, until: i64) {
        // Both halves are written at once: a writer that died left a whole pair.
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (Arc::new(key), until);
    }

    #[cfg(test)]
    pub(super) fn leaf(&self) -> Vec<u8> {
        let shown = self.0.read().unwrap();
        shown.0.end_entity_cert().unwrap().to_vec()
    }

    /// Until when the one that is shown holds, microseconds UTC.
    pub fn until(&self) -> i64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).1
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(shown.0.clone())
    }
}
