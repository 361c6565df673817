//! Which operations a path has (A2A §5.3, §11.3 and the HTTP rules in `a2a.proto`).

use http::Method;

use super::HttpJsonError;
use crate::a2a::{A2aError, percent};

/// A path, taken apart; IDs are still percent-encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Route<'a> {
    SendMessage,
    StreamMessage,
    Tasks,
    Task(&'a str),
    Cancel(&'a str),
    Subscribe(&'a str),
    Configs(&'a str),
    Config(&'a str, &'a str),
    Card,
}

impl<'a> Route<'a> {
    /// The route of a path and the tenant before it.
    ///
    /// A path is read without a tenant first, as the order of the rules in `a2a.proto` has it. A
    /// tenant that is named like a part of a path is therefore written with an escape, and parts
    /// of paths are never escaped.
    pub(super) fn find(path: &'a str) -> Option<(Option<&'a str>, Self)> {
        let path = path.strip_prefix('/')?;
        if let Some(route) = Self::of(path) {
            return Some((None, route));
        }
        let (tenant, path) = path.split_once('/')?;
        let route = Self::of(path).filter(|_| !tenant.is_empty())?;
        Some((Some(tenant), route))
    }

    fn of(path: &'a str) -> Option<Self> {
        match path {
            "message:send" => return Some(Self::SendMessage),
            "message:stream" => return Some(Self::StreamMessage),
            "tasks" => return Some(Self::Tasks),
            "extendedAgentCard" => return Some(Self::Card),
            _ => {}
        }
        let mut parts = path.strip_prefix("tasks/")?.split('/');
        let task = parts.next().filter(|task| !task.is_empty())?;
        let found = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Self::of_task(task)?,
            (Some("pushNotificationConfigs"), None, _) => Self::Configs(task),
            (Some("pushNotificationConfigs"), Some(id), None) if !id.is_empty() => {
                Self::Config(task, id)
            }
            _ => return None,
        };
        Some(found)
    }

    /// A colon in an ID may stand as it is, unless a verb follows it.
    fn of_task(task: &'a str) -> Option<Self> {
        let found = if let Some(id) = task.strip_suffix(":cancel") {
            (id, Self::Cancel(id))
        } else if let Some(id) = task.strip_suffix(":subscribe") {
            (id, Self::Subscribe(id))
        } else {
            (task, Self::Task(task))
        };
        (!found.0.is_empty()).then_some(found.1)
    }

    /// The methods it takes, as in an `Allow` header.
    pub(super) const fn allow(self) -> &'static str {
        match self {
            Self::SendMessage | Self::StreamMessage | Self::Cancel(_) => "POST",
            Self::Tasks | Self::Task(_) | Self::Card => "GET",
            Self::Subscribe(_) | Self::Configs(_) => "GET, POST",
            Self::Config(..) => "GET, DELETE",
        }
    }

    pub(super) fn check_method(self, method: &Method) -> Result<(), HttpJsonError> {
        let allow = self.allow();
        if allow.split(", ").any(|allowed| allowed == method.as_str()) {
            return Ok(());
        }
        Err(HttpJsonError::MethodNotAllowed { allow })
    }
}

/// The text of one part of a path.
pub(super) fn decoded(field: &str, part: &str) -> Result<String, A2aError> {
    let broken = || A2aError::invalid_param(field, "is not percent-encoded UTF-8");
    percent::decode(part).ok_or_else(broken)
}

/// One part of a path.
pub(super) fn push_part(out: &mut String, field: &str, part: &str) -> Result<(), A2aError> {
    match part {
        "" => return Err(A2aError::invalid_param(field, "is required")),
        // RFC 3986 §5.2.4: these two are taken out of a path, escaped or not.
        "." | ".." => {
            let why = "cannot stand in a path, as \".\" and \"..\" cannot";
            return Err(A2aError::invalid_param(field, why));
        }
        _ => {}
    }
    out.push('/');
    // A tenant or an ID that reads like a part of a path.
    if matches!(
        part,
        "tasks" | "extendedAgentCard" | "pushNotificationConfigs"
    ) {
        out.push_str(&format!("%{:02X}", part.as_bytes()[0]));
        out.push_str(&part[1..]);
    } else {
        percent::push_encoded(out, part);
    }
    Ok(())
}
