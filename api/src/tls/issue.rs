//! `suyuan cert`: a local authority, and a certificate for the addresses under which devices find
//! this installation. The authority can vouch for these names and for private networks only, so that
//! a device that trusts it is not in the hands of whoever steals its key. Run again, it makes a new
//! certificate under the same authority: devices need not be told anything.

use super::{Fingerprint, KEY, TlsError, certificates, judged, signed};
use crate::clock::rfc3339;
use jiff::{ToSpan, civil::Date};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, date_time_ymd,
};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
};
use thiserror::Error;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;

/// Phones and browsers take no longer one from an authority a person added (825 days).
const CERTIFICATE_DAYS: i32 = 820;
/// Devices have to be told of a new authority, so it lasts.
const AUTHORITY_YEARS: i32 = 10;
/// Networks nobody can own on the internet (RFC 1918, 3927, 4193, 4291): whoever controls a name in
/// them controls the shop's own network already.
const PRIVATE_V4: [(Ipv4Addr, u8); 5] = [
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
];
const PRIVATE_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::LOCALHOST, 128),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
];

/// Why no certificate was made.
#[derive(Debug, Error)]
pub enum IssueError {
    /// The folder or a file in it.
    #[error("{0}")]
    File(String, #[source] io::Error),
    /// A half of the authority is gone.
    #[error("{0} is missing beside its other half; put it back, or begin with an empty folder")]
    Half(String),
    /// The authority's certificate or its time.
    #[error(transparent)]
    Authority(#[from] TlsError),
    /// The authority's key does not open.
    #[error("{0} holds no key of an authority made here")]
    Key(String, #[source] rcgen::Error),
    /// The authority was made for other names.
    #[error(
        "the authority in {folder} may not vouch for {address}: it was made for other names; \
         begin a new one in another folder, which devices then have to trust"
    )]
    NotPermitted {
        /// Where it is.
        folder: String,
        /// Which address.
        address: String,
    },
    /// The certificate library.
    #[error("the certificate could not be made")]
    Make(#[from] rcgen::Error),
    /// What was made is no good.
    #[error("the certificate that was made is not valid")]
    Check(#[from] webpki::Error),
}

/// Under what name or address a server is found: no port, no scheme, no wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A number.
    Ip(IpAddr),
    /// A name, in small letters.
    Name(String),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        if let Ok(ip) = bare.unwrap_or(text).parse::<IpAddr>() {
            if ip.is_unspecified() {
                return Err(format!(
                    "{ip} stands for every address; name the one devices call"
                ));
            }
            return Ok(Address::Ip(ip));
        }
        let name = text.to_ascii_lowercase();
        match ServerName::try_from(name.as_str()) {
            Ok(ServerName::DnsName(_)) if !name.ends_with('.') => Ok(Address::Name(name)),
            _ => Err("neither a host name nor an IP address, without port and scheme".to_owned()),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Ip(ip) => ip.fmt(f),
            Address::Name(name) => f.write_str(name),
        }
    }
}

impl Address {
    fn alternative(&self) -> Result<SanType, rcgen::Error> {
        Ok(match self {
            Address::Ip(ip) => SanType::IpAddress(*ip),
            Address::Name(name) => SanType::DnsName(name.as_str().try_into()?),
        })
    }

    fn subtree(&self) -> GeneralSubtree {
        match self {
            Address::Ip(ip) => {
                let whole = if ip.is_ipv4() { 32 } else { 128 };
                GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*ip, whole))
            }
            Address::Name(name) => GeneralSubtree::DnsName(name.clone()),
        }
    }

    fn server_name(&self) -> Option<ServerName<'static>> {
        match self {
            Address::Ip(ip) => Some(ServerName::from(*ip)),
            Address::Name(name) => ServerName::try_from(name.clone()).ok(),
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Issued {
    /// Was the authority made just now?
    pub is_new: bool,
    /// The authority's fingerprint.
    pub fingerprint: Fingerprint,
    /// The authority's certificate, for devices.
    pub authority: PathBuf,
    /// `internal.tls_certificate`.
    pub certificate: PathBuf,
    /// `internal.tls_key`.
    pub key: PathBuf,
    /// Until when the certificate holds, UTC.
    pub until: String,
}

/// Makes a certificate for these addresses, and the authority where the folder has none. `now` in
/// microseconds.
pub fn issue(folder: &Path, addresses: &[Address], now: i64) -> Result<Issued, IssueError> {
    let today = jiff::Timestamp::from_microsecond(now)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date())
        .unwrap_or_default();
    fs::create_dir_all(folder).map_err(|error| of(folder, error))?;
    let at = |name: &str| folder.join(name);
    let (authority, authority_key) = (at("authority.crt"), at("authority.key"));
    let is_new = match (authority.exists(), authority_key.exists()) {
        (true, true) => false,
        (false, false) => true,
        (true, false) => return Err(IssueError::Half(shown(&authority_key))),
        (false, true) => return Err(IssueError::Half(shown(&authority))),
    };
    let signing = if is_new {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let made = authority_of(&key, addresses, today).self_signed(&key)?;
        // The key first: a certificate without one would look like an authority.
        write(&authority_key, &key.serialize_pem(), SECRET)?;
        write(&authority, &made.pem(), OPEN)?;
        key
    } else {
        let path = shown(&authority_key);
        let pem = fs::read_to_string(&authority_key).map_err(|error| of(&authority_key, error))?;
        KeyPair::from_pem(&pem).map_err(|error| IssueError::Key(path, error))?
    };
    let known = certificates("--out", &shown(&authority))?.swap_remove(0);
    let authority_until = judged("--out", &shown(&authority), &known, now)?;

    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let issuer = Issuer::new(named(&signing), signing);
    let made = leaf_of(addresses, today, authority_until)?.signed_by(&key, &issuer)?;
    vouched(folder, &known, made.der(), addresses, now)?;
    let (certificate, key_file) = (at("server.crt"), at("server.key"));
    // Each replaced whole. A server that starts between the two says that they do not match.
    write(&key_file, &key.serialize_pem(), SECRET)?;
    write(
        &certificate,
        &format!("{}{}", made.pem(), pem_of(&authority)?),
        OPEN,
    )?;
    let until = judged(KEY, &shown(&certificate), made.der(), now)?;
    Ok(Issued {
        is_new,
        fingerprint: Fingerprint::of(&known),
        authority,
        certificate,
        key: key_file,
        until: rfc3339(until),
    })
}

