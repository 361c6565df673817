//! Signing a card (A2A §8.4.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use serde_json::json;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::extension::expect;
use super::verify::{CARD_MAX, signing_input};
use super::{CardError, CountersignParams, canonical_form, lint};
use crate::a2a::AgentCard;
use crate::crypto::{SigningKey, VerifyingKey};
use crate::jose::{Header, encode_base64url};

/// Signs `card` with the workload's key and gives out the JSON to publish.
///
/// `chain` is the certificate chain of `key`, leaf first; it goes into the protected header
/// (`x5c`). Without one the signature verifies only where the key is pinned. Signatures that the
/// card already carries are replaced.
///
/// # Errors
/// [`CardError::Ambiguous`] when implementations would disagree on what is signed, with the field;
/// [`CardError::KeyNotCertificates`] and [`CardError::Extension`] when key, certificate and card
/// are not one agent's; [`CardError::TooLarge`] over 256 KiB.
pub fn sign_card(
    card: &AgentCard,
    key: &SigningKey,
    chain: &[CertificateDer<'_>],
) -> Result<Vec<u8>, CardError> {
    let shape = |error: serde_json::Error| CardError::Shape(error.to_string());
    let mut document = serde_json::to_value(card).map_err(shape)?;
    if let Some(members) = document.as_object_mut() {
        members.remove("signatures");
    }
    lint::check(&document)?;
    check_owner(card, key, chain)?;
    let payload = canonical_form(document.clone())?;
    let protected = protected_header(key, chain).map_err(shape)?;
    let signature = key
        .sign(signing_input(&protected, &payload).as_bytes())
        .map_err(CardError::Key)?;
    document["signatures"] = json!([{
        "protected": protected,
        "signature": encode_base64url(signature.as_bytes()),
    }]);
    let bytes = document.to_string().into_bytes();
    let (len, max) = (bytes.len(), CARD_MAX);
    if len > max {
        return Err(CardError::TooLarge { len, max });
    }
    Ok(bytes)
}

// A2A §8.4.2: alg and kid must, typ should be there.
fn protected_header(
    key: &SigningKey,
    chain: &[CertificateDer<'_>],
) -> Result<String, serde_json::Error> {
    let mut header = Header::for_key(key.verifying_key(), "JOSE");
    if !chain.is_empty() {
        header.x5c = Some(chain.iter().map(|der| STANDARD.encode(der)).collect());
    }
    serde_json::to_vec(&header).map(|json| encode_base64url(&json))
}

/// Key, certificate and identity extension belong to one agent.
fn check_owner(
    card: &AgentCard,
    key: &SigningKey,
    chain: &[CertificateDer<'_>],
) -> Result<(), CardError> {
    let declared = CountersignParams::of(card)?;
    let Some(leaf) = chain.first() else {
        return Ok(());
    };
    let (_, leaf) =
        X509Certificate::from_der(leaf).map_err(|_| CardError::Certificate("it is not DER"))?;
    let certified = VerifyingKey::from_spki(leaf.public_key().raw)
        .map_err(|_| CardError::Certificate("its key is neither Ed25519 nor P-256"))?;
    if certified != *key.verifying_key() {
        return Err(CardError::KeyNotCertificates);
    }
    let names = leaf.subject_alternative_name().ok().flatten();
    let mut uris = names.iter().flat_map(|san| &san.value.general_names);
    let agent = uris.find_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    let agent = agent.ok_or(CardError::Certificate("it names no workload"))?;
    match declared {
        Some(params) => expect("agent", params.agent.as_str(), agent),
        None => Ok(()),
    }
}

/// For tests: a card of any content, signed without the checks above.
#[cfg(test)]
pub(super) fn sign_unchecked(
    mut document: serde_json::Value,
    key: &SigningKey,
    protected: &serde_json::Value,
) -> Result<serde_json::Value, CardError> {
    let payload = canonical_form(document.clone())?;
    let protected = encode_base64url(protected.to_string().as_bytes());
    let input = signing_input(&protected, &payload);
    let signature = key.sign(input.as_bytes()).map_err(CardError::Key)?;
    let signature = encode_base64url(signature.as_bytes());
    let signature = json!({"protected": protected, "signature": signature});
    match document["signatures"].as_array_mut() {
        Some(signatures) => signatures.push(signature),
        None => document["signatures"] = json!([signature]),
    }
    Ok(document)
}
