//! Whose signatures on cards are believed.

use crate::id::SpiffeId;
use crate::jose::JwkSet;
use crate::svid::TrustBundles;

/// Trust bundles, and keys pinned to an agent. Nothing a card carries or points to adds to it:
/// `jku` and `jwk` are never followed.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys {
    bundles: TrustBundles,
    pins: Vec<(JwkSet, SpiffeId)>,
}

impl TrustedKeys {
    /// Certificates that chain to one of these bundles.
    pub fn bundles(bundles: TrustBundles) -> Self {
        Self {
            bundles,
            pins: Vec::new(),
        }
    }

    /// These keys too, as keys of `agent`.
    #[must_use]
    pub fn pin(mut self, keys: JwkSet, agent: SpiffeId) -> Self {
        self.pins.push((keys, agent));
        self
    }

    pub(super) fn trust(&self) -> &TrustBundles {
        &self.bundles
    }

    pub(super) fn pins(&self) -> &[(JwkSet, SpiffeId)] {
        &self.pins
    }
}
