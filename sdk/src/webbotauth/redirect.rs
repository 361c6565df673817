//! Where a redirect leads, and what of the request goes there (RFC 9110 §15.4).

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION,
    CONTENT_TYPE, COOKIE, HOST, HeaderName, LOCATION, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;

/// Which redirects are followed, each with a signature of its own. One that is not followed is the
/// answer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Redirects {
    /// None.
    Never,
    /// Those that stay at the same scheme, host and port.
    #[default]
    SameOrigin,
    /// Those to other origins, too, but none from `https` to `http`. What may be a credential is not
    /// sent to another origin, and neither is a body.
    Anywhere,
}

/// What is of one message, and is made anew for each hop.
const SIGNED: [HeaderName; 5] = [
    HeaderName::from_static("signature"),
    HeaderName::from_static("signature-input"),
    HeaderName::from_static("signature-agent"),
    HeaderName::from_static("content-digest"),
    HOST,
];

/// What proves something to one origin, and is no business of another.
const CREDENTIALS: [HeaderName; 6] = [
    AUTHORIZATION,
    PROXY_AUTHORIZATION,
    COOKIE,
    HeaderName::from_static("cookie2"),
    HeaderName::from_static("txn-token"),
    HeaderName::from_static("workload-identity-token"),
];

/// What says something about a body.
const CONTENT: [HeaderName; 8] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LOCATION,
    TRANSFER_ENCODING,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// A request of one hop, before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Hop {
    /// Takes away what belongs to a message that was signed before.
    pub(super) fn unsigned(mut self) -> Self {
        for name in &SIGNED {
            self.headers.remove(name);
        }
        self
    }

    /// Where the answer leads; `None` when it is the last.
    pub(super) fn next(
        &self,
        status: StatusCode,
        answer: &HeaderMap,
        redirects: Redirects,
    ) -> Option<Self> {
        let method = method_after(status, &self.method)?;
        let mut locations = answer.get_all(LOCATION).iter();
        let location = locations.next()?.to_str().ok()?;
        // Two places are none.
        if locations.next().is_some() {
            return None;
        }
        let mut url = self.url.join(location).ok()?;
        url.set_fragment(None);
        let plain = url.scheme() == "http" && self.url.scheme() == "http";
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || (url.scheme() != "https" && !plain) {
            return None;
        }
        let same = url.origin() == self.url.origin();
        match redirects {
            Redirects::Never => return None,
            Redirects::SameOrigin if !same => return None,
            Redirects::SameOrigin | Redirects::Anywhere => {}
        }
        let mut next = Self {
            url,
            ..self.clone()
        }
        .unsigned();
        if method != next.method {
            next.method = method;
            next.body = Bytes::new();
            for name in &CONTENT {
                next.headers.remove(name);
            }
        }
        if !same {
            if !next.body.is_empty() {
                return None;
            }
            next.forget_credentials();
        }
        Some(next)
    }

    fn forget_credentials(&mut self) {
        let sensitive = self
            .headers
            .iter()
            .filter(|(_, value)| value.is_sensitive());
        let sensitive: Vec<_> = sensitive.map(|(name, _)| name.clone()).collect();
        for name in sensitive.iter().chain(&CREDENTIALS) {
            self.headers.remove(name);
        }
    }
}

