//! The rules of token exchange (RFC 8693): what an agent gets for a token it was called with.

use serde_json::{Value, json};

use crate::clock::{Skew, UnixTime};
use crate::delegation::{ActChain, ChainLimits, DelegationError};
use crate::id::SpiffeId;
use crate::jose::JwkSet;
use crate::secret::Secret;
use crate::token::{MAX_TOKEN_BYTES, PresentedToken, Scopes, SignedClaims, TokenError};

use super::Refusal;

/// How many actors a token may name when it is issued.
const MAX_DEPTH: usize = ChainLimits::ISSUED.max_depth;

/// Checks a token of this authority that came back: type, signature, issuer, shape and time.
///
/// Not its audience and not its binding: who may use it for what is for the caller to decide.
pub(super) fn verify_own(
    token: &Secret,
    keys: &JwkSet,
    issuer: &str,
    now: UnixTime,
) -> Result<SignedClaims, TokenError> {
    let token = PresentedToken::from_text(token.expose())?;
    let claims = token.parse(MAX_TOKEN_BYTES)?.verify(keys, issuer)?;
    // The clock that checks is the clock that issued: there is no skew to forgive.
    claims.check_times(Skew::ZERO, now)?;
    Ok(claims)
}

/// Who asks, and what it may have at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Requester<'a> {
    pub(super) id: &'a SpiffeId,
    pub(super) allowed: &'a Scopes,
}

/// What an exchange gives, before it is written down and signed.
#[derive(Clone, Debug)]
pub(super) struct Exchanged {
    /// Unchanged from the subject token, whoever it is.
    pub(super) subject: String,
    /// The requester, around everybody who acted before.
    pub(super) act: Value,
    pub(super) scopes: Scopes,
    /// The subject token ends here, and so does what was got for it.
    pub(super) not_after: UnixTime,
}

/// Applies every rule to `subject`, which `requester` was called with.
///
/// The subject token is bound to the certificate of whoever called the requester; it is the
/// requester that has checked this, on the connection it was called over. Here the token is bound
/// anew.
pub(super) fn exchange(
    issuer: &str,
    requester: Requester<'_>,
    subject: &SignedClaims,
    asked: Option<&Scopes>,
    is_agent: impl Fn(&str) -> bool,
) -> Result<Exchanged, Refusal> {
    may_exchange(issuer, requester.id, subject)?;
    if subject.act().is_none() && subject.may_act().is_none() {
        // Only an agent speaking for itself needs no actor: sub and client_id are then the same.
        let itself = subject.subject() == subject.client_id() && is_agent(subject.subject());
        if !itself {
            return Err(Refusal::Impersonation {
                subject: subject.subject().to_owned(),
            });
        }
    }
    let act = extend_chain(issuer, requester.id, subject, &is_agent)?;
    let scopes = grant_scopes(requester, subject.scopes(), asked)?;
    Ok(Exchanged {
        subject: subject.subject().to_owned(),
        act,
        scopes,
        not_after: subject.expires(),
    })
}

/// Whether the subject token was meant for the requester.
fn may_exchange(issuer: &str, requester: &SpiffeId, subject: &SignedClaims) -> Result<(), Refusal> {
    if let Some(may_act) = subject.may_act() {
        // RFC 8693 §4.4: where the token names who may act, it is this one and nobody else. A member
        // that is not understood could narrow it further, so it names nobody we know.
        let names = may_act.as_object().is_some_and(|members| {
            members.get("sub").and_then(Value::as_str) == Some(requester.as_str())
                && members.iter().all(|(name, value)| match name.as_str() {
                    "sub" => true,
                    "iss" => value == issuer,
                    "client_id" => value == requester.as_str(),
                    _ => false,
                })
        });
        return names.then_some(()).ok_or_else(|| Refusal::MayAct {
            allowed: may_act.to_string(),
            requester: requester.clone(),
        });
    }
    if subject.audience() == requester.as_str() {
        return Ok(());
    }
    Err(Refusal::NotAudience {
        audience: subject.audience().to_owned(),
        requester: requester.clone(),
    })
}

