//! Errors that a peer sent, read whatever form it gave them (A2A §9.5, §11.6).
//!
//! Peers of earlier drafts answer with other statuses and other bodies; the bodies are bounded and
//! never fail to read.

use serde_json::Value;

use super::error::{BAD_REQUEST, DOMAIN, ERROR_INFO};
use super::{A2aError, ErrorKind, FieldViolation};

/// Characters of a peer's text that are kept.
const TEXT_MAX: usize = 1024;
/// Details, metadata members and violations of a peer's error that are kept.
pub(super) const LIST_MAX: usize = 32;

impl A2aError {
    /// Reads the `error` member of a JSON-RPC response.
    ///
    /// # Errors
    /// `None` when it is no error object: no whole `code`, or no text `message`.
    pub fn from_json_rpc(error: &Value) -> Option<Self> {
        let code = error.get("code")?.as_i64()?;
        let message = error.get("message")?.as_str()?;
        let mut out = Self::new(ErrorKind::from_code(code), cut(message));
        // A code of the peer's own may still be explained by a reason that we know.
        if let ErrorKind::Foreign { .. } = out.kind
            && let Some(kind) = error.get("data").and_then(kind_of_details)
        {
            out.kind = kind;
        }
        out.read_details(error.get("data"));
        Some(out)
    }

    /// Reads the body of an HTTP+JSON answer with an error status: `google.rpc.Status`, or the
    /// problem document (RFC 9457) of earlier drafts. Any other body gives the kind that fits the
    /// status.
    pub fn from_http_json(status: u16, body: Option<&Value>) -> Self {
        let Some(body) = body.filter(|body| body.is_object()) else {
            return Self::of_status(status, None);
        };
        let error = body.get("error").unwrap_or(body);
        let ours = error.is_object()
            && ["code", "title", "detail"]
                .iter()
                .any(|n| error.get(n).is_some());
        let names = ["message", "detail", "title"];
        let mut texts = names.iter().filter_map(|name| error.get(name)?.as_str());
        let mut out = Self::of_status(status, texts.next());
        if let Some(kind) = kind_of_body(error) {
            out.kind = kind;
        } else if let Some(kind) = ErrorKind::from_earlier_status(status).filter(|_| ours) {
            out.kind = kind;
        }
        out.read_details(error.get("details"));
        out.read_problem(error);
        out
    }

    fn of_status(status: u16, message: Option<&str>) -> Self {
        let message = message.map_or_else(|| format!("HTTP status {status}"), cut);
        Self::new(ErrorKind::from_http_status(status), message)
    }

    /// `google.rpc` details, in a list or alone.
    pub(super) fn read_details(&mut self, details: Option<&Value>) {
        for detail in listed(details) {
            match detail.get("@type").and_then(Value::as_str) {
                Some(ERROR_INFO) => {
                    let members = detail.get("metadata").and_then(Value::as_object);
                    for (name, value) in members.into_iter().flatten().take(LIST_MAX) {
                        if let Some(text) = value.as_str() {
                            self.metadata.insert(cut(name), cut(text));
                        }
                    }
                }
                Some(BAD_REQUEST) => {
                    let names = ["fieldViolations", "field_violations"];
                    let found = names.iter().find_map(|name| detail.get(name));
                    self.read_violations(found, "description");
                }
                _ => {}
            }
        }
    }

    /// Members of a problem document.
    fn read_problem(&mut self, problem: &Value) {
        self.read_violations(problem.get("errors"), "message");
        let versions = listed(problem.get("supportedVersions")).filter_map(Value::as_str);
        let versions: Vec<_> = versions.map(cut).collect();
        if !versions.is_empty() {
            self.metadata
                .insert("supportedVersions".into(), versions.join(", "));
        }
    }

    fn read_violations(&mut self, found: Option<&Value>, description: &str) {
        let text = |v: &Value, name: &str| cut(v.get(name).and_then(Value::as_str).unwrap_or(""));
        let read = listed(found).map(|v| FieldViolation {
            field: text(v, "field"),
            description: text(v, description),
        });
        let room = LIST_MAX.saturating_sub(self.violations.len());
        self.violations.extend(read.take(room));
    }
}

