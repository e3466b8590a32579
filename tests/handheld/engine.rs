//! The one task that admits: what fails in it stops nobody else, and when it is gone the process says
//! that it is not ready.

use crate::scene::{Scene, holds, inbound, sale};
use actix_web::{App, test, web::Data};
use futures_util::FutureExt;
use suyuan::{app::Internal, handheld::push::PushError, http::Draining, operations};
use suyuan_sync::wire::Status;
use suyuan_tests::on_both;

on_both!(a_task_that_panics_is_answered_and_the_engine_goes_on, |app| {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let tin = &scene.tins[0];
    let event = device.event("inbound", &inbound(&[tin]));
    device.push(&[event]).await;
    let ingest = &app.state().handheld.ingest;
    for _ in 0..2 {
        let failed = ingest
            .with_engine::<()>(|engine| {
                async move {
                    let block = engine.log().begin_block().await.expect("the head");
                    assert!(block.before() < 0, "a slip while the head is locked");
                }
                .boxed()
            })
            .await;
        assert!(matches!(failed, Err(PushError::Broken)), "{failed:?}");
    }
    let event = device.event("sale", &sale(&[tin]));
    let answer = device.push(&[event]).await;
    assert_eq!(answer.results[0].status, Status::Stored);
    assert!(answer.results[0].findings.is_empty(), "{answer:?}");
    assert_eq!(app.stranger().get("/readyz").await.status, 200);
    holds(&app, "after tasks that panicked").await;
    app.stop().await;
});

on_both!(a_process_that_admits_no_more_is_not_ready, |app| {
    let of = app.state();
    let opened = Internal::open(
        of.settings.clone(),
        of.db.clone(),
        of.clock.clone(),
        of.sealer.clone(),
        Draining::default(),
    );
    let (internal, admitting) = opened.await.expect("a second one");
    let state = Data::new(internal);
    let served = App::new().app_data(state.clone()).service(operations::readyz);
    let served = test::init_service(served).await;
    let ready = || test::TestRequest::get().uri("/readyz").to_request();
    assert_eq!(test::call_service(&served, ready()).await.status(), 200);
    admitting.abort();
    let _ = admitting.await;
    assert_eq!(test::call_service(&served, ready()).await.status(), 503);
    app.stop().await;
});
