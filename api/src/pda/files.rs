//! The app's files by path, and those of the pages beside it for whoever looks after devices; each
//! with what a response needs: compressed once, when the first is asked for.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::GzEncoder};
use include_dir::{Dir, include_dir};
use std::{collections::BTreeMap, io::Write, sync::LazyLock};

static APP: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/pda/app");

/// Pages that are no part of the app, and that no device keeps.
static OFFICE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/pda/office");

static FILES: LazyLock<BTreeMap<&'static str, AppFile>> = LazyLock::new(|| {
    let mut files = BTreeMap::new();
    gather(&APP, false, &mut files);
    gather(&OFFICE, true, &mut files);
    files
});

/// A file of the app.
pub struct AppFile {
    /// Media type.
    pub media: &'static str,
    /// Is it of the pages beside the app?
    pub is_office: bool,
    /// Changes with its bytes.
    pub etag: String,
    /// As it is.
    pub bytes: &'static [u8],
    /// The same in gzip.
    pub gzip: Vec<u8>,
}

/// The file at a path below `/app/`; pages have addresses without an ending.
pub fn find(path: &str) -> Option<&'static AppFile> {
    let path = match path {
        "" => "index.html",
        "enrol" => "enrol.html",
        "trust" => "trust.html",
        path => path,
    };
    FILES.get(path)
}

fn gather(folder: &Dir<'static>, is_office: bool, files: &mut BTreeMap<&'static str, AppFile>) {
    for file in folder.files() {
        if let (Some(path), Some(media)) = (file.path().to_str(), media(file.path().extension())) {
            let bytes = file.contents();
            let hash = digest(&SHA256, bytes);
            files.insert(
                path,
                AppFile {
                    media,
                    is_office,
                    etag: URL_SAFE_NO_PAD.encode(hash.as_ref()),
                    bytes,
                    gzip: gzip(bytes),
                },
            );
        }
    }
    for inner in folder.dirs() {
        gather(inner, is_office, files);
    }
}

fn media(extension: Option<&std::ffi::OsStr>) -> Option<&'static str> {
    Some(match extension?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail; if it did, the file would be told as it is.
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_app_has_a_media_type() {
        fn count(folder: &Dir<'static>) -> usize {
            folder.files().count() + folder.dirs().map(count).sum::<usize>()
        }
        assert_eq!(FILES.len(), count(&APP) + count(&OFFICE));
        assert!(FILES.contains_key("sw.js") && find("").is_some() && find("../mod.rs").is_none());
    }

    /// Issue budget: the first load is below 150 kB compressed. What the page asks for before it is
    /// ready is what its module imports, and what that does; some screens are fetched later.
    #[test]
    fn the_first_load_is_small() {
        let page = ["index.html", "app.css", "icon.svg", "manifest.webmanifest"];
        let mut wanted: Vec<String> = page.iter().map(|name| (*name).to_owned()).collect();
        wanted.push("screens/main.js".to_owned());
        let mut bytes = 0;
        let mut at = 0;
        while let Some(name) = wanted.get(at).cloned() {
            let file = find(&name).unwrap_or_else(|| panic!("{name}"));
            bytes += file.gzip.len();
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            for import in std::str::from_utf8(file.bytes).unwrap().lines() {
                let Some((_, path)) = import.split_once(" from \"") else {
                    continue;
                };
                let is_import = import.starts_with("import ")
                    || import.starts_with("export ")
                    || import.starts_with("} from ");
                let path = path.trim_end_matches(['"', ';']);
                let path = is_import.then(|| joined(folder, path));
                wanted.extend(path.filter(|path| !wanted.contains(path)));
            }
            at += 1;
        }
        assert!(wanted.len() > 60, "{} files", wanted.len());
        assert!(bytes < 150_000, "{bytes} bytes");
    }

    fn joined(folder: &str, path: &str) -> String {
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                "." => {}
                ".." => {
                    parts.pop();
                }
                name => parts.push(name),
            }
        }
        parts.join("/")
    }
}
