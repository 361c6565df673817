//! Step 3: what a verified card comes to for one kind of call, worked out once.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::Uri;

use super::call::Intent;
use super::cards::Kept;
use super::connect::Client;
use super::credentials::CredentialRequest;
use super::error::ClientError;
use crate::a2a::{AgentSkill, SecurityScheme, Version};
use crate::card::{
    self, Held, Plan, Protocol, ProtocolBinding, Unsatisfiable, VerifiedCard, Wanted,
};
use crate::token::Scopes;

/// More kinds of calls than this to one peer and the memory begins again: a bound, no tuning knob.
const MAX_PLANS: usize = 16;

/// What tells one kind of call from another: what was intended, as it was.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Kind {
    skill: Option<String>,
    asked: Option<Scopes>,
    binding: Option<ProtocolBinding>,
    version: Option<Version>,
}

impl Kind {
    fn is_of(&self, intent: &Intent) -> bool {
        self.skill == intent.skill
            && self.asked == intent.scopes
            && self.binding == intent.binding
            && self.version == intent.version
    }
}

/// Which alternative of the card a call takes, with which scopes, and where it goes.
#[derive(Debug)]
pub(super) struct Planned {
    kind: Kind,
    pub(super) scopes: Scopes,
    pub(super) plan: Plan,
    pub(super) interface: Uri,
}

/// The plans made from one verified card, by one client and for the one peer the card is of.
///
/// They are kept beside the card and go with it: a new card, and the same one under another trust,
/// begins with none.
#[derive(Default)]
pub(super) struct Plans(ArcSwap<Vec<Arc<Planned>>>);

/// What a client speaks, and whose order counts.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    pub(super) protocols: Vec<Protocol>,
    pub(super) own_order: bool,
}

impl Spoken {
    /// What is left of it when `intent` is pinned. Nothing is ever added: a version or a binding
    /// that was not allowed is not taken because it was named (A2A §3.6.3). gRPC needs HTTP/2.
    fn pinned(&self, intent: &Intent, http2: bool) -> Vec<Protocol> {
        let fits = |protocol: &&Protocol| {
            intent.binding.is_none_or(|pin| pin == protocol.binding)
                && intent.version.is_none_or(|pin| pin == protocol.version)
                && (http2 || protocol.binding != ProtocolBinding::Grpc)
        };
        self.protocols.iter().filter(fits).copied().collect()
    }
}

impl Client {
    /// The plan for `intent`, from the card that is kept.
    pub(super) async fn planned(
        &self,
        intent: &Intent,
        kept: &Kept,
    ) -> Result<Arc<Planned>, ClientError> {
        if let Some(known) = kept.plans.known(intent) {
            return Ok(known);
        }
        // Boxed, so that a call that finds its plan is not as large as one that has to make it.
        let credentials = Box::pin(self.credentials_for(&kept.card)).await;
        let held = Held {
            certificate: true,
            token_issuers: vec![self.0.oauth.issuer().to_owned()],
            scopes: None,
            credentials,
        };
        let protocols = self.0.spoken.pinned(intent, kept.http2);
        let own_order = self.0.spoken.own_order;
        kept.plans
            .make(intent, &kept.card, held, (&protocols, own_order))
    }

    /// The names of the schemes whose keys or passwords are held.
    async fn credentials_for(&self, card: &VerifiedCard) -> Vec<String> {
        let Some(provider) = &self.0.credentials else {
            return Vec::new();
        };
        let first = card.card().supported_interfaces.first();
        let interface = first.and_then(|interface| interface.url.parse().ok());
        let interface: Uri = interface.unwrap_or_default();
        let mut held = Vec::new();
        for (scheme_name, scheme) in &card.card().security_schemes {
            let asked = CredentialRequest {
                card,
                scheme_name,
                scheme,
                interface: &interface,
            };
            let kind = matches!(
                scheme,
                SecurityScheme::ApiKey(_) | SecurityScheme::HttpAuth(_)
            );
            if kind && provider.get_credentials(asked).await.is_some() {
                held.push(scheme_name.clone());
            }
        }
        held
    }
}

impl Plans {
    fn known(&self, intent: &Intent) -> Option<Arc<Planned>> {
        let known = self.0.load();
        known.iter().find(|known| known.kind.is_of(intent)).cloned()
    }

    /// Works the plan out and keeps it.
    fn make(
        &self,
        intent: &Intent,
        card: &VerifiedCard,
        mut held: Held,
        (spoken, own_order): (&[Protocol], bool),
    ) -> Result<Arc<Planned>, ClientError> {
        if let Some(asked) = &intent.scopes {
            held.scopes = Some(asked.iter().map(str::to_owned).collect());
        }
        let wanted = Wanted {
            skill: skill(intent, card)?,
            spoken,
            own_order,
            origin: Some(intent.peer.target()),
        };
        let plan = card::plan(card, &held, &wanted).map_err(|none| unmet(intent, none))?;
        let scopes = match &intent.scopes {
            Some(asked) => asked.clone(),
            None => Scopes::of(plan.scopes())?,
        };
        let url = plan.interface_url();
        let interface = url.parse().map_err(|_| ClientError::PeerUrl {
            url: url.to_owned(),
        })?;
        let made = Arc::new(Planned {
            kind: Kind {
                skill: intent.skill.clone(),
                asked: intent.scopes.clone(),
                binding: intent.binding,
                version: intent.version,
            },
            interface,
            scopes,
            plan,
        });
        self.0.rcu(|known| {
            let kept = if known.len() < MAX_PLANS {
                known.as_slice()
            } else {
                &[]
            };
            let mut next = kept.to_vec();
            next.push(made.clone());
            next
        });
        Ok(made)
    }
}

