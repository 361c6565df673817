//! Version and extensions, which go beside a request: in headers, in gRPC metadata, or in the query.

use http::HeaderMap;
use http::request::Parts;

use crate::a2a::{A2aError, EXTENSIONS_HEADER, ErrorKind, ServiceParameters, VERSION_HEADER};

/// What 0.3 peers call [`EXTENSIONS_HEADER`].
const EXTENSIONS_HEADER_V03: &str = "x-a2a-extensions";
/// What an absent version means (A2A §3.6.2).
const ABSENT: &str = "0.3";
/// Extensions that are read of one request.
const MAX_EXTENSIONS: usize = 64;

/// The version that a request asks for: its header, or else its query parameter `A2A-Version`;
/// "0.3" when it has neither.
pub(super) fn asked_version(parts: &Parts) -> String {
    sent_version(parts).unwrap_or_else(|| ABSENT.to_owned())
}

fn sent_version(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(VERSION_HEADER).map(|value| {
        // Bytes that are no text are a version that nobody speaks.
        value
            .to_str()
            .unwrap_or("?")
            .trim_matches([' ', '\t'])
            .to_owned()
    });
    // A2A §3.6.1: a client that cannot set headers may use the query.
    let query = || {
        // Neither the name nor any version has a character that would be percent-encoded.
        let mut pairs = parts
            .uri
            .query()?
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(name, _)| name.eq_ignore_ascii_case(VERSION_HEADER))
            .map(|(_, value)| value.to_owned())
    };
    header
        .filter(|text| !text.is_empty())
        .or_else(query)
        .filter(|text| !text.is_empty())
}

pub(super) fn read(parts: &Parts, version: &str) -> Result<ServiceParameters, A2aError> {
    let asked = asked_version(parts);
    if asked != version {
        let shown: String = asked.chars().take(16).collect();
        let message = format!("A2A version {shown:?} is not supported here, {version} is");
        let error = A2aError::new(ErrorKind::VersionNotSupported, message);
        return Err(error.with_metadata("supportedVersions", version));
    }
    Ok(ServiceParameters {
        version: sent_version(parts),
        extensions: extensions(&parts.headers),
    })
}

/// The URIs that the client names, in their order, each once (A2A §3.2.6).
fn extensions(headers: &HeaderMap) -> Vec<String> {
    let named = [EXTENSIONS_HEADER, EXTENSIONS_HEADER_V03].into_iter();
    let values = named.flat_map(|name| headers.get_all(name));
    let lists = values.filter_map(|value| value.to_str().ok());
    let mut read: Vec<String> = Vec::new();
    for uri in lists.flat_map(|list| list.split(',')).map(str::trim) {
        if read.len() == MAX_EXTENSIONS {
            break;
        }
        if !uri.is_empty() && !read.iter().any(|known| known == uri) {
            read.push(uri.to_owned());
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::a2a::VERSION;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn the_version_stands_in_the_header_or_in_the_query_and_is_else_0_3() {
        for (uri, header, want) in [
            ("/a2a", Some("1.0"), "1.0"),
            ("/a2a", Some(" 1.0\t"), "1.0"),
            ("/a2a?A2A-Version=1.0", None, "1.0"),
            ("/a2a?x=1&a2a-version=1.0", Some(""), "1.0"),
            ("/a2a?A2A-Version=0.3", Some("1.0"), "1.0"),
            ("/a2a?A2A-Version=", None, "0.3"),
            ("/a2a", None, "0.3"),
            ("/a2a", Some(""), "0.3"),
            ("/a2a", Some("99.0"), "99.0"),
        ] {
            let header: Vec<_> = header.map(|v| (VERSION_HEADER, v)).into_iter().collect();
            let parts = parts(uri, &header);
            assert_eq!(asked_version(&parts), want, "{uri} {header:?}");
            let read = read(&parts, VERSION).map(drop).map_err(|e| e.kind());
            let expected = match want {
                VERSION => Ok(()),
                _ => Err(ErrorKind::VersionNotSupported),
            };
            assert_eq!(read, expected, "{uri} {header:?}");
        }
    }

    #[test]
    fn extensions_are_read_from_both_headers_each_once_and_only_so_many() {
        let read = |headers: &[(&str, &str)]| extensions(&parts("/", headers).headers);
        assert_eq!(read(&[]), Vec::<String>::new());
        assert_eq!(
            read(&[
                ("a2a-extensions", "urn:a, urn:b ,"),
                ("A2A-Extensions", "urn:c"),
                ("X-A2A-Extensions", "urn:b,urn:d"),
            ]),
            ["urn:a", "urn:b", "urn:c", "urn:d"]
        );
        let many: Vec<String> = (0..100).map(|n| format!("urn:{n}")).collect();
        assert_eq!(
            read(&[("a2a-extensions", &many.join(","))]).len(),
            MAX_EXTENSIONS
        );
    }
}
