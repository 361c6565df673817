//! The card of an agent, derived from what it enforces and what it was set up to do.

use indexmap::IndexMap;

use super::AgentError;
use super::builder::Agent;
use crate::a2a::{
    AgentCard, AgentInterface, AgentSkill, BINDING_GRPC, BINDING_HTTP_JSON, BINDING_JSONRPC,
    Operation, VERSION, Version,
};
use crate::card::{CardBuilder, Enforced, OAuthEnforced};
use crate::policy::Policy;
use crate::server::binding::Terms;
use crate::server::routes::Paths;
use crate::workload::Workload;

/// Where an agent is reached.
pub(super) struct Places<'a> {
    /// Scheme, host and port.
    pub(super) origin: &'a str,
    /// Host and port for gRPC, when it is served.
    pub(super) grpc: Option<String>,
    pub(super) paths: &'a Paths,
}

impl Places<'_> {
    /// The interfaces, the preferred one first: every binding without a tenant, then of each tenant,
    /// then those of 0.3, which knows no tenants.
    pub(super) fn interfaces(&self, tenants: &[String], v03: bool) -> Vec<AgentInterface> {
        let (origin, paths) = (self.origin, self.paths);
        let http = [
            (BINDING_JSONRPC, format!("{origin}{}", paths.json_rpc)),
            (BINDING_HTTP_JSON, format!("{origin}{}", paths.rest)),
        ];
        let grpc = self.grpc.clone().map(|address| (BINDING_GRPC, address));
        let interface = |(binding, url): &(&str, String), version: &str, tenant| AgentInterface {
            url: url.clone(),
            protocol_binding: (*binding).to_owned(),
            tenant,
            protocol_version: version.to_owned(),
        };
        let mut all = Vec::new();
        for tenant in std::iter::once(None).chain(tenants.iter().map(Some)) {
            let now = http.iter().chain(&grpc);
            all.extend(now.map(|place| interface(place, VERSION, tenant.cloned())));
        }
        if v03 {
            let then = http.iter().chain(&grpc);
            all.extend(then.map(|place| interface(place, Version::V0_3.as_str(), None)));
        }
        all
    }
}

impl Agent {
    /// What is on the card besides security.
    pub(super) fn outline(&self, places: &Places<'_>) -> CardBuilder {
        let mut card = self.card.clone().streaming(self.streaming);
        if self.push.is_some() {
            card = card.push_notifications(true);
        }
        if self.extended.is_some() {
            card = card.extended_agent_card(true);
        }
        for interface in places.interfaces(&self.tenants, self.v03) {
            card = card.interface_with(interface);
        }
        let skills = self.skills.iter().cloned();
        let card = skills.fold(card, CardBuilder::skill);
        let extensions = self.extensions.iter().cloned();
        extensions.fold(card, CardBuilder::extension)
    }

    /// Whether the card that is derived has a skill, as every card must (A2A §4.4.1, §5.7). What a
    /// card written by hand has is its own matter.
    pub(super) fn check_skills(&self) -> Result<(), AgentError> {
        if self.own_card.is_none() && self.skills.is_empty() {
            return Err(AgentError::NoSkill);
        }
        Ok(())
    }

    /// Whether a card written by hand promises nothing that was not set up. An extended card may be
    /// promised: asked for it, the agent says that none is configured (A2A §3.1.11).
    pub(super) fn check_capabilities(&self, card: &AgentCard) -> Result<(), AgentError> {
        let promised = &card.capabilities;
        for (capability, promised, kept) in [
            ("streaming", promised.streaming, self.streaming),
            (
                "pushNotifications",
                promised.push_notifications,
                self.push.is_some(),
            ),
        ] {
            if promised == Some(true) && !kept {
                return Err(AgentError::Capability { capability });
            }
        }
        Ok(())
    }
}

