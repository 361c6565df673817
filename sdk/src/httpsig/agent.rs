//! `Signature-Agent`: where the signer's keys are published (Web Bot Auth).

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};

use super::component::{ComponentId, ComponentParam};
use super::component_name::ComponentName;
use super::error::SignatureError;
use super::fields::{NoValue, combined};
use super::input::{Input, MAX_FIELD, check_size};
use super::member::{Member, find_member};
use super::revision::{Revision, Tolerance, Tolerances};

pub(super) const SIGNATURE_AGENT: &str = "signature-agent";
pub(super) const AGENT: HeaderName = HeaderName::from_static(SIGNATURE_AGENT);

/// The longest URL of a key directory, in bytes.
const MAX_URL: usize = 2048;

/// What the URL in `Signature-Agent` is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AgentKind {
    /// A JWK Set.
    Jwks,
    /// An origin, whose JWK Set is at the well-known place.
    Directory,
    /// A signature agent card.
    Card,
}

/// Who a signature says its signer is: a URL, of which the signature is no proof. Only somebody
/// who found the key there may take it for more.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SignatureAgent {
    url: String,
    kind: AgentKind,
}

impl SignatureAgent {
    /// The URL as it was signed.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What is there.
    pub fn kind(&self) -> AgentKind {
        self.kind
    }

    /// The agent that a signer names in this revision.
    ///
    /// # Errors
    /// [`SignatureError::Agent`] when it is not an https URL,
    /// [`SignatureError::AgentUnresolvable`] when the revision wants an origin and it is none.
    pub fn parse(url: &str, revision: Revision) -> Result<Self, SignatureError> {
        let kind = match revision {
            Revision::Ietf01 => AgentKind::Jwks,
            Revision::Meunier02 => AgentKind::Directory,
            Revision::Legacy if is_origin(url) => AgentKind::Directory,
            Revision::Legacy => AgentKind::Jwks,
        };
        Self::of(url, kind)
    }

    fn of(url: &str, kind: AgentKind) -> Result<Self, SignatureError> {
        check_url(url)?;
        // draft-meunier-webbotauth-httpsig-protocol-02: a directory is named by its origin.
        if kind == AgentKind::Directory && !is_origin(url) {
            return Err(unresolvable("a directory is named by its origin alone"));
        }
        let url = url.to_owned();
        Ok(Self { url, kind })
    }
}

/// The agent that the signature vouches for; `None` when there is none and that is tolerated.
pub(super) fn covered_agent(
    headers: &HeaderMap,
    input: &Input<'_>,
    revision: Revision,
    tolerances: Tolerances,
) -> Result<Option<SignatureAgent>, SignatureError> {
    let covered = covered_by(input)?;
    let field = match combined(headers, AGENT) {
        Ok(field) => field,
        Err(NoValue::Absent) if covered.any() => return Err(broken("the field is missing")),
        Err(NoValue::Absent) if tolerances.has(Tolerance::NoSignatureAgent) => return Ok(None),
        Err(NoValue::Absent) => return Err(SignatureError::AgentMissing),
        Err(_) => return Err(broken("the field is not ASCII")),
    };
    check_size("bytes of Signature-Agent", field.len(), MAX_FIELD)?;
    if covered.whole {
        let bare = revision == Revision::Legacy || tolerances.has(Tolerance::BareSignatureAgent);
        if bare && covered.own.is_none() && covered.other.is_none() {
            let url = bare_string(&field)?;
            return SignatureAgent::parse(&url, Revision::Legacy).map(Some);
        }
        return Err(missing("\"signature-agent\";key=<label>"));
    }
    if revision == Revision::Legacy {
        return Err(missing("\"signature-agent\""));
    }
    let key = match (covered.own, covered.other) {
        // Web Bot Auth: a signature's own member has the signature's label.
        (Some(own), _) => own,
        (None, Some(other)) if tolerances.has(Tolerance::ForeignMember) => other,
        _ => return Err(missing("\"signature-agent\";key=<label>")),
    };
    member(&field, key, revision, tolerances).map(Some)
}

/// How a signature covers `signature-agent`.
struct CoveredAgent<'a> {
    /// The whole field.
    whole: bool,
    /// The member under the signature's label.
    own: Option<&'a str>,
    /// Another member.
    other: Option<&'a str>,
}

impl CoveredAgent<'_> {
    const fn any(&self) -> bool {
        self.whole || self.own.is_some() || self.other.is_some()
    }
}

