//! Where a key directory is, and what names it.

use crate::httpsig::{AgentKind, DIRECTORY_PATH, SignatureAgent, WebUrl, WebUrlError};

/// The URL of a key directory, in its one form: what is fetched, and what keys are kept under.
///
/// ```
/// use countersign::httpsig::directory::DirectoryUrl;
/// // draft-ietf-webbotauth-httpsig-protocol: the member of Signature-Agent is the URL.
/// let there = DirectoryUrl::at("https://bot.example/keys.json?v=1")?;
/// assert_eq!(there.identifier(), "https://bot.example/keys.json");
/// // draft-meunier-webbotauth-httpsig-protocol-02 and before: it is the origin.
/// let there = DirectoryUrl::of_origin("https://Bot.example")?;
/// assert_eq!(there.identifier(), "https://bot.example/.well-known/http-message-signatures-directory");
/// # Ok::<(), countersign::httpsig::WebUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DirectoryUrl {
    url: WebUrl,
}

impl DirectoryUrl {
    /// At this `https` URL.
    ///
    /// # Errors
    /// [`WebUrlError`] when it is none.
    pub fn at(url: &str) -> Result<Self, WebUrlError> {
        let url: WebUrl = url.parse()?;
        if !url.is_https() {
            let rule = "does not begin with https://";
            return Err(WebUrlError { rule });
        }
        let url = url.normalized();
        Ok(Self { url })
    }

    /// At the well-known path of this `https` origin.
    ///
    /// # Errors
    /// [`WebUrlError`] when it is none, or has a path or query.
    pub fn of_origin(origin: &str) -> Result<Self, WebUrlError> {
        let there = Self::at(origin)?;
        if there.url.target.as_str() != "/" {
            let rule = "is no origin: it has a path or query";
            return Err(WebUrlError { rule });
        }
        Self::at(&format!("{}{DIRECTORY_PATH}", there.url))
    }

    /// Where the keys of this agent are.
    ///
    /// ```
    /// use countersign::httpsig::directory::DirectoryUrl;
    /// use countersign::httpsig::{Revision, SignatureAgent};
    /// let agent = SignatureAgent::parse("https://bot.example", Revision::Meunier02)?;
    /// assert!(DirectoryUrl::of_agent(&agent)?.is_well_known());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WebUrlError`] when its URL is none that is fetched, or is that of a signature agent card,
    /// which has to be read first.
    pub fn of_agent(agent: &SignatureAgent) -> Result<Self, WebUrlError> {
        match agent.kind() {
            AgentKind::Jwks => Self::at(agent.url()),
            AgentKind::Directory => Self::of_origin(agent.url()),
            AgentKind::Card => Err(WebUrlError {
                rule: "is that of a card, which tells where the keys are",
            }),
        }
    }

    /// The URL that is fetched.
    pub fn url(&self) -> &WebUrl {
        &self.url
    }

    /// Whether it is at the well-known path, where `kid` is the thumbprint and the media type is set.
    pub fn is_well_known(&self) -> bool {
        self.url.path() == DIRECTORY_PATH
    }

    /// What names it to others: the URL without its query.
    pub fn identifier(&self) -> String {
        self.url.identifier()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_at_a_url_or_at_the_well_known_path_of_an_origin() {
        let well_known = format!("https://bot.example{DIRECTORY_PATH}");
        for (text, at, of_origin) in [
            (
                "https://bot.example",
                Some("https://bot.example/"),
                Some(&*well_known),
            ),
            (
                "https://BOT.example:443/",
                Some("https://bot.example/"),
                Some(&*well_known),
            ),
            (
                "https://bot.example/keys",
                Some("https://bot.example/keys"),
                None,
            ),
            ("https://bot.example/?x", Some("https://bot.example/"), None),
            (&well_known, Some(&*well_known), None),
            ("http://bot.example/", None, None),
            ("https://u@bot.example/", None, None),
            ("https://bot.example/#a", None, None),
            ("data:application/json,{}", None, None),
        ] {
            let name = |url: Result<DirectoryUrl, _>| url.ok().map(|url| url.identifier());
            assert_eq!(name(DirectoryUrl::at(text)).as_deref(), at, "{text}");
            assert_eq!(
                name(DirectoryUrl::of_origin(text)).as_deref(),
                of_origin,
                "{text}"
            );
        }
        let one = DirectoryUrl::at("https://bot.example/a/../keys?v=1").expect("a URL");
        let two = DirectoryUrl::at("https://bot.example/keys?v=2").expect("a URL");
        assert_ne!(one, two, "what is fetched differs");
        assert_eq!(one.identifier(), two.identifier());
    }
}
