//! A key directory as it is served, with proofs that are renewed before they end.

use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, Method, Response};

use super::document::document_of;
use super::key_ring::{KeyRing, KeyRingError, RingKey, Rotation};
use super::proof::prove;
use crate::clock::UnixTime;
use crate::httpsig::profile::Profile;
use crate::httpsig::{
    DIRECTORY_CONTENT_TYPE, HttpSigningKey, Origin, ServedDocument, SignatureError,
};

/// How long a proof lives.
const LIFE: Duration = Duration::from_secs(300);

/// The key directory of an agent, to be served at
/// [`DIRECTORY_PATH`](crate::httpsig::DIRECTORY_PATH) of its origin.
///
/// Each answer carries a proof by each key. A proof is used for a quarter of its life and may be
/// kept for half of it, so one that comes from a cache has not ended.
///
/// ```
/// use countersign::clock::UnixTime;
/// use countersign::crypto::{Algorithm, SigningKey};
/// use countersign::httpsig::Origin;
/// use countersign::httpsig::directory::{KeyDirectory, KeyRing};
/// use http::{HeaderMap, Method};
///
/// let now = UnixTime::from_secs(1_735_689_600); // your clock's
/// let ring = KeyRing::new(SigningKey::generate(Algorithm::Ed25519)?, now);
/// let directory = KeyDirectory::new(ring, Origin::https("planner.example"));
/// let answer = directory.answer(&Method::GET, &HeaderMap::new(), now)?;
/// assert_eq!(answer.headers()["cache-control"], "max-age=150");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct KeyDirectory {
    origin: Origin,
    life: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ring: KeyRing,
    proved: Option<Proved>,
}

#[derive(Debug)]
struct Proved {
    document: Arc<ServedDocument>,
    at: UnixTime,
    /// When one of its keys is over.
    until: Option<UnixTime>,
}

impl KeyDirectory {
    /// The directory of these keys at `origin`, as configured; it is never taken from a request.
    pub fn new(ring: KeyRing, origin: Origin) -> Self {
        Self {
            origin,
            life: LIFE,
            state: Mutex::new(State { ring, proved: None }),
        }
    }

    /// How long a proof lives. Default 300 s; caches keep the directory for half of it.
    ///
    /// # Errors
    /// [`SignatureError::TooLarge`] past [`Profile::MAX_LIFE`].
    pub fn with_life(mut self, life: Duration) -> Result<Self, SignatureError> {
        self.life = Profile::directory().with_life(life)?.life;
        Ok(self)
    }

    /// Changes keys, see [`KeyRing::rotate`].
    ///
    /// # Errors
    /// [`KeyRingError`] when the key is there already, or there is no room for it.
    pub fn rotate(
        &self,
        key: impl Into<HttpSigningKey>,
        now: UnixTime,
        times: Rotation,
    ) -> Result<(), KeyRingError> {
        let mut state = self.state();
        state.ring.rotate(key, now, times)?;
        state.proved = None;
        Ok(())
    }

    /// Publishes the keys of another ring from now on.
    pub fn replace(&self, ring: KeyRing) {
        let mut state = self.state();
        state.ring = ring;
        state.proved = None;
    }

    /// The key that signs at `now`.
    pub fn signing_key(&self, now: UnixTime) -> Option<HttpSigningKey> {
        self.state().ring.signing_key(now).cloned()
    }

    /// The answer to a request with this method and these fields. One that says that nothing
    /// changed carries new proofs for what is kept.
    ///
    /// # Errors
    /// [`SignatureError`] when the provider fails to sign, the origin is none, or a key is a shared
    /// secret or a published test key.
    pub fn answer(
        &self,
        method: &Method,
        asked: &HeaderMap,
        now: UnixTime,
    ) -> Result<Response<Bytes>, SignatureError> {
        Ok(self.document(now)?.answer(method, asked))
    }

    fn document(&self, now: UnixTime) -> Result<Arc<ServedDocument>, SignatureError> {
        let mut state = self.state();
        if let Some(proved) = &state.proved
            && proved.at <= now
            && now < proved.at.plus(self.life / 4)
            && proved.until.is_none_or(|until| now < until)
        {
            return Ok(proved.document.clone());
        }
        state.ring.prune(now);
        let body = document_of(&state.ring, now);
        let keys = state.ring.published(now).map(RingKey::key);
        let mut proof = prove(keys, &self.origin, &body, now, self.life)?;
        proof.remove(CONTENT_TYPE);
        let cached = proof.remove(CACHE_CONTROL);
        // The proof is new, the document may be the same.
        let before = state.proved.as_ref().map(|proved| &proved.document);
        let same = before.filter(|before| before.body() == &body);
        let modified = same.map_or(now, |before| before.modified());
        let document = ServedDocument::new(body, DIRECTORY_CONTENT_TYPE, modified);
        let mut document = document.for_everybody().with_all(proof);
        if let Some(cached) = cached {
            document = document.with(CACHE_CONTROL, cached);
        }
        let document = Arc::new(document);
        state.proved = Some(Proved {
            document: document.clone(),
            at: now,
            until: state.ring.next_change(now),
        });
        Ok(document)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held left it whole: each change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ETAG, IF_NONE_MATCH, LAST_MODIFIED};

