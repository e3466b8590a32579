//! The public database role does what a consumer's story needs, and nothing more: every table of the
//! schema is tried for real with every kind of statement.

use crate::support::{Cluster, SECOND, Site, path_of, run, until};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use std::collections::BTreeSet;
use suyuan::projection::rights::{APPEND, READ};
use suyuan_tests::{Engine, TestApp, migrated_postgres_database, new_postgres_database};

async fn connect(url: &str) -> DatabaseConnection {
    Database::connect(url).await.expect("a connection")
}

async fn tables(db: &DatabaseConnection) -> Vec<String> {
    let sql = "SELECT table_name FROM information_schema.tables \
               WHERE table_schema = current_schema() ORDER BY 1";
    let rows = db
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await;
    let rows = rows.expect("tables");
    rows.iter()
        .map(|row| row.try_get("", "table_name").expect("a name"))
        .collect()
}

/// Tries a statement and takes it back. `None` when it worked, else the server's code.
async fn tried(db: &DatabaseConnection, sql: &str) -> Option<String> {
    // A block is taken back whole by its own exception.
    let block = format!(
        "DO $$ BEGIN BEGIN {sql}; RAISE EXCEPTION 'it worked' USING ERRCODE = 'ZZ001'; END; END $$"
    );
    let error = db.execute_unprepared(&block).await.expect_err("an error");
    let code = code_of(&error);
    (code != "ZZ001").then_some(code)
}

fn code_of(error: &sea_orm::DbErr) -> String {
    use sea_orm::{DbErr, RuntimeErr};
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) =
        error
    else {
        return error.to_string();
    };
    let code = cause
        .as_database_error()
        .and_then(sea_orm::sqlx::error::DatabaseError::code);
    code.map_or_else(|| cause.to_string(), std::borrow::Cow::into_owned)
}

/// Insufficient privilege.
const DENIED: &str = "42501";

#[actix_web::test]
async fn every_table_gives_what_is_listed_and_nothing_else() {
    let owner_url = new_postgres_database().await;
    let (site, _) = Site::with_world(owner_url).await;
    let owner = connect(&site.owner_url).await;
    let public = connect(&site.public_url).await;
    let all = tables(&owner).await;
    assert!(all.len() > 20, "{all:?}");
    let listed: BTreeSet<&str> = READ.iter().chain(APPEND).copied().collect();
    for name in &listed {
        assert!(all.iter().any(|table| table == name), "{name} is no table");
    }
    for table in &all {
        let may_read = READ.contains(&table.as_str());
        let may_append = APPEND.contains(&table.as_str());
        let column = first_column(&owner, table).await;
        let statements = [
            ("SELECT", may_read, format!("PERFORM 1 FROM {table}")),
            // A NULL is a fault of the row, found after the right was looked at.
            (
                "INSERT",
                may_append,
                format!("INSERT INTO {table} DEFAULT VALUES"),
            ),
            (
                "UPDATE",
                false,
                format!("UPDATE {table} SET {column} = {column}"),
            ),
            ("DELETE", false, format!("DELETE FROM {table}")),
            ("TRUNCATE", false, format!("TRUNCATE {table}")),
            ("LOCK", false, format!("LOCK TABLE {table} IN SHARE MODE")),
            ("DROP", false, format!("DROP TABLE {table}")),
            (
                "ALTER",
                false,
                format!("ALTER TABLE {table} ADD COLUMN x int"),
            ),
            (
                "TRIGGER",
                false,
                format!(
                    "CREATE TRIGGER t BEFORE INSERT ON {table} \
                EXECUTE FUNCTION suppress_redundant_updates_trigger()"
                ),
            ),
        ];
        for (what, may, sql) in statements {
            let failed = tried(&public, &sql).await;
            let denied = failed.as_deref() == Some(DENIED);
            assert_eq!(!denied, may, "{what} {table}: {failed:?}");
        }
    }
    for (what, sql) in [
        ("a table", "CREATE TABLE mine (x int)"),
        ("a temporary table", "CREATE TEMPORARY TABLE mine (x int)"),
        ("a schema", "CREATE SCHEMA mine"),
        (
            "a function",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ),
        ("a role", "CREATE ROLE mine"),
        ("another role", "SET ROLE postgres"),
        ("a large object", "PERFORM lo_create(0)"),
        ("a file", "PERFORM pg_read_file('/etc/passwd')"),
        ("a program", "COPY public_head TO PROGRAM 'true'"),
        ("passwords", "PERFORM 1 FROM pg_authid"),
    ] {
        let failed = tried(&public, sql).await;
        assert_eq!(failed.as_deref(), Some(DENIED), "{what}: {sql}");
    }
    let slow = tried(&public, "PERFORM pg_sleep(20)").await;
    assert_eq!(slow.as_deref(), Some("57014"), "a statement has an end");
}