/// RFC 8693 §4.1: the current actor outermost, whoever acted before nested inside, unchanged.
fn extend_chain(
    issuer: &str,
    requester: &SpiffeId,
    subject: &SignedClaims,
    is_agent: impl Fn(&str) -> bool,
) -> Result<Value, Refusal> {
    let again = || Refusal::Loop {
        requester: requester.clone(),
    };
    let mut act = json!({ "iss": issuer, "sub": requester });
    if subject.subject() == requester.as_str() {
        return Err(again());
    }
    let Some(prior) = subject.act() else {
        return Ok(act);
    };
    let chain = ActChain::parse(prior, ChainLimits::HARD_MAX);
    let chain = chain.map_err(|error| match error {
        DelegationError::TooDeep { max } => too_deep(max + 1),
        error => Refusal::Chain {
            why: error.reason(),
        },
    })?;
    if chain.iter().any(|actor| actor.sub == requester.as_str()) {
        return Err(again());
    }
    if chain.len() >= MAX_DEPTH {
        return Err(too_deep(chain.len() + 1));
    }
    // Whoever was shut out takes down what was done through it.
    if !chain.iter().all(|actor| is_agent(&actor.sub)) {
        return Err(Refusal::SubjectInvalid {
            why: "actor.unknown",
        });
    }
    // As it stands there, with every member: only what we issued ourselves gets here.
    act["act"] = prior.clone();
    Ok(act)
}

fn too_deep(depth: usize) -> Refusal {
    Refusal::Depth {
        depth,
        max: MAX_DEPTH,
    }
}

/// Asked for, within what the subject token has and what the agent is allowed; more is refused.
fn grant_scopes(
    requester: Requester<'_>,
    subject: &Scopes,
    asked: Option<&Scopes>,
) -> Result<Scopes, Refusal> {
    let Some(asked) = asked else {
        return Ok(subject.intersection(requester.allowed));
    };
    if !asked.is_subset(subject) {
        return Err(Refusal::ScopeExceedsSubject {
            asked: asked.to_string(),
            granted: subject.to_string(),
        });
    }
    if !asked.is_subset(requester.allowed) {
        return Err(Refusal::ScopeExceedsAgent {
            asked: asked.to_string(),
            requester: requester.id.clone(),
            allowed: requester.allowed.to_string(),
        });
    }
    Ok(asked.clone())
}

