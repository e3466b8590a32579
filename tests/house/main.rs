//! The rules of the house as tests: who may depend on whom, what a file may know. The message
//! says what to do instead.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

/// Dependencies of a crate, `[dependencies]` only.
fn dependencies(name: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(name).join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = text.parse().expect("TOML");
    let table = manifest["dependencies"].as_table().expect("a table");
    table.keys().cloned().collect()
}

/// Rust files below a folder, with their text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).expect("below the root");
                let text = fs::read_to_string(&path).expect("text");
                found.push((name.display().to_string(), text));
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

/// Lines of a file that are code, without its own tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..end]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn sync_builds_for_a_handheld() {
    for forbidden in [
        "tokio",
        "actix-web",
        "sea-orm",
        "sqlx",
        "redis",
        "suyuan",
        "suyuan-migrations",
    ] {
        assert!(
            !dependencies("sync").iter().any(|d| d == forbidden),
            "sync must not use {forbidden}: it is what a handheld and the server share; move I/O to api"
        );
    }
    for (file, text) in sources("sync/src") {
        for forbidden in [
            "std::fs",
            "std::net",
            "SystemTime",
            "Instant::now",
            "std::env",
            "std::thread",
        ] {
            assert!(
                !code(&text).any(|line| line.contains(forbidden)),
                "{file} uses {forbidden}: sync is pure; take it as an argument"
            );
        }
    }
}

#[test]
fn crates_depend_in_one_direction() {
    let ours = |name: &str| -> Vec<String> {
        let mut list = dependencies(name);
        list.retain(|d| d.starts_with("suyuan"));
        list.sort();
        list
    };
    assert_eq!(ours("sync"), [""; 0], "sync uses nothing of ours");
    assert_eq!(
        ours("migrations"),
        [""; 0],
        "migrations use nothing of ours"
    );
    assert_eq!(ours("api"), ["suyuan-migrations", "suyuan-sync"]);
    assert_eq!(ours("openapi"), ["suyuan"]);
    let loadtest = ours("loadtest");
    assert!(
        loadtest.iter().all(|d| d == "suyuan-sync"),
        "loadtest speaks HTTP: it should break when the wire does ({loadtest:?})"
    );
}

#[test]
fn only_the_edge_speaks_http() {
    // Handlers, the http folder, the table of routes, the problem type and what builds the server.
    let edge = |file: &str| {
        let name = file.rsplit('/').next().unwrap_or("");
        file.contains("/http/")
            || file.contains("/app/")
            || file.contains("/simulate/") // in place of sockets
            || name.ends_with("_handlers.rs")
            || matches!(
                name,
                "handlers.rs"
                    | "setup.rs"
                    | "routes.rs"
                    | "problem.rs"
                    | "operations.rs"
                    | "main.rs"
            )
    };
    for (file, text) in sources("api/src") {
        assert!(
            edge(&file) || !code(&text).any(|line| line.contains("actix_web")),
            "{file} speaks HTTP: only handlers.rs and http/ do; pass plain values instead"
        );
    }
}

#[test]
fn rules_are_pure() {
    let pure = [
        "rules.rs",
        "decide.rs",
        "lookup.rs",
        "ranges.rs",
        "minting.rs",
        "space.rs",
        "fields.rs",
        "resolver/world.rs",
        "compose.rs",
        "links/choose.rs",
        "links/offer.rs",
        "links/wanted.rs",
        "links/linkset.rs",
    ];
    for (file, text) in sources("api/src") {
        let name = file.rsplit('/').next().unwrap_or("").to_owned();
        let in_catalogue = file.contains("/catalogue/") && name != "load.rs";
        let listed = pure.iter().any(|rule| file.ends_with(&format!("/{rule}")));
        if !listed && !in_catalogue {
            continue;
        }
        for forbidden in [
            "sea_orm",
            "tokio::",
            ".await",
            "Instant::now",
            "Timestamp::now",
            "sealing::random",
        ] {
            assert!(
                !code(&text).any(|line| line.contains(forbidden)),
                "{file} uses {forbidden}: rules are total functions without I/O, clock or randomness"
            );
        }
    }
}

#[test]
fn sql_lives_in_stores() {
    let may = |file: &str| {
        ["store.rs", "db.rs"].iter().any(|end| file.ends_with(end))
            || file.contains("/db/") // how keys and rows become statements
            || file.contains("/store/")
            || file.contains("/projection/")
            || file.contains("/entities/")
    };
    for (file, text) in sources("api/src") {
        let sql = code(&text).any(|line| {
            [
                "INSERT INTO",
                "SELECT ",
                "UPDATE ",
                "DELETE FROM",
                "Entity::find",
                "Entity::insert",
                "Entity::update",
                "Entity::delete",
            ]
            .iter()
            .any(|word| line.contains(word))
        });
        assert!(
            !sql || may(&file),
            "{file} holds SQL: move it to the feature's store.rs"
        );
    }
}