async fn first_column(db: &DatabaseConnection, table: &str) -> String {
    let sql = format!(
        "SELECT column_name FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = '{table}' \
         ORDER BY ordinal_position LIMIT 1"
    );
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql));
    let row = row.await.expect("an answer").expect("a column");
    row.try_get("", "column_name").expect("a name")
}

#[actix_web::test]
async fn a_right_given_by_hand_is_taken_back_and_a_mighty_role_is_refused() {
    let owner_url = new_postgres_database().await;
    let (site, _) = Site::with_world(owner_url).await;
    let owner = connect(&site.owner_url).await;
    let role = site.public_url["postgres://".len()..].split('@').next();
    let role = role.expect("a role");
    owner
        .execute_unprepared(&format!(
            "GRANT ALL ON user_account TO {role}; GRANT SELECT (kid) ON signing_key TO PUBLIC"
        ))
        .await
        .expect("a grant");
    let public = connect(&site.public_url).await;
    assert_eq!(tried(&public, "PERFORM 1 FROM user_account").await, None);
    assert_eq!(tried(&public, "PERFORM kid FROM signing_key").await, None);
    crate::support::make_role(&site.owner_url, role);
    for sql in [
        "PERFORM 1 FROM user_account",
        "PERFORM kid FROM signing_key",
    ] {
        assert_eq!(tried(&public, sql).await.as_deref(), Some(DENIED), "{sql}");
    }

    owner
        .execute_unprepared(&format!("ALTER ROLE {role} CREATEDB"))
        .await
        .expect("a power");
    let words = ["admin", "public-role", "--name", role];
    let (well, _, why) = run(&words, &[("database.url", &site.owner_url)]);
    assert!(!well && why.contains("may more than use tables"), "{why}");
    let words = ["admin", "public-role", "--name", "postgres"];
    let (well, _, why) = run(&words, &[("database.url", &site.owner_url)]);
    assert!(!well && why.contains("choose another name"), "{why}");
}

#[actix_web::test]
async fn a_password_signs_the_role_in() {
    let (site, _) = Site::with_world(migrated_postgres_database().await).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    std::fs::write(&file, "correct-horse-battery\n").expect("a file");
    let role = format!("q_{}", uuid::Uuid::new_v4().simple());
    let path = file.display().to_string();
    let words = [
        "admin",
        "public-role",
        "--name",
        &role,
        "--password-file",
        &path,
    ];
    let (well, told, why) = run(&words, &[("database.url", &site.owner_url)]);
    assert!(well, "{why}");
    assert!(
        told.contains(&role) && !told.contains("correct-horse"),
        "{told}"
    );
    // The test's server trusts everyone, so what it keeps is looked at instead of a log-in.
    let owner = connect(&site.owner_url).await;
    let sql = format!("SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'");
    let row = owner.query_one_raw(Statement::from_string(DbBackend::Postgres, sql));
    let row = row.await.expect("an answer").expect("the role");
    let kept: String = row.try_get("", "rolpassword").expect("a verifier");
    assert!(kept.starts_with("SCRAM-SHA-256$4096:"), "{kept}");
}

