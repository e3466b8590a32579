//! TLS of the internal listener: browsers give the web app keys, storage and a service worker only
//! where the connection is secure. Here certificates are read, judged, made and renewed; who listens is
//! [`crate::app`]'s business. Knows no route and no device.

mod fingerprint;
pub mod handlers;
pub mod issue;
pub mod renewal;
mod shown;
mod validity;
mod words;

pub use fingerprint::Fingerprint;
pub use shown::Shown;

use crate::{clock::rfc3339, config};
use std::{path::Path, sync::Arc};
use thiserror::Error;
use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{
        CertificateDer, PrivateKeyDer, UnixTime,
        pem::{self, PemObject},
    },
    sign::CertifiedKey,
};
use validity::Validity;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// Why there is no TLS. Each names the setting and the file.
#[derive(Debug, Error)]
pub enum TlsError {
    /// No such file, no right to read it, or no PEM.
    #[error("{setting}: {file} cannot be read")]
    Unreadable {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        file: String,
        /// Why.
        #[source]
        why: pem::Error,
    },
    /// PEM, but nothing of the kind in it.
    #[error("{setting}: {file} holds no {what}")]
    Empty {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        file: String,
        /// What was looked for.
        what: &'static str,
    },
    /// Something that calls itself a certificate and is none.
    #[error("{setting}: {file} holds a certificate that cannot be read")]
    Malformed {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        file: String,
    },
    /// Its time is over.
    #[error(
        "{setting}: {file} expired on {at}; make a new one, with `suyuan cert` if it came from there"
    )]
    Expired {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        file: String,
        /// When.
        at: String,
    },
    /// Its time has not come; or the clock is wrong.
    #[error("{setting}: {file} begins to hold on {at}, which this machine's clock says is to come")]
    NotYet {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        file: String,
        /// When.
        at: String,
    },
    /// Certificate and key are not of one pair.
    #[error("internal.tls_key: {key} is not the key of the certificate in {certificate}")]
    Mismatch {
        /// The key's file.
        key: String,
        /// The certificate's.
        certificate: String,
    },
    /// The authority that devices are told to trust did not sign.
    #[error("internal.tls_authority: {authority} did not sign the certificate in {certificate}")]
    OtherAuthority {
        /// The authority's file.
        authority: String,
        /// The certificate's.
        certificate: String,
        /// Why.
        #[source]
        why: webpki::Error,
    },
    /// Another authority than the one devices were told of, while the listener serves.
    #[error(
        "internal.tls_authority: {authority} holds another authority than at the start; \
         restart the server to tell devices of it"
    )]
    NewAuthority {
        /// The authority's file.
        authority: String,
    },
    /// Whatever else rustls does not like.
    #[error("internal.tls_certificate, internal.tls_key")]
    Unusable(#[from] rustls::Error),
}

/// Within this, in microseconds, each start says that a certificate expires.
const SOON: i64 = 30 * 24 * 3600 * 1_000_000;
const CERTIFICATE: &str = "internal.tls_certificate";
const KEY: &str = "internal.tls_key";
const AUTHORITY: &str = "internal.tls_authority";

/// The authority of this installation, whose certificate devices have to trust.
#[derive(Debug, Clone)]
pub struct Authority {
    /// Its certificate.
    pub der: CertificateDer<'static>,
    /// What people compare.
    pub fingerprint: Fingerprint,
}

impl Authority {
    /// The authority the settings name, if any: one whom every browser trusts is not named.
    pub fn open(settings: &config::Internal) -> Result<Option<Authority>, TlsError> {
        let file = settings.tls_authority.as_str();
        if file.is_empty() {
            return Ok(None);
        }
        let der = certificates(AUTHORITY, file)?.swap_remove(0);
        Ok(Some(Authority {
            fingerprint: Fingerprint::of(&der),
            der,
        }))
    }
}

/// What the listener speaks TLS with.
pub struct Identity {
    /// For rustls.
    pub config: ServerConfig,
    /// The certificate it shows.
    pub shown: Arc<Shown>,
    authority: Option<Fingerprint>,
    /// Which files it was read from.
    settings: config::Internal,
}

