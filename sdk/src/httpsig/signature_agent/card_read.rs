//! Reading a signature agent card.

use serde_json::{Map, Value};

use super::card::{Compliance, SignatureAgentCard, Trigger, WebBotAuth};
use super::card_error::{CardError, CardRule, CardWarning};
use crate::httpsig::{WebUrl, WebUrlError};
use crate::jose::{JsonLimits, parse_json};

/// The most bytes of a card that are read.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

const LIMITS: JsonLimits = JsonLimits {
    depth: 16,
    bytes: MAX_BYTES,
};

impl SignatureAgentCard {
    /// Reads the card that was fetched from `url`, and names what differs from the draft. Members
    /// that the draft does not know are ignored; those it knows and that are not as it says are
    /// left out with a warning.
    ///
    /// # Errors
    /// [`CardError`] when it is no card, or not the one of this URL.
    pub fn read(body: &[u8], url: &str) -> Result<(Self, Vec<CardWarning>), CardError> {
        let read: WebUrl = url.parse().map_err(|error: WebUrlError| {
            let rule = error.rule;
            CardError::Url { rule }
        })?;
        if !read.is_https() {
            let rule = "does not begin with https://";
            return Err(CardError::Url { rule });
        }
        let Value::Object(document) = parse_json(body, LIMITS)? else {
            return Err(CardError::NoClientId);
        };
        let client_id = document.get("client_id").and_then(Value::as_str);
        let client_id = client_id.ok_or(CardError::NoClientId)?.to_owned();
        // Compared as texts: two ways to write one URL are two clients.
        if client_id != url {
            let url = url.to_owned();
            return Err(CardError::ClientId { url, client_id });
        }
        if document.contains_key("jwks") && document.contains_key("jwks_uri") {
            return Err(CardError::TwoKeySources);
        }
        let mut lint = Lint::new(&document);
        let card = Self {
            client_id,
            client_name: lint.text("client_name"),
            client_uri: lint.uri("client_uri", is_https),
            logo_uri: lint.uri("logo_uri", is_https),
            contacts: lint.uris("contacts"),
            jwks_uri: lint.uri("jwks_uri", is_https),
            jwks: lint.object("jwks").map(Value::Object),
            web_bot_auth: None,
        };
        if card.jwks.is_none() && card.jwks_uri.is_none() {
            lint.warn("jwks", CardRule::NoKeys);
        }
        let behaviour = lint.object("web_bot_auth");
        let mut warnings = lint.warnings;
        let web_bot_auth = behaviour.map(|members| {
            let mut lint = Lint::new(&members);
            if members.is_empty() {
                lint.warn("web_bot_auth", CardRule::Empty);
            }
            let read = behaviour_of(&mut lint);
            warnings.append(&mut lint.warnings);
            read
        });
        let card = Self {
            web_bot_auth,
            ..card
        };
        Ok((card, warnings))
    }
}

fn behaviour_of(lint: &mut Lint<'_>) -> WebBotAuth {
    WebBotAuth {
        expected_user_agent: lint.text("expected-user-agent"),
        rfc9309_product_token: lint.text("rfc9309-product-token"),
        rfc9309_compliance: lint.compliance("rfc9309-compliance"),
        trigger: lint.trigger("trigger"),
        purpose: lint.text("purpose"),
        targeted_content: lint.text("targeted-content"),
        rate_control: lint.text("rate-control"),
        rate_expectation: lint.text("rate-expectation"),
        known_urls: lint.uris("known-urls"),
        ips_uri: lint.uri("ips_uri", is_https),
    }
}

/// Reads members, and notes what is wrong with them.
struct Lint<'a> {
    members: &'a Map<String, Value>,
    warnings: Vec<CardWarning>,
}

impl<'a> Lint<'a> {
    fn new(members: &'a Map<String, Value>) -> Self {
        Self {
            members,
            warnings: Vec::new(),
        }
    }

    fn warn(&mut self, member: &'static str, rule: CardRule) {
        self.warnings.push(CardWarning { member, rule });
    }

    /// The member as `read` takes it; one of another type is left out.
    fn typed<T>(
        &mut self,
        member: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let taken = read(self.members.get(member)?);
        if taken.is_none() {
            self.warn(member, CardRule::Type);
        }
        taken
    }

