//! What became of a unit, as an act shows it, is told to consumers within the freshness budget, and
//! taken back when it does not hold any more.

use crate::{
    publication::shown,
    support::{array, id, ok, text_of},
};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use suyuan::{
    codes::targets::{Name, Namer},
    log::{Entry, Kind},
    projection::units::{PublicUnit, UnitStatus, set_unit_statuses, unit_status},
    queries::fold::Counted,
    suspicions::{
        self,
        rules::{Suspicion, judge},
    },
};
use suyuan_sync::{trace_code, unit::UnitKey};
use suyuan_tests::{TestApp, on_both, until};

const NOTHING: UnitStatus = status(false, false, false);
const COLLECTED: UnitStatus = status(true, false, false);
const DESTROYED: UnitStatus = status(false, true, false);
const COPIED: UnitStatus = status(false, false, true);

const fn status(collected: bool, destroyed: bool, suspected_copy: bool) -> UnitStatus {
    UnitStatus {
        collected,
        destroyed,
        suspected_copy,
        stated: None,
        holds: BTreeMap::new(),
    }
}

async fn said(app: &TestApp, code: &str) -> String {
    let view = app.consumer().scan(code).await.json();
    let reasons: Vec<String> = array(&view["reasons"]).iter().map(text_of).collect();
    format!("{} {}", text_of(&view["advice"]), reasons.join(","))
}

/// Shows this, in one entry of the log.
async fn show(app: &TestApp, units: &[(PublicUnit, UnitStatus)]) {
    let act = app.state().log.begin_as_system().await.expect("an act");
    set_unit_statuses(&act, units).await.expect("shown");
    let entry = Entry {
        kind: Kind::MasterDataChanged,
        enterprise: None,
        subject: "test".into(),
        body: &"unit states",
    };
    act.commit(entry, &()).await.expect("an entry");
}

/// The unit a code of this enterprise names.
async fn unit(app: &TestApp, enterprise: &str, code: &str) -> PublicUnit {
    let enterprise = enterprise.parse().expect("an id");
    let mut namer = Namer::open(app.state(), enterprise).await.expect("keys");
    let code = trace_code::parse(code).expect("a code").code;
    match namer.name(&code).await.expect("keys").expect("its own") {
        Name::Minted(space, index) => PublicUnit::Minted(space, index),
        Name::Other(key) => PublicUnit::Other(key),
    }
}

on_both!(what_became_of_a_unit_is_told_and_taken_back, |app| {
    let demo = app.world().await;
    let maker = id(&shown(&app, &demo, true).await.enterprise);
    let care = id(&shown(&app, &demo, false).await.enterprise);
    let legal = &demo.codes.legal;
    let mut tins = Vec::new();
    for code in &legal[..3] {
        tins.push(unit(&app, &maker, code).await);
    }
    let bottle = unit(&app, &care, &demo.codes.care[0]).await;
    let case = unit(&app, &maker, &demo.codes.case[0]).await;
    let pallet = unit(&app, &maker, &demo.codes.pallet[0]).await;
    show(
        &app,
        &[
            (tins[0].clone(), COLLECTED),
            (tins[1].clone(), DESTROYED),
            (bottle.clone(), COPIED),
            (case.clone(), DESTROYED),
            (pallet.clone(), DESTROYED),
        ],
    )
    .await;
    let so = || async { said(&app, &legal[0]).await == "stop collected" };
    until("the state told", Duration::from_secs(1), so).await;
    for (code, expected) in [
        (&legal[1], "stop destroyed"),
        (&legal[2], "ok "),
        (&demo.codes.care[0], "caution suspected_copy"),
        (&demo.codes.care[1], "ok "),
        (&demo.codes.case[0], "stop destroyed"),
        (&demo.codes.pallet[0], "stop destroyed,names_logistic_unit"),
    ] {
        assert_eq!(said(&app, code).await, expected, "{code}");
    }
    let state = app.state();
    let kept = unit_status(state.db.reader(), &tins[1]).await;
    assert_eq!(kept.expect("a status"), DESTROYED);

    // A later fact explained it away, and another came: the whole status is told each time.
    let both = UnitStatus {
        collected: true,
        ..DESTROYED
    };
    show(
        &app,
        &[
            (tins[0].clone(), NOTHING),
            (tins[1].clone(), both),
            (bottle, NOTHING),
            (pallet, NOTHING),
            (tins[2].clone(), DESTROYED),
            (tins[2].clone(), NOTHING), // the last word counts
        ],
    )
    .await;
    app.settled().await;
    for (code, expected) in [
        (&legal[0], "ok "),
        (&legal[1], "stop destroyed,collected"),
        (&legal[2], "ok "),
        (&demo.codes.care[0], "ok "),
        (&demo.codes.case[0], "stop destroyed"),
        (&demo.codes.pallet[0], "caution names_logistic_unit"),
    ] {
        assert_eq!(said(&app, code).await, expected, "{code}");
    }
    app.stop().await;
});

on_both!(
    a_unit_without_a_code_of_ours_has_a_state_by_its_name,
    |app| {
        let demo = app.world().await;
        let path = "/01/04012345678901/21/Ab-1";
        let named = PublicUnit::Other(UnitKey::kept(path));
        let status = async |path: &str| app.consumer().scan(path).await.status;
        assert_eq!(said(&app, path).await, "caution unknown_issuer");
        show(&app, &[(named.clone(), DESTROYED)]).await;
        app.settled().await;
        assert_eq!(said(&app, path).await, "stop destroyed,unknown_issuer");
        assert_eq!(status(path).await, 404);
        assert_eq!(
            said(&app, "/01/04012345678901/21/AB-1").await,
            "caution unknown_issuer"
        );
        // Nothing of ours is read for a forged code, whatever is known of others.
        let forged = &demo.codes.forged[0];
        assert_eq!(said(&app, forged).await, "stop not_allocated");
        show(&app, &[(named.clone(), NOTHING)]).await;
        app.settled().await;
        assert_eq!(said(&app, path).await, "caution unknown_issuer");
        app.stop().await;
    }
);

on_both!(
    a_copy_that_events_betray_is_not_cleared_with_the_queries,
    |app| {
        let demo = app.world().await;
        let shown = shown(&app, &demo, true).await;
        let tin = unit(&app, &id(&shown.enterprise), &demo.codes.legal[0]).await;
        show(&app, &[(tin.clone(), COPIED)]).await;
        let PublicUnit::Minted(space, index) = tin.clone() else {
            panic!("one of ours");
        };
        let counted = Counted {
            code: demo.codes.legal[0].clone(),
            space,
            index: index as i64,
            n: 1,
        };
        let state = app.state();
        let (_, evidence) = judge(&[], state.settings.suspicion);
        suspicions::store::raise(
            &state.log,
            &state.db,
            &counted,
            Suspicion::SuspectedCopy,
            &evidence,
        )
        .await
        .expect("raised");
        let raised = ok(shown.admin.get("/v1/suspicions").await);
        let path = format!("/v1/suspicions/{}/clear", id(&raised["items"][0]));
        ok(shown.admin.post(&path, &json!({"note": "家人"})).await);
        app.settled().await;
        assert_eq!(
            said(&app, &demo.codes.legal[0]).await,
            "caution suspected_copy"
        );
        show(&app, &[(tin, NOTHING)]).await;
        app.settled().await;
        assert_eq!(said(&app, &demo.codes.legal[0]).await, "ok ");
        app.stop().await;
    }
);
