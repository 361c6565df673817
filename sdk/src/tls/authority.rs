//! Certificates from the embedded authority.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Response, Version};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use tokio::sync::Mutex;

use super::crypto::{certified_key, client_config};
use super::dial::Dial;
use super::{Endpoint, HttpVersion, TlsError, Waiting};
use crate::clock::Clock;
use crate::crypto::{Algorithm, SigningKey, random};
use crate::id::SpiffeId;
use crate::jose::{Header, JsonLimits, Jwk, encode_base64url, parse_typed, sign_compact};
use crate::secret::Secret;
use crate::svid::{TrustBundle, TrustBundles};
use crate::workload::{
    CERTIFICATE_PATH, CertificateAnswer, CertificateRequest, Enrolment, IdentitySource, Material,
    PROOF_TYP, Proof, WorkloadError,
};

/// Connection and answer, each.
const WITHIN: Duration = Duration::from_secs(10);
/// The largest answer read, in bytes.
const ANSWER_MAX: usize = 256 << 10;
/// The most of a refusal's word that is repeated.
const WORD_MAX: usize = 80;

/// Enrols at the authority with a code, and renews with the certificate it got.
///
/// The authority must prove that it is the one the enrolment names. Every certificate is for a
/// fresh key, and the request proves that we hold it.
///
/// ```no_run
/// # async fn f(enrolment: countersign::workload::Enrolment)
/// # -> Result<(), countersign::workload::WorkloadError> {
/// use std::sync::Arc;
/// use countersign::clock::SystemClock;
/// use countersign::tls::AuthoritySource;
/// use countersign::workload::Workload;
/// let clock = Arc::new(SystemClock);
/// let source = AuthoritySource::new(enrolment, clock.clone());
/// let workload = Workload::start(Arc::new(source), clock).await?;
/// # Ok(())
/// # }
/// ```
pub struct AuthoritySource {
    url: String,
    authority: SpiffeId,
    clock: Arc<dyn Clock>,
    algorithm: Algorithm,
    standing: Mutex<Standing>,
}

/// What we can show to the authority.
struct Standing {
    code: Option<Secret>,
    held: Option<Material>,
    bundle: TrustBundle,
}

impl AuthoritySource {
    /// Makes keys for `algorithm`; Ed25519 unless told otherwise.
    #[must_use]
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// A source that spends the code of `enrolment` with its first certificate.
    pub fn new(enrolment: Enrolment, clock: Arc<dyn Clock>) -> Self {
        Self {
            url: enrolment.authority_url,
            authority: enrolment.authority_id,
            clock,
            algorithm: Algorithm::Ed25519,
            standing: Mutex::new(Standing {
                code: Some(enrolment.code),
                held: None,
                bundle: enrolment.bundle,
            }),
        }
    }

    fn endpoint(&self) -> Result<Endpoint, WorkloadError> {
        let url = self.url.parse().map_err(|_| {
            self.unreachable(&TlsError::Url {
                url: self.url.clone(),
                what: "cannot be read",
            })
        })?;
        Endpoint::new(url, self.authority.clone()).map_err(|e| self.unreachable(&e))
    }

    fn request(
        &self,
        standing: &Standing,
        key: &SigningKey,
    ) -> Result<CertificateRequest, WorkloadError> {
        let agent = match &standing.held {
            Some(held) => Some(held.check(self.clock.now())?.id().to_string()),
            None => None,
        };
        let proof = Proof {
            jwk: Jwk::of(key.verifying_key()),
            aud: self.authority.to_string(),
            iat: self.clock.now().secs(),
            jti: encode_base64url(&random::<16>()),
            agent,
        };
        let payload = serde_json::to_value(proof).map_err(|e| self.answer(e.to_string()))?;
        let header = Header::for_key(key.verifying_key(), PROOF_TYP);
        let code = match &standing.held {
            Some(_) => None,
            None => standing.code.as_ref().map(|code| code.expose().to_owned()),
        };
        Ok(CertificateRequest {
            code,
            proof: sign_compact(&header, &payload, key)?,
        })
    }

