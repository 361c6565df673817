//! Steps 1 and 2: the peer's card, fetched over mutual TLS from the peer itself, and verified.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Method, StatusCode, Version};
use http_body_util::Full;

use super::connect::Client;
use super::error::ClientError;
use super::peer::Peer;
use super::plans::Plans;
use crate::a2a::AGENT_CARD_PATH;
use crate::card::{SignedCard, TrustedKeys, VerifiedCard};
use crate::clock::UnixTime;
use crate::id::SpiffeId;

/// A card is asked for again after this long, even if its server would allow longer.
const MAX_AGE: Duration = Duration::from_secs(300);
/// More peers than this and the cache begins again: a bound, not a tuning knob.
const MAX_PEERS: usize = 4096;
/// The most bytes a card may have.
const MAX_CARD: usize = 256 << 10;

/// Verified cards by origin and agent. One fetch in flight per peer.
#[derive(Default)]
pub(super) struct CardCache(Mutex<HashMap<Who, Arc<Slot>>>);

/// An origin, and the agent that is expected there.
type Who = (Arc<str>, SpiffeId);

#[derive(Default)]
struct Slot {
    kept: ArcSwapOption<Kept>,
    fetching: tokio::sync::Mutex<()>,
}

/// A verified card and what was worked out from it.
pub(super) struct Kept {
    pub(super) card: Arc<VerifiedCard>,
    pub(super) plans: Plans,
    /// Whether the connection it came on speaks HTTP/2.
    pub(super) http2: bool,
    etag: Option<HeaderValue>,
    fresh_until: UnixTime,
    /// Our trust when it was verified: another generation verifies again.
    generation: u64,
}

/// The extended cards that one caller was given (A2A §3.1.11): they take the place of the public
/// ones for that caller, and for nobody else.
#[derive(Clone, Default)]
pub(super) struct ExtendedCards(Arc<Mutex<HashMap<Who, Arc<Kept>>>>);

impl ExtendedCards {
    /// The extended card of `peer`, while its proof holds.
    pub(super) fn of(&self, peer: &Peer, client: &Client) -> Option<Arc<Kept>> {
        let cards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nearly always there is none, and then nothing is made to look for it.
        if cards.is_empty() {
            return None;
        }
        let kept = cards.get(&(peer.shared_origin(), peer.id().clone()))?;
        let now = client.0.workload.clock().now();
        let generation = client.0.workload.current().generation();
        (kept.fresh_until > now && kept.generation == generation).then(|| kept.clone())
    }

    /// Keeps `card`, which was given by `peer` and verified.
    pub(super) fn keep(&self, peer: &Peer, card: Arc<VerifiedCard>, public: &Kept) {
        let mut cards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cards.len() >= MAX_PEERS {
            cards.clear();
        }
        let end = card.not_after().map(|end| end.plus(Duration::from_secs(1)));
        let kept = Kept {
            card,
            plans: Plans::default(),
            http2: public.http2,
            etag: None,
            fresh_until: end.unwrap_or(UnixTime::from_secs(u64::MAX)),
            generation: public.generation,
        };
        cards.insert((peer.shared_origin(), peer.id().clone()), Arc::new(kept));
    }
}

impl fmt::Debug for ExtendedCards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExtendedCards")
    }
}

impl CardCache {
    fn slot(&self, peer: &Peer) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_PEERS {
            slots.clear();
        }
        let key = (peer.shared_origin(), peer.id().clone());
        slots.entry(key).or_default().clone()
    }
}

impl Client {
    /// The verified card of `peer`: from the cache while it is fresh, else asked for again.
    ///
    /// # Errors
    /// [`ClientError`] of steps 1 and 2.
    pub async fn card(&self, peer: impl AsRef<Peer>) -> Result<Arc<VerifiedCard>, ClientError> {
        Ok(self.kept_card(peer.as_ref()).await?.card.clone())
    }

