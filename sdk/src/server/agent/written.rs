//! A card written by hand: it promises what is served, and leaves out nothing that callers need.

use http::Uri;

use super::builder::Agent;
use super::card::Places;
use super::error::AgentError;
use crate::a2a::{AgentCard, AgentInterface, BINDING_GRPC, Version};

impl Agent {
    /// Whether a card written by hand is true to what was set up: it promises nothing else, and
    /// names the agent's own interfaces.
    pub(super) fn check_written(
        &self,
        card: &AgentCard,
        places: &Places<'_>,
    ) -> Result<(), AgentError> {
        for interface in &card.supported_interfaces {
            self.check_interface(interface, places)
                .map_err(|why| AgentError::Interface {
                    url: interface.url.clone(),
                    binding: interface.protocol_binding.clone(),
                    version: interface.protocol_version.clone(),
                    why,
                })?;
        }
        let of_version = |version| {
            let named = card.supported_interfaces.iter();
            named
                .map(|interface| Version::read(&interface.protocol_version))
                .any(|named| named == Some(version))
        };
        for (version, served) in [(Version::V1_0, true), (Version::V0_3, self.v03)] {
            if served && !of_version(version) {
                let served = format!("A2A {version}");
                return Err(AgentError::NoInterface { served });
            }
        }
        for tenant in &self.tenants {
            let mut named = card.supported_interfaces.iter();
            if !named.any(|interface| interface.tenant.as_ref() == Some(tenant)) {
                let served = format!("the tenant {tenant:?}");
                return Err(AgentError::NoInterface { served });
            }
        }
        Ok(())
    }

    /// Whether it is one of the agent's own.
    fn check_interface(
        &self,
        named: &AgentInterface,
        places: &Places<'_>,
    ) -> Result<(), &'static str> {
        match Version::read(&named.protocol_version) {
            Some(Version::V1_0) => {}
            Some(Version::V0_3) if !self.v03 => {
                return Err("and 0.3 is off: allow_v0_3(true) turns it on");
            }
            Some(Version::V0_3) if named.tenant.is_some() => {
                return Err("and 0.3 knows no tenants");
            }
            Some(Version::V0_3) => {}
            None => return Err("which is no version that this agent speaks"),
        }
        let mut served = places.interfaces(&[], false).into_iter();
        let served = served.find(|served| served.protocol_binding == named.protocol_binding);
        let served = served.ok_or("a binding that this agent does not serve")?;
        let place = |interface: &AgentInterface| Place::of(interface, places.origin);
        match place(named) {
            Some(named) if Some(&named) == place(&served).as_ref() => Ok(()),
            _ => Err("which is not where this agent serves that binding"),
        }
    }
}

/// Where an interface is, in the one form of all its spellings.
#[derive(PartialEq, Eq, Debug)]
struct Place {
    scheme: String,
    /// In lower case, without the scheme's own port.
    authority: String,
    /// Without the slash at its end.
    path: String,
}

impl Place {
    /// The place of `interface` of an agent at `origin`; none when its URL is none that is called.
    fn of(interface: &AgentInterface, origin: &str) -> Option<Self> {
        let url = interface.url.as_str();
        let is_grpc = interface.protocol_binding == BINDING_GRPC;
        // A2A §4.4.6: gRPC names host and port, and some write the scheme before them.
        let text = if is_grpc && !url.contains("://") {
            format!("{}://{url}", origin.split("://").next()?)
        } else {
            url.to_owned()
        };
        let uri: Uri = text.parse().ok()?;
        if uri.query().is_some() || text.contains('#') {
            return None;
        }
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let own_port = if scheme == "http" { ":80" } else { ":443" };
        let authority = uri.authority()?.as_str().to_ascii_lowercase();
        let authority = authority.strip_suffix(own_port).unwrap_or(&authority);
        // Without TLS an agent is on this machine only, and answers to that name too.
        let local = origin.strip_prefix("http://").and_then(host);
        let authority = match (authority.strip_prefix("localhost"), local) {
            (Some(port), Some(local)) if port.is_empty() || port.starts_with(':') => {
                format!("{local}{port}")
            }
            _ => authority.to_owned(),
        };
        Some(Self {
            authority,
            path: uri
                .path()
                .strip_suffix('/')
                .unwrap_or(uri.path())
                .to_owned(),
            scheme,
        })
    }
}

