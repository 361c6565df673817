//! The client over reqwest, on the loopback.

use std::net::SocketAddr;
use std::sync::Mutex;

use axum::extract::State;
use countersign_fixtures::ca::Ca;
use http::header::LOCATION;

use super::*;
use crate::clock::SystemClock;
use crate::httpsig::{MemoryReplayStore, Scheme};
use crate::web::testing::{Answer, WebHost};

type Seen = Arc<Mutex<Vec<(String, http::HeaderMap)>>>;

/// A server that requires signatures for its own origin, notes every request, and sends those to
/// `/to/…` on.
struct Server {
    address: SocketAddr,
    seen: Seen,
}

impl Server {
    async fn start(key: &HttpSigningKey) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let here = Origin {
            scheme: Scheme::Http,
            authority: address.to_string(),
        };
        let keys = KeySource::held(HttpKeySet::of([key.verifying_key()]));
        let layer = Recognize::new(Profile::a2a(), keys, OriginRule::fixed(here))
            .clock(Arc::new(SystemClock))
            .replay(Arc::new(MemoryReplayStore::default()));
        let seen = Seen::default();
        let app = Router::new()
            .fallback(go_on)
            .layer(layer)
            .layer(axum::middleware::from_fn_with_state(seen.clone(), note));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, seen }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn seen(&self) -> Vec<(String, http::HeaderMap)> {
        self.seen.lock().expect("no panic").clone()
    }
}

async fn note(
    State(seen): State<Seen>,
    request: Request<Body>,
    next: axum::middleware::Next,
) -> Response<Body> {
    let line = format!("{} {}", request.method(), request.uri().path());
    seen.lock()
        .expect("no panic")
        .push((line, request.headers().clone()));
    next.run(request).await
}

/// `/to/307/http://…` answers 307 to there, everything else the body.
async fn go_on(uri: http::Uri, body: String) -> Response<Body> {
    let Some((status, to)) = uri
        .path()
        .strip_prefix("/to/")
        .and_then(|to| to.split_once('/'))
    else {
        return Response::new(Body::from(body));
    };
    let answer = Response::builder().status(status).header(LOCATION, to);
    answer.body(Body::empty()).expect("an answer")
}

fn client(key: &HttpSigningKey) -> SigningClient {
    let root = Ca::new("web.example").root().clone();
    SigningClient::trusting(signer(key, Profile::a2a()), vec![root]).expect("a client")
}

fn request(method: http::Method, url: &str) -> Request<&'static str> {
    let body = if method == http::Method::GET {
        ""
    } else {
        BODY
    };
    Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", "Bearer secret")
        .header("cookie", "session=secret")
        .body(body)
        .expect("a request")
}

