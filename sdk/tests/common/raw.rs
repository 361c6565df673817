//! Requests that no client of ours would send.

use bytes::Bytes;
use countersign::a2a::jsonrpc::{self, Id};
use countersign::a2a::{Message, Operation, Part, SendMessageRequest};
use countersign::client::Peer;
use countersign::clock::UnixTime;
use countersign::crypto::{CertThumbprint, random};
use countersign::httpsig::{Profile, Signer};
use countersign::tls::{Transport, TransportConfig};
use countersign::workload::Workload;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use super::Failure;

pub(crate) const DIRECTORY: &str =
    "https://test.example/.well-known/http-message-signatures-directory";

/// What the peer answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) challenge: Option<String>,
    pub(crate) accept_signature: bool,
    pub(crate) body: String,
}

/// A good call, each part of which can be changed.
pub(crate) struct Raw {
    pub(crate) workload: Workload,
    pub(crate) peer: Peer,
    pub(crate) parts: Parts,
    pub(crate) body: Vec<u8>,
    pub(crate) signed_at: UnixTime,
}

impl Raw {
    pub(crate) fn new(workload: &Workload, peer: &Peer, token: &str) -> Result<Self, Failure> {
        let request = SendMessageRequest::new(Message::user(Part::text("reply")));
        let (parts, ()) = Request::post(peer.uri("/a2a")?)
            .header(CONTENT_TYPE, "application/json")
            .header("a2a-version", "1.0")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(())?
            .into_parts();
        Ok(Self {
            signed_at: workload.clock().now(),
            workload: workload.clone(),
            peer: peer.clone(),
            parts,
            body: jsonrpc::request(&Id::from(1), Operation::SendMessage, &request),
        })
    }

    pub(crate) fn sign(&mut self) -> Result<(), Failure> {
        let key = self.workload.current().key().clone();
        let signer = Signer::new(key, DIRECTORY, Profile::a2a())?;
        let target = self.peer.target();
        signer.sign(
            &mut self.parts,
            target,
            &self.body,
            self.signed_at,
            random(),
        )?;
        Ok(())
    }

    pub(crate) async fn send(self) -> Result<Told, Failure> {
        let transport = Transport::new(self.workload.clone(), TransportConfig::default());
        let request = Request::from_parts(self.parts, Full::new(Bytes::from(self.body)));
        let received = transport.send(self.peer.endpoint(), request).await?;
        let (head, body) = received.response.into_parts();
        let challenge = head.headers.get(WWW_AUTHENTICATE).map(HeaderValue::to_str);
        Ok(Told {
            status: head.status,
            challenge: challenge.transpose()?.map(str::to_owned),
            accept_signature: head.headers.contains_key("accept-signature"),
            body: String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned(),
        })
    }
}

/// The claims of a good token: `agent` for alice, at `audience`.
pub(crate) fn claims(issuer: &str, agent: &Workload, audience: &Peer) -> Value {
    let now = agent.clock().now().secs();
    let jti: [u8; 8] = random();
    json!({
        "iss": issuer, "sub": "alice", "aud": audience.id(), "client_id": agent.id(),
        "iat": now, "exp": now + 60, "jti": format!("{jti:x?}"), "scope": "work",
        "act": { "iss": issuer, "sub": agent.id() },
        "cnf": { "x5t#S256": CertThumbprint::of(&agent.current().chain()[0]) },
    })
}
