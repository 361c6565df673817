//! Which connection a request may use.

use std::sync::atomic::{AtomicU64, Ordering};

use countersign_fixtures::ca::Leaf;

use super::*;
use crate::clock::SystemClock;
use crate::workload::testing::{material, started, workload};

const BOOKING: &str = "spiffe://a.test/agent/booking";
const PAYMENTS: &str = "spiffe://a.test/agent/payments";

#[tokio::test]
async fn a_connection_is_never_used_for_another_expected_peer() {
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let planner = workload(&ca, "/agent/planner").await;
    for http in BOTH {
        let transport = transport(&planner, http);
        let right = server.endpoint(BOOKING);
        let wrong = server.endpoint(PAYMENTS);
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..200 {
            let transport = transport.clone();
            let to = if n % 2 == 0 {
                right.clone()
            } else {
                wrong.clone()
            };
            tasks.spawn(async move { (n % 2 == 0, who_am_i(&transport, &to).await) });
        }
        while let Some(done) = tasks.join_next().await {
            let (right, got) = done.expect("no panic");
            let want = if right {
                "fine"
            } else {
                "tls.peer_not_expected"
            };
            assert_eq!(word(got), want, "{http:?}");
        }
    }
}

#[tokio::test]
async fn a_new_certificate_of_ours_is_shown_on_new_connections() {
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let leaf = Leaf::of("spiffe://a.test/agent/planner");
    let (planner, source) = started(&ca, &leaf, &[&ca], Arc::new(SystemClock)).await;
    for http in BOTH {
        let transport = transport(&planner, http);
        let to = server.endpoint(BOOKING);
        assert_eq!(word(who_am_i(&transport, &to).await), "fine");
        let ticks = get_from(&transport, &to, "/ticks").await.expect("let in");
        let before = planner.current();
        source.replace(material(&ca.issue(&leaf), &[&ca]));
        eventually(|| planner.current().generation() > before.generation()).await;
        assert_ne!(
            planner.current().identity().certificate(),
            before.identity().certificate()
        );
        let open = transport.connections();
        let held = get_from(&transport, &to, "/ticks").await.expect("let in");
        // What was under way goes on, what was unused is closed, what is new is new.
        let mut body = ticks.response.into_body();
        for _ in 0..5 {
            body.frame().await.expect("goes on").expect("goes on");
        }
        assert!(transport.connections() <= open + 1);
        drop((held, body));
        eventually(|| transport.connections() <= 1).await;
    }
}

#[tokio::test]
async fn a_new_policy_retires_connections() {
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let planner = workload(&ca, "/agent/planner").await;
    let policy = Arc::new(AtomicU64::new(7));
    let transport = Transport::new(
        planner,
        TransportConfig {
            policy_generation: Some(Arc::clone(&policy)),
            ..TransportConfig::default()
        },
    );
    let to = server.endpoint(BOOKING);
    let first = get_from(&transport, &to, "/ticks").await.expect("let in");
    let second = get_from(&transport, &to, "/ticks").await.expect("let in");
    assert_eq!(transport.connections(), 1);
    policy.store(8, Ordering::Release);
    let third = get_from(&transport, &to, "/ticks").await.expect("let in");
    assert_eq!(transport.connections(), 2);
    drop((first, second));
    eventually(|| transport.connections() == 1).await;
    drop(third);
}

#[tokio::test]
async fn connections_are_used_again_and_closed_when_idle() {
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let planner = workload(&ca, "/agent/planner").await;
    for http in BOTH {
        let transport = Transport::new(
            planner.clone(),
            TransportConfig {
                http,
                idle_timeout: Duration::from_millis(500),
                ..TransportConfig::default()
            },
        );
        let to = server.endpoint(BOOKING);
        for _ in 0..50 {
            assert_eq!(word(who_am_i(&transport, &to).await), "fine");
        }
        assert_eq!(transport.connections(), 1, "{http:?}");
        eventually(|| transport.connections() == 0).await;
        assert_eq!(word(who_am_i(&transport, &to).await), "fine");
    }
}

#[tokio::test]
async fn many_requests_at_once_share_what_there_is() {
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let planner = workload(&ca, "/agent/planner").await;
    for (http, most) in [(HttpVersion::Auto, 1), (HttpVersion::Http1, 40)] {
        let transport = transport(&planner, http);
        let to = server.endpoint(BOOKING);
        for _ in 0..3 {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..40 {
                let (transport, to) = (transport.clone(), to.clone());
                tasks.spawn(async move { who_am_i(&transport, &to).await });
            }
            while let Some(done) = tasks.join_next().await {
                assert_eq!(word(done.expect("no panic")), "fine");
            }
        }
        assert!(transport.connections() <= most, "{http:?}");
    }
}

#[tokio::test]
async fn connections_end_with_the_transport() {
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let planner = workload(&ca, "/agent/planner").await;
    let before = Arc::strong_count(planner.clock());
    let transport = transport(&planner, HttpVersion::Auto);
    let to = server.endpoint(BOOKING);
    assert_eq!(word(who_am_i(&transport, &to).await), "fine");
    assert!(Arc::strong_count(planner.clock()) > before);
    drop(transport);
    // Every connection holds the clock.
    eventually(|| Arc::strong_count(planner.clock()) == before).await;
}
