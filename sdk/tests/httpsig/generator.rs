//! Makes signed requests of any shape, right or wrong, without a `Signer`.

use countersign::clock::{Skew, UnixTime};
use countersign::httpsig::{
    ComponentId, HttpAlgorithm, HttpSigningKey, MessageView, Origin, Outcome, Profile, RequestView,
    ResolvedKey, Revision, content_digest, judge, signature_base,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};

/// The time of the negative cases that are known for Web Bot Auth.
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_735_689_660);
pub(crate) const BODY: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"GetTask"}"#;
pub(crate) const KEYS: &str = "https://planner.example";

/// The profiles that requests are generated for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    A2a,
    Ietf01,
    Meunier02,
    Legacy,
    Wimse,
    Own,
    Rfc9421,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::A2a,
        Self::Ietf01,
        Self::Meunier02,
        Self::Legacy,
        Self::Wimse,
        Self::Own,
        Self::Rfc9421,
    ];

    pub(crate) fn profile(self) -> Profile {
        match self {
            Self::A2a => Profile::a2a(),
            Self::Ietf01 => Profile::web_bot_auth(Revision::Ietf01),
            Self::Meunier02 => Profile::web_bot_auth(Revision::Meunier02),
            Self::Legacy => Profile::web_bot_auth(Revision::Legacy),
            Self::Wimse => Profile::wimse(),
            Self::Own => Profile::builder("own")
                .tag("own")
                .cover_target()
                .cover_body()
                .cover(ComponentId::parse("\"content-type\"").expect("an identifier"))
                .max_life(std::time::Duration::from_secs(300))
                .keyid()
                .nonce()
                .build()
                .expect("a profile"),
            Self::Rfc9421 => Profile::rfc9421(),
        }
    }

    /// Whether it has a `Signature-Agent`.
    pub(crate) fn has_agent(self) -> bool {
        !matches!(self, Self::Wimse | Self::Own | Self::Rfc9421)
    }

    fn tag(self) -> Option<&'static str> {
        match self {
            Self::A2a | Self::Ietf01 | Self::Meunier02 | Self::Legacy => Some("web-bot-auth"),
            Self::Wimse => Some("wimse-workload-to-workload"),
            Self::Own => Some("own"),
            Self::Rfc9421 => None,
        }
    }
}

/// A request to be signed, and everything that a verification looks at.
pub(crate) struct Made {
    pub(crate) kind: Kind,
    pub(crate) key: HttpSigningKey,
    pub(crate) parts: Parts,
    pub(crate) body: Vec<u8>,
    pub(crate) origin: Origin,
    pub(crate) components: Vec<String>,
    pub(crate) params: Vec<(&'static str, String)>,
}

impl Made {
    /// A good request, not signed yet.
    pub(crate) fn unsigned(kind: Kind) -> Self {
        let key = HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key");
        let request = Request::post("/a2a?page=2")
            .header("content-type", "application/json")
            .header("content-digest", content_digest(BODY))
            .header("authorization", "Bearer abc.def")
            .header("user-agent", "planner/1.0");
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let mut components: Vec<String> = match kind {
            Kind::Wimse => vec!["\"@method\"", "\"@request-target\""],
            _ => vec!["\"@method\"", "\"@authority\"", "\"@path\"", "\"@query\""],
        }
        .into_iter()
        .map(str::to_owned)
        .collect();
        let fields = ["content-type", "content-digest", "authorization"];
        components.extend(fields.map(|name| format!("\"{name}\"")));
        let mut params = vec![
            ("created", "1735689600".to_owned()),
            ("expires", "1735689720".to_owned()),
            ("nonce", "\"n0nce\"".to_owned()),
        ];
        if let Some(tag) = kind.tag() {
            params.push(("tag", format!("\"{tag}\"")));
        }
        if kind == Kind::Wimse {
            params.push(("wimse-aud", "\"https://booking.example/a2a\"".to_owned()));
        } else {
            let keyid = key.verifying_key().thumbprint();
            params.push(("keyid", format!("\"{keyid}\"")));
        }
        let mut made = Self {
            kind,
            key,
            parts,
            body: BODY.to_vec(),
            origin: Origin::https("booking.example"),
            components,
            params,
        };
        if kind.has_agent() {
            made.components.push(made.agent_component().to_owned());
            made.set("signature-agent", &made.agent(KEYS));
        }
        made
    }

    /// A good request, signed.
    pub(crate) fn signed(kind: Kind) -> Self {
        let mut made = Self::unsigned(kind);
        made.sign();
        made
    }

    /// How the profile covers `Signature-Agent`.
    pub(crate) fn agent_component(&self) -> &'static str {
        match self.kind {
            Kind::Legacy => "\"signature-agent\"",
            _ => "\"signature-agent\";key=\"sig1\"",
        }
    }

    /// The field in the profile's form.
    pub(crate) fn agent(&self, url: &str) -> String {
        match self.kind {
            Kind::Legacy => format!("\"{url}\""),
            _ => format!("sig1=\"{url}\""),
        }
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::from_str(value).expect("a value");
        self.parts
            .headers
            .insert(HeaderName::from_static(name), value);
    }

    pub(crate) fn set_param(&mut self, name: &'static str, value: Option<&str>) {
        self.params.retain(|(other, _)| *other != name);
        if let Some(value) = value {
            self.params.push((name, value.to_owned()));
        }
    }

    /// The member of `Signature-Input`.
    pub(crate) fn member(&self) -> String {
        let mut member = format!("({})", self.components.join(" "));
        for (name, value) in &self.params {
            member.push_str(&format!(";{name}={value}"));
        }
        member
    }

    /// Signs the right base, or one that nobody could build.
    pub(crate) fn sign(&mut self) {
        let base = signature_base(&self.view(), &self.member()).unwrap_or_default();
        self.sign_base(&base);
    }

    /// Signs whatever base is given.
    pub(crate) fn sign_base(&mut self, base: &str) {
        let signature = self.key.sign(base.as_bytes()).expect("signs");
        let encoded = countersign::jose::encode_base64url(signature.as_bytes());
        let encoded = encoded.replace('-', "+").replace('_', "/");
        self.set("signature", &format!("sig1=:{encoded}==:"));
        let input = format!("sig1={}", self.member());
        self.set("signature-input", &input);
    }

    pub(crate) fn view(&self) -> MessageView<'_> {
        RequestView::new(&self.parts, &self.origin).into()
    }

    /// What becomes of it. The key is found by agent and thumbprint, and comes from a token under
    /// WIMSE.
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome_under(&self.kind.profile())
    }

    pub(crate) fn outcome_under(&self, profile: &Profile) -> Outcome {
        let public = self.key.verifying_key();
        let times = (NOW, Skew::ZERO);
        judge(&self.view(), &self.body, profile, times, |wanted| {
            let thumbprint = public.thumbprint().to_string();
            match (wanted.agent, wanted.keyid) {
                (Some(_), Some(keyid)) if keyid == thumbprint => {
                    Ok(ResolvedKey::Published(public.clone()))
                }
                (Some(_), _) => Err(wanted.unknown()),
                (None, _) => Ok(ResolvedKey::Held(public.clone())),
            }
        })
    }

    /// The outcome and the reason, as `verified` or `invalid signature.expired`.
    pub(crate) fn verdict(&self) -> String {
        verdict(&self.outcome())
    }
}

pub(crate) fn verdict(outcome: &Outcome) -> String {
    match outcome.reason() {
        None => outcome.word().to_owned(),
        Some(reason) => format!("{} {reason}", outcome.word()),
    }
}
