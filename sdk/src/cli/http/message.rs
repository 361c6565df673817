//! A raw HTTP/1.1 message, as it stands in a file.

use http::request::Parts;
use http::{HeaderMap, HeaderName, StatusCode};

use crate::httpsig::{FieldType, MessageView, Origin, RequestView, ResponseView};

/// What the message is, with its fields.
#[derive(Debug)]
pub(super) enum Start {
    Request {
        parts: Box<Parts>,
        origin: Origin,
        /// Whether the whole URI stands in the request line.
        absolute: bool,
    },
    Response {
        status: StatusCode,
        headers: HeaderMap,
    },
}

/// A message that was read, and what it was read from.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) start: Start,
    /// What the content is, without any transfer coding.
    pub(super) body: Vec<u8>,
    pub(super) trailers: HeaderMap,
    pub(super) raw: Raw,
}

/// The bytes that were read.
#[derive(Debug)]
pub(super) struct Raw {
    /// With its line end.
    pub(super) start_line: Vec<u8>,
    /// Each with its line ends.
    pub(super) lines: Vec<(HeaderName, Vec<u8>)>,
    pub(super) line_end: &'static str,
    pub(super) fields: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Message {
    pub(super) fn headers(&self) -> &HeaderMap {
        match &self.start {
            Start::Request { parts, .. } => &parts.headers,
            Start::Response { headers, .. } => headers,
        }
    }

    pub(super) fn headers_mut(&mut self) -> &mut HeaderMap {
        match &mut self.start {
            Start::Request { parts, .. } => &mut parts.headers,
            Start::Response { headers, .. } => headers,
        }
    }

    pub(super) fn is_response(&self) -> bool {
        matches!(self.start, Start::Response { .. })
    }

    /// As a request, if it is one.
    pub(super) fn request_view(&self) -> Option<RequestView<'_>> {
        let Start::Request {
            parts,
            origin,
            absolute,
        } = &self.start
        else {
            return None;
        };
        let view = RequestView::new(parts, origin).with_trailers(&self.trailers);
        Some(match absolute {
            true => view.in_absolute_form(),
            false => view,
        })
    }

    /// As a signature sees it; `request` is the one that it answers.
    pub(super) fn view<'a>(
        &'a self,
        request: Option<&'a Self>,
        types: &'a [(&'a str, FieldType)],
    ) -> MessageView<'a> {
        let view: MessageView<'a> = match &self.start {
            Start::Response { status, headers } => {
                let request = request.and_then(Self::request_view);
                let response = ResponseView::new(*status, headers, request);
                response.with_trailers(&self.trailers).into()
            }
            Start::Request { parts, origin, .. } => match self.request_view() {
                Some(view) => view.into(),
                None => RequestView::new(parts, origin).into(),
            },
        };
        view.with_field_types(types)
    }

    /// The fields that differ from what was read, in the order they are written.
    pub(super) fn changed_fields(&self) -> Vec<(HeaderName, Vec<u8>)> {
        let first = [
            "content-digest",
            "signature-agent",
            "signature-input",
            "signature",
        ];
        let mut names: Vec<_> = self.headers().keys().filter(|n| self.changed(n)).collect();
        let place = |name: &HeaderName| first.iter().position(|known| *known == name.as_str());
        names.sort_by_key(|name| place(name));
        let values = names.iter().flat_map(|name| {
            let values = self.headers().get_all(*name).iter();
            values.map(|value| ((*name).clone(), value.as_bytes().to_vec()))
        });
        values.collect()
    }

    fn changed(&self, name: &HeaderName) -> bool {
        let (now, before) = (self.headers(), &self.raw.fields);
        now.get_all(name).iter().ne(before.get_all(name).iter())
    }

    /// The message with its fields as they are now: what was not changed stands as it was read.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let end = self.raw.line_end.as_bytes();
        let mut out = self.raw.start_line.clone();
        for (name, line) in &self.raw.lines {
            if !self.changed(name) {
                out.extend_from_slice(line);
            }
        }
        for (name, value) in self.changed_fields() {
            out.extend_from_slice(title(&name).as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(&value);
            out.extend_from_slice(end);
        }
        out.extend_from_slice(end);
        out.extend_from_slice(&self.raw.body);
        out
    }
}

/// `Signature-Input`, as people write it.
pub(super) fn title(name: &HeaderName) -> String {
    let mut begins = true;
    let letters = name.as_str().chars().map(|c| {
        let letter = if begins { c.to_ascii_uppercase() } else { c };
        begins = c == '-';
        letter
    });
    letters.collect()
}
