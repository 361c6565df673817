//! Small documents that are served to everybody, and kept by whoever fetched them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::clock::UnixTime;
use crate::crypto::sha256;
use crate::jose::encode_base64url;

/// A document, what tells whether it changed, and how long it may be kept.
///
/// ```
/// use countersign::clock::UnixTime;
/// use countersign::httpsig::ServedDocument;
/// use http::{HeaderMap, Method};
///
/// let now = UnixTime::from_secs(1_735_689_600); // your clock's
/// let document = ServedDocument::new("# agents\n", "text/plain; charset=utf-8", now).for_everybody();
/// let answer = document.answer(&Method::GET, &HeaderMap::new());
/// assert!(answer.headers().contains_key("etag"));
/// ```
#[derive(Clone, Debug)]
pub struct ServedDocument {
    body: Bytes,
    media_type: HeaderValue,
    etag: HeaderValue,
    /// Whole seconds, as HTTP has them.
    modified: UnixTime,
    /// What every answer has, also that nothing changed.
    headers: HeaderMap,
}

impl ServedDocument {
    /// This document, last changed at `modified`; it may be kept for five minutes.
    pub fn new(body: impl Into<Bytes>, media_type: &'static str, modified: UnixTime) -> Self {
        let body = body.into();
        // The tag follows the content, so instances that serve the same agree.
        let tag = format!("\"{}\"", encode_base64url(&sha256(&body)[..16]));
        let etag = HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"0\""));
        let document = Self {
            body,
            media_type: HeaderValue::from_static(media_type),
            etag,
            modified,
            headers: HeaderMap::new(),
        };
        document.kept_for(Duration::from_secs(300))
    }

    /// How long it may be kept.
    #[must_use]
    pub fn kept_for(self, life: Duration) -> Self {
        let value = format!("max-age={}", life.as_secs());
        // Digits are a value.
        let value = HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("no-store"));
        self.with(CACHE_CONTROL, value)
    }

    /// Scripts of any origin may read it.
    #[must_use]
    pub fn for_everybody(self) -> Self {
        self.with(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))
    }

    /// Sends this field too, also when nothing changed.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sends these fields too, also when nothing changed.
    #[must_use]
    pub(super) fn with_all(mut self, fields: HeaderMap) -> Self {
        self.headers.extend(fields);
        self
    }

    /// The content.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// When it last changed.
    pub fn modified(&self) -> UnixTime {
        self.modified
    }

    /// Its entity tag.
    pub fn etag(&self) -> &HeaderValue {
        &self.etag
    }

    /// The answer to a request with this method and these fields: 200, 304, or 405.
    pub fn answer(&self, method: &Method, asked: &HeaderMap) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        if method != Method::GET && method != Method::HEAD {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        let headers = response.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(ETAG, self.etag.clone());
        let modified = UNIX_EPOCH + Duration::from_secs(self.modified.secs());
        if let Ok(modified) = HeaderValue::try_from(httpdate::fmt_http_date(modified)) {
            headers.insert(LAST_MODIFIED, modified);
        }
        if self.is_known(asked) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(CONTENT_TYPE, self.media_type.clone());
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        if method == Method::GET {
            *response.body_mut() = self.body.clone();
        }
        response
    }

    /// RFC 9110 §13.2.2: a list of tags decides alone; the date counts only without one.
    fn is_known(&self, asked: &HeaderMap) -> bool {
        let lists = asked.get_all(IF_NONE_MATCH);
        if lists.iter().next().is_some() {
            let lists = lists.iter().filter_map(|list| list.to_str().ok());
            // §13.1.2: weakly compared. No tag of ours has a comma in it.
            let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
            let own = self.etag.to_str().unwrap_or_default();
            return tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own);
        }
        let since = asked.get(IF_MODIFIED_SINCE).and_then(|v| v.to_str().ok());
        let since = since.and_then(|date| httpdate::parse_http_date(date).ok());
        since.is_some_and(|since: SystemTime| {
            let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
            since.as_secs() >= self.modified.secs()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_is_known_is_not_sent_again() {
        let modified = UnixTime::from_secs(1_000_000_000);
        let document = ServedDocument::new("{}", "application/json", modified).for_everybody();
        let own = document.etag.to_str().expect("a text").to_owned();
        let (weak, among) = (format!("W/{own}"), format!("\"a\", {own}"));
        let (before, at) = (
            "Sun, 09 Sep 2001 01:46:39 GMT",
            "Sun, 09 Sep 2001 01:46:40 GMT",
        );
        for (tags, date, want) in [
            (None, None, StatusCode::OK),
            (Some(&*own), None, StatusCode::NOT_MODIFIED),
            (Some(&*weak), None, StatusCode::NOT_MODIFIED),
            (Some(&*among), None, StatusCode::NOT_MODIFIED),
            (Some("*"), None, StatusCode::NOT_MODIFIED),
            (Some("\"a\""), None, StatusCode::OK),
            (Some(own.trim_matches('"')), None, StatusCode::OK),
            (None, Some(at), StatusCode::NOT_MODIFIED),
            (None, Some(before), StatusCode::OK),
            (None, Some("yesterday"), StatusCode::OK),
            (Some("\"a\""), Some(at), StatusCode::OK),
            (Some(&*own), Some(before), StatusCode::NOT_MODIFIED),
        ] {
            let mut asked = HeaderMap::new();
            let given = [(IF_NONE_MATCH, tags), (IF_MODIFIED_SINCE, date)];
            for (name, value) in given {
                if let Some(value) = value {
                    asked.insert(name, value.parse().expect("a header"));
                }
            }
            let answer = document.answer(&Method::GET, &asked);
            assert_eq!(answer.status(), want, "{tags:?} {date:?}");
            assert_eq!(answer.headers()[LAST_MODIFIED], at, "{tags:?} {date:?}");
            assert_eq!(answer.headers()[ETAG], document.etag, "{tags:?} {date:?}");
            assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
            let sent = want == StatusCode::OK;
            assert_eq!(answer.body().is_empty(), !sent, "{tags:?} {date:?}");
        }
    }

    #[test]
    fn a_document_is_read_and_never_written() {
        let document = ServedDocument::new("{}", "application/json", UnixTime::from_secs(0));
        let none = HeaderMap::new();
        let head = document.answer(&Method::HEAD, &none);
        assert_eq!((head.status(), head.body().len()), (StatusCode::OK, 0));
        assert_eq!(head.headers()[CONTENT_LENGTH], "2");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let answer = document.answer(&method, &none);
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert_eq!(answer.headers()[ALLOW], "GET, HEAD", "{method}");
        }
    }
}
