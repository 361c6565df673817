//! A signed request, made and checked on both sides.

use std::sync::Arc;

use countersign::clock::{Clock, Skew, SystemClock, UnixTime};
use countersign::crypto::{Algorithm, SigningKey, random};
use countersign::httpsig::{Origin, Profile, SignatureError, Signer, VerifiedRequest, Verifier};
use countersign::jose::{Jwk, encode_base64url};
use countersign::svid::{PeerIdentity, TrustBundle, TrustBundles, Usage, verify_svid};
use countersign_fixtures::ca::{Ca, Kind, Leaf};
use countersign_interop_tests::{Python, RunError};
use http::request::Parts;
use libtest_mimic::Failed;
use serde_json::{Value, json};

pub(crate) const SIGNATURE_AGENT: &str =
    "https://planner.example/.well-known/http-message-signatures-directory";
const ORIGIN: &str = "booking.example";

/// Who signs: a workload key, and the certificate that names its owner.
pub(crate) struct Planner {
    pub(crate) key: Arc<SigningKey>,
    identity: PeerIdentity,
}

impl Planner {
    /// A planner with a fresh key and a certificate of a fresh authority.
    pub(crate) fn new(algorithm: Algorithm) -> Result<Self, Failed> {
        let ca = Ca::new("travel.example");
        let key = SigningKey::generate(algorithm)?;
        let issued = ca.issue(&Leaf {
            kind: match algorithm {
                Algorithm::Ed25519 => Kind::Ed25519,
                Algorithm::EcdsaP256Sha256 => Kind::P256,
            },
            pkcs8: Some(key.expose_pkcs8().to_vec()),
            ..Leaf::of(&ca.id("/agent/planner"))
        });
        let domain = ca.domain().parse()?;
        let bundle = TrustBundle::new(domain, vec![ca.root().clone()])?;
        let bundles = TrustBundles::default().with(bundle);
        Ok(Self {
            key: Arc::new(key),
            identity: verify_svid(&issued.chain, &bundles, Usage::Signing, now())?,
        })
    }

    pub(crate) fn keyid(&self) -> String {
        self.key.verifying_key().thumbprint().to_string()
    }
}

/// Method, URL, fields and body of a request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A call of an agent: a body, a query and a token.
    pub(crate) fn post() -> Self {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", "Bearer not.a.token"),
            ("a2a-version", "1.0"),
        ];
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            method: "POST",
            path: "/a2a?trip=7",
            headers: headers.map(text).to_vec(),
            body: br#"{"jsonrpc":"2.0","id":1,"method":"SendMessage"}"#.to_vec(),
        }
    }

    /// A request for a card: neither body nor query nor token.
    pub(crate) fn get() -> Self {
        Self {
            method: "GET",
            path: "/.well-known/agent-card.json",
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same request with the fields that we add when we sign it.
    pub(crate) fn signed_by_us(&self, planner: &Planner) -> Result<Self, Failed> {
        let key = Arc::clone(&planner.key);
        let signer = Signer::new(key, SIGNATURE_AGENT, Profile::a2a())?;
        let mut parts = self.parts()?;
        let origin = Origin::https(ORIGIN);
        signer.sign(&mut parts, &origin, &self.body, now(), random())?;
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = value.to_str()?.to_owned();
            Ok::<_, Failed>((name.to_string(), value))
        });
        Ok(Self {
            headers: headers.collect::<Result<_, _>>()?,
            ..self.clone()
        })
    }

    /// What we say when the planner sends the request to booking.
    pub(crate) fn verified_by_us(
        &self,
        planner: &Planner,
    ) -> Result<Result<VerifiedRequest, SignatureError>, Failed> {
        let skew = Skew::default();
        let verifier = Verifier::new(Profile::a2a(), Origin::https(ORIGIN), skew);
        let parts = self.parts()?;
        Ok(verifier.verify(&parts, &self.body, &planner.identity, now()))
    }

    /// The same request with the fields that Python adds when it signs it.
    pub(crate) fn signed_by_python(
        &self,
        python: &Python,
        planner: &Planner,
    ) -> Result<Self, Failed> {
        let mut input = self.to_json();
        input["key"] = encode_base64url(planner.key.expose_pkcs8()).into();
        input["signature_agent"] = SIGNATURE_AGENT.into();
        let answer = python.run("sign_request.py", &[], &input.to_string())?;
        Ok(Self {
            headers: serde_json::from_value(answer["headers"].clone())?,
            ..self.clone()
        })
    }

    /// What Python says when it verifies the request with the planner's public key.
    pub(crate) fn verified_by_python(
        &self,
        python: &Python,
        planner: &Planner,
    ) -> Result<Value, RunError> {
        let mut input = self.to_json();
        input["jwk"] = json!(Jwk::of(planner.key.verifying_key()));
        python.run("verify_request.py", &[], &input.to_string())
    }

    fn parts(&self) -> Result<Parts, Failed> {
        let mut request = http::Request::builder().method(self.method).uri(self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Ok(request.body(())?.into_parts().0)
    }

    fn to_json(&self) -> Value {
        json!({
            "method": self.method,
            "url": format!("https://{ORIGIN}{}", self.path),
            "headers": self.headers,
            "body": encode_base64url(&self.body),
        })
    }
}

fn now() -> UnixTime {
    SystemClock.now()
}