/// The host of `host:port`.
fn host(authority: &str) -> Option<&str> {
    Some(authority.rsplit_once(':')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::a2a::{BINDING_HTTP_JSON, BINDING_JSONRPC};
    use crate::server::routes::Paths;

    fn interface(binding: &str, url: &str, version: &str) -> AgentInterface {
        AgentInterface {
            url: url.to_owned(),
            protocol_binding: binding.to_owned(),
            tenant: None,
            protocol_version: version.to_owned(),
        }
    }

    fn check(agent: &Agent, interfaces: Vec<AgentInterface>) -> Result<(), String> {
        let paths = Paths::default();
        let places = Places {
            origin: "https://a.test",
            grpc: Some("a.test:443".into()),
            paths: &paths,
        };
        let card = AgentCard {
            supported_interfaces: interfaces,
            ..AgentCard::default()
        };
        let checked = agent.check_written(&card, &places);
        checked.map_err(|error| error.to_string())
    }

    fn agent(v03: bool) -> Agent {
        Agent::without_identity("a", "A").allow_v0_3(v03)
    }

    #[test]
    fn an_interface_is_served_where_and_as_it_is_named() {
        let (rpc, rest, grpc) = (BINDING_JSONRPC, BINDING_HTTP_JSON, BINDING_GRPC);
        for (binding, url, version, wrong) in [
            (rpc, "https://a.test/a2a", "1.0", None),
            (rpc, "https://a.test/a2a/", "1.0", None),
            (rpc, "https://A.test:443/a2a", "1.0.1", None),
            (rest, "https://a.test/a2a/rest", "1.0", None),
            (grpc, "a.test:443", "1.0", None),
            (grpc, "https://a.test", "1.0", None),
            (rpc, "https://a.test/a2a", "0.3", Some("0.3 is off")),
            (rpc, "https://a.test/a2a", "2.0", Some("no version")),
            (rpc, "https://a.test/a2a", "", Some("no version")),
            (rest, "https://a.test/a2a", "1.0", Some("not where")),
            (rpc, "https://a.test/a2a/rest", "1.0", Some("not where")),
            (rpc, "https://b.test/a2a", "1.0", Some("not where")),
            (rpc, "https://a.test:8443/a2a", "1.0", Some("not where")),
            (rpc, "http://a.test/a2a", "1.0", Some("not where")),
            (rpc, "https://localhost/a2a", "1.0", Some("not where")),
            (rpc, "https://u@a.test/a2a", "1.0", Some("not where")),
            (rpc, "https://a.test/a2a?x", "1.0", Some("not where")),
            (rpc, "/a2a", "1.0", Some("not where")),
            (grpc, "a.test:8443", "1.0", Some("not where")),
            (grpc, "http://a.test:443", "1.0", Some("not where")),
            (
                "urn:other",
                "https://a.test/a2a",
                "1.0",
                Some("does not serve"),
            ),
        ] {
            let own = interface(rpc, "https://a.test/a2a", "1.0");
            let got = check(&agent(false), vec![own, interface(binding, url, version)]);
            match (got, wrong) {
                (Ok(()), None) => {}
                (Err(error), Some(wrong)) => {
                    assert!(
                        error.contains(wrong) && error.contains(url),
                        "{url}: {error}"
                    );
                }
                (got, _) => panic!("{binding} {url} {version}: {got:?}"),
            }
        }
    }

    #[test]
    fn what_is_served_is_named() {
        let now = || interface(BINDING_JSONRPC, "https://a.test/a2a", "1.0");
        let then = || interface(BINDING_JSONRPC, "https://a.test/a2a", "0.3");
        let of_acme = |interface| AgentInterface {
            tenant: Some("acme".into()),
            ..interface
        };
        let for_acme = agent(false).tenant("acme");
        for (agent, interfaces, wrong) in [
            (&agent(false), vec![now()], None),
            (&agent(false), vec![], Some("no interface of A2A 1.0")),
            (&agent(true), vec![now(), then()], None),
            (&agent(true), vec![now()], Some("no interface of A2A 0.3")),
            (&agent(true), vec![then()], Some("no interface of A2A 1.0")),
            (
                &agent(true),
                vec![now(), of_acme(then())],
                Some("knows no tenants"),
            ),
            (&for_acme, vec![now(), of_acme(now())], None),
            (
                &for_acme,
                vec![now()],
                Some("no interface of the tenant \"acme\""),
            ),
        ] {
            let got = check(agent, interfaces);
            match (got, wrong) {
                (Ok(()), None) => {}
                (Err(error), Some(wrong)) => assert!(error.contains(wrong), "{error}"),
                (got, _) => panic!("{wrong:?}: {got:?}"),
            }
        }
    }
}
