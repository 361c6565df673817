//! The certificate authority: one root, short-lived leafs (X.509-SVID §2-§5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, SanType,
    SerialNumber, SignatureAlgorithm,
};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;

use crate::clock::UnixTime;
use crate::crypto::{Algorithm, VerifyingKey, random};
use crate::id::{SpiffeId, TrustDomain};

/// How far certificates are dated back, for clocks that are behind.
pub(super) const BACKDATED: Duration = Duration::from_secs(60);
/// How long the root lives; it never outlives the process anyway.
const ROOT_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A certificate could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the certificate could not be made")]
pub(super) struct IssueError;

/// When a certificate is valid: whole seconds, both ends included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    pub(super) not_before: UnixTime,
    pub(super) not_after: UnixTime,
}

/// One root key and its certificate, made afresh and kept in memory only.
pub(super) struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    root_ends: UnixTime,
}

impl CertificateAuthority {
    /// A fresh root for `domain`, on P-256.
    pub(super) fn generate(domain: &TrustDomain, now: UnixTime) -> Result<Self, IssueError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| IssueError)?;
        let validity = Validity {
            not_before: now.minus(BACKDATED),
            not_after: now.plus(ROOT_LIFE),
        };
        let mut params = params(validity)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "development root");
        // X.509-SVID §4.1: a signing certificate's ID has no path, and it may sign certificates.
        let id = format!("spiffe://{domain}");
        params.subject_alt_names = vec![uri(&id)?];
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = params.self_signed(&key).map_err(|_| IssueError)?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            root: root.into(),
            root_ends: validity.not_after,
        })
    }

    /// The root certificate.
    pub(super) fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// A leaf for `id` and `key` that lives from a minute ago until `ttl` from now.
    pub(super) fn issue(
        &self,
        id: &SpiffeId,
        key: &VerifyingKey,
        now: UnixTime,
        ttl: Duration,
    ) -> Result<CertificateDer<'static>, IssueError> {
        let validity = Validity {
            not_before: now.minus(BACKDATED),
            not_after: now.plus(ttl).min(self.root_ends),
        };
        self.issue_for(id, key, validity)
    }

    /// A leaf for `id` and `key` with this validity, whatever it is.
    pub(super) fn issue_for(
        &self,
        id: &SpiffeId,
        key: &VerifyingKey,
        validity: Validity,
    ) -> Result<CertificateDer<'static>, IssueError> {
        let mut params = params(validity)?;
        // X.509-SVID §2: one URI. The other names let ordinary clients reach an agent on this machine.
        params.subject_alt_names = vec![
            uri(id.as_str())?,
            SanType::DnsName("localhost".try_into().map_err(|_| IssueError)?),
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ];
        // X.509-SVID §4.1: a leaf says that it is no authority.
        params.is_ca = IsCa::ExplicitNoCa;
        // X.509-SVID §4.3: it signs, and nothing else; §4.4: for both ends of a connection.
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        let made = params.signed_by(&Subject(key), &self.issuer);
        Ok(made.map_err(|_| IssueError)?.into())
    }
}

/// What all certificates share: a random serial number, a name, the dates.
fn params(validity: Validity) -> Result<CertificateParams, IssueError> {
    let mut serial = random::<16>();
    // RFC 5280 §4.1.2.2: positive, at most 20 octets; the set bit keeps the length the same.
    serial[0] = serial[0] & 0x7f | 0x40;
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::OrganizationName, "Countersign development");
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = distinguished_name;
    params.not_before = date(validity.not_before)?;
    params.not_after = date(validity.not_after)?;
    Ok(params)
}

fn date(at: UnixTime) -> Result<OffsetDateTime, IssueError> {
    let secs = i64::try_from(at.secs()).map_err(|_| IssueError)?;
    OffsetDateTime::from_unix_timestamp(secs).map_err(|_| IssueError)
}

fn uri(text: &str) -> Result<SanType, IssueError> {
    Ok(SanType::URI(text.try_into().map_err(|_| IssueError)?))
}

/// The requester's key, as rcgen wants to see it.
struct Subject<'a>(&'a VerifyingKey);

impl PublicKeyData for Subject<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.0.algorithm() {
            Algorithm::Ed25519 => &PKCS_ED25519,
            Algorithm::EcdsaP256Sha256 => &PKCS_ECDSA_P256_SHA256,
        }
    }
}

#[cfg(test)]
mod tests {
    use x509_parser::extensions::{GeneralName, ParsedExtension};
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    use super::*;
    use crate::crypto::SigningKey;
    use crate::svid::{TrustBundle, TrustBundles, Usage, verify_svid};

