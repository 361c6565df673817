//! The proof that an agent has the keys of its directory, one signature for each.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, StatusCode};

use crate::clock::{Skew, UnixTime};
use crate::httpsig::component::{ComponentId, ComponentParam};
use crate::httpsig::component_name::ComponentName;
use crate::httpsig::digest::encode_digest;
use crate::httpsig::error::SignatureError;
use crate::httpsig::input::{MAX_LABELS, check_size};
use crate::httpsig::inputs::Inputs;
use crate::httpsig::origin::Origin;
use crate::httpsig::params::{SignatureParams, header_value, sign_message};
use crate::httpsig::presented::PresentedSignature;
use crate::httpsig::profile::Profile;
use crate::httpsig::profiles::DIRECTORY;
use crate::httpsig::sign::CONTENT_DIGEST;
use crate::httpsig::verified::VerifiedMessage;
use crate::httpsig::view::{MessageView, RequestView, ResponseView};
use crate::httpsig::{DIRECTORY_CONTENT_TYPE, DIRECTORY_PATH, HttpSigningKey, HttpVerifyingKey};

/// The header fields of the response that carries `body`: media type, digest, one signature for
/// each key, and a cache lifetime of half the signatures' life. `origin` is the directory's own, as
/// configured; it is never taken from a request.
///
/// # Errors
/// [`SignatureError`] when there are more than eight keys, one of them is a shared secret or a
/// published test key, a life is over 24 h, or the provider fails.
pub fn prove(
    keys: impl IntoIterator<Item = impl Into<HttpSigningKey>>,
    origin: &Origin,
    body: &[u8],
    now: UnixTime,
    life: Duration,
) -> Result<HeaderMap, SignatureError> {
    let keys: Vec<HttpSigningKey> = keys.into_iter().map(Into::into).collect();
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
        let fields = sign_message(&message, key, &label, &components, &params)?;
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
    key: impl Into<HttpVerifyingKey>,
    now: UnixTime,
    skew: Skew,
) -> Result<VerifiedMessage, SignatureError> {
    let key = key.into();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::httpsig::HttpAlgorithm;
    use crate::httpsig::directory::{Directory, document};

    const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);
    const LIFE: Duration = Duration::from_secs(300);

    fn key(algorithm: HttpAlgorithm) -> HttpSigningKey {
        HttpSigningKey::generate(algorithm).expect("a key")
    }

    #[test]
    fn each_key_proves_itself_and_no_other() {
        let keys = [
            HttpAlgorithm::Ed25519,
            HttpAlgorithm::EcdsaP256Sha256,
            HttpAlgorithm::EcdsaP384Sha384,
            HttpAlgorithm::RsaPssSha512,
            HttpAlgorithm::RsaV15Sha256,
        ]
        .map(key);
        let origin = Origin::https("planner.example");
        let other = Origin::https("other.example");
        let body = document(keys.each_ref().map(HttpSigningKey::verifying_key));
        let headers = prove(&keys, &origin, &body, NOW, LIFE).expect("signs");
        assert_eq!(headers["content-type"], DIRECTORY_CONTENT_TYPE);
        assert_eq!(headers["cache-control"], "max-age=150");
        let verify = |headers: &HeaderMap, body: &[u8], origin, key: &HttpVerifyingKey, secs| {
            let now = UnixTime::from_secs(NOW.secs() + secs);
            let verified = verify_proof(headers, body, origin, key, now, Skew::ZERO);
            verified.map_or_else(|e| e.reason(), |_| "fine")
        };
        let directory = Directory::parse(&body).expect("a directory");
        for signer in &keys {
            let thumbprint = signer.verifying_key().thumbprint();
            let key = directory.key(thumbprint, NOW).expect("it is there");
            assert_eq!(key.algorithm(), signer.algorithm());
            assert_eq!(verify(&headers, &body, &origin, key, 300), "fine");
            assert_eq!(
                verify(&headers, &body, &origin, key, 301),
                "signature.expired"
            );
            assert_eq!(verify(&headers, b"{}", &origin, key, 0), "signature.digest");
            assert_eq!(verify(&headers, &body, &other, key, 0), "signature.invalid");
        }
        let stranger = key(HttpAlgorithm::Ed25519);
        let verified = verify(&headers, &body, &origin, stranger.verifying_key(), 0);
        assert_eq!(verified, "signature.tag");
        let earlier = verify_proof(
            &headers,
            &body,
            &origin,
            keys[0].verifying_key(),
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
        let key = key(HttpAlgorithm::Ed25519);
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
        let key = key(HttpAlgorithm::Ed25519);
        let origin = Origin::https("planner.example");
        assert!(prove([&key; 8], &origin, b"{}", NOW, LIFE).is_ok());
        let nine = prove([&key; 9], &origin, b"{}", NOW, LIFE);
        assert_eq!(
            nine.map_err(|e| e.reason()).err(),
            Some("signature.too_large")
        );
    }
    #[test]
    fn only_keys_that_others_lack_prove_a_directory() {
        let vectors = include_str!("../../../../fixtures/vectors/rfc9421/rfc9421_vectors.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).expect("JSON");
        let published = vectors["keys"]["test-key-ed25519"].to_string();
        let published = HttpSigningKey::from_jwk(published.as_bytes()).expect("a key");
        let origin = Origin::https("planner.example");
        for (key, want) in [
            (key(HttpAlgorithm::EcdsaP384Sha384), None),
            (published, Some("signature.test_key")),
            (
                key(HttpAlgorithm::HmacSha256),
                Some("signature.algorithm_refused"),
            ),
        ] {
            let proved = prove([&key], &origin, b"{}", NOW, LIFE);
            assert_eq!(proved.map_err(|e| e.reason()).err(), want);
        }
        let secret = key(HttpAlgorithm::HmacSha256);
        assert_eq!(document([secret.verifying_key()]), br#"{"keys":[]}"#);
    }
}
