//! From settings to the two files. Pure; an identifier that cannot be one stops the start, since a
//! phone would only stay silent about it.

use crate::config::AppLinks;
use bytes::Bytes;
use serde_json::json;
use thiserror::Error;

/// The paths of codes as we print them.
const CODE_PATHS: [&str; 3] = ["/01/*", "/00/*", "/c/*"];

/// A setting that cannot be right.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("app_links.{key}: {why}")]
pub struct LinkError {
    key: &'static str,
    why: String,
}

/// The files, each where its settings are there.
#[derive(Debug, Default)]
pub struct AppLinkFiles {
    /// `/.well-known/assetlinks.json`
    pub android: Option<Bytes>,
    /// `/.well-known/apple-app-site-association`
    pub apple: Option<Bytes>,
}

impl AppLinkFiles {
    /// Writes the files.
    pub fn of(settings: &AppLinks) -> Result<AppLinkFiles, LinkError> {
        Ok(AppLinkFiles {
            android: android(settings)?,
            apple: apple(settings)?,
        })
    }
}

fn android(settings: &AppLinks) -> Result<Option<Bytes>, LinkError> {
    let package = settings.android_package.as_str();
    let prints = &settings.android_fingerprints;
    if package.is_empty() && prints.is_empty() {
        return Ok(None);
    }
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if !package.contains('.') || !package.split('.').all(part) {
        return Err(fault("android_package", package, "cn.example.app"));
    }
    if prints.is_empty() {
        let why = "name the SHA-256 fingerprint of the app's signing certificate".into();
        let key = "android_fingerprints";
        return Err(LinkError { key, why });
    }
    for print in prints {
        let pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
        if print.split(':').count() != 32 || !print.split(':').all(pair) {
            let like = "32 hex pairs with colons, AB:CD:…";
            return Err(fault("android_fingerprints", print, like));
        }
    }
    let prints: Vec<String> = prints.iter().map(|print| print.to_uppercase()).collect();
    let file = json!([{
        "relation": ["delegate_permission/common.handle_all_urls"],
        "target": {
            "namespace": "android_app",
            "package_name": package,
            "sha256_cert_fingerprints": prints,
        },
    }]);
    Ok(Some(file.to_string().into()))
}

fn apple(settings: &AppLinks) -> Result<Option<Bytes>, LinkError> {
    let ids = &settings.apple_app_ids;
    if ids.is_empty() {
        return Ok(None);
    }
    for id in ids {
        let shaped = id.split_once('.').is_some_and(|(team, bundle)| {
            let team_ok = team.len() == 10 && team.bytes().all(|b| b.is_ascii_alphanumeric());
            let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
            team_ok && !bundle.is_empty() && bundle.bytes().all(allowed)
        });
        if !shaped {
            return Err(fault("apple_app_ids", id, "A1B2C3D4E5.cn.example.app"));
        }
    }
    let components: Vec<_> = CODE_PATHS.iter().map(|path| json!({"/": path})).collect();
    let file = json!({"applinks": {"details": [{"appIDs": ids, "components": components}]}});
    Ok(Some(file.to_string().into()))
}

fn fault(key: &'static str, is: &str, like: &str) -> LinkError {
    let why = format!("{is:?} is none; it looks like {like}");
    LinkError { key, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(package: &str, prints: &[&str], apple: &[&str]) -> AppLinks {
        let list = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        AppLinks {
            android_package: package.to_owned(),
            android_fingerprints: list(prints),
            apple_app_ids: list(apple),
        }
    }

    #[test]
    fn nothing_set_is_no_file() {
        let files = AppLinkFiles::of(&settings("", &[], &[])).unwrap();
        assert!(files.android.is_none() && files.apple.is_none());
    }

    #[test]
    fn identifiers_that_cannot_be_are_refused() {
        let print = ["0a"; 32].join(":");
        let (good, short) = ([print.as_str()], [&print[3..]]);
        for wrong in [
            settings("app", &good, &[]),
            settings("cn.1example", &good, &[]),
            settings("cn.example\"", &good, &[]),
            settings("", &good, &[]),
            settings("cn.example.app", &[], &[]),
            settings("cn.example.app", &short, &[]),
            settings("", &[], &["cn.example.app"]),
            settings("", &[], &["A1B2C3D4E5."]),
            settings("", &[], &["A1B2C3D4E5.cn/x"]),
        ] {
            assert!(AppLinkFiles::of(&wrong).is_err(), "{wrong:?}");
        }
        let right = settings("cn.example.app", &good, &["A1B2C3D4E5.cn.example.app"]);
        let files = AppLinkFiles::of(&right).unwrap();
        assert!(files.android.is_some() && files.apple.is_some());
    }
}
