//! Requests that name this machine as their host.

use std::net::IpAddr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::HOST;
use http::uri::Authority;

/// Turns away what names another host. An agent that proves nobody is safe only because nobody else
/// reaches it; a page in this machine's browser does, under a name of its own that leads here.
pub(super) async fn only_this_machine(request: Request, next: Next) -> Response {
    if names_this_machine(&request) {
        return next.run(request).await;
    }
    StatusCode::MISDIRECTED_REQUEST.into_response()
}

fn names_this_machine(request: &Request) -> bool {
    // RFC 9113 §8.3.1: over HTTP/2 the target names it.
    let target = request.uri().authority().cloned();
    let mut named = request.headers().get_all(HOST).iter();
    let host = named.next().map(|host| host.to_str().ok()?.parse().ok());
    match (target, host) {
        _ if named.next().is_some() => false,
        (Some(target), None) => is_this_machine(&target),
        (None, Some(Some(host))) => is_this_machine(&host),
        (Some(target), Some(Some(host))) => is_this_machine(&target) && is_this_machine(&host),
        (None, None) | (_, Some(None)) => false,
    }
}

fn is_this_machine(named: &Authority) -> bool {
    let host = named.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    loopback || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_names_of_this_machine_are_taken() {
        for (target, hosts, want) in [
            ("/", &["127.0.0.1:9999"][..], true),
            ("/", &["localhost"], true),
            ("/", &["LocalHost:80"], true),
            ("/", &["[::1]:9999"], true),
            ("http://127.0.0.1:9999/", &[], true),
            ("http://127.0.0.1:9999/", &["127.0.0.1:9999"], true),
            ("/", &[], false),
            ("/", &["agent.example"], false),
            ("/", &["localhost.agent.example"], false),
            ("/", &["127.0.0.1.agent.example:9999"], false),
            ("/", &["192.0.2.1"], false),
            ("/", &["0.0.0.0"], false),
            ("/", &["127.0.0.1", "127.0.0.1"], false),
            ("/", &["a b"], false),
            ("http://agent.example/", &[], false),
            ("http://agent.example/", &["127.0.0.1"], false),
            ("http://127.0.0.1/", &["agent.example"], false),
        ] {
            let mut request = http::Request::get(target);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            let request = request.body(Body::empty()).expect("a request");
            assert_eq!(names_this_machine(&request), want, "{target} {hosts:?}");
        }
    }
}
