//! What path building does not look at: names, key usage, the CA flag.

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;

use super::SvidError;
use crate::clock::UnixTime;
use crate::crypto::VerifyingKey;
use crate::id::SpiffeId;

/// What a good leaf says.
pub(super) struct Leaf {
    pub(super) id: SpiffeId,
    pub(super) key: VerifyingKey,
    pub(super) validity: Validity,
}

/// The whole seconds at which a certificate holds, both ends included (RFC 5280 §4.1.2.5).
#[derive(Clone, Copy)]
pub(super) struct Validity {
    pub(super) not_before: UnixTime,
    pub(super) not_after: UnixTime,
}

impl Validity {
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Self {
        let seconds = |t: x509_parser::time::ASN1Time| {
            UnixTime::from_secs(u64::try_from(t.timestamp()).unwrap_or(0))
        };
        let validity = certificate.validity();
        Self {
            not_before: seconds(validity.not_before),
            not_after: seconds(validity.not_after),
        }
    }

    pub(super) fn check(self, now: UnixTime) -> Result<(), SvidError> {
        let Self {
            not_before,
            not_after,
        } = self;
        if now < not_before {
            return Err(SvidError::NotYetValid { not_before, now });
        }
        if now > not_after {
            return Err(SvidError::Expired { not_after, now });
        }
        Ok(())
    }
}

/// The certificate at `place` of the chain, read to its last byte.
pub(super) fn parse<'a>(
    der: &'a CertificateDer<'_>,
    place: usize,
) -> Result<X509Certificate<'a>, SvidError> {
    let malformed = |what| SvidError::Malformed { place, what };
    let (rest, certificate) =
        X509Certificate::from_der(der.as_ref()).map_err(|_| malformed("not an X.509 structure"))?;
    if !rest.is_empty() {
        return Err(malformed("bytes follow the certificate"));
    }
    let broken = |e: &ParsedExtension<'_>| matches!(e, ParsedExtension::ParseError { .. });
    if certificate
        .extensions()
        .iter()
        .any(|e| broken(e.parsed_extension()))
    {
        return Err(malformed("an extension cannot be read"));
    }
    if certificate.extensions_map().is_err() {
        return Err(malformed("an extension stands there twice"));
    }
    Ok(certificate)
}

/// The rules of X509-SVID §2 to §4 for a leaf, in the order of the standard.
pub(super) fn leaf(certificate: &X509Certificate<'_>) -> Result<Leaf, SvidError> {
    let id = spiffe_id(certificate)?;
    refuse_ca(certificate)?;
    check_key_usage(certificate)?;
    check_extended_key_usage(certificate)?;
    let key = VerifyingKey::from_spki(certificate.public_key().raw).map_err(|_| SvidError::Key)?;
    Ok(Leaf {
        id,
        key,
        validity: Validity::of(certificate),
    })
}

const UNREADABLE: fn(&'static str) -> SvidError = |what| SvidError::Malformed { place: 0, what };

// X509-SVID §2: exactly one URI name, whatever other names stand beside it.
fn spiffe_id(certificate: &X509Certificate<'_>) -> Result<SpiffeId, SvidError> {
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| UNREADABLE("the subject alternative name cannot be read"))?;
    let Some(names) = names else {
        return Err(SvidError::NoUriSan);
    };
    let mut uris = Vec::new();
    for name in &names.value.general_names {
        match name {
            GeneralName::URI(uri) => uris.push(*uri),
            GeneralName::Invalid(..) => return Err(UNREADABLE("a name is not text")),
            GeneralName::OtherName(..)
            | GeneralName::RFC822Name(_)
            | GeneralName::DNSName(_)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::IPAddress(_)
            | GeneralName::RegisteredID(_) => {}
        }
    }
    match uris.as_slice() {
        [] => Err(SvidError::NoUriSan),
        [uri] => uri.parse().map_err(SvidError::SpiffeId),
        more => Err(SvidError::SeveralUriSans { count: more.len() }),
    }
}

// X509-SVID §4.1: a leaf's cA is false; the extension may be left out.
fn refuse_ca(certificate: &X509Certificate<'_>) -> Result<(), SvidError> {
    let constraints = certificate
        .basic_constraints()
        .map_err(|_| UNREADABLE("the basic constraints cannot be read"))?;
    match constraints {
        Some(found) if found.value.ca => Err(SvidError::Ca),
        _ => Ok(()),
    }
}

// X509-SVID §4.3: present, critical, digitalSignature set, keyCertSign and cRLSign not.
fn check_key_usage(certificate: &X509Certificate<'_>) -> Result<(), SvidError> {
    let usage = certificate
        .key_usage()
        .map_err(|_| UNREADABLE("the key usage cannot be read"))?
        .ok_or(SvidError::KeyUsage("is missing"))?;
    if !usage.critical {
        return Err(SvidError::KeyUsage("is not marked critical"));
    }
    if !usage.value.digital_signature() {
        return Err(SvidError::KeyUsage("lacks digitalSignature"));
    }
    if usage.value.key_cert_sign() {
        return Err(SvidError::KeyUsage("has keyCertSign, which no leaf may"));
    }
    if usage.value.crl_sign() {
        return Err(SvidError::KeyUsage("has cRLSign, which no leaf may"));
    }
    Ok(())
}

// X509-SVID §4.4: if the extension is there, both purposes are.
fn check_extended_key_usage(certificate: &X509Certificate<'_>) -> Result<(), SvidError> {
    let usage = certificate
        .extended_key_usage()
        .map_err(|_| UNREADABLE("the extended key usage cannot be read"))?;
    let Some(usage) = usage else {
        return Ok(());
    };
    let missing = |missing| Err(SvidError::ExtendedKeyUsage { missing });
    match (usage.value.server_auth, usage.value.client_auth) {
        (true, true) => Ok(()),
        (false, _) => missing("serverAuth"),
        (true, false) => missing("clientAuth"),
    }
}

/// RFC 5280 §6.1.4 (k), (n): a certificate that signs others says so.
pub(super) fn may_sign(certificate: &X509Certificate<'_>) -> Result<(), &'static str> {
    let ca = matches!(certificate.basic_constraints(), Ok(Some(found)) if found.value.ca);
    if !ca {
        return Err("is not marked as a CA");
    }
    match certificate.key_usage() {
        Ok(Some(usage)) if !usage.value.key_cert_sign() => {
            Err("has a key usage without keyCertSign")
        }
        Ok(_) => Ok(()),
        Err(_) => Err("has an unreadable key usage"),
    }
}
