//! Push configurations as they are taken and given back.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::given::{after, alice, bob, config, lease, start};
use crate::clock::UnixTime;
use crate::server::store::{PushConfigStore, PushDelivery};

async fn set(store: &dyn PushConfigStore, id: &str, from: u64) {
    let told = store.set(&alice(), &config("t", id), from).await;
    assert_eq!(told, Ok(()), "a configuration is kept");
}

async fn wake(store: &dyn PushConfigStore, now: UnixTime) {
    let told = store.wake(&alice(), "t", now).await;
    assert_eq!(told, Ok(()), "an event");
}

/// Takes at most `limit` for a minute.
async fn take(store: &dyn PushConfigStore, now: UnixTime, limit: usize) -> Vec<PushDelivery> {
    let by = lease("one", after(now, 60));
    store.take_due(&by, now, limit).await.expect("what is due")
}

/// Takes the only one that is due.
async fn take_one(store: &dyn PushConfigStore, now: UnixTime) -> PushDelivery {
    let mut taken = take(store, now, 9).await;
    assert_eq!(taken.len(), 1, "one is due");
    taken.remove(0)
}

async fn is_nothing_due(store: &dyn PushConfigStore, now: UnixTime) -> bool {
    take(store, now, 9).await.is_empty()
}

async fn give_back(
    store: &dyn PushConfigStore,
    delivery: &PushDelivery,
    now: UnixTime,
    next: Option<UnixTime>,
) {
    let by = lease("one", after(now, 60));
    let told = store.give_back(&by, delivery, next).await;
    assert_eq!(told, Ok(()), "given back");
}

pub(super) async fn a_new_configuration_is_due_at_once(store: &dyn PushConfigStore) {
    let now = start();
    assert!(is_nothing_due(store, now).await, "in an empty store");
    set(store, "c", 7).await;
    let taken = take_one(store, now).await;
    assert_eq!(taken.owner, alice(), "whose it is");
    assert_eq!(taken.config, config("t", "c"), "as it was set");
    let progress = (taken.delivered, taken.attempts);
    assert_eq!(progress, (7, 0), "what counts as delivered");
    let none = take(store, now, 0).await;
    assert_eq!(none, vec![], "none when none are asked for");
}

pub(super) async fn what_is_held_is_given_to_nobody_else(store: &dyn PushConfigStore) {
    let now = start();
    set(store, "a", 0).await;
    set(store, "b", 0).await;
    let first = take(store, now, 1).await;
    assert_eq!(first.len(), 1, "no more than asked for");
    let second = take_one(store, now).await;
    assert_ne!(first[0].config.id, second.config.id, "the other");
    assert!(is_nothing_due(store, after(now, 60)).await, "both are held");
    let late = take(store, after(now, 61), 9).await;
    assert_eq!(late.len(), 2, "until the leases ran out");
}

pub(super) async fn of_many_that_take_at_once_each_gets_its_own(store: &dyn PushConfigStore) {
    let now = start();
    for index in 0..30 {
        set(store, &format!("c{index}"), 0).await;
    }
    let taken = join_all((0..6).map(|_| async move {
        let mut all = Vec::new();
        for _ in 0..8 {
            all.extend(take(store, now, 5).await);
        }
        all
    }));
    let taken: Vec<PushDelivery> = taken.await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 30, "each is taken once");
    let ids: BTreeSet<_> = taken.iter().map(|taken| taken.config.id.clone()).collect();
    assert_eq!(ids.len(), 30, "and by one");
}

pub(super) async fn an_event_makes_it_due(store: &dyn PushConfigStore) {
    let now = start();
    set(store, "c", 0).await;
    let mut taken = take_one(store, now).await;
    taken.delivered = 5;
    give_back(store, &taken, now, None).await;
    assert!(
        is_nothing_due(store, after(now, 999)).await,
        "without an event"
    );
    let told = store.wake(&bob(), "t", now).await;
    assert_eq!(told, Ok(()), "an event of another owner's task");
    let told = store.wake(&alice(), "u", now).await;
    assert_eq!(told, Ok(()), "an event of another task");
    assert!(
        is_nothing_due(store, after(now, 999)).await,
        "none of its own"
    );
    wake(store, after(now, 10)).await;
    assert!(
        is_nothing_due(store, after(now, 9)).await,
        "before the event"
    );
    let taken = take_one(store, after(now, 10)).await;
    assert_eq!(taken.delivered, 5, "what was delivered is kept");
}

