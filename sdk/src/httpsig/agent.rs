//! `Signature-Agent`: where the signer's keys are published (Web Bot Auth).

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Item, Parser};

use super::component::{ComponentId, ComponentParam};
use super::component_name::ComponentName;
use super::error::SignatureError;
use super::fields::{NoValue, combined};
use super::input::{Input, MAX_FIELD, check_size};
use super::member::{Member, find_member};
use super::rules::Agent;

pub(super) const SIGNATURE_AGENT: &str = "signature-agent";
pub(super) const AGENT: HeaderName = HeaderName::from_static(SIGNATURE_AGENT);

/// The longest URL of a key directory, in bytes.
const MAX_URL: usize = 2048;

/// The URL that the signature vouches for, as far as the profile asks for one.
pub(super) fn covered_agent(
    headers: &HeaderMap,
    input: &Input<'_>,
    rule: Agent,
) -> Result<Option<String>, SignatureError> {
    if rule == Agent::Any {
        return Ok(None);
    }
    let field = match combined(headers, AGENT) {
        Ok(field) => field,
        Err(NoValue::Absent) if rule == Agent::Earlier => return Ok(None),
        Err(NoValue::Absent) => return Err(broken("the field is missing")),
        Err(_) => return Err(broken("the field is not ASCII")),
    };
    check_size("bytes of Signature-Agent", field.len(), MAX_FIELD)?;
    let mut components = input.components.iter().filter(|id| is_agent(id));
    let (Some(component), None) = (components.next(), components.next()) else {
        return Err(SignatureError::ComponentMissing {
            component: "\"signature-agent\" of this signature, once",
        });
    };
    let url = match component.params() {
        // Web Bot Auth: a signature's own member has the signature's label.
        [ComponentParam::Key(key)] if rule == Agent::Earlier || key == input.label => {
            member(&field, key)?
        }
        [] if rule == Agent::Earlier => bare(&field)?,
        _ => {
            return Err(SignatureError::ComponentMissing {
                component: "\"signature-agent\";key=<label>",
            });
        }
    };
    check_url(&url)?;
    Ok(Some(url))
}

fn is_agent(id: &ComponentId<'_>) -> bool {
    matches!(id.name(), ComponentName::Field(name) if name == SIGNATURE_AGENT)
}

fn member(field: &[u8], key: &str) -> Result<String, SignatureError> {
    match find_member(field, key) {
        Some(Member::Text { text, .. }) => Ok(text.as_str().to_owned()),
        Some(Member::Other) => Err(broken("the member is not a string")),
        Some(Member::Absent) => Err(broken("there is no member under the label")),
        None => Err(broken("the field is not a dictionary")),
    }
}

fn bare(field: &[u8]) -> Result<String, SignatureError> {
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
