//! A key directory whose proofs are renewed while it is served.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::serve::Site;
use super::stop;
use crate::cli::outcome::Stop;
use crate::clock::{Clock as _, SystemClock, UnixTime};
use crate::httpsig::directory::prove;
use crate::httpsig::{
    DIRECTORY_CONTENT_TYPE, DIRECTORY_PATH, HttpKeySet, HttpSigningKey, Origin, ServedDocument,
    SignatureError,
};

/// How long a proof lives.
const LIFE: Duration = Duration::from_secs(300);
/// For how long one is used: with the half of its life that caches may keep it, it is still good.
const USED: Duration = Duration::from_secs(75);

/// Answers with the keys, a proof by each.
pub(super) fn site(keys: Vec<HttpSigningKey>, origin: &Origin) -> Result<Site, Stop> {
    let origin = origin.clone();
    let since = SystemClock.now();
    let first = document(&keys, &origin, since, since);
    let first = first.map_err(|error| stop::signature(&error))?;
    let state = Mutex::new((since, first));
    Ok(Arc::new(move |method, path, asked| {
        if path != DIRECTORY_PATH {
            return None;
        }
        let now = SystemClock.now();
        // A panic while it was held left it whole: the change is one assignment.
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (made, _) = &*state;
        if (now < *made || now.since(*made) >= USED)
            && let Ok(fresh) = document(&keys, &origin, now, since)
        {
            *state = (now, fresh);
        }
        Some(state.1.answer(method, asked))
    }))
}

/// The document as it is served, proved at `now`.
fn document(
    keys: &[HttpSigningKey],
    origin: &Origin,
    now: UnixTime,
    since: UnixTime,
) -> Result<ServedDocument, SignatureError> {
    let public = keys.iter().map(HttpSigningKey::verifying_key);
    let body = HttpKeySet::of(public).to_value().to_string().into_bytes();
    let proof = prove(keys, origin, &body, now, LIFE)?;
    let mut document = ServedDocument::new(body, DIRECTORY_CONTENT_TYPE, since).for_everybody();
    for name in proof.keys().filter(|name| *name != "content-type") {
        document = document.with(name.clone(), one_line(&proof, name.as_str())?);
    }
    Ok(document)
}

/// RFC 9110 §5.3: lines of one field are the same as one line with commas.
fn one_line(fields: &HeaderMap, name: &str) -> Result<HeaderValue, SignatureError> {
    let values = fields.get_all(name).iter();
    let values: Vec<_> = values.map(HeaderValue::as_bytes).collect();
    let value = HeaderValue::from_bytes(&values.join(&b", "[..]));
    value.map_err(|_| SignatureError::Provider)
}
