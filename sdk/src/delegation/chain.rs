//! The actors of a token, from the newest to the oldest.

use std::fmt;

use serde_json::{Map, Value};

use super::DelegationError;

/// Who acts, or acted: the members of an `act` claim that count.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Actor {
    /// The actor's name, unique at `iss`; for an agent its SPIFFE ID.
    pub sub: String,
    /// Who gave the actor that name, when the token says so.
    pub iss: Option<String>,
}

impl Actor {
    /// The actor as tokens should name one: with its issuer.
    pub fn new(iss: impl Into<String>, sub: impl Into<String>) -> Self {
        Self {
            sub: sub.into(),
            iss: Some(iss.into()),
        }
    }

    /// Whether both can be the same: an actor without issuer could be of any.
    fn may_be(&self, other: &Self) -> bool {
        let issuers = self.iss.as_ref().zip(other.iss.as_ref());
        self.sub == other.sub && issuers.is_none_or(|(a, b)| a == b)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.sub)
    }
}

/// How long a chain of actors may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChainLimits {
    /// The most actors in a chain; values over [`ChainLimits::HARD_MAX`] count as that.
    pub max_depth: usize,
}

impl ChainLimits {
    /// The most actors that can be configured.
    pub const HARD_MAX: usize = 16;

    /// What an issuer should grant by default: 5.
    pub const ISSUED: Self = Self { max_depth: 5 };

    /// The limit that holds.
    pub const fn effective(self) -> usize {
        if self.max_depth < Self::HARD_MAX {
            self.max_depth
        } else {
            Self::HARD_MAX
        }
    }
}

impl Default for ChainLimits {
    /// What is accepted by default: 10.
    fn default() -> Self {
        Self { max_depth: 10 }
    }
}

/// A chain of actors, newest first, with at least one actor and without loops.
///
/// Only the newest counts when access is decided; the others are history (RFC 8693 §4.1).
///
/// ```
/// use countersign::delegation::{ActChain, Actor};
/// let act = serde_json::json!({"sub": "planner", "act": {"sub": "front-desk"}});
/// let chain = ActChain::parse(&act, 10)?;
/// assert_eq!(chain.current().sub, "planner");
/// assert_eq!(chain.prior()[0].sub, "front-desk");
/// let next = chain.nest(&Actor::new("https://authority.test", "booking"));
/// assert_eq!(next["sub"], "booking");
/// assert_eq!(next["act"]["sub"], "planner");
/// # Ok::<(), countersign::delegation::DelegationError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActChain {
    newest: Actor,
    prior: Vec<Actor>,
}

impl ActChain {
    /// A chain of one.
    pub fn of(actor: Actor) -> Self {
        Self {
            newest: actor,
            prior: Vec::new(),
        }
    }

    /// Reads an `act` claim of at most `max_depth` actors (and never more than
    /// [`ChainLimits::HARD_MAX`]). Members other than `sub`, `iss` and `act` are ignored.
    ///
    /// # Errors
    /// [`DelegationError::NotObject`], [`DelegationError::Member`], [`DelegationError::TooDeep`] or
    /// [`DelegationError::Loop`].
    pub fn parse(act: &Value, max_depth: usize) -> Result<Self, DelegationError> {
        let max = ChainLimits { max_depth }.effective();
        let mut actors = Vec::new();
        let mut next = Some(act);
        while let Some(act) = next {
            if actors.len() == max {
                return Err(DelegationError::TooDeep { max });
            }
            let depth = actors.len() + 1;
            let members = act.as_object();
            let members = members.ok_or(DelegationError::NotObject { depth })?;
            actors.push(read_actor(members, depth)?);
            next = members.get("act");
        }
        refuse_loops(&actors)?;
        let mut actors = actors.into_iter();
        // There is one: the loop above ran at least once unless `max` is 0, which returned.
        let newest = actors.next().ok_or(DelegationError::TooDeep { max })?;
        Ok(Self {
            newest,
            prior: actors.collect(),
        })
    }

    /// Who acts now: the outermost actor, the only one that counts (RFC 8693 §4.1).
    pub fn current(&self) -> &Actor {
        &self.newest
    }

    /// Who acted before, newest first: history, never a right.
    pub fn prior(&self) -> &[Actor] {
        &self.prior
    }

