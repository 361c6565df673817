//! Where a request was sent to: configured, never believed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::Extensions;
use http::header::HOST;
use http::request::Parts;

use super::forwarded::{ForwardedField, unknown};
use super::network::ProxyNetwork;
use crate::httpsig::{Origin, SignatureError};

/// Who is at the other end of the connection: an extension of the request that the server sets. With
/// axum's `ConnectInfo<SocketAddr>` there (feature `server`) it need not be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerAddress(
    /// The address.
    pub IpAddr,
);

impl From<SocketAddr> for PeerAddress {
    fn from(address: SocketAddr) -> Self {
        Self(address.ip())
    }
}

/// Which origin a request is verified for. A signature that was made for another does not verify.
///
/// ```
/// use countersign::httpsig::Origin;
/// use countersign::webbotauth::{ForwardedField, OriginRule};
/// // One public name: no field of a request says anything about it.
/// let one = OriginRule::fixed(Origin::https("shop.example"));
/// // Two, and proxies that say which one the client meant.
/// let two = OriginRule::one_of([Origin::https("shop.example"), Origin::https("api.example")])
///     .behind(["10.1.0.0/16".parse()?], ForwardedField::Forwarded);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OriginRule(Arc<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    origins: Vec<Origin>,
    proxies: Vec<ProxyNetwork>,
    field: Option<ForwardedField>,
}

impl OriginRule {
    /// This one, whatever the request says.
    pub fn fixed(origin: Origin) -> Self {
        Self::one_of([origin])
    }

    /// The one of these that the request names in `Host`, or `:authority`. With only one of them it
    /// is that one, whatever the request says; with none, nothing is verified.
    pub fn one_of(origins: impl IntoIterator<Item = Origin>) -> Self {
        // One that is no origin stays as it is, and no signature verifies for it.
        let origins = origins.into_iter();
        let origins = origins.map(|origin| origin.normalized().unwrap_or(origin));
        Self(Arc::new(Rule {
            origins: origins.collect(),
            proxies: Vec::new(),
            field: None,
        }))
    }

    /// From these proxies, the one that they name in `field`. Of everybody else the field is
    /// ignored.
    #[must_use]
    pub fn behind(
        self,
        proxies: impl IntoIterator<Item = ProxyNetwork>,
        field: ForwardedField,
    ) -> Self {
        let mut rule = Arc::unwrap_or_clone(self.0);
        rule.proxies.extend(proxies);
        rule.field = Some(field);
        Self(Arc::new(rule))
    }

    /// Where this request was sent to.
    ///
    /// # Errors
    /// [`SignatureError::Origin`] when it was to none of the configured origins, or a proxy does not
    /// say to which.
    pub fn of(&self, parts: &Parts) -> Result<Origin, SignatureError> {
        let rule = &*self.0;
        if let [only] = rule.origins.as_slice() {
            return Ok(only.clone());
        }
        let peer = peer(&parts.extensions);
        let proxied = peer.is_some_and(|peer| rule.proxies.iter().any(|net| net.contains(peer)));
        if let (true, Some(field)) = (proxied, rule.field) {
            let said = field.origin(&parts.headers, &rule.proxies)?;
            return match rule.origins.contains(&said) {
                true => Ok(said),
                false => Err(unknown(&said.authority)),
            };
        }
        let named = named(parts).ok_or_else(|| unknown(""))?;
        let mut ours = rule.origins.iter().filter(|origin| {
            let authority = named.clone();
            let scheme = origin.scheme;
            let named = Origin { scheme, authority }.normalized();
            named.is_ok_and(|named| named == **origin)
        });
        match (ours.next(), ours.next()) {
            (Some(one), None) => Ok(one.clone()),
            // Nobody, or the same authority with two schemes, of which the request says nothing.
            _ => Err(unknown(&named)),
        }
    }
}

