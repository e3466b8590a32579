//! The committed OpenAPI documents: what they are made from, where they stand, what every
//! operation in them owes its reader. Knows no route by name.

use serde_json::Value;
use std::{fs, io, path::PathBuf};

/// One committed document.
pub struct Document {
    /// File name in this crate's folder.
    pub name: &'static str,
    /// What the program says now.
    pub text: String,
}

impl Document {
    /// Where it stands.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(self.name)
    }

    /// Is what is committed what the program says?
    pub fn in_step(&self) -> io::Result<bool> {
        match fs::read_to_string(self.path()) {
            Ok(committed) => Ok(committed == self.text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Both listeners' documents, as the program makes them now.
pub fn documents() -> Result<Vec<Document>, serde_json::Error> {
    let text = |api: &utoipa::openapi::OpenApi| api.to_pretty_json().map(|text| text + "\n");
    Ok(vec![
        Document {
            name: "internal.json",
            text: text(&suyuan::routes::internal_openapi())?,
        },
        Document {
            name: "public.json",
            text: text(&suyuan::routes::public_openapi())?,
        },
    ])
}

/// What is wrong with a document: every operation has a summary, an operation id, a tag and a
/// documented success; every one that needs a sign-in says what happens without.
pub fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = Vec::new();
    let empty = serde_json::Map::new();
    let paths = document["paths"].as_object().unwrap_or(&empty);
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap_or(&empty) {
            let name = format!("{} {path}", method.to_uppercase());
            let mut need = |holds: bool, what: &str| {
                if !holds {
                    faults.push(format!("{name}: {what}"));
                }
            };
            let has = |key: &str| operation[key].as_str().is_some_and(|text| !text.is_empty());
            need(has("summary"), "no summary");
            need(has("operationId"), "no operation id");
            need(!operation["tags"][0].is_null(), "no tag");
            let responses = operation["responses"].as_object().unwrap_or(&empty);
            let success = responses.keys().any(|status| status.starts_with('2'));
            need(success, "no success response");
            let open = operation["security"].as_array().is_none_or(Vec::is_empty);
            need(
                open || responses.contains_key("401"),
                "does not say what happens without sign-in",
            );
            ids.push(
                operation["operationId"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    }
    if paths.is_empty() {
        faults.push("no paths".into());
    }
    ids.sort();
    faults.extend(
        ids.windows(2)
            .filter(|w| w[0] == w[1])
            .map(|w| format!("{} twice", w[0])),
    );
    faults
}
