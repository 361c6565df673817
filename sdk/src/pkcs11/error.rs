//! Why a token did not sign.

use cryptoki::error::{Error, RvError};

use crate::httpsig::{HttpAlgorithm, HttpKeyError, SignerError};

/// Why a PKCS#11 token could not be opened or did not sign. Nothing in it is secret.
#[derive(Debug, thiserror::Error)]
pub enum Pkcs11Error {
    /// The module could not be loaded or initialised.
    #[error("the PKCS#11 module cannot be used: {0}")]
    Module(#[source] Error),
    /// Neither a label nor a slot was given, or there is no such token.
    #[error("there is no such token")]
    NoToken,
    /// More than one token has the label.
    #[error("{count} tokens have this label; name the slot")]
    TokenAmbiguous {
        /// How many.
        count: usize,
    },
    /// The token wants a PIN and none was given.
    #[error("the token wants a PIN")]
    PinMissing,
    /// The token refused the PIN. It is not tried again, because tokens lock themselves.
    #[error("the token refuses the PIN")]
    Pin,
    /// There is no such key on the token.
    #[error("there is no such {class} key on the token")]
    NoKey {
        /// `private` or `public`.
        class: &'static str,
    },
    /// More than one key has the label and ID.
    #[error("{count} {class} keys have this label and ID")]
    KeyAmbiguous {
        /// `private` or `public`.
        class: &'static str,
        /// How many.
        count: usize,
    },
    /// The public key on the token is not one that message signatures use.
    #[error("the public key on the token: {0}")]
    PublicKey(#[from] HttpKeyError),
    /// The token does not have the algorithm.
    #[error("the token cannot sign with {algorithm}")]
    Mechanism {
        /// The key's.
        algorithm: HttpAlgorithm,
    },
    /// The token failed.
    #[error("the token failed: {0}")]
    Token(#[from] Error),
    /// As many signatures as can wait are waiting.
    #[error("{max} signatures are waiting for the token already")]
    Busy {
        /// How many.
        max: usize,
    },
    /// The thread that talks to the token could not be started, or is gone.
    #[error("the thread of the token is not there")]
    Thread,
}

impl Pkcs11Error {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Module(_) => "pkcs11.module",
            Self::NoToken => "pkcs11.no_token",
            Self::TokenAmbiguous { .. } => "pkcs11.token_ambiguous",
            Self::PinMissing => "pkcs11.pin_missing",
            Self::Pin => "pkcs11.pin",
            Self::NoKey { .. } => "pkcs11.no_key",
            Self::KeyAmbiguous { .. } => "pkcs11.key_ambiguous",
            Self::PublicKey(_) => "pkcs11.public_key",
            Self::Mechanism { .. } => "pkcs11.mechanism",
            Self::Token(_) => "pkcs11.token",
            Self::Busy { .. } => "pkcs11.busy",
            Self::Thread => "pkcs11.thread",
        }
    }

    /// Whether the session or its key is gone, so that another session may do better.
    pub(super) const fn is_lost(&self) -> bool {
        matches!(
            self,
            Self::Token(Error::Pkcs11(
                RvError::SessionClosed
                    | RvError::SessionHandleInvalid
                    | RvError::DeviceRemoved
                    | RvError::TokenNotPresent
                    | RvError::UserNotLoggedIn
                    | RvError::KeyHandleInvalid
                    | RvError::ObjectHandleInvalid,
                _
            ))
        )
    }
}

impl From<Pkcs11Error> for SignerError {
    fn from(error: Pkcs11Error) -> Self {
        match error {
            Pkcs11Error::Module(_)
            | Pkcs11Error::NoToken
            | Pkcs11Error::Token(_)
            | Pkcs11Error::Busy { .. }
            | Pkcs11Error::Thread => Self::unavailable(error),
            refused => Self::refused(refused),
        }
    }
}