fn covered_by<'a>(input: &'a Input<'_>) -> Result<CoveredAgent<'a>, SignatureError> {
    let mut covered = CoveredAgent {
        whole: false,
        own: None,
        other: None,
    };
    for component in input.components.iter().filter(|id| is_agent(id)) {
        match component.params() {
            [] => covered.whole = true,
            [ComponentParam::Key(key)] if key == input.label => covered.own = Some(key),
            [ComponentParam::Key(key)] => covered.other = Some(key),
            _ => return Err(missing("\"signature-agent\";key=<label>")),
        }
    }
    Ok(covered)
}

fn is_agent(id: &ComponentId<'_>) -> bool {
    matches!(id.name(), ComponentName::Field(name) if name == SIGNATURE_AGENT)
}

fn member(
    field: &[u8],
    key: &str,
    revision: Revision,
    tolerances: Tolerances,
) -> Result<SignatureAgent, SignatureError> {
    match find_member(field, key) {
        Some(Member::Text { text, bare: true }) => SignatureAgent::parse(text.as_str(), revision),
        Some(Member::Text { text, bare: false }) => {
            if revision == Revision::Ietf01 && !tolerances.has(Tolerance::AgentParameters) {
                // draft-ietf-webbotauth-httpsig-protocol-01: such a member is as good as absent.
                return Err(broken("the member has parameters"));
            }
            SignatureAgent::of(text.as_str(), kind_of(field, key, revision)?)
        }
        Some(Member::Other) => Err(broken("the member is not a string")),
        Some(Member::Absent) => Err(broken("there is no member under the label")),
        None => Err(broken("the field is not a dictionary")),
    }
}

/// What the parameter `type` of the member says.
fn kind_of(field: &[u8], key: &str, revision: Revision) -> Result<AgentKind, SignatureError> {
    let dictionary: Dictionary = Parser::new(field)
        .parse()
        .map_err(|_| broken("the field is not a dictionary"))?;
    let Some(ListEntry::Item(item)) = dictionary.get(key) else {
        return Err(broken("the member is not a string"));
    };
    match item.params.get("type") {
        None if revision == Revision::Meunier02 => Ok(AgentKind::Directory),
        None => Ok(AgentKind::Jwks),
        Some(BareItem::Token(kind)) => match kind.as_str() {
            "directory" => Ok(AgentKind::Directory),
            "jwks_uri" => Ok(AgentKind::Jwks),
            "cimd" => Ok(AgentKind::Card),
            _ => Err(unresolvable("the type is not known")),
        },
        Some(_) => Err(broken("the type is not a token")),
    }
}

fn bare_string(field: &[u8]) -> Result<String, SignatureError> {
    let item: Option<Item> = Parser::new(field).parse().ok();
    match item.map(|item| item.bare_item) {
        Some(BareItem::String(text)) => Ok(text.into()),
        _ => Err(broken("the field is not a string")),
    }
}

/// An absolute https URL with a host, without user and fragment.
pub(super) fn check_url(url: &str) -> Result<(), SignatureError> {
    check_size("bytes of a key directory's URL", url.len(), MAX_URL)?;
    let rest = url
        .strip_prefix("https://")
        .ok_or_else(|| broken("the URL is not https"))?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty()
        || host.starts_with(':')
        || host.contains('@')
        || url
            .bytes()
            .fold(false, |stray, byte| stray | is_stray(byte))
    {
        return Err(broken(
            "the URL has no host, or a user, a fragment or stray characters",
        ));
    }
    Ok(())
}

/// Whether nothing follows the authority but, perhaps, one slash.
fn is_origin(url: &str) -> bool {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    !rest.contains(['/', '?', '#'])
}

/// RFC 3986 §2: what a URL may not hold.
fn is_stray(byte: u8) -> bool {
    // Without a branch, so that many bytes are looked at at a time.
    let outside = !matches!(byte, b'!'..=b'~');
    let quotes = (byte == b'"') | (byte == b'`') | (byte == b'\\');
    let brackets = (byte == b'<') | (byte == b'>') | (byte == b'{') | (byte == b'}');
    outside | quotes | brackets | (byte == b'^') | (byte == b'|') | (byte == b'#')
}

const fn broken(rule: &'static str) -> SignatureError {
    SignatureError::Agent { rule }
}

const fn unresolvable(rule: &'static str) -> SignatureError {
    SignatureError::AgentUnresolvable { rule }
}

const fn missing(component: &'static str) -> SignatureError {
    SignatureError::ComponentMissing {
        component: std::borrow::Cow::Borrowed(component),
    }
}
