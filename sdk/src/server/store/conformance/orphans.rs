//! Orphans: unfinished tasks that nobody works on.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::given::{after, alice, bob, change, create, full_task, lease, start, take, task, turn};
use crate::a2a::TaskState;
use crate::clock::UnixTime;
use crate::server::store::{Lease, Orphan, TaskStore};

async fn take_orphans(
    store: &dyn TaskStore,
    by: &Lease,
    now: UnixTime,
    limit: usize,
) -> Vec<Orphan> {
    let orphans = store.take_orphans(by, now, limit).await;
    orphans.expect("the orphans")
}

fn ids(orphans: &[Orphan]) -> BTreeSet<&str> {
    let ids = orphans.iter().map(|orphan| orphan.stored.task.id.as_str());
    ids.collect()
}

const STATES: [TaskState; 8] = [
    TaskState::Submitted,
    TaskState::Working,
    TaskState::Completed,
    TaskState::Failed,
    TaskState::Canceled,
    TaskState::InputRequired,
    TaskState::Rejected,
    TaskState::AuthRequired,
];

pub(super) async fn what_nobody_works_on_is_an_orphan(store: &dyn TaskStore) {
    let (now, owner) = (start(), alice());
    let until = after(now, 15);
    for (index, state) in STATES.into_iter().enumerate() {
        for held in [true, false] {
            let id = format!("{state} {held}");
            let new = change(0, &task(&id, state, index as u64), vec![]);
            let by = lease("one", until);
            let made = store.create(&owner, &new, held.then_some(&by)).await;
            assert_eq!(made, Ok(1), "{id}");
        }
    }
    let two = lease("two", after(now, 60));
    let orphans = take_orphans(store, &two, until, 99).await;
    let want = ["TASK_STATE_SUBMITTED false", "TASK_STATE_WORKING false"];
    assert_eq!(ids(&orphans), want.into(), "what was never held");
    let orphans = take_orphans(store, &two, after(until, 1), 99).await;
    let want = ["TASK_STATE_SUBMITTED true", "TASK_STATE_WORKING true"];
    assert_eq!(ids(&orphans), want.into(), "and what is held no longer");

    let resumed = task("TASK_STATE_INPUT_REQUIRED true", TaskState::Working, 50);
    turn(store, &owner, 1, &resumed).await;
    let orphans = take_orphans(store, &two, after(until, 1), 99).await;
    assert_eq!(
        ids(&orphans),
        [resumed.id.as_str()].into(),
        "it waits no longer"
    );
    let told = store.release(&owner, &resumed.id, "two").await;
    assert_eq!(told, Ok(()), "given back");
    let three = lease("three", after(now, 60));
    let orphans = take_orphans(store, &three, after(until, 1), 99).await;
    assert_eq!(
        ids(&orphans),
        [resumed.id.as_str()].into(),
        "an orphan at once"
    );
}

pub(super) async fn an_answer_that_nobody_works_on_makes_an_orphan(store: &dyn TaskStore) {
    let (now, owner) = (start(), alice());
    let two = lease("two", after(now, 99));
    for (id, state, is_orphan) in [
        ("asks", TaskState::InputRequired, true),
        ("needs", TaskState::AuthRequired, true),
        ("is over", TaskState::Completed, false),
    ] {
        let waiting = match is_orphan {
            true => task(id, state, 1),
            false => task(id, TaskState::InputRequired, 1),
        };
        create(store, &owner, &waiting).await;
        let mut answered = change(1, &task(id, state, 1), vec![]);
        answered.work_from = Some(after(now, 10));
        assert_eq!(store.append(&owner, &answered).await, Ok(2), "{id}");
    }
    let none = take_orphans(store, &two, after(now, 9), 99).await;
    assert_eq!(none, vec![], "it is not time yet");
    let one = lease("one", after(now, 10));
    assert!(take(store, "asks", &one, now).await, "it is free");
    let orphans = take_orphans(store, &two, after(now, 10), 99).await;
    assert_eq!(ids(&orphans), ["needs"].into(), "the other is held");
    let later = after(now, 11);
    let orphans = take_orphans(store, &two, later, 99).await;
    assert_eq!(ids(&orphans), ["asks"].into(), "and now it is not");

    // It asks again, so it waits again.
    turn(store, &owner, 2, &task("asks", TaskState::InputRequired, 2)).await;
    let told = store.release(&owner, "asks", "two").await;
    assert_eq!(told, Ok(()), "given back");
    let none = take_orphans(store, &two, later, 99).await;
    assert_eq!(none, vec![], "what came of the answer is a question");
    // One that is at work needs nobody's word for it.
    turn(store, &owner, 3, &task("asks", TaskState::Working, 3)).await;
    let orphans = take_orphans(store, &two, now, 99).await;
    assert_eq!(ids(&orphans), ["asks"].into(), "it is at work");
    let mut new = change(0, &task("begins", TaskState::InputRequired, 1), vec![]);
    new.work_from = Some(now);
    let made = store.create(&owner, &new, None).await;
    assert_eq!(made, Ok(1), "a new task may be answered, too");
    let orphans = take_orphans(store, &two, now, 99).await;
    assert_eq!(ids(&orphans), ["begins"].into(), "and counts at once");
}

