//! A message out of any text.

use countersign::httpsig::{MessageView, Origin, RequestView, ResponseView};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};

/// A request, or a response and the request that it answers.
///
/// The text has the shape of HTTP/1.1: a start line (`POST /a?b`, or `404`), one field a line, an
/// empty line, the body. A response is followed by an empty line and the request. Whatever does not
/// fit is left out, so that most texts are messages.
#[derive(Debug)]
pub struct Message {
    origin: Origin,
    request: Parts,
    response: Option<(StatusCode, HeaderMap)>,
    /// The body of the message that is signed.
    pub body: Vec<u8>,
}

impl Message {
    /// The message that a text is.
    pub fn read(text: &[u8]) -> Self {
        let (head, rest) = split(text);
        let (start, fields) = head_of(head);
        let status = start.first().filter(|_| start.len() == 1);
        let status = status.and_then(|code| StatusCode::from_bytes(code.as_bytes()).ok());
        match status {
            Some(status) => {
                let (body, request) = split(rest);
                let (start, others) = head_of(split(request).0);
                Self::of(&start, others, Some((status, fields)), body)
            }
            None => Self::of(&start, fields, None, rest),
        }
    }

    fn of(
        start: &[String],
        fields: HeaderMap,
        response: Option<(StatusCode, HeaderMap)>,
        body: &[u8],
    ) -> Self {
        let (mut request, ()) = Request::new(()).into_parts();
        let method = start
            .first()
            .and_then(|m| Method::from_bytes(m.as_bytes()).ok());
        request.method = method.unwrap_or_default();
        let target = start.get(1).and_then(|target| target.parse::<Uri>().ok());
        request.uri = target.unwrap_or_default();
        let host = fields.get("host").and_then(|host| host.to_str().ok());
        let origin = Origin::https(host.unwrap_or("example.com"));
        request.headers = fields;
        Self {
            origin,
            request,
            response,
            body: body.to_vec(),
        }
    }

    /// The message as a signature sees it.
    pub fn view(&self) -> MessageView<'_> {
        let request = RequestView::new(&self.request, &self.origin);
        match &self.response {
            Some((status, fields)) => ResponseView::new(*status, fields, Some(request)).into(),
            None => request.into(),
        }
    }

    /// The fields of the message that is signed.
    pub fn fields(&mut self) -> &mut HeaderMap {
        match &mut self.response {
            Some((_, fields)) => fields,
            None => &mut self.request.headers,
        }
    }
}

/// The text before and after the first empty line.
fn split(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.windows(2).position(|two| two == b"\n\n");
    end.map_or((text, &[]), |at| (&text[..at], &text[at + 2..]))
}

/// The words of the start line, and the fields.
fn head_of(head: &[u8]) -> (Vec<String>, HeaderMap) {
    let mut lines = head.split(|byte| *byte == b'\n');
    let start = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let mut fields = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(&line[colon + 1..]);
        if let (Ok(name), Ok(value)) = (name, value) {
            fields.append(name, value);
        }
    }
    (start.split(' ').map(str::to_owned).collect(), fields)
}