#[actix_web::test]
async fn a_whole_story_under_the_role() {
    let cluster = Cluster::start(1, &[]).await;
    let node = &cluster.publics[0];
    let codes = &cluster.demo.codes;
    for (group, expected) in [
        (&codes.legal, "200 legal ok"),
        (&codes.care, "200 legal ok"),
        (&codes.recalled, "200 legal stop recalled"),
        (&codes.expired, "200 legal stop expired"),
        (&codes.void, "200 void stop void"),
        (
            &codes.not_commissioned,
            "200 not_commissioned caution not_commissioned",
        ),
        (&codes.not_allocated, "404 not_allocated stop not_allocated"),
        (&codes.forged, "404 not_allocated stop not_allocated"),
        (&codes.case, "200 legal ok"),
        (&codes.pallet, "200 legal caution names_logistic_unit"),
    ] {
        for url in group {
            assert_eq!(node.scan(url).await, expected, "{url}");
        }
    }
    let caller = node.caller();
    let tin = path_of(&codes.legal[0]);
    let page = caller.page(tin).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("verdict ok"));
    // A file the page names.
    let text = page.text();
    let file = text.split("href=\"/files/").nth(1).expect("a file");
    let file = file.split('"').next().expect("an address");
    let file = caller.get(&format!("/files/{file}")).await;
    assert_eq!((file.status, &file.body[..5]), (200, &b"%PDF-"[..]));
    assert_eq!(caller.page("/q").await.status, 200);
    // What the role wrote, the internal process counted, and the role reads.
    let counted = || async {
        let view = caller.scan(tin).await.json();
        view["queries"]["count"].as_u64() >= Some(2)
    };
    until("the queries being counted", 10 * SECOND, counted).await;
    assert_eq!(caller.get("/readyz").await.status, 200);
    assert!(!node.said().contains("not written"), "{}", node.said());
}

#[actix_web::test]
async fn a_public_process_has_no_internal_route() {
    let cluster = Cluster::start(1, &[]).await;
    let caller = cluster.publics[0].caller();
    let api = suyuan::routes::internal_openapi();
    let api = serde_json::to_value(api).expect("a document");
    let paths = api["paths"].as_object().expect("paths");
    assert!(paths.len() > 25);
    let officer = cluster.officer().await;
    let mut probed = 0;
    let shared = ["/livez", "/readyz"];
    let own = ["/setup", "/docs/", "/openapi.json", "/docs/index.html"].map(str::to_owned);
    let named = paths.iter().flat_map(|(path, item)| {
        let methods: Vec<String> = item.as_object().expect("methods").keys().cloned().collect();
        methods
            .into_iter()
            .map(move |method| (path.clone(), method))
    });
    for (path, method) in named.chain(own.map(|path| (path, "get".to_owned()))) {
        if shared.contains(&path.as_str()) {
            continue;
        }
        let id = uuid::Uuid::nil().to_string();
        let path: String = path
            .split('/')
            .map(|part| {
                if part.starts_with('{') {
                    id.as_str()
                } else {
                    part
                }
            })
            .collect::<Vec<_>>()
            .join("/");
        let method = suyuan_tests::caller::Method::from_bytes(method.to_uppercase().as_bytes());
        let method = method.expect("a method");
        let here = caller.send(method.clone(), &path, &[], Vec::new()).await;
        // Not even that it would have to sign in.
        let refused = here.status == 404 || here.status == 405;
        assert!(refused, "{method} {path}: {}", here.status);
        if method == suyuan_tests::caller::Method::GET {
            assert_eq!(here.status, 404, "{path}");
        }
        probed += 1;
    }
    assert!(probed > 30, "{probed}");
    assert_eq!(
        officer.get("/v1/me").await.status,
        200,
        "it is there at internal"
    );
}

#[actix_web::test]
async fn the_reader_cannot_write_on_either_database() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let app = TestApp::spawn(engine).await;
        let db = app.resolver().db.reader();
        let wrote = db
            .execute_unprepared("UPDATE public_head SET position = position")
            .await;
        let why = wrote.expect_err("a read-only session").to_string();
        let why = why.to_lowercase().replace('-', "");
        assert!(why.contains("readonly"), "{engine:?}: {why}");
        app.stop().await;
    }
}