/// The method of the next request; `None` when this status leads nowhere.
fn method_after(status: StatusCode, method: &Method) -> Option<Method> {
    let kept = Some(method.clone());
    match status {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => kept,
        StatusCode::SEE_OTHER if *method == Method::HEAD => kept,
        StatusCode::SEE_OTHER => Some(Method::GET),
        // RFC 9110 §15.4.2, §15.4.3: what clients do with POST.
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if *method == Method::POST => {
            Some(Method::GET)
        }
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => kept,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(method: Method, body: &'static str) -> Hop {
        let fields = [
            "authorization",
            "cookie",
            "workload-identity-token",
            "x-api-key",
            "accept",
            "content-type",
            "signature",
            "signature-input",
            "signature-agent",
            "content-digest",
            "host",
        ];
        let mut headers = HeaderMap::new();
        for name in fields {
            let mut value = http::HeaderValue::from_static("a");
            value.set_sensitive(name == "x-api-key");
            headers.insert(name, value);
        }
        Hop {
            method,
            url: "https://bot.example/a/b?c#d".parse().expect("a URL"),
            headers,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    fn location(url: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, url.parse().expect("a value"));
        headers
    }

    #[test]
    fn nothing_that_was_signed_and_no_credential_goes_to_another_origin() {
        let names = |hop: &Hop| {
            let mut names: Vec<_> = hop.headers.keys().map(ToString::to_string).collect();
            names.sort();
            names.join(" ")
        };
        let first = hop(Method::GET, "");
        let (found, anywhere) = (StatusCode::FOUND, Redirects::Anywhere);
        let here = first.next(found, &location("/x"), anywhere).expect("a hop");
        assert_eq!(
            names(&here),
            "accept authorization content-type cookie workload-identity-token x-api-key"
        );
        for other in [
            "https://other.example/",
            "//other.example",
            "https://bot.example:444/",
        ] {
            let there = first.next(found, &location(other), anywhere);
            let there = there.expect("a hop");
            assert_eq!(names(&there), "accept content-type", "{other}");
            let same = first.next(found, &location(other), Redirects::SameOrigin);
            assert!(same.is_none(), "{other}");
        }
    }

    #[test]
    fn a_redirect_leads_where_the_rules_let_it() {
        let mut two = location("/x");
        two.append(LOCATION, "/y".parse().expect("a value"));
        let any = Redirects::Anywhere;
        let cases = [
            (
                "relative",
                302,
                location("c?d#e"),
                any,
                Some("https://bot.example/a/c?d"),
            ),
            (
                "same, spelt otherwise",
                307,
                location("https://BOT.example:443/x"),
                Redirects::SameOrigin,
                Some("https://bot.example/x"),
            ),
            ("never", 302, location("/x"), Redirects::Never, None),
            ("no redirect", 200, location("/x"), any, None),
            ("not modified", 304, location("/x"), any, None),
            ("no location", 302, HeaderMap::new(), any, None),
            ("two", 302, two, any, None),
            ("to http", 302, location("http://bot.example/x"), any, None),
            (
                "a user",
                302,
                location("https://u:p@bot.example/x"),
                any,
                None,
            ),
            (
                "another scheme",
                302,
                location("ftp://bot.example/x"),
                any,
                None,
            ),
            ("a script", 302, location("javascript:0"), any, None),
        ];
        for (name, status, answer, redirects, want) in cases {
            let status = StatusCode::from_u16(status).expect("a status");
            let next = hop(Method::GET, "").next(status, &answer, redirects);
            let url = next.map(|hop| hop.url.to_string());
            assert_eq!(url.as_deref(), want, "{name}");
        }
    }

    #[test]
    fn methods_and_bodies_go_on_as_the_status_says() {
        let cases = [
            (301, Method::POST, "/x", Some((Method::GET, 0))),
            (302, Method::POST, "/x", Some((Method::GET, 0))),
            (302, Method::PUT, "/x", Some((Method::PUT, 4))),
            (303, Method::PUT, "/x", Some((Method::GET, 0))),
            (303, Method::HEAD, "/x", Some((Method::HEAD, 4))),
            (307, Method::POST, "/x", Some((Method::POST, 4))),
            (308, Method::POST, "/x", Some((Method::POST, 4))),
            // A body stays at its origin.
            (307, Method::POST, "https://other.example/", None),
            (
                302,
                Method::POST,
                "https://other.example/",
                Some((Method::GET, 0)),
            ),
        ];
        for (status, method, to, want) in cases {
            let code = StatusCode::from_u16(status).expect("a status");
            let next = hop(method, "body").next(code, &location(to), Redirects::Anywhere);
            let said = next
                .as_ref()
                .map(|hop| (hop.method.clone(), hop.body.len()));
            assert_eq!(said, want, "{status} {to}");
            let typed = next.is_some_and(|hop| hop.headers.contains_key(CONTENT_TYPE));
            assert_eq!(typed, want.is_some_and(|(_, len)| len > 0), "{status} {to}");
        }
    }
}
