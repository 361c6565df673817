//! One session with a token, opened again when it is lost.

use std::sync::atomic::{AtomicBool, Ordering};

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;

use super::error::Pkcs11Error;
use super::key::Pkcs11Key;
use super::token;
use crate::crypto::{sha256, sha384};
use crate::httpsig::{HttpAlgorithm, HttpVerifyingKey};

/// The token, and what all sessions with it share.
pub(super) struct Place {
    module: Pkcs11,
    wanted: Pkcs11Key,
    pub(super) public: HttpVerifyingKey,
    /// The token refused the PIN once.
    pin_refused: AtomicBool,
}

/// A session and the key in it.
pub(super) struct Open {
    session: Session,
    key: ObjectHandle,
}

impl Place {
    /// Finds everything for the first time. Blocks.
    pub(super) fn find(wanted: Pkcs11Key) -> Result<(Self, Open), Pkcs11Error> {
        let module = token::module(&wanted.module)?;
        let slot = token::slot(&module, &wanted)?;
        let session = token::session(&module, slot, &wanted)?;
        let key = token::private_key(&session, &wanted)?;
        let public = token::public_key(&session, &wanted)?;
        token::check_mechanism(&module, slot, public.algorithm())?;
        let place = Self {
            module,
            wanted,
            public,
            pin_refused: AtomicBool::new(false),
        };
        Ok((place, Open { session, key }))
    }

    fn open(&self) -> Result<Open, Pkcs11Error> {
        // A second wrong PIN may be the one that locks the token.
        if self.pin_refused.load(Ordering::Relaxed) {
            return Err(Pkcs11Error::Pin);
        }
        let slot = token::slot(&self.module, &self.wanted)?;
        let session = token::session(&self.module, slot, &self.wanted);
        if matches!(session, Err(Pkcs11Error::Pin)) {
            self.pin_refused.store(true, Ordering::Relaxed);
        }
        let session = session?;
        let key = token::private_key(&session, &self.wanted)?;
        Ok(Open { session, key })
    }

    /// Signs in `open`, which is opened when it is not, and once more when it was lost. Blocks.
    pub(super) fn sign(
        &self,
        open: &mut Option<Open>,
        base: &[u8],
    ) -> Result<Vec<u8>, Pkcs11Error> {
        let fresh = open.is_none();
        match self.sign_once(open, base) {
            Err(error) if error.is_lost() && !fresh => {
                *open = None;
                self.sign_once(open, base)
            }
            Err(error) => {
                // Whatever it was, the next one starts anew.
                *open = None;
                Err(error)
            }
            made => made,
        }
    }

    fn sign_once(&self, open: &mut Option<Open>, base: &[u8]) -> Result<Vec<u8>, Pkcs11Error> {
        let open = match open {
            Some(open) => open,
            none => none.insert(self.open()?),
        };
        let algorithm = self.public.algorithm();
        let made = match algorithm {
            HttpAlgorithm::Ed25519 => {
                let pure = EddsaParams::new(EddsaSignatureScheme::Pure);
                open.sign(&Mechanism::Eddsa(pure), base)
            }
            // CKM_ECDSA signs what is hashed already and gives r ‖ s (PKCS#11 2.40 §2.3.1); every
            // token has it.
            HttpAlgorithm::EcdsaP256Sha256 => open.sign(&Mechanism::Ecdsa, &sha256(base)),
            HttpAlgorithm::EcdsaP384Sha384 => open.sign(&Mechanism::Ecdsa, &sha384(base)),
            // RFC 9421 §3.3.1: the salt is as long as the digest.
            HttpAlgorithm::RsaPssSha512 => {
                let parameters = PkcsPssParams {
                    hash_alg: MechanismType::SHA512,
                    mgf: PkcsMgfType::MGF1_SHA512,
                    s_len: 64.into(),
                };
                open.sign(&Mechanism::Sha512RsaPkcsPss(parameters), base)
            }
            HttpAlgorithm::RsaV15Sha256 => open.sign(&Mechanism::Sha256RsaPkcs, base),
            HttpAlgorithm::HmacSha256 => return Err(Pkcs11Error::Mechanism { algorithm }),
        };
        Ok(made?)
    }
}

impl Open {
    fn sign(
        &self,
        mechanism: &Mechanism<'_>,
        data: &[u8],
    ) -> Result<Vec<u8>, cryptoki::error::Error> {
        self.session.sign(mechanism, self.key, data)
    }
}