/// RFC 9110 §7.2: the authority that the request names; two different ones are none.
fn named(parts: &Parts) -> Option<String> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().ok()?),
        (Some(_), Some(_)) => return None,
        (None, _) => None,
    };
    match (parts.uri.authority(), host) {
        (Some(authority), Some(host)) if !authority.as_str().eq_ignore_ascii_case(host) => None,
        (Some(authority), _) => Some(authority.as_str().to_owned()),
        (None, host) => host.map(str::to_owned),
    }
}

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    if let Some(PeerAddress(address)) = extensions.get() {
        return Some(*address);
    }
    #[cfg(feature = "server")]
    if let Some(axum::extract::ConnectInfo(address)) =
        extensions.get::<axum::extract::ConnectInfo<SocketAddr>>()
    {
        return Some(address.ip());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields<'a> = &'a [(&'static str, &'a str)];

    const OURS: &str = "10.1.0.7";
    const STRANGER: &str = "198.51.100.7";

    fn request(peer: &str, fields: &[(&'static str, &str)]) -> Parts {
        let mut request = http::Request::get("/");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        let peer = PeerAddress(peer.parse().expect("an address"));
        parts.extensions.insert(peer);
        parts
    }

    fn word(rule: &OriginRule, parts: &Parts) -> String {
        match rule.of(parts) {
            Ok(origin) => format!("{}://{}", origin.scheme.as_str(), origin.authority),
            Err(error) => error.reason().to_owned(),
        }
    }

    fn two() -> OriginRule {
        let plain = Origin {
            scheme: crate::httpsig::Scheme::Http,
            authority: "plain.example".to_owned(),
        };
        OriginRule::one_of([
            Origin::https("shop.example"),
            Origin::https("API.example:443"),
            plain,
        ])
    }

    fn behind(field: ForwardedField) -> OriginRule {
        two().behind(["10.1.0.0/16".parse().expect("a network")], field)
    }

    #[test]
    fn one_public_origin_is_what_it_is_whatever_a_request_says() {
        let rule = OriginRule::fixed(Origin::https("shop.example"));
        for fields in [
            &[][..],
            &[("host", "evil.example")],
            &[("forwarded", "host=evil.example;proto=https")],
            &[
                ("x-forwarded-host", "evil.example"),
                ("x-forwarded-proto", "https"),
            ],
        ] {
            for peer in [OURS, STRANGER] {
                assert_eq!(word(&rule, &request(peer, fields)), "https://shop.example");
            }
        }
        let none = OriginRule::one_of([]);
        assert_eq!(word(&none, &request(OURS, &[])), "signature.origin");
    }

    #[test]
    fn forwarded_fields_are_believed_of_named_proxies_only() {
        use ForwardedField::{Forwarded, XForwarded};
        let shop = ("host", "shop.example");
        let api = "host=api.example;proto=https";
        let x_api = ("x-forwarded-host", "api.example");
        let x_https = ("x-forwarded-proto", "https");
        let no = "signature.origin";
        let cases: &[(&str, Fields<'_>, ForwardedField, &str)] = &[
            // Nobody of ours: the fields are as if they were not there.
            (
                STRANGER,
                &[shop, ("forwarded", api)],
                Forwarded,
                "https://shop.example",
            ),
            (
                STRANGER,
                &[shop, x_api, x_https],
                XForwarded,
                "https://shop.example",
            ),
            (STRANGER, &[("forwarded", api)], Forwarded, no),
            (STRANGER, &[("host", "evil.example")], Forwarded, no),
            // Ours, with the field that they write.
            (
                OURS,
                &[shop, ("forwarded", api)],
                Forwarded,
                "https://api.example",
            ),
            (
                OURS,
                &[shop, x_api, x_https],
                XForwarded,
                "https://api.example",
            ),
            (
                "::ffff:10.1.0.7",
                &[shop, x_api, x_https],
                XForwarded,
                "https://api.example",
            ),
            (
                "10.2.0.7",
                &[shop, x_api, x_https],
                XForwarded,
                "https://shop.example",
            ),
            // The other kind is a client's.
            (OURS, &[shop, x_api, x_https], Forwarded, no),
            (OURS, &[shop, ("forwarded", api)], XForwarded, no),
            // Not one of our origins, or not said.
            (
                OURS,
                &[shop, ("forwarded", "host=evil.example;proto=https")],
                Forwarded,
                no,
            ),
            (
                OURS,
                &[shop, ("forwarded", "host=api.example;proto=http")],
                Forwarded,
                no,
            ),
            (
                OURS,
                &[shop, ("forwarded", "host=plain.example;proto=http")],
                Forwarded,
                "http://plain.example",
            ),
            (
                OURS,
                &[shop, ("forwarded", "host=api.example")],
                Forwarded,
                no,
            ),
            (OURS, &[shop, ("forwarded", "for=1.2.3.4")], Forwarded, no),
            (OURS, &[shop], Forwarded, no),
            (OURS, &[shop, x_api], XForwarded, no),
            (
                OURS,
                &[
                    shop,
                    ("x-forwarded-host", "evil.example, api.example"),
                    x_https,
                ],
                XForwarded,
                no,
            ),
            (
                OURS,
                &[shop, ("x-forwarded-host", "evil.example"), x_api, x_https],
                XForwarded,
                no,
            ),
            // What a client put before our proxy's element is not looked at.
            (
                OURS,
                &[
                    shop,
                    (
                        "forwarded",
                        "host=shop.example;proto=https;for=10.1.0.9, for=198.51.100.7;host=api.example;proto=https",
                    ),
                ],
                Forwarded,
                "https://api.example",
            ),
            // It is when another proxy of ours wrote it.
            (
                OURS,
                &[
                    shop,
                    (
                        "forwarded",
                        "for=198.51.100.7;host=api.example;proto=https, for=\"10.1.0.9:80\";host=inner;proto=http",
                    ),
                ],
                Forwarded,
                "https://api.example",
            ),
            // Three lines are one list; only the two that are ours count.
            (
                OURS,
                &[
                    ("forwarded", "host=shop.example;proto=https"),
                    (
                        "forwarded",
                        "for=\"[2001:db8::1]:4711\";host=\"api.example\";proto=HTTPS",
                    ),
                    ("forwarded", "For=10.1.0.9;Host=inner;Proto=http"),
                ],
                Forwarded,
                "https://api.example",
            ),
            // Not written as the RFC says: nothing is believed.
            (
                OURS,
                &[shop, ("forwarded", "host=\"api.example;proto=https")],
                Forwarded,
                no,
            ),
            (
                OURS,
                &[
                    shop,
                    (
                        "forwarded",
                        "host=shop.example;host=api.example;proto=https",
                    ),
                ],
                Forwarded,
                no,
            ),
            (
                OURS,
                &[shop, ("forwarded", "host;proto=https")],
                Forwarded,
                no,
            ),
            (
                OURS,
                &[shop, ("forwarded", "host=\"api.example\\\";proto=https")],
                Forwarded,
                no,
            ),
        ];
        for (peer, fields, field, want) in cases {
            let parts = request(peer, fields);
            assert_eq!(word(&behind(*field), &parts), *want, "{peer} {fields:?}");
        }
    }

    #[test]
    fn without_an_address_of_the_peer_nothing_forwarded_is_believed() {
        let rule = behind(ForwardedField::Forwarded);
        let fields = [
            ("host", "shop.example"),
            ("forwarded", "host=api.example;proto=https"),
        ];
        let mut parts = request(OURS, &fields);
        parts.extensions.clear();
        assert_eq!(word(&rule, &parts), "https://shop.example");
    }

    #[test]
    fn a_request_with_two_hosts_names_none() {
        let mut parts = request(
            STRANGER,
            &[("host", "shop.example"), ("host", "shop.example")],
        );
        assert_eq!(word(&two(), &parts), "signature.origin");
        parts = request(STRANGER, &[("host", "shop.example")]);
        parts.uri = "https://api.example/".parse().expect("a URI");
        assert_eq!(word(&two(), &parts), "signature.origin");
        parts.headers.clear();
        assert_eq!(word(&two(), &parts), "https://api.example");
    }
}