    /// Who acted first.
    pub fn origin(&self) -> &Actor {
        self.prior.last().unwrap_or(&self.newest)
    }

    /// All actors, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Actor> {
        std::iter::once(&self.newest).chain(&self.prior)
    }

    /// How many actors there are; at least 1.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a chain is never empty, so there is nothing to ask"
    )]
    pub fn len(&self) -> usize {
        1 + self.prior.len()
    }

    /// The `act` claim of a token where `actor` acts next and this chain is its history.
    ///
    /// Nothing is checked here: an issuer extends a chain with [`ActChain::extended`].
    pub fn nest(&self, actor: &Actor) -> Value {
        to_value(std::iter::once(actor).chain(self.iter()))
    }

    /// This chain with `actor` as the newest, for an issuer.
    ///
    /// # Errors
    /// [`DelegationError::TooDeep`] when that is more than `limits` allow (a chain is never cut),
    /// [`DelegationError::Loop`].
    pub fn extended(&self, actor: Actor, limits: ChainLimits) -> Result<Self, DelegationError> {
        let max = limits.effective();
        if self.len() >= max {
            return Err(DelegationError::TooDeep { max });
        }
        let prior: Vec<_> = self.iter().cloned().collect();
        let mut all = vec![actor.clone()];
        all.extend_from_slice(&prior);
        refuse_loops(&all)?;
        Ok(Self {
            newest: actor,
            prior,
        })
    }

    /// The `act` claim.
    pub fn to_value(&self) -> Value {
        to_value(self.iter())
    }
}

fn to_value<'a>(newest_first: impl Iterator<Item = &'a Actor>) -> Value {
    let actors: Vec<_> = newest_first.collect();
    let nested = actors.into_iter().rev().fold(None, |inner, actor| {
        let mut members = Map::new();
        if let Some(iss) = &actor.iss {
            members.insert("iss".into(), iss.as_str().into());
        }
        members.insert("sub".into(), actor.sub.as_str().into());
        if let Some(inner) = inner {
            members.insert("act".into(), inner);
        }
        Some(Value::Object(members))
    });
    nested.unwrap_or_default()
}

fn read_actor(members: &Map<String, Value>, depth: usize) -> Result<Actor, DelegationError> {
    let text = |member: &'static str| match members.get(member) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(DelegationError::Member { depth, member }),
    };
    let sub = text("sub")?.ok_or(DelegationError::Member {
        depth,
        member: "sub",
    })?;
    Ok(Actor {
        sub,
        iss: text("iss")?,
    })
}