    use super::*;
    use crate::clock::Skew;
    use crate::httpsig::HttpAlgorithm;
    use crate::httpsig::directory::{Directory, verify_proof};

    const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);

    fn after(secs: u64) -> UnixTime {
        NOW.plus(Duration::from_secs(secs))
    }

    fn key() -> HttpSigningKey {
        HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key")
    }

    fn get(directory: &KeyDirectory, asked: &HeaderMap, now: UnixTime) -> Response<Bytes> {
        let answer = directory.answer(&Method::GET, asked, now);
        answer.expect("an answer")
    }

    fn max_age(headers: &HeaderMap) -> u64 {
        let value = headers[CACHE_CONTROL].to_str().expect("a text");
        let secs = value.strip_prefix("max-age=").expect("max-age");
        secs.parse().expect("a number")
    }

    #[test]
    fn what_comes_from_a_cache_still_proves_itself() {
        let (key, none) = (key(), HeaderMap::new());
        let origin = Origin::https("planner.example");
        let directory = KeyDirectory::new(KeyRing::new(key.clone(), NOW), origin.clone());
        for at in 0..600 {
            let answer = get(&directory, &none, after(at));
            let (headers, body) = (answer.headers(), answer.body());
            let last = after(at + max_age(headers));
            let public = key.verifying_key();
            verify_proof(headers, body, &origin, public, last, Skew::ZERO).expect("good");
            assert_eq!(headers[CONTENT_TYPE], DIRECTORY_CONTENT_TYPE);
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        }
    }

    #[test]
    fn a_known_directory_is_not_sent_again_but_its_proof_is_renewed() {
        let (key, none) = (key(), HeaderMap::new());
        let origin = Origin::https("planner.example");
        let directory = KeyDirectory::new(KeyRing::new(key.clone(), NOW), origin.clone());
        let first = get(&directory, &none, NOW);
        let asked = HeaderMap::from_iter([(IF_NONE_MATCH, first.headers()[ETAG].clone())]);
        let later = get(&directory, &asked, after(400));
        assert_eq!(later.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(
            later.headers()[LAST_MODIFIED],
            first.headers()[LAST_MODIFIED]
        );
        // RFC 9111 §4.3.4: a cache puts these in the place of those it kept.
        let public = key.verifying_key();
        let verify = |headers| {
            let body = first.body();
            let verified = verify_proof(headers, body, &origin, public, after(400), Skew::ZERO);
            verified.map_err(|error| error.reason()).err()
        };
        assert_eq!(verify(first.headers()), Some("signature.expired"));
        assert_eq!(verify(later.headers()), None);
        let head = directory
            .answer(&Method::HEAD, &none, after(400))
            .expect("an answer");
        assert_eq!((head.status(), head.body().len()), (StatusCode::OK, 0));
    }

    #[test]
    fn a_change_of_keys_shows_at_once_and_each_key_proves_itself() {
        let (one, two, none) = (key(), key(), HeaderMap::new());
        let origin = Origin::https("planner.example");
        let directory = KeyDirectory::new(KeyRing::new(one.clone(), NOW), origin.clone());
        let etag = |now| get(&directory, &none, now).headers()[ETAG].clone();
        let before = etag(NOW);
        let times = Rotation {
            lead: Duration::from_secs(100),
            kept: Duration::from_secs(10),
        };
        directory
            .rotate(two.clone(), NOW, times)
            .expect("there is room");
        assert_ne!(etag(NOW), before);
        for (at, want) in [
            (0, vec![&one, &two]),
            (109, vec![&one, &two]),
            (110, vec![&two]),
        ] {
            let answer = get(&directory, &none, after(at));
            let read = Directory::parse(answer.body()).expect("a directory");
            assert_eq!(read.len(), want.len(), "{at}");
            for key in want {
                let public = read.key(key.verifying_key().thumbprint(), after(at));
                let public = public.expect("it is there");
                let (headers, body) = (answer.headers(), answer.body());
                verify_proof(headers, body, &origin, public, after(at), Skew::ZERO).expect("good");
            }
        }
    }
}
