//! Keys in PEM (RFC 7468).

use rustls_pki_types::pem::{PemObject as _, SectionKind};
use zeroize::Zeroizing;

use super::{HttpKeyError, HttpSigningKey, HttpVerifyingKey};

type Section = (SectionKind, Vec<u8>);

impl HttpSigningKey {
    /// The first private key in this PEM text: a section `PRIVATE KEY` (PKCS#8, not encrypted).
    /// Certificates beside it are passed over.
    ///
    /// # Errors
    /// [`HttpKeyError::Pem`] when there is none, saying what there is; [`HttpKeyError`] when the
    /// key is not taken.
    pub fn from_pem(pem: &str) -> Result<Self, HttpKeyError> {
        let mut found = None;
        for section in Section::pem_slice_iter(pem.as_bytes()) {
            let (kind, der) = section.map_err(|_| malformed())?;
            let der = Zeroizing::new(der);
            match kind {
                SectionKind::PrivateKey => return Self::from_pkcs8(&der),
                SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
                    found = Some("it is not PKCS#8; `openssl pkcs8 -topk8 -nocrypt` makes it so");
                }
                SectionKind::PublicKey => return Err(HttpKeyError::Public),
                _ => {}
            }
        }
        let what = found.unwrap_or_else(|| other(pem, "there is no section PRIVATE KEY"));
        Err(HttpKeyError::Pem { what })
    }
}

impl HttpVerifyingKey {
    /// The first public key in this PEM text: a section `PUBLIC KEY` (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// [`HttpKeyError::Pem`] when there is none, saying what there is; [`HttpKeyError`] when the
    /// key is not taken.
    pub fn from_pem(pem: &str) -> Result<Self, HttpKeyError> {
        for section in Section::pem_slice_iter(pem.as_bytes()) {
            let (kind, der) = section.map_err(|_| malformed())?;
            let der = Zeroizing::new(der);
            match kind {
                SectionKind::PublicKey => return Self::from_spki(&der),
                SectionKind::PrivateKey
                | SectionKind::RsaPrivateKey
                | SectionKind::EcPrivateKey => return Err(HttpKeyError::Private),
                _ => {}
            }
        }
        let what = other(pem, "there is no section PUBLIC KEY");
        Err(HttpKeyError::Pem { what })
    }
}

const fn malformed() -> HttpKeyError {
    HttpKeyError::Pem {
        what: "a section is malformed",
    }
}

/// What the text is, when it is something that people take for such a key.
fn other(pem: &str, otherwise: &'static str) -> &'static str {
    if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        "it is encrypted; only unencrypted keys are read"
    } else if pem.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        "it is a key of OpenSSH, not PKCS#8"
    } else if pem.contains("-----BEGIN RSA PUBLIC KEY-----") {
        "it is an RSAPublicKey; `openssl rsa -RSAPublicKey_in -pubout` makes it one"
    } else {
        otherwise
    }
}
