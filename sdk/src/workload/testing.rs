//! Workloads of a test authority, for the unit tests of this room and those above.

use std::sync::Arc;

use countersign_fixtures::ca::{Ca, Issued, Leaf};

use super::{Material, MemorySource, Workload};
use crate::clock::{Clock, SystemClock};
use crate::crypto::SigningKey;
use crate::svid::{TrustBundle, TrustBundles};

/// The roots of these authorities, each for its own domain.
pub(crate) fn bundles(authorities: &[&Ca]) -> TrustBundles {
    authorities.iter().fold(TrustBundles::default(), |all, ca| {
        let domain = ca.domain().parse().expect("a trust domain");
        let bundle = TrustBundle::new(domain, vec![ca.root().clone()]);
        all.with(bundle.expect("a bundle"))
    })
}

/// What was issued, with trust in these authorities.
pub(crate) fn material(issued: &Issued, trust: &[&Ca]) -> Material {
    let key = SigningKey::from_pkcs8(&issued.pkcs8).expect("a key");
    Material {
        chain: issued.chain.clone(),
        key: Arc::new(key),
        bundles: bundles(trust),
    }
}

/// The workload at `path`, valid for an hour by the machine's clock.
pub(crate) async fn workload(ca: &Ca, path: &str) -> Workload {
    let leaf = Leaf::of(&ca.id(path));
    let (workload, _) = started(ca, &leaf, &[ca], Arc::new(SystemClock)).await;
    workload
}

/// A workload, and the source to change it by.
pub(crate) async fn started(
    ca: &Ca,
    leaf: &Leaf,
    trust: &[&Ca],
    clock: Arc<dyn Clock>,
) -> (Workload, Arc<MemorySource>) {
    let source = Arc::new(MemorySource::new(material(&ca.issue(leaf), trust)));
    let workload = Workload::start(source.clone(), clock).await;
    (workload.expect("a good identity"), source)
}
