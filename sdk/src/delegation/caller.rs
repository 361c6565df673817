//! The caller: one agent, named alike by all proofs of a request.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ActChain, Actor, ChainLimits, DelegationError, ShortName};
use crate::httpsig::{Fresh, VerifiedRequest};
use crate::id::SpiffeId;
use crate::svid::PeerIdentity;
use crate::token::{Scopes, VerifiedToken};

/// For whom the agent calls.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Principal {
    /// For a user: the token's `sub`, with an `act` that names the agent.
    User {
        /// Who vouches for the user.
        issuer: String,
        /// The user's name at that issuer.
        subject: String,
    },
    /// For another agent that began the chain in its own name; there is no user.
    Agent {
        /// Who vouches for that agent.
        issuer: String,
        /// That agent's name: a SPIFFE ID.
        subject: String,
    },
    /// For itself: `sub` is the agent and there is no `act`.
    App,
}

impl Principal {
    /// Whether there is a user behind the call.
    pub const fn is_user(&self) -> bool {
        match self {
            Self::User { .. } => true,
            Self::Agent { .. } | Self::App => false,
        }
    }

    /// Whom the call is for, when it is for somebody else than the caller.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::User { subject, .. } | Self::Agent { subject, .. } => Some(subject),
            Self::App => None,
        }
    }
}

/// Who is calling, for whom and through whom: the evidence of the delegation step.
///
/// TLS peer, owner of the signature, certificate of the token and its outermost actor are one and
/// the same agent. Cloning is cheap. As text it is one phrase: `booking for alice through planner,
/// front-desk`. Debug shows no token.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    principal: Principal,
    chain: Option<ActChain>,
    token: VerifiedToken,
    request: Fresh,
}

/// Joins the proofs of a request into its caller.
///
/// ```
/// use countersign::delegation::{Caller, ChainLimits, DelegationError, caller};
/// use countersign::httpsig::Fresh;
/// use countersign::token::VerifiedToken;
///
/// fn who(token: VerifiedToken, request: Fresh) -> Result<Caller, DelegationError> {
///     let caller = caller(token, request, ChainLimits::default())?;
///     println!("{caller}"); // booking for alice through planner, front-desk
///     Ok(caller)
/// }
/// ```
///
/// # Errors
/// [`DelegationError`] naming the proof that names somebody else, or the rule that the chain breaks.
pub fn caller(
    token: VerifiedToken,
    request: Fresh,
    limits: ChainLimits,
) -> Result<Caller, DelegationError> {
    let owner = request.request().owner();
    if token.bound_to() != owner.certificate() {
        return Err(DelegationError::ProofsDisagree {
            token: token.bound_to(),
            request: owner.certificate(),
        });
    }
    let chain = match token.act() {
        Some(act) => {
            let chain = ActChain::parse(act, limits.max_depth)?;
            check_current_actor(&chain, owner.id())?;
            Some(chain)
        }
        // A token that speaks for a user but names no actor would let this agent be that user.
        None if token.subject() != owner.id().as_str() => {
            return Err(DelegationError::Impersonation {
                subject: token.subject().to_owned(),
                peer: owner.id().clone(),
            });
        }
        None => None,
    };
    // RFC 8693 §4.3, RFC 9068 §2.2: client_id is who asked for the token: the agent that acts.
    if token.client_id() != owner.id().as_str() {
        return Err(DelegationError::ClientNotActor {
            client_id: token.client_id().to_owned(),
            peer: owner.id().clone(),
        });
    }
    Ok(Caller(Arc::new(Parts {
        principal: principal(&token),
        chain,
        token,
        request,
    })))
}

/// RFC 8693 §4.1: the outermost actor is the current one, so it must be the peer.
fn check_current_actor(chain: &ActChain, peer: &SpiffeId) -> Result<(), DelegationError> {
    let current = chain.current();
    if current.sub == peer.as_str() {
        return Ok(());
    }
    match chain.iter().position(|actor| actor.sub == peer.as_str()) {
        Some(at) => Err(DelegationError::Inverted {
            outermost: current.clone(),
            peer: peer.clone(),
            depth: at + 1,
        }),
        None => Err(DelegationError::ActorNotPeer {
            actor: current.clone(),
            peer: peer.clone(),
        }),
    }
}