/// An actor may follow itself (it exchanged its own token), but not come back after another.
fn refuse_loops(newest_first: &[Actor]) -> Result<(), DelegationError> {
    let mut runs: Vec<&Actor> = Vec::with_capacity(newest_first.len());
    for actor in newest_first {
        if runs.last().is_some_and(|last| last.may_be(actor)) {
            continue;
        }
        if runs.iter().any(|earlier| earlier.may_be(actor)) {
            return Err(DelegationError::Loop {
                actor: actor.clone(),
            });
        }
        runs.push(actor);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `act` of `n` different actors.
    fn deep(n: usize) -> Value {
        let actors: Vec<_> = (0..n)
            .map(|i| Actor::new("i", format!("agent-{i}")))
            .collect();
        to_value(actors.iter())
    }

    fn reason(act: &Value, max: usize) -> &'static str {
        ActChain::parse(act, max).map_or_else(|error| error.reason(), |_| "accepted")
    }

    #[test]
    fn the_outermost_actor_is_the_current_one() {
        // The shape of RFC 8693 figure 6.
        let act = json!({"sub": "https://service16.example.com",
            "act": {"sub": "https://service77.example.com"}});
        let chain = ActChain::parse(&act, 10).expect("a chain");
        assert_eq!(chain.current().sub, "https://service16.example.com");
        assert_eq!(chain.origin().sub, "https://service77.example.com");
        assert_eq!(chain.len(), 2);
        assert_eq!(chain.to_value(), act);
    }

    #[test]
    fn depth_ends_exactly_at_its_limits() {
        assert_eq!(reason(&deep(10), 10), "accepted");
        assert_eq!(reason(&deep(11), 10), "delegation.too_deep");
        assert_eq!(reason(&deep(16), usize::MAX), "accepted");
        assert_eq!(reason(&deep(17), usize::MAX), "delegation.too_deep");
        assert_eq!(reason(&deep(1), 0), "delegation.too_deep");
        assert_eq!(ChainLimits::default().effective(), 10);

        let chain = |n: usize| ActChain::parse(&deep(n), 16).expect("a chain");
        let next = |n: usize| {
            let grown = chain(n).extended(Actor::new("i", "next"), ChainLimits::ISSUED);
            grown.map(|chain| chain.len()).map_err(|e| e.reason())
        };
        assert_eq!(next(4), Ok(5));
        assert_eq!(next(5), Err("delegation.too_deep"));
    }

    #[test]
    fn only_objects_that_name_an_actor_are_taken() {
        for (act, want) in [
            (json!({"sub": "a"}), "accepted"),
            (json!({"iss": "i", "sub": "a"}), "accepted"),
            (
                json!({"iss": "i", "sub": "a", "sub_profile": "ai_agent", "client_id": "c",
                    "delegation_id": "delg_1", "exp": 1}),
                "accepted",
            ),
            (json!(null), "delegation.malformed"),
            (json!("a"), "delegation.malformed"),
            (json!([]), "delegation.malformed"),
            (json!([{"sub": "a"}]), "delegation.malformed"),
            (json!({}), "delegation.malformed"),
            (json!({"iss": "i"}), "delegation.malformed"),
            (json!({"sub": ""}), "delegation.malformed"),
            (json!({"sub": 7}), "delegation.malformed"),
            (json!({"sub": ["a"]}), "delegation.malformed"),
            (json!({"sub": "a", "iss": 7}), "delegation.malformed"),
            (json!({"sub": "a", "act": null}), "delegation.malformed"),
            (json!({"sub": "a", "act": {}}), "delegation.malformed"),
            (
                json!({"sub": "a", "act": [{"sub": "b"}]}),
                "delegation.malformed",
            ),
        ] {
            assert_eq!(reason(&act, 10), want, "{act}");
        }
    }

    #[test]
    fn an_actor_may_follow_itself_but_not_come_back() {
        let of = |names: &[(&str, Option<&str>)]| {
            let actors: Vec<_> = names
                .iter()
                .map(|(sub, iss)| Actor {
                    sub: (*sub).to_owned(),
                    iss: iss.map(str::to_owned),
                })
                .collect();
            reason(&to_value(actors.iter()), 10)
        };
        let i = Some("i");
        assert_eq!(of(&[("a", i), ("a", i), ("b", i)]), "accepted");
        assert_eq!(of(&[("a", i), ("a", i), ("a", i)]), "accepted");
        assert_eq!(of(&[("a", i), ("b", i), ("a", i)]), "delegation.loop");
        assert_eq!(
            of(&[("a", i), ("b", i), ("c", i), ("b", i)]),
            "delegation.loop"
        );
        assert_eq!(of(&[("a", i), ("b", i), ("a", Some("j"))]), "accepted");
        assert_eq!(of(&[("a", i), ("b", i), ("a", None)]), "delegation.loop");

        let act = json!({"sub": "b", "iss": "i", "act": {"sub": "a", "iss": "i"}});
        let chain = ActChain::parse(&act, 10).expect("a chain");
        let back = chain.extended(Actor::new("i", "a"), ChainLimits::ISSUED);
        assert_eq!(back.map_err(|e| e.reason()), Err("delegation.loop"));
        let again = chain.extended(Actor::new("i", "b"), ChainLimits::ISSUED);
        assert_eq!(again.map(|chain| chain.len()), Ok(3));
    }

    #[test]
    fn an_issued_chain_names_issuer_and_subject_only() {
        let received = json!({"sub": "front-desk", "extra": true});
        let chain = ActChain::parse(&received, 10).expect("a chain");
        let next = Actor::new("https://authority.test", "planner");
        assert_eq!(
            chain.nest(&next),
            json!({"iss": "https://authority.test", "sub": "planner",
                "act": {"sub": "front-desk"}})
        );
        let extended = chain.extended(next.clone(), ChainLimits::ISSUED);
        assert_eq!(extended.map(|c| c.to_value()), Ok(chain.nest(&next)));
        assert_eq!(
            ActChain::of(next).to_value(),
            json!({"iss": "https://authority.test", "sub": "planner"})
        );
    }
}
