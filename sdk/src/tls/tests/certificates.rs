//! Who is let in, on both sides.

use std::sync::Arc;

use countersign_fixtures::ca::{Ca, Issued, KeyUse, Kind, Leaf, now};
use rustls::client::Resumption;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::super::verifier::PeerVerifier;
use super::*;
use crate::clock::SystemClock;
use crate::workload::testing::{bundles, started, workload};

const BOOKING: &str = "spiffe://a.test/agent/booking";

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn key(issued: &Issued) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(issued.pkcs8.clone()).expect("a key")
}

/// A client that shows what it likes, and expects the booking agent.
fn raw_client(ca: &Ca, shown: Option<&Issued>) -> ClientConfig {
    let expected = BOOKING.parse().expect("an ID");
    let verifier = PeerVerifier::of_server(bundles(&[ca]), Arc::new(SystemClock), expected);
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match shown {
        Some(issued) => builder
            .with_client_auth_cert(issued.chain.clone(), key(issued))
            .expect("a certificate"),
        None => builder.with_no_client_auth(),
    }
}

async fn connect(running: &Running, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(running.address).await?;
    let name = ServerName::try_from("peer.invalid").expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await
}

/// Asks who we are over a connection made by hand.
async fn ask(mut stream: TlsStream<TcpStream>) -> std::io::Result<String> {
    let request = b"GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn each_side_learns_who_the_other_is() {
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let planner = workload(&ca, "/agent/planner").await;
    for http in [HttpVersion::Auto, HttpVersion::Http1, HttpVersion::Http2] {
        let transport = transport(&planner, http);
        let to = server.endpoint(BOOKING);
        for _ in 0..3 {
            let who = who_am_i(&transport, &to).await.expect("let in");
            assert_eq!(who, "spiffe://a.test/agent/planner", "{http:?}");
        }
        assert_eq!(transport.connections(), 1, "{http:?}");
        let request = Request::post("/echo").body(Full::from("text"));
        let received = transport.send(&to, request.expect("a request")).await;
        let received = received.expect("let in");
        let version = match http {
            HttpVersion::Http1 => http::Version::HTTP_11,
            HttpVersion::Auto | HttpVersion::Http2 => http::Version::HTTP_2,
        };
        assert_eq!(received.response.version(), version);
        let body = received.response.into_body().collect().await;
        assert_eq!(body.expect("a body").to_bytes(), "text");
    }
    assert!(server.refusals(0).await.is_empty());
}

#[tokio::test]
async fn another_peer_than_the_expected_one_gets_no_request() {
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/mallory").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let planner = workload(&ca, "/agent/planner").await;
    for http in BOTH {
        let to = server.endpoint(BOOKING);
        let error = who_am_i(&transport(&planner, http), &to)
            .await
            .expect_err("no");
        assert_eq!(error.reason(), "tls.peer_not_expected");
        assert!(!error.may_have_arrived());
        assert!(error.to_string().contains("spiffe://a.test/agent/mallory"));
    }
    assert_eq!(server.refusals(2).await, ["tls.peer_rejected_us"; 2]);
}

