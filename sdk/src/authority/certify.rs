//! Giving out certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::clock::UnixTime;
use crate::id::SpiffeId;
use crate::jose::{JsonLimits, parse_typed};
use crate::secret::Secret;
use crate::svid::PeerIdentity;
use crate::workload::{CertificateAnswer, CertificateRequest};

use super::Refusal;
use super::forms::{BODY_MAX, media_type};
use super::journal::Known;
use super::proof::prove;
use super::service::Service;

impl Service {
    /// Gives out a certificate: for a code, or in place of the one that the connection proved.
    pub(super) fn certificate(
        &self,
        peer: Option<&PeerIdentity>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Value, Refusal> {
        let mut known = Known::new("certificate", peer, headers);
        let answer = self.certify(peer, headers, body, &mut known);
        self.journal.close(self.clock.now(), known, answer)
    }

    fn certify(
        &self,
        peer: Option<&PeerIdentity>,
        headers: &HeaderMap,
        body: &[u8],
        known: &mut Known,
    ) -> Result<Value, Refusal> {
        let now = self.clock.now();
        let request = read(headers, body)?;
        // The proof first: a code is spent only by somebody who holds a key.
        let proved =
            prove(&request.proof, self.id.as_str(), now).map_err(|error| Refusal::Proof {
                why: error.reason(),
            })?;
        let agent = match (request.code, peer) {
            (Some(code), peer) => {
                known.event = "enrolment";
                self.enrolled(&Secret::new(code), peer, now)?
            }
            (None, Some(peer)) => {
                known.event = "renewal";
                // WIMSE: a fresh key for every certificate, or a stolen one is never shaken off.
                if *peer.key() == proved.key {
                    return Err(Refusal::KeyReused);
                }
                peer.id().clone()
            }
            (None, None) => return Err(Refusal::NoEnrolment),
        };
        if proved.agent.is_some_and(|named| named != agent.as_str()) {
            return Err(Refusal::Proof { why: "proof.agent" });
        }
        if self.agent(&agent).is_none() {
            return Err(Refusal::UnknownClient { peer: agent });
        }
        let leaf = self
            .authority
            .issue(&agent, &proved.key, now, self.config.svid_ttl);
        let leaf = leaf.map_err(|_| Refusal::Internal {
            what: "issuing",
            now,
        })?;
        known.certified(&agent, &leaf);
        let answer = CertificateAnswer {
            chain: vec![STANDARD.encode(&leaf)],
            bundle: vec![STANDARD.encode(self.authority.root())],
        };
        Ok(json!(answer))
    }
    /// Whose code this is; from now on it is used up.
    fn enrolled(
        &self,
        code: &Secret,
        peer: Option<&PeerIdentity>,
        now: UnixTime,
    ) -> Result<SpiffeId, Refusal> {
        let agent = self.codes.take(code.expose(), now);
        let agent = agent.ok_or(Refusal::EnrolmentCode)?;
        match peer {
            Some(peer) if *peer.id() != agent => Err(Refusal::TwoAgents {
                code: agent,
                peer: peer.id().clone(),
            }),
            _ => Ok(agent),
        }
    }
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<CertificateRequest, Refusal> {
    media_type(headers, "application/json")?;
    let limits = JsonLimits {
        depth: 4,
        bytes: BODY_MAX,
    };
    parse_typed(body, limits).map_err(|error| Refusal::Malformed {
        why: error.reason(),
    })
}
