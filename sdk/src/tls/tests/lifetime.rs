//! Certificates and trust that end while connections live.

use std::time::Instant;

use countersign_fixtures::ca::{Leaf, now};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::clock::{Clock, ManualClock, SystemClock, UnixTime};
use crate::workload::testing::{started, workload};

const BOOKING: &str = "spiffe://a.test/agent/booking";
const PLANNER: &str = "spiffe://a.test/agent/planner";

/// Reads an endless answer until it breaks; how long that took.
async fn until_broken(mut body: Incoming) -> Duration {
    let began = Instant::now();
    let read = async {
        loop {
            match body.frame().await {
                Some(Ok(_)) => {}
                Some(Err(_)) => return,
                None => panic!("a cut answer passed for complete"),
            }
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(5), read).await;
    done.expect("it broke");
    began.elapsed()
}

/// A pair whose clock can be moved past the client's or the server's end.
async fn pair(server_life: u64, client_life: u64) -> (Arc<ManualClock>, Running, Workload) {
    let ca = authority();
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(now())));
    let base = clock.now().secs();
    let mut booking = Leaf::of(BOOKING);
    booking.not_after = base + server_life;
    let (booking, _) = started(&ca, &booking, &[&ca], clock.clone()).await;
    let mut planner = Leaf::of(PLANNER);
    planner.not_after = base + client_life;
    let (planner, _) = started(&ca, &planner, &[&ca], clock.clone()).await;
    let server = Running::echo(booking, ServeOptions::default()).await;
    (clock, server, planner)
}

#[tokio::test]
async fn nothing_is_sent_after_our_own_certificate_ended() {
    let (clock, server, planner) = pair(3600, 100).await;
    let end = planner.current().identity().not_after();
    for http in BOTH {
        clock.set(end.minus(Duration::from_secs(100)));
        let transport = transport(&planner, http);
        let to = server.endpoint(BOOKING);
        clock.set(end);
        assert_eq!(word(who_am_i(&transport, &to).await), "fine", "last second");
        clock.set(end.plus(Duration::from_secs(1)));
        let error = who_am_i(&transport, &to).await.expect_err("ended");
        assert_eq!(error.reason(), "tls.own_expired");
        assert!(!error.may_have_arrived());
    }
}

#[tokio::test]
async fn a_server_shows_no_certificate_that_ended() {
    let (clock, server, planner) = pair(100, 3600).await;
    let to = server.endpoint(BOOKING);
    clock.set(UnixTime::from_secs(now() + 200));
    for http in BOTH {
        let error = who_am_i(&transport(&planner, http), &to).await;
        assert_eq!(word(error), "tls.handshake", "{http:?}");
    }
    assert_eq!(server.refusals(2).await, ["tls.own_expired"; 2]);
}

