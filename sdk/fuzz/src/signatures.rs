//! Everything that is done with the signatures of a message from outside.

use std::sync::LazyLock;

use countersign::clock::{Skew, UnixTime};
use countersign::httpsig::{
    AcceptSignature, ComponentId, HttpSigningKey, Outcome, Profile, ResolvedKey, Revision,
    SignatureParams, Tolerance, WantedKey, judge, sign_message, signature_base, verify_message,
};

use crate::Message;

const NOW: UnixTime = UnixTime::from_secs(1_735_690_000);
const LABEL: &str = "fuzz";

/// An Ed25519 key in PKCS#8 (RFC 8410 §7), up to its 32 secret bytes.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Always the same, so that a finding can be seen again.
static KEY: LazyLock<HttpSigningKey> = LazyLock::new(|| {
    let pkcs8 = [&PKCS8[..], &[7; 32]].concat();
    HttpSigningKey::from_pkcs8(&pkcs8).expect("a key")
});

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let all = [
        Tolerance::BareSignatureAgent,
        Tolerance::ForeignMember,
        Tolerance::AgentParameters,
        Tolerance::NoSignatureAgent,
        Tolerance::LongLife,
    ];
    let bots = Profile::web_bot_auth(Revision::Meunier02);
    vec![
        Profile::a2a(),
        Profile::web_bot_auth(Revision::Ietf01),
        Profile::web_bot_auth(Revision::Legacy),
        all.into_iter().fold(bots, Profile::tolerate),
        Profile::wimse(),
        Profile::rfc9421(),
    ]
});

/// Reads, judges and answers the signatures of a message.
///
/// # Panics
/// When a signature that nobody can have made is verified; when a base is not in the form of RFC 9421
/// §2.5; when what was signed does not verify.
pub fn signatures(text: &[u8]) {
    let mut message = Message::read(text);
    for profile in PROFILES.iter() {
        let find = |_: WantedKey<'_>| Ok(ResolvedKey::Published(KEY.verifying_key().clone()));
        let view = message.view();
        let outcome = judge(&view, &message.body, profile, (NOW, Skew::default()), find);
        let verified = matches!(outcome, Outcome::Verified(_));
        assert!(!verified, "nobody has signed with this key");
        if let Some(claims) = outcome.claims()
            && profile.name() == "rfc9421"
        {
            sign_again(&mut message, &claims.covered);
        }
    }
    bases(&mut message);
    let _ = AcceptSignature::read(message.fields());
}

/// What can be signed of it is signed, and verified.
fn sign_again(message: &mut Message, covered: &[String]) {
    let components: Result<Vec<_>, _> = covered.iter().map(|id| ComponentId::parse(id)).collect();
    let Ok(components) = components else {
        return;
    };
    let params = SignatureParams::new().created(NOW).tag(LABEL);
    let Ok(made) = sign_message(&message.view(), &*KEY, LABEL, &components, &params) else {
        return;
    };
    // What the signature covers may not be what it replaces.
    let replaced = ["\"signature\"", "\"signature-input\""];
    if covered
        .iter()
        .any(|id| replaced.iter().any(|own| id.starts_with(own)))
    {
        return;
    }
    let fields = message.fields();
    let kept = fields.clone();
    fields.insert("signature-input", made.signature_input);
    fields.insert("signature", made.signature);
    let profile = Profile::rfc9421().with_label(LABEL).expect("a label");
    let (view, body) = (message.view(), &message.body);
    let verified = verify_message(&view, body, KEY.verifying_key(), &profile, NOW, Skew::ZERO);
    if let Err(error) = verified {
        // The body is the one thing that is not signed here but checked.
        assert_eq!(error.reason(), "signature.digest", "{error}");
    }
    *message.fields() = kept;
}

/// Each line of `Signature-Input` as if it were a member of its own.
fn bases(message: &mut Message) {
    let inputs = message.fields().get_all("signature-input").iter();
    let inputs: Vec<String> = inputs
        .filter_map(|line| line.to_str().ok())
        .map(|line| {
            line.split_once('=')
                .map_or(line, |(_, member)| member)
                .to_owned()
        })
        .collect();
    for input in inputs {
        let Ok(base) = signature_base(&message.view(), &input) else {
            continue;
        };
        assert!(base.is_ascii(), "a base is ASCII");
        let (last, lines) = {
            let mut lines: Vec<&str> = base.split('\n').collect();
            (lines.pop().unwrap_or_default(), lines)
        };
        assert!(last.starts_with("\"@signature-params\": ("), "{base}");
        for line in lines {
            assert!(line.starts_with('"') && line.contains(": "), "{base}");
        }
    }
}
