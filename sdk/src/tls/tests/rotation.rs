//! New certificates and new roots under load.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use countersign_fixtures::ca::{Leaf, now};

use super::*;
use crate::clock::{Clock, SystemClock};
use crate::crypto::CertThumbprint;
use crate::svid::{TrustBundle, TrustBundles};
use crate::workload::Material;
use crate::workload::testing::{material, started};

/// Certificates live this long, in seconds, and are renewed each second.
const LIFE: u64 = 3;
const ROUNDS: u64 = 7;
const TASKS: usize = 8;

#[derive(Default)]
struct Seen {
    certificates: Mutex<HashSet<CertThumbprint>>,
    expired: AtomicUsize,
    requests: AtomicUsize,
}

fn counting(seen: Arc<Seen>) -> Router {
    let count = move |Extension(peer): Extension<PeerIdentity>, body: Bytes| {
        let seen = Arc::clone(&seen);
        async move {
            seen.requests.fetch_add(1, Ordering::Relaxed);
            if peer.not_after() < SystemClock.now() {
                seen.expired.fetch_add(1, Ordering::Relaxed);
            }
            let mut certificates = seen.certificates.lock().expect("no panic");
            certificates.insert(peer.certificate());
            body
        }
    };
    Router::new().route("/", post(count))
}

fn trusting(roots: &[&Ca]) -> TrustBundles {
    let domain = "a.test".parse().expect("a domain");
    let roots = roots.iter().map(|ca| ca.root().clone()).collect();
    TrustBundle::new(domain, roots).expect("a bundle").into()
}

fn renewed(ca: &Ca, id: &str, roots: &[&Ca]) -> Material {
    let issued = ca.issue(&Leaf::of(id).for_seconds(LIFE));
    Material {
        bundles: trusting(roots),
        ..material(&issued, &[])
    }
}

async fn load(
    transport: Transport,
    to: Endpoint,
    stop: Arc<AtomicBool>,
) -> Result<usize, TlsError> {
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        let body = Full::from(vec![b'x'; 1024]);
        let request = Request::post("/").body(body).expect("a request");
        let received = transport.send(&to, request).await?;
        let body = received.response.into_body().collect().await;
        let body = body.map_err(|error| TlsError::Http {
            authority: to.authority().to_owned(),
            what: error.to_string(),
        })?;
        assert_eq!(body.to_bytes().len(), 1024);
        sent += 1;
        if sent % 7 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    Ok(sent)
}

async fn rotate(http: HttpVersion) {
    let (booking_id, planner_id) = ("spiffe://a.test/booking", "spiffe://a.test/planner");
    let (old, new) = (authority(), authority());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let leaf = |id: &str| Leaf::of(id).for_seconds(LIFE);
    let (booking, at_booking) = started(&old, &leaf(booking_id), &[&old], clock.clone()).await;
    let (planner, at_planner) = started(&old, &leaf(planner_id), &[&old], clock).await;
    let seen = Arc::new(Seen::default());
    let router = counting(Arc::clone(&seen));
    let server = Running::start(booking, ServeOptions::default(), router).await;
    let transport = transport(&planner, http);
    let to = server.endpoint(booking_id);
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| tokio::spawn(load(transport.clone(), to.clone(), Arc::clone(&stop))))
        .collect();
    for round in 0..ROUNDS {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // First both roots are trusted, then the new one issues, then the old one goes.
        let issuer = if round < 3 { &old } else { &new };
        let roots: &[&Ca] = match round {
            0 => &[&old],
            1..=5 => &[&old, &new],
            _ => &[&new],
        };
        at_booking.replace(renewed(issuer, booking_id, roots));
        at_planner.replace(renewed(issuer, planner_id, roots));
    }
    stop.store(true, Ordering::Relaxed);
    let mut sent = 0;
    for task in tasks {
        match task.await.expect("no panic") {
            Ok(count) => sent += count,
            Err(error) => panic!("{http:?} at {}: {} {error}", now(), error.reason()),
        }
    }
    assert_eq!(seen.requests.load(Ordering::Relaxed), sent);
    assert_eq!(seen.expired.load(Ordering::Relaxed), 0);
    let certificates = seen.certificates.lock().expect("no panic").len();
    assert!(certificates > 4, "{http:?}: {certificates} certificates");
    assert!(sent > 1000, "{http:?}: {sent} requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_and_roots_change_without_a_failed_request_over_http_1() {
    rotate(HttpVersion::Http1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_and_roots_change_without_a_failed_request_over_http_2() {
    rotate(HttpVersion::Http2).await;
}
