//! Enrolment codes: random, for one agent, once, for ten minutes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::UnixTime;
use crate::crypto::{random, same_bytes, sha256};
use crate::id::SpiffeId;
use crate::jose::encode_base64url;
use crate::secret::Secret;

/// How long a code can be used.
pub(super) const CODE_LIFE: Duration = Duration::from_secs(600);

/// The codes that were given out and not used; at most one an agent.
#[derive(Debug, Default)]
pub(super) struct Codes(Mutex<HashMap<SpiffeId, Code>>);

#[derive(Debug)]
struct Code {
    digest: [u8; 32],
    expires: UnixTime,
}

impl Codes {
    /// A fresh code for `agent`; an older one that was not used is void.
    pub(super) fn give(&self, agent: SpiffeId, now: UnixTime) -> Secret {
        let text = encode_base64url(&random::<32>());
        let code = Code {
            digest: sha256(text.as_bytes()),
            expires: now.plus(CODE_LIFE),
        };
        self.lock().insert(agent, code);
        Secret::new(text)
    }

    /// The agent whose code this is. The code is used up by asking.
    pub(super) fn take(&self, code: &str, now: UnixTime) -> Option<SpiffeId> {
        let digest = sha256(code.as_bytes());
        let mut codes = self.lock();
        // Every digest is compared, so that the time taken tells nothing of which was near.
        let mut found = None;
        for (agent, code) in codes.iter() {
            if same_bytes(&code.digest, &digest) {
                found = Some(agent.clone());
            }
        }
        let agent = found?;
        let code = codes.remove(&agent)?;
        (now < code.expires).then_some(agent)
    }

    /// Makes the code of `agent` void.
    pub(super) fn revoke(&self, agent: &SpiffeId) {
        self.lock().remove(agent);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SpiffeId, Code>> {
        // No step between lock and unlock leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);

    fn agent(name: &str) -> SpiffeId {
        format!("spiffe://travel.example/agent/{name}")
            .parse()
            .expect("an ID")
    }

    #[test]
    fn a_code_works_once_and_for_its_own_agent() {
        let codes = Codes::default();
        let (a, b) = (codes.give(agent("a"), NOW), codes.give(agent("b"), NOW));
        assert_eq!(codes.take("", NOW), None);
        assert_eq!(codes.take(&b.expose()[1..], NOW), None);
        assert_eq!(codes.take(b.expose(), NOW), Some(agent("b")));
        assert_eq!(codes.take(b.expose(), NOW), None);
        assert_eq!(codes.take(a.expose(), NOW), Some(agent("a")));
    }

    #[test]
    fn a_code_ends_after_exactly_ten_minutes() {
        let codes = Codes::default();
        let last = NOW.plus(Duration::from_secs(599));
        let code = codes.give(agent("a"), NOW);
        assert_eq!(codes.take(code.expose(), last), Some(agent("a")));
        let code = codes.give(agent("a"), NOW);
        assert_eq!(codes.take(code.expose(), NOW.plus(CODE_LIFE)), None);
        assert_eq!(codes.take(code.expose(), NOW), None, "it was used up");
    }

    #[test]
    fn a_new_code_makes_the_old_one_void() {
        let codes = Codes::default();
        let old = codes.give(agent("a"), NOW);
        let new = codes.give(agent("a"), NOW);
        assert_eq!(codes.take(old.expose(), NOW), None);
        assert_eq!(codes.take(new.expose(), NOW), Some(agent("a")));
        let code = codes.give(agent("a"), NOW);
        codes.revoke(&agent("a"));
        assert_eq!(codes.take(code.expose(), NOW), None);
        assert!(!format!("{codes:?}").contains(code.expose()));
    }
}
