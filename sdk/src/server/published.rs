//! What an agent publishes: its card and its key directory.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use crate::a2a::{AgentCard, JSON, ServiceParameters, VERSION_HEADER, Version, v03};
use crate::card::{self, CardError};
use crate::clock::{Clock as _, SystemClock, UnixTime};
use crate::crypto::sha256;
use crate::httpsig::{Origin, directory};
use crate::jose::encode_base64url;
use crate::workload::{Snapshot, Workload};

/// How long a caller may keep the card, in seconds.
const MAX_AGE: u32 = 240;
/// Life of the proof that a key directory carries; it may be kept for half of that.
const DIRECTORY_PROOF: Duration = Duration::from_secs(300);

/// The card of an agent, signed with its certificate.
pub(super) struct Cards {
    card: AgentCard,
    workload: Workload,
    origin: Origin,
    signed: ArcSwapOption<Published>,
    v03: Option<Document>,
}

/// The card as it is served, signed with the certificate of one generation.
pub(super) struct Published {
    generation: u64,
    document: Document,
}

/// The card of an agent that proves nobody: not signed.
pub(super) struct OpenCard {
    document: Document,
    v03: Option<Document>,
}

/// Bytes that may be kept, and what tells whether they changed.
struct Document {
    bytes: Bytes,
    etag: HeaderValue,
    /// Whole seconds, as HTTP has them.
    modified: UnixTime,
}

impl Cards {
    pub(super) fn new(card: AgentCard, workload: Workload, origin: Origin) -> Self {
        Self {
            v03: of_v03(&card, workload.clock().now()),
            card,
            workload,
            origin,
            signed: ArcSwapOption::empty(),
        }
    }

    /// The signed card; signed anew when the certificate was rotated, since the old one expires.
    pub(super) fn published(&self, own: &Snapshot) -> Result<Arc<Published>, CardError> {
        let generation = own.generation();
        if let Some(kept) = self.signed.load_full()
            && kept.generation == generation
        {
            return Ok(kept);
        }
        let bytes = card::sign_card(&self.card, own.key(), own.chain())?;
        let made = Arc::new(Published {
            generation,
            document: Document::new(bytes, self.workload.clock().now()),
        });
        self.signed.store(Some(made.clone()));
        Ok(made)
    }
}

impl OpenCard {
    pub(super) fn new(card: &AgentCard) -> Arc<Self> {
        // Every key of the card's types is a text, so writing it does not fail.
        let bytes = serde_json::to_vec(card).unwrap_or_default();
        let now = SystemClock.now();
        Arc::new(Self {
            document: Document::new(bytes, now),
            v03: of_v03(card, now),
        })
    }
}

/// The card in the form of 0.3, for who asks for that; none when it names no interface of 0.3.
///
/// The published card stays one of 1.0, since members that are no fields of it are refused by
/// strict readers. This form is not signed: 0.3 has no canonical form that a signature could be
/// over. Whoever goes by signatures reads the other.
fn of_v03(card: &AgentCard, now: UnixTime) -> Option<Document> {
    let card = v03::card_to_json(card).ok()?;
    Some(Document::new(card.to_string().into_bytes(), now))
}

/// Whether a request says, in so many words, that it wants the form of 0.3. An absent version says
/// nothing here: clients of either version send none when they ask for a card.
fn wants_v03(uri: &Uri, headers: &HeaderMap) -> bool {
    let read = ServiceParameters::read(headers, uri.query());
    let version = read.ok().and_then(|parameters| parameters.version);
    version.is_some_and(|version| Version::read(&version) == Some(Version::V0_3))
}

