//! Keys from files.

use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::files::{MAX_DOCUMENT, read};
use super::stop;
use crate::cli::outcome::{Kind, Stop};
use crate::httpsig::{
    HttpAlgorithm, HttpKeyError, HttpKeySet, HttpSigningKey, HttpVerifyingKey, SignatureError,
    WantedKey, is_public_test_key,
};

/// What tells JSON keys apart.
#[derive(Deserialize)]
struct Described {
    kid: Option<String>,
    kty: Option<String>,
}

/// A JWK Set, its keys unread.
#[derive(Deserialize)]
struct Set<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

fn described(json: &[u8]) -> Option<Described> {
    serde_json::from_slice(json).ok()
}

/// PEM, or else JSON.
fn pem(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.contains("-----BEGIN ").then_some(text)
}

/// All private keys of a file: PEM (PKCS#8), a JWK, or the keys of a JWK Set.
pub(super) fn signing_keys(path: &Path) -> Result<Vec<(Option<String>, HttpSigningKey)>, Stop> {
    let bytes = read(path, MAX_DOCUMENT)?;
    let wrong = |error: HttpKeyError| stop::key(path.display(), &error);
    if let Some(text) = pem(&bytes) {
        return Ok(vec![(None, HttpSigningKey::from_pem(text).map_err(wrong)?)]);
    }
    let set: Option<Set<'_>> = serde_json::from_slice(&bytes).ok();
    let listed: Vec<&[u8]> = match &set {
        Some(set) => set.keys.iter().map(|key| key.get().as_bytes()).collect(),
        None => vec![&bytes],
    };
    let keys = listed.into_iter().map(|json| {
        let key = HttpSigningKey::from_jwk(json).map_err(wrong)?;
        Ok((described(json).and_then(|jwk| jwk.kid), key))
    });
    let keys: Vec<_> = keys.collect::<Result<_, Stop>>()?;
    match keys.is_empty() {
        true => Err(wrong(HttpKeyError::Json)),
        false => Ok(keys),
    }
}

/// The one private key of a file, or the one that `named` means: its `kid` or thumbprint.
pub(super) fn signing_key(
    path: &Path,
    named: Option<&str>,
    algorithm: Option<HttpAlgorithm>,
) -> Result<HttpSigningKey, Stop> {
    let mut keys = signing_keys(path)?;
    if let Some(named) = named {
        keys.retain(|(kid, key)| {
            let thumbprint = key.verifying_key().thumbprint().to_string();
            kid.as_deref() == Some(named) || thumbprint == named
        });
    }
    let count = keys.len();
    let Some((_, key)) = keys.pop().filter(|_| count == 1) else {
        return Err(Stop::usage(
            format!("{}: {count} keys could be meant", path.display()),
            "name one with --kid, by its kid or its thumbprint",
        ));
    };
    match algorithm {
        None => Ok(key),
        Some(algorithm) => {
            let fitting = key.with_algorithm(algorithm);
            fitting.map_err(|error| Stop {
                kind: Kind::Usage,
                ..stop::key(path.display(), &error)
            })
        }
    }
}

/// Refuses keys whose private half everybody has, unless `accepted`.
pub(super) fn refuse_test_key(key: &HttpVerifyingKey, accepted: bool) -> Result<(), Stop> {
    let thumbprint = key.thumbprint();
    match is_public_test_key(thumbprint) && !accepted {
        true => Err(stop::signature(&SignatureError::TestKey { thumbprint })),
        false => Ok(()),
    }
}

/// Keys to verify with.
#[derive(Debug)]
pub(super) enum Keys {
    Set(HttpKeySet),
    /// One key, and what it is called.
    One(Option<String>, HttpVerifyingKey),
}

impl Keys {
    /// PEM (SubjectPublicKeyInfo), a JWK, a JWK Set, or a shared secret as JWK.
    pub(super) fn read(path: &Path, algorithm: Option<HttpAlgorithm>) -> Result<Self, Stop> {
        let bytes = read(path, MAX_DOCUMENT)?;
        let wrong = |error: HttpKeyError| stop::key(path.display(), &error);
        let fit = |key: HttpVerifyingKey| match algorithm {
            Some(algorithm) => key.with_algorithm(algorithm).map_err(wrong),
            None => Ok(key),
        };
        if let Some(text) = pem(&bytes) {
            let key = HttpVerifyingKey::from_pem(text).map_err(wrong)?;
            return Ok(Self::One(None, fit(key)?));
        }
        if let Some(jwk) = described(&bytes).filter(|jwk| jwk.kty.as_deref() == Some("oct")) {
            let secret = HttpSigningKey::from_jwk(&bytes).map_err(wrong)?;
            return Ok(Self::One(jwk.kid, fit(secret.verifying_key().clone())?));
        }
        let set = HttpKeySet::from_json(&bytes).map_err(wrong)?;
        let mut named = set.iter().map(|(jwk, key)| (jwk.kid.clone(), key.clone()));
        match (named.next(), set.len()) {
            (Some((kid, key)), 1) => Ok(Self::One(kid, fit(key)?)),
            (Some(_), _) if algorithm.is_some() => Err(Stop::usage(
                "--alg with several keys",
                "a JWK says its algorithm with the member alg",
            )),
            (Some(_), _) => {
                drop(named);
                Ok(Self::Set(set))
            }
            (None, _) => Err(match set.left_out().first() {
                Some((_, error)) => wrong(error.clone()),
                None => Stop::failed(
                    "key.none",
                    format!("{}: there is no key in it", path.display()),
                    "a directory without keys verifies nothing",
                ),
            }),
        }
    }

    /// The key that a signature asks for.
    pub(super) fn find(&self, wanted: &WantedKey<'_>) -> Result<HttpVerifyingKey, SignatureError> {
        let found = match (self, wanted.keyid) {
            (Self::Set(set), Some(keyid)) => set.by_keyid(keyid),
            (Self::Set(_), None) => None,
            (Self::One(_, key), None) => Some(key),
            (Self::One(kid, key), Some(keyid)) => {
                let same = match keyid.parse() {
                    Ok(thumbprint) => key.thumbprint() == thumbprint,
                    // What a key in PEM is called, its owner and its user know.
                    Err(_) => kid.is_none(),
                };
                (same || kid.as_deref() == Some(keyid)).then_some(key)
            }
        };
        found.cloned().ok_or_else(|| wanted.unknown())
    }
}
