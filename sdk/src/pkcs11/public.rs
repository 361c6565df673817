//! The public half, from a token's attributes.

use cryptoki::object::{Attribute, KeyType};

use super::error::Pkcs11Error;
use crate::crypto::VerifyingKey;
use crate::httpsig::{HttpAlgorithm, HttpKeyError, HttpVerifyingKey};

/// secp256r1 and secp384r1 in DER (RFC 5480 §2.1.1.1).
const P256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x22];

/// What tokens call Ed25519: the name (PKCS#11 3.0 §2.3.10), or an OID.
const ED25519: [&[u8]; 2] = [b"\x13\x0cedwards25519", &[0x06, 3, 0x2b, 0x65, 0x70]];

/// The key that these attributes of a public key describe.
pub(super) fn read(attributes: &[Attribute]) -> Result<HttpVerifyingKey, Pkcs11Error> {
    let mut kind = None;
    let (mut curve, mut point) = (&[][..], &[][..]);
    let (mut modulus, mut exponent) = (&[][..], &[][..]);
    for attribute in attributes {
        match attribute {
            Attribute::KeyType(found) => kind = Some(*found),
            Attribute::EcParams(bytes) => curve = bytes,
            Attribute::EcPoint(bytes) => point = bytes,
            Attribute::Modulus(bytes) => modulus = bytes,
            Attribute::PublicExponent(bytes) => exponent = bytes,
            _ => {}
        }
    }
    let wrong = |algorithm| HttpKeyError::Numbers { algorithm };
    let key = match kind {
        Some(KeyType::RSA) => HttpVerifyingKey::rsa(modulus, exponent)?,
        Some(KeyType::EC) if curve == P256 => VerifyingKey::p256(unwrapped(point, 65))
            .map_err(|_| wrong(HttpAlgorithm::EcdsaP256Sha256))?
            .into(),
        Some(KeyType::EC) if curve == P384 => HttpVerifyingKey::p384(unwrapped(point, 97))?,
        Some(KeyType::EC_EDWARDS) if ED25519.contains(&curve) => {
            VerifyingKey::ed25519(unwrapped(point, 32))
                .map_err(|_| wrong(HttpAlgorithm::Ed25519))?
                .into()
        }
        other => {
            let kind = other.map_or_else(|| "that is not said".to_owned(), |kind| kind.to_string());
            let secret = false;
            return Err(HttpKeyError::Kind { kind, secret }.into());
        }
    };
    Ok(key)
}

/// PKCS#11 2.40 §2.3.3 wants the point in an OCTET STRING; some tokens give it bare.
fn unwrapped(point: &[u8], len: usize) -> &[u8] {
    match point {
        [0x04, short, rest @ ..] if rest.len() == len && usize::from(*short) == len => rest,
        bare => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::httpsig::HttpSigningKey;

    fn spki_tail(key: &HttpSigningKey, len: usize) -> Vec<u8> {
        let spki = key.verifying_key().to_spki().expect("a public key");
        spki[spki.len() - len..].to_vec()
    }

    #[test]
    fn points_are_read_bare_and_wrapped_and_on_their_own_curve_only() {
        for (algorithm, kind, curve, len) in [
            (HttpAlgorithm::Ed25519, KeyType::EC_EDWARDS, ED25519[0], 32),
            (HttpAlgorithm::Ed25519, KeyType::EC_EDWARDS, ED25519[1], 32),
            (HttpAlgorithm::EcdsaP256Sha256, KeyType::EC, P256, 65),
            (HttpAlgorithm::EcdsaP384Sha384, KeyType::EC, P384, 97),
        ] {
            let key = HttpSigningKey::generate(algorithm).expect("a key");
            let bare = spki_tail(&key, len);
            let wrapped = [&[4, len as u8][..], &bare].concat();
            let read = |curve: &[u8], point: &[u8]| {
                read(&[
                    Attribute::KeyType(kind),
                    Attribute::EcParams(curve.to_vec()),
                    Attribute::EcPoint(point.to_vec()),
                ])
            };
            for point in [&bare, &wrapped] {
                let read = read(curve, point).expect("a key");
                assert_eq!(&read, key.verifying_key());
            }
            for (curve, point) in [(curve, &bare[1..]), (&[5, 0][..], &bare[..]), (curve, &[])] {
                let refused = read(curve, point).map_err(|error| error.reason());
                assert_eq!(refused.err(), Some("pkcs11.public_key"));
            }
        }
    }
}
