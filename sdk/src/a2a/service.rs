//! What goes beside a request: version and extensions (A2A §3.2.6, §9.2, §10.2, §11.2).

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    A2aError, EXTENSIONS_HEADER, ErrorKind, LEGACY_EXTENSIONS_HEADER, VERSION_HEADER, Version,
    Versions, percent,
};

/// Extensions of one request.
const EXTENSIONS_MAX: usize = 32;
/// Longest URI of an extension, in bytes.
const URI_MAX: usize = 2048;

/// What goes beside a request in headers, gRPC metadata or query.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ServiceParameters {
    /// `A2A-Version` as it was sent; `None` when it was absent, which means 0.3.
    pub version: Option<String>,
    /// `A2A-Extensions`: the URIs, in their order, each once.
    pub extensions: Vec<String>,
}

impl ServiceParameters {
    /// What a client sends with a request.
    pub fn new(version: Version, extensions: impl IntoIterator<Item = String>) -> Self {
        Self {
            version: Some(version.as_str().to_owned()),
            extensions: extensions.into_iter().collect(),
        }
    }

    /// Reads them from the headers or metadata of a request, and from its query where the binding
    /// has one. Names are the same in all three, in upper or lower case; extensions are also read
    /// under the name of version 0.3.
    ///
    /// A version that is named twice must be the same; [`Versions::choose`] refuses two.
    ///
    /// # Errors
    /// `InvalidRequest` when the list of extensions is too long or is no list of URIs.
    ///
    /// ```
    /// use countersign::a2a::ServiceParameters;
    /// let read = ServiceParameters::read(&http::HeaderMap::new(), Some("A2A-Version=1.0"))?;
    /// assert_eq!(read.version.as_deref(), Some("1.0"));
    /// # Ok::<(), countersign::a2a::A2aError>(())
    /// ```
    pub fn read(headers: &HeaderMap, query: Option<&str>) -> Result<Self, A2aError> {
        let mut out = Self::default();
        let listed = headers.get_all(VERSION_HEADER).iter();
        for value in listed {
            out.add_version(&String::from_utf8_lossy(value.as_bytes()));
        }
        for name in [EXTENSIONS_HEADER, LEGACY_EXTENSIONS_HEADER] {
            for value in headers.get_all(name) {
                out.add_extensions(value.to_str().map_err(|_| no_list())?)?;
            }
        }
        let pairs = query.unwrap_or_default().split('&');
        for (name, value) in pairs.filter_map(|pair| pair.split_once('=')) {
            let is = |known| name.eq_ignore_ascii_case(known);
            if is(VERSION_HEADER) {
                // What cannot be decoded is no version either.
                out.add_version(percent::decode_form(value).as_deref().unwrap_or(value));
            } else if is(EXTENSIONS_HEADER) {
                out.add_extensions(&percent::decode_form(value).ok_or_else(no_list)?)?;
            }
        }
        Ok(out)
    }

    fn add_version(&mut self, text: &str) {
        let text = text.trim_matches([' ', '\t']);
        match &mut self.version {
            Some(version) if version == text || text.is_empty() => {}
            Some(version) if version.is_empty() => text.clone_into(version),
            Some(version) => {
                version.push_str(", ");
                version.push_str(text);
            }
            None => self.version = Some(text.to_owned()),
        }
    }

    fn add_extensions(&mut self, list: &str) -> Result<(), A2aError> {
        let listed = list.split(',').map(|uri| uri.trim_matches([' ', '\t']));
        for uri in listed.filter(|uri| !uri.is_empty()) {
            let graphic = uri.bytes().all(|b| b.is_ascii_graphic());
            if !graphic || uri.len() > URI_MAX {
                return Err(no_list());
            }
            if self.extensions.iter().any(|known| known == uri) {
                continue;
            }
            if self.extensions.len() == EXTENSIONS_MAX {
                let message = format!("Over {EXTENSIONS_MAX} extensions are listed");
                return Err(A2aError::new(ErrorKind::InvalidRequest, message));
            }
            self.extensions.push(uri.to_owned());
        }
        Ok(())
    }

    /// The version that the request asks for, of those that are taken.
    ///
    /// # Errors
    /// `VersionNotSupported`.
    pub fn choose(&self, versions: Versions) -> Result<Version, A2aError> {
        versions.choose(self.version.as_deref())
    }

    /// Whether the request declares the extension.
    pub fn has_extension(&self, uri: &str) -> bool {
        self.extensions.iter().any(|declared| declared == uri)
    }

    /// Writes them into the headers or metadata of a request; version 0.3 has another name for the
    /// list of extensions. What no header can hold is left out.
    pub fn write(&self, headers: &mut HeaderMap) {
        let text = self.version.as_deref().unwrap_or_default();
        if let Ok(version) = HeaderValue::from_str(text)
            && !text.is_empty()
        {
            headers.insert(VERSION_HEADER, version);
        }
        let name = match Version::read(text) {
            Some(Version::V1_0) => EXTENSIONS_HEADER,
            Some(Version::V0_3) | None => LEGACY_EXTENSIONS_HEADER,
        };
        if let Some(list) = extensions_header(&self.extensions) {
            headers.insert(HeaderName::from_static(name), list);
        }
    }
}

