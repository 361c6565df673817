//! What the rows do.

use std::sync::Arc;

use countersign::clock::{Skew, UnixTime};
use countersign::crypto::random;
use countersign::httpsig::{
    ExternalSignError, ExternalSigner, HttpAlgorithm, HttpSigningKey, MessageSigner, Origin,
    Profile, Verifier,
};
use countersign::pkcs11::{Pkcs11Key, Pkcs11Signer};
use countersign::secret::Secret;
use cryptoki::types::AuthPin;
use futures_util::future;
use http::request::Parts;
use libtest_mimic::Failed;

use crate::world::{PIN, World};

const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);
const BODY: &[u8] = br#"{"id":1}"#;
const DIRECTORY: &str = "https://planner.example/.well-known/http-message-signatures-directory";

async fn sign(signer: &ExternalSigner) -> Result<Parts, ExternalSignError> {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    let origin = Origin::https("booking.example");
    signer
        .sign(&mut parts, &origin, BODY, NOW, random())
        .await?;
    Ok(parts)
}

/// Signs one request and verifies it with what the token says is the public key.
async fn sign_and_verify(key: Arc<Pkcs11Signer>) -> Result<(), Failed> {
    let public = key.verifying_key().clone();
    let signer = ExternalSigner::new(key, DIRECTORY, Profile::a2a())?;
    let parts = sign(&signer).await?;
    let origin = Origin::https("booking.example");
    let verifier = Verifier::new(Profile::a2a(), origin, Skew::ZERO);
    verifier.verify_with_key(&parts, BODY, &public, NOW)?;
    Ok(())
}

async fn reason(key: Pkcs11Key) -> &'static str {
    let opened = Pkcs11Signer::open(key).await;
    opened.map_or_else(|error| error.reason(), |_| "fine")
}

pub(crate) async fn every_algorithm(world: Arc<World>) -> Result<(), Failed> {
    for (label, algorithm) in [
        ("ed25519", HttpAlgorithm::Ed25519),
        ("p256", HttpAlgorithm::EcdsaP256Sha256),
        ("p384", HttpAlgorithm::EcdsaP384Sha384),
        ("rsa", HttpAlgorithm::RsaPssSha512),
        ("rsa", HttpAlgorithm::RsaV15Sha256),
    ] {
        let key = world.key(label).algorithm(algorithm);
        let key = Pkcs11Signer::open(key).await?;
        assert_eq!(key.verifying_key().algorithm(), algorithm);
        sign_and_verify(Arc::new(key)).await?;
    }
    let key = Pkcs11Signer::open(world.key("rsa")).await?;
    let usual = HttpAlgorithm::RsaPssSha512;
    assert_eq!(key.verifying_key().algorithm(), usual, "without a word");
    Ok(())
}

pub(crate) async fn one_key_or_none(world: Arc<World>) -> Result<(), Failed> {
    let other = HttpSigningKey::generate(HttpAlgorithm::HmacSha256)?;
    let slot = world.slot("agents").id();
    let module = || Pkcs11Key::new("/usr/lib/no-such-module.so").token("agents");
    for (name, key, want) in [
        ("by its label", world.key("p256"), "fine"),
        ("by its ID, too", world.key("twins").id([2]), "fine"),
        ("in its slot", world.key("p256").slot(slot), "fine"),
        (
            "in another slot",
            world.key("p256").slot(slot + 1),
            "pkcs11.no_token",
        ),
        ("no module", module(), "pkcs11.module"),
        (
            "no token",
            world.on("other").label("p256"),
            "pkcs11.no_token",
        ),
        (
            "two tokens",
            world.on("twin").label("p256"),
            "pkcs11.token_ambiguous",
        ),
        ("no key", world.key("other"), "pkcs11.no_key"),
        ("no such ID", world.key("p256").id([9]), "pkcs11.no_key"),
        ("two keys", world.key("twins"), "pkcs11.key_ambiguous"),
        ("any key", world.on("agents"), "pkcs11.key_ambiguous"),
        ("a short key", world.key("short"), "pkcs11.public_key"),
        ("another curve", world.key("p521"), "pkcs11.public_key"),
        (
            "another algorithm",
            world.key("p256").algorithm(HttpAlgorithm::Ed25519),
            "pkcs11.public_key",
        ),
        (
            "a shared secret",
            world.key("p256").public_key(other.verifying_key().clone()),
            "pkcs11.mechanism",
        ),
    ] {
        assert_eq!(reason(key).await, want, "{name}");
    }
    Ok(())
}

