//! RSA public keys: their limits and their forms.

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA512, RsaParameters,
};

use super::der::{INTEGER, Reader, SEQUENCE, write, write_positive};
use super::{HttpAlgorithm, HttpKeyError};
use crate::crypto::{KeyThumbprint, sha256};
use crate::jose::encode_base64url;

/// The fewest bits of a modulus (RFC 8017 sets none; RFC 7518 §3.3 and §3.5 do).
const MIN_BITS: usize = 2048;
/// The most: what the provider takes. Longer ones only cost the verifier time.
const MAX_BITS: usize = 8192;

/// A modulus and an exponent within the limits, without leading zeros.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RsaPublic {
    pub(super) n: Box<[u8]>,
    pub(super) e: Box<[u8]>,
}

impl RsaPublic {
    /// # Errors
    /// [`HttpKeyError::RsaSize`], [`HttpKeyError::RsaExponent`], [`HttpKeyError::Numbers`].
    pub(super) fn new(n: &[u8], e: &[u8]) -> Result<Self, HttpKeyError> {
        let (n, e) = (trimmed(n), trimmed(e));
        let bits = n
            .first()
            .map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(HttpKeyError::RsaSize {
                bits,
                min: MIN_BITS,
                max: MAX_BITS,
            });
        }
        // FIPS 186-5 §5.1: odd and above 2^16; more than 33 bits only cost the verifier time.
        let odd = e.last().is_some_and(|last| last % 2 == 1);
        if !odd || !matches!(e, [_, _, _] | [_, _, _, _] | [1, _, _, _, _]) {
            return Err(HttpKeyError::RsaExponent);
        }
        if n.last().is_none_or(|last| last % 2 == 0) {
            let algorithm = HttpAlgorithm::RsaPssSha512;
            return Err(HttpKeyError::Numbers { algorithm });
        }
        Ok(Self {
            n: n.into(),
            e: e.into(),
        })
    }

    /// Reads RSAPublicKey (RFC 8017 §A.1.1).
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<Result<Self, HttpKeyError>> {
        let mut fields = Reader::new(Reader::only(der, SEQUENCE)?);
        let (n, e) = (fields.positive()?, fields.positive()?);
        fields.is_empty().then(|| Self::new(n, e))
    }

    /// Reads the public half of RSAPrivateKey (RFC 8017 §A.1.2).
    pub(super) fn of_private(der: &[u8]) -> Option<Result<Self, HttpKeyError>> {
        let mut fields = Reader::new(Reader::only(der, SEQUENCE)?);
        // Keys of more than two primes have another version; nobody has them.
        (fields.take(INTEGER)? == [0]).then_some(())?;
        Some(Self::new(fields.positive()?, fields.positive()?))
    }

    /// RSAPublicKey.
    pub(super) fn to_pkcs1(&self) -> Vec<u8> {
        let numbers = [write_positive(&self.n), write_positive(&self.e)];
        write(SEQUENCE, &[&numbers[0], &numbers[1]]).to_vec()
    }

    /// The key for one of the two algorithms.
    pub(super) fn parse(&self, algorithm: HttpAlgorithm) -> Result<ParsedPublicKey, HttpKeyError> {
        let parameters: &'static RsaParameters = match algorithm {
            HttpAlgorithm::RsaV15Sha256 => &RSA_PKCS1_2048_8192_SHA256,
            _ => &RSA_PSS_2048_8192_SHA512,
        };
        ParsedPublicKey::new(parameters, self.to_pkcs1())
            .map_err(|_| HttpKeyError::Numbers { algorithm })
    }

    /// RFC 7638 §3.2: the required members only, in lexicographic order, no white space.
    pub(super) fn thumbprint(&self) -> KeyThumbprint {
        let (n, e) = (encode_base64url(&self.n), encode_base64url(&self.e));
        let jwk = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        KeyThumbprint::from_bytes(sha256(jwk.as_bytes()))
    }
}

fn trimmed(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modulus_and_exponent_have_exact_limits() {
        let modulus = |bits: usize| {
            let mut n = vec![0xff; bits.div_ceil(8)];
            n[0] >>= (8 - bits % 8) % 8;
            n
        };
        let f4 = [1, 0, 1];
        for (n, e, want) in [
            (modulus(2048), &f4[..], "fine"),
            (modulus(2047), &f4, "key.rsa_size"),
            (modulus(8192), &f4, "fine"),
            (modulus(8193), &f4, "key.rsa_size"),
            (vec![], &f4, "key.rsa_size"),
            ([vec![0], modulus(2048)].concat(), &f4, "fine"),
            (modulus(2048), &[0, 1, 0, 1], "fine"),
            (modulus(2048), &[0xff, 0xff], "key.rsa_exponent"),
            (modulus(2048), &[3], "key.rsa_exponent"),
            (modulus(2048), &[1], "key.rsa_exponent"),
            (modulus(2048), &[], "key.rsa_exponent"),
            (modulus(2048), &[1, 0, 0], "key.rsa_exponent"),
            (modulus(2048), &[1, 0xff, 0xff, 0xff, 0xff], "fine"),
            (modulus(2048), &[2, 0, 0, 0, 1], "key.rsa_exponent"),
        ] {
            let read = RsaPublic::new(&n, e).map_or_else(|e| e.reason(), |_| "fine");
            assert_eq!(read, want, "{} bytes, {e:?}", n.len());
        }
        let mut even = modulus(2048);
        even[255] = 2;
        let reason = RsaPublic::new(&even, &f4).map_err(|e| e.reason()).err();
        assert_eq!(reason, Some("key.numbers"));
    }
}