/// What requests are held to, as the card tells it.
pub(super) fn terms(card: &AgentCard, v03: bool) -> Terms {
    let tenants = card.supported_interfaces.iter();
    let mut tenants: Vec<String> = tenants.filter_map(|i| i.tenant.clone()).collect();
    tenants.dedup();
    Terms {
        tenants,
        extensions: card.capabilities.extensions.clone(),
        skills: card.skills.iter().map(|skill| skill.id.clone()).collect(),
        v03,
    }
}

/// Where tokens are issued.
#[derive(Clone, Debug)]
pub(in crate::server) struct Issuer {
    pub(in crate::server) issuer: String,
    pub(in crate::server) token_url: String,
    pub(in crate::server) metadata_url: String,
}

/// What the pipeline enforces, for a card with `skills` to declare.
pub(super) fn enforced(
    workload: &Workload,
    issuer: &Issuer,
    policy: &Policy,
    skills: &[AgentSkill],
) -> Enforced {
    let demands = skills.iter().map(|skill| {
        let scopes = policy.skill(&skill.id).map(|needs| needs.scopes.iter());
        let scopes = scopes.into_iter().flatten().map(str::to_owned).collect();
        (skill, scopes)
    });
    let demands: Vec<(&AgentSkill, Vec<String>)> = demands.collect();
    // A scope is described by the skills and operations that demand it.
    let by_skill = demands.iter().flat_map(|(skill, list)| {
        list.iter()
            .map(|scope| (scope.clone(), skill.description.clone()))
    });
    let by_operation = Operation::ALL.into_iter().flat_map(|operation| {
        let needs = policy.operation(operation).map(|needs| needs.scopes.iter());
        needs
            .into_iter()
            .flatten()
            .map(move |scope| (scope.to_owned(), operation.to_string()))
    });
    let mut scopes: IndexMap<String, String> = IndexMap::new();
    for (scope, text) in by_skill.chain(by_operation) {
        let known = scopes.entry(scope).or_default();
        if !known.is_empty() {
            known.push_str("; ");
        }
        known.push_str(&text);
    }
    Enforced {
        mtls: true,
        oauth: Some(OAuthEnforced {
            issuer: issuer.issuer.clone(),
            token_url: issuer.token_url.clone(),
            metadata_url: issuer.metadata_url.clone(),
            scopes,
        }),
        signature_profile: Some("a2a".to_owned()),
        agent: workload.id().clone(),
        audience: workload.id().to_string(),
        skills: demands
            .into_iter()
            .map(|(skill, list)| (skill.id.clone(), list))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_has_its_interface_and_each_tenant_has_them_all() {
        let paths = Paths::default();
        let places = Places {
            origin: "https://a.test:7003",
            grpc: Some("a.test:7003".into()),
            paths: &paths,
        };
        let shown = |tenants: &[String], v03| -> Vec<String> {
            let all = places.interfaces(tenants, v03).into_iter();
            let shown = all.map(|i| {
                let tenant = i.tenant.unwrap_or_default();
                format!(
                    "{} {} {} {tenant}",
                    i.protocol_binding, i.protocol_version, i.url
                )
            });
            shown.map(|text| text.trim_end().to_owned()).collect()
        };
        let plain = [
            "JSONRPC 1.0 https://a.test:7003/a2a",
            "HTTP+JSON 1.0 https://a.test:7003/a2a/rest",
            "GRPC 1.0 a.test:7003",
        ];
        assert_eq!(shown(&[], false), plain);
        let with_tenant = shown(&["acme".into()], true);
        assert_eq!(with_tenant[..3], plain);
        assert_eq!(
            with_tenant[3..6],
            plain.map(|place| format!("{place} acme"))
        );
        let old = [
            "JSONRPC 0.3 https://a.test:7003/a2a",
            "HTTP+JSON 0.3 https://a.test:7003/a2a/rest",
            "GRPC 0.3 a.test:7003",
        ];
        assert_eq!(with_tenant[6..], old);
    }
}
