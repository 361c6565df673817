//! The listener: who may see what, and what happens when it cannot go on.

use std::io::ErrorKind;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::super::testing::{World, config, id};
use super::super::{Authority, BANNER};
use crate::audit::{AuditError, AuditLog, Draft, MemoryLog, Record};
use crate::clock::SystemClock;
use crate::oauth::{FORM, encode_form};
use crate::tls::AuthoritySource;
use crate::workload::{Workload, WorkloadError};

/// A log whose disk is full.
#[derive(Debug)]
struct FullDisk;

impl AuditLog for FullDisk {
    fn append(&self, _: Draft) -> Result<Record, AuditError> {
        Err(AuditError::Write(ErrorKind::StorageFull.into()))
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_given_out() {
    let clock = Arc::new(SystemClock);
    let authority = Authority::start(config(), clock.clone(), Arc::new(FullDisk)).await;
    let authority = authority.expect("starts");
    let enrolment = authority.enrol("planner").expect("a code");
    let source = AuthoritySource::new(enrolment, clock.clone());
    let refused = Workload::start(Arc::new(source), clock).await;
    match refused {
        Err(WorkloadError::Refused { status, what, .. }) => {
            assert_eq!((status, what.as_str()), (500, "server_error"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_to_be() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let mut config = config();
    config.listen = taken.local_addr().expect("an address");
    let log = Arc::new(MemoryLog::default());
    let error = Authority::start(config.clone(), Arc::new(SystemClock), log.clone()).await;
    let error = error.expect_err("taken");
    assert_eq!(error.reason(), "authority.listen");
    let says = format!("cannot listen on {}: address in use", config.listen);
    assert!(error.to_string().starts_with(&says), "{error}");

    config.listen.set_ip([0, 0, 0, 0].into());
    let error = Authority::start(config, Arc::new(SystemClock), log).await;
    assert_eq!(
        error.expect_err("reachable").reason(),
        "authority.not_loopback"
    );
    assert!(BANNER.contains("development"));
}

#[tokio::test]
async fn after_the_shutdown_nobody_answers() {
    let world = World::new().await;
    let planner = world.agent("planner").await;
    world.authority.shutdown().await;
    let error = planner.app("booking", "").await;
    assert_eq!(error.expect_err("gone").reason(), "oauth.connection");
}

/// One request of an ordinary client that trusts the authority's root and shows no certificate.
async fn anonymous(world: &World, head: &str, body: &str) -> String {
    let mut roots = RootCertStore::empty();
    let root = world.authority.bundle().roots()[0].clone();
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider);
    let config = config.with_protocol_versions(&[&rustls::version::TLS13]);
    let config = config.expect("TLS 1.3").with_root_certificates(roots);
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    let address = world.authority.endpoint().authority().to_owned();
    let tcp = TcpStream::connect(&address).await.expect("connects");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let mut tls = connector
        .connect(name, tcp)
        .await
        .expect("an ordinary handshake");
    let head = format!(
        "{head} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: {FORM}\r\n\r\n{body}",
        body.len()
    );
    tls.write_all(head.as_bytes()).await.expect("writes");
    let mut answer = Vec::new();
    // The end of the connection is the end of the answer, said or not.
    let _ = tls.read_to_end(&mut answer).await;
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn without_a_certificate_there_are_documents_and_nothing_else() {
    let world = World::new().await;
    let document = anonymous(&world, "GET /.well-known/oauth-authorization-server", "").await;
    let document = document.split_once("\r\n\r\n").expect("a body").1;
    let document: Value = serde_json::from_str(document).expect("JSON");
    let issuer = world.authority.issuer();
    assert_eq!(document["issuer"], json!(issuer));
    assert_eq!(document["token_endpoint"], json!(format!("{issuer}/token")));
    assert_eq!(
        document["tls_client_certificate_bound_access_tokens"],
        json!(true)
    );
    let keys = anonymous(&world, "GET /jwks", "").await;
    let kid = world
        .authority
        .keys()
        .keys()
        .next()
        .expect("a key")
        .thumbprint();
    assert!(keys.contains(&kid.to_string()), "{keys}");
    assert!(!keys.contains("\"d\""), "{keys}");

    let form = encode_form(&[
        ("grant_type", "client_credentials"),
        ("client_id", &id("planner")),
        ("resource", &id("booking")),
        ("login_hint", "alice"),
    ]);
    for path in ["/token", "/login"] {
        let answer = anonymous(&world, &format!("POST {path}"), &form).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(
            answer.ends_with(r#"{"error":"invalid_client"}"#),
            "{answer}"
        );
        assert_eq!(world.reason(), "client.certificate");
    }
    let answer = anonymous(&world, "GET /token", "").await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
}
