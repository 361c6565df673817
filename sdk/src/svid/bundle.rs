//! Whom we trust to name workloads: roots, one set for each trust domain.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor};

use super::inspect::{self, Validity};
use super::verify::CERTIFICATE_MAX;
use super::{SvidError, inspect::may_sign};
use crate::clock::UnixTime;
use crate::id::TrustDomain;

/// The most roots one bundle may hold.
const ROOTS_MAX: usize = 64;

/// The roots of one trust domain. Never empty; cloning is cheap.
///
/// ```no_run
/// use countersign::svid::TrustBundle;
/// let pem = std::fs::read_to_string("travel.example.pem")?;
/// let bundle = TrustBundle::from_pem("travel.example".parse()?, &pem)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrustBundle(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    domain: TrustDomain,
    roots: Vec<CertificateDer<'static>>,
    anchors: Vec<(TrustAnchor<'static>, Validity)>,
}

impl std::fmt::Debug for Validity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.not_before, self.not_after)
    }
}

impl TrustBundle {
    /// The bundle of `domain` with these roots (DER).
    ///
    /// # Errors
    /// [`SvidError::Bundle`] when there is none, more than 64, or one that may not sign;
    /// [`SvidError::Malformed`] and [`SvidError::TooLarge`] for one that cannot be read.
    pub fn new(
        domain: TrustDomain,
        roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, SvidError> {
        let wrong = |what| SvidError::Bundle {
            domain: domain.clone(),
            what,
        };
        if roots.is_empty() {
            return Err(wrong("is empty; withdraw the domain instead"));
        }
        if roots.len() > ROOTS_MAX {
            return Err(wrong("has more than 64 roots"));
        }
        let mut anchors = Vec::with_capacity(roots.len());
        for (place, root) in roots.iter().enumerate() {
            let (len, max) = (root.len(), CERTIFICATE_MAX);
            if len > max {
                return Err(SvidError::TooLarge { place, len, max });
            }
            let certificate = inspect::parse(root, place)?;
            may_sign(&certificate).map_err(|_| wrong("has a certificate that may not sign"))?;
            let anchor =
                webpki::anchor_from_trusted_cert(root).map_err(|_| SvidError::Malformed {
                    place,
                    what: "not usable as a root",
                })?;
            anchors.push((anchor.to_owned(), Validity::of(&certificate)));
        }
        Ok(Self(Arc::new(Parts {
            domain,
            roots,
            anchors,
        })))
    }

    /// The bundle of `domain` with the certificates of this PEM text.
    ///
    /// # Errors
    /// As [`TrustBundle::new`], and when the text is not PEM.
    pub fn from_pem(domain: TrustDomain, pem: &str) -> Result<Self, SvidError> {
        let mut roots = Vec::new();
        for item in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots.push(item.map_err(|_| SvidError::Bundle {
                domain: domain.clone(),
                what: "is not PEM",
            })?);
        }
        Self::new(domain, roots)
    }

    /// Whose roots these are.
    pub fn domain(&self) -> &TrustDomain {
        &self.0.domain
    }

    /// The roots (DER).
    pub fn roots(&self) -> &[CertificateDer<'static>] {
        &self.0.roots
    }

    /// The roots as PEM text.
    pub fn to_pem(&self) -> String {
        pem_of(&self.0.roots)
    }

    /// The roots as path building wants them, each with its validity.
    pub(super) fn anchors(&self) -> &[(TrustAnchor<'static>, Validity)] {
        &self.0.anchors
    }

    /// The last second of the longest-lived root.
    pub fn not_after(&self) -> UnixTime {
        let ends = self.0.anchors.iter().map(|(_, v)| v.not_after);
        ends.max().unwrap_or(UnixTime::from_secs(0))
    }
}

impl PartialEq for TrustBundle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.domain == other.0.domain && self.0.roots == other.0.roots)
    }
}
impl Eq for TrustBundle {}