/// The slow oracle is worth something as long as it judges by itself: of the fold it has the words for what comes
/// out, and nobody but checks asks it.
#[test]
fn the_oracle_is_of_checks_and_shares_no_rule_with_the_fold() {
    let asks = |file: &str| {
        [
            "sync/src/oracle/",
            "sync/src/invariants/complete.rs",
            "sync/src/lib.rs",
        ]
        .iter()
        .any(|may| file.starts_with(may))
    };
    for (file, text) in sources("sync/src").into_iter().chain(sources("api/src")) {
        assert!(
            asks(&file) || !code(&text).any(|line| line.contains("oracle::")),
            "{file} asks the oracle: only invariants/complete.rs does"
        );
    }
    for (file, text) in sources("sync/src/oracle") {
        let text: String = code(&text).collect();
        for used in text.split("fold::").skip(1) {
            let list = used
                .strip_prefix('{')
                .and_then(|rest| rest.split('}').next());
            let one = || {
                used.split(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or(used)
            };
            for word in list.unwrap_or_else(one).split(',') {
                assert!(
                    ["Phase", "Place", "UnitState", ""].contains(&word.trim()),
                    "{file} has {word} of the fold"
                );
            }
        }
    }
}

#[test]
fn no_feature_uses_the_resolver() {
    for feature in [
        "registry",
        "codes",
        "recalls",
        "links",
        "accounts",
        "log",
        "projection",
        "catalogue",
    ] {
        for (file, text) in sources(&format!("api/src/{feature}")) {
            assert!(
                !code(&text).any(|line| line.contains("resolver::")),
                "{file} uses the resolver: write to the projection, the resolver reads it"
            );
        }
    }
}

#[test]
fn the_resolver_writes_nothing() {
    for (file, text) in sources("api/src/resolver") {
        for forbidden in [
            "INSERT",
            "UPDATE",
            "DELETE",
            ".begin()",
            ".writer()",
            "crate::log",
        ] {
            assert!(
                !code(&text).any(|line| line.contains(forbidden)),
                "{file} contains {forbidden}: a consumer-facing process only reads"
            );
        }
    }
}

/// The functions of a file, each with its head, as text.
fn functions(text: &str) -> Vec<String> {
    let lines: Vec<&str> = code(text).collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let head = line.trim_start();
        let begins = ["fn ", "async fn ", "pub fn ", "pub async fn "]
            .iter()
            .any(|start| head.starts_with(start))
            || (head.starts_with("pub(") && head.contains(" fn "));
        if !begins {
            continue;
        }
        let indent = line.len() - head.len();
        let end = format!("{}}}", " ".repeat(indent));
        let body = lines[at..].iter().take_while(|line| **line != end);
        found.push(body.copied().collect::<Vec<_>>().join("\n"));
    }
    found
}

/// What a function says while it holds the log's head: between the beginning of its act and the
/// last commit, or all of it where the act is handed in.
fn while_the_head_is_held(function: &str) -> Option<&str> {
    const BEGINNINGS: [&str; 5] = [
        "log.begin",
        "log().begin",
        ".begin_as_system(",
        "= begin(&",
        "match begin(&",
    ];
    let (head, _) = function.split_once('{')?;
    if head.contains("act: &Act") || head.contains("act: Act") || head.contains("act: &'a Act") {
        return Some(function);
    }
    let begun = BEGINNINGS.iter().filter_map(|begin| function.find(begin));
    let held = &function[begun.min()?..];
    // A request that was answered before holds nothing any more.
    let held = match held.find("Begun::Answered(") {
        Some(at) => held[at..].split_once("};").map_or("", |(_, rest)| rest),
        None => held,
    };
    Some(held.rfind(".commit(").map_or(held, |end| &held[..end]))
}

#[test]
fn nobody_waits_for_a_connection_while_holding_the_head() {
    let mut acts = 0;
    for (file, text) in sources("api/src") {
        // The log itself makes the act.
        if file.starts_with("api/src/log/") {
            continue;
        }
        for function in functions(&text) {
            let Some(held) = while_the_head_is_held(&function) else {
                continue;
            };
            acts += 1;
            for forbidden in [".reader()", ".writer()", "&state.db", ".seals", "db.begin("] {
                assert!(
                    !held.contains(forbidden),
                    "{file} uses {forbidden} while it holds the log's head: read through act.tx(), \
                     or before the act begins\n{function}"
                );
            }
        }
    }
    assert!(acts > 60, "only {acts} functions with an act were found");
}