impl Document {
    fn new(bytes: Vec<u8>, modified: UnixTime) -> Self {
        // A2A §8.6.1: the ETag follows the content.
        let tag = format!("\"{}\"", encode_base64url(&sha256(&bytes)[..16]));
        Self {
            etag: HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"card\"")),
            bytes: bytes.into(),
            modified,
        }
    }

    /// The answer to a request with these headers: the bytes, or that they are the same still.
    fn answer(&self, asked: &HeaderMap) -> Response {
        let modified = UNIX_EPOCH + Duration::from_secs(self.modified.secs());
        let modified = HeaderValue::try_from(httpdate::fmt_http_date(modified));
        let caching = [
            (VARY, HeaderValue::from_static(VERSION_HEADER)),
            (ETAG, self.etag.clone()),
            (CACHE_CONTROL, cache_control()),
            (
                LAST_MODIFIED,
                modified.unwrap_or(HeaderValue::from_static("0")),
            ),
        ];
        if self.is_known(asked) {
            return (StatusCode::NOT_MODIFIED, caching).into_response();
        }
        let media = [(CONTENT_TYPE, HeaderValue::from_static(JSON))];
        (caching, media, Body::from(self.bytes.clone())).into_response()
    }

    /// RFC 9110 §13.2.2: a list of tags decides alone; the date counts only without one.
    fn is_known(&self, asked: &HeaderMap) -> bool {
        let lists = asked.get_all(IF_NONE_MATCH);
        if lists.iter().next().is_some() {
            let lists = lists.iter().filter_map(|list| list.to_str().ok());
            // §13.1.2: weakly compared. No tag of ours has a comma in it.
            let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
            let own = self.etag.to_str().unwrap_or_default();
            return tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own);
        }
        let since = asked.get(IF_MODIFIED_SINCE).and_then(|v| v.to_str().ok());
        let since = since.and_then(|date| httpdate::parse_http_date(date).ok());
        since.is_some_and(|since: SystemTime| {
            let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
            since.as_secs() >= self.modified.secs()
        })
    }
}

/// The card (A2A §8.2), to every workload that our trust bundles know; it holds no secret.
pub(super) async fn serve_card(
    State(cards): State<Arc<Cards>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Some(old) = &cards.v03
        && wants_v03(&uri, &headers)
    {
        return old.answer(&headers);
    }
    match cards.published(&cards.workload.current()) {
        Ok(published) => published.document.answer(&headers),
        Err(error) => {
            tracing::error!(%error, "the card cannot be signed");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// The card of an agent that proves nobody.
pub(super) async fn serve_open_card(
    State(card): State<Arc<OpenCard>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let old = card.v03.as_ref().filter(|_| wants_v03(&uri, &headers));
    old.unwrap_or(&card.document).answer(&headers)
}

/// Our signing keys, with a proof that we hold them (Web Bot Auth, key directory).
pub(super) async fn serve_directory(State(cards): State<Arc<Cards>>) -> Response {
    let own = cards.workload.current();
    let now = cards.workload.clock().now();
    let body = directory::document([own.key().verifying_key()]);
    match directory::prove(&[own.key()], &cards.origin, &body, now, DIRECTORY_PROOF) {
        Ok(headers) => (headers, body).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn cache_control() -> HeaderValue {
    HeaderValue::try_from(format!("private, max-age={MAX_AGE}"))
        .unwrap_or(HeaderValue::from_static("no-store"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_is_known_is_not_sent_again() {
        let document = Document::new(b"{}".to_vec(), UnixTime::from_secs(1_000_000_000));
        let own = document.etag.to_str().expect("a text").to_owned();
        let (weak, among) = (format!("W/{own}"), format!("\"a\", {own}"));
        let (before, at) = (
            "Sun, 09 Sep 2001 01:46:39 GMT",
            "Sun, 09 Sep 2001 01:46:40 GMT",
        );
        for (tags, date, want) in [
            (None, None, StatusCode::OK),
            (Some(&*own), None, StatusCode::NOT_MODIFIED),
            (Some(&*weak), None, StatusCode::NOT_MODIFIED),
            (Some(&*among), None, StatusCode::NOT_MODIFIED),
            (Some("*"), None, StatusCode::NOT_MODIFIED),
            (Some("\"a\""), None, StatusCode::OK),
            (Some(own.trim_matches('"')), None, StatusCode::OK),
            (None, Some(at), StatusCode::NOT_MODIFIED),
            (None, Some(before), StatusCode::OK),
            (None, Some("yesterday"), StatusCode::OK),
            (Some("\"a\""), Some(at), StatusCode::OK),
            (Some(&*own), Some(before), StatusCode::NOT_MODIFIED),
        ] {
            let mut asked = HeaderMap::new();
            let given = [(IF_NONE_MATCH, tags), (IF_MODIFIED_SINCE, date)];
            for (name, value) in given {
                if let Some(value) = value {
                    asked.insert(name, value.parse().expect("a header"));
                }
            }
            let answer = document.answer(&asked);
            assert_eq!(answer.status(), want, "{tags:?} {date:?}");
            assert_eq!(answer.headers()[LAST_MODIFIED], at, "{tags:?} {date:?}");
            assert_eq!(answer.headers()[ETAG], document.etag, "{tags:?} {date:?}");
        }
    }
}