pub(crate) async fn many_at_once(world: Arc<World>) -> Result<(), Failed> {
    for sessions in [1, 4] {
        let key = Pkcs11Signer::open(world.key("p256").sessions(sessions)).await?;
        let key = Arc::new(key);
        // As many as may wait, so that none is turned away.
        let all = (0..200).map(|_| sign_and_verify(Arc::clone(&key)));
        for done in future::join_all(all).await {
            done?;
        }
    }
    Ok(())
}

pub(crate) async fn lost_session(world: Arc<World>) -> Result<(), Failed> {
    let key = world.on("lost").label("p256").sessions(1);
    let key = Arc::new(Pkcs11Signer::open(key).await?);
    for _ in 0..3 {
        sign_and_verify(Arc::clone(&key)).await?;
        // As when the token was pulled out and put in again: nobody is logged in.
        world.session("lost", None).logout()?;
    }
    sign_and_verify(key).await
}

pub(crate) async fn wrong_pin(world: Arc<World>) -> Result<(), Failed> {
    let locked = || {
        Pkcs11Key::new(world.library())
            .token("locked")
            .label("p256")
    };
    assert_eq!(reason(locked()).await, "pkcs11.pin_missing");
    let wrong = locked().pin(Secret::new("wrong".to_owned()));
    assert_eq!(reason(wrong).await, "pkcs11.pin");
    let right = locked().pin(Secret::new(PIN.to_owned())).sessions(1);
    let key = Arc::new(Pkcs11Signer::open(right).await?);
    sign_and_verify(Arc::clone(&key)).await?;

    // Somebody changes the PIN while the agent runs.
    let (old, new) = (
        AuthPin::from(PIN.to_owned()),
        AuthPin::from("another".to_owned()),
    );
    let session = world.session("locked", None);
    session.set_pin(&old, &new)?;
    session.logout()?;
    let signer = ExternalSigner::new(Arc::clone(&key) as _, DIRECTORY, Profile::a2a())?;
    let refused = sign(&signer).await.map_err(|error| error.to_string());
    assert!(refused.is_err_and(|why| why.contains("refuses the PIN")));
    // The old PIN would be right again, but it is not shown to the token a second time.
    let session = world.session("locked", Some("another"));
    session.set_pin(&new, &old)?;
    session.logout()?;
    let refused = sign(&signer).await.map_err(|error| error.reason());
    assert_eq!(refused.err(), Some("signer.refused"));
    // A signer that is opened anew asks again.
    let right = locked().pin(Secret::new(PIN.to_owned()));
    sign_and_verify(Arc::new(Pkcs11Signer::open(right).await?)).await
}

pub(crate) async fn another_key(world: Arc<World>) -> Result<(), Failed> {
    let other = HttpSigningKey::generate(HttpAlgorithm::EcdsaP256Sha256)?;
    let public = other.verifying_key().clone();
    let key = Pkcs11Signer::open(world.key("p256").public_key(public)).await?;
    let signer = ExternalSigner::new(Arc::new(key), DIRECTORY, Profile::a2a())?;
    let refused = sign(&signer).await.map_err(|error| error.reason());
    assert_eq!(refused.err(), Some("signature.invalid"));
    Ok(())
}

pub(crate) async fn hides_its_pin(world: Arc<World>) -> Result<(), Failed> {
    let key = world.key("other");
    let shown = format!("{key:?}");
    let error = Pkcs11Signer::open(key)
        .await
        .expect_err("there is no such key");
    let signer = Pkcs11Signer::open(world.key("p256")).await?;
    let shown = format!("{shown} {error} {error:?} {signer:?}");
    assert!(shown.contains("agents") && !shown.contains(PIN), "{shown}");
    Ok(())
}