/// Certificates as PEM text (RFC 7468 §5).
pub(crate) fn pem_of(certificates: &[CertificateDer<'_>]) -> String {
    let mut out = String::new();
    for certificate in certificates {
        out.push_str("-----BEGIN CERTIFICATE-----\n");
        let text = STANDARD.encode(certificate.as_ref());
        for (at, letter) in text.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                out.push('\n');
            }
            out.push(letter);
        }
        out.push_str("\n-----END CERTIFICATE-----\n");
    }
    out
}

/// The bundles we hold, by trust domain. They are never pooled: an ID is checked against the
/// roots of its own domain and no other (X509-SVID §5). Cloning is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustBundles(Arc<BTreeMap<TrustDomain, TrustBundle>>);

impl TrustBundles {
    /// These bundles and this one, which takes the place of one of the same domain.
    #[must_use]
    pub fn with(&self, bundle: TrustBundle) -> Self {
        let mut map = BTreeMap::clone(&self.0);
        map.insert(bundle.domain().clone(), bundle);
        Self(Arc::new(map))
    }

    /// These bundles without the one of `domain`.
    #[must_use]
    pub fn without(&self, domain: &TrustDomain) -> Self {
        let mut map = BTreeMap::clone(&self.0);
        map.remove(domain);
        Self(Arc::new(map))
    }

    /// The bundle of the domain of this name.
    pub fn get(&self, domain: &str) -> Option<&TrustBundle> {
        self.0.get(domain)
    }

    /// All bundles, in the order of their domains' names.
    pub fn iter(&self) -> impl Iterator<Item = &TrustBundle> {
        self.0.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<TrustBundle> for TrustBundles {
    fn from(bundle: TrustBundle) -> Self {
        Self::default().with(bundle)
    }
}

#[cfg(test)]
mod tests {
    use countersign_fixtures::ca::{Authority, Ca, CaFlag, KeyUse};

    use super::*;

    fn domain() -> TrustDomain {
        "a.test".parse().expect("a trust domain")
    }

    fn root(change: impl FnOnce(&mut Authority)) -> CertificateDer<'static> {
        let mut authority = Authority::of("root");
        change(&mut authority);
        Ca::root_of("a.test", &authority).root().clone()
    }

    #[test]
    fn a_bundle_survives_its_pem_form() {
        let bundle = TrustBundle::new(domain(), vec![root(|_| {}), root(|_| {})]).expect("good");
        let pem = bundle.to_pem();
        assert!(pem.lines().all(|line| line.len() <= 64));
        assert_eq!(TrustBundle::from_pem(domain(), &pem), Ok(bundle));
    }

    #[test]
    fn only_certificates_that_may_sign_are_roots() {
        let word = |roots| match TrustBundle::new(domain(), roots) {
            Ok(_) => "fine",
            Err(error) => error.reason(),
        };
        assert_eq!(word(vec![root(|_| {})]), "fine");
        assert_eq!(word(vec![]), "svid.bundle");
        assert_eq!(word(vec![root(|a| a.ca = CaFlag::False)]), "svid.bundle");
        let no_signing = root(|a| a.key_usage = vec![KeyUse::DigitalSignature]);
        assert_eq!(word(vec![no_signing]), "svid.bundle");
        assert_eq!(word(vec![b"nonsense".to_vec().into()]), "svid.malformed");
        let one = root(|_| {});
        assert_eq!(word(vec![one.clone(); ROOTS_MAX]), "fine");
        assert_eq!(word(vec![one; ROOTS_MAX + 1]), "svid.bundle");
    }

    #[test]
    fn text_that_is_not_pem_is_refused() {
        for text in [
            "",
            "nonsense",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
        ] {
            let got = TrustBundle::from_pem(domain(), text).map_err(|e| e.reason());
            assert_eq!(got.err(), Some("svid.bundle"), "{text}");
        }
    }

    #[test]
    fn a_changed_set_leaves_the_old_one_as_it_was() {
        let bundle = TrustBundle::new(domain(), vec![root(|_| {})]).expect("good");
        let before = TrustBundles::default();
        let after = before.with(bundle.clone());
        assert_eq!((before.len(), after.len()), (0, 1));
        assert_eq!(after.get("a.test"), Some(&bundle));
        assert_eq!(after.without(&domain()), before);
        assert_eq!(after.len(), 1);
    }
}
