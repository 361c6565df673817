//! The signature agent card: OAuth client metadata with `web_bot_auth`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::UnixTime;
use crate::httpsig::ServedDocument;

/// The media type that a card is served under.
const JSON: &str = "application/json";

/// What an agent says about itself (draft-meunier-webbotauth-registry), to be served at the very
/// URL that is its [`client_id`](Self::client_id). Nothing in it is proved but that whoever answers
/// there says so.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct SignatureAgentCard {
    /// The URL of the card.
    pub client_id: String,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// A page about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// A picture of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// How to reach who runs it: URIs, often `mailto:`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Where its keys are; never together with [`jwks`](Self::jwks).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Its keys, a JWK Set; [`Reading`](crate::httpsig::directory::Reading) reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// How it behaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_bot_auth: Option<WebBotAuth>,
}

/// How a signature agent behaves.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WebBotAuth {
    /// The `User-Agent` that it sends, or how that begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_user_agent: Option<String>,
    /// What it is called in `robots.txt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rfc9309_product_token: Option<String>,
    /// Whether it keeps to `robots.txt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rfc9309_compliance: Option<Compliance>,
    /// What makes it ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// What it asks for: `tdm`, `search`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// What it is after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targeted_content: Option<String>,
    /// How it can be told to slow down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_control: Option<String>,
    /// How often it asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_expectation: Option<String>,
    /// URLs that it always asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub known_urls: Vec<String>,
    /// A list of the addresses that it asks from.
    #[serde(rename = "ips_uri", skip_serializing_if = "Option::is_none")]
    pub ips_uri: Option<String>,
}

/// What makes an agent ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A person, each time.
    Fetcher,
    /// Itself.
    Crawler,
}

/// Whether an agent keeps to `robots.txt` (RFC 9309).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Compliance {
    /// As the draft has it.
    Whole(bool),
    /// The parts that it keeps to, as some parsers have it.
    Parts(Vec<String>),
}

impl SignatureAgentCard {
    /// The card at `url`, an `https` URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            client_id: url.into(),
            ..Self::default()
        }
    }

    /// A name for people.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.client_name = Some(name.into());
        self
    }

    /// How to reach who runs it.
    #[must_use]
    pub fn contact(mut self, uri: impl Into<String>) -> Self {
        self.contacts.push(uri.into());
        self
    }

    /// Its keys are there; takes the place of keys in the card.
    #[must_use]
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.jwks_uri = Some(url.into());
        self.jwks = None;
        self
    }

    /// Its keys are these, a JWK Set; takes the place of a URL of keys.
    #[must_use]
    pub fn jwks(mut self, set: Value) -> Self {
        self.jwks = Some(set);
        self.jwks_uri = None;
        self
    }

    /// What makes it ask.
    #[must_use]
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        let behaviour = self.web_bot_auth.get_or_insert_default();
        behaviour.trigger = Some(trigger);
        self
    }

    /// How it behaves.
    #[must_use]
    pub fn web_bot_auth(mut self, behaviour: WebBotAuth) -> Self {
        self.web_bot_auth = Some(behaviour);
        self
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Texts and maps with text keys are always JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The document as it is served, last changed at `modified`.
    pub fn to_served(&self, modified: UnixTime) -> ServedDocument {
        ServedDocument::new(self.to_bytes(), JSON, modified).for_everybody()
    }
}
