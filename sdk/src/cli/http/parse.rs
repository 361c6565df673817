//! Reading a raw HTTP/1.1 message (RFC 9112), with CRLF or LF.

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};

use super::chunked;
use super::message::{Message, Raw, Start};
use crate::httpsig::{Origin, Scheme};

/// Why a file is no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Malformed {
    /// Counted from 1; 0 when it is about the whole.
    pub(super) line: usize,
    pub(super) rule: &'static str,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(self.rule),
            line => write!(f, "line {line}: {}", self.rule),
        }
    }
}

pub(super) const fn whole(rule: &'static str) -> Malformed {
    Malformed { line: 0, rule }
}

/// The lines of a head, one after the other.
pub(super) struct Lines<'a> {
    pub(super) rest: &'a [u8],
    pub(super) number: usize,
}

impl<'a> Lines<'a> {
    /// The next line, without and with its end.
    pub(super) fn next(&mut self) -> Result<(&'a [u8], &'a [u8]), Malformed> {
        let unended = whole("no empty line ends the fields");
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (whole, rest) = self.rest.split_at(end.ok_or(unended)? + 1);
        (self.rest, self.number) = (rest, self.number + 1);
        let line = &whole[..whole.len() - 1];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // RFC 9112 §2.2: a bare CR is where two readers see two messages.
        if line.contains(&b'\r') || line.contains(&0) {
            return Err(self.wrong("a CR or NUL within the line"));
        }
        Ok((line, whole))
    }

    pub(super) const fn wrong(&self, rule: &'static str) -> Malformed {
        Malformed {
            line: self.number,
            rule,
        }
    }
}

/// Reads one message; `scheme` is that of a request whose target does not say it.
pub(super) fn parse(bytes: &[u8], scheme: Scheme) -> Result<Message, Malformed> {
    let mut lines = Lines {
        rest: bytes,
        number: 0,
    };
    let (first, start_line) = lines.next()?;
    let line_end = match start_line.ends_with(b"\r\n") {
        true => "\r\n",
        false => "\n",
    };
    let first = std::str::from_utf8(first).map_err(|_| lines.wrong("it is not ASCII"))?;
    let (fields, kept) = fields(&mut lines)?;
    let (body, trailers) = content(&fields, lines.rest)?;
    let start = match first.starts_with("HTTP/") {
        true => Start::Response {
            status: status_line(first)?,
            headers: fields.clone(),
        },
        false => request_line(first, &fields, scheme)?,
    };
    Ok(Message {
        start,
        body,
        trailers,
        raw: Raw {
            start_line: start_line.to_vec(),
            lines: kept,
            line_end,
            fields,
            body: lines.rest.to_vec(),
        },
    })
}

type Kept = Vec<(HeaderName, Vec<u8>)>;

/// Field lines up to the empty one, as values and as they are written.
pub(super) fn fields(lines: &mut Lines<'_>) -> Result<(HeaderMap, Kept), Malformed> {
    let mut read: Vec<(HeaderName, Vec<u8>, Vec<u8>)> = Vec::new();
    loop {
        let (line, raw) = lines.next()?;
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            let more = line.trim_ascii();
            let Some((_, value, kept)) = read.last_mut().filter(|_| !more.is_empty()) else {
                return Err(lines.wrong("it begins with a space and continues no field"));
            };
            // RFC 9421 §2.1: a folded line is unfolded with one space before it is signed.
            value.push(b' ');
            value.extend_from_slice(more);
            kept.extend_from_slice(raw);
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let colon = colon.ok_or_else(|| lines.wrong("a field without a colon"))?;
        let name = HeaderName::from_bytes(&line[..colon]);
        let name = name.map_err(|_| lines.wrong("a field without a proper name"))?;
        let value = line[colon + 1..].trim_ascii();
        read.push((name, value.to_vec(), raw.to_vec()));
    }
    let mut fields = HeaderMap::new();
    let mut kept = Vec::with_capacity(read.len());
    for (name, value, raw) in read {
        let value = HeaderValue::from_bytes(value.trim_ascii());
        let value = value.map_err(|_| whole("a field has control characters in its value"))?;
        let added = fields.try_append(name.clone(), value);
        added.map_err(|_| whole("there are too many fields"))?;
        kept.push((name, raw));
    }
    Ok((fields, kept))
}

