//! What the subscribers of a task are shown: one order for all, each at its own pace.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

use super::places::Place;
use super::wording::failed;
use crate::a2a::{A2aError, StreamResponse};
use crate::policy::Owner;
use crate::server::store::StoredEvent;
use crate::server::weight::Weight as _;

/// How many events a subscriber may be behind, be they ever so small; how many bytes, is in
/// [`TaskLimits`](super::TaskLimits). Over either, its stream ends with an error, so that neither the task nor anybody
/// else waits for it; it can subscribe again.
pub(super) const MAX_BEHIND: usize = 4096;

/// The feeds that somebody has subscribed to, by task.
#[derive(Debug)]
pub(super) struct Feeds {
    /// How many bytes of events wait for the slowest subscriber of a task.
    max_bytes: usize,
    all: Mutex<HashMap<String, Weak<Feed>>>,
}

/// The events of one task that somebody has not been shown yet.
#[derive(Debug)]
pub(super) struct Feed {
    owner: Owner,
    id: String,
    /// How many bytes of events wait for the slowest.
    max_bytes: usize,
    inner: Mutex<Inner>,
    /// How many events there were.
    news: watch::Sender<u64>,
    home: Weak<Feeds>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The task's version after the last event; `None` until it is known.
    version: Option<u64>,
    /// How many events came before the first of `events`.
    dropped: u64,
    events: VecDeque<Waiting>,
    /// What all of `events` weigh.
    bytes: usize,
    /// How many subscribers stand at each place.
    places: BTreeMap<u64, usize>,
    ended: Option<A2aError>,
}

/// An event that somebody has not been shown yet.
#[derive(Debug)]
struct Waiting {
    event: StoredEvent,
    weight: usize,
}

impl Feeds {
    pub(super) fn new(max_bytes: usize) -> Self {
        let all = Mutex::default();
        Self { max_bytes, all }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<Feed>>> {
        // No code panics while it holds this lock; a poisoned one is still whole.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The feed of a task, if somebody follows it.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Feed>> {
        self.lock().get(id).and_then(Weak::upgrade)
    }

    /// All that somebody follows.
    pub(super) fn all(&self) -> Vec<Arc<Feed>> {
        self.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// Subscribes to the task's events from now on; `None` when it is not the one's who has `place`.
    pub(super) fn subscribe(self: &Arc<Self>, place: Place, id: &str) -> Option<Subscription> {
        // The table is no longer locked when a feed is dropped, which locks it.
        let feed = self.enter(place.owner(), id);
        (feed.owner == *place.owner()).then(|| Subscription::new(feed, place))
    }

    /// The feed of a task; one for `owner` if nobody follows it.
    fn enter(self: &Arc<Self>, owner: &Owner, id: &str) -> Arc<Feed> {
        let mut all = self.lock();
        if let Some(feed) = all.get(id).and_then(Weak::upgrade) {
            return feed;
        }
        let feed = Arc::new(Feed {
            owner: owner.clone(),
            id: id.to_owned(),
            max_bytes: self.max_bytes,
            inner: Mutex::default(),
            news: watch::Sender::new(0),
            home: Arc::downgrade(self),
        });
        all.insert(id.to_owned(), Arc::downgrade(&feed));
        feed
    }
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The version it is at, if known.
    pub(super) fn version(&self) -> Option<u64> {
        self.lock().version
    }

    /// The task is at least at this version, and whoever subscribed before knows so.
    pub(super) fn known(&self, version: u64) {
        let mut inner = self.lock();
        inner.version = Some(inner.version.unwrap_or_default().max(version));
    }

    /// Shows the events of a change from version `from` to `to`. Gives `false` when some before them
    /// are missing: they are to be read from the store first.
    pub(super) fn publish(&self, from: u64, events: &[StoredEvent], to: u64) -> bool {
        let mut inner = self.lock();
        let known = inner.version.unwrap_or(from);
        if from > known {
            return false;
        }
        if to <= known {
            return true;
        }
        inner.version = Some(to);
        let before = inner.end();
        for event in events.iter().filter(|event| event.number > known) {
            inner.push(event.clone());
        }
        // What was kept together stays, however much it is: who has seen all before is not behind.
        while inner.dropped < before && inner.is_over(self.max_bytes) {
            inner.drop_first();
        }
        inner.trim();
        let end = inner.end();
        drop(inner);
        self.news.send_replace(end);
        true
    }

    /// Ends all subscriptions once they have shown what there is.
    pub(super) fn end(&self, error: A2aError) {
        self.lock().ended = Some(error);
        self.news.send_modify(|_| {});
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let Some(home) = self.home.upgrade() else {
            return;
        };
        let mut all = home.lock();
        // A new feed of the same task may have taken the place.
        if all
            .get(&self.id)
            .is_some_and(|feed| feed.strong_count() == 0)
        {
            all.remove(&self.id);
        }
    }
}

impl Inner {
    fn end(&self) -> u64 {
        self.dropped + self.events.len() as u64
    }

    fn push(&mut self, event: StoredEvent) {
        let weight = event.event.weight();
        self.bytes += weight;
        self.events.push_back(Waiting { event, weight });
    }

    fn is_over(&self, max_bytes: usize) -> bool {
        self.events.len() > MAX_BEHIND || self.bytes > max_bytes
    }

    /// Drops the oldest event; whether there was one.
    fn drop_first(&mut self) -> bool {
        let Some(first) = self.events.pop_front() else {
            return false;
        };
        self.bytes -= first.weight;
        self.dropped += 1;
        true
    }

    fn leave(&mut self, place: u64) {
        if let Some(count) = self.places.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                self.places.remove(&place);
            }
        }
    }