    fn text(&mut self, member: &'static str) -> Option<String> {
        let text = self.typed(member, Value::as_str)?;
        if text.is_empty() {
            self.warn(member, CardRule::Empty);
            return None;
        }
        Some(text.to_owned())
    }

    fn uri(&mut self, member: &'static str, good: fn(&str) -> bool) -> Option<String> {
        let text = self.text(member)?;
        if !good(&text) {
            self.warn(member, CardRule::Https);
            return None;
        }
        Some(text)
    }

    fn uris(&mut self, member: &'static str) -> Vec<String> {
        let listed = self.typed(member, Value::as_array);
        let mut uris = Vec::new();
        for value in listed.into_iter().flatten() {
            match value.as_str() {
                Some(text) if is_uri(text) => uris.push(text.to_owned()),
                Some(_) => self.warn(member, CardRule::Uri),
                None => self.warn(member, CardRule::Type),
            }
        }
        uris
    }

    fn object(&mut self, member: &'static str) -> Option<Map<String, Value>> {
        self.typed(member, Value::as_object).cloned()
    }

    fn compliance(&mut self, member: &'static str) -> Option<Compliance> {
        let read = self.typed(member, |value| match value {
            Value::Bool(whole) => Some(Compliance::Whole(*whole)),
            Value::Array(parts) => {
                let parts = parts.iter().map(|part| part.as_str().map(str::to_owned));
                parts.collect::<Option<_>>().map(Compliance::Parts)
            }
            _ => None,
        });
        if matches!(read, Some(Compliance::Parts(_))) {
            self.warn(member, CardRule::ComplianceList);
        }
        read
    }

    fn trigger(&mut self, member: &'static str) -> Option<Trigger> {
        match self.typed(member, Value::as_str)? {
            "fetcher" => Some(Trigger::Fetcher),
            "crawler" => Some(Trigger::Crawler),
            _ => {
                self.warn(member, CardRule::Value);
                None
            }
        }
    }
}

fn is_https(text: &str) -> bool {
    let url: Result<WebUrl, _> = text.parse();
    url.is_ok_and(|url| url.is_https())
}

