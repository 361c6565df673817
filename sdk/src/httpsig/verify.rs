//! Verifying requests and other messages: what is cheap comes before what is not.

use http::HeaderMap;
use http::request::Parts;

use super::digest::{DigestError, encode_digest, verify_content_digest};
use super::error::SignatureError;
use super::fields::combined;
use super::input::Input;
use super::keys::HttpVerifyingKey;
use super::origin::Origin;
use super::presented::PresentedSignature;
use super::profile::Profile;
use super::revision::Tolerance;
use super::rules::{Audience, Keyid, Needs};
use super::sign::{AUDIENCE, CONTENT_DIGEST};
use super::verified::{VerifiedMessage, VerifiedRequest};
use super::view::{Kind, MessageView, RequestView};
use crate::clock::{Skew, UnixTime};
use crate::svid::PeerIdentity;

/// The longest nonce, in characters.
const MAX_NONCE: usize = 256;

/// Verifies the requests that one origin receives.
///
/// ```
/// use countersign::clock::{Skew, UnixTime};
/// use countersign::httpsig::{Origin, Profile, SignatureError, VerifiedRequest, Verifier};
/// use countersign::svid::PeerIdentity;
///
/// fn admit(
///     parts: &http::request::Parts,
///     body: &[u8],
///     peer: &PeerIdentity, // who is at the other end of the TLS connection
///     now: UnixTime,
/// ) -> Result<VerifiedRequest, SignatureError> {
///     let origin = Origin::https("booking.example");
///     let verifier = Verifier::new(Profile::a2a(), origin, Skew::default());
///     verifier.verify(parts, body, peer, now)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    profile: Profile,
    origin: Origin,
    skew: Skew,
}

impl Verifier {
    /// A verifier for requests to `origin`, as its clients name it. Whatever the profile, a body
    /// must be covered, and `created`, `expires` and `nonce` must be there, and `keyid` unless the
    /// profile refuses it.
    pub fn new(profile: Profile, origin: Origin, skew: Skew) -> Self {
        Self {
            profile: profile.for_requests(),
            origin,
            skew,
        }
    }

    /// Checks everything that RFC 9421 §3.2 and the profile ask for, that the key is `owner`'s,
    /// and that `body` is the signed one. `body` is what was received, whole.
    ///
    /// # Errors
    /// [`SignatureError`] naming the first broken rule.
    pub fn verify(
        &self,
        parts: &Parts,
        body: &[u8],
        owner: &PeerIdentity,
        now: UnixTime,
    ) -> Result<VerifiedRequest, SignatureError> {
        let message = self.verify_with_key(parts, body, owner.key(), now)?;
        VerifiedRequest::new(message, owner.clone(), self.skew)
    }

    /// The same checks with a key that the caller vouches for. There is no peer in the result, so
    /// it cannot be taken for one that a peer signed.
    ///
    /// # Errors
    /// [`SignatureError`] naming the first broken rule.
    pub fn verify_with_key(
        &self,
        parts: &Parts,
        body: &[u8],
        key: impl Into<HttpVerifyingKey>,
        now: UnixTime,
    ) -> Result<VerifiedMessage, SignatureError> {
        let message = RequestView::new(parts, &self.origin).into();
        verify_message(&message, body, key, &self.profile, now, self.skew)
    }
}

/// Verifies one signature of any message. When it covers `content-digest`, `body` must match.
///
/// ```
/// use countersign::clock::{Skew, UnixTime};
/// use countersign::crypto::{Algorithm, SigningKey};
/// use countersign::httpsig::{
///     ComponentId, MessageView, Origin, Profile, RequestView, SignatureParams, sign_message,
///     verify_message,
/// };
///
/// let key = SigningKey::generate(Algorithm::EcdsaP256Sha256)?;
/// let (mut parts, ()) = http::Request::get("/tasks").body(())?.into_parts();
/// let origin = Origin::https("booking.example");
/// let message: MessageView<'_> = RequestView::new(&parts, &origin).into();
/// let path = ComponentId::parse(r#""@path""#)?;
/// let fields = sign_message(&message, &key, "mine", &[path], &SignatureParams::new())?;
/// parts.headers.append("signature-input", fields.signature_input);
/// parts.headers.append("signature", fields.signature);
///
/// let message: MessageView<'_> = RequestView::new(&parts, &origin).into();
/// let now = UnixTime::from_secs(1_735_689_600); // your clock's
/// let public = key.verifying_key();
/// let verified =
///     verify_message(&message, b"", public, &Profile::rfc9421(), now, Skew::default())?;
/// assert_eq!(verified.covered(), ["\"@path\""]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SignatureError`] naming the first broken rule.
pub fn verify_message(
    message: &MessageView<'_>,
    body: &[u8],
    key: impl Into<HttpVerifyingKey>,
    profile: &Profile,
    now: UnixTime,
    skew: Skew,
) -> Result<VerifiedMessage, SignatureError> {
    let presented = PresentedSignature::choose(message, profile)?;
    presented.check(body, now, skew)?.verify(key)
}