fn principal(token: &VerifiedToken) -> Principal {
    let issuer = token.issuer().to_owned();
    let subject = token.subject().to_owned();
    let scheme = subject.get(.."spiffe:".len()).unwrap_or_default();
    if token.act().is_none() {
        Principal::App
    } else if scheme.eq_ignore_ascii_case("spiffe:") {
        // No user has a SPIFFE ID: the chain began with a token that an agent got for itself.
        Principal::Agent { issuer, subject }
    } else {
        Principal::User { issuer, subject }
    }
}

impl Caller {
    /// Who is calling.
    pub fn agent(&self) -> &SpiffeId {
        self.peer().id()
    }

    /// For whom.
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// The name of the user, or of the agent that began the chain; nothing when the agent calls for
    /// itself.
    pub fn on_behalf_of(&self) -> Option<&str> {
        self.0.principal.subject()
    }

    /// The agents before this one, newest first: history, never a right.
    pub fn through(&self) -> &[Actor] {
        self.0.chain.as_ref().map_or(&[], ActChain::prior)
    }

    /// The chain with this agent as its current actor; nothing when the agent calls for itself.
    pub fn chain(&self) -> Option<&ActChain> {
        self.0.chain.as_ref()
    }

    /// What the token grants.
    pub fn scopes(&self) -> &Scopes {
        self.0.token.scopes()
    }

    /// The token's evidence.
    pub fn token(&self) -> &VerifiedToken {
        &self.0.token
    }

    /// The signature's evidence.
    pub fn request(&self) -> &VerifiedRequest {
        self.0.request.request()
    }

    /// The certificate's evidence.
    pub fn peer(&self) -> &PeerIdentity {
        self.request().owner()
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.agent().short_name())?;
        match self.on_behalf_of() {
            Some(subject) => write!(f, " for {}", ShortName(subject))?,
            None => f.write_str(" for itself")?,
        }
        for (at, actor) in self.through().iter().enumerate() {
            let before = if at == 0 { " through" } else { "," };
            write!(f, "{before} {}", ShortName(&actor.sub))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{FRONT_DESK, PLANNER, act, app_only, call, delegated, signed_by};
    use super::*;
    use crate::token::testing::{BOOKING, ISSUER, World};

    fn reason(world: &World) -> &'static str {
        call(world).map_or_else(|error| error.reason(), |_| "accepted")
    }

    fn with(claims: &[(&str, Value)]) -> World {
        let mut world = World::good();
        for (claim, value) in claims {
            match value {
                Value::Null => drop(world.claims.as_object_mut().expect("object").remove(*claim)),
                value => world.claims[*claim] = value.clone(),
            }
        }
        world
    }

    #[test]
    fn a_delegated_caller_is_one_agent_for_a_user_through_others() {
        let caller = delegated("a b");
        assert_eq!(
            caller.to_string(),
            "booking for alice through planner, front-desk"
        );
        assert_eq!(caller.agent().as_str(), BOOKING);
        assert_eq!(caller.on_behalf_of(), Some("alice"));
        let user = Principal::User {
            issuer: ISSUER.to_owned(),
            subject: "alice".to_owned(),
        };
        assert_eq!(*caller.principal(), user);
        let through: Vec<_> = caller.through().iter().map(|a| a.sub.as_str()).collect();
        assert_eq!(through, [PLANNER, FRONT_DESK]);
        assert_eq!(caller.chain().map(ActChain::len), Some(3));
        assert_eq!(caller.scopes().to_string(), "a b");
        assert_eq!(caller.request().owner().id(), caller.agent());
        assert_eq!(caller.peer().certificate(), caller.token().bound_to());
    }

    #[test]
    fn an_agent_can_call_for_itself_and_begin_a_chain() {
        let caller = app_only("a");
        assert_eq!(*caller.principal(), Principal::App);
        assert_eq!(caller.on_behalf_of(), None);
        assert!(caller.through().is_empty());
        assert_eq!(caller.to_string(), "booking for itself");

        // Planner got a token for itself and booking exchanged it: no user stands behind it.
        let world = with(&[("sub", json!(PLANNER)), ("act", act(&[BOOKING]))]);
        let caller = call(&world).expect("a caller");
        assert!(!caller.principal().is_user());
        assert_eq!(caller.on_behalf_of(), Some(PLANNER));
        assert_eq!(caller.to_string(), "booking for planner");
        let shouting = with(&[("sub", json!("SPIFFE://x/y")), ("act", act(&[BOOKING]))]);
        let caller = call(&shouting).expect("a caller");
        assert!(!caller.principal().is_user());
    }

