//! The address under test, taken apart. Pure.

use suyuan_sync::trace_code::{CodeError, Scanned, parse_path};
use thiserror::Error;

/// Why there is nothing to test.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// Not `http://` or `https://` and a host.
    #[error("give an http:// or https:// address with a GS1 Digital Link path")]
    NotAnAddress,
}

/// An address, without its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Over TLS?
    pub https: bool,
    /// Host, with its port if one is given.
    pub host: String,
    /// Path; no trailing slash.
    pub path: String,
}

impl Address {
    /// Reads an address; query and fragment are left out, as the suite does.
    pub fn parse(url: &str) -> Result<Address, AddressError> {
        let (https, rest) = match url.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(AddressError::NotAnAddress),
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
        let printable = path.bytes().all(|b| b.is_ascii_graphic());
        if host.is_empty() || !host.bytes().all(plain) || !printable {
            return Err(AddressError::NotAnAddress);
        }
        Ok(Address {
            https,
            host: host.to_owned(),
            path: path.strip_suffix('/').unwrap_or(path).to_owned(),
        })
    }

    /// Scheme and host.
    pub fn root(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }

    /// The whole address.
    pub fn url(&self) -> String {
        format!("{}{}", self.root(), self.path)
    }

    /// The code it names.
    pub fn code(&self) -> Result<Scanned, CodeError> {
        parse_path(&self.path, "")
    }

    /// This path and query if `url` is at the same host, for a redirect that is followed.
    pub fn target_of(&self, url: &str) -> Option<String> {
        let target = match url.strip_prefix(&self.root()) {
            Some(target) => target,
            None => url,
        };
        (target.starts_with('/') && !target.starts_with("//")).then(|| target.to_owned())
    }

    /// Path of a narrower code that nobody registered, where the suite has one to ask for.
    pub fn narrower(&self) -> Option<String> {
        let segments: Vec<&str> = self.path.split('/').collect();
        let at = segments.iter().rposition(|s| matches!(*s, "01" | "414"))?;
        let value = segments.get(at + 1)?;
        let stem = segments.get(..at)?.join("/");
        Some(match segments.get(at) {
            Some(&"01") => format!("{stem}/01/{value}/10/KL8G"),
            _ => format!("{stem}/414/{value}/254/KL8G"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_without_its_query() {
        let address = Address::parse("http://127.0.0.1:8080/01/09521234000013/21/S/?17=1#x");
        let address = address.unwrap();
        assert_eq!(
            address.url(),
            "http://127.0.0.1:8080/01/09521234000013/21/S"
        );
        assert_eq!(
            address.narrower().as_deref(),
            Some("/01/09521234000013/10/KL8G")
        );
        assert_eq!(
            address.target_of("http://127.0.0.1:8080/x?y").as_deref(),
            Some("/x?y")
        );
        assert_eq!(
            address.target_of("http://127.0.0.1:80800/x").as_deref(),
            None
        );
        assert_eq!(address.target_of("https://evil.example/x"), None);
        assert_eq!(address.target_of("//evil.example/x"), None);
        for wrong in [
            "",
            "ftp://a/",
            "http://",
            "http:///x",
            "http://a@b/",
            "http://a/\r\nx",
        ] {
            assert_eq!(
                Address::parse(wrong),
                Err(AddressError::NotAnAddress),
                "{wrong}"
            );
        }
    }
}