/// The skill whose demands count: the one that is named, else the only one there is, unless it was
/// said what to ask for.
fn skill<'a>(
    intent: &Intent,
    card: &'a VerifiedCard,
) -> Result<Option<&'a AgentSkill>, ClientError> {
    match (&intent.skill, card.card().skills.as_slice()) {
        (Some(id), skills) => {
            let found = skills.iter().find(|skill| &skill.id == id);
            let missing = || ClientError::NoSkill { skill: id.clone() };
            found.map(Some).ok_or_else(missing)
        }
        (None, [only]) if intent.scopes.is_none() => Ok(Some(only)),
        (None, _) => Ok(None),
    }
}

/// On the origin whose certificate vouched for the card, nowhere else.
fn unmet(intent: &Intent, none: Unsatisfiable) -> ClientError {
    match &none.elsewhere {
        Some(interface) => ClientError::ForeignInterface {
            interface: interface.clone(),
            origin: intent.peer.origin().to_owned(),
        },
        None => ClientError::Unsatisfiable(none),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::testing::{BOOKING, World, card};
    use crate::client::Peer;
    use crate::client::call::Authority;

    fn held() -> Held {
        Held {
            certificate: true,
            token_issuers: vec!["https://as.example".into()],
            ..Held::default()
        }
    }

    fn spoken() -> Spoken {
        Spoken {
            protocols: vec![
                Protocol::current(ProtocolBinding::JsonRpc),
                Protocol::current(ProtocolBinding::HttpJson),
                Protocol::current(ProtocolBinding::Grpc),
            ],
            own_order: false,
        }
    }

    fn intent(skill: &str, scopes: Option<&str>) -> Intent {
        let peer = Peer::new("https://booking.example", BOOKING).expect("a peer");
        let mut intent = Intent::new(&peer, Authority::Own);
        intent.skill = Some(skill.to_owned());
        intent.scopes = scopes.map(|text| text.parse().expect("scopes"));
        intent
    }

    fn of(
        plans: &Plans,
        card: &VerifiedCard,
        intent: &Intent,
    ) -> Result<Arc<Planned>, ClientError> {
        match plans.known(intent) {
            Some(known) => Ok(known),
            None => {
                let protocols = spoken().pinned(intent, true);
                plans.make(intent, card, held(), (&protocols, false))
            }
        }
    }

    #[test]
    fn a_plan_serves_the_same_intent_and_no_other() {
        let (plans, card) = (Plans::default(), World::new().verified(&card()));
        let of = |intent: &Intent| of(&plans, &card, intent);
        let first = of(&intent("reserve", None)).expect("a plan");
        assert_eq!(first.scopes.to_string(), "booking:reserve");
        assert_eq!(first.interface, "https://booking.example/a2a");
        let again = of(&intent("reserve", None)).expect("a plan");
        assert!(Arc::ptr_eq(&first, &again));
        let more = of(&intent("reserve", Some("booking:cancel booking:reserve")));
        let more = more.expect("a plan").scopes.to_string();
        assert_eq!(more, "booking:cancel booking:reserve");
        let mut pinned = intent("reserve", None);
        pinned.binding = Some(ProtocolBinding::JsonRpc);
        let pinned = of(&pinned).expect("a plan");
        assert!(!Arc::ptr_eq(&first, &pinned));
        for _ in 0..2 {
            let refused = of(&intent("rebook", None)).expect_err("no such skill");
            assert!(matches!(refused, ClientError::NoSkill { .. }), "{refused}");
        }
    }

    #[test]
    fn no_more_plans_are_kept_than_the_bound() {
        let (plans, card) = (Plans::default(), World::new().verified(&card()));
        for at in 0..=MAX_PLANS {
            assert_eq!(plans.0.load().len(), at);
            let asked = format!("booking:reserve other:{at}");
            let planned = of(&plans, &card, &intent("reserve", Some(&asked)));
            assert_eq!(planned.expect("a plan").scopes.to_string(), asked);
            if at == MAX_PLANS {
                assert_eq!(plans.0.load().len(), 1);
            }
        }
    }

    #[test]
    fn a_pin_takes_what_it_names_or_nothing() {
        let (plans, card) = (Plans::default(), World::new().verified(&card()));
        let pinned = |binding, version| {
            let mut intent = intent("reserve", None);
            (intent.binding, intent.version) = (binding, version);
            of(&plans, &card, &intent).map(drop).map_err(|e| e.reason())
        };
        let (json, rest) = (ProtocolBinding::JsonRpc, ProtocolBinding::HttpJson);
        let (new, old) = (Version::V1_0, Version::V0_3);
        for (binding, version, want) in [
            (None, None, Ok(())),
            (Some(json), Some(new), Ok(())),
            (Some(rest), None, Err("card.no_interface")),
            // Not allowed by the client, so not taken however clearly it is named.
            (None, Some(old), Err("card.no_interface")),
        ] {
            assert_eq!(pinned(binding, version), want, "{binding:?} {version:?}");
        }
    }

    #[test]
    fn grpc_is_spoken_over_http_2_only() {
        let intent = intent("reserve", None);
        let grpc = Protocol::current(ProtocolBinding::Grpc);
        assert!(spoken().pinned(&intent, true).contains(&grpc));
        let without = spoken().pinned(&intent, false);
        assert_eq!((without.contains(&grpc), without.len()), (false, 2));
    }

    #[test]
    fn an_interface_on_another_origin_is_never_called() {
        let mut foreign = card();
        foreign.supported_interfaces[0].url = "https://evil.example/a2a".into();
        let card = World::new().verified(&foreign);
        let refused = of(&Plans::default(), &card, &intent("reserve", None));
        let reason = refused.map(drop).map_err(|e| e.reason());
        assert_eq!(reason, Err("client.foreign_interface"));
    }
}
