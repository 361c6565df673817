//! Private keys that are made here, to be written down.

use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::crypto::random;
use crate::httpsig::{HttpAlgorithm, HttpKeyError, HttpSigningKey};
use crate::jose::encode_base64url;

/// A fresh private key in the forms that it is written in.
pub(super) struct MadeKey {
    pub(super) key: HttpSigningKey,
    /// `None` of a shared secret.
    pub(super) pem: Option<Zeroizing<String>>,
    pub(super) jwk: Zeroizing<String>,
}

impl std::fmt::Debug for MadeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.key.fmt(f)
    }
}

type Members = Vec<(&'static str, Zeroizing<Vec<u8>>)>;

/// Makes a key for this algorithm.
pub(super) fn make(algorithm: HttpAlgorithm) -> Result<MadeKey, HttpKeyError> {
    let failed = HttpKeyError::Provider;
    let (pkcs8, members) = match algorithm {
        HttpAlgorithm::HmacSha256 => return secret(),
        HttpAlgorithm::Ed25519 => ed25519().ok_or(failed)?,
        HttpAlgorithm::EcdsaP256Sha256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING).ok_or(failed)?,
        HttpAlgorithm::EcdsaP384Sha384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING).ok_or(failed)?,
        HttpAlgorithm::RsaPssSha512 | HttpAlgorithm::RsaV15Sha256 => rsa().ok_or(failed)?,
    };
    let key = HttpSigningKey::from_pkcs8(&pkcs8)?.with_algorithm(algorithm)?;
    let public = key.verifying_key().to_jwk();
    let public = public.and_then(|jwk| serde_json::to_string(&jwk).ok());
    let mut jwk = Zeroizing::new(public.ok_or(HttpKeyError::Provider)?);
    // The public members, and then the private ones.
    jwk.pop();
    for (name, value) in members {
        push_member(&mut jwk, name, &value);
    }
    jwk.push('}');
    Ok(MadeKey {
        key,
        pem: Some(pem(&pkcs8)),
        jwk,
    })
}

fn push_member(jwk: &mut String, name: &str, value: &[u8]) {
    let value = Zeroizing::new(encode_base64url(value));
    for part in [",\"", name, "\":\"", &value, "\""] {
        jwk.push_str(part);
    }
}

fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(STANDARD.encode(pkcs8));
    let mut pem = Zeroizing::new("-----BEGIN PRIVATE KEY-----\n".to_owned());
    // RFC 7468 §2: lines of 64 characters; base64 is ASCII.
    for line in text.as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).unwrap_or_default());
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    pem
}

fn secret() -> Result<MadeKey, HttpKeyError> {
    let bytes = Zeroizing::new(random::<64>());
    let mut jwk = Zeroizing::new("{\"kty\":\"oct\",\"alg\":\"HS256\"".to_owned());
    push_member(&mut jwk, "k", bytes.as_slice());
    jwk.push('}');
    let key = HttpSigningKey::from_jwk(jwk.as_bytes())?;
    let pem = None;
    Ok(MadeKey { key, pem, jwk })
}

fn ed25519() -> Option<(Zeroizing<Vec<u8>>, Members)> {
    let made = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).ok()?;
    let pkcs8 = Zeroizing::new(made.as_ref().to_vec());
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).ok()?;
    let seed = pair.seed().ok()?.as_be_bytes().ok()?;
    let seed = Zeroizing::new(seed.as_ref().to_vec());
    Some((pkcs8, vec![("d", seed)]))
}

fn ecdsa(curve: &'static EcdsaSigningAlgorithm) -> Option<(Zeroizing<Vec<u8>>, Members)> {
    let made = EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new()).ok()?;
    let pkcs8 = Zeroizing::new(made.as_ref().to_vec());
    let pair = EcdsaKeyPair::from_pkcs8(curve, &pkcs8).ok()?;
    let number = pair.private_key().as_be_bytes().ok()?;
    let number = Zeroizing::new(number.as_ref().to_vec());
    Some((pkcs8, vec![("d", number)]))
}

fn rsa() -> Option<(Zeroizing<Vec<u8>>, Members)> {
    let pair = RsaKeyPair::generate(KeySize::Rsa3072).ok()?;
    let pkcs8 = Zeroizing::new(pair.as_der().ok()?.as_ref().to_vec());
    let members = rsa_members(&pkcs8)?;
    Some((pkcs8, members))
}

/// RFC 8017 §A.1.2: version, n, e, d, p, q, dp, dq, qi, within PKCS#8 (RFC 5958 §2).
fn rsa_members(pkcs8: &[u8]) -> Option<Members> {
    let mut outer = take(&mut &*pkcs8, 0x30)?;
    take(&mut outer, 0x02)?;
    take(&mut outer, 0x30)?;
    let mut key = take(&mut outer, 0x04)?;
    let mut key = take(&mut key, 0x30)?;
    for _ in ["version", "n", "e"] {
        take(&mut key, 0x02)?;
    }
    let names = ["d", "p", "q", "dp", "dq", "qi"];
    let members = names.map(|name| {
        let number = take(&mut key, 0x02)?;
        // RFC 7518 §2: as few bytes as the number needs.
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        Some((name, Zeroizing::new(number[zeros..].to_vec())))
    });
    members.into_iter().collect()
}

/// The content of the next element of DER, which must have this tag.
fn take<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&found, after) = rest.split_first()?;
    let (&first, after) = after.split_first()?;
    let (len, after) = match first {
        0..=0x7f => (usize::from(first), after),
        0x81..=0x83 => {
            let (len, after) = after.split_at_checked(usize::from(first - 0x80))?;
            let len = len
                .iter()
                .fold(0, |len, byte| len << 8 | usize::from(*byte));
            (len, after)
        }
        _ => return None,
    };
    let (content, after) = after.split_at_checked(len)?;
    *rest = after;
    (found == tag).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_in_each_form() {
        for algorithm in HttpAlgorithm::ALL {
            let made = make(algorithm).expect("a key");
            let of_jwk = HttpSigningKey::from_jwk(made.jwk.as_bytes()).expect("a JWK");
            assert_eq!(of_jwk.verifying_key(), made.key.verifying_key());
            assert_eq!(of_jwk.algorithm(), algorithm);
            let Some(pem) = made.pem else {
                assert!(algorithm.is_shared_secret());
                continue;
            };
            assert!(pem.lines().all(|line| line.len() <= 64), "{algorithm}");
            let of_pem = HttpSigningKey::from_pem(&pem).expect("PEM");
            let of_pem = of_pem.with_algorithm(algorithm).expect("it fits");
            assert_eq!(of_pem.verifying_key(), made.key.verifying_key());
        }
    }
}