/// RFC 3986 §3.1: a scheme, a colon, something; no white space or control characters.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.bytes();
    letters.next().is_some_and(|b| b.is_ascii_alphabetic())
        && letters.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !rest.is_empty()
        && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URL: &str = "https://bot.example/card";

    fn good() -> Value {
        json!({
            "client_id": URL,
            "client_name": "Bot",
            "client_uri": "https://bot.example/",
            "logo_uri": "https://bot.example/logo.png",
            "contacts": ["mailto:a@bot.example"],
            "jwks_uri": "https://bot.example/keys",
            "unknown": [1],
            "web_bot_auth": {
                "expected-user-agent": "Bot/1",
                "rfc9309-product-token": "Bot",
                "rfc9309-compliance": true,
                "trigger": "crawler",
                "purpose": "tdm",
                "targeted-content": "news",
                "rate-control": "429",
                "rate-expectation": "1/s",
                "known-urls": ["https://bot.example/x"],
                "ips_uri": "https://bot.example/ips.json",
                "unknown": 1
            }
        })
    }

    fn read(card: &Value, url: &str) -> Result<(SignatureAgentCard, Vec<CardWarning>), CardError> {
        SignatureAgentCard::read(card.to_string().as_bytes(), url)
    }

    #[test]
    fn a_card_survives_its_json_form() {
        let (card, warnings) = read(&good(), URL).expect("a card");
        assert_eq!(warnings, []);
        let again = SignatureAgentCard::read(&card.to_bytes(), URL).expect("a card");
        assert_eq!(again, (card.clone(), Vec::new()));
        let mut want = good();
        want.as_object_mut().expect("an object").remove("unknown");
        let behaviour = want["web_bot_auth"].as_object_mut();
        behaviour.expect("an object").remove("unknown");
        let written: Value = serde_json::from_slice(&card.to_bytes()).expect("JSON");
        assert_eq!(written, want);
    }

    #[test]
    fn what_is_no_card_of_its_url_is_refused() {
        let with = |name: &str, value: Value| {
            let mut card = good();
            card[name] = value;
            card
        };
        for (name, card, url, want) in [
            (
                "another",
                with("client_id", json!("https://bot.example/b")),
                URL,
                "agent_card.client_id",
            ),
            (
                "as text",
                good(),
                "https://BOT.example/card",
                "agent_card.client_id",
            ),
            (
                "slash",
                good(),
                "https://bot.example/card/",
                "agent_card.client_id",
            ),
            (
                "none",
                with("client_id", Value::Null),
                URL,
                "agent_card.no_client_id",
            ),
            ("list", json!([good()]), URL, "agent_card.no_client_id"),
            (
                "two",
                with("jwks", json!({"keys": []})),
                URL,
                "agent_card.two_key_sources",
            ),
            (
                "two, one null",
                with("jwks", Value::Null),
                URL,
                "agent_card.two_key_sources",
            ),
            (
                "http",
                with("client_id", json!("http://bot.example/")),
                "http://bot.example/",
                "agent_card.url",
            ),
            (
                "fragment",
                with("client_id", json!("https://b.example/#a")),
                "https://b.example/#a",
                "agent_card.url",
            ),
        ] {
            let refused = read(&card, url);
            assert_eq!(refused.map_err(|e| e.reason()).err(), Some(want), "{name}");
        }
        for (body, want) in [(&b"{"[..], "agent_card.json"), (b"", "agent_card.json")] {
            let refused = SignatureAgentCard::read(body, URL);
            assert_eq!(refused.map_err(|e| e.reason()).err(), Some(want));
        }
        let mut long = good().to_string().into_bytes();
        long.resize(MAX_BYTES, b' ');
        assert!(SignatureAgentCard::read(&long, URL).is_ok());
        long.push(b' ');
        assert!(SignatureAgentCard::read(&long, URL).is_err());
    }

    #[test]
    fn each_divergence_of_a_card_is_named() {
        let of = |part: &str, name: &str, value: Value| {
            let mut card = good();
            match part {
                "" => card[name] = value,
                part => card[part][name] = value,
            }
            card
        };
        let wba = "web_bot_auth";
        let list = json!(["Disallow", "Crawl-delay"]);
        for (card, member, reason) in [
            (
                of("", "client_name", json!(1)),
                "client_name",
                "agent_card.type",
            ),
            (
                of("", "client_name", json!("")),
                "client_name",
                "agent_card.empty",
            ),
            (
                of("", "client_uri", json!("http://b.example/")),
                "client_uri",
                "agent_card.https",
            ),
            (
                of("", "contacts", json!("mailto:a@b")),
                "contacts",
                "agent_card.type",
            ),
            (
                of("", "contacts", json!(["a@b.example"])),
                "contacts",
                "agent_card.uri",
            ),
            (
                of("", "contacts", json!(["mailto:a\r\nb"])),
                "contacts",
                "agent_card.uri",
            ),
            (of("", wba, json!({})), wba, "agent_card.empty"),
            (of("", wba, json!([])), wba, "agent_card.type"),
            (
                of(wba, "trigger", json!("cron")),
                "trigger",
                "agent_card.value",
            ),
            (
                of(wba, "rfc9309-compliance", list),
                "rfc9309-compliance",
                "agent_card.compliance_list",
            ),
            (
                of(wba, "rfc9309-compliance", json!("yes")),
                "rfc9309-compliance",
                "agent_card.type",
            ),
            (
                of(wba, "ips_uri", json!("http://b.example/")),
                "ips_uri",
                "agent_card.https",
            ),
            (
                of(wba, "known-urls", json!([1])),
                "known-urls",
                "agent_card.type",
            ),
        ] {
            let (_, warnings) = read(&card, URL).expect("a card");
            let warnings = warnings.iter().map(|w| (w.member, w.rule.reason()));
            let warnings: Vec<_> = warnings.collect();
            assert_eq!(warnings, [(member, reason)]);
        }
        let bare = json!({ "client_id": URL });
        let (_, warnings) = read(&bare, URL).expect("a card");
        assert_eq!(warnings[0].rule, CardRule::NoKeys);
    }
}
