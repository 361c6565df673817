//! Leases: who may work on a task.

use futures_util::future::join_all;

use super::given::{after, alice, change, create, lease, start, take, task, turn};
use crate::a2a::TaskState;
use crate::server::store::TaskStore;

pub(super) async fn a_lease_keeps_others_away_to_its_last_second(store: &dyn TaskStore) {
    let now = start();
    let until = after(now, 15);
    let new = change(0, &task("made", TaskState::Working, 1), vec![]);
    let made = store
        .create(&alice(), &new, Some(&lease("one", until)))
        .await;
    assert_eq!(made, Ok(1), "a task is made under a lease");
    create(store, &alice(), &task("taken", TaskState::Working, 1)).await;
    assert!(
        take(store, "taken", &lease("one", until), now).await,
        "free"
    );
    for id in ["made", "taken"] {
        let two = lease("two", after(now, 60));
        assert!(!take(store, id, &two, now).await, "{id}: held");
        assert!(!take(store, id, &two, until).await, "{id}: its last second");
        let later = after(until, 1);
        assert!(take(store, id, &two, later).await, "{id}: run out");
        let one = lease("one", after(now, 99));
        assert!(!take(store, id, &one, later).await, "{id}: lost to another");
    }
}

pub(super) async fn a_lease_is_given_back_by_its_holder_only(store: &dyn TaskStore) {
    let now = start();
    create(store, &alice(), &task("t", TaskState::InputRequired, 1)).await;
    let one = lease("one", after(now, 15));
    let two = lease("two", after(now, 15));
    assert!(take(store, "t", &one, now).await, "free");
    let told = store.release(&alice(), "t", "two").await;
    assert_eq!(told, Ok(()), "another gives back what it does not hold");
    assert!(!take(store, "t", &two, now).await, "it is held still");
    let told = store.release(&alice(), "t", "one").await;
    assert_eq!(told, Ok(()), "its holder gives it back");
    assert!(take(store, "t", &two, now).await, "it is free");
    let told = store.release(&alice(), "missing", "one").await;
    assert_eq!(told, Ok(()), "a task that is not there");
}

pub(super) async fn a_lease_is_renewed_by_its_holder_only(store: &dyn TaskStore) {
    let now = start();
    let owner = alice();
    for (id, instance) in [("a", "one"), ("b", "one"), ("c", "two")] {
        create(store, &owner, &task(id, TaskState::Working, 1)).await;
        assert!(
            take(store, id, &lease(instance, after(now, 15)), now).await,
            "{id}"
        );
    }
    let told = store.renew(&lease("one", after(now, 30))).await;
    assert_eq!(told, Ok(()), "all leases of one");
    let later = after(now, 20);
    let third = lease("three", after(now, 60));
    for (id, is_free) in [("a", false), ("b", false), ("c", true)] {
        assert_eq!(
            take(store, id, &third, later).await,
            is_free,
            "{id}, renewed or not"
        );
    }
    let told = store.renew(&lease("two", after(now, 90))).await;
    assert_eq!(told, Ok(()), "one that lost its only lease");
    let much_later = after(now, 70);
    let fourth = lease("four", after(now, 99));
    assert!(
        take(store, "c", &fourth, much_later).await,
        "it was not renewed"
    );
    assert!(
        take(store, "a", &lease("one", after(now, 80)), much_later).await,
        "own"
    );
    assert!(
        !take(store, "a", &fourth, after(now, 75)).await,
        "prolonged by taking"
    );
    // One that ran out and was given to nobody is renewed, too.
    let told = store.renew(&lease("one", after(now, 200))).await;
    assert_eq!(told, Ok(()), "late");
    assert!(
        !take(store, "b", &fourth, after(now, 150)).await,
        "renewed late"
    );
}

pub(super) async fn a_task_that_is_over_is_never_taken(store: &dyn TaskStore) {
    let now = start();
    let owner = alice();
    let one = lease("one", after(now, 15));
    create(store, &owner, &task("t", TaskState::Working, 1)).await;
    assert!(take(store, "t", &one, now).await, "free");
    turn(store, &owner, 1, &task("t", TaskState::Canceled, 2)).await;
    assert!(
        !take(store, "t", &one, now).await,
        "its holder takes it again"
    );
    let late = after(now, 99);
    assert!(
        !take(store, "t", &lease("two", late), late).await,
        "run out"
    );
    let over = change(0, &task("u", TaskState::Completed, 1), vec![]);
    let made = store.create(&owner, &over, Some(&one)).await;
    assert_eq!(made, Ok(1), "a task that is over when it is made");
    assert!(
        !take(store, "u", &lease("two", late), late).await,
        "made so"
    );
}

pub(super) async fn of_many_that_take_a_task_at_once_one_does(store: &dyn TaskStore) {
    let now = start();
    for round in 0..4 {
        let id = format!("task {round}");
        create(store, &alice(), &task(&id, TaskState::Working, 1)).await;
        let taken = join_all((0..8).map(|index| {
            let id = &id;
            async move {
                let by = lease(&format!("instance {index}"), after(now, 15));
                take(store, id, &by, now).await
            }
        }));
        let taken = taken.await.into_iter().filter(|taken| *taken).count();
        assert_eq!(taken, 1, "of many that take a task at once, one does");
    }
}
