//! The signer for the certificate of the moment.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::httpsig::{Profile, SignatureError, Signer};
use crate::workload::Snapshot;

/// Keeps one compiled [`Signer`] and makes a new one when the certificate was rotated.
#[derive(Debug)]
pub(crate) struct CurrentSigner {
    directory_url: String,
    profile: Profile,
    made: ArcSwapOption<(u64, Signer)>,
}

impl CurrentSigner {
    pub(crate) fn new(directory_url: String, profile: Profile) -> Self {
        Self {
            directory_url,
            profile,
            made: ArcSwapOption::empty(),
        }
    }

    /// A signer under another profile, for the same key directory.
    #[cfg(feature = "server")]
    pub(crate) fn under(&self, profile: Profile) -> Self {
        Self::new(self.directory_url.clone(), profile)
    }

    /// The signer that signs with the key of `snapshot` (the workload key signs requests).
    pub(crate) fn of(&self, snapshot: &Snapshot) -> Result<Arc<(u64, Signer)>, SignatureError> {
        let generation = snapshot.generation();
        if let Some(made) = self.made.load_full()
            && made.0 == generation
        {
            return Ok(made);
        }
        let key = snapshot.key().clone();
        let signer = Signer::new(key, &self.directory_url, self.profile.clone())?;
        let made = Arc::new((generation, signer));
        self.made.store(Some(made.clone()));
        Ok(made)
    }
}
