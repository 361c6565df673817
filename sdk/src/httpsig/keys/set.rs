//! Sets of public keys for message signatures (RFC 7517 §5).

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::{HttpKeyError, HttpVerifyingKey};
use crate::crypto::KeyThumbprint;
use crate::jose::{JsonLimits, Jwk, parse_json};

/// The most bytes of a set that are read.
const MAX_BYTES: usize = 256 * 1024;

/// Public keys for message signatures: a JWK Set, or one JWK.
///
/// ```
/// use countersign::httpsig::HttpKeySet;
/// let set = HttpKeySet::from_json(br#"{"keys":[
///     {"kty":"OKP","crv":"Ed25519","kid":"mine","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}
/// ]}"#)?;
/// assert!(set.by_keyid("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k").is_some());
/// assert!(set.by_keyid("mine").is_some());
/// // What cannot be used is said, not hidden.
/// assert_eq!(set.left_out()[0].1.reason(), "key.kind");
/// # Ok::<(), countersign::httpsig::HttpKeyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct HttpKeySet {
    keys: Vec<(Jwk, HttpVerifyingKey)>,
    left_out: Vec<(usize, HttpKeyError)>,
}

impl HttpKeySet {
    /// Reads a JWK Set, or one JWK, of up to 256 KiB.
    ///
    /// # Errors
    /// [`HttpKeyError::Json`] when it is neither.
    pub fn from_json(json: &[u8]) -> Result<Self, HttpKeyError> {
        let limits = JsonLimits {
            depth: 8,
            bytes: MAX_BYTES,
        };
        let document = parse_json(json, limits).map_err(|_| HttpKeyError::Json)?;
        Self::from_value(&document).ok_or(HttpKeyError::Json)
    }

    /// Reads a JWK Set, or one JWK; `None` when it is neither. Keys that cannot be used are left
    /// out (RFC 7517 §5), see [`Self::left_out`].
    pub fn from_value(document: &Value) -> Option<Self> {
        let listed = match document.get("keys") {
            Some(keys) => keys.as_array()?.as_slice(),
            None if document.get("kty").is_some() => std::slice::from_ref(document),
            None => return None,
        };
        let mut set = Self::default();
        for (index, value) in listed.iter().enumerate() {
            let jwk = Jwk::deserialize(value).map_err(|_| HttpKeyError::Json);
            let key = jwk.and_then(|jwk| HttpVerifyingKey::from_jwk(&jwk).map(|key| (jwk, key)));
            match key {
                Ok(key) => set.keys.push(key),
                Err(error) => set.left_out.push((index, error)),
            }
        }
        Some(set)
    }

    /// A set of these keys; shared secrets are left out, for they are not to be published.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a HttpVerifyingKey>) -> Self {
        let keys = keys.into_iter();
        Self {
            keys: keys
                .filter_map(|key| Some((key.to_jwk()?, key.clone())))
                .collect(),
            left_out: Vec::new(),
        }
    }

    /// The key that a signature with this `keyid` means: the one with this thumbprint, or else the
    /// only one with this `kid`.
    pub fn by_keyid(&self, keyid: &str) -> Option<&HttpVerifyingKey> {
        let thumbprint = keyid.parse().ok().and_then(|it| self.by_thumbprint(it));
        if thumbprint.is_some() {
            return thumbprint;
        }
        let mut named = self
            .iter()
            .filter(|(jwk, _)| jwk.kid.as_deref() == Some(keyid));
        match (named.next(), named.next()) {
            (Some((_, key)), None) => Some(key),
            _ => None,
        }
    }

    /// The key with this thumbprint, whatever its `kid`.
    pub fn by_thumbprint(&self, thumbprint: KeyThumbprint) -> Option<&HttpVerifyingKey> {
        let mut keys = self.keys.iter().map(|(_, key)| key);
        keys.find(|key| key.thumbprint() == thumbprint)
    }

    /// The keys, each with what the document says about it.
    pub fn iter(&self) -> impl Iterator<Item = (&Jwk, &HttpVerifyingKey)> {
        self.keys.iter().map(|(jwk, key)| (jwk, key))
    }

    /// What could not be used: its place in the document, from 0, and why.
    pub fn left_out(&self) -> &[(usize, HttpKeyError)] {
        &self.left_out
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The document, to be published.
    pub fn to_value(&self) -> Value {
        let keys: Vec<_> = self.keys.iter().map(|(jwk, _)| jwk).collect();
        json!({ "keys": keys })
    }
}