    /// One request on one connection.
    async fn exchange(
        &self,
        to: &Endpoint,
        standing: &Standing,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, TlsError> {
        let no_key = |error: rustls::Error| TlsError::Handshake {
            authority: to.authority().to_owned(),
            what: error.to_string(),
        };
        let own = match &standing.held {
            Some(held) => Some(certified_key(&held.chain, &held.key).map_err(no_key)?),
            None => None,
        };
        let dial = Dial {
            to,
            own: None,
            config: &client_config(own, HttpVersion::Http1).map_err(no_key)?,
            bundles: &TrustBundles::from(standing.bundle.clone()),
            clock: &self.clock,
            within: WITHIN,
        };
        let dialled = dial.run().await?;
        let failed = |error: hyper::Error| TlsError::Http {
            authority: to.authority().to_owned(),
            what: error.to_string(),
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(dialled.stream))
            .await
            .map_err(failed)?;
        // What ends it is seen by the request.
        tokio::spawn(async move { drop(connection.await) });
        let mut request = Request::post(CERTIFICATE_PATH)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| TlsError::Url {
                url: CERTIFICATE_PATH.into(),
                what: "cannot be requested",
            })?;
        to.address(&mut request, Version::HTTP_11);
        match tokio::time::timeout(WITHIN, sender.send_request(request)).await {
            Ok(answer) => answer.map_err(failed),
            Err(_) => Err(TlsError::Timeout {
                authority: to.authority().to_owned(),
                waiting: Waiting::Answering,
                after: WITHIN,
            }),
        }
    }

    async fn material(
        &self,
        answer: Response<Incoming>,
        key: SigningKey,
    ) -> Result<Material, WorkloadError> {
        let status = answer.status();
        let reading = Limited::new(answer.into_body(), ANSWER_MAX).collect();
        let body = match tokio::time::timeout(WITHIN, reading).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) => return Err(self.answer(error.to_string())),
            Err(_) => return Err(self.answer(format!("it was not complete after {WITHIN:?}"))),
        };
        if !status.is_success() {
            return Err(WorkloadError::Refused {
                authority: self.authority.clone(),
                status: status.as_u16(),
                what: word_of(&body),
            });
        }
        let limits = JsonLimits {
            depth: 4,
            bytes: ANSWER_MAX,
        };
        let answer: CertificateAnswer =
            parse_typed(&body, limits).map_err(|e| self.answer(e.to_string()))?;
        let domain = self.authority.trust_domain();
        let bundle = TrustBundle::new(domain, self.certificates(&answer.bundle)?)?;
        Ok(Material {
            chain: self.certificates(&answer.chain)?,
            key: Arc::new(key),
            bundles: bundle.into(),
        })
    }

    fn certificates(
        &self,
        texts: &[String],
    ) -> Result<Vec<CertificateDer<'static>>, WorkloadError> {
        let decoded = texts.iter().map(|text| STANDARD.decode(text));
        decoded
            .map(|der| der.map(CertificateDer::from))
            .collect::<Result<_, _>>()
            .map_err(|_| self.answer("a certificate is not base64".into()))
    }

    fn unreachable(&self, error: &TlsError) -> WorkloadError {
        WorkloadError::Unreachable {
            authority: self.authority.clone(),
            word: error.reason(),
            what: error.to_string(),
        }
    }

    fn answer(&self, what: String) -> WorkloadError {
        WorkloadError::Answer {
            authority: self.authority.clone(),
            what,
        }
    }
}

/// The `error` member of a refusal, if it is a word that can be shown.
fn word_of(body: &[u8]) -> String {
    let document: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let word = document.as_ref().and_then(|d| d.get("error")?.as_str());
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match word {
        Some(word) if word.len() <= WORD_MAX && word.chars().all(fits) => word.to_owned(),
        _ => "no reason given".to_owned(),
    }
}

#[async_trait]
impl IdentitySource for AuthoritySource {
    async fn fetch(&self) -> Result<Material, WorkloadError> {
        let to = self.endpoint()?;
        let mut standing = self.standing.lock().await;
        let key = SigningKey::generate(self.algorithm)?;
        let request = self.request(&standing, &key)?;
        let body = serde_json::to_vec(&request).map_err(|e| self.answer(e.to_string()))?;
        let answer = self
            .exchange(&to, &standing, body)
            .await
            .map_err(|e| self.unreachable(&e))?;
        let material = self.material(answer, key).await?;
        // Held only once it is good, so that a bad answer leaves us able to ask again.
        material.check(self.clock.now())?;
        standing.bundle = own_bundle(&material, &standing.bundle);
        standing.held = Some(material.clone());
        standing.code = None;
        Ok(material)
    }
}

fn own_bundle(material: &Material, before: &TrustBundle) -> TrustBundle {
    let newer = material.bundles.get(before.domain().as_str());
    newer.unwrap_or(before).clone()
}

impl fmt::Debug for AuthoritySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthoritySource({} at {})", self.authority, self.url)
    }
}
