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

#[cfg(test)]
mod tests {
    use countersign_fixtures::ca::{
        Authority, Ca, CaFlag, Issued, KeyUse, Kind, Leaf as Issue, Purpose, now as clock,
    };

    use super::*;

    const ID: &str = "spiffe://a.test/agent/booking";

    fn bundles(ca: &Ca) -> TrustBundles {
        let domain = ca.domain().parse().expect("a trust domain");
        let bundle = TrustBundle::new(domain, vec![ca.root().clone()]);
        bundle.expect("a bundle").into()
    }

    fn now() -> UnixTime {
        UnixTime::from_secs(clock())
    }

    fn verify(issued: &Issued, ca: &Ca) -> Result<PeerIdentity, SvidError> {
        verify_svid(&issued.chain, &bundles(ca), Usage::Client, now())
    }

    fn word(result: Result<PeerIdentity, SvidError>) -> &'static str {
        result.map_or_else(|e| e.reason(), |_| "fine")
    }

    #[test]
    fn a_leaf_with_one_defect_is_refused_for_that_defect() {
        type Change = fn(&mut Issue);
        let cases: &[(&str, Change, &str)] = &[
            ("good", |_| {}, "fine"),
            ("P-256 key", |l| l.kind = Kind::P256, "fine"),
            (
                "basic constraints left out",
                |l| l.ca = CaFlag::Absent,
                "fine",
            ),
            (
                "no extended key usage",
                |l| l.extended_key_usage.clear(),
                "fine",
            ),
            (
                "more DNS names",
                |l| l.dns.push("other.test".into()),
                "fine",
            ),
            ("no URI", |l| l.uris.clear(), "svid.no_uri_san"),
            (
                "no name at all",
                |l| {
                    l.uris.clear();
                    l.dns.clear();
                    l.addresses.clear();
                },
                "svid.no_uri_san",
            ),
            (
                "two SPIFFE IDs",
                |l| l.uris.push("spiffe://a.test/agent/other".into()),
                "svid.several_uri_sans",
            ),
            (
                "the same ID twice",
                |l| l.uris.push(ID.into()),
                "svid.several_uri_sans",
            ),
            (
                "another URI beside the ID",
                |l| l.uris.push("https://a.test/".into()),
                "svid.several_uri_sans",
            ),
            (
                "another scheme",
                |l| l.uris = vec!["https://a.test/agent".into()],
                "svid.spiffe_id",
            ),
            (
                "no path",
                |l| l.uris = vec!["spiffe://a.test".into()],
                "svid.spiffe_id",
            ),
            (
                "a port",
                |l| l.uris = vec!["spiffe://a.test:1/x".into()],
                "svid.spiffe_id",
            ),
            ("cA", |l| l.ca = CaFlag::True(None), "svid.ca"),
            ("no key usage", |l| l.key_usage.clear(), "svid.key_usage"),
            (
                "key usage not critical",
                |l| l.key_usage_critical = false,
                "svid.key_usage",
            ),
            (
                "no digitalSignature",
                |l| l.key_usage = vec![KeyUse::KeyAgreement],
                "svid.key_usage",
            ),
            (
                "keyCertSign",
                |l| l.key_usage.push(KeyUse::KeyCertSign),
                "svid.key_usage",
            ),
            (
                "cRLSign",
                |l| l.key_usage.push(KeyUse::CrlSign),
                "svid.key_usage",
            ),
            (
                "clientAuth only",
                |l| l.extended_key_usage = vec![Purpose::ClientAuth],
                "svid.extended_key_usage",
            ),
            (
                "serverAuth only",
                |l| l.extended_key_usage = vec![Purpose::ServerAuth],
                "svid.extended_key_usage",
            ),
            (
                "any purpose is not both purposes",
                |l| l.extended_key_usage = vec![Purpose::Any],
                "svid.extended_key_usage",
            ),
            ("P-384 key", |l| l.kind = Kind::P384, "svid.key"),
            ("RSA key", |l| l.kind = Kind::Rsa, "svid.key"),
            (
                "another trust domain under our root",
                |l| l.uris = vec!["spiffe://b.test/agent".into()],
                "svid.trust_domain",
            ),
            ("expired", |l| l.not_after = clock() - 1, "svid.expired"),
            (
                "not yet valid",
                |l| l.not_before = clock() + 60,
                "svid.not_yet_valid",
            ),
            ("a byte behind", |l| l.trailing = vec![0], "svid.malformed"),
            (
                "larger than allowed",
                |l| l.padding = CERTIFICATE_MAX,
                "svid.too_large",
            ),
        ];
        let ca = Ca::new("a.test");
        for (name, change, want) in cases {
            let mut leaf = Issue::of(ID);
            change(&mut leaf);
            assert_eq!(word(verify(&ca.issue(&leaf), &ca)), *want, "{name}");
        }
    }

    #[test]
    fn every_usage_accepts_a_good_leaf_and_names_it() {
        let ca = Ca::new("a.test");
        let issued = ca.leaf("/agent/booking");
        for usage in [Usage::Client, Usage::Server, Usage::Signing] {
            let peer = verify_svid(&issued.chain, &bundles(&ca), usage, now()).expect("good");
            assert_eq!(peer.id().as_str(), ID);
            assert_eq!(peer.certificate(), CertThumbprint::of(&issued.chain[0]));
        }
    }

    #[test]
    fn an_intermediate_with_one_defect_is_refused_for_that_defect() {
        type Change = fn(&mut Authority);
        let cases: &[(&str, Change, &str)] = &[
            ("good", |_| {}, "fine"),
            ("without key usage", |a| a.key_usage.clear(), "fine"),
            ("P-384", |a| a.kind = Kind::P384, "fine"),
            ("Ed25519", |a| a.kind = Kind::Ed25519, "fine"),
            ("RSA", |a| a.kind = Kind::Rsa, "svid.untrusted"),
            (
                "no keyCertSign",
                |a| a.key_usage = vec![KeyUse::DigitalSignature],
                "svid.intermediate",
            ),
            ("not a CA", |a| a.ca = CaFlag::False, "svid.intermediate"),
            (
                "no basic constraints",
                |a| a.ca = CaFlag::Absent,
                "svid.intermediate",
            ),
            ("expired", |a| a.not_after = clock() - 1, "svid.expired"),
            (
                "not yet valid",
                |a| a.not_before = clock() + 60,
                "svid.not_yet_valid",
            ),
            (
                "for servers only",
                |a| a.extended_key_usage = vec![Purpose::ServerAuth],
                "svid.intermediate",
            ),
        ];
        let root = Ca::new("a.test");
        for (name, change, want) in cases {
            let mut authority = Authority::of("between");
            change(&mut authority);
            let issued = root.below(&authority).leaf("/agent/booking");
            assert_eq!(word(verify(&issued, &root)), *want, "{name}");
        }
    }

    #[test]
    fn a_path_length_constraint_is_kept() {
        let mut short = Authority::of("short");
        short.ca = CaFlag::True(Some(0));
        let root = Ca::new("a.test");
        let one = root.below(&short);
        assert_eq!(word(verify(&one.leaf("/x"), &root)), "fine");
        let two = one.below(&Authority::of("too deep"));
        assert_eq!(word(verify(&two.leaf("/x"), &root)), "svid.intermediate");
    }

    #[test]
    fn a_root_past_its_end_vouches_for_nobody() {
        let mut authority = Authority::of("old root");
        authority.not_after = clock() - 1;
        let old = Ca::root_of("a.test", &authority);
        assert_eq!(word(verify(&old.leaf("/x"), &old)), "svid.expired");
        authority.not_after = clock() + 60;
        authority.not_before = clock() + 30;
        let coming = Ca::root_of("a.test", &authority);
        assert_eq!(
            word(verify(&coming.leaf("/x"), &coming)),
            "svid.not_yet_valid"
        );
    }

    #[test]
    fn roots_are_never_pooled() {
        let (a, b) = (Ca::new("a.test"), Ca::new("b.test"));
        let both = bundles(&a).with(bundles(&b).get("b.test").expect("there").clone());
        let check = |issued: &Issued| verify_svid(&issued.chain, &both, Usage::Client, now());
        assert_eq!(word(check(&a.leaf("/x"))), "fine");
        assert_eq!(word(check(&b.leaf("/x"))), "fine");
        let crossed = b.issue(&Issue::of("spiffe://a.test/x"));
        assert_eq!(word(check(&crossed)), "svid.untrusted");
    }

    #[test]
    fn a_chain_that_does_not_hold_together_is_untrusted() {
        let (root, other) = (Ca::new("a.test"), Ca::new("a.test"));
        assert_eq!(word(verify(&other.leaf("/x"), &root)), "svid.untrusted");
        let between = root.below(&Authority::of("between"));
        let mut lacking = between.leaf("/x");
        lacking.chain.truncate(1);
        assert_eq!(word(verify(&lacking, &root)), "svid.untrusted");
        let mut constrained = Authority::of("names");
        constrained.permitted_dns = Some("b.test".into());
        let issued = root.below(&constrained).leaf("/x");
        assert_eq!(word(verify(&issued, &root)), "svid.untrusted");
    }

    #[test]
    fn a_root_shown_as_leaf_is_refused() {
        let ca = Ca::new("a.test");
        let chain = [ca.root().clone()];
        let got = verify_svid(&chain, &bundles(&ca), Usage::Client, now());
        assert_eq!(word(got), "svid.no_uri_san");
    }

    #[test]
    fn chain_length_and_certificate_size_have_exact_edges() {
        let root = Ca::new("a.test");
        let mut ca = root.below(&Authority::of("1"));
        for name in ["2", "3", "4"] {
            ca = ca.below(&Authority::of(name));
        }
        let mut issued = ca.leaf("/x");
        assert_eq!(issued.chain.len(), CHAIN_MAX - 1);
        issued.chain.push(root.root().clone());
        assert_eq!(word(verify(&issued, &root)), "fine", "6 certificates");
        issued.chain.push(root.root().clone());
        assert_eq!(word(verify(&issued, &root)), "svid.chain_too_long", "7");
        issued.chain.clear();
        assert_eq!(word(verify(&issued, &root)), "svid.malformed", "none");

        // Signatures and serials vary by a byte or two, so the size wanted is tried for.
        let of_size = |size: usize| {
            let mut leaf = Issue::of(ID);
            leaf.padding = size;
            leaf.padding -= root.issue(&leaf).chain[0].len() - size;
            let mut tries = std::iter::repeat_with(|| root.issue(&leaf));
            let fits = tries.find(|issued| issued.chain[0].len() == size);
            fits.expect("endless")
        };
        assert_eq!(word(verify(&of_size(CERTIFICATE_MAX), &root)), "fine");
        let larger = of_size(CERTIFICATE_MAX + 1);
        assert_eq!(word(verify(&larger, &root)), "svid.too_large");
    }

    #[test]
    fn validity_is_inclusive_to_the_second_at_both_ends() {
        let ca = Ca::new("a.test");
        let mut leaf = Issue::of(ID);
        leaf.not_before = clock() - 10;
        leaf.not_after = clock() + 10;
        let issued = ca.issue(&leaf);
        let at = |seconds| {
            let time = UnixTime::from_secs(seconds);
            word(verify_svid(
                &issued.chain,
                &bundles(&ca),
                Usage::Client,
                time,
            ))
        };
        assert_eq!(at(leaf.not_before - 1), "svid.not_yet_valid");
        assert_eq!(at(leaf.not_before), "fine");
        assert_eq!(at(leaf.not_after), "fine");
        assert_eq!(at(leaf.not_after + 1), "svid.expired");
    }

    #[test]
    fn the_identity_ends_with_the_earliest_certificate_of_its_path() {
        let root = Ca::new("a.test");
        let mut soon = Authority::of("soon over");
        soon.not_after = clock() + 30;
        let peer = verify(&root.below(&soon).leaf("/x"), &root).expect("good");
        assert_eq!(peer.not_after().secs(), soon.not_after);

        let old = Ca::root_of("a.test", &soon);
        let peer = verify(&old.leaf("/x"), &old).expect("good");
        assert_eq!(peer.not_after().secs(), soon.not_after);

        let leaf = Issue::of(ID).for_seconds(20);
        let peer = verify(&root.below(&soon).issue(&leaf), &root).expect("good");
        assert_eq!(peer.not_after().secs(), leaf.not_after);
    }

    #[test]
    fn no_byte_of_a_leaf_can_change_unnoticed() {
        let ca = Ca::new("a.test");
        let issued = ca.leaf("/agent/booking");
        let bundles = bundles(&ca);
        let good = issued.chain[0].to_vec();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let chain = [CertificateDer::from(bad)];
            let got = verify_svid(&chain, &bundles, Usage::Client, now());
            assert!(got.is_err(), "byte {at}");
        }
        for len in 0..good.len() {
            let chain = [CertificateDer::from(good[..len].to_vec())];
            let got = verify_svid(&chain, &bundles, Usage::Client, now());
            assert_eq!(word(got), "svid.malformed", "cut at {len}");
        }
    }
}