#[tokio::test]
async fn an_answer_is_cut_within_a_second_of_the_earliest_end() {
    for (server_life, client_life) in [(100, 3600), (3600, 100)] {
        for http in BOTH {
            let (clock, server, planner) = pair(server_life, client_life).await;
            let transport = transport(&planner, http);
            let to = server.endpoint(BOOKING);
            let ticks = get_from(&transport, &to, "/ticks").await.expect("let in");
            clock.set(UnixTime::from_secs(now() + 200));
            let took = until_broken(ticks.response.into_body()).await;
            assert!(took < Duration::from_secs(1), "{http:?}: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_near_its_end_is_not_used_again() {
    for http in BOTH {
        let (clock, server, planner) = pair(100, 3600).await;
        let transport = transport(&planner, http);
        let to = server.endpoint(BOOKING);
        let began = clock.now();
        // A quarter of its life before the end it still is, a second later it is not.
        for (at, handshakes) in [(0, 1), (75, 1), (76, 2)] {
            clock.set(began.plus(Duration::from_secs(at)));
            assert_eq!(word(who_am_i(&transport, &to).await), "fine");
            assert_eq!(transport.handshakes(), handshakes, "{http:?} at {at}");
        }
    }
}

#[tokio::test]
async fn a_server_asks_http_1_clients_to_go_before_the_end() {
    let ca = authority();
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(now())));
    let began = clock.now();
    let mut booking = Leaf::of(BOOKING);
    booking.not_after = began.secs() + 80;
    let (booking, _) = started(&ca, &booking, &[&ca], clock.clone()).await;
    let (planner, _) = started(&ca, &Leaf::of(PLANNER), &[&ca], clock.clone()).await;
    let server = Running::echo(booking, ServeOptions::default()).await;
    let mut stream = by_hand(&ca, &planner, &server).await;
    // An eighth of its life before the end, and not a second sooner.
    for (at, closes) in [(0, false), (69, false), (70, true)] {
        clock.set(began.plus(Duration::from_secs(at)));
        let request = b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.expect("sent");
        let mut answer = Vec::new();
        while !answer.ends_with(PLANNER.as_bytes()) {
            assert!(stream.read_buf(&mut answer).await.expect("an answer") > 0);
        }
        let answer = String::from_utf8(answer).expect("text");
        assert_eq!(answer.contains("connection: close"), closes, "at {at}");
    }
    let mut rest = Vec::new();
    let ended = stream.read_to_end(&mut rest).await;
    assert_eq!(ended.expect("closed in order"), 0);
}

#[tokio::test]
async fn trust_withdrawn_by_the_server_ends_requests_and_answers() {
    let ca = authority();
    let other = Ca::new("b.test");
    for http in BOTH {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let both = [&ca, &other];
        let (booking, _) = started(&ca, &Leaf::of(BOOKING), &both, clock.clone()).await;
        let stranger = Leaf::of("spiffe://b.test/agent/planner");
        let (stranger, _) = started(&other, &stranger, &both, clock.clone()).await;
        let server = Running::echo(booking.clone(), ServeOptions::default()).await;
        let friend = workload(&ca, "/agent/planner").await;
        let (theirs, ours) = (transport(&stranger, http), transport(&friend, http));
        let to = server.endpoint(BOOKING);
        assert_eq!(word(who_am_i(&theirs, &to).await), "fine");
        let ticks = get_from(&theirs, &to, "/ticks").await.expect("let in");
        let kept = get_from(&ours, &to, "/ticks").await.expect("let in");

        booking.withdraw(&"b.test".parse().expect("a domain"));
        assert_ne!(word(who_am_i(&theirs, &to).await), "fine", "{http:?}");
        let took = until_broken(ticks.response.into_body()).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(word(who_am_i(&theirs, &to).await), "tls.peer_rejected_us");

        // Those of another domain notice nothing.
        let mut kept = kept.response.into_body();
        for _ in 0..20 {
            kept.frame().await.expect("goes on").expect("goes on");
        }
        assert_eq!(word(who_am_i(&ours, &to).await), "fine");
    }
}

#[tokio::test]
async fn trust_withdrawn_by_the_client_ends_requests_and_answers() {
    let ca = authority();
    let other = Ca::new("b.test");
    for http in BOTH {
        let both = [&ca, &other];
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let hotel = Leaf::of("spiffe://b.test/agent/hotel");
        let (hotel, _) = started(&other, &hotel, &both, clock.clone()).await;
        let (planner, _) = started(&ca, &Leaf::of(PLANNER), &both, clock).await;
        let server = Running::echo(hotel, ServeOptions::default()).await;
        let transport = transport(&planner, http);
        let to = server.endpoint("spiffe://b.test/agent/hotel");
        let ticks = get_from(&transport, &to, "/ticks").await.expect("let in");
        planner.withdraw(&"b.test".parse().expect("a domain"));
        let error = who_am_i(&transport, &to).await.expect_err("withdrawn");
        assert_eq!(error.reason(), "tls.not_trusted");
        assert!(!error.may_have_arrived());
        let took = until_broken(ticks.response.into_body()).await;
        assert!(took < Duration::from_secs(1), "{http:?}: {took:?}");
        eventually(|| transport.connections() == 0).await;

        // A root that did not issue the peer's certificate does not bring it back.
        let stranger = crate::workload::testing::bundles(&[&Ca::new("b.test")]);
        planner.trust(stranger.get("b.test").expect("there").clone());
        let error = who_am_i(&transport, &to).await.expect_err("another root");
        assert_eq!(error.svid().map(|e| e.reason()), Some("svid.untrusted"));
        let known = crate::workload::testing::bundles(&[&other]);
        planner.trust(known.get("b.test").expect("there").clone());
        assert_eq!(word(who_am_i(&transport, &to).await), "fine");
    }
}
