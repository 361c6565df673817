//! What stands in PKCS#8 (RFC 5958) around a private key.

use super::der::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, write};
use super::error::HttpKeyError;
use zeroize::Zeroizing;

/// id-Ed25519 (RFC 8410 §3).
pub(super) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// id-ecPublicKey (RFC 5480 §2.1.1).
pub(super) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// secp256r1 as a parameter, with its tag (RFC 5480 §2.1.1.1).
pub(super) const P256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// secp384r1 as a parameter, with its tag.
pub(super) const P384: &[u8] = &[0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x22];
/// rsaEncryption (RFC 3279 §2.3.1).
pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-RSASSA-PSS (RFC 4055 §3.1).
pub(super) const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];

/// A private key with what it says it is.
pub(super) struct Pkcs8<'a> {
    pub(super) algorithm: &'a [u8],
    /// With their tags.
    pub(super) parameters: &'a [u8],
    pub(super) key: &'a [u8],
}

impl<'a> Pkcs8<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader::new(Reader::only(der, SEQUENCE)?);
        matches!(outer.take(INTEGER)?, [0 | 1]).then_some(())?;
        let mut algorithm = Reader::new(outer.take(SEQUENCE)?);
        // Attributes and the public key may follow.
        Some(Self {
            key: outer.take(OCTET_STRING)?,
            algorithm: algorithm.take(OID)?,
            parameters: algorithm.rest(),
        })
    }
}

/// PKCS#8 of the first version.
pub(super) fn write_pkcs8(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let version = write(INTEGER, &[&[0]]);
    let algorithm = write(SEQUENCE, &[&write(OID, &[algorithm]), parameters]);
    let key = write(OCTET_STRING, &[key]);
    write(SEQUENCE, &[&version, &algorithm, &key])
}

/// The error for a key of this kind.
pub(super) fn unknown_kind(algorithm: &[u8], parameters: &[u8]) -> HttpKeyError {
    let kind = match algorithm {
        EC => "ECDSA on another curve".to_owned(),
        RSA | RSA_PSS if !parameters.is_empty() => "RSA with other parameters".to_owned(),
        [0x2b, 0x65, 0x6e] => "X25519".to_owned(),
        [0x2b, 0x65, 0x71] => "Ed448".to_owned(),
        other => {
            let hex: Vec<_> = other.iter().take(16).map(|b| format!("{b:02x}")).collect();
            format!("with the OID {}", hex.concat())
        }
    };
    HttpKeyError::Kind {
        kind,
        secret: false,
    }
}
