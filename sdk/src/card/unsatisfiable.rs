//! Why no call fits what a card demands.

use std::fmt;

use super::Protocol;
use crate::id::SpiffeId;

/// Something that is asked for and not held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missing {
    /// A client certificate.
    Certificate,
    /// A token of this issuer.
    Issuer(String),
    /// A token of an issuer that the card does not name.
    UnnamedIssuer,
    /// This scope.
    Scope(String),
    /// A second token, of this issuer: one call carries one.
    SecondToken(String),
    /// A second value of the header `Authorization`: one call carries one.
    SecondAuthorization,
    /// An API key that would have to stand where a proof or the protocol's own field stands.
    ApiKeyPlace(String),
    /// A flow of OAuth 2.0 that is not supported.
    Flow,
    /// An API key of this name.
    ApiKey(String),
    /// HTTP authentication of this scheme.
    HttpAuth(String),
    /// A scheme of a kind we do not know.
    UnknownScheme,
    /// The card requires a scheme that it does not define.
    UndefinedScheme,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate => f.write_str("no client certificate is held"),
            Self::Issuer(issuer) => write!(f, "no token of {issuer:?} can be got"),
            Self::UnnamedIssuer => f.write_str("the card does not name the issuer of its tokens"),
            Self::Scope(scope) => write!(f, "the scope {scope:?} is not held"),
            Self::SecondToken(issuer) => {
                write!(
                    f,
                    "a second token, of {issuer:?}, does not fit into one call"
                )
            }
            Self::SecondAuthorization => {
                f.write_str("a second Authorization does not fit into one call")
            }
            Self::ApiKeyPlace(place) => write!(f, "no API key can be put at {place:?}"),
            Self::Flow => f.write_str("its OAuth flow is not supported"),
            Self::ApiKey(name) => write!(f, "no API key {name:?} is held"),
            Self::HttpAuth(scheme) => write!(f, "no credentials for HTTP {scheme:?} are held"),
            Self::UnknownScheme => f.write_str("its kind of scheme is unknown"),
            Self::UndefinedScheme => f.write_str("the card does not define it"),
        }
    }
}

/// One requirement of the card, and what of it is not held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alternative {
    /// The skill that demands it; none when it is the agent's own demand.
    pub skill: Option<String>,
    /// The names of the schemes that must all be met.
    pub schemes: Vec<String>,
    /// What is missing, each with the scheme that asks for it.
    pub missing: Vec<(String, Missing)>,
}

/// No way to call the agent as its card demands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsatisfiable {
    /// Whose card it is.
    pub agent: SpiffeId,
    /// Every alternative the card gives; empty when it is the interfaces that do not fit.
    pub alternatives: Vec<Alternative>,
    /// The interfaces the card gives, as `binding version url`.
    pub interfaces: Vec<String>,
    /// What was looked for among them.
    pub spoken: Vec<Protocol>,
    /// The first that would fit, were it on the origin that calls may go to.
    pub elsewhere: Option<String>,
}

impl Unsatisfiable {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        if self.alternatives.is_empty() {
            "card.no_interface"
        } else {
            "card.unsatisfiable"
        }
    }
}

impl fmt::Display for Unsatisfiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.alternatives.is_empty() {
            let offered = self.interfaces.join(", ");
            let agent = &self.agent;
            let spoken: Vec<_> = self.spoken.iter().map(Protocol::to_string).collect();
            let spoken = spoken.join(", ");
            return write!(
                f,
                "{agent} has no interface for [{spoken}] over https; it offers [{offered}]"
            );
        }
        write!(f, "{} asks for what is not held:", self.agent)?;
        for (at, alternative) in self.alternatives.iter().enumerate() {
            let separator = if at == 0 { "" } else { ";" };
            let schemes = alternative.schemes.join(" and ");
            let of = match &alternative.skill {
                Some(skill) => format!(" of the skill {skill:?}"),
                None => String::new(),
            };
            write!(f, "{separator} option {}{of} ({schemes}):", at + 1)?;
            for (at, (scheme, missing)) in alternative.missing.iter().enumerate() {
                let separator = if at == 0 { "" } else { "," };
                write!(f, "{separator} {scheme}: {missing}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Unsatisfiable {}
