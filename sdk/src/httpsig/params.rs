//! Signatures over any message, with any parameters (RFC 9421 §3.1).

use http::HeaderValue;
use sfv::KeyRef;

use super::base::{BASE_ROOM, write_base};
use super::component::{ComponentId, write_string};
use super::error::SignatureError;
use super::input::{MAX_COMPONENTS, check_size, refuse_repeated};
use super::keys::{HttpAlgorithm, HttpSigningKey, HttpVerifyingKey, is_public_test_key};
use super::prepared::PreparedMessage;
use super::profiles::is_without_secrets;
use super::view::MessageView;
use crate::clock::UnixTime;
use crate::crypto::KeyThumbprint;

/// The value of a signature parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ParamValue {
    /// A whole number, as of `created` and `expires`.
    Integer(u64),
    /// Text of visible ASCII and spaces.
    Text(String),
    /// A flag that is there.
    Flag,
}

/// The parameters of a signature, written in the order they are added.
///
/// ```
/// use countersign::{clock::UnixTime, httpsig::SignatureParams};
/// let params = SignatureParams::new()
///     .created(UnixTime::from_secs(1_735_689_600))
///     .tag("my-protocol");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SignatureParams {
    listed: Vec<(String, ParamValue)>,
    test_keys: bool,
}

impl SignatureParams {
    /// No parameters yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// When the signature is made.
    #[must_use]
    pub fn created(self, at: UnixTime) -> Self {
        self.with("created", ParamValue::Integer(at.secs()))
    }

    /// When the signature ends.
    #[must_use]
    pub fn expires(self, at: UnixTime) -> Self {
        self.with("expires", ParamValue::Integer(at.secs()))
    }

    /// The key, by its thumbprint.
    #[must_use]
    pub fn keyid(self, thumbprint: KeyThumbprint) -> Self {
        self.with("keyid", ParamValue::Text(thumbprint.to_string()))
    }

    /// The algorithm; usually left to the key.
    #[must_use]
    pub fn alg(self, algorithm: impl Into<HttpAlgorithm>) -> Self {
        let name = algorithm.into().name().to_owned();
        self.with("alg", ParamValue::Text(name))
    }

    /// A value that is used once.
    #[must_use]
    pub fn nonce(self, nonce: impl Into<String>) -> Self {
        self.with("nonce", ParamValue::Text(nonce.into()))
    }

    /// What the signature is for.
    #[must_use]
    pub fn tag(self, tag: impl Into<String>) -> Self {
        self.with("tag", ParamValue::Text(tag.into()))
    }

    /// Any other parameter, or one of the above in another form.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: ParamValue) -> Self {
        self.listed.push((name.into(), value));
        self
    }

    /// Ways to sign that are not for production.
    pub fn danger(self) -> ParamsDanger {
        ParamsDanger(self)
    }

    /// Refuses keys that everybody has, and shared secrets under a tag that has no place for them.
    fn check_key(&self, key: &HttpVerifyingKey) -> Result<(), SignatureError> {
        let (algorithm, thumbprint) = (key.algorithm(), key.thumbprint());
        if !self.test_keys && is_public_test_key(thumbprint) {
            return Err(SignatureError::TestKey { thumbprint });
        }
        let reserved = self.listed.iter().any(|(name, value)| {
            name == "tag" && matches!(value, ParamValue::Text(tag) if is_without_secrets(tag))
        });
        if reserved && algorithm.is_shared_secret() {
            return Err(SignatureError::AlgorithmRefused { algorithm });
        }
        Ok(())
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), SignatureError> {
        for (index, (name, value)) in self.listed.iter().enumerate() {
            if KeyRef::from_str(name).is_err()
                || self.listed[..index].iter().any(|(n, _)| n == name)
            {
                return Err(malformed("a parameter has no proper name or stands twice"));
            }
            out.push(b';');
            out.extend_from_slice(name.as_bytes());
            match value {
                ParamValue::Flag => {}
                // RFC 9651 §3.3.1: at most fifteen digits.
                ParamValue::Integer(number @ 0..1_000_000_000_000_000) => {
                    out.push(b'=');
                    write_number(*number, out);
                }
                ParamValue::Integer(_) => return Err(malformed("a number is too large")),
                ParamValue::Text(text) if text.bytes().all(|b| matches!(b, 0x20..=0x7e)) => {
                    out.push(b'=');
                    write_string(text, out);
                }
                ParamValue::Text(_) => return Err(malformed("a text is not visible ASCII")),
            }
        }
        Ok(())
    }
}