/// The authority's name, which follows from its key: so that its certificate need not be read to sign
/// under it.
fn named(key: &KeyPair) -> CertificateParams {
    let mut short = Fingerprint::of(&key.subject_public_key_info()).to_string();
    short.truncate(8);
    let mut params = CertificateParams::default();
    params.distinguished_name = called(&format!("Suyuan local authority {short}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn authority_of(key: &KeyPair, addresses: &[Address], today: Date) -> CertificateParams {
    let v4 = PRIVATE_V4.map(|(net, prefix)| (IpAddr::V4(net), prefix));
    let v6 = PRIVATE_V6.map(|(net, prefix)| (IpAddr::V6(net), prefix));
    let private = v4
        .into_iter()
        .chain(v6)
        .map(|(net, prefix)| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(net, prefix)));
    let mut permitted = vec![GeneralSubtree::DnsName("localhost".to_owned())];
    permitted.extend(private);
    permitted.extend(addresses.iter().map(Address::subtree));
    let mut params = named(key);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted,
        excluded_subtrees: Vec::new(),
    });
    let last = today.saturating_add(AUTHORITY_YEARS.years());
    hold(&mut params, today.saturating_sub(1.day()), last);
    params
}

fn leaf_of(
    addresses: &[Address],
    today: Date,
    authority_until: i64,
) -> Result<CertificateParams, IssueError> {
    let last = jiff::Timestamp::from_microsecond(authority_until)
        .map_or(today, |at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    let mut params = CertificateParams::default();
    let first = addresses.first().map(ToString::to_string);
    params.distinguished_name = called(&first.unwrap_or_default());
    let names = addresses.iter().map(Address::alternative);
    params.subject_alt_names = names.collect::<Result<_, _>>()?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    // A day of grace for devices whose clocks are behind.
    let last = last.min(today.saturating_add(CERTIFICATE_DAYS.days()));
    hold(&mut params, today.saturating_sub(1.day()), last);
    Ok(params)
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

/// A day as the certificate library takes it.
fn parts(date: Date) -> (i32, u8, u8) {
    let (month, day) = (date.month().cast_unsigned(), date.day().cast_unsigned());
    (i32::from(date.year()), month, day)
}

/// Writes into the parameters from which day until which the certificate holds.
fn hold(params: &mut CertificateParams, since: Date, until: Date) {
    let ((y, m, d), (last_y, last_m, last_d)) = (parts(since), parts(until));
    params.not_before = date_time_ymd(y, m, d);
    params.not_after = date_time_ymd(last_y, last_m, last_d);
}

/// Would a device that trusts the authority take the certificate at each of these addresses?
fn vouched(
    folder: &Path,
    authority: &CertificateDer<'_>,
    made: &CertificateDer<'_>,
    addresses: &[Address],
    now: i64,
) -> Result<(), IssueError> {
    match signed(authority, std::slice::from_ref(made), now) {
        Err(webpki::Error::NameConstraintViolation) => {
            let named: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            return Err(IssueError::NotPermitted {
                folder: shown(folder),
                address: named.join(", "),
            });
        }
        other => other?,
    }
    let certificate = EndEntityCert::try_from(made)?;
    for name in addresses.iter().filter_map(Address::server_name) {
        certificate.verify_is_valid_for_subject_name(&name)?;
    }
    Ok(())
}

const SECRET: u32 = 0o600;
const OPEN: u32 = 0o644;

/// Whole or not at all, and never readable to more people than it ends with.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), IssueError> {
    let part = path.with_extension("part");
    let written = || -> io::Result<()> {
        if part.exists() {
            fs::remove_file(&part)?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    written().map_err(|error| of(path, error))
}

fn pem_of(path: &Path) -> Result<String, IssueError> {
    fs::read_to_string(path).map_err(|error| of(path, error))
}

fn of(path: &Path, error: io::Error) -> IssueError {
    IssueError::File(shown(path), error)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
