//! The key directory of an agent: which keys sign its requests, and the proof that it has them
//! (draft-ietf-webbotauth-httpsig-protocol).
//!
//! ```
//! use std::time::Duration;
//! use countersign::clock::{Skew, UnixTime};
//! use countersign::crypto::{Algorithm, SigningKey};
//! use countersign::httpsig::{Origin, directory};
//!
//! // The agent answers GET on DIRECTORY_PATH:
//! let key = SigningKey::generate(Algorithm::Ed25519)?;
//! let origin = Origin::https("planner.example");
//! let now = UnixTime::from_secs(1_735_689_600); // your clock's
//! let body = directory::document([key.verifying_key()]);
//! let headers = directory::prove(&[&key], &origin, &body, now, Duration::from_secs(300))?;
//!
//! // Somebody who fetched it:
//! let found = directory::Directory::parse(&body)?;
//! let key = found.key(key.verifying_key().thumbprint(), now).expect("it is there");
//! directory::verify_proof(&headers, &body, &origin, key, now, Skew::default())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use serde::Deserialize as _;

use super::component::{ComponentId, ComponentParam};
use super::component_name::ComponentName;
use super::digest::encode_digest;
use super::error::SignatureError;
use super::input::{MAX_LABELS, check_size};
use super::inputs::Inputs;
use super::origin::Origin;
use super::params::{SignatureParams, header_value, sign_message};
use super::presented::PresentedSignature;
use super::profile::Profile;
use super::profiles::DIRECTORY;
use super::sign::CONTENT_DIGEST;
use super::verified::VerifiedMessage;
use super::view::{MessageView, RequestView, ResponseView};
use super::{DIRECTORY_CONTENT_TYPE, DIRECTORY_PATH};
use crate::clock::{Skew, UnixTime};
use crate::crypto::{KeyThumbprint, SigningKey, VerifyingKey};
use crate::jose::{JsonError, JsonLimits, Jwk, JwkSet, parse_json};

/// The most bytes of a directory that are read.
const MAX_BYTES: usize = 64 * 1024;

/// The most keys of a directory that are read.
const MAX_KEYS: usize = 64;

/// No date in seconds is as large as this (the year 5138); dates in milliseconds are.
const MILLISECONDS: u64 = 100_000_000_000;

/// Why a document is no key directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Not JSON within the limits (64 KiB, eight levels).
    #[error("the directory: {0}")]
    Json(#[from] JsonError),
    /// There is no array `keys`.
    #[error("the directory has no array of keys")]
    NoKeys,
    /// More keys than are read.
    #[error("the directory has {keys} keys, at most {max} are read")]
    TooMany {
        /// How many it has.
        keys: usize,
        /// The limit.
        max: usize,
    },
}

impl DirectoryError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Json(_) => "directory.json",
            Self::NoKeys => "directory.no_keys",
            Self::TooMany { .. } => "directory.too_many",
        }
    }
}

/// The document: a JWK Set, each key under its thumbprint.
pub fn document<'a>(keys: impl IntoIterator<Item = &'a VerifyingKey>) -> Vec<u8> {
    JwkSet::of(keys).to_value().to_string().into_bytes()
}

/// The header fields of the response that carries `body`: media type, digest, one signature for
/// each key, and a cache lifetime of half the signatures' life. `origin` is the directory's own, as
/// configured; it is never taken from a request.
///
/// # Errors
/// [`SignatureError`] when there are more than eight keys, a life is over 24 h, or the provider
/// fails.
pub fn prove(
    keys: &[&SigningKey],
    origin: &Origin,
    body: &[u8],
    now: UnixTime,
    life: Duration,
) -> Result<HeaderMap, SignatureError> {
    check_size("keys that sign a directory", keys.len(), MAX_LABELS)?;
    let life = Profile::directory().with_life(life)?.life;
    let mut headers = HeaderMap::new();
    let media_type = HeaderValue::from_static(DIRECTORY_CONTENT_TYPE);
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_DIGEST, header_value(&encode_digest(body))?);
    // A proof that is served from a cache must still be valid.
    let cached = format!("max-age={}", life.as_secs() / 2);
    headers.insert(CACHE_CONTROL, header_value(cached.as_bytes())?);
    let authority = ComponentId::parse("\"@authority\";req")?;
    let components = [authority, ComponentId::parse("\"content-digest\"")?];
    let request = request();
    for (index, key) in keys.iter().enumerate() {
        let params = SignatureParams::new()
            .created(now)
            .expires(now.plus(life))
            .keyid(key.verifying_key().thumbprint())
            .tag(DIRECTORY);
        let label = format!("binding{index}");
        let message = response(&headers, &request, origin);
        let fields = sign_message(&message, *key, &label, &components, &params)?;
        headers.append("signature-input", fields.signature_input);
        headers.append("signature", fields.signature);
    }
    Ok(headers)
}