/// Ways to sign with [`SignatureParams`] that are not for production, all in one place that is easy
/// to search for.
#[derive(Clone, Debug)]
pub struct ParamsDanger(SignatureParams);

impl ParamsDanger {
    /// Signs with the keys of RFC 9421 B.1, with which anybody can sign. For test vectors.
    pub fn accept_public_test_keys(mut self) -> SignatureParams {
        self.0.test_keys = true;
        self.0
    }
}

/// The two fields that carry a signature, to be appended to the message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignatureFields {
    /// The value of `Signature-Input`.
    pub signature_input: HeaderValue,
    /// The value of `Signature`.
    pub signature: HeaderValue,
}

/// Signs any message, with any components and parameters. What it has to cover is the caller's
/// affair: requests between agents are signed by a [`Signer`](super::Signer).
///
/// # Errors
/// [`SignatureError`] when a component has no value or stands twice, a parameter cannot be
/// written, or the provider fails; [`SignatureError::TestKey`] for a published test key, and
/// [`SignatureError::AlgorithmRefused`] for a shared secret under a tag of Web Bot Auth or WIMSE.
pub fn sign_message(
    message: &MessageView<'_>,
    key: impl Into<HttpSigningKey>,
    label: &str,
    components: &[ComponentId<'_>],
    params: &SignatureParams,
) -> Result<SignatureFields, SignatureError> {
    let key = key.into();
    let prepared = prepare_message(message, key.verifying_key(), label, components, params)?;
    let made = key.sign(prepared.base());
    prepared.fields(&made.map_err(|_| SignatureError::Provider)?)
}

/// The first half of [`sign_message`], for a key that is elsewhere; `key` is its public half.
///
/// # Errors
/// As [`sign_message`].
pub fn prepare_message(
    message: &MessageView<'_>,
    key: impl Into<HttpVerifyingKey>,
    label: &str,
    components: &[ComponentId<'_>],
    params: &SignatureParams,
) -> Result<PreparedMessage, SignatureError> {
    if KeyRef::from_str(label).is_err() {
        return Err(malformed("the label is not a key of a dictionary"));
    }
    let key = key.into();
    params.check_key(&key)?;
    check_size("components", components.len(), MAX_COMPONENTS)?;
    refuse_repeated(components)?;
    let mut base = Vec::with_capacity(BASE_ROOM);
    let list = write_base(message, components, &mut base)?;
    let mut input = [label.as_bytes(), b"="].concat();
    input.extend_from_slice(&list);
    let start = input.len();
    params.write(&mut input)?;
    base.extend_from_slice(&input[start..]);
    Ok(PreparedMessage::new(key, label.len(), input, base))
}

/// The bytes as a field value; they are visible ASCII already.
pub(super) fn header_value(bytes: &[u8]) -> Result<HeaderValue, SignatureError> {
    HeaderValue::from_bytes(bytes).map_err(|_| malformed("it is not a field value"))
}

/// Appends the digits of `number`.
pub(super) fn write_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

const fn malformed(what: &'static str) -> SignatureError {
    SignatureError::Malformed {
        field: "Signature-Input",
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_up_to_fifteen_digits() {
        for (number, want) in [
            (0, Some(";n=0")),
            (1_735_689_600, Some(";n=1735689600")),
            (999_999_999_999_999, Some(";n=999999999999999")),
            (1_000_000_000_000_000, None),
        ] {
            let mut out = Vec::new();
            let params = SignatureParams::new().with("n", ParamValue::Integer(number));
            let got = params
                .write(&mut out)
                .map(|()| String::from_utf8_lossy(&out));
            assert_eq!(got.ok().as_deref(), want);
        }
    }

    #[test]
    fn text_cannot_smuggle_parameters() {
        let write = |name: &str, text: &str| {
            let mut out = Vec::new();
            let params = SignatureParams::new().with(name, ParamValue::Text(text.into()));
            params.write(&mut out).map(|()| out).ok()
        };
        assert_eq!(
            write("nonce", "a\";tag=\"b").as_deref(),
            Some(&br#";nonce="a\";tag=\"b""#[..])
        );
        assert_eq!(write("nonce", "a\n"), None);
        assert_eq!(write("nonce", "ä"), None);
        assert_eq!(write("no nce", "a"), None);
        assert_eq!(write("", "a"), None);
    }
}