/// Checks an actor token: it may only say what the connection has proved already.
pub(super) fn check_actor(
    token: &Secret,
    keys: &JwkSet,
    issuer: &str,
    requester: &SpiffeId,
    now: UnixTime,
) -> Result<(), Refusal> {
    let invalid = |why| Refusal::ActorToken { why };
    let actor = verify_own(token, keys, issuer, now).map_err(|error| invalid(error.reason()))?;
    // The chain comes from the subject token alone: an actor that acts for others is none.
    if actor.act().is_some() || actor.may_act().is_some() {
        return Err(invalid("actor.delegated"));
    }
    if actor.subject() != requester.as_str() {
        return Err(invalid("actor.not_client"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Algorithm, SigningKey};
    use crate::jose::{Header, sign_compact};

    const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);
    const ISSUER: &str = "https://127.0.0.1:1";

    fn id(name: &str) -> String {
        format!("spiffe://travel.example/agent/{name}")
    }

    fn scopes(text: &str) -> Scopes {
        text.parse().expect("scopes")
    }

    /// `act` of these agents, newest first.
    fn act(names: &[&str]) -> Value {
        let (newest, prior) = names.split_first().expect("at least one");
        let mut act = json!({"iss": ISSUER, "sub": id(newest)});
        if !prior.is_empty() {
            act["act"] = self::act(prior);
        }
        act
    }

    /// A token with which front-desk called planner for alice.
    fn good() -> Value {
        json!({
            "iss": ISSUER, "sub": "alice", "aud": id("planner"), "client_id": id("front-desk"),
            "iat": NOW, "exp": NOW.secs() + 60, "jti": "1", "scope": "trips:read trips:write",
            "cnf": {"x5t#S256": "A".repeat(43)}, "act": act(&["front-desk"]),
        })
    }

    struct Issuer(SigningKey);

    impl Issuer {
        fn new() -> Self {
            Self(SigningKey::generate(Algorithm::Ed25519).expect("generates"))
        }

        fn sign(&self, typ: &str, claims: &Value) -> Secret {
            let header = Header::for_key(self.0.verifying_key(), typ);
            Secret::new(sign_compact(&header, claims, &self.0).expect("signs"))
        }

        fn keys(&self) -> JwkSet {
            JwkSet::of([self.0.verifying_key()])
        }

        /// `planner` exchanges a token with these claims.
        fn exchange(&self, claims: &Value, asked: Option<&str>) -> Result<Exchanged, Refusal> {
            let token = self.sign("at+jwt", claims);
            let subject = verify_own(&token, &self.keys(), ISSUER, NOW);
            let subject = subject.map_err(|error| Refusal::SubjectInvalid {
                why: error.reason(),
            })?;
            let planner: SpiffeId = id("planner").parse().expect("an ID");
            let allowed = scopes("trips:read payments");
            let requester = Requester {
                id: &planner,
                allowed: &allowed,
            };
            let asked = asked.map(scopes);
            let agents = ["front-desk", "planner", "a", "b", "c", "d"].map(id);
            let is_agent = |id: &str| agents.iter().any(|agent| agent == id);
            exchange(ISSUER, requester, &subject, asked.as_ref(), is_agent)
        }

        fn outcome(&self, claims: &Value, asked: Option<&str>) -> &'static str {
            let done = self.exchange(claims, asked);
            done.map_or_else(|refusal| refusal.reason(), |_| "granted")
        }
    }

    #[test]
    fn the_requester_becomes_the_outermost_actor_and_all_else_stays() {
        let done = Issuer::new().exchange(&good(), Some("trips:read"));
        let done = done.expect("granted");
        assert_eq!(done.subject, "alice");
        assert_eq!(done.act, act(&["planner", "front-desk"]));
        assert_eq!(done.scopes, scopes("trips:read"));
        assert_eq!(done.not_after.secs(), NOW.secs() + 60);
    }

    #[test]
    fn members_of_earlier_actors_are_kept_as_they_are() {
        let mut claims = good();
        claims["act"]["sub_profile"] = json!("ai_agent");
        let done = Issuer::new().exchange(&claims, None).expect("granted");
        assert_eq!(done.act["act"], claims["act"]);
    }

    #[test]
    fn each_changed_claim_has_its_own_reason() {
        let issuer = Issuer::new();
        let secs = NOW.secs();
        for (claim, value, want) in [
            (
                "iss",
                json!("https://127.0.0.1:2"),
                "exchange.subject_invalid",
            ),
            ("exp", json!(secs + 1), "granted"),
            ("exp", json!(secs), "exchange.subject_invalid"),
            ("iat", json!(secs + 1), "exchange.subject_invalid"),
            ("nbf", json!(secs + 1), "exchange.subject_invalid"),
            ("aud", json!(id("booking")), "exchange.not_audience"),
            ("aud", json!(ISSUER), "exchange.not_audience"),
            ("may_act", json!({"sub": id("planner")}), "granted"),
            (
                "may_act",
                json!({"sub": id("planner"), "iss": ISSUER}),
                "granted",
            ),
            (
                "may_act",
                json!({"sub": id("planner"), "iss": "x"}),
                "exchange.may_act",
            ),
            (
                "may_act",
                json!({"sub": id("planner"), "task": 1}),
                "exchange.may_act",
            ),
            (
                "may_act",
                json!({"sub": id("front-desk")}),
                "exchange.may_act",
            ),
            ("may_act", json!({}), "exchange.may_act"),
            ("may_act", json!(id("planner")), "exchange.may_act"),
            ("act", json!("planner"), "exchange.chain"),
            ("act", json!({"iss": ISSUER}), "exchange.chain"),
            ("act", act(&["a", "b", "a"]), "exchange.chain"),
            ("act", act(&["planner"]), "exchange.loop"),
            ("act", act(&["front-desk", "planner"]), "exchange.loop"),
            (
                "act",
                act(&["front-desk", "shut-out"]),
                "exchange.subject_invalid",
            ),
        ] {
            let mut claims = good();
            claims[claim] = value;
            assert_eq!(
                issuer.outcome(&claims, Some("trips:read")),
                want,
                "{claims}"
            );
        }
    }

    #[test]
    fn a_named_actor_needs_not_be_the_audience() {
        let mut login = good();
        login["aud"] = json!(ISSUER);
        login["may_act"] = json!({"sub": id("planner")});
        login.as_object_mut().expect("an object").remove("act");
        let done = Issuer::new().exchange(&login, None).expect("granted");
        assert_eq!(done.act, act(&["planner"]));
    }

    #[test]
    fn five_actors_are_issued_and_six_are_not() {
        let issuer = Issuer::new();
        let mut claims = good();
        claims["act"] = act(&["a", "b", "c", "d"]);
        assert_eq!(issuer.outcome(&claims, None), "granted");
        claims["act"] = act(&["a", "b", "c", "d", "front-desk"]);
        assert_eq!(issuer.outcome(&claims, None), "exchange.depth");
    }

    #[test]
    fn scope_is_never_widened_and_never_silently_narrowed() {
        let issuer = Issuer::new();
        for (asked, want) in [
            ("trips:read", "granted"),
            ("trips:read payments", "exchange.scope_exceeds_subject"),
            ("payments", "exchange.scope_exceeds_subject"),
            ("trips:write", "exchange.scope_exceeds_agent"),
            ("trips:read trips:write", "exchange.scope_exceeds_agent"),
        ] {
            assert_eq!(issuer.outcome(&good(), Some(asked)), want, "{asked}");
        }
        let all = issuer.exchange(&good(), None).expect("granted");
        assert_eq!(all.scopes, scopes("trips:read"));
    }

    #[test]
    fn an_agent_that_spoke_for_itself_stays_the_subject() {
        let issuer = Issuer::new();
        let mut claims = good();
        claims.as_object_mut().expect("an object").remove("act");
        assert_eq!(issuer.outcome(&claims, None), "exchange.impersonation");
        claims["sub"] = json!(id("front-desk"));
        let done = issuer.exchange(&claims, None).expect("granted");
        assert_eq!(done.subject, id("front-desk"));
        assert_eq!(done.act, act(&["planner"]));
        (claims["sub"], claims["client_id"]) = (json!(id("planner")), json!(id("planner")));
        assert_eq!(issuer.outcome(&claims, None), "exchange.loop");
        (claims["sub"], claims["client_id"]) = (json!(id("x")), json!(id("x")));
        assert_eq!(issuer.outcome(&claims, None), "exchange.impersonation");
    }

    #[test]
    fn only_our_own_access_tokens_are_exchanged() {
        let (issuer, other) = (Issuer::new(), Issuer::new());
        let verify = |token: &Secret| {
            let done = verify_own(token, &issuer.keys(), ISSUER, NOW);
            done.map_or_else(|error| error.reason(), |_| "ours")
        };
        assert_eq!(verify(&issuer.sign("at+jwt", &good())), "ours");
        assert_eq!(verify(&issuer.sign("JWT", &good())), "token.type");
        assert_eq!(verify(&other.sign("at+jwt", &good())), "token.unknown_key");
        let (token, mut claims) = (issuer.sign("at+jwt", &good()), good());
        claims["sub"] = json!("bob");
        let bob = issuer.sign("at+jwt", &claims);
        let (_, signature) = token.expose().rsplit_once('.').expect("a JWS");
        let (unsigned, _) = bob.expose().rsplit_once('.').expect("a JWS");
        let grafted = Secret::new(format!("{unsigned}.{signature}"));
        assert_eq!(verify(&grafted), "token.signature");
        assert_eq!(verify(&Secret::new("opaque".into())), "token.malformed");
    }

    #[test]
    fn an_actor_token_may_only_repeat_what_the_connection_proved() {
        let issuer = Issuer::new();
        let planner: SpiffeId = id("planner").parse().expect("an ID");
        let check = |claims: &Value| {
            let token = issuer.sign("at+jwt", claims);
            let done = check_actor(&token, &issuer.keys(), ISSUER, &planner, NOW);
            done.map_or_else(|refusal| refusal.to_string(), |()| "fine".into())
        };
        let mut claims = good();
        claims.as_object_mut().expect("an object").remove("act");
        claims["sub"] = json!(id("planner"));
        assert_eq!(check(&claims), "fine");
        for (claim, value, want) in [
            ("act", act(&["front-desk"]), "actor.delegated"),
            ("may_act", json!({"sub": id("planner")}), "actor.delegated"),
            ("sub", json!(id("front-desk")), "actor.not_client"),
            ("exp", json!(NOW), "token.expired"),
        ] {
            let mut changed = claims.clone();
            changed[claim] = value;
            let got = check(&changed);
            assert!(got.ends_with(want), "{got} for {changed}");
        }
    }
}
