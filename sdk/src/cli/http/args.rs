//! What several commands are told.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::files;
use super::message::Message;
use super::parse::parse;
use crate::cli::outcome::Stop;
use crate::clock::{Clock as _, SystemClock, UnixTime};
use crate::httpsig::{ComponentId, FieldType, HttpAlgorithm, Revision, Scheme, Tolerance};

/// The message to work on.
#[derive(Args, Debug)]
pub(super) struct MessageArgs {
    /// A raw HTTP/1.1 message: start line, fields, an empty line, body; `-` is standard input.
    #[arg(value_name = "FILE")]
    message: PathBuf,
    /// The request that the message answers, when it is a response.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// The scheme of a request whose target does not say it.
    #[arg(long, value_name = "SCHEME", default_value = "https")]
    scheme: SchemeName,
    /// The type of a structured field that is not in the registry, for `sf`: `x-list=list`,
    /// `item` or `dictionary`.
    #[arg(long = "field-type", value_name = "NAME=TYPE", value_parser = field_type)]
    types: Vec<(String, FieldType)>,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum SchemeName {
    Http,
    Https,
}

/// A message, and the request that it answers.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) message: Message,
    pub(super) request: Option<Message>,
    types: Vec<(String, FieldType)>,
}

impl Loaded {
    /// The types of fields, to be lent to a view.
    pub(super) fn types(&self) -> Vec<(&str, FieldType)> {
        let types = self.types.iter();
        types.map(|(name, of)| (name.as_str(), *of)).collect()
    }
}

impl MessageArgs {
    pub(super) fn load(&self) -> Result<Loaded, Stop> {
        let load = |path: &PathBuf| {
            let bytes = files::read(path, files::MAX_MESSAGE)?;
            let scheme = match self.scheme {
                SchemeName::Http => Scheme::Http,
                SchemeName::Https => Scheme::Https,
            };
            parse(&bytes, scheme).map_err(|error| {
                Stop::failed(
                    "http.message",
                    format!("{}: {error}", path.display()),
                    "a message is start line, fields, an empty line and body, with CRLF or LF",
                )
            })
        };
        let wrong = |what, advice| Err(Stop::usage(what, advice));
        let stdin = PathBuf::from("-");
        if self.message == stdin && self.request.as_ref() == Some(&stdin) {
            return wrong(
                "two messages on standard input",
                "name a file for one of them",
            );
        }
        let message = load(&self.message)?;
        if self.request.is_some() && !message.is_response() {
            return wrong(
                "--request with a message that is a request",
                "--request is for responses: the request that they answer",
            );
        }
        let request = self.request.as_ref().map(load).transpose()?;
        if request.as_ref().is_some_and(Message::is_response) {
            return wrong(
                "--request is itself a response",
                "give the request that the message answers",
            );
        }
        Ok(Loaded {
            message,
            request,
            types: self.types.clone(),
        })
    }
}

/// What time it is.
#[derive(Args, Debug)]
pub(super) struct ClockArgs {
    /// The time to go by, in seconds since 1970; by default the system's clock.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..1_000_000_000_000))]
    now: Option<u64>,
}

impl ClockArgs {
    pub(super) fn now(&self) -> UnixTime {
        self.now
            .map_or_else(|| SystemClock.now(), UnixTime::from_secs)
    }
}

/// A profile, as it is named in arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ProfileName {
    A2a,
    WebBotAuth(Revision),
    Wimse,
    Rfc9421,
}

impl ProfileName {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::A2a => "a2a",
            Self::WebBotAuth(Revision::Ietf01) => "web-bot-auth:ietf-01",
            Self::WebBotAuth(Revision::Meunier02) => "web-bot-auth:meunier-02",
            Self::WebBotAuth(Revision::Legacy) => "web-bot-auth:legacy",
            Self::Wimse => "wimse",
            Self::Rfc9421 => "rfc9421",
        }
    }
}

pub(super) fn profile_name(text: &str) -> Result<ProfileName, String> {
    Ok(match text {
        "a2a" => ProfileName::A2a,
        "web-bot-auth" | "web-bot-auth:ietf-01" => ProfileName::WebBotAuth(Revision::Ietf01),
        "web-bot-auth:meunier-02" => ProfileName::WebBotAuth(Revision::Meunier02),
        "web-bot-auth:legacy" => ProfileName::WebBotAuth(Revision::Legacy),
        "wimse" => ProfileName::Wimse,
        "rfc9421" => ProfileName::Rfc9421,
        _ => {
            return Err(
                "it is a2a, web-bot-auth, web-bot-auth:ietf-01, web-bot-auth:meunier-02, \
                 web-bot-auth:legacy, wimse or rfc9421"
                    .to_owned(),
            );
        }
    })
}

pub(super) fn algorithm(text: &str) -> Result<HttpAlgorithm, String> {
    HttpAlgorithm::from_name(text).ok_or_else(|| {
        let names = HttpAlgorithm::ALL.map(HttpAlgorithm::name);
        format!("it is one of {}", names.join(", "))
    })
}

/// `"@query-param";name="a"` as it stands in `Signature-Input`, or without the quotes around the
/// name, which shells take away.
pub(super) fn component(text: &str) -> Result<ComponentId<'static>, String> {
    let text = match text.starts_with('"') {
        true => text.to_owned(),
        false => {
            let (name, params) = text.split_at(text.find(';').unwrap_or(text.len()));
            format!("\"{name}\"{params}")
        }
    };
    let id = ComponentId::parse(&text).map(ComponentId::into_owned);
    id.map_err(|error| error.to_string())
}

fn field_type(text: &str) -> Result<(String, FieldType), String> {
    let wrong = || "it is NAME=item, NAME=list or NAME=dictionary".to_owned();
    let (name, of) = text.split_once('=').ok_or_else(wrong)?;
    let of = match of {
        "item" => FieldType::Item,
        "list" => FieldType::List,
        "dictionary" => FieldType::Dictionary,
        _ => return Err(wrong()),
    };
    Ok((name.to_ascii_lowercase(), of))
}

pub(super) fn tolerance(text: &str) -> Result<Tolerance, String> {
    Ok(match text {
        "bare-signature-agent" => Tolerance::BareSignatureAgent,
        "foreign-member" => Tolerance::ForeignMember,
        "agent-parameters" => Tolerance::AgentParameters,
        "no-signature-agent" => Tolerance::NoSignatureAgent,
        "long-life" => Tolerance::LongLife,
        _ => {
            return Err(
                "it is bare-signature-agent, foreign-member, agent-parameters, \
                 no-signature-agent or long-life"
                    .to_owned(),
            );
        }
    })
}