/// Checks that the response came from somebody who has the private half of `key` and answers for
/// `origin`: the signature for this key covers the origin's authority and the body's digest, and
/// has not expired.
///
/// # Errors
/// [`SignatureError`] naming the first broken rule.
pub fn verify_proof(
    headers: &HeaderMap,
    body: &[u8],
    origin: &Origin,
    key: &VerifyingKey,
    now: UnixTime,
    skew: Skew,
) -> Result<VerifiedMessage, SignatureError> {
    let keyid = key.thumbprint().to_string();
    let input = Inputs::read(headers)?.tagged(DIRECTORY, None, Some(&keyid))?;
    let bound = input
        .components
        .iter()
        .any(|id| *id.name() == ComponentName::Authority && id.params() == [ComponentParam::Req]);
    if !bound {
        let component = "\"@authority\";req";
        return Err(SignatureError::ComponentMissing {
            component: component.into(),
        });
    }
    let request = request();
    let message = response(headers, &request, origin);
    let profile = Profile::directory();
    let presented = PresentedSignature::of(&message, input, &profile);
    presented.check(body, now, skew)?.verify(key)
}

/// The request for a directory; only its authority is ever signed, and that is the origin's.
fn request() -> Parts {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.uri = http::Uri::from_static(DIRECTORY_PATH);
    parts
}

fn response<'a>(headers: &'a HeaderMap, request: &'a Parts, origin: &'a Origin) -> MessageView<'a> {
    let request = RequestView::new(request, origin);
    ResponseView::new(StatusCode::OK, headers, Some(request)).into()
}

/// The keys of a directory that can be used.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    keys: Vec<Published>,
}

#[derive(Clone, Debug)]
struct Published {
    key: VerifyingKey,
    from: Option<UnixTime>,
    until: Option<UnixTime>,
}

impl Directory {
    /// Reads a document. Keys of other kinds, for other uses, under a `kid` that is not their
    /// thumbprint, or with dates in milliseconds are left out.
    ///
    /// # Errors
    /// [`DirectoryError`] when it is not a directory or exceeds a limit.
    pub fn parse(body: &[u8]) -> Result<Self, DirectoryError> {
        let limits = JsonLimits {
            depth: 8,
            bytes: MAX_BYTES,
        };
        let document = parse_json(body, limits)?;
        let listed = document.get("keys").and_then(|keys| keys.as_array());
        let listed = listed.ok_or(DirectoryError::NoKeys)?;
        if listed.len() > MAX_KEYS {
            return Err(DirectoryError::TooMany {
                keys: listed.len(),
                max: MAX_KEYS,
            });
        }
        let keys = listed.iter().filter_map(|value| {
            let jwk = Jwk::deserialize(value).ok()?;
            published(&jwk)
        });
        Ok(Self {
            keys: keys.collect(),
        })
    }

    /// The key with this thumbprint, if it can be used at `now`.
    pub fn key(&self, thumbprint: KeyThumbprint, now: UnixTime) -> Option<&VerifyingKey> {
        self.keys_at(now).find(|key| key.thumbprint() == thumbprint)
    }

    /// The keys that can be used at `now`.
    pub fn keys_at(&self, now: UnixTime) -> impl Iterator<Item = &VerifyingKey> {
        let usable = self.keys.iter().filter(move |published| {
            published.from.is_none_or(|from| from <= now)
                && published.until.is_none_or(|until| now < until)
        });
        usable.map(|published| &published.key)
    }
}