impl Identity {
    /// Reads and judges what the settings name, as of `now` in microseconds; `None` when they name
    /// nothing and the listener speaks plain HTTP.
    pub fn open(settings: &config::Internal, now: i64) -> Result<Option<Identity>, TlsError> {
        let Some(read) = read(settings, now)? else {
            return Ok(None);
        };
        if read.until - now < SOON {
            let (file, until) = (settings.tls_certificate.as_str(), rfc3339(read.until));
            tracing::warn!(file, until, "the certificate expires soon");
        }
        let shown = Arc::new(Shown::new(read.key, read.until));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        Ok(Some(Identity {
            config,
            shown,
            authority: read.authority,
            settings: settings.clone(),
        }))
    }
}

/// What the files hold, judged.
struct Read {
    key: CertifiedKey,
    until: i64,
    authority: Option<Fingerprint>,
}

/// Reads and judges the files; `None` where the settings name none.
fn read(settings: &config::Internal, now: i64) -> Result<Option<Read>, TlsError> {
    let (file, key_file) = (settings.tls_certificate.as_str(), &settings.tls_key);
    if file.is_empty() {
        return Ok(None);
    }
    let chain = certificates(CERTIFICATE, file)?;
    let leaf = chain.first().ok_or_else(|| empty(CERTIFICATE, file))?;
    let until = judged(CERTIFICATE, file, leaf, now)?;
    let authority = Authority::open(settings)?;
    if let Some(authority) = &authority {
        judged(AUTHORITY, &settings.tls_authority, &authority.der, now)?;
        signed(&authority.der, &chain, now).map_err(|why| TlsError::OtherAuthority {
            authority: settings.tls_authority.clone(),
            certificate: file.to_owned(),
            why,
        })?;
    }
    let key = PrivateKeyDer::from_pem_file(Path::new(key_file)).map_err(|why| match why {
        pem::Error::NoItemsFound => TlsError::Empty {
            setting: KEY,
            file: key_file.clone(),
            what: "private key",
        },
        why => TlsError::Unreadable {
            setting: KEY,
            file: key_file.clone(),
            why,
        },
    })?;
    let provider = aws_lc_rs::default_provider();
    let key = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsError::Mismatch {
            key: key_file.clone(),
            certificate: file.to_owned(),
        },
        error => TlsError::Unusable(error),
    })?;
    Ok(Some(Read {
        key,
        until,
        authority: authority.map(|authority| authority.fingerprint),
    }))
}

/// The certificates of a file, at least one.
fn certificates(
    setting: &'static str,
    file: &str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(Path::new(file)).and_then(Iterator::collect);
    let read: Vec<CertificateDer<'static>> = read.map_err(|why| TlsError::Unreadable {
        setting,
        file: file.to_owned(),
        why,
    })?;
    if read.is_empty() {
        return Err(empty(setting, file));
    }
    Ok(read)
}

fn empty(setting: &'static str, file: &str) -> TlsError {
    TlsError::Empty {
        setting,
        file: file.to_owned(),
        what: "certificate",
    }
}

/// Until when a certificate holds, if it does now.
fn judged(
    setting: &'static str,
    file: &str,
    der: &CertificateDer<'_>,
    now: i64,
) -> Result<i64, TlsError> {
    let file = file.to_owned();
    match Validity::of(der) {
        None => Err(TlsError::Malformed { setting, file }),
        Some(validity) if now > validity.until => Err(TlsError::Expired {
            setting,
            file,
            at: rfc3339(validity.until),
        }),
        Some(validity) if now < validity.since => Err(TlsError::NotYet {
            setting,
            file,
            at: rfc3339(validity.since),
        }),
        Some(validity) => Ok(validity.until),
    }
}

/// Did the authority sign the first of the chain, through the rest of it, for a server?
fn signed(
    authority: &CertificateDer<'_>,
    chain: &[CertificateDer<'_>],
    now: i64,
) -> Result<(), webpki::Error> {
    let (leaf, between) = chain.split_first().ok_or(webpki::Error::BadDer)?;
    let anchor = anchor_from_trusted_cert(authority)?;
    let now = std::time::Duration::from_micros(now.max(0).cast_unsigned());
    EndEntityCert::try_from(leaf)?.verify_for_usage(
        aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .all,
        &[anchor],
        between,
        UnixTime::since_unix_epoch(now),
        KeyUsage::server_auth(),
        None,
        None,
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