/// A list of URIs as the value of [`EXTENSIONS_HEADER`]: what a client declares, and what a server
/// answers that it has activated. `None` when none can be listed.
///
/// ```
/// let uris = ["https://a.example/x/v1", "https://b.example/y/v2"];
/// let header = countersign::a2a::extensions_header(uris).unwrap();
/// assert_eq!(header, "https://a.example/x/v1,https://b.example/y/v2");
/// ```
pub fn extensions_header<T: AsRef<str>>(uris: impl IntoIterator<Item = T>) -> Option<HeaderValue> {
    let mut list = String::new();
    for uri in uris {
        let uri = uri.as_ref();
        // A comma would make two of it.
        if uri.is_empty() || !uri.bytes().all(|b| b.is_ascii_graphic() && b != b',') {
            continue;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(uri);
    }
    HeaderValue::try_from(list)
        .ok()
        .filter(|list| !list.is_empty())
}

fn no_list() -> A2aError {
    A2aError::new(
        ErrorKind::InvalidRequest,
        "A2A-Extensions is no list of URIs",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }

    fn version(lines: &[(&'static str, &str)], query: Option<&str>) -> Option<String> {
        let read = ServiceParameters::read(&headers(lines), query);
        read.expect("parameters").version
    }

    #[test]
    fn the_version_is_read_from_header_or_query() {
        assert_eq!(version(&[], None), None);
        assert_eq!(
            version(&[], Some("x=1&A2A-version=1.0&y")),
            Some("1.0".into())
        );
        assert_eq!(version(&[], Some("a2a-version=1%2E0")), Some("1.0".into()));
        for query in [None, Some("A2A-Version="), Some("A2A-Version=1.0")] {
            assert_eq!(
                version(&[("a2a-version", " 1.0")], query),
                Some("1.0".into())
            );
        }
        assert_eq!(
            version(&[("a2a-version", "")], Some("A2A-Version=1.0")),
            Some("1.0".into())
        );
    }

    #[test]
    fn two_versions_are_no_version() {
        let twice = [("a2a-version", "1.0"), ("a2a-version", "0.3")];
        for (lines, query) in [
            (&twice[..], None),
            (&twice[..1], Some("A2A-Version=0.3")),
            (&[][..], Some("A2A-Version=1.0&a2a-version=0.3")),
            (&[("a2a-version", "1.0\u{e9}")][..], None),
        ] {
            let read = ServiceParameters::read(&headers(lines), query).expect("parameters");
            let error = read.choose(Versions { v0_3: true }).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::VersionNotSupported, "{lines:?}");
        }
    }

    #[test]
    fn extensions_are_one_list_wherever_they_stand() {
        let lines = [
            ("a2a-extensions", "urn:a, urn:b,,"),
            ("a2a-extensions", "urn:c"),
            ("x-a2a-extensions", "urn:d,urn:a"),
        ];
        let read = ServiceParameters::read(&headers(&lines), Some("A2A-Extensions=urn%3Ae,urn:f"));
        let read = read.expect("parameters");
        assert_eq!(
            read.extensions,
            ["urn:a", "urn:b", "urn:c", "urn:d", "urn:e", "urn:f"]
        );
        assert!(read.has_extension("urn:d") && !read.has_extension("urn:"));
    }

    #[test]
    fn the_list_of_extensions_is_bounded() {
        let list = |n: usize| {
            let uris: Vec<_> = (0..n).map(|n| format!("urn:x:{n}")).collect();
            uris.join(",")
        };
        let long = |n: usize| "u".repeat(n);
        for (text, good) in [
            (list(EXTENSIONS_MAX), true),
            (list(EXTENSIONS_MAX) + ",urn:x:0", true),
            (list(EXTENSIONS_MAX + 1), false),
            (long(URI_MAX), true),
            (long(URI_MAX + 1), false),
            ("urn:a b".into(), false),
            ("urn:\u{e9}".into(), false),
        ] {
            let read = ServiceParameters::read(&headers(&[("a2a-extensions", &text)]), None);
            assert_eq!(
                read.map_err(|e| e.kind()).err(),
                (!good).then_some(ErrorKind::InvalidRequest),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for version in [Version::V0_3, Version::V1_0] {
            let sent = ServiceParameters::new(version, ["urn:a".into(), "urn:b".into()]);
            let mut headers = HeaderMap::new();
            sent.write(&mut headers);
            assert_eq!(headers.len(), 2);
            assert_eq!(ServiceParameters::read(&headers, None), Ok(sent));
        }
        assert_eq!(extensions_header(["", "a,b", "a\r\nb"]), None);
        let mut headers = HeaderMap::new();
        ServiceParameters::default().write(&mut headers);
        assert!(headers.is_empty());
    }
}
