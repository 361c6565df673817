//! A message that both sides are shown: as our types have it, and as JSON.

use countersign::httpsig::{MessageView, Origin, RequestView, ResponseView};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use libtest_mimic::Failed;
use serde_json::{Value, json};

/// Fields in their order, as they stand on the wire.
pub(crate) type Fields = Vec<(String, String)>;

/// A request, or a response and the request that it answers.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) method: String,
    /// Scheme and authority: `https://example.com`.
    pub(crate) origin: String,
    /// Path and query.
    pub(crate) target: String,
    /// The fields of the request.
    pub(crate) fields: Fields,
    pub(crate) response: Option<Response>,
}

/// What makes a message a response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) fields: Fields,
}

impl Message {
    /// The fields of the message itself.
    pub(crate) fn own_fields(&mut self) -> &mut Fields {
        match &mut self.response {
            Some(response) => &mut response.fields,
            None => &mut self.fields,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let request = json!({
            "method": self.method,
            "url": format!("{}{}", self.origin, self.target),
            "target": self.target,
            "headers": self.fields,
        });
        match &self.response {
            Some(response) => json!({
                "status": response.status,
                "headers": response.fields,
                "request": request,
            }),
            None => request,
        }
    }

    /// What `look` makes of the message as a signature sees it.
    pub(crate) fn viewed<T>(&self, look: impl FnOnce(&MessageView<'_>) -> T) -> Result<T, Failed> {
        let parts = self.parts()?;
        let origin: Origin = self.origin.parse()?;
        let request = RequestView::new(&parts, &origin);
        let Some(response) = &self.response else {
            return Ok(look(&request.into()));
        };
        let fields = map_of(&response.fields)?;
        let status = StatusCode::from_u16(response.status)?;
        Ok(look(
            &ResponseView::new(status, &fields, Some(request)).into(),
        ))
    }

    /// The request.
    pub(crate) fn parts(&self) -> Result<Parts, Failed> {
        let request = http::Request::builder().method(self.method.as_str());
        let (mut parts, ()) = request.uri(self.target.as_str()).body(())?.into_parts();
        parts.headers = map_of(&self.fields)?;
        Ok(parts)
    }
}

fn map_of(fields: &Fields) -> Result<HeaderMap, Failed> {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let name: HeaderName = name.parse()?;
        map.append(name, HeaderValue::from_bytes(value.as_bytes())?);
    }
    Ok(map)
}