pub(super) async fn no_orphan_is_given_twice(store: &dyn TaskStore) {
    let now = start();
    let owners = [alice(), bob()];
    for index in 0..40 {
        let new = task(&format!("t{index}"), TaskState::Working, index);
        create(store, &owners[index as usize % 2], &new).await;
    }
    let first = take_orphans(store, &lease("one", after(now, 60)), now, 3).await;
    assert_eq!(first.len(), 3, "no more than asked for");
    let none = take_orphans(store, &lease("one", after(now, 60)), now, 0).await;
    assert_eq!(none, vec![], "none when none are asked for");
    let taken = join_all((0..6).map(|index| async move {
        let by = lease(&format!("instance {index}"), after(now, 60));
        let mut all = Vec::new();
        // A store may pass over what another is just taking, so an empty answer is asked for again.
        for _ in 0..8 {
            all.extend(take_orphans(store, &by, now, 5).await);
        }
        all
    }));
    let mut taken: Vec<Orphan> = taken.await.into_iter().flatten().collect();
    taken.extend(first);
    assert_eq!(taken.len(), 40, "each orphan is given once");
    assert_eq!(ids(&taken).len(), 40, "and to one instance");
    let last = after(now, 60);
    let again = take_orphans(store, &lease("late", after(now, 99)), last, 99).await;
    assert_eq!(again, vec![], "while their new leases run, they are none");
}

pub(super) async fn an_orphan_is_its_new_holders(store: &dyn TaskStore) {
    let (now, owner) = (start(), bob().at_tenant(Some("'tenant' \0")));
    let working = full_task("t");
    let new = change(0, &working, vec![]);
    let one = lease("one", now);
    let made = store.create(&owner, &new, Some(&one)).await;
    assert_eq!(made, Ok(1), "held by one");
    turn(store, &owner, 1, &working).await;
    let later = after(now, 1);
    let orphans = take_orphans(store, &lease("two", after(now, 30)), later, 9).await;
    let [orphan] = orphans.as_slice() else {
        panic!("one orphan, not {orphans:?}");
    };
    assert_eq!(orphan.owner, owner, "its owner is told");
    assert_eq!(*orphan.stored.task, working, "the task as it is kept");
    assert_eq!(orphan.stored.version, 2, "and its version");
    let told = store.renew(&lease("one", after(now, 99))).await;
    assert_eq!(told, Ok(()), "the one that lost it comes back");
    let one = lease("one", after(now, 99));
    let told = store.acquire(&owner, "t", &one, later).await;
    assert_eq!(told, Ok(false), "it is another's");
    let last = after(now, 31);
    let three = lease("three", last);
    let told = store.acquire(&owner, "t", &three, last).await;
    assert_eq!(told, Ok(true), "until that one's lease ran out");
    create(store, &alice(), &task("u", TaskState::Working, 1)).await;
    assert!(take(store, "u", &lease("one", last), now).await, "free");
    let none = take_orphans(store, &lease("two", last), now, 9).await;
    assert_eq!(none, vec![], "what was taken otherwise is no orphan");
}