#[tokio::test]
async fn a_client_with_one_defect_is_refused_for_that_defect() {
    type Change = fn(&mut Leaf);
    let cases: &[(&str, Change, &str)] = &[
        ("no URI", |l| l.uris.clear(), "svid.no_uri_san"),
        (
            "two URIs",
            |l| l.uris.push("spiffe://a.test/other".into()),
            "svid.several_uri_sans",
        ),
        (
            "another domain",
            |l| l.uris = vec!["spiffe://b.test/x".into()],
            "svid.trust_domain",
        ),
        ("expired", |l| l.not_after = now() - 1, "svid.expired"),
        (
            "keyCertSign",
            |l| l.key_usage.push(KeyUse::KeyCertSign),
            "svid.key_usage",
        ),
        ("P-384", |l| l.kind = Kind::P384, "svid.key"),
    ];
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    for (count, (name, change, want)) in cases.iter().enumerate() {
        let mut leaf = Leaf::of("spiffe://a.test/agent/planner");
        change(&mut leaf);
        let config = raw_client(&ca, Some(&ca.issue(&leaf)));
        let stream = connect(&server, config).await.expect("the server is good");
        // TLS 1.3 tells a client only when it reads that its certificate was refused.
        assert!(ask(stream).await.is_err(), "{name}");
        let words = server.refusals(count + 1).await;
        assert_eq!(words.last(), Some(want), "{name}");
    }
    let good = ca.issue(&Leaf::of("spiffe://a.test/agent/planner"));
    let stream = connect(&server, raw_client(&ca, Some(&good))).await;
    let answer = ask(stream.expect("let in")).await.expect("an answer");
    assert!(
        answer.ends_with("spiffe://a.test/agent/planner"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_client_without_certificate_is_let_in_only_where_that_is_optional() {
    let ca = authority();
    let booking = workload(&ca, "/agent/booking").await;
    let required = Running::echo(booking.clone(), ServeOptions::default()).await;
    let stream = connect(&required, raw_client(&ca, None)).await;
    assert!(ask(stream.expect("the server is good")).await.is_err());
    assert_eq!(required.refusals(1).await, ["tls.no_certificate"]);

    let options = ServeOptions {
        client_certificate: super::super::ClientCertificate::Optional,
        ..ServeOptions::default()
    };
    let optional = Running::echo(booking, options).await;
    let stream = connect(&optional, raw_client(&ca, None)).await;
    let answer = ask(stream.expect("let in")).await.expect("an answer");
    assert!(answer.ends_with("nobody"), "{answer}");
    let stranger = Ca::new("b.test").leaf("/x");
    let stream = connect(&optional, raw_client(&ca, Some(&stranger))).await;
    assert!(ask(stream.expect("the server is good")).await.is_err());
    assert_eq!(optional.refusals(1).await, ["svid.trust_domain"]);
}

#[tokio::test]
async fn a_client_the_server_does_not_trust_is_told_so() {
    let (ca, other) = (authority(), Ca::new("b.test"));
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let leaf = Leaf::of("spiffe://b.test/agent/planner");
    let (stranger, _) = started(&other, &leaf, &[&ca, &other], Arc::new(SystemClock)).await;
    for http in BOTH {
        for _ in 0..10 {
            let to = server.endpoint(BOOKING);
            let error = who_am_i(&transport(&stranger, http), &to)
                .await
                .expect_err("no");
            assert_eq!(error.reason(), "tls.peer_rejected_us", "{http:?}: {error}");
            assert!(!error.may_have_arrived());
        }
    }
    assert_eq!(server.refusals(20).await, ["svid.trust_domain"; 20]);
}

/// A server that shows what it likes to one client.
async fn raw_server(issued: &Issued) -> (Endpoint, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(issued.chain.clone(), key(issued))
        .expect("a certificate");
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let accepted = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
        if let Ok(mut stream) = accepted {
            let mut read = Vec::new();
            let _ = stream.read_to_end(&mut read).await;
            assert!(read.is_empty(), "a request was sent to an untrusted server");
        }
    });
    let base = base.parse().expect("a URL");
    let to = Endpoint::new(base, BOOKING.parse().expect("an ID"));
    (to.expect("an endpoint"), task)
}

#[tokio::test]
async fn a_server_with_one_defect_gets_no_request() {
    type Change = fn(&mut Leaf);
    let cases: &[(&str, Change, &str)] = &[
        (
            "two URIs",
            |l| l.uris.push("spiffe://a.test/other".into()),
            "svid.several_uri_sans",
        ),
        ("only DNS", |l| l.uris.clear(), "svid.no_uri_san"),
        (
            "another domain",
            |l| l.uris = vec!["spiffe://b.test/agent/booking".into()],
            "svid.trust_domain",
        ),
        ("expired", |l| l.not_after = now() - 1, "svid.expired"),
        ("no key usage", |l| l.key_usage.clear(), "svid.key_usage"),
    ];
    let ca = authority();
    let planner = workload(&ca, "/agent/planner").await;
    for (name, change, want) in cases {
        let mut leaf = Leaf::of(BOOKING);
        change(&mut leaf);
        let (to, task) = raw_server(&ca.issue(&leaf)).await;
        let error = who_am_i(&transport(&planner, HttpVersion::Http1), &to).await;
        let error = error.expect_err(name);
        assert_eq!(error.reason(), "tls.peer_untrusted", "{name}");
        assert_eq!(error.svid().map(|e| e.reason()), Some(*want), "{name}");
        task.await.expect(name);
    }
    let (to, task) = raw_server(&Ca::new("a.test").leaf("/agent/booking")).await;
    let error = who_am_i(&transport(&planner, HttpVersion::Http1), &to).await;
    let error = error.expect_err("another root");
    assert_eq!(error.svid().map(|e| e.reason()), Some("svid.untrusted"));
    task.await.expect("another root");
}

#[tokio::test]
async fn sessions_are_never_resumed() {
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let shown = ca.issue(&Leaf::of("spiffe://a.test/agent/planner"));
    let store = Resumption::in_memory_sessions(8);
    for _ in 0..3 {
        let mut config = raw_client(&ca, Some(&shown));
        config.resumption = store.clone();
        let mut stream = connect(&server, config).await.expect("let in");
        let request = b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.expect("sent");
        assert!(stream.read(&mut [0; 512]).await.expect("an answer") > 0);
        let connection = stream.get_ref().1;
        assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(connection.tls13_tickets_received(), 0);
        let group = connection.negotiated_key_exchange_group().map(|g| g.name());
        assert_eq!(group, Some(rustls::NamedGroup::X25519MLKEM768));
    }
}

/// A TLS 1.2 ClientHello: no `supported_versions`, one ECDHE suite.
fn client_hello_of_tls_1_2() -> Vec<u8> {
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]);
    let extensions = [
        &[0, 10, 0, 4, 0, 2, 0, 29][..],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 4, 0, 2, 4, 3],
    ]
    .concat();
    hello.extend([0, u8::try_from(extensions.len()).expect("short")]);
    hello.extend(extensions);
    let len = u8::try_from(hello.len()).expect("short");
    [&[22, 3, 1, 0, len + 4, 1, 0, 0, len][..], &hello].concat()
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let ca = authority();
    let server = Running::echo(
        workload(&ca, "/agent/booking").await,
        ServeOptions::default(),
    );
    let server = server.await;
    let mut stream = TcpStream::connect(server.address).await.expect("connects");
    stream
        .write_all(&client_hello_of_tls_1_2())
        .await
        .expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an alert");
    // A fatal alert, protocol_version (RFC 8446 §6).
    assert_eq!(answer[0], 21);
    assert_eq!(&answer[5..], [2, 70]);
    assert_eq!(server.refusals(1).await, ["tls.handshake"]);
}

