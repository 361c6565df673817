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