    pub(super) async fn kept_card(&self, peer: &Peer) -> Result<Arc<Kept>, ClientError> {
        let slot = self.0.cards.slot(peer);
        let fresh = |kept: &Arc<Kept>| {
            kept.fresh_until > self.0.workload.clock().now()
                && kept.generation == self.0.workload.current().generation()
        };
        if let Some(kept) = slot.kept.load_full().filter(fresh) {
            return Ok(kept);
        }
        // Boxed, so that a call that finds the card is not as large as one that has to ask for it.
        let ask = Box::pin(async {
            let _one_at_a_time = slot.fetching.lock().await;
            if let Some(kept) = slot.kept.load_full().filter(fresh) {
                return Ok(kept);
            }
            let kept = Arc::new(self.fetch_card(peer, slot.kept.load_full()).await?);
            slot.kept.store(Some(kept.clone()));
            Ok(kept)
        });
        // A peer that sends its card slowly must not hold everybody who waits for it.
        let after = self.0.deadline;
        let asked = tokio::time::timeout(after, ask).await;
        asked.unwrap_or(Err(ClientError::Deadline { after }))
    }

    async fn fetch_card(&self, peer: &Peer, old: Option<Arc<Kept>>) -> Result<Kept, ClientError> {
        let workload = &self.0.workload;
        let own = workload.usable(workload.clock().now())?;
        // A card that was verified under another trust, or by a certificate that has ended, is not
        // revalidated but read again.
        let now = workload.clock().now();
        let old = old.filter(|kept| {
            kept.generation == own.generation()
                && kept.card.not_after().is_none_or(|end| now <= end)
        });
        let mut request = http::Request::new(());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = peer.uri(AGENT_CARD_PATH)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(etag) = old.as_ref().and_then(|kept| kept.etag.clone()) {
            headers.insert(IF_NONE_MATCH, etag);
        }
        let (mut parts, ()) = request.into_parts();
        self.sign(&own, peer, &mut parts, b"")?;
        let request = http::Request::from_parts(parts, Full::new(Bytes::new()));
        let received = self.0.transport.send(peer.endpoint(), request).await?;
        let (head, body) = received.response.into_parts();

        let now = workload.clock().now();
        let fresh_until = now.plus(max_age(&head.headers).min(MAX_AGE));
        let until = |card: &VerifiedCard| match card.not_after() {
            Some(end) => fresh_until.min(end.plus(Duration::from_secs(1))),
            None => fresh_until,
        };
        if let (StatusCode::NOT_MODIFIED, Some(old)) = (head.status, old) {
            return Ok(Kept {
                card: old.card.clone(),
                plans: Plans::default(),
                http2: head.version == Version::HTTP_2,
                etag: old.etag.clone(),
                fresh_until: until(&old.card),
                generation: own.generation(),
            });
        }
        if head.status != StatusCode::OK {
            let status = head.status.as_u16();
            return Err(ClientError::NoCard { status });
        }
        let bytes = super::answer::whole(body, MAX_CARD).await?;
        let signed = SignedCard::received(bytes, received.peer);
        let card = signed.verify(&TrustedKeys::bundles(own.bundles().clone()), now)?;
        Ok(Kept {
            fresh_until: until(&card),
            card: Arc::new(card),
            plans: Plans::default(),
            http2: head.version == Version::HTTP_2,
            etag: head.headers.get(ETAG).cloned(),
            generation: own.generation(),
        })
    }
}

/// `max-age` of `Cache-Control` (RFC 9111 §5.2.2.1); none when there is none.
fn max_age(headers: &http::HeaderMap) -> Duration {
    let text = headers.get(CACHE_CONTROL).and_then(|v| v.to_str().ok());
    let directives = text.unwrap_or_default().split(',').map(str::trim);
    let seconds = directives
        .filter_map(|d| d.strip_prefix("max-age="))
        .find_map(|s| s.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}
