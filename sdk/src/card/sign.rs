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

#[cfg(test)]
mod tests {
    use countersign_fixtures::ca::{Kind, Leaf};

    use super::super::testing::{Agent, BOOKING, World, builder, card, enforced};
    use super::*;
    use crate::a2a::{AgentExtension, AgentSkill, SecurityScheme};
    use crate::crypto::Algorithm;
    use crate::jose::decode_base64url;

    #[test]
    fn the_header_names_algorithm_key_type_and_chain_and_nothing_to_follow() {
        let world = World::new();
        let document = world.published();
        let protected = document["signatures"][0]["protected"].as_str();
        let json = decode_base64url(protected.expect("a text")).expect("base64url");
        let header: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        let members: Vec<_> = header.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["alg", "kid", "typ", "x5c"]);
        assert_eq!(header["typ"], "JOSE");
        assert_eq!(header["alg"], "EdDSA");
    }

    #[test]
    fn signing_again_replaces_the_signature() {
        let world = World::new();
        let first: AgentCard = serde_json::from_value(world.published()).expect("a card");
        let again = sign_card(&first, &world.booking.key, &world.booking.issued.chain);
        let again: AgentCard = serde_json::from_slice(&again.expect("signed")).expect("a card");
        assert_eq!(again.signatures.len(), 1);
    }

    #[test]
    fn key_certificate_and_card_must_be_one_agents() {
        let world = World::new();
        let planner = Agent::named(&world.ca, "/agent/planner");
        let other = SigningKey::generate(Algorithm::Ed25519).expect("a key");
        let rsa = world.ca.issue(&Leaf {
            kind: Kind::P384,
            ..Leaf::of(BOOKING)
        });
        let booking = &world.booking;
        let text = [CertificateDer::from(b"text".to_vec())];
        for (key, chain, want) in [
            (
                &other,
                &booking.issued.chain[..],
                "card.key_not_certificates",
            ),
            (&planner.key, &planner.issued.chain, "card.extension"),
            (&booking.key, &rsa.chain, "card.certificate"),
            (&booking.key, &text, "card.certificate"),
        ] {
            let error = sign_card(&card(), key, chain).expect_err("must be refused");
            assert_eq!(error.reason(), want);
        }
    }

    #[test]
    fn a_card_that_implementations_read_differently_is_not_signed() {
        let world = World::new();
        type Change = fn(&mut AgentCard);
        for (change, want) in [
            ((|c| c.description.clear()) as Change, "description"),
            (|c| c.skills.clear(), "skills"),
            (|c| c.skills[0].tags.clear(), "skills[0].tags"),
            (
                |c| c.skills[0].tags = vec![String::new()],
                "skills[0].tags[0]",
            ),
            (|c| c.supported_interfaces.clear(), "supportedInterfaces"),
            (|c| c.default_input_modes.clear(), "defaultInputModes"),
            (|c| c.icon_url = Some(String::new()), "iconUrl"),
            (
                |c| c.capabilities = crate::a2a::AgentCapabilities::default(),
                "capabilities",
            ),
            (
                |c| c.provider = Some(crate::a2a::AgentProvider::default()),
                "provider.organization",
            ),
            (
                |c| {
                    let scheme = SecurityScheme::MutualTls(Default::default());
                    c.security_schemes.insert("mtls".into(), scheme);
                },
                "securitySchemes.mtls.mtlsSecurityScheme",
            ),
            (
                |c| {
                    let scheme = SecurityScheme::Unknown(Default::default());
                    c.security_schemes.insert("new".into(), scheme);
                },
                "securitySchemes.new",
            ),
            (
                |c| c.security_requirements[0].schemes["mtls"].list.clear(),
                "securityRequirements[0].schemes.mtls",
            ),
            (
                |c| c.security_requirements.push(Default::default()),
                "securityRequirements[2]",
            ),
            (
                |c| {
                    let skill = &mut c.skills[0];
                    skill.security_requirements.push(Default::default());
                },
                "skills[0].securityRequirements[1]",
            ),
            (
                |c| {
                    let params = json!({"a": [{"b": ""}]}).as_object().cloned();
                    c.capabilities.extensions[0].params = params;
                },
                "capabilities.extensions[0].params.a[0].b",
            ),
            (
                |c| {
                    let params = json!({"\u{1f98a}": 1}).as_object().cloned();
                    c.capabilities.extensions[0].params = params;
                },
                "capabilities.extensions[0].params.\u{1f98a}",
            ),
            (
                |c| c.capabilities.extensions.push(AgentExtension::default()),
                "capabilities.extensions[1]",
            ),
        ] {
            let mut card = card();
            change(&mut card);
            let error = sign_card(&card, &world.booking.key, &world.booking.issued.chain);
            match error.expect_err(want) {
                CardError::Ambiguous { field, .. } => assert_eq!(field, want),
                other => panic!("{want}: {other}"),
            }
        }
    }

    #[test]
    fn a_card_ends_at_256_kib() {
        let world = World::new();
        let sized = |len: usize| {
            let skill = AgentSkill::new("x", "x", "x".repeat(len)).tagged(["x"]);
            let card = builder().skill(skill).build(&enforced()).expect("a card");
            sign_card(&card, &world.booking.key, &world.booking.issued.chain)
        };
        let overhead = sized(1).expect("signed").len() - 1;
        let fits = sized(CARD_MAX - overhead).expect("signed");
        assert_eq!(fits.len(), CARD_MAX);
        let document = serde_json::from_slice(&fits).expect("JSON");
        assert!(world.verify(&document).is_ok());
        let error = sized(CARD_MAX - overhead + 1).expect_err("too large");
        assert_eq!(error.reason(), "card.too_large");
    }
}