#[test]
fn the_rule_about_the_head_sees_what_it_should() {
    let held = |text: &str| {
        functions(text)
            .iter()
            .find_map(|function| while_the_head_is_held(function).map(str::to_owned))
    };
    let fine = "async fn f(db: &Db) {\n    a(db.reader());\n    let act = log.begin(x);\n    \
                g(act.tx());\n    act.commit(e);\n    h(db.reader());\n}\n";
    assert!(!held(fine).unwrap().contains("reader"));
    let wrong = fine.replace("g(act.tx())", "g(db.reader())");
    assert!(held(&wrong).unwrap().contains(".reader()"));
    let begun = "match log.begin(x) {\n        Begun::Act(act) => act,\n        \
                 Begun::Answered(k) => return get(db.reader()),\n    };";
    let again = fine.replace("log.begin(x);", begun);
    assert!(!held(&again).unwrap().contains(".reader()"));
    let wrong = again.replace("g(act.tx())", "g(db.reader())");
    assert!(held(&wrong).unwrap().contains(".reader()"));
    let handed = "fn f(act: &Act, db: &Db) {\n    g(db.reader());\n}\n";
    assert!(held(handed).unwrap().contains(".reader()"));
    assert!(held("fn f() {\n    g(db.reader());\n}\n").is_none());
}

/// The names of the types in a file that stand in the OpenAPI documents.
fn schemas(text: &str) -> Vec<String> {
    let ends = |c: char| !(c.is_alphanumeric() || c == '_');
    let first = |text: &str| text.split(ends).next().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    let (mut is_one, mut named) = (false, None);
    for line in code(text).map(str::trim_start) {
        let declared = line.trim_start_matches("pub ");
        let declared = ["struct ", "enum "].map(|kind| declared.strip_prefix(kind));
        is_one |= line.contains("ToSchema") && !line.starts_with("use ");
        if let Some((_, other)) = line.split_once("#[schema(as = ") {
            named = Some(first(other));
        }
        if let Some(name) = declared.into_iter().flatten().next() {
            let name = named.take().unwrap_or_else(|| first(name));
            found.extend(Some(name).filter(|_| is_one));
            is_one = false;
        }
    }
    found
}

#[test]
fn no_two_types_have_one_name_in_the_openapi_documents() {
    let mut of: BTreeMap<String, String> = BTreeMap::new();
    for (file, text) in sources("api/src") {
        for name in schemas(&text) {
            let other = of.insert(name.clone(), file.clone());
            assert!(
                other.is_none(),
                "{name} is in {file} and in {}: only one of them would stand in the documents; call \
                 one by another name, or say #[schema(as = Other)]",
                other.unwrap_or_default()
            );
        }
    }
    assert!(of.len() > 100, "only {} types were found", of.len());
}

#[test]
fn the_rule_about_names_sees_what_it_should() {
    let one = "use utoipa::{IntoParams, ToSchema};\n\nstruct Own;\n\n/// One.\n\
               #[derive(Debug, ToSchema)]\n#[serde(untagged)]\npub enum Out<T> {\n}\n\n\
               #[derive(ToSchema)]\n#[schema(as = Other)]\nstruct Role(u8);\n";
    assert_eq!(schemas(one), ["Out", "Other"]);
}

#[test]
fn migrations_never_import_live_entities() {
    for (file, text) in sources("migrations/src") {
        assert!(
            !text.contains("suyuan::") && !text.contains("entities"),
            "{file} uses today's entities: yesterday's migration must not change with them"
        );
    }
}

#[test]
fn every_source_file_says_why_it_exists() {
    for folder in [
        "sync/src",
        "migrations/src",
        "api/src",
        "openapi/src",
        "loadtest/src",
        "tests/src",
    ] {
        for (file, text) in sources(folder) {
            assert!(
                text.starts_with("//!"),
                "{file} has no header that says why it exists"
            );
        }
    }
}

#[test]
fn the_top_level_is_as_agreed() {
    let agreed = [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "rustfmt.toml",
        "clippy.toml",
        "deny.toml",
        "rust-toolchain.toml",
        "api",
        "sync",
        "openapi",
        "migrations",
        "loadtest",
        "tests",
        "target",
    ];
    for entry in fs::read_dir(root()).expect("the workspace") {
        let name = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("UTF-8");
        assert!(
            name.starts_with('.') || agreed.contains(&name.as_str()),
            "{name} stands at the top level: new capability goes inside a crate"
        );
    }
}
