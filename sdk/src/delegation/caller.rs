//! The caller: one agent, named alike by all proofs of a request.

use std::fmt;
use std::sync::Arc;

use super::{ActChain, Actor, ChainLimits, DelegationError, ShortName};
use crate::httpsig::{Fresh, VerifiedRequest};
use crate::id::SpiffeId;
use crate::svid::PeerIdentity;
use crate::token::{Scopes, VerifiedToken};

/// For whom the agent calls.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
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