/// The content, and the fields after it.
fn content(fields: &HeaderMap, rest: &[u8]) -> Result<(Vec<u8>, HeaderMap), Malformed> {
    let mut lengths = fields.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    if lengths.any(|other| Some(other) != length) {
        return Err(whole("there are two values of Content-Length"));
    }
    let mut codings = fields.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => {}
        // RFC 9112 §6.1: with both, two readers see two messages.
        (Some(_), _) if length.is_some() => {
            return Err(whole("there are both Transfer-Encoding and Content-Length"));
        }
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            return chunked::decode(rest);
        }
        _ => {
            return Err(whole(
                "the only Transfer-Encoding that can be read is chunked",
            ));
        }
    }
    let Some(length) = length else {
        return Ok((rest.to_vec(), HeaderMap::new()));
    };
    let digits = length.to_str().unwrap_or_default();
    let number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let length: usize = match digits.parse() {
        Ok(length) if number => length,
        _ => return Err(whole("Content-Length is no number")),
    };
    let (body, after) = rest.split_at_checked(length).ok_or(whole(
        "the body is shorter than Content-Length, or its line ends were changed",
    ))?;
    // Editors end a file with a line end.
    if !matches!(after, b"" | b"\n" | b"\r\n") {
        return Err(whole(
            "there is more after the body than Content-Length says",
        ));
    }
    Ok((body.to_vec(), HeaderMap::new()))
}

const FIRST: usize = 1;

const fn first_line(rule: &'static str) -> Malformed {
    Malformed { line: FIRST, rule }
}

fn is_version(text: &str) -> bool {
    matches!(text, "HTTP/1.1" | "HTTP/1.0")
}

fn status_line(line: &str) -> Result<StatusCode, Malformed> {
    let wrong = first_line("a status line is HTTP/1.1, a space, three digits, and a reason");
    let (version, rest) = line.split_once(' ').ok_or(wrong)?;
    let status = rest.split(' ').next().unwrap_or_default();
    if !is_version(version) || status.len() != 3 {
        return Err(wrong);
    }
    StatusCode::from_bytes(status.as_bytes()).map_err(|_| wrong)
}

fn request_line(line: &str, fields: &HeaderMap, scheme: Scheme) -> Result<Start, Malformed> {
    let wrong = first_line("a request line is method, target and HTTP/1.1, with one space between");
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(wrong);
    };
    if !is_version(version) {
        return Err(wrong);
    }
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| wrong)?;
    if target.contains('#') {
        return Err(first_line("a target has no fragment"));
    }
    let uri: Uri = target
        .parse()
        .map_err(|_| first_line("the target is no path and no URI"))?;
    let absolute = uri.scheme().is_some();
    let origin = origin(&method, &uri, fields, scheme)?;
    let request = Request::builder().method(method).uri(uri).body(());
    let (mut parts, ()) = request.map_err(|_| wrong)?.into_parts();
    parts.headers = fields.clone();
    Ok(Start::Request {
        parts: Box::new(parts),
        origin,
        absolute,
    })
}

/// RFC 9112 §3.2: from the target, when it has an authority, or else from the one `Host`.
fn origin(
    method: &Method,
    uri: &Uri,
    fields: &HeaderMap,
    scheme: Scheme,
) -> Result<Origin, Malformed> {
    let scheme = match uri.scheme_str() {
        None => scheme,
        Some("https") => Scheme::Https,
        Some("http") => Scheme::Http,
        Some(_) => return Err(first_line("the target is neither http nor https")),
    };
    let mut hosts = fields.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(whole("there is more than one Host"));
    }
    let authority = match uri.authority() {
        Some(authority) if scheme_or_connect(method, uri) => authority.as_str(),
        Some(_) => return Err(first_line("only CONNECT has an authority as its target")),
        None => {
            let host = host.ok_or(whole("there is no Host, and the target is no URI"))?;
            host.to_str().map_err(|_| whole("Host is not ASCII"))?
        }
    };
    let origin = Origin {
        scheme,
        authority: authority.to_owned(),
    };
    let proper = origin.normalized();
    proper.map_err(|_| whole("the host is not host or host:port"))?;
    Ok(origin)
}

