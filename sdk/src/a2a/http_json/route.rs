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

/// Whether a path of an operation begins with a tenant.
pub(in crate::a2a) fn names_tenant(path: &str) -> bool {
    Route::find(path).is_some_and(|(tenant, _)| tenant.is_some())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_the_protocol_is_found() {
        for (path, route) in [
            ("/message:send", Route::SendMessage),
            ("/message:stream", Route::StreamMessage),
            ("/tasks", Route::Tasks),
            ("/tasks/t", Route::Task("t")),
            ("/tasks/urn:x:y", Route::Task("urn:x:y")),
            ("/tasks/a%2Fb", Route::Task("a%2Fb")),
            ("/tasks/t%3Acancel", Route::Task("t%3Acancel")),
            ("/tasks/t:cancel", Route::Cancel("t")),
            ("/tasks/urn:x:cancel", Route::Cancel("urn:x")),
            ("/tasks/t:subscribe", Route::Subscribe("t")),
            ("/tasks/t/pushNotificationConfigs", Route::Configs("t")),
            (
                "/tasks/t/pushNotificationConfigs/c",
                Route::Config("t", "c"),
            ),
            ("/extendedAgentCard", Route::Card),
        ] {
            assert_eq!(Route::find(path), Some((None, route)), "{path}");
            for tenant in ["acme", "a%2Fb", "%74asks", "v1"] {
                let path = format!("/{tenant}{path}");
                assert_eq!(Route::find(&path), Some((Some(tenant), route)), "{path}");
            }
        }
    }

    #[test]
    fn what_reads_both_ways_has_no_tenant() {
        assert_eq!(
            Route::find("/tasks/tasks"),
            Some((None, Route::Task("tasks")))
        );
        let configs = "/tasks/tasks/pushNotificationConfigs";
        assert_eq!(Route::find(configs), Some((None, Route::Configs("tasks"))));
        let only = "/tasks/extendedAgentCard";
        assert_eq!(
            Route::find(only),
            Some((None, Route::Task("extendedAgentCard")))
        );
    }

    #[test]
    fn no_other_path_is_found() {
        for path in [
            "",
            "/",
            "//",
            "tasks",
            "/task",
            "/Tasks",
            "/tasks/",
            "/tasks//",
            "/tasks/t/",
            "/tasks/:cancel",
            "/tasks/t/x",
            "/tasks/t/pushNotificationConfigs/",
            "/tasks/t/pushNotificationConfigs/c/",
            "/tasks/t/pushNotificationConfigs/c/d",
            "/tasks//pushNotificationConfigs",
            "/message:send/",
            "/message%3Asend",
            "/message",
            "/message:drop",
            "//tasks",
            "/a/b/tasks",
            "/%74asks",
            "/extendedAgentCard/x",
        ] {
            assert_eq!(Route::find(path), None, "{path}");
        }
    }

    #[test]
    fn every_path_takes_its_methods_only() {
        let methods = [
            Method::GET,
            Method::POST,
            Method::DELETE,
            Method::PUT,
            Method::PATCH,
            Method::HEAD,
            Method::OPTIONS,
            Method::from_bytes(b"get").expect("a method"),
        ];
        for (path, takes) in [
            ("/message:send", &["POST"][..]),
            ("/message:stream", &["POST"]),
            ("/tasks", &["GET"]),
            ("/tasks/t", &["GET"]),
            ("/tasks/t:cancel", &["POST"]),
            ("/tasks/t:subscribe", &["GET", "POST"]),
            ("/tasks/t/pushNotificationConfigs", &["GET", "POST"]),
            ("/tasks/t/pushNotificationConfigs/c", &["GET", "DELETE"]),
            ("/extendedAgentCard", &["GET"]),
        ] {
            let (_, route) = Route::find(path).expect(path);
            for method in &methods {
                let checked = route.check_method(method);
                if takes.contains(&method.as_str()) {
                    assert_eq!(checked, Ok(()), "{method} {path}");
                    continue;
                }
                let error = checked.expect_err("refused");
                assert_eq!(error.allow(), Some(&*takes.join(", ")), "{method} {path}");
                assert_eq!(error.status(), 405);
            }
        }
    }
}
