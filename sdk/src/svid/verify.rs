//! From presented certificates to the evidence of who presents them.

use std::cell::Cell;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor};
use webpki::aws_lc_rs as algorithms;
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::inspect::{self, Leaf};
use super::{PeerIdentity, SvidError, TrustBundle, TrustBundles};
use crate::clock::UnixTime;
use crate::crypto::{CertThumbprint, sha256};

/// The most certificates a peer may present.
pub(super) const CHAIN_MAX: usize = 6;
/// The largest certificate, in bytes.
pub(super) const CERTIFICATE_MAX: usize = 16 << 10;

/// What may sign a certificate of the chain. The list is closed.
const CHAIN_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::ED25519,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
];

/// What the certificate is shown for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usage {
    /// The peer called us.
    Client,
    /// We called the peer.
    Server,
    /// The peer signed a document, such as an Agent Card.
    Signing,
}

/// Checks every X.509-SVID rule and a path to a root of the ID's own trust domain.
///
/// `chain` is as presented: leaf first. No name is asked for here: who it *should* be is the
/// caller's question, put to the [`PeerIdentity`] returned.
///
/// ```no_run
/// # fn f(chain: &[rustls_pki_types::CertificateDer<'_>], bundles: &countersign::svid::TrustBundles)
/// # -> Result<(), countersign::svid::SvidError> {
/// use countersign::clock::{Clock as _, SystemClock};
/// use countersign::svid::{Usage, verify_svid};
/// let peer = verify_svid(chain, bundles, Usage::Client, SystemClock.now())?;
/// println!("{} until {}", peer.id(), peer.not_after());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The first broken rule, as [`SvidError`].
pub fn verify_svid(
    chain: &[CertificateDer<'_>],
    bundles: &TrustBundles,
    usage: Usage,
    now: UnixTime,
) -> Result<PeerIdentity, SvidError> {
    check_sizes(chain)?;
    let parsed = inspect::parse(&chain[0], 0)?;
    let leaf = inspect::leaf(&parsed)?;
    leaf.validity.check(now)?;
    // X509-SVID §5: the roots of the ID's own trust domain, never those of another.
    let bundle =
        bundles
            .get(leaf.id.trust_domain_name())
            .ok_or_else(|| SvidError::TrustDomain {
                domain: leaf.id.trust_domain(),
            })?;
    let not_after = check_path(chain, &leaf, bundle, usage, now)?;
    let certificate = CertThumbprint::from_bytes(sha256(&chain[0]));
    Ok(PeerIdentity::new(leaf.id, certificate, leaf.key, not_after))
}

fn check_sizes(chain: &[CertificateDer<'_>]) -> Result<(), SvidError> {
    if chain.is_empty() {
        return Err(SvidError::Malformed {
            place: 0,
            what: "there is no certificate",
        });
    }
    let (count, max) = (chain.len(), CHAIN_MAX);
    if count > max {
        return Err(SvidError::ChainTooLong { count, max });
    }
    for (place, certificate) in chain.iter().enumerate() {
        let (len, max) = (certificate.len(), CERTIFICATE_MAX);
        if len > max {
            return Err(SvidError::TooLarge { place, len, max });
        }
    }
    Ok(())
}

/// The earliest end of validity on the path found.
fn check_path(
    chain: &[CertificateDer<'_>],
    leaf: &Leaf,
    bundle: &TrustBundle,
    usage: Usage,
    now: UnixTime,
) -> Result<UnixTime, SvidError> {
    let anchors = roots_valid_at(bundle, now)?;
    let unreadable = |_| SvidError::Malformed {
        place: 0,
        what: "not usable for path building",
    };
    let end_entity = EndEntityCert::try_from(&chain[0]).map_err(unreadable)?;
    // Both purposes are on the leaf if any is; this looks at those of the certificates above it.
    let purpose = match usage {
        Usage::Client | Usage::Signing => KeyUsage::client_auth(),
        Usage::Server => KeyUsage::server_auth(),
    };
    let time = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(now.secs()));
    let refused = Cell::new(None);
    let signers_may_sign = |path: &VerifiedPath<'_>| {
        check_signers(path).map_err(|why| {
            refused.set(Some(why));
            webpki::Error::EndEntityUsedAsCa
        })
    };
    let path = end_entity
        .verify_for_usage(
            CHAIN_ALGORITHMS,
            &anchors,
            &chain[1..],
            time,
            purpose,
            None,
            Some(&signers_may_sign),
        )
        .map_err(|error| match refused.take() {
            Some(why) => SvidError::Intermediate(why),
            None => path_error(&error, bundle, chain.len(), now),
        })?;
    Ok(earliest_end(&path, leaf, bundle))
}

// Path building takes roots without dates; one past its end vouches for nobody.
fn roots_valid_at(
    bundle: &TrustBundle,
    now: UnixTime,
) -> Result<Vec<TrustAnchor<'static>>, SvidError> {
    let valid: Vec<_> = bundle
        .anchors()
        .iter()
        .filter(|(_, validity)| validity.check(now).is_ok())
        .map(|(anchor, _)| anchor.clone())
        .collect();
    match bundle.anchors().first() {
        Some((_, validity)) if valid.is_empty() => {
            Err(validity.check(now).err().unwrap_or(SvidError::Untrusted {
                domain: bundle.domain().clone(),
                why: "no root is valid now".into(),
            }))
        }
        _ => Ok(valid),
    }
}

