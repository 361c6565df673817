//! A message as a signature sees it.

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Uri};

use super::error::SignatureError;
use super::fields::FieldType;
use super::origin::Origin;

/// A request without its body.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) origin: &'a Origin,
    pub(super) trailers: Option<&'a HeaderMap>,
    absolute: bool,
}

impl<'a> RequestView<'a> {
    /// The request with these parts, for (or at) `origin`. Only path and query of its URI count.
    pub fn new(parts: &'a Parts, origin: &'a Origin) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            origin,
            trailers: None,
            absolute: false,
        }
    }

    /// The same request, with the fields that came after its body.
    #[must_use]
    pub fn with_trailers(mut self, trailers: &'a HeaderMap) -> Self {
        self.trailers = Some(trailers);
        self
    }

    /// The same request, sent to a proxy with the whole URI in its request line: what
    /// `@request-target` then is.
    #[must_use]
    pub fn in_absolute_form(mut self) -> Self {
        self.absolute = true;
        self
    }

    pub(super) fn method(&self) -> &'a Method {
        self.method
    }

    pub(super) fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    fn path_and_query(&self) -> &'a str {
        // RFC 9112 §3.2.4: `OPTIONS *` has no path.
        match self.uri.path_and_query().map(|p| p.as_str()) {
            None | Some("*") => "",
            Some(text) => text,
        }
    }

    pub(super) fn write_target_uri(&self, out: &mut Vec<u8>) -> Result<(), SignatureError> {
        out.extend_from_slice(self.origin.scheme.as_str().as_bytes());
        out.extend_from_slice(b"://");
        self.origin.write_authority(out)?;
        out.extend_from_slice(self.path_and_query().as_bytes());
        Ok(())
    }

    /// The target's URI without its query, if it fits into a parameter.
    pub(super) fn write_audience(&self, out: &mut Vec<u8>) -> Result<(), SignatureError> {
        out.extend_from_slice(self.origin.scheme.as_str().as_bytes());
        out.extend_from_slice(b"://");
        self.origin.write_authority(out)?;
        out.extend_from_slice(self.path().as_bytes());
        Ok(())
    }

    pub(super) fn write_request_target(&self, out: &mut Vec<u8>) -> Result<(), SignatureError> {
        if self.method == Method::CONNECT {
            return self.origin.write_authority(out);
        }
        if self.absolute {
            return self.write_target_uri(out);
        }
        let target = self.uri.path_and_query().map_or("/", |p| p.as_str());
        out.extend_from_slice(target.as_bytes());
        Ok(())
    }

    /// RFC 9421 §2.2.6: the empty path is `/`.
    pub(super) fn path(&self) -> &'a str {
        match self.uri.path() {
            "" | "*" => "/",
            path => path,
        }
    }

    /// RFC 9421 §2.2.7: with its question mark, which also stands for an absent query.
    pub(super) fn write_query(&self, out: &mut Vec<u8>) {
        out.push(b'?');
        out.extend_from_slice(self.uri.query().unwrap_or_default().as_bytes());
    }
}

/// A response without its body, and the request it answers.
#[derive(Clone, Copy, Debug)]
pub struct ResponseView<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) request: Option<RequestView<'a>>,
    pub(super) trailers: Option<&'a HeaderMap>,
}

impl<'a> ResponseView<'a> {
    /// A response; `request` is what components with `req` are taken from.
    pub fn new(
        status: StatusCode,
        headers: &'a HeaderMap,
        request: Option<RequestView<'a>>,
    ) -> Self {
        Self {
            status,
            headers,
            request,
            trailers: None,
        }
    }

    /// The same response, with the fields that came after its body.
    #[must_use]
    pub fn with_trailers(mut self, trailers: &'a HeaderMap) -> Self {
        self.trailers = Some(trailers);
        self
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a> {
    Request(RequestView<'a>),
    Response(ResponseView<'a>),
}

/// A message that is signed or verified.
#[derive(Clone, Copy, Debug)]
pub struct MessageView<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) types: &'a [(&'a str, FieldType)],
}

impl<'a> From<RequestView<'a>> for MessageView<'a> {
    fn from(request: RequestView<'a>) -> Self {
        Self {
            kind: Kind::Request(request),
            types: &[],
        }
    }
}

impl<'a> From<ResponseView<'a>> for MessageView<'a> {
    fn from(response: ResponseView<'a>) -> Self {
        Self {
            kind: Kind::Response(response),
            types: &[],
        }
    }
}

impl<'a> MessageView<'a> {
    /// The same message, with the types of more structured fields (lower-case names), for `;sf`.
    #[must_use]
    pub fn with_field_types(mut self, types: &'a [(&'a str, FieldType)]) -> Self {
        self.types = types;
        self
    }

    /// The fields of the message itself.
    pub fn headers(&self) -> &'a HeaderMap {
        match self.kind {
            Kind::Request(request) => request.headers,
            Kind::Response(response) => response.headers,
        }
    }
}