fn published(jwk: &Jwk) -> Option<Published> {
    let key = jwk.key().ok()?;
    // At the well-known place a `kid` is the thumbprint.
    let named = jwk
        .kid
        .as_ref()
        .is_none_or(|kid| kid.parse() == Ok(key.thumbprint()));
    let for_signing = jwk.use_.as_deref().is_none_or(|purpose| purpose == "sig");
    let in_seconds = [jwk.nbf, jwk.exp]
        .iter()
        .flatten()
        .all(|date| *date < MILLISECONDS);
    (named && for_signing && in_seconds).then(|| Published {
        key,
        from: jwk.nbf.map(UnixTime::from_secs),
        until: jwk.exp.map(UnixTime::from_secs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Algorithm;
    use serde_json::{Value, json};

    const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);
    const LIFE: Duration = Duration::from_secs(300);

    fn key(algorithm: Algorithm) -> SigningKey {
        SigningKey::generate(algorithm).expect("a key")
    }

    #[test]
    fn each_key_proves_itself_and_no_other() {
        let (one, two) = (key(Algorithm::Ed25519), key(Algorithm::EcdsaP256Sha256));
        let origin = Origin::https("planner.example");
        let other = Origin::https("other.example");
        let body = document([one.verifying_key(), two.verifying_key()]);
        let headers = prove(&[&one, &two], &origin, &body, NOW, LIFE).expect("signs");
        assert_eq!(headers["content-type"], DIRECTORY_CONTENT_TYPE);
        assert_eq!(headers["cache-control"], "max-age=150");
        let verify = |headers: &HeaderMap, body: &[u8], origin, key, secs| {
            let now = UnixTime::from_secs(NOW.secs() + secs);
            let verified = verify_proof(headers, body, origin, key, now, Skew::ZERO);
            verified.map_or_else(|e| e.reason(), |_| "fine")
        };
        for signer in [&one, &two] {
            let key = signer.verifying_key();
            assert_eq!(verify(&headers, &body, &origin, key, 300), "fine");
            assert_eq!(
                verify(&headers, &body, &origin, key, 301),
                "signature.expired"
            );
            assert_eq!(verify(&headers, b"{}", &origin, key, 0), "signature.digest");
            assert_eq!(verify(&headers, &body, &other, key, 0), "signature.invalid");
        }
        let stranger = key(Algorithm::Ed25519);
        let verified = verify(&headers, &body, &origin, stranger.verifying_key(), 0);
        assert_eq!(verified, "signature.tag");
        let earlier = verify_proof(
            &headers,
            &body,
            &origin,
            one.verifying_key(),
            UnixTime::from_secs(NOW.secs() - 1),
            Skew::ZERO,
        );
        assert_eq!(
            earlier.map_err(|e| e.reason()).err(),
            Some("signature.not_yet")
        );
    }

    #[test]
    fn a_proof_without_the_authority_is_none() {
        let key = key(Algorithm::Ed25519);
        let origin = Origin::https("planner.example");
        let body = document([key.verifying_key()]);
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_DIGEST,
            header_value(&encode_digest(&body)).expect("a value"),
        );
        let request = request();
        let params = SignatureParams::new()
            .created(NOW)
            .expires(NOW.plus(LIFE))
            .keyid(key.verifying_key().thumbprint())
            .tag(DIRECTORY);
        let digest = [ComponentId::parse("\"content-digest\"").expect("an identifier")];
        let message = response(&headers, &request, &origin);
        let fields = sign_message(&message, &key, "binding", &digest, &params).expect("signs");
        headers.append("signature-input", fields.signature_input);
        headers.append("signature", fields.signature);
        let public = key.verifying_key();
        let verified = verify_proof(&headers, &body, &origin, public, NOW, Skew::ZERO);
        let reason = verified.map_err(|e| e.reason()).err();
        assert_eq!(reason, Some("signature.component_missing"));
    }

    #[test]
    fn at_most_eight_keys_sign() {
        let key = key(Algorithm::Ed25519);
        let origin = Origin::https("planner.example");
        assert!(prove(&[&key; 8], &origin, b"{}", NOW, LIFE).is_ok());
        let nine = prove(&[&key; 9], &origin, b"{}", NOW, LIFE);
        assert_eq!(
            nine.map_err(|e| e.reason()).err(),
            Some("signature.too_large")
        );
    }

    #[test]
    fn keys_that_are_not_plainly_usable_are_left_out() {
        let key = key(Algorithm::Ed25519);
        let public = key.verifying_key();
        let good = || serde_json::to_value(Jwk::of(public)).expect("a value");
        let with = |name: &str, value: Value| {
            let mut jwk = good();
            jwk[name] = value;
            jwk
        };
        let secs = NOW.secs();
        let cases = [
            (good(), true),
            (with("alg", json!("ed25519")), true),
            (with("kid", Value::Null), true),
            (with("kid", json!("mine")), false),
            (with("use", json!("enc")), false),
            (with("kty", json!("RSA")), false),
            (with("nbf", json!(secs)), true),
            (with("nbf", json!(secs + 1)), false),
            (with("exp", json!(secs + 1)), true),
            (with("exp", json!(secs)), false),
            (with("exp", json!((secs + 1) * 1000)), false),
        ];
        for (jwk, want) in cases {
            let body = json!({ "keys": [jwk] }).to_string();
            let directory = Directory::parse(body.as_bytes()).expect("a directory");
            let found = directory.key(public.thumbprint(), NOW).is_some();
            assert_eq!(found, want, "{body}");
        }
    }

    #[test]
    fn a_directory_has_limits() {
        let reason = |body: &[u8]| Directory::parse(body).map_or_else(|e| e.reason(), |_| "fine");
        let keys = |n: usize| json!({ "keys": vec![json!({"kty": "RSA"}); n] }).to_string();
        assert_eq!(reason(keys(64).as_bytes()), "fine");
        assert_eq!(reason(keys(65).as_bytes()), "directory.too_many");
        assert_eq!(reason(b"{}"), "directory.no_keys");
        assert_eq!(reason(b"{"), "directory.json");
        let mut long = br#"{"keys":[]}"#.to_vec();
        long.resize(MAX_BYTES, b' ');
        assert_eq!(reason(&long), "fine");
        long.push(b' ');
        assert_eq!(reason(&long), "directory.json");
    }
}
