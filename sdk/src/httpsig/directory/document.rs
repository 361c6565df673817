//! The document: a JWK Set.

use serde_json::json;

use super::key_ring::KeyRing;
use crate::clock::UnixTime;
use crate::crypto::VerifyingKey;
use crate::jose::{Jwk, JwkSet};

/// The document: a JWK Set, each key under its thumbprint, without `alg`, which the drafts write in
/// two ways.
pub fn document<'a>(keys: impl IntoIterator<Item = &'a VerifyingKey>) -> Vec<u8> {
    JwkSet::of(keys).to_value().to_string().into_bytes()
}

/// The document of what is published at `now`; a key that was replaced says when it ends.
pub(super) fn document_of(ring: &KeyRing, now: UnixTime) -> Vec<u8> {
    let keys = ring.published(now).map(|key| {
        let mut jwk = Jwk::of(key.key().verifying_key());
        jwk.exp = key.until().map(UnixTime::secs);
        jwk
    });
    let keys: Vec<Jwk> = keys.collect();
    json!({ "keys": keys }).to_string().into_bytes()
}