// Path building does not ask for keyCertSign; RFC 5280 §6.1.4 (n) does.
fn check_signers(path: &VerifiedPath<'_>) -> Result<(), &'static str> {
    for certificate in path.intermediate_certificates() {
        let der = certificate.der();
        let parsed = inspect::parse(&der, 1).map_err(|_| "cannot be read")?;
        inspect::may_sign(&parsed)?;
    }
    Ok(())
}

fn earliest_end(path: &VerifiedPath<'_>, leaf: &Leaf, bundle: &TrustBundle) -> UnixTime {
    let anchor = path.anchor();
    let root = bundle.anchors().iter().filter(|(a, _)| {
        a.subject == anchor.subject && a.subject_public_key_info == anchor.subject_public_key_info
    });
    // The same key may stand in the bundle twice, renewed; the longer one is what vouches.
    let root = root.map(|(_, validity)| validity.not_after).max();
    let between = path.intermediate_certificates().filter_map(|certificate| {
        let der = certificate.der();
        let parsed = inspect::parse(&der, 1).ok()?;
        Some(inspect::Validity::of(&parsed).not_after)
    });
    between
        .chain(root)
        .fold(leaf.validity.not_after, UnixTime::min)
}

fn path_error(
    error: &webpki::Error,
    bundle: &TrustBundle,
    count: usize,
    now: UnixTime,
) -> SvidError {
    use webpki::Error as E;
    let seconds = |t: &rustls_pki_types::UnixTime| UnixTime::from_secs(t.as_secs());
    match error {
        E::CertExpired { not_after, .. } => SvidError::Expired {
            not_after: seconds(not_after),
            now,
        },
        E::CertNotValidYet { not_before, .. } => SvidError::NotYetValid {
            not_before: seconds(not_before),
            now,
        },
        E::EndEntityUsedAsCa => SvidError::Intermediate("is not marked as a CA"),
        E::PathLenConstraintViolated => {
            SvidError::Intermediate("allows fewer certificates below it")
        }
        E::RequiredEkuNotFoundContext(_) => {
            SvidError::Intermediate("has an extended key usage that excludes this use")
        }
        E::MaximumPathDepthExceeded => SvidError::ChainTooLong {
            count,
            max: CHAIN_MAX,
        },
        other => SvidError::Untrusted {
            domain: bundle.domain().clone(),
            why: other.to_string(),
        },
    }
}
