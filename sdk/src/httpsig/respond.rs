//! Signed responses, each tied to the one request it answers (RFC 9421 §2.4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};

use super::component::{ComponentId, ComponentParam};
use super::component_name::ComponentName;
use super::digest::encode_digest;
use super::error::SignatureError;
use super::input::{SIGNATURE, SIGNATURE_INPUT};
use super::keys::HttpSigningKey;
use super::params::{ParamValue, SignatureParams, header_value, sign_message};
use super::profile::Profile;
use super::request_tie::{REQUEST_NONCE, request_nonce, signature_components};
use super::rules::{RequestTie, SignerParam};
use super::sign::{CONTENT_DIGEST, append, set};
use super::template::components_of;
use super::view::{MessageView, RequestView, ResponseView};
use crate::clock::UnixTime;
/// Signs a response under the [response form](Profile::responses) of the profile that its request
/// was signed under: sets `Content-Digest` of a body, and appends `Signature-Input` and `Signature`.
/// `request` is the request as it was received, with its signature.
///
/// ```
/// use countersign::clock::{Skew, UnixTime};
/// use countersign::crypto::random;
/// use countersign::httpsig::{
///     HttpAlgorithm, HttpSigningKey, MessageView, Origin, Profile, RequestView, ResponseView,
///     sign_response, verify_message,
/// };
/// use http::{HeaderMap, Request, StatusCode};
///
/// let key = HttpSigningKey::generate(HttpAlgorithm::Ed25519)?;
/// let (parts, ()) = Request::get("/tasks/7").body(())?.into_parts();
/// let origin = Origin::https("booking.example");
/// let request = RequestView::new(&parts, &origin);
/// let profile = Profile::a2a().responses();
/// let now = UnixTime::from_secs(1_735_689_600); // your clock's
/// let (status, mut headers) = (StatusCode::OK, HeaderMap::new());
/// sign_response(&key, &profile, (status, &mut headers, b"done"), &request, now, random())?;
///
/// // Whoever sent the request:
/// let response: MessageView<'_> = ResponseView::new(status, &headers, Some(request)).into();
/// let public = key.verifying_key();
/// let verified = verify_message(&response, b"done", public, &profile, now, Skew::default())?;
/// assert!(verified.covers_body());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SignatureError`] when a component has no value, the request has no nonce that the profile
/// repeats, or the provider fails. The response must then not be sent as a signed one.
pub fn sign_response(
    key: &HttpSigningKey,
    profile: &Profile,
    (status, headers, body): (StatusCode, &mut HeaderMap, &[u8]),
    request: &RequestView<'_>,
    now: UnixTime,
    nonce: [u8; 16],
) -> Result<(), SignatureError> {
    let public = key.verifying_key();
    profile.check_key(public)?;
    match body {
        [] => drop(headers.remove(CONTENT_DIGEST)),
        body => set(headers, CONTENT_DIGEST, header_value(&encode_digest(body))?)?,
    }
    let mut components = components_of(profile)?;
    // A field that the profile covers when present: whether it must be there, verifiers know.
    components.retain(|id| {
        profile.needs.always.contains(id)
            || !matches!(id.name(), ComponentName::Field(name)
                if id.params().is_empty() && !headers.contains_key(name.as_ref()))
    });
    if request.headers().contains_key(CONTENT_DIGEST) {
        components.push(digest_of_request());
    }
    // The profile has judged the key already.
    let mut params = SignatureParams::new().danger().accept_public_test_keys();
    for param in &profile.params {
        params = match param {
            SignerParam::Created => params.created(now),
            SignerParam::Expires => params.expires(now.plus(profile.life)),
            SignerParam::Keyid => params.keyid(public.thumbprint()),
            SignerParam::Alg => params.alg(public.algorithm()),
            SignerParam::Nonce => params.nonce(STANDARD.encode(nonce)),
            SignerParam::Tag => match profile.tag() {
                Some(tag) => params.tag(tag),
                None => params,
            },
            SignerParam::Audience => params,
            SignerParam::Fixed(name, value) => params.with(name.clone(), value.clone()),
        };
    }
    match profile.needs.request {
        RequestTie::None => {}
        RequestTie::Signature => components.extend(signature_components(request)?),
        RequestTie::Nonce => {
            let nonce = request_nonce(request)?;
            let nonce = nonce.ok_or(SignatureError::ParameterMissing { name: "nonce" })?;
            params = params.with(REQUEST_NONCE, ParamValue::Text(nonce));
        }
    }
    let message: MessageView<'_> = ResponseView::new(status, headers, Some(*request)).into();
    let fields = sign_message(&message, key, profile.label(), &components, &params)?;
    append(headers, SIGNATURE_INPUT, fields.signature_input)?;
    append(headers, SIGNATURE, fields.signature)
}

/// RFC 9421 §2.4: what the request's body was.
fn digest_of_request() -> ComponentId<'static> {
    let name = ComponentName::Field(std::borrow::Cow::Borrowed("content-digest"));
    ComponentId::of(name, vec![ComponentParam::Req])
}
