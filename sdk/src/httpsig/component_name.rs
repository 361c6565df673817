//! Names of components (RFC 9421 §2.1, §2.2).

use std::borrow::Cow;

/// The rule an identifier breaks.
pub(super) type Fault = &'static str;

/// What a component is taken from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ComponentName<'a> {
    /// `@method` (RFC 9421 §2.2.1).
    Method,
    /// `@target-uri` (§2.2.2).
    TargetUri,
    /// `@authority` (§2.2.3).
    Authority,
    /// `@scheme` (§2.2.4).
    Scheme,
    /// `@request-target` (§2.2.5).
    RequestTarget,
    /// `@path` (§2.2.6).
    Path,
    /// `@query` (§2.2.7).
    Query,
    /// `@query-param` (§2.2.8).
    QueryParam,
    /// `@status` (§2.2.9), of responses.
    Status,
    /// A field, by its name in lower case (§2.1).
    Field(Cow<'a, str>),
}

impl<'a> ComponentName<'a> {
    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Method => "@method",
            Self::TargetUri => "@target-uri",
            Self::Authority => "@authority",
            Self::Scheme => "@scheme",
            Self::RequestTarget => "@request-target",
            Self::Path => "@path",
            Self::Query => "@query",
            Self::QueryParam => "@query-param",
            Self::Status => "@status",
            Self::Field(name) => name,
        }
    }

    pub(super) fn new(name: Cow<'a, str>) -> Result<Self, Fault> {
        Ok(match name.as_ref() {
            "@method" => Self::Method,
            "@target-uri" => Self::TargetUri,
            "@authority" => Self::Authority,
            "@scheme" => Self::Scheme,
            "@request-target" => Self::RequestTarget,
            "@path" => Self::Path,
            "@query" => Self::Query,
            "@query-param" => Self::QueryParam,
            "@status" => Self::Status,
            other if is_lower_token(other) => Self::Field(name),
            // RFC 9421 §2.1: field names in lower case; §2.2: @-names are never fields.
            other if is_lower_token(&other.to_ascii_lowercase()) => {
                return Err("field names are written in lower case");
            }
            _ => return Err("there is no such component"),
        })
    }

    pub(super) fn into_owned(self) -> ComponentName<'static> {
        match self {
            Self::Field(name) => ComponentName::Field(Cow::Owned(name.into_owned())),
            Self::Method => ComponentName::Method,
            Self::TargetUri => ComponentName::TargetUri,
            Self::Authority => ComponentName::Authority,
            Self::Scheme => ComponentName::Scheme,
            Self::RequestTarget => ComponentName::RequestTarget,
            Self::Path => ComponentName::Path,
            Self::Query => ComponentName::Query,
            Self::QueryParam => ComponentName::QueryParam,
            Self::Status => ComponentName::Status,
        }
    }
}

fn is_lower_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| LOWER_TOKEN[usize::from(byte)])
}

/// RFC 9110 §5.6.2, without upper case.
const LOWER_TOKEN: [bool; 256] = table(b"abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~");

/// Which bytes are among `allowed`.
const fn table(allowed: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < allowed.len() {
        table[allowed[at] as usize] = true;
        at += 1;
    }
    table
}
