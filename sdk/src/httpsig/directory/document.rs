//! The document: a JWK Set.

use serde_json::json;

use super::key_ring::KeyRing;
use crate::clock::UnixTime;
use crate::httpsig::{HttpKeySet, HttpVerifyingKey};
use crate::jose::Jwk;

/// The document: a JWK Set, each key under its thumbprint, without `alg`, which the drafts write in
/// two ways; only an RSA key for `rsa-v1_5-sha256` says so. Shared secrets are left out.
pub fn document(keys: impl IntoIterator<Item = impl Into<HttpVerifyingKey>>) -> Vec<u8> {
    let keys: Vec<HttpVerifyingKey> = keys.into_iter().map(Into::into).collect();
    let set = HttpKeySet::of(&keys).to_value();
    set.to_string().into_bytes()
}

/// The document of what is published at `now`; a key that was replaced says when it ends.
pub(super) fn document_of(ring: &KeyRing, now: UnixTime) -> Vec<u8> {
    let keys = ring.published(now).filter_map(|key| {
        let mut jwk = key.key().verifying_key().to_jwk()?;
        jwk.exp = key.until().map(UnixTime::secs);
        Some(jwk)
    });
    let keys: Vec<Jwk> = keys.collect();
    json!({ "keys": keys }).to_string().into_bytes()
}
