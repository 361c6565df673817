//! What an agent publishes: its card and its key directory.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

use crate::a2a::{AgentCard, JSON, ServiceParameters, VERSION_HEADER, Version, v03};
use crate::card::{self, CardError};
use crate::clock::{Clock as _, SystemClock, UnixTime};
use crate::httpsig::directory::{KeyDirectory, KeyRing, Rotation};
use crate::httpsig::{Origin, ServedDocument};
use crate::workload::{Snapshot, Workload};

/// How long a caller may keep the card, in seconds.
const MAX_AGE: u32 = 240;
/// A new certificate's key signs at once; the one before is published for as long as what it signed
/// may be on its way.
const ROTATION: Rotation = Rotation {
    lead: Duration::ZERO,
    kept: Duration::from_secs(600),
};

/// The card of an agent, signed with its certificate.
pub(super) struct Cards {
    card: AgentCard,
    workload: Workload,
    keys: KeyDirectory,
    signed: ArcSwapOption<Published>,
    v03: Option<ServedDocument>,
}

/// The card as it is served, signed with the certificate of one generation.
pub(super) struct Published {
    generation: u64,
    document: ServedDocument,
}

/// The card of an agent that proves nobody: not signed.
pub(super) struct OpenCard {
    document: ServedDocument,
    v03: Option<ServedDocument>,
}

impl Cards {
    /// Follows the workload from now on.
    pub(super) fn new(card: AgentCard, workload: Workload, origin: Origin) -> Arc<Self> {
        let now = workload.clock().now();
        let mut changed = workload.changed();
        changed.mark_unchanged();
        let key = workload.current().key().clone();
        let cards = Arc::new(Self {
            v03: of_v03(&card, now),
            card,
            keys: KeyDirectory::new(KeyRing::new(key, now), origin),
            workload,
            signed: ArcSwapOption::empty(),
        });
        let following = Arc::downgrade(&cards);
        // Ends with the workload, which the cards keep.
        tokio::spawn(async move {
            while changed.changed().await.is_ok() {
                let Some(cards) = following.upgrade() else {
                    return;
                };
                cards.follow(&cards.workload.current(), cards.workload.clock().now());
            }
        });
        cards
    }

    /// Publishes the key that we sign with now, and for a while the one before.
    fn follow(&self, own: &Snapshot, now: UnixTime) {
        let signing = self.keys.signing_key(now);
        let current = own.key().verifying_key().thumbprint();
        let signs = signing.is_some_and(|key| key.verifying_key().thumbprint() == current);
        if !signs && let Err(error) = self.keys.rotate(own.key().clone(), now, ROTATION) {
            // Certificates that change faster than signatures end: only the newest counts.
            tracing::warn!(%error, "the keys before this one are no longer published");
            self.keys.replace(KeyRing::new(own.key().clone(), now));
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
            document: document(bytes, self.workload.clock().now()),
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
            document: document(bytes, now),
            v03: of_v03(card, now),
        })
    }
}

/// The card in the form of 0.3, for who asks for that; none when it names no interface of 0.3.
///
/// The published card stays one of 1.0, since members that are no fields of it are refused by
/// strict readers. This form is not signed: 0.3 has no canonical form that a signature could be
/// over. Whoever goes by signatures reads the other.
fn of_v03(card: &AgentCard, now: UnixTime) -> Option<ServedDocument> {
    let card = v03::card_to_json(card).ok()?;
    Some(document(card.to_string().into_bytes(), now))
}

/// Whether a request says, in so many words, that it wants the form of 0.3. An absent version says
/// nothing here: clients of either version send none when they ask for a card.
fn wants_v03(uri: &Uri, headers: &HeaderMap) -> bool {
    let read = ServiceParameters::read(headers, uri.query());
    let version = read.ok().and_then(|parameters| parameters.version);
    version.is_some_and(|version| Version::read(&version) == Some(Version::V0_3))
}

/// A2A §8.6.1: a card that is kept, and compared before it is sent again.
fn document(bytes: Vec<u8>, modified: UnixTime) -> ServedDocument {
    ServedDocument::new(bytes, JSON, modified)
        .with(VARY, HeaderValue::from_static(VERSION_HEADER))
        .with(CACHE_CONTROL, cache_control())
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
        return answer(old, &headers);
    }
    match cards.published(&cards.workload.current()) {
        Ok(published) => answer(&published.document, &headers),
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
    answer(old.unwrap_or(&card.document), &headers)
}

/// The answer to `GET`, which the router asks for to answer `HEAD` too.
fn answer(document: &ServedDocument, asked: &HeaderMap) -> Response {
    document.answer(&Method::GET, asked).map(Body::from)
}

/// Our signing keys, with a proof that we hold them (Web Bot Auth, key directory).
pub(super) async fn serve_directory(
    State(cards): State<Arc<Cards>>,
    headers: HeaderMap,
) -> Response {
    let now = cards.workload.clock().now();
    cards.follow(&cards.workload.current(), now);
    match cards.keys.answer(&Method::GET, &headers, now) {
        Ok(answer) => answer.map(Body::from),
        Err(error) => {
            tracing::error!(%error, "the key directory cannot be signed");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

fn cache_control() -> HeaderValue {
    HeaderValue::try_from(format!("private, max-age={MAX_AGE}"))
        .unwrap_or(HeaderValue::from_static("no-store"))
}
