//! Countersign.

use countersign::clock::Skew;
use countersign::crypto::{SigningKey, VerifyingKey};
use countersign::httpsig::{ComponentId, Origin, Profile, Signer, Verifier};

use crate::library::{BODY, HOST, LIFE, Library, Signed, TAG, now};

pub(crate) struct Ours {
    name: &'static str,
    note: &'static str,
    signer: Signer,
    verifier: Verifier,
    origin: Origin,
    key: VerifyingKey,
}

impl Ours {
    /// What all are asked for.
    pub(crate) fn five_components(key: &SigningKey) -> Self {
        let components = [
            "\"@method\"",
            "\"@authority\"",
            "\"@path\"",
            "\"content-digest\"",
            "\"signature-agent\";key=\"sig1\"",
        ];
        let profile = components
            .iter()
            .map(|id| ComponentId::parse(id).expect("an identifier").into_owned())
            .fold(Profile::builder("five").tag(TAG), |made, id| made.cover(id))
            .keyid()
            .nonce()
            .life(LIFE)
            .build();
        Self::new(
            "countersign",
            "body checked, too",
            key,
            "",
            profile.expect("a profile"),
        )
    }

    /// The default profile, which covers more and digests the body itself.
    pub(crate) fn between_agents(key: &SigningKey) -> Self {
        let (url, note) = (
            "https://planner.example/keys",
            "seven components; digests the body",
        );
        Self::new("countersign, a2a", note, key, url, Profile::a2a())
    }

    fn new(
        name: &'static str,
        note: &'static str,
        key: &SigningKey,
        url: &str,
        profile: Profile,
    ) -> Self {
        let own = SigningKey::from_pkcs8(key.expose_pkcs8()).expect("a key");
        let origin = Origin::https(HOST);
        Self {
            name,
            note,
            signer: Signer::new(own, url, profile.clone()).expect("a signer"),
            verifier: Verifier::new(profile, origin.clone(), Skew::default()),
            origin,
            key: key.verifying_key().clone(),
        }
    }
}

impl Library for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    fn note(&self) -> &'static str {
        self.note
    }

    fn sign(&self, request: Signed) -> Signed {
        let (mut parts, body) = request.into_parts();
        let signed = self
            .signer
            .sign(&mut parts, &self.origin, body.as_bytes(), now(), [7; 16]);
        signed.expect("signs");
        Signed::from_parts(parts, body)
    }

    fn verify(&self, request: Signed) -> (Signed, bool) {
        let (parts, body) = request.into_parts();
        let verified = self
            .verifier
            .verify_with_key(&parts, BODY.as_bytes(), &self.key, now());
        let holds = verified.is_ok();
        (Signed::from_parts(parts, body), holds)
    }
}
