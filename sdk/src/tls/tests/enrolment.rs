//! The first certificate, and every one after it, from an authority.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_fixtures::ca::Leaf;
use http::StatusCode;
use serde_json::json;

use super::super::{AuthoritySource, ClientCertificate};
use super::*;
use crate::clock::SystemClock;
use crate::crypto::{KeyThumbprint, VerifyingKey};
use crate::jose::ParsedJws;
use crate::secret::Secret;
use crate::workload::testing::workload;
use crate::workload::{
    CERTIFICATE_PATH, CertificateAnswer, CertificateRequest, Enrolment, PROOF_TYP, Proof,
    WorkloadError,
};

const AUTHORITY: &str = "spiffe://a.test/authority";
const PLANNER: &str = "spiffe://a.test/agent/planner";

/// An authority that issues for one code, once, and then to whoever it issued to.
struct Issuing {
    ca: Ca,
    life: u64,
    code: Mutex<Option<String>>,
    keys: Mutex<HashSet<KeyThumbprint>>,
    renewals: Mutex<usize>,
}

type Refusal = (StatusCode, Json<serde_json::Value>);

fn refuse(word: &str) -> Refusal {
    (StatusCode::FORBIDDEN, Json(json!({ "error": word })))
}

async fn issue(
    State(issuing): State<Arc<Issuing>>,
    peer: Option<Extension<PeerIdentity>>,
    Json(request): Json<CertificateRequest>,
) -> Result<Json<CertificateAnswer>, Refusal> {
    let proof = ParsedJws::parse(&request.proof, 4096).expect("a JWS");
    assert_eq!(proof.header().typ.as_deref(), Some(PROOF_TYP));
    let claimed: Proof = serde_json::from_slice(proof.unverified_payload()).expect("a proof");
    let key: VerifyingKey = claimed.jwk.key().expect("a key");
    proof.verify(&key).expect("signed by the new key");
    assert_eq!(claimed.aud, AUTHORITY);
    assert!(
        issuing
            .keys
            .lock()
            .expect("no panic")
            .insert(key.thumbprint())
    );
    match (peer, request.code) {
        (None, Some(code)) => {
            assert_eq!(claimed.agent, None);
            let spent = issuing.code.lock().expect("no panic").take();
            if spent.as_ref() != Some(&code) {
                return Err(refuse("enrolment_code"));
            }
        }
        (Some(Extension(peer)), None) => {
            assert_eq!(peer.id().as_str(), PLANNER);
            assert_eq!(claimed.agent.as_deref(), Some(PLANNER));
            *issuing.renewals.lock().expect("no panic") += 1;
        }
        _ => return Err(refuse("either_code_or_certificate")),
    }
    let leaf = Leaf::of(PLANNER).for_seconds(issuing.life);
    let issued = issuing.ca.certify(&leaf, key.as_bytes());
    let encode = |der: &rustls::pki_types::CertificateDer<'_>| STANDARD.encode(der);
    Ok(Json(CertificateAnswer {
        chain: issued.iter().map(encode).collect(),
        bundle: vec![encode(issuing.ca.root())],
    }))
}

async fn authority_issuing(life: u64) -> (Running, Arc<Issuing>, Enrolment) {
    let ca = authority();
    let own = workload(&ca, "/authority").await;
    let bundle = own.current().bundles().get("a.test").expect("own").clone();
    let issuing = Arc::new(Issuing {
        ca,
        life,
        code: Mutex::new(Some("the-code".into())),
        keys: Mutex::default(),
        renewals: Mutex::default(),
    });
    let router = Router::new()
        .route(CERTIFICATE_PATH, post(issue))
        .with_state(Arc::clone(&issuing));
    let options = ServeOptions {
        client_certificate: ClientCertificate::Optional,
        ..ServeOptions::default()
    };
    let server = Running::start(own, options, router).await;
    let enrolment = Enrolment {
        authority_url: format!("https://{}", server.address),
        authority_id: AUTHORITY.parse().expect("an ID"),
        bundle,
        code: Secret::new("the-code".into()),
    };
    (server, issuing, enrolment)
}

async fn start(enrolment: &Enrolment) -> Result<Workload, WorkloadError> {
    let clock = Arc::new(SystemClock);
    let source = AuthoritySource::new(enrolment.clone(), clock.clone());
    Workload::start(Arc::new(source), clock).await
}

#[tokio::test]
async fn a_code_brings_the_first_certificate_and_that_one_the_next() {
    let (_server, issuing, enrolment) = authority_issuing(3).await;
    let planner = start(&enrolment).await.expect("enrolled");
    assert_eq!(planner.id().as_str(), PLANNER);
    let first = planner.current();
    eventually(|| planner.current().generation() >= 3).await;
    let later = planner.current();
    assert!(*issuing.renewals.lock().expect("no panic") >= 2);
    assert_ne!(first.key().verifying_key(), later.key().verifying_key());
    assert!(later.identity().not_after() > first.identity().not_after());
}

#[tokio::test]
async fn a_code_is_good_once() {
    let (_server, _, enrolment) = authority_issuing(3600).await;
    start(&enrolment).await.expect("enrolled");
    let error = start(&enrolment).await.expect_err("spent");
    assert_eq!(error.reason(), "workload.refused");
    assert!(error.to_string().contains("403: enrolment_code"), "{error}");
    assert!(!format!("{error:?} {enrolment:?}").contains("the-code"));
}

#[tokio::test]
async fn the_code_is_shown_to_the_named_authority_only() {
    let (server, issuing, good) = authority_issuing(3600).await;
    let mut other_name = good.clone();
    other_name.authority_id = "spiffe://a.test/other".parse().expect("an ID");
    let mut other_root = good.clone();
    let domain = "a.test".parse().expect("a domain");
    let root = vec![authority().root().clone()];
    other_root.bundle = crate::svid::TrustBundle::new(domain, root).expect("a bundle");
    let mut plain = good.clone();
    plain.authority_url = format!("http://{}", server.address);
    for (enrolment, want) in [
        (other_name, "tls.peer_not_expected"),
        (other_root, "tls.peer_untrusted"),
        (plain, "tls.url"),
    ] {
        match start(&enrolment).await {
            Err(WorkloadError::Unreachable { word, .. }) => assert_eq!(word, want),
            other => panic!("{want}: {other:?}"),
        }
    }
    assert!(issuing.code.lock().expect("no panic").is_some());
    start(&good).await.expect("the code was not spent");
}