/// The elements of a list, or the one value that stands in its place; bounded.
fn listed(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let list = match value {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    list.iter().take(LIST_MAX)
}

/// The kind that a body names itself: by its details, the type of its problem, or a JSON-RPC code.
fn kind_of_body(error: &Value) -> Option<ErrorKind> {
    let by_details = error.get("details").and_then(kind_of_details);
    by_details
        .or_else(|| kind_of_problem(error.get("type")?.as_str()?))
        .or_else(|| {
            let code = error.get("code")?.as_i64().filter(|code| *code < 0)?;
            Some(ErrorKind::from_code(code))
        })
}

fn kind_of_details(details: &Value) -> Option<ErrorKind> {
    let info = listed(Some(details)).find(|detail| {
        let is = |name, want| detail.get(name).and_then(Value::as_str) == Some(want);
        is("@type", ERROR_INFO) && is("domain", DOMAIN)
    })?;
    ErrorKind::from_name(info.get("reason")?.as_str()?)
}

/// `https://a2a-protocol.org/errors/task-not-found` names `TASK_NOT_FOUND`.
fn kind_of_problem(uri: &str) -> Option<ErrorKind> {
    let (_, name) = uri.rsplit_once('/')?;
    let name = name.strip_suffix("-error").unwrap_or(name);
    if name.len() > 64 {
        return None;
    }
    ErrorKind::from_name(&name.replace('-', "_").to_ascii_uppercase())
}

/// A peer's text, bounded.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_strangers_error_is_bounded_and_never_fails_to_read() {
        let long = "x".repeat(TEXT_MAX + 1);
        let details: Vec<_> = (0..=LIST_MAX)
            .map(|n| json!({"@type": ERROR_INFO, "metadata": {n.to_string(): "v"}}))
            .collect();
        let read =
            A2aError::from_json_rpc(&json!({"code": -32001, "message": long, "data": details}));
        let read = read.expect("an error object");
        assert_eq!(read.message().len(), TEXT_MAX);
        assert_eq!(read.metadata().len(), LIST_MAX);
        let many = vec![json!({"field": "f", "description": "d"}); LIST_MAX + 1];
        let both = json!({"error": {"details": [{"@type": BAD_REQUEST, "fieldViolations": many}],
            "errors": many}});
        let read = A2aError::from_http_json(400, Some(&both));
        assert_eq!(read.violations().len(), LIST_MAX);
        for broken in [json!({}), json!({"code": "1", "message": ""}), json!(null)] {
            assert_eq!(A2aError::from_json_rpc(&broken), None);
        }
    }

    #[test]
    fn a_body_of_no_known_form_gives_what_its_status_says() {
        for (status, body, want) in [
            (400, json!("text"), ErrorKind::InvalidParams),
            (401, json!(null), ErrorKind::Unauthenticated),
            (403, json!([1]), ErrorKind::PermissionDenied),
            (404, json!({"error": "Not Found"}), ErrorKind::TaskNotFound),
            (405, json!(null), ErrorKind::MethodNotFound),
            (
                415,
                json!("Unsupported"),
                ErrorKind::ContentTypeNotSupported,
            ),
            (500, json!({"error": {}}), ErrorKind::Internal),
            // A gateway says so too, and it is no agent.
            (502, json!(null), ErrorKind::Foreign { code: 502 }),
            (
                502,
                json!({"error": "Bad Gateway"}),
                ErrorKind::Foreign { code: 502 },
            ),
            (
                502,
                json!({"message": "Bad Gateway"}),
                ErrorKind::Foreign { code: 502 },
            ),
            (503, json!({"error": 3}), ErrorKind::Foreign { code: 503 }),
        ] {
            let read = A2aError::from_http_json(status, Some(&body));
            assert_eq!(read.kind(), want, "{status} {body}");
        }
        let read = A2aError::from_http_json(503, None);
        assert_eq!(read.message(), "HTTP status 503");
    }

    #[test]
    fn the_statuses_of_earlier_drafts_are_understood() {
        for (status, want) in [
            (409, ErrorKind::TaskNotCancelable),
            (415, ErrorKind::ContentTypeNotSupported),
            (501, ErrorKind::UnsupportedOperation),
            (502, ErrorKind::InvalidAgentResponse),
        ] {
            let body = json!({"error": {"code": status, "message": "no"}});
            let read = A2aError::from_http_json(status, Some(&body));
            assert_eq!((read.kind(), read.message()), (want, "no"), "{status}");
            let body = want_in_details(ErrorKind::VersionNotSupported);
            let read = A2aError::from_http_json(status, Some(&body));
            assert_eq!(read.kind(), ErrorKind::VersionNotSupported, "{status}");
        }
    }

    fn want_in_details(kind: ErrorKind) -> Value {
        json!({"error": {"message": "no", "details": [
            {"@type": ERROR_INFO, "domain": DOMAIN, "reason": kind.name()}]}})
    }

    #[test]
    fn problem_documents_are_read() {
        let version = json!({"type": "https://a2a-protocol.org/errors/version-not-supported",
            "title": "Protocol Version Not Supported", "status": 400, "detail": "not 0.5",
            "supportedVersions": ["0.3", "1.0"]});
        let read = A2aError::from_http_json(400, Some(&version));
        assert_eq!(read.kind(), ErrorKind::VersionNotSupported);
        assert_eq!(read.message(), "not 0.5");
        assert_eq!(read.metadata()["supportedVersions"], "0.3, 1.0");
        let params = json!({"status": 400, "detail": "Invalid parameters",
            "errors": [{"field": "pageSize", "message": "too many"}]});
        let read = A2aError::from_http_json(400, Some(&params));
        assert_eq!(
            read,
            A2aError {
                message: "Invalid parameters".into(),
                ..A2aError::invalid_param("pageSize", "too many")
            }
        );
        let blank = json!({"type": "about:blank", "title": "Conflict"});
        let read = A2aError::from_http_json(409, Some(&blank));
        assert_eq!(
            (read.kind(), read.message()),
            (ErrorKind::TaskNotCancelable, "Conflict")
        );
    }

    #[test]
    fn a_json_rpc_code_is_read_in_a_body_of_http_too() {
        let body = json!({"code": -32002, "message": "ended"});
        for body in [json!({"error": body}), body] {
            let read = A2aError::from_http_json(409, Some(&body));
            assert_eq!(
                (read.kind(), read.message()),
                (ErrorKind::TaskNotCancelable, "ended")
            );
        }
    }

    #[test]
    fn details_explain_a_code_that_is_not_ours_and_never_overrule_one_that_is() {
        let info = |reason: &str| {
            json!({"@type": ERROR_INFO, "domain": DOMAIN, "reason": reason,
            "metadata": {"a": "b"}})
        };
        for (code, data, want) in [
            (
                -31000,
                json!([info("TASK_NOT_FOUND")]),
                ErrorKind::TaskNotFound,
            ),
            (-31000, info("TASK_NOT_FOUND"), ErrorKind::TaskNotFound),
            (
                -31000,
                json!([info("LATER")]),
                ErrorKind::Foreign { code: -31000 },
            ),
            (-31000, json!("text"), ErrorKind::Foreign { code: -31000 }),
            (
                -32002,
                json!([info("TASK_NOT_FOUND")]),
                ErrorKind::TaskNotCancelable,
            ),
        ] {
            let error = json!({"code": code, "message": "no", "data": data});
            let read = A2aError::from_json_rpc(&error).expect("an error object");
            assert_eq!(read.kind(), want, "{error}");
        }
    }

    #[test]
    fn refused_callers_are_told_apart_on_both_bindings() {
        for (kind, status) in [
            (ErrorKind::Unauthenticated, 401),
            (ErrorKind::PermissionDenied, 403),
        ] {
            let error = A2aError::new(kind, "no");
            assert_eq!(kind.http_status(), status);
            let read = A2aError::from_http_json(status, Some(&error.to_http_json()));
            assert_eq!(read, error);
            let response = error.to_json_rpc(&1.into());
            assert_eq!(A2aError::from_json_rpc(&response["error"]), Some(error));
        }
    }
}