pub(super) async fn an_event_while_it_is_held_is_not_lost(store: &dyn PushConfigStore) {
    let now = start();
    set(store, "c", 0).await;
    let taken = take_one(store, now).await;
    wake(store, now).await;
    assert!(is_nothing_due(store, now).await, "while it is held");
    give_back(store, &taken, now, None).await;
    let taken = take_one(store, now).await;
    give_back(store, &taken, now, None).await;
    assert!(
        is_nothing_due(store, after(now, 999)).await,
        "once an event"
    );
}

pub(super) async fn every_one_that_may_be_behind_is_due_at_a_start(store: &dyn PushConfigStore) {
    let now = start();
    for id in ["idle", "later"] {
        set(store, id, 0).await;
    }
    for taken in take(store, now, 9).await {
        let next = (taken.config.id.as_deref() == Some("later")).then(|| after(now, 30));
        give_back(store, &taken, now, next).await;
    }
    assert!(is_nothing_due(store, now).await, "both wait");
    assert_eq!(store.wake_all(now).await, Ok(()), "a start");
    let taken = take_one(store, now).await;
    let id = taken.config.id.as_deref();
    assert_eq!(id, Some("idle"), "an attempt still waits for its time");
    assert_eq!(store.wake_all(now).await, Ok(()), "another start");
    give_back(store, &taken, now, None).await;
    take_one(store, now).await;
}

pub(super) async fn another_attempt_waits_for_its_time(store: &dyn PushConfigStore) {
    let now = start();
    set(store, "c", 0).await;
    let mut taken = take_one(store, now).await;
    taken.attempts = 3;
    wake(store, now).await;
    let later = after(now, 30);
    give_back(store, &taken, now, Some(later)).await;
    wake(store, now).await;
    assert!(
        is_nothing_due(store, after(now, 29)).await,
        "whatever happens"
    );
    let taken = take_one(store, later).await;
    assert_eq!(taken.attempts, 3, "the attempts are kept");
}

pub(super) async fn only_the_latest_taking_gives_back(store: &dyn PushConfigStore) {
    let now = start();
    set(store, "c", 0).await;
    let mut first = take_one(store, now).await;
    let later = after(now, 61);
    let mut second = take_one(store, later).await;
    assert_ne!(first.taken, second.taken, "two takings");
    first.delivered = 9;
    give_back(store, &first, later, Some(now)).await;
    assert!(
        is_nothing_due(store, later).await,
        "it is held by the second"
    );
    second.delivered = 2;
    give_back(store, &second, later, Some(later)).await;
    give_back(store, &first, later, None).await;
    let third = take_one(store, later).await;
    assert_eq!(third.delivered, 2, "as the second left it");
}

pub(super) async fn one_that_was_set_anew_begins_anew(store: &dyn PushConfigStore) {
    let now = start();
    set(store, "c", 0).await;
    let mut old = take_one(store, now).await;
    set(store, "c", 4).await;
    old.delivered = 9;
    give_back(store, &old, now, None).await;
    let new = take_one(store, now).await;
    assert_eq!(new.delivered, 4, "what was set, not what the old one left");
    let told = store.delete(&alice(), "t", "c").await;
    assert_eq!(told, Ok(()), "deleted while it is held");
    give_back(store, &new, now, Some(now)).await;
    assert!(
        is_nothing_due(store, after(now, 999)).await,
        "it stays gone"
    );
    let told = store.get(&alice(), "t", "c").await;
    assert_eq!(told, Ok(None), "it stays gone");
}
