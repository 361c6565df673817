//! What a workload and the authority say to each other about certificates.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::SpiffeId;
use crate::jose::Jwk;
use crate::secret::Secret;
use crate::svid::TrustBundle;

/// The path at the authority.
pub(crate) const CERTIFICATE_PATH: &str = "/workload/certificate";
/// The `typ` of the proof that the asker holds the new key.
pub(crate) const PROOF_TYP: &str = "svid-request+jwt";

/// What lets a workload ask for its first certificate; handed to it once.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// Where the authority listens: `https://host:port`.
    pub authority_url: String,
    /// Who must answer there.
    pub authority_id: SpiffeId,
    /// The roots that the authority's certificate must lead to.
    pub bundle: TrustBundle,
    /// Spent with the first certificate.
    pub code: Secret,
}

/// `POST /workload/certificate`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateRequest {
    /// The enrolment code; absent in a renewal, which the current certificate authenticates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// Compact JWS by the new key, `typ` [`PROOF_TYP`], payload [`Proof`].
    pub(crate) proof: String,
}

impl fmt::Debug for CertificateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.code.is_some() {
            "enrolment"
        } else {
            "renewal"
        };
        write!(f, "CertificateRequest({kind})")
    }
}

/// What the new key signs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Proof {
    /// The new public key.
    pub(crate) jwk: Jwk,
    /// The authority's SPIFFE ID.
    pub(crate) aud: String,
    /// When it was made, seconds since the epoch.
    pub(crate) iat: u64,
    /// Makes it one of a kind.
    pub(crate) jti: String,
    /// Who asks; present in a renewal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agent: Option<String>,
}

/// The authority's answer: base64 (RFC 4648 §4) of DER, as in a JWS `x5c`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CertificateAnswer {
    /// The new certificate first, then those between it and the root.
    pub(crate) chain: Vec<String>,
    /// The roots of the trust domain.
    pub(crate) bundle: Vec<String>,
}