type Times = (Option<UnixTime>, Option<UnixTime>);

pub(super) fn check_times(
    input: &Input<'_>,
    profile: &Profile,
    now: UnixTime,
    skew: Skew,
) -> Result<Times, SignatureError> {
    let (created, expires) = (input.time("created")?, input.time("expires")?);
    if let Some(created) = created
        && created > now.plus(skew.get())
    {
        return Err(SignatureError::NotYet { created, now });
    }
    if let Some(expires) = expires
        && now > expires.plus(skew.get())
    {
        return Err(SignatureError::Expired { expires, now });
    }
    let wanted = profile.needs.times || profile.max_life.is_some();
    let endless = profile.tolerances.has(Tolerance::LongLife);
    match (created, expires, profile.max_life) {
        (None, _, _) if wanted => Err(SignatureError::ParameterMissing { name: "created" }),
        (_, None, _) if wanted => Err(SignatureError::ParameterMissing { name: "expires" }),
        (Some(created), Some(expires), Some(max))
            if expires <= created || (expires.since(created) > max && !endless) =>
        {
            let max = max.as_secs();
            Err(SignatureError::Life {
                created,
                expires,
                max,
            })
        }
        _ => Ok((created, expires)),
    }
}

/// The parameters that the profile wants beyond those of RFC 9421, and those it does not.
pub(super) fn check_params(input: &Input<'_>, needs: &Needs) -> Result<(), SignatureError> {
    if needs.keyid == Keyid::Thumbprint && !input.has("keyid") {
        return Err(SignatureError::ParameterMissing { name: "keyid" });
    }
    if needs.keyid == Keyid::Refused {
        for name in ["keyid", "alg"] {
            if input.has(name) {
                let name = name.to_owned();
                return Err(SignatureError::ParameterRefused { name });
            }
        }
    }
    for (name, value) in &needs.params {
        if input.value(name).as_ref() != Some(value) {
            let name = name.clone();
            return Err(SignatureError::ParameterRefused { name });
        }
    }
    Ok(())
}

/// The key is the named one, and of the named algorithm.
pub(super) fn check_key(
    input: &Input<'_>,
    needs: &Needs,
    key: &HttpVerifyingKey,
) -> Result<(), SignatureError> {
    let keyid = input.text("keyid")?;
    if needs.keyid == Keyid::Thumbprint {
        let keyid = keyid.ok_or(SignatureError::ParameterMissing { name: "keyid" })?;
        if keyid.parse() != Ok(key.thumbprint()) {
            return Err(SignatureError::Owner {
                keyid: keyid.chars().take(64).collect(),
                owner: key.thumbprint(),
            });
        }
    }
    // RFC 9421 §3.2 step 6: the algorithm is the key's, and `alg` may not say otherwise.
    match input.text("alg")? {
        Some(named) if named != key.algorithm().name() => Err(SignatureError::Algorithm {
            named: named.chars().take(64).collect(),
            key: key.algorithm(),
        }),
        _ => Ok(()),
    }
}

pub(super) fn check_nonce(
    input: &Input<'_>,
    needs: &Needs,
) -> Result<Option<String>, SignatureError> {
    let nonce = input.text("nonce")?;
    let len = nonce.map_or(0, str::len);
    let wrong = len == 0 && (needs.nonce || nonce.is_some());
    if wrong || len > MAX_NONCE {
        let max = MAX_NONCE;
        return Err(SignatureError::Nonce { len, max });
    }
    Ok(nonce.map(str::to_owned))
}

/// The request is for us (draft-ietf-wimse-http-signature, `wimse-aud`).
pub(super) fn check_audience(
    input: &Input<'_>,
    needs: &Needs,
    message: &MessageView<'_>,
) -> Result<(), SignatureError> {
    let Some(audience) = &needs.audience else {
        return Ok(());
    };
    let name = AUDIENCE;
    let said = input.text(name)?;
    let said = said.ok_or(SignatureError::ParameterMissing { name })?;
    let ours = match (audience, &message.kind) {
        (Audience::Named(named), _) => named.iter().any(|ours| ours == said),
        (Audience::Target, Kind::Request(request)) => {
            let mut target = Vec::with_capacity(said.len());
            request.write_audience(&mut target)?;
            target == said.as_bytes()
        }
        (Audience::Target, Kind::Response(_)) => false,
    };
    if ours {
        return Ok(());
    }
    let said = said.chars().take(256).collect();
    Err(SignatureError::Audience { said })
}

/// The whole body against the header; both are covered.
pub(super) fn check_digest(headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureError> {
    let value = combined(headers, CONTENT_DIGEST).map_err(|_| DigestError::Malformed)?;
    // Every signer of ours writes it like this, and then there is nothing to parse.
    if *value == encode_digest(body) {
        return Ok(());
    }
    let text = std::str::from_utf8(&value).map_err(|_| DigestError::Malformed)?;
    verify_content_digest(text, body)?;
    Ok(())
}
