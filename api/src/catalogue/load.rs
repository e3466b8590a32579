//! Reads the catalogue files: those compiled in, and those of a folder of the installation.
//!
//! The only place of the module that touches the file system, once at start-up. Must not know
//! what the files mean (`resolve` does).

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::draft::Draft;
use super::model::Catalogue;
use super::resolve;

/// The standards the program ships with, by name of the file.
const BUILT_IN: [(&str, &str); 3] = [
    (
        "infant-formula.toml",
        include_str!("../../standards/infant-formula.toml"),
    ),
    (
        "maternal-baby.toml",
        include_str!("../../standards/maternal-baby.toml"),
    ),
    (
        "maternal-baby-care.toml",
        include_str!("../../standards/maternal-baby-care.toml"),
    ),
];

/// Most catalogue files read from a folder.
pub const FILES_IN_FOLDER_MAX: usize = 100;
/// Largest catalogue file in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why the catalogue cannot be used. Found at start-up only.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file or the folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder holds more, or a file is larger, than this program reads.
    #[error("{path}: {limit}")]
    TooMuch {
        /// The file or folder.
        path: PathBuf,
        /// The limit in words.
        limit: String,
    },
    /// A file is not TOML, has an unknown key, or lacks one.
    #[error("{file}: {source}")]
    Syntax {
        /// Name of the file.
        file: String,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// The files contradict themselves or each other.
    #[error("{file}: {reason}")]
    Invalid {
        /// Name of the file.
        file: String,
        /// What is wrong.
        reason: String,
    },
}

impl Catalogue {
    /// The standards the program ships with.
    pub fn built_in() -> Result<Catalogue, CatalogueError> {
        Catalogue::with_folder(None)
    }

    /// The standards the program ships with and every `*.toml` of a folder.
    ///
    /// A file of the folder defines a new profile, or, when its `[profile]` holds only the `id`
    /// of another, adds record types, and fields to record types, of that one. It cannot change a
    /// field that is there: for that, define a profile of your own that `extends` it.
    pub fn with_folder(dir: Option<&Path>) -> Result<Catalogue, CatalogueError> {
        let mut drafts = Vec::with_capacity(BUILT_IN.len());
        for (file, text) in BUILT_IN {
            drafts.push((file.to_owned(), parse(file, text)?));
        }
        if let Some(dir) = dir {
            for path in toml_files(dir)? {
                let file = path.display().to_string();
                let draft = parse(&file, &read(&path)?)?;
                drafts.push((file, draft));
            }
        }
        resolve::catalogue(drafts)
    }
}

fn parse(file: &str, text: &str) -> Result<Draft, CatalogueError> {
    toml::from_str(text).map_err(|source| CatalogueError::Syntax {
        file: file.to_owned(),
        source: Box::new(source),
    })
}

/// The catalogue files of a folder, by name, so that the result does not depend on the system.
fn toml_files(dir: &Path) -> Result<Vec<PathBuf>, CatalogueError> {
    let unreadable = |source| CatalogueError::Read {
        path: dir.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ending| ending == "toml") && path.is_file() {
            if files.len() == FILES_IN_FOLDER_MAX {
                return Err(CatalogueError::TooMuch {
                    path: dir.to_owned(),
                    limit: format!("more than {FILES_IN_FOLDER_MAX} files"),
                });
            }
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, CatalogueError> {
    let unreadable = |source| CatalogueError::Read {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    let read = fs::File::open(path)
        .map_err(unreadable)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if read as u64 > FILE_BYTES_MAX {
        return Err(CatalogueError::TooMuch {
            path: path.to_owned(),
            limit: format!("larger than {FILE_BYTES_MAX} bytes"),
        });
    }
    Ok(text)
}