    const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn read<'a>(der: &'a CertificateDer<'_>) -> X509Certificate<'a> {
        let (rest, read) = X509Certificate::from_der(der).expect("a certificate");
        assert!(rest.is_empty());
        read
    }

    fn uris(certificate: &X509Certificate<'_>) -> Vec<String> {
        let san = certificate.subject_alternative_name().expect("readable");
        let names = &san.expect("present").value.general_names;
        let uris = names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => Some((*uri).to_owned()),
            _ => None,
        });
        uris.collect()
    }

    fn authority() -> CertificateAuthority {
        let domain = "travel.example".parse().expect("a domain");
        CertificateAuthority::generate(&domain, NOW).expect("generates")
    }

    #[test]
    fn a_leaf_keeps_every_rule_for_issuers() {
        let id: SpiffeId = "spiffe://travel.example/agent/a".parse().expect("an ID");
        let authority = authority();
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
            let key = SigningKey::generate(algorithm).expect("generates");
            let leaf = authority.issue(&id, key.verifying_key(), NOW, HOUR);
            let leaf = leaf.expect("issues");
            let read = read(&leaf);
            assert_eq!(uris(&read), [id.as_str()]);
            assert_eq!(read.public_key().raw, key.verifying_key().to_spki());
            let basic = read.basic_constraints().expect("readable");
            assert!(!basic.expect("present").value.ca);
            let usage = read.key_usage().expect("readable").expect("present");
            assert!(usage.critical && usage.value.digital_signature());
            assert!(!usage.value.key_cert_sign() && !usage.value.crl_sign());
            let extended = read.extended_key_usage().expect("readable");
            let extended = extended.expect("present").value;
            assert!(extended.server_auth && extended.client_auth);
            assert_eq!(read.validity().not_before.timestamp(), 1_795_000_000 - 60);
            assert_eq!(read.validity().not_after.timestamp(), 1_795_000_000 + 3600);
            assert!(read.raw_serial().len() == 16 && read.raw_serial()[0] < 0x80);
            let identifiers = read.extensions().iter().filter(|extension| {
                matches!(
                    extension.parsed_extension(),
                    ParsedExtension::AuthorityKeyIdentifier(_)
                        | ParsedExtension::SubjectKeyIdentifier(_)
                )
            });
            assert_eq!(identifiers.count(), 2);
        }
    }

    #[test]
    fn the_root_has_an_id_without_path_and_may_only_sign_certificates() {
        let authority = authority();
        let root = read(authority.root());
        assert_eq!(uris(&root), ["spiffe://travel.example"]);
        let basic = root.basic_constraints().expect("readable");
        let basic = basic.expect("present").value;
        assert!(basic.ca && basic.path_len_constraint == Some(0));
        let usage = root.key_usage().expect("readable").expect("present");
        assert!(usage.critical && usage.value.key_cert_sign());
        assert!(!usage.value.digital_signature());
    }

    #[test]
    fn our_own_checks_take_the_leaf_for_every_use() {
        let id: SpiffeId = "spiffe://travel.example/agent/a".parse().expect("an ID");
        let key = SigningKey::generate(Algorithm::Ed25519).expect("generates");
        let authority = authority();
        let leaf = authority.issue(&id, key.verifying_key(), NOW, HOUR);
        let chain = [leaf.expect("issues")];
        let bundle = TrustBundle::new(id.trust_domain(), vec![authority.root().clone()]);
        let bundles = TrustBundles::from(bundle.expect("a bundle"));
        for usage in [Usage::Client, Usage::Server, Usage::Signing] {
            let peer = verify_svid(&chain, &bundles, usage, NOW).expect("verifies");
            assert_eq!(peer.id(), &id);
            assert_eq!(peer.not_after(), NOW.plus(HOUR));
        }
    }

    #[test]
    fn a_leaf_never_outlives_the_root() {
        let id: SpiffeId = "spiffe://travel.example/agent/a".parse().expect("an ID");
        let key = SigningKey::generate(Algorithm::Ed25519).expect("generates");
        let late = NOW.plus(ROOT_LIFE).minus(Duration::from_secs(10));
        let authority = authority();
        let leaf = authority.issue(&id, key.verifying_key(), late, HOUR);
        let leaf = leaf.expect("issues");
        let (leaf, root) = (read(&leaf), read(authority.root()));
        assert_eq!(leaf.validity().not_after, root.validity().not_after);
    }
}
