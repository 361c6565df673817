//! Which key, on which token.

use std::path::PathBuf;

use crate::httpsig::{HttpAlgorithm, HttpVerifyingKey};
use crate::secret::Secret;

/// Where a key is: the module that talks to the token, the token, the key on it.
///
/// A module is code that is loaded into this process, so its path comes from whoever runs the
/// agent, never from a request.
#[derive(Clone, Debug)]
pub struct Pkcs11Key {
    pub(super) module: PathBuf,
    pub(super) token: Option<String>,
    pub(super) slot: Option<u64>,
    pub(super) pin: Option<Secret>,
    pub(super) label: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) algorithm: Option<HttpAlgorithm>,
    pub(super) public: Option<HttpVerifyingKey>,
    pub(super) sessions: usize,
}

impl Pkcs11Key {
    /// How many sessions there are unless said otherwise.
    pub const SESSIONS: usize = 4;

    /// A key behind this module, a shared library.
    pub fn new(module: impl Into<PathBuf>) -> Self {
        Self {
            module: module.into(),
            token: None,
            slot: None,
            pin: None,
            label: None,
            id: None,
            algorithm: None,
            public: None,
            sessions: Self::SESSIONS,
        }
    }

    /// The token with this label. Slots change their numbers, labels stay.
    #[must_use]
    pub fn token(mut self, label: impl Into<String>) -> Self {
        self.token = Some(label.into());
        self
    }

    /// The token in the slot with this number.
    #[must_use]
    pub fn slot(mut self, slot: u64) -> Self {
        self.slot = Some(slot);
        self
    }

    /// The user's PIN. Without one the token must need none, or have a way of its own to ask.
    #[must_use]
    pub fn pin(mut self, pin: Secret) -> Self {
        self.pin = Some(pin);
        self
    }

    /// The key with this `CKA_LABEL`.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The key with this `CKA_ID`.
    #[must_use]
    pub fn id(mut self, id: impl Into<Vec<u8>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// What an RSA key signs with, when it is not `rsa-pss-sha512`.
    #[must_use]
    pub fn algorithm(mut self, algorithm: HttpAlgorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// The public half, when the token does not keep it. Signatures are verified with it.
    #[must_use]
    pub fn public_key(mut self, public: HttpVerifyingKey) -> Self {
        self.public = Some(public);
        self
    }

    /// So many sessions with the token, each with a thread of its own (1 to 64).
    #[must_use]
    pub fn sessions(mut self, sessions: usize) -> Self {
        self.sessions = sessions.clamp(1, 64);
        self
    }
}
