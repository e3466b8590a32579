//! How processes start: alone, together, on the wrong database, on an older or a newer schema.

use crate::support::{Program, SECOND, Site, command, make_role, run, sign_in, until};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use suyuan::sealing::Sealer;
use suyuan_tests::{Caller, migrated_postgres_database, new_postgres_database};

#[actix_web::test]
async fn one_part_alone_refuses_sqlite() {
    for kind in ["public", "internal"] {
        let (well, _, why) = run(&[kind], &[("database.url", "sqlite:///nowhere/x.db")]);
        assert!(!well && why.contains("need PostgreSQL"), "{kind}: {why}");
        let (well, _, why) = run(&[kind], &[]);
        assert!(!well && why.contains("need PostgreSQL"), "{kind}: {why}");
    }
}

/// What tends a database beside a server makes none, and says where one might be.
#[actix_web::test]
async fn a_command_in_an_empty_folder_says_what_is_wrong_and_makes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let nobody = uuid::Uuid::nil().to_string();
    let add = ["device", "add", "--enterprise", "A1", "--location", "P1"];
    let add = [&add[..], &["--name", "x"]].concat();
    for words in [
        &add[..],
        &["device", "list", "--enterprise", "A1"],
        &["device", "ticket", &nobody],
        &["device", "revoke", &nobody, "--reason", "lost"],
        &["admin", "erase-overdue"],
        &["admin", "public-role"],
        &["keys", "inbox"],
        &["keys", "reader"],
    ] {
        let mut command = command(words, &[]);
        let ended = command.current_dir(&folder).output().expect("it runs");
        let why = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && ended.stdout.is_empty(), "{why}");
        for told in ["there is no", "data/", "--config FILE", "SUYUAN__"] {
            assert!(why.contains(told), "{words:?}: {why}");
        }
        let left = std::fs::read_dir(&folder).expect("the folder").count();
        assert_eq!(left, 0, "{words:?} made something");
    }
    // There is a database, and nothing in it: on either.
    let file = folder.path().join("empty.db");
    std::fs::write(&file, "").expect("a file");
    let file = format!("sqlite://{}", file.display());
    for url in [file, new_postgres_database().await] {
        let settings = [("database.url", url.as_str())];
        let (well, _, why) = run(&["device", "list", "--enterprise", "A1"], &settings);
        assert!(!well && why.contains("holds no schema yet"), "{why}");
        assert!(why.contains("suyuan migrate"), "{why}");
    }
}

#[actix_web::test]
async fn a_public_process_in_production_takes_the_reader_key_and_no_other() {
    let master = Sealer::generate().expect("randomness");
    let (well, reader, why) = run(&["keys", "reader"], &[("security.master_key", &master)]);
    assert!(well, "{why}");
    let sealer = Sealer::from_base64(&master).expect("a key");
    assert_eq!(reader.trim(), sealer.reader_key().to_base64().as_str());
    let base = [("mode", "production"), ("database.url", "postgres://u@h/d")];
    let with = |more: (&'static str, String)| {
        let mut all = base.to_vec();
        all.push((more.0, &more.1));
        run(&["public"], &all).2
    };
    let why = with(("security.master_key", master.to_string()));
    assert!(why.contains("must not be given the master key"), "{why}");
    let (_, _, why) = run(&["public"], &base);
    assert!(why.contains("suyuan keys reader"), "{why}");
}

/// Starts on an empty database, all at the same moment: one schema, one signing key, one
/// installation, and every process takes every other's tokens.
#[actix_web::test]
async fn first_starts_at_the_same_moment_make_one_installation() {
    let url = new_postgres_database().await;
    let key = Sealer::generate().expect("randomness");
    let settings = [
        ("database.url", url.as_str()),
        ("security.master_key", &key),
    ];
    let starting = (0..4).map(|_| Program::start("internal", &settings));
    let nodes = futures_util::future::join_all(starting).await;
    let db = Database::connect(&url).await.expect("a connection");
    let count = async |sql: &str| {
        let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql));
        let row = row.await.expect("an answer").expect("a row");
        row.try_get::<i64>("", "n").expect("a number")
    };
    assert_eq!(count("SELECT count(*) AS n FROM signing_key").await, 1);
    assert_eq!(count("SELECT count(*) AS n FROM log_head").await, 1);
    for node in &nodes {
        assert_eq!(node.caller().get("/readyz").await.status, 200);
    }
}

