//! Step 3: what a verified card comes to for one kind of call, worked out once.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::Uri;

use super::call::Intent;
use super::connect::Peer;
use super::error::ClientError;
use crate::a2a::SecurityScheme;
use crate::card::{self, Held, Plan, VerifiedCard};
use crate::httpsig::Origin;
use crate::token::Scopes;

/// More kinds of calls than this to one peer and the memory begins again: a bound, no tuning knob.
const MAX_PLANS: usize = 16;

/// Which alternative of the card a call takes, with which scopes, and where it goes.
#[derive(Debug)]
pub(super) struct Planned {
    /// What was intended: the skill and the scopes of the intent, as they are there.
    skill: Option<String>,
    asked: Option<Scopes>,
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

impl Plans {
    /// The plan for `intent`, with a certificate and tokens of `issuer` held.
    pub(super) fn of(
        &self,
        intent: &Intent,
        card: &VerifiedCard,
        issuer: &str,
    ) -> Result<Arc<Planned>, ClientError> {
        let same =
            |known: &&Arc<Planned>| known.skill == intent.skill && known.asked == intent.scopes;
        if let Some(known) = self.0.load().iter().find(same) {
            return Ok(known.clone());
        }
        let scopes = wanted_scopes(intent, card)?;
        let plan = card::plan(card, &held(issuer, &scopes))?;
        let made = Arc::new(Planned {
            skill: intent.skill.clone(),
            asked: intent.scopes.clone(),
            interface: interface(&intent.peer, &plan)?,
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

fn held(issuer: &str, scopes: &Scopes) -> Held {
    Held {
        certificate: true,
        token_issuers: vec![issuer.to_owned()],
        scopes: scopes.iter().map(str::to_owned).collect(),
    }
}

/// The scopes to ask for: those given, else those of the skill, or of the only one there is, else
/// those of the card's preferred alternative.
pub(super) fn wanted_scopes(intent: &Intent, card: &VerifiedCard) -> Result<Scopes, ClientError> {
    if let Some(scopes) = &intent.scopes {
        return Ok(scopes.clone());
    }
    let card = card.card();
    let skill = match (&intent.skill, card.skills.as_slice()) {
        (Some(id), skills) => {
            let found = skills.iter().find(|skill| &skill.id == id);
            Some(found.ok_or_else(|| ClientError::NoSkill { skill: id.clone() })?)
        }
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let demanded = skill.and_then(|skill| skill.security_requirements.first());
    let Some(demanded) = demanded.or_else(|| card.security_requirements.first()) else {
        return Ok(Scopes::default());
    };
    // The list of a mutual TLS scheme holds no scopes (OpenAPI: names for people).
    let of_tokens = demanded.schemes.iter().filter(|(name, _)| {
        let scheme = card.security_schemes.get(*name);
        !matches!(scheme, Some(SecurityScheme::MutualTls(_)))
    });
    let scopes = of_tokens.flat_map(|(_, list)| &list.list);
    Ok(Scopes::of(scopes)?)
}

/// Where to send the call: on the origin whose certificate vouched for the card, nowhere else.
fn interface(peer: &Peer, plan: &Plan) -> Result<Uri, ClientError> {
    let foreign = || ClientError::ForeignInterface {
        interface: plan.interface_url().to_owned(),
        origin: peer.origin().to_owned(),
    };
    let uri: Uri = plan.interface_url().parse().map_err(|_| foreign())?;
    let same = uri.scheme() == Some(&http::uri::Scheme::HTTPS)
        && uri.authority().is_some_and(|named| {
            let named = Origin::https(named.as_str()).normalized();
            named.is_ok() && named.ok() == peer.target().normalized().ok()
        });
    if same { Ok(uri) } else { Err(foreign()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::testing::{BOOKING, World, card};
    use crate::client::call::Authority;

    const ISSUER: &str = "https://as.example";

    fn intent(skill: &str, scopes: Option<&str>) -> Intent {
        Intent {
            peer: Peer::new("https://booking.example", BOOKING).expect("a peer"),
            authority: Authority::Own,
            skill: Some(skill.to_owned()),
            scopes: scopes.map(|text| text.parse().expect("scopes")),
        }
    }

    #[test]
    fn a_plan_serves_the_same_intent_and_no_other() {
        let (plans, card) = (Plans::default(), World::new().verified(&card()));
        let of = |intent: &Intent| plans.of(intent, &card, ISSUER);
        let first = of(&intent("reserve", None)).expect("a plan");
        assert_eq!(first.scopes.to_string(), "booking:reserve");
        assert_eq!(first.interface, "https://booking.example/a2a");
        let again = of(&intent("reserve", None)).expect("a plan");
        assert!(Arc::ptr_eq(&first, &again));
        let more = of(&intent("reserve", Some("booking:cancel booking:reserve")));
        let more = more.expect("a plan").scopes.to_string();
        assert_eq!(more, "booking:cancel booking:reserve");
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
            let planned = plans.of(&intent("reserve", Some(&asked)), &card, ISSUER);
            assert_eq!(planned.expect("a plan").scopes.to_string(), asked);
            if at == MAX_PLANS {
                assert_eq!(plans.0.load().len(), 1);
            }
        }
    }
}