fn scheme_or_connect(method: &Method, uri: &Uri) -> bool {
    uri.scheme().is_some() || *method == Method::CONNECT
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "POST /a?b=c HTTP/1.1\nHost: One.example\nX: 1\nX:\t2 \n\nbody";

    fn rule(text: &str) -> &'static str {
        match parse(text.as_bytes(), Scheme::Https) {
            Ok(_) => "fine",
            Err(error) => error.rule,
        }
    }

    #[test]
    fn line_ends_do_not_change_what_a_message_says() {
        for text in [GOOD.to_owned(), GOOD.replace('\n', "\r\n")] {
            let message = parse(text.as_bytes(), Scheme::Https).expect("a message");
            let values: Vec<_> = message.headers().get_all("x").iter().collect();
            assert_eq!(values, ["1", "2"]);
            assert_eq!(message.body, b"body");
            assert_eq!(message.to_bytes(), text.as_bytes(), "nothing was changed");
        }
    }

    #[test]
    fn each_malformed_message_is_refused_with_its_rule() {
        for (from, to, want) in [
            ("", "", "fine"),
            ("\n\n", "\n", "no empty line ends the fields"),
            (
                "POST /a",
                "POST  /a",
                "a request line is method, target and HTTP/1.1, with one space between",
            ),
            (
                "HTTP/1.1",
                "HTTP/2",
                "a request line is method, target and HTTP/1.1, with one space between",
            ),
            ("/a?b=c", "/a#b", "a target has no fragment"),
            (
                "/a?b=c",
                "one.example:443",
                "only CONNECT has an authority as its target",
            ),
            (
                "/a?b=c",
                "ftp://one.example/",
                "the target is neither http nor https",
            ),
            (
                "Host: One.example\n",
                "",
                "there is no Host, and the target is no URI",
            ),
            ("X: 1", "Host: two.example", "there is more than one Host"),
            (
                "One.example",
                "u@one.example",
                "the host is not host or host:port",
            ),
            ("X: 1", "X 1", "a field without a colon"),
            ("X: 1", "X : 1", "a field without a proper name"),
            ("X: 1", "X: a\rb", "a CR or NUL within the line"),
            (
                "X: 1",
                "X: a\u{1}b",
                "a field has control characters in its value",
            ),
            (
                "Host: O",
                " Host: O",
                "it begins with a space and continues no field",
            ),
            (
                "X: 1",
                "X: 1\n ",
                "it begins with a space and continues no field",
            ),
            ("X: 1", "Content-Length: 4", "fine"),
            (
                "X: 1",
                "Content-Length: 5",
                "the body is shorter than Content-Length, or its line ends were changed",
            ),
            (
                "X: 1",
                "Content-Length: 3",
                "there is more after the body than Content-Length says",
            ),
            ("X: 1", "Content-Length: +4", "Content-Length is no number"),
            (
                "X: 1",
                "Content-Length: 4\nContent-Length: 5",
                "there are two values of Content-Length",
            ),
            (
                "X: 1",
                "Content-Length: 4\nTransfer-Encoding: chunked",
                "there are both Transfer-Encoding and Content-Length",
            ),
            (
                "X: 1",
                "Transfer-Encoding: gzip",
                "the only Transfer-Encoding that can be read is chunked",
            ),
        ] {
            assert_eq!(rule(&GOOD.replacen(from, to, 1)), want, "{from:?} {to:?}");
        }
        for (line, want) in [
            ("HTTP/1.1 200 OK", true),
            ("HTTP/1.1 404", true),
            ("HTTP/1.1 20 OK", false),
            ("HTTP/1.1 2000", false),
            ("HTTP/3 200 OK", false),
            ("HTTP/1.1", false),
        ] {
            assert_eq!(rule(&format!("{line}\n\n")) == "fine", want, "{line}");
        }
    }

    #[test]
    fn a_folded_line_is_unfolded_with_one_space() {
        let text = GOOD.replace("X: 1\n", "X: Obsolete\n    line folding.\n");
        let message = parse(text.as_bytes(), Scheme::Https).expect("a message");
        assert_eq!(message.headers()["x"], "Obsolete line folding.");
        assert_eq!(message.to_bytes(), text.as_bytes());
    }

    #[test]
    fn the_target_says_where_it_is_for_before_host_does() {
        let text = GOOD.replace("/a?b=c", "http://two.example:8080/a");
        let message = parse(text.as_bytes(), Scheme::Https).expect("a message");
        let Start::Request {
            origin, absolute, ..
        } = &message.start
        else {
            panic!("a request");
        };
        assert!(absolute);
        let want = (Scheme::Http, "two.example:8080");
        assert_eq!((origin.scheme, origin.authority.as_str()), want);
    }

    #[test]
    fn an_editors_last_line_end_is_not_the_bodys_when_the_length_is_known() {
        let text = GOOD.replace("X: 1", "Content-Length: 4") + "\n";
        let message = parse(text.as_bytes(), Scheme::Https).expect("a message");
        assert_eq!(message.body, b"body");
        let text = GOOD.to_owned() + "\n";
        let message = parse(text.as_bytes(), Scheme::Https).expect("a message");
        assert_eq!(message.body, b"body\n");
    }
}