#[actix_web::test]
async fn a_token_signed_with_a_key_made_later_is_taken() {
    let (site, demo) = Site::with_world(migrated_postgres_database().await).await;
    let old = site.internal(&[]).await;
    // A second key, as if two had been made: the newest signs.
    let db = Database::connect(&site.owner_url)
        .await
        .expect("a connection");
    let kept = "UPDATE signing_key SET kid = kid";
    db.execute_unprepared(kept).await.expect("the first key");
    db.execute_unprepared(
        "CREATE TABLE aside AS SELECT * FROM signing_key; DELETE FROM signing_key",
    )
    .await
    .expect("the key set aside");
    let new = site.internal(&[]).await;
    let restore = "INSERT INTO signing_key SELECT * FROM aside; DROP TABLE aside";
    db.execute_unprepared(restore).await.expect("both keys");
    let token = sign_in(&new, &demo).await;
    assert_eq!(token.get("/v1/me").await.status, 200);
    let there = Caller::new(&old.url, token.token().map(str::to_owned));
    let taken = || async { there.get("/v1/me").await.status == 200 };
    until("the new key being known", 8 * SECOND, taken).await;
}

#[actix_web::test]
async fn a_public_process_waits_for_the_schema_and_its_rights() {
    let (site, demo) = Site::with_world(migrated_postgres_database().await).await;
    let db = Database::connect(&site.owner_url)
        .await
        .expect("a connection");
    db.execute_unprepared("ALTER TABLE public_chunk RENAME TO not_there_yet")
        .await
        .expect("an older schema");
    let url = site.public_url.clone();
    let waiting = tokio::spawn(async move {
        let settings = site.public_settings(&url);
        let node = Program::start("public", &settings).await;
        (node.scan(&demo.codes.legal[0]).await, node.said())
    });
    tokio::time::sleep(3 * SECOND).await;
    assert!(!waiting.is_finished(), "it says something before it can");
    db.execute_unprepared("ALTER TABLE not_there_yet RENAME TO public_chunk")
        .await
        .expect("the schema");
    let (scanned, said) = waiting.await.expect("a start");
    assert_eq!(scanned, "200 legal ok");
    assert!(said.contains("no SELECT on public_chunk"), "{said}");
    assert!(said.contains("suyuan admin public-role"), "{said}");
}

/// A release from before there was a reader key left rows without it.
#[actix_web::test]
async fn keys_of_an_earlier_release_are_wrapped_for_readers_by_the_internal_process() {
    let (site, demo) = Site::with_world(migrated_postgres_database().await).await;
    let db = Database::connect(&site.owner_url)
        .await
        .expect("a connection");
    let earlier = "UPDATE public_space SET \
        keys = regexp_replace(keys, ',\"for_readers\":\"[^\"]*\"', '', 'g')";
    let changed = db.execute_unprepared(earlier).await.expect("earlier rows");
    assert!(changed.rows_affected() > 0);
    let waiting = {
        let site = site.clone();
        tokio::spawn(async move { site.public(&[]).await })
    };
    tokio::time::sleep(3 * SECOND).await;
    assert!(!waiting.is_finished(), "it opened keys it cannot open");
    let _internal = site.internal(&[]).await;
    let node = waiting.await.expect("a start");
    assert_eq!(node.scan(&demo.codes.legal[0]).await, "200 legal ok");
    assert!(
        node.said().contains("not wrapped for readers yet"),
        "{}",
        node.said()
    );
}

/// Rolling out the next release: its schema is there first, with tables, columns and rights this
/// release knows nothing of; processes of this release go on, and start.
#[actix_web::test]
async fn this_release_works_on_the_next_releases_schema() {
    let (site, demo) = Site::with_world(migrated_postgres_database().await).await;
    let running = site.public(&[]).await;
    let internal = site.internal(&[]).await;
    let db = Database::connect(&site.owner_url)
        .await
        .expect("a connection");
    db.execute_unprepared(
        "INSERT INTO seaql_migrations VALUES ('m9999_next', 0); \
         CREATE TABLE public_next (id bigint PRIMARY KEY); \
         ALTER TABLE public_batch ADD COLUMN next text; \
         ALTER TABLE public_space ADD COLUMN next bigint NOT NULL DEFAULT 0; \
         ALTER TABLE query_log ADD COLUMN next bigint; \
         ALTER TABLE recall ADD COLUMN next text",
    )
    .await
    .expect("the next schema");
    let role = site.public_url["postgres://".len()..].split('@').next();
    make_role(&site.owner_url, role.expect("a role"));
    let started = site.public(&[]).await;
    let again = site.internal(&[]).await;
    for node in [&running, &started] {
        assert_eq!(node.scan(&demo.codes.legal[0]).await, "200 legal ok");
        assert_eq!(
            node.scan(&demo.codes.recalled[0]).await,
            "200 legal stop recalled"
        );
    }
    for node in [&internal, &again] {
        let officer = sign_in(node, &demo).await;
        let batches = officer.get("/v1/batches").await.json();
        let batch = &batches["items"][0]["id"];
        let id = crate::support::recall(&officer, batch).await;
        crate::support::close(&officer, &id).await;
    }
}