#[tokio::test]
async fn every_hop_has_a_signature_of_its_own_and_no_credential_of_another() {
    let key = key();
    let (one, two) = (Server::start(&key).await, Server::start(&key).await);
    let client = client(&key).redirects(Redirects::Anywhere);
    let to = one.url(&format!("/to/302/{}", two.url("/end")));
    let answer = client
        .send(request(http::Method::GET, &to))
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let (first, second) = (one.seen(), two.seen());
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(first[0].1["authorization"], "Bearer secret");
    assert_eq!(second[0].0, "GET /end");
    for name in ["authorization", "cookie"] {
        assert!(!second[0].1.contains_key(name), "{name}");
    }
    for name in ["signature", "signature-input"] {
        assert_eq!(second[0].1.get_all(name).iter().count(), 1);
        assert_ne!(first[0].1[name], second[0].1[name], "{name}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_the_answer_unless_it_is_allowed() {
    let key = key();
    let (one, two) = (Server::start(&key).await, Server::start(&key).await);
    let there = one.url(&format!("/to/302/{}", two.url("/end")));
    let answer = client(&key).send(request(http::Method::GET, &there)).await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::FOUND);
    // A body stays where it was sent to, even then.
    let there = one.url(&format!("/to/307/{}", two.url("/end")));
    let anywhere = client(&key).redirects(Redirects::Anywhere);
    let answer = anywhere.send(request(http::Method::POST, &there)).await;
    assert_eq!(
        answer.expect("an answer").status(),
        StatusCode::TEMPORARY_REDIRECT
    );
    assert!(two.seen().is_empty());
}

#[tokio::test]
async fn within_an_origin_hops_go_on_with_body_and_fresh_signatures() {
    let key = key();
    let server = Server::start(&key).await;
    let there = server.url("/to/307//to/308//end");
    let answer = client(&key).send(request(http::Method::POST, &there)).await;
    assert_eq!(
        answer.expect("an answer").text().await.expect("a body"),
        BODY
    );
    let seen = server.seen();
    let lines: Vec<_> = seen.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "POST /to/307//to/308//end",
            "POST /to/308//end",
            "POST /end"
        ]
    );
    assert!(
        seen.iter()
            .all(|(_, fields)| fields.contains_key("authorization"))
    );
    let mut signatures: Vec<_> = seen
        .iter()
        .map(|(_, fields)| &fields["signature"])
        .collect();
    signatures.dedup();
    assert_eq!(signatures.len(), 3);

    let answer = client(&key).redirects(Redirects::Never);
    let answer = answer.send(request(http::Method::POST, &there)).await;
    assert_eq!(
        answer.expect("an answer").status(),
        StatusCode::TEMPORARY_REDIRECT
    );
}

#[tokio::test]
async fn redirects_end() {
    let key = key();
    let server = Server::start(&key).await;
    for (hops, fine) in [(10, true), (11, false)] {
        let to = server.url(&format!("{}/end", "/to/302/".repeat(hops)));
        let answer = client(&key).send(request(http::Method::GET, &to)).await;
        let reason = answer.err().map(|error| error.reason());
        assert_eq!(reason, (!fine).then_some("http.redirects"), "{hops}");
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_signed_is_not_sent() {
    let key = key();
    let server = Server::start(&key).await;
    let mut with_user: reqwest::Url = server.url("/").parse().expect("a URL");
    with_user.set_username("u").expect("a user");
    let user = reqwest::Request::new(http::Method::GET, with_user);
    let stated = signer(
        &key,
        Profile::a2a()
            .covering(crate::httpsig::ComponentId::parse("\"x-absent\"").expect("an identifier")),
    );
    let root = Ca::new("web.example").root().clone();
    let absent = SigningClient::trusting(stated, vec![root]).expect("a client");
    let plain = request(http::Method::GET, &server.url("/"));
    let cases = [
        (client(&key).execute(user).await, "send.user"),
        (absent.send(plain).await, "signature.component_absent"),
    ];
    for (result, want) in cases {
        assert_eq!(result.expect_err(want).reason(), want);
    }
    assert!(server.seen().is_empty());
    let none = SigningClient::trusting(signer(&key, bots()), Vec::new());
    assert_eq!(none.expect_err("no roots").reason(), "http.tls");
}

#[tokio::test]
async fn over_tls_only_who_proves_the_name_is_answered_to() {
    let (ca, key) = (Ca::new("web.example"), key());
    let host = WebHost::start(&ca, &["localhost"]).await;
    host.answers(|_| Answer::new(200, "", "seven left"));
    let url = format!("https://localhost:{}/stock", host.port());
    let trusting = |ca: &Ca| {
        let roots = vec![ca.root().clone()];
        SigningClient::trusting(signer(&key, bots()), roots).expect("a client")
    };
    let answer = trusting(&ca).send(request(http::Method::GET, &url)).await;
    assert_eq!(
        answer.expect("an answer").text().await.expect("a body"),
        "seven left"
    );
    let head = &host.requests()[0];
    assert!(head.contains("signature-input: sig1=("), "{head}");
    let other = trusting(&Ca::new("other.example"))
        .send(request(http::Method::GET, &url))
        .await;
    assert_eq!(other.expect_err("another root").reason(), "http.failed");
    assert_eq!(host.requests().len(), 1);
}
