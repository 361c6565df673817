//! Modules, tokens and the keys on them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::MechanismType;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::error::Pkcs11Error;
use super::key::Pkcs11Key;
use super::public;
use crate::httpsig::{HttpAlgorithm, HttpVerifyingKey};

/// A module is initialised once in a process (PKCS#11 2.40 §5.4) and then stays.
static MODULES: Mutex<Vec<(PathBuf, Pkcs11)>> = Mutex::new(Vec::new());

/// The module at this path.
pub(super) fn module(path: &Path) -> Result<Pkcs11, Pkcs11Error> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, module)) = modules.iter().find(|(known, _)| known == path) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(path).map_err(Pkcs11Error::Module)?;
    // Sessions are used from several threads, each from one.
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // Somebody else in this process uses it.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(Pkcs11Error::Module(error)),
    }
    modules.push((path.to_owned(), module.clone()));
    Ok(module)
}

/// The slot with the token.
pub(super) fn slot(module: &Pkcs11, wanted: &Pkcs11Key) -> Result<Slot, Pkcs11Error> {
    if wanted.token.is_none() && wanted.slot.is_none() {
        return Err(Pkcs11Error::NoToken);
    }
    let mut found = Vec::new();
    for slot in module.get_slots_with_token()? {
        if wanted.slot.is_some_and(|number| number != slot.id()) {
            continue;
        }
        let label = module.get_token_info(slot)?.label().to_owned();
        if wanted.token.as_ref().is_none_or(|token| *token == label) {
            found.push(slot);
        }
    }
    match found[..] {
        [] => Err(Pkcs11Error::NoToken),
        [slot] => Ok(slot),
        _ => Err(Pkcs11Error::TokenAmbiguous { count: found.len() }),
    }
}

/// A session in which the user is logged in.
pub(super) fn session(
    module: &Pkcs11,
    slot: Slot,
    wanted: &Pkcs11Key,
) -> Result<Session, Pkcs11Error> {
    let info = module.get_token_info(slot)?;
    let session = module.open_ro_session(slot)?;
    let pin = match &wanted.pin {
        Some(pin) => Some(AuthPin::from(pin.expose().to_owned())),
        None if !info.login_required() => return Ok(session),
        None if info.protected_authentication_path() => None,
        None => return Err(Pkcs11Error::PinMissing),
    };
    match session.login(UserType::User, pin.as_ref()) {
        // PKCS#11 2.40 §5.6: a login counts for all sessions of the process with this token.
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(Error::Pkcs11(
            RvError::PinIncorrect
            | RvError::PinInvalid
            | RvError::PinLenRange
            | RvError::PinExpired
            | RvError::PinLocked,
            _,
        )) => Err(Pkcs11Error::Pin),
        Err(error) => Err(error.into()),
    }
}

/// The private key.
pub(super) fn private_key(
    session: &Session,
    wanted: &Pkcs11Key,
) -> Result<ObjectHandle, Pkcs11Error> {
    object(session, wanted, ObjectClass::PRIVATE_KEY, "private")
}

/// The public half: given, or on the token.
pub(super) fn public_key(
    session: &Session,
    wanted: &Pkcs11Key,
) -> Result<HttpVerifyingKey, Pkcs11Error> {
    let key = match &wanted.public {
        Some(given) => given.clone(),
        None => {
            let object = object(session, wanted, ObjectClass::PUBLIC_KEY, "public")?;
            let attributes = [
                AttributeType::KeyType,
                AttributeType::EcParams,
                AttributeType::EcPoint,
                AttributeType::Modulus,
                AttributeType::PublicExponent,
            ];
            public::read(&session.get_attributes(object, &attributes)?)?
        }
    };
    match wanted.algorithm {
        Some(algorithm) => Ok(key.with_algorithm(algorithm)?),
        None => Ok(key),
    }
}

fn object(
    session: &Session,
    wanted: &Pkcs11Key,
    class: ObjectClass,
    named: &'static str,
) -> Result<ObjectHandle, Pkcs11Error> {
    let mut template = vec![Attribute::Class(class)];
    let label = wanted.label.as_ref();
    template.extend(label.map(|label| Attribute::Label(label.clone().into_bytes())));
    template.extend(wanted.id.clone().map(Attribute::Id));
    let found = session.find_objects(&template)?;
    match found[..] {
        [] => Err(Pkcs11Error::NoKey { class: named }),
        [object] => Ok(object),
        _ => Err(Pkcs11Error::KeyAmbiguous {
            class: named,
            count: found.len(),
        }),
    }
}

/// Refuses an algorithm that the token does not have.
pub(super) fn check_mechanism(
    module: &Pkcs11,
    slot: Slot,
    algorithm: HttpAlgorithm,
) -> Result<(), Pkcs11Error> {
    let wanted = match algorithm {
        HttpAlgorithm::Ed25519 => MechanismType::EDDSA,
        HttpAlgorithm::EcdsaP256Sha256 | HttpAlgorithm::EcdsaP384Sha384 => MechanismType::ECDSA,
        HttpAlgorithm::RsaPssSha512 => MechanismType::SHA512_RSA_PKCS_PSS,
        HttpAlgorithm::RsaV15Sha256 => MechanismType::SHA256_RSA_PKCS,
        HttpAlgorithm::HmacSha256 => return Err(Pkcs11Error::Mechanism { algorithm }),
    };
    if module.get_mechanism_list(slot)?.contains(&wanted) {
        Ok(())
    } else {
        Err(Pkcs11Error::Mechanism { algorithm })
    }
}