    /// Drops what every subscriber has passed.
    fn trim(&mut self) {
        let first = self.places.keys().next().copied();
        let first = first.unwrap_or_else(|| self.end());
        while self.dropped < first && self.drop_first() {}
        if self.events.is_empty() {
            // An idle stream keeps no buffer.
            self.events.shrink_to_fit();
        }
    }
}

/// One subscriber's place in a feed.
#[derive(Debug)]
pub(super) struct Subscription {
    feed: Arc<Feed>,
    news: watch::Receiver<u64>,
    place: u64,
    /// Events up to this number are not shown.
    after: u64,
    /// Of its owner's streams, this one.
    _place: Place,
}

impl Subscription {
    fn new(feed: Arc<Feed>, of_owner: Place) -> Self {
        let mut inner = feed.lock();
        let place = inner.end();
        *inner.places.entry(place).or_default() += 1;
        let news = feed.news.subscribe();
        drop(inner);
        Self {
            feed,
            news,
            place,
            after: 0,
            _place: of_owner,
        }
    }

    #[cfg(test)]
    fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Shows only what comes after version `version`, which the subscriber knows.
    pub(super) fn start_after(&mut self, version: u64) {
        self.after = version;
        self.feed.known(version);
    }

    /// The next event.
    ///
    /// # Errors
    /// When this subscriber is too far behind, or the feed ended.
    pub(super) async fn next(&mut self) -> Result<StoredEvent, A2aError> {
        loop {
            // Seen before the look, so that what comes between is not missed.
            self.news.borrow_and_update();
            if let Some(found) = self.take() {
                return found;
            }
            if self.news.changed().await.is_err() {
                // The sender lives in the feed, which is held here.
                return Err(failed("The stream ended"));
            }
        }
    }

