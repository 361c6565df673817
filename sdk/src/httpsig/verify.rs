//! Verifying requests and other messages: what is cheap comes before what is not.

use http::HeaderMap;
use http::request::Parts;

use super::agent::covered_agent;
use super::base::{BASE_ROOM, write_base};
use super::coverage::Covered;
use super::digest::{DigestError, encode_digest, verify_content_digest};
use super::error::SignatureError;
use super::fields::combined;
use super::input::Input;
use super::inputs::Inputs;
use super::keys::HttpVerifyingKey;
use super::origin::Origin;
use super::output::signature_of;
use super::profile::Profile;
use super::rules::Needs;
use super::sign::CONTENT_DIGEST;
use super::verified::{self, VerifiedMessage, VerifiedRequest};
use super::view::{MessageView, RequestView};
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
    /// must be covered, and `created`, `expires`, `keyid` and `nonce` must be there.
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
    let inputs = Inputs::read(message.headers())?;
    // RFC 9421 §3.2: which of several signatures counts is the verifier's choice, made by tag.
    let input = match profile.tag {
        Some(tag) => inputs.tagged(tag, None)?,
        None => inputs.labelled(profile.label.as_deref())?,
    };
    verify_input(message, &input, body, &key.into(), profile, (now, skew))
}

/// Verifies the signature that was chosen.
pub(super) fn verify_input(
    message: &MessageView<'_>,
    input: &Input<'_>,
    body: &[u8],
    key: &HttpVerifyingKey,
    profile: &Profile,
    (now, skew): (UnixTime, Skew),
) -> Result<VerifiedMessage, SignatureError> {
    profile.check_key(key)?;
    let headers = message.headers();
    let needs = &profile.needs;
    let (created, expires) = check_times(input, profile, now, skew)?;
    check_key(input, needs, key)?;
    let nonce = check_nonce(input, needs)?;
    input.refuse_repeated()?;
    let covered = Covered::of(&input.components);
    covered.check(needs, headers, body)?;
    let agent = covered_agent(headers, input, needs.agent)?;
    let signature = signature_of(headers, input.label)?;

    let mut base = Vec::with_capacity(BASE_ROOM);
    let list = write_base(message, &input.components, &mut base)?;
    input.write_params(&mut base);
    key.verify(&base, &signature)
        .map_err(|_| SignatureError::Invalid)?;
    // Only a body that somebody with the key signed is worth hashing.
    if covered.digest {
        check_digest(headers, body)?;
    }
    Ok(VerifiedMessage {
        label: input.label.to_owned(),
        covered: verified::Covered::new(list),
        key: key.thumbprint(),
        keyid: input.text("keyid")?.map(str::to_owned),
        nonce,
        created,
        expires,
        agent,
        body: covered.digest,
    })
}

type Times = (Option<UnixTime>, Option<UnixTime>);

fn check_times(
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
    match (created, expires, profile.max_life) {
        (None, _, _) if wanted => Err(SignatureError::ParameterMissing { name: "created" }),
        (_, None, _) if wanted => Err(SignatureError::ParameterMissing { name: "expires" }),
        (Some(created), Some(expires), Some(max))
            if expires <= created || expires.since(created) > max =>
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

/// The key is the named one, and of the named algorithm.
fn check_key(
    input: &Input<'_>,
    needs: &Needs,
    key: &HttpVerifyingKey,
) -> Result<(), SignatureError> {
    let keyid = input.text("keyid")?;
    if needs.keyid {
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

fn check_nonce(input: &Input<'_>, needs: &Needs) -> Result<Option<String>, SignatureError> {
    let nonce = input.text("nonce")?;
    let len = nonce.map_or(0, str::len);
    let wrong = len == 0 && (needs.nonce || nonce.is_some());
    if wrong || len > MAX_NONCE {
        let max = MAX_NONCE;
        return Err(SignatureError::Nonce { len, max });
    }
    Ok(nonce.map(str::to_owned))
}

/// The whole body against the header; both are covered.
fn check_digest(headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureError> {
    let value = combined(headers, CONTENT_DIGEST).map_err(|_| DigestError::Malformed)?;
    // Every signer of ours writes it like this, and then there is nothing to parse.
    if *value == encode_digest(body) {
        return Ok(());
    }
    let text = std::str::from_utf8(&value).map_err(|_| DigestError::Malformed)?;
    verify_content_digest(text, body)?;
    Ok(())
}