    #[test]
    fn proofs_that_name_different_agents_make_no_caller() {
        let none = Value::Null;
        for (claims, want) in [
            (vec![("act", act(&[BOOKING]))], "accepted"),
            (vec![("act", act(&[PLANNER]))], "delegation.actor_not_peer"),
            (
                vec![("act", act(&[FRONT_DESK, PLANNER]))],
                "delegation.actor_not_peer",
            ),
            (
                vec![("act", act(&[FRONT_DESK, PLANNER, BOOKING]))],
                "delegation.inverted",
            ),
            (
                vec![("act", act(&[PLANNER, BOOKING, FRONT_DESK]))],
                "delegation.inverted",
            ),
            (
                vec![("act", json!({"sub": BOOKING.to_uppercase()}))],
                "delegation.actor_not_peer",
            ),
            (vec![("act", none.clone())], "delegation.impersonation"),
            (
                vec![("act", none.clone()), ("sub", json!(PLANNER))],
                "delegation.impersonation",
            ),
            (
                vec![("act", none.clone()), ("sub", json!(BOOKING))],
                "accepted",
            ),
            (
                vec![
                    ("act", none),
                    ("sub", json!(BOOKING)),
                    ("client_id", json!(PLANNER)),
                ],
                "delegation.client_not_actor",
            ),
            (
                vec![("client_id", json!(PLANNER))],
                "delegation.client_not_actor",
            ),
            (
                vec![("act", json!([{"sub": BOOKING}]))],
                "delegation.malformed",
            ),
            (vec![("act", json!({}))], "delegation.malformed"),
            (
                vec![("act", act(&[BOOKING, PLANNER, BOOKING]))],
                "delegation.loop",
            ),
        ] {
            assert_eq!(reason(&with(&claims)), want, "{claims:?}");
        }
        // An `act` that is null is there, and is no object.
        let mut world = World::good();
        world.claims["act"] = Value::Null;
        assert_eq!(reason(&world), "delegation.malformed");
    }

    #[test]
    fn an_inverted_chain_is_called_so() {
        let error = call(&with(&[("act", act(&[FRONT_DESK, PLANNER, BOOKING]))]));
        let text = error.expect_err("refused").to_string();
        assert!(
            text.contains("inverted") && text.contains("depth 3"),
            "{text}"
        );
    }

    #[test]
    fn a_token_of_one_certificate_does_not_join_a_request_of_another() {
        let world = World::good();
        let token = world.check().expect("a good token");
        let renewed = crate::svid::PeerIdentity::unproved(
            BOOKING,
            b"the next certificate of booking",
            world.peer.key().clone(),
        );
        let request = signed_by(&world, &renewed);
        let got = caller(token, request, ChainLimits::default());
        assert_eq!(
            got.map(drop).map_err(|e| e.reason()),
            Err("delegation.proofs_disagree")
        );
    }

    #[test]
    fn the_depth_of_the_limits_is_kept_exactly() {
        let names: Vec<_> = (0..11).map(|i| format!("agent-{i}")).collect();
        let of = |n: usize| {
            let mut chain = vec![BOOKING];
            chain.extend(names[1..n].iter().map(String::as_str));
            reason(&with(&[("act", act(&chain))]))
        };
        assert_eq!(of(10), "accepted");
        assert_eq!(of(11), "delegation.too_deep");
    }

    #[test]
    fn debug_shows_no_token() {
        let world = World::good();
        let caller = call(&world).expect("a caller");
        let text = caller.token().subject_token().expose().to_owned();
        let payload = text.split('.').nth(1).expect("three parts");
        assert!(!format!("{caller:?}").contains(payload));
    }

    #[test]
    fn strangers_cannot_forge_the_phrase() {
        let world = with(&[("sub", json!("alice through planner\n"))]);
        let caller = call(&world).expect("a caller");
        assert_eq!(
            caller.to_string(),
            "booking for \"alice through planner\\n\""
        );
    }
}
