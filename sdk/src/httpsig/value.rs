//! The value of each component (RFC 9421 §2).

use http::HeaderMap;

use super::component::{ComponentId, ComponentParam};
use super::component_name::ComponentName;
use super::error::SignatureError;
use super::fields::{NoValue, combined, write_binary, write_member, write_strict};
use super::query::write_param;
use super::view::{Kind, MessageView, RequestView};

impl MessageView<'_> {
    /// The value of a component (RFC 9421 §2).
    ///
    /// # Errors
    /// [`SignatureError`] when the message has no single value for it, the identifier cannot be
    /// used on it, or the value is not ASCII.
    pub fn value(&self, id: &ComponentId<'_>) -> Result<String, SignatureError> {
        let mut out = Vec::new();
        self.write_value(id, &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// Appends the value of a component.
    pub(super) fn write_value(
        &self,
        id: &ComponentId<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SignatureError> {
        if let (Kind::Request(request), true) = (&self.kind, id.params().is_empty()) {
            // The usual case, without a look at parameters.
            return match id.name() {
                ComponentName::Field(name) => {
                    plain(request.headers, name, out).map_err(|no| no.of(id))
                }
                _ => write_derived(request, id, out),
            };
        }
        let refused = |rule| SignatureError::ComponentRefused {
            component: id.to_string(),
            rule,
        };
        let from_request = id.has(&ComponentParam::Req);
        // RFC 9421 §2.4: `req` reaches from a response to its request, and nowhere else.
        let request = match (&self.kind, from_request) {
            (Kind::Request(_), true) => return Err(refused("req stands on responses only")),
            (Kind::Request(request), false) => Some(request),
            (Kind::Response(response), true) => match &response.request {
                Some(request) => Some(request),
                None => return Err(refused("the request is not at hand")),
            },
            (Kind::Response(_), false) => None,
        };
        if let ComponentName::Field(name) = id.name() {
            let (headers, trailers) = match (&self.kind, request) {
                (_, Some(request)) => (request.headers, request.trailers),
                (Kind::Response(r), None) => (r.headers, r.trailers),
                (Kind::Request(r), None) => (r.headers, r.trailers),
            };
            return self.write_field(id, name, headers, trailers, out);
        }
        if id.params().iter().any(|p| match p {
            ComponentParam::Req => false,
            ComponentParam::Name(_) => *id.name() != ComponentName::QueryParam,
            _ => true,
        }) {
            return Err(refused("derived components do not take this parameter"));
        }
        match (&self.kind, id.name(), request) {
            (Kind::Response(response), ComponentName::Status, None) => {
                out.extend_from_slice(response.status.as_str().as_bytes());
                Ok(())
            }
            (_, ComponentName::Status, _) => Err(refused("only responses have a status")),
            (_, _, Some(request)) => write_derived(request, id, out),
            (_, _, None) => Err(refused("a response has it of its request only, with req")),
        }
    }

    fn write_field(
        &self,
        id: &ComponentId<'_>,
        name: &str,
        headers: &HeaderMap,
        trailers: Option<&HeaderMap>,
        out: &mut Vec<u8>,
    ) -> Result<(), SignatureError> {
        let (sf, bs) = (id.has(&ComponentParam::Sf), id.has(&ComponentParam::Bs));
        let written = if id.query_name().is_some() {
            Err(NoValue::Refused("name belongs to @query-param"))
        } else {
            // §2.1.4: trailers are never merged with the header section.
            let from = if id.has(&ComponentParam::Tr) {
                trailers
            } else {
                Some(headers)
            };
            match (from, id.key(), sf, bs) {
                // §2.1.3: what is wrapped as bytes has no structure left.
                (_, Some(_), _, true) | (_, _, true, true) => {
                    Err(NoValue::Refused("bs goes with neither sf nor key"))
                }
                (None, ..) => Err(NoValue::Absent),
                (Some(from), Some(key), _, false) => write_member(from, name, key, out),
                (Some(from), None, true, false) => write_strict(from, name, self.types, out),
                (Some(from), None, false, true) => write_binary(from, name, out),
                (Some(from), None, false, false) => plain(from, name, out),
            }
        };
        written.map_err(|no| no.of(id))
    }
}

impl NoValue {
    fn of(self, id: &ComponentId<'_>) -> SignatureError {
        let component = id.to_string();
        match self {
            Self::Absent => SignatureError::ComponentAbsent { component },
            Self::NotAscii => SignatureError::NotAscii { component },
            Self::Refused(rule) => SignatureError::ComponentRefused { component, rule },
        }
    }
}

fn plain(fields: &HeaderMap, name: &str, out: &mut Vec<u8>) -> Result<(), NoValue> {
    combined(fields, name).map(|value| out.extend_from_slice(&value))
}

fn write_derived(
    request: &RequestView<'_>,
    id: &ComponentId<'_>,
    out: &mut Vec<u8>,
) -> Result<(), SignatureError> {
    let start = out.len();
    match id.name() {
        // §2.2.1: methods are case-sensitive.
        ComponentName::Method => out.extend_from_slice(request.method.as_str().as_bytes()),
        ComponentName::TargetUri => request.write_target_uri(out)?,
        ComponentName::Authority => return request.origin.write_authority(out),
        ComponentName::Scheme => {
            out.extend_from_slice(request.origin.scheme.as_str().as_bytes());
        }
        ComponentName::RequestTarget => request.write_request_target(out)?,
        ComponentName::Path => out.extend_from_slice(request.path().as_bytes()),
        ComponentName::Query => request.write_query(out),
        ComponentName::QueryParam => {
            let component = || id.to_string();
            let name = id
                .query_name()
                .ok_or_else(|| SignatureError::ComponentRefused {
                    component: component(),
                    rule: "@query-param needs a name",
                })?;
            write_param(request.uri.query().unwrap_or_default(), name, out).ok_or_else(|| {
                SignatureError::ComponentAbsent {
                    component: component(),
                }
            })?;
        }
        ComponentName::Status | ComponentName::Field(_) => {
            return Err(SignatureError::ComponentRefused {
                component: id.to_string(),
                rule: "it is not derived from a request",
            });
        }
    }
    if out[start..].is_ascii() {
        Ok(())
    } else {
        Err(SignatureError::NotAscii {
            component: id.to_string(),
        })
    }
}
