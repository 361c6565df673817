//! What one side signs, the other verifies; what was changed, neither takes.

use countersign::clock::{Clock as _, Skew, SystemClock, UnixTime};
use countersign::crypto::{Algorithm, SigningKey};
use countersign::httpsig::{
    ComponentId, Profile, Revision, SignatureFields, SignatureParams, sign_message, verify_message,
};
use countersign::jose::{Jwk, encode_base64url};
use libtest_mimic::Failed;
use serde_json::{Value, json};

use crate::library::Library;
use crate::message::Message;

const TAG: &str = "web-bot-auth";
const LABEL: &str = "sig1";
const LIFE: u64 = 60;
/// 64 bytes, as one of the libraries wants them.
const NONCE: &str =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

/// How the library knows `Signature-Agent`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// As a dictionary, whose member has the signature's label.
    Dictionary,
    /// As one text, of the first drafts.
    Text,
}

impl Form {
    fn agent(self) -> &'static str {
        match self {
            Self::Dictionary => "sig1=\"https://agent.example/keys\"",
            Self::Text => "\"https://agent.example\"",
        }
    }

    fn components(self) -> &'static [&'static str] {
        match self {
            Self::Dictionary => &[
                "\"@method\"",
                "\"@authority\"",
                "\"@path\"",
                "\"@query\"",
                "\"content-type\"",
                "\"signature-agent\";key=\"sig1\"",
            ],
            Self::Text => &["\"@authority\"", "\"signature-agent\""],
        }
    }

    fn profile(self) -> Profile {
        match self {
            Self::Dictionary => Profile::web_bot_auth(Revision::Ietf01),
            Self::Text => Profile::web_bot_auth(Revision::Legacy),
        }
    }

    fn message(self) -> Message {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Message {
            method: "POST".to_owned(),
            origin: "https://shop.example".to_owned(),
            target: "/offers?trip=7".to_owned(),
            fields: vec![
                field("content-type", "application/json"),
                field("signature-agent", self.agent()),
            ],
            response: None,
        }
    }

    /// Each the signed message with one thing changed.
    fn changed(self, signed: &Message) -> Vec<(&'static str, Message)> {
        let with = |change: &dyn Fn(&mut Message)| {
            let mut message = signed.clone();
            change(&mut message);
            message
        };
        let field = |name: &'static str, from: &'static str, to: &'static str| {
            with(&|message| {
                for (own, value) in &mut message.fields {
                    if own == name {
                        *value = value.replacen(from, to, 1);
                    }
                }
            })
        };
        let mut changed = vec![
            (
                "another host",
                with(&|m| m.origin = "https://other.example".to_owned()),
            ),
            (
                "another agent",
                field("signature-agent", "agent.example", "agent.invalid"),
            ),
            (
                "another end",
                field("signature-input", "expires=", "expires=1"),
            ),
            (
                "another label's parameters",
                field("signature-input", ";tag=", ";nonce2=\"\";tag="),
            ),
            (
                "fewer components",
                field("signature-input", "\"@authority\" ", ""),
            ),
            (
                "another signature",
                field("signature", "sig1=:", "sig1=:AA"),
            ),
        ];
        if matches!(self, Self::Dictionary) {
            changed.extend([
                ("another method", with(&|m| m.method = "PUT".to_owned())),
                (
                    "another path",
                    with(&|m| m.target = "/offer?trip=7".to_owned()),
                ),
                (
                    "another query",
                    with(&|m| m.target = "/offers?trip=8".to_owned()),
                ),
                ("another type", field("content-type", "json", "jsonp")),
            ]);
        }
        changed
    }
}

/// The library verifies ours, we verify the library's, and both refuse what was changed.
pub(crate) fn both_ways(library: &Library, form: Form) -> Result<(), Failed> {
    let key = SigningKey::generate(Algorithm::Ed25519)?;
    let (ours, theirs) = (by_us(&key, form)?, by_them(library, &key, form)?);
    for (signer, signed) in [("we", ours), ("they", theirs)] {
        let mut messages = vec![("nothing", signed.clone())];
        messages.extend(form.changed(&signed));
        let asked = messages.iter().map(|(_, message)| {
            json!({"message": message.to_json(), "jwk": Jwk::of(key.verifying_key())})
        });
        let answers = library.ask("verify", &asked.collect::<Vec<_>>())?;
        for ((what, message), answer) in messages.iter().zip(answers) {
            let wanted = *what == "nothing";
            let by_them = answer["verified"] == true;
            let by_us = taken_by_us(message, &key, form)?;
            if by_them != wanted || by_us.is_ok() != wanted {
                let text = format!("{signer} signed, {what} changed: they {answer}, we {by_us:?}");
                return Err(text.into());
            }
        }
    }
    Ok(())
}

fn by_us(key: &SigningKey, form: Form) -> Result<Message, Failed> {
    let mut message = form.message();
    let components = form
        .components()
        .iter()
        .map(|text| ComponentId::parse(text));
    let components = components.collect::<Result<Vec<_>, _>>()?;
    let params = SignatureParams::new()
        .created(now())
        .expires(until())
        .keyid(key.verifying_key().thumbprint())
        .nonce(NONCE)
        .tag(TAG);
    let signed = message.viewed(|view| sign_message(view, key, LABEL, &components, &params))??;
    let SignatureFields {
        signature_input,
        signature,
    } = signed;
    for (name, value) in [
        ("signature-input", signature_input),
        ("signature", signature),
    ] {
        message
            .fields
            .push((name.to_owned(), value.to_str()?.to_owned()));
    }
    Ok(message)
}

fn by_them(library: &Library, key: &SigningKey, form: Form) -> Result<Message, Failed> {
    let mut message = form.message();
    let asked = json!({
        "message": message.to_json(),
        "key": encode_base64url(key.expose_pkcs8()),
        "keyid": key.verifying_key().thumbprint().to_string(),
        "components": form.components(),
        "label": LABEL,
        "tag": TAG,
        "created": now().secs(),
        "expires": until().secs(),
        "nonce": NONCE,
    });
    let answers = library.ask("sign", &[asked])?;
    let made: Vec<(String, String)> = match answers.first().map(|answer| &answer["headers"]) {
        Some(made @ Value::Array(_)) => serde_json::from_value(made.clone())?,
        _ => return Err(format!("they do not sign: {answers:?}").into()),
    };
    let made = made
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value));
    message.fields.extend(made);
    Ok(message)
}

fn taken_by_us(
    message: &Message,
    key: &SigningKey,
    form: Form,
) -> Result<Result<(), String>, Failed> {
    let (public, profile, skew) = (key.verifying_key(), form.profile(), Skew::default());
    let verified =
        message.viewed(|view| verify_message(view, b"", public, &profile, now(), skew))?;
    Ok(verified.map(drop).map_err(|error| error.to_string()))
}

fn now() -> UnixTime {
    SystemClock.now()
}

fn until() -> UnixTime {
    UnixTime::from_secs(now().secs() + LIFE)
}