#[tokio::test]
async fn a_server_of_tls_1_2_gets_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut read = [0; 4096];
        assert!(stream.read(&mut read).await.expect("a hello") > 0);
        // ServerHello of TLS 1.2 with the suite ECDHE_ECDSA_AES_128_GCM_SHA256.
        let mut hello = vec![22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3];
        hello.extend([9; 32]);
        hello.extend([0, 0xc0, 0x2b, 0]);
        stream.write_all(&hello).await.expect("sent");
        let _ = stream.read(&mut read).await;
    });
    let ca = authority();
    let planner = workload(&ca, "/agent/planner").await;
    let to = Endpoint::new(
        base.parse().expect("a URL"),
        BOOKING.parse().expect("an ID"),
    );
    let to = to.expect("an endpoint");
    let refused = who_am_i(&transport(&planner, HttpVersion::Auto), &to).await;
    assert_eq!(word(refused), "tls.handshake");
}

#[tokio::test]
async fn a_request_for_another_host_is_not_sent() {
    let ca = authority();
    let planner = workload(&ca, "/agent/planner").await;
    let transport = transport(&planner, HttpVersion::Auto);
    let to = Endpoint::new(
        "https://127.0.0.1:9".parse().expect("a URL"),
        BOOKING.parse().expect("an ID"),
    );
    let to = to.expect("an endpoint");
    for url in [
        "https://127.0.0.1:10/",
        "https://evil.test/",
        "http://127.0.0.1:9/",
    ] {
        assert_eq!(
            word(get_from(&transport, &to, url).await),
            "tls.url",
            "{url}"
        );
    }
    for base in ["http://a.test", "https://user@a.test", "/path"] {
        let made = Endpoint::new(
            base.parse().expect("a URI"),
            BOOKING.parse().expect("an ID"),
        );
        assert_eq!(word(made), "tls.url", "{base}");
    }
    assert_eq!(word(get_from(&transport, &to, "/").await), "tls.connect");
}
