//! The driver against the bare handler, both for real: counts add up, wrong answers are noticed,
//! and nothing is left running.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    rc::Rc,
    time::Duration,
};

use suyuan_loadtest::{
    baseline::Baseline,
    client::Reply,
    drive::{Aim, closed_loop, on_this_thread, open_loop},
    process::Cores,
    target::{Target, free_ports},
    workload::{Expected, Workload},
};

const PATH: &str = "/01/06901234000016/21/0A123456789BCD";

fn answer() -> Reply {
    Reply {
        status: 200,
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("etag".to_owned(), "\"v1\"".to_owned()),
            ("vary".to_owned(), "Accept".to_owned()),
        ],
        body: br#"{"legality":"legal","advice":"ok"}"#.to_vec(),
    }
}

async fn baseline() -> (Baseline, Aim) {
    let program = Path::new(env!("CARGO_BIN_EXE_suyuan-loadtest"));
    let baseline = Baseline::start(program, Cores::choose(), &answer())
        .await
        .expect("the baseline starts");
    let aim = Aim {
        target: baseline.target.clone(),
        pid: Some(baseline.pid()),
        connections: 4,
    };
    assert!(aim.target.addr().port() < 32_768);
    (baseline, aim)
}

#[test]
fn a_closed_loop_counts_every_answer_and_finds_them_right() {
    on_this_thread(async {
        let (_baseline, aim) = baseline().await;
        let load = Workload::cycle(&aim.target, [PATH.to_owned()].into(), Expected::BASELINE);
        let outcome = closed_loop(
            &aim,
            (&load, Duration::from_millis(50)),
            &load,
            Duration::from_millis(300),
        )
        .await
        .expect("the run ends");
        assert_eq!(outcome.first_wrong, None);
        assert!(outcome.in_time > 20, "{outcome:?}");
        assert_eq!(outcome.latency.len(), outcome.answered);
        // At most one request of each connection is in flight when the time is over.
        assert!(outcome.answered - outcome.in_time <= 4);
        assert!(outcome.measured <= Duration::from_millis(300));
        assert!(outcome.rate() > 0.0 && outcome.max_ms() >= outcome.latency_ms(0.5));
    })
    .expect("a runtime");
}

#[test]
fn a_bounded_workload_is_asked_exactly_once_each() {
    on_this_thread(async {
        let (_baseline, aim) = baseline().await;
        let warm = Workload::cycle(&aim.target, [PATH.to_owned()].into(), Expected::BASELINE);
        let load = Workload::once(&aim.target, vec![PATH.to_owned(); 777]);
        load.borrow_mut().expected = Expected::BASELINE;
        let length = Duration::from_secs(20);
        let outcome = closed_loop(&aim, (&warm, Duration::from_millis(50)), &load, length)
            .await
            .expect("the run ends");
        assert_eq!((outcome.answered, outcome.wrong), (777, 0));
        assert!(outcome.measured < length, "it ends when nothing is left");
    })
    .expect("a runtime");
}

#[test]
fn an_open_loop_keeps_to_its_schedule() {
    on_this_thread(async {
        let (_baseline, aim) = baseline().await;
        let load = Workload::cycle(&aim.target, [PATH.to_owned()].into(), Expected::BASELINE);
        let (warm_up, length) = (Duration::from_millis(50), Duration::from_millis(300));
        let outcome = open_loop(&aim, &load, 1000.0, warm_up, length)
            .await
            .expect("the run ends");
        assert_eq!((outcome.answered, outcome.wrong), (300, 0));
        // Only requests whose connection was free in time can be the generator's own delay.
        assert!((1..=300).contains(&outcome.lateness.len()));
    })
    .expect("a runtime");
}

#[test]
fn a_stall_is_charged_to_every_request_that_fell_due_in_it() {
    let [port] = free_ports().expect("a free port");
    let target = Target::local(port);
    let listener = TcpListener::bind(target.addr()).expect("the port is free");
    // Answers one connection, and stalls once.
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let body = r#"{"legality":"legal"}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        let answer = head + body;
        let mut request = [0; 4096];
        let mut answered = 0;
        while stream.read(&mut request).is_ok_and(|length| length > 0) {
            answered += 1;
            if answered == 100 {
                std::thread::sleep(Duration::from_millis(200));
            }
            if stream.write_all(answer.as_bytes()).is_err() {
                break;
            }
        }
    });
    let outcome = on_this_thread(async {
        let aim = Aim {
            target: target.clone(),
            pid: None,
            connections: 1,
        };
        let load = Workload::cycle(&target, [PATH.to_owned()].into(), Expected::BASELINE);
        let (warm_up, length) = (Duration::from_millis(50), Duration::from_millis(400));
        open_loop(&aim, &load, 1000.0, warm_up, length).await
    })
    .expect("a runtime")
    .expect("the run ends");
    server.join().expect("the server ends with its connection");
    assert_eq!((outcome.answered, outcome.wrong), (400, 0));
    // One request stalled for 200 ms; those due meanwhile waited for what was left of it.
    let waited = outcome.latency.count_between(50_000, 60_000_000);
    assert!(waited >= 100, "{waited} of {} waited", outcome.answered);
    assert!(outcome.max_ms() >= 190.0, "{}", outcome.max_ms());
}

#[test]
fn answers_that_are_not_the_expected_ones_are_counted_as_wrong() {
    on_this_thread(async {
        let (_baseline, aim) = baseline().await;
        let warm = Workload::cycle(&aim.target, [PATH.to_owned()].into(), Expected::BASELINE);
        for expected in [Expected::FORGED, Expected::LEGAL] {
            let load = Workload::cycle(&aim.target, [PATH.to_owned()].into(), expected);
            let outcome = closed_loop(
                &aim,
                (&warm, Duration::from_millis(20)),
                &load,
                Duration::from_millis(100),
            )
            .await
            .expect("the run ends");
            // FORGED expects another status, LEGAL that the answer names the unit.
            assert!(outcome.wrong > 0, "{outcome:?}");
            assert!(outcome.first_wrong.is_some());
        }
    })
    .expect("a runtime");
}

#[test]
fn a_server_that_is_gone_is_an_error_and_not_a_rate_of_zero() {
    on_this_thread(async {
        let (baseline, aim) = baseline().await;
        drop(baseline);
        let load = Workload::cycle(&aim.target, [PATH.to_owned()].into(), Expected::BASELINE);
        let length = Duration::from_millis(50);
        let result = closed_loop(&aim, (&Rc::clone(&load), length), &load, length).await;
        assert!(result.is_err());
    })
    .expect("a runtime");
}