    fn take(&mut self) -> Option<Result<StoredEvent, A2aError>> {
        let mut inner = self.feed.lock();
        loop {
            let Some(at) = self.place.checked_sub(inner.dropped) else {
                return Some(Err(failed("The stream is too far behind; subscribe again")));
            };
            let found = usize::try_from(at).ok().and_then(|at| inner.events.get(at));
            let Some(event) = found.map(|waiting| waiting.event.clone()) else {
                return inner.ended.clone().map(Err);
            };
            inner.leave(self.place);
            self.place += 1;
            *inner.places.entry(self.place).or_default() += 1;
            inner.trim();
            if event.number > self.after {
                return Some(Ok(event));
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut inner = self.feed.lock();
        inner.leave(self.place);
        inner.trim();
    }
}

/// `events` with their numbers, the first of which is `from + 1`.
pub(super) fn numbered(from: u64, events: &[Arc<StreamResponse>]) -> Vec<StoredEvent> {
    let numbers = from + 1..;
    let numbered = numbers.zip(events).map(|(number, event)| StoredEvent {
        number,
        event: event.clone(),
    });
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::a2a::{Message, Part};
    use crate::delegation::testing::{app_only, delegated};
    use crate::server::task::places::Places;

    fn event(number: u64) -> StoredEvent {
        let message = Message::agent(Part::text(number.to_string()));
        let event = Arc::new(StreamResponse::Message(message));
        StoredEvent { number, event }
    }

    fn owner() -> Owner {
        Owner::of(&delegated("work"))
    }

    fn feeds() -> Arc<Feeds> {
        Arc::new(Feeds::new(usize::MAX))
    }

    fn place_of(owner: Owner) -> Place {
        let places = Arc::new(Places::new(1));
        places.take(&owner).expect("a place")
    }

    fn subscribe(feeds: &Arc<Feeds>) -> Subscription {
        let place = place_of(owner());
        feeds.subscribe(place, "task").expect("one's own task")
    }

    fn shown(subscription: &mut Subscription) -> Vec<u64> {
        let mut all = Vec::new();
        while let Some(Ok(event)) = subscription.next().now_or_never() {
            all.push(event.number);
        }
        all
    }

    #[test]
    fn all_are_shown_the_same_in_the_same_order_and_nothing_stays() {
        let feeds = feeds();
        let mut early = subscribe(&feeds);
        assert!(early.feed().publish(0, &[event(1), event(2)], 2));
        let mut late = subscribe(&feeds);
        assert!(early.feed().publish(2, &[event(3)], 3));
        assert!(early.feed().publish(1, &[event(2), event(3)], 3), "known");
        assert_eq!(shown(&mut late), [3]);
        assert_eq!(
            early.feed().lock().events.len(),
            3,
            "kept for the early one"
        );
        assert_eq!(shown(&mut early), [1, 2, 3]);
        assert_eq!(early.feed().lock().events.len(), 0);
        assert_eq!(shown(&mut early), [0; 0]);
    }

    #[test]
    fn what_a_snapshot_has_is_not_shown_again() {
        let feeds = feeds();
        let mut one = subscribe(&feeds);
        assert!(one.feed().publish(4, &[event(5), event(6)], 6));
        one.start_after(5);
        assert_eq!(shown(&mut one), [6]);
        assert_eq!(one.feed().version(), Some(6));
        assert!(!one.feed().publish(7, &[event(8)], 8), "7 is missing");
        assert!(one.feed().publish(6, &[event(7), event(8)], 8));
        assert_eq!(shown(&mut one), [7, 8]);
    }

    #[test]
    fn one_that_is_too_far_behind_is_ended_and_nobody_else() {
        let feeds = feeds();
        let (mut slow, mut quick) = (subscribe(&feeds), subscribe(&feeds));
        let max = MAX_BEHIND as u64;
        for number in 1..=max {
            assert!(slow.feed().publish(number - 1, &[event(number)], number));
            assert_eq!(shown(&mut quick), [number]);
        }
        let mut just = subscribe(&feeds);
        assert_eq!(slow.feed().lock().events.len(), MAX_BEHIND, "not yet");
        assert!(slow.feed().publish(max, &[event(max + 1)], max + 1));
        let ended = slow.next().now_or_never().expect("ended");
        assert!(ended.is_err_and(|error| error.message().contains("behind")));
        assert_eq!(shown(&mut quick), [max + 1]);
        assert_eq!(shown(&mut just), [max + 1]);
        drop(slow);
        assert_eq!(quick.feed().lock().events.len(), 0, "nobody needs them");
    }

    fn sized(number: u64, bytes: usize) -> StoredEvent {
        let message = Message::agent(Part::text("x".repeat(bytes)));
        let event = Arc::new(StreamResponse::Message(message));
        StoredEvent { number, event }
    }

    #[test]
    fn one_that_is_too_many_bytes_behind_is_ended_and_nobody_else() {
        let feeds = Arc::new(Feeds::new(10_000));
        let (mut slow, mut quick) = (subscribe(&feeds), subscribe(&feeds));
        for number in 1..=2 {
            let event = sized(number, 4000);
            assert!(quick.feed().publish(number - 1, &[event], number));
            assert_eq!(shown(&mut quick), [number]);
        }
        assert_eq!(slow.feed().lock().events.len(), 2, "not yet");
        let mut prompt = subscribe(&feeds);
        // However large what comes together is, who waits for it sees it.
        let together = [sized(3, 9000), sized(4, 9000)];
        assert!(quick.feed().publish(2, &together, 4));
        let ended = slow.next().now_or_never().expect("ended");
        assert!(ended.is_err_and(|error| error.message().contains("behind")));
        assert_eq!(shown(&mut prompt), [3, 4]);
        assert_eq!(shown(&mut quick), [3, 4]);
        drop(slow);
        let inner = quick.feed().lock();
        assert_eq!(
            (inner.events.len(), inner.bytes),
            (0, 0),
            "nobody needs them"
        );
    }

    #[test]
    fn a_feed_lives_as_long_as_somebody_follows_it() {
        let feeds = feeds();
        let one = subscribe(&feeds);
        let two = subscribe(&feeds);
        let stranger = place_of(Owner::of(&app_only("work")));
        assert!(feeds.subscribe(stranger, "task").is_none());
        drop(one);
        assert!(feeds.get("task").is_some());
        drop(two);
        assert!(feeds.get("task").is_none() && feeds.lock().is_empty());
    }

    #[test]
    fn an_ended_feed_shows_what_there_is_and_then_why() {
        let feeds = feeds();
        let mut one = subscribe(&feeds);
        assert!(one.feed().publish(0, &[event(1)], 1));
        one.feed().end(failed("stopping"));
        assert_eq!(shown(&mut one), [1]);
        let ended = one.next().now_or_never().expect("ended");
        assert_eq!(
            ended.map_err(|e| e.message().to_owned()).err().as_deref(),
            Some("stopping")
        );
    }
}
