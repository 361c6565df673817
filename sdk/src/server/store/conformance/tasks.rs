//! Tasks, their versions and their events.

use std::time::Duration;

use futures_util::future::join_all;

use super::given::{
    HOSTILE_IDS, alice, change, create, events, full_task, is_too_long, lease, others, piece,
    start, status_event, task, turn,
};
use crate::a2a::TaskState;
use crate::server::store::{
    EVENTS_KEPT, MAX_ID_BYTES, StoreError, StoredTask, TaskQuery, TaskStore,
};

pub(super) async fn a_task_comes_back_as_it_was_kept(store: &dyn TaskStore) {
    let owner = alice();
    let none = store.get(&owner, "t").await;
    assert_eq!(none, Ok(None), "an empty store has no task");
    let task = full_task("t");
    let first = change(0, &task, vec![status_event(&task), piece(&task, 0)]);
    let made = store.create(&owner, &first, None).await;
    assert_eq!(
        made,
        Ok(2),
        "a new task's version is the number of its events"
    );
    let kept = store.get(&owner, "t").await;
    let task = first.task.whole();
    let want = StoredTask { task, version: 2 };
    assert_eq!(kept, Ok(Some(want)), "a task comes back as it was kept");
    let kept = events(store, &owner, "t", 0, 10).await;
    let kept: Vec<_> = kept.into_iter().map(|e| (e.number, e.event)).collect();
    let want: Vec<_> = (1..).zip(first.events).collect();
    assert_eq!(kept, want, "the first events come back as they were kept");
}

pub(super) async fn somebody_elses_task_looks_missing(store: &dyn TaskStore) {
    let now = start();
    let working = task("t", TaskState::Working, 1);
    create(store, &alice(), &working).await;
    let work = lease("one", now);
    for other in others() {
        for id in ["t", "missing"] {
            let told = store.get(&other, id).await;
            assert_eq!(told, Ok(None), "{other:?} gets {id}");
            let told = store.events(&other, id, 0, 10).await;
            assert_eq!(told, Err(StoreError::NotFound), "its events");
            let mut changed = working.clone();
            id.clone_into(&mut changed.id);
            for expected in [1, 7] {
                let told = store
                    .append(&other, &change(expected, &changed, vec![]))
                    .await;
                assert_eq!(told, Err(StoreError::NotFound), "a change of it");
            }
            let told = store.acquire(&other, id, &work, now).await;
            assert_eq!(told, Err(StoreError::NotFound), "a lease on it");
            let told = store.release(&other, id, "one").await;
            assert_eq!(told, Ok(()), "giving it back");
        }
        let query = TaskQuery {
            page_size: 10,
            ..TaskQuery::default()
        };
        let page = store.list(&other, &query).await.expect("a page");
        assert_eq!(
            (page.tasks.len(), page.total),
            (0, 0),
            "the list of {other:?}"
        );
    }
}

pub(super) async fn one_id_of_many_owners_is_many_tasks(store: &dyn TaskStore) {
    let mut owners = others();
    owners.push(alice());
    for (index, owner) in owners.iter().enumerate() {
        create(store, owner, &task("t", TaskState::Working, index as u64)).await;
    }
    let done = task("t", TaskState::Completed, 99);
    turn(store, &alice(), 1, &done).await;
    for (index, owner) in owners.iter().enumerate() {
        let want = if *owner == alice() {
            done.clone()
        } else {
            task("t", TaskState::Working, index as u64)
        };
        let kept = store.get(owner, "t").await.expect("an answer");
        let kept = kept.map(|kept| kept.task.as_ref().clone());
        assert_eq!(kept, Some(want), "the task of {owner:?} is its own");
    }
}

pub(super) async fn a_task_is_made_once(store: &dyn TaskStore) {
    let owner = alice();
    let first = task("t", TaskState::Submitted, 1);
    create(store, &owner, &first).await;
    let again = change(0, &task("t", TaskState::Working, 2), vec![]);
    let told = store.create(&owner, &again, None).await;
    assert_eq!(
        told,
        Err(StoreError::Exists),
        "a task that is there already"
    );
    let kept = store.get(&owner, "t").await.expect("an answer");
    let kept = kept.map(|kept| kept.task.as_ref().clone());
    assert_eq!(kept, Some(first), "and it stays as it was");
    let late = change(1, &task("u", TaskState::Working, 2), vec![]);
    let told = store.create(&owner, &late, None).await;
    let (expected, found) = (1, 0);
    let want = StoreError::Conflict { expected, found };
    assert_eq!(told, Err(want), "a new task is made for version 0");
    assert_eq!(
        store.get(&owner, "u").await,
        Ok(None),
        "and is not kept then"
    );
    let made = join_all((0..8).map(|_| async {
        let new = change(0, &task("v", TaskState::Working, 3), vec![]);
        store.create(&owner, &new, None).await
    }));
    let made = made.await.into_iter().filter(Result::is_ok).count();
    assert_eq!(made, 1, "of many that make one task at once, one does");
}

pub(super) async fn versions_count_entries(store: &dyn TaskStore) {
    let owner = alice();
    let working = task("t", TaskState::Working, 1);
    create(store, &owner, &working).await;
    let mut version = 1;
    for (count, want) in [(1, 2), (3, 5), (0, 6), (2, 8)] {
        let pieces = (0..count).map(|number| piece(&working, number)).collect();
        let change = change(version, &working, pieces);
        let changed = store.append(&owner, &change).await;
        assert_eq!(changed, Ok(want), "{count} events at version {version}");
        let kept = store.get(&owner, "t").await.expect("an answer");
        assert_eq!(kept.map(|kept| kept.version), Some(want), "as it is kept");
        version = want;
    }
}

pub(super) async fn a_change_for_another_version_changes_nothing(store: &dyn TaskStore) {
    let owner = alice();
    let working = task("t", TaskState::Working, 1);
    create(store, &owner, &working).await;
    turn(store, &owner, 1, &working).await;
    let before = store.get(&owner, "t").await;
    let done = task("t", TaskState::Completed, 2);
    for expected in [0, 1, 3, u64::MAX / 4] {
        let late = change(expected, &done, vec![status_event(&done)]);
        let told = store.append(&owner, &late).await;
        let found = 2;
        let want = StoreError::Conflict { expected, found };
        assert_eq!(told, Err(want), "a change for version {expected} of 2");
    }
    assert_eq!(
        store.get(&owner, "t").await,
        before,
        "the task is as it was"
    );
    let kept = events(store, &owner, "t", 0, 10).await;
    assert_eq!(kept.len(), 1, "and has the events it had");
}

pub(super) async fn of_many_changes_at_once_one_wins(store: &dyn TaskStore) {
    let owner = alice();
    create(store, &owner, &task("t", TaskState::Working, 0)).await;
    for version in 1..6 {
        let changed = join_all((0..8).map(|index| {
            let owner = &owner;
            async move {
                let mine = task("t", TaskState::Working, 100 * version + index);
                let event = status_event(&mine);
                let change = change(version, &mine, vec![event]);
                let answer = store.append(owner, &change).await;
                answer.map(|_| change.task)
            }
        }));
        let (mut won, mut lost) = (Vec::new(), Vec::new());
        for answer in changed.await {
            match answer {
                Ok(task) => won.push(task),
                Err(error) => lost.push(error.reason()),
            }
        }
        assert_eq!(won.len(), 1, "one wins, the others got {lost:?}");
        assert_eq!(lost, ["store.conflict"; 7], "the others are told why");
        let kept = store.get(&owner, "t").await.expect("an answer");
        assert_eq!(
            kept.map(|kept| kept.task),
            won.pop().map(|won| won.whole()),
            "the winner's is kept"
        );
    }
}

pub(super) async fn events_come_in_order_and_in_ranges(store: &dyn TaskStore) {
    let owner = alice();
    let working = task("t", TaskState::Working, 1);
    create(store, &owner, &working).await;
    // Entries 1 and 5 are no events.
    for (expected, pieces) in [(1, 0..3), (4, 0..0), (5, 3..10)] {
        let pieces = pieces.map(|number| piece(&working, number)).collect();
        let change = change(expected, &working, pieces);
        store.append(&owner, &change).await.expect("it is kept");
    }
    let all: Vec<u64> = vec![2, 3, 4, 6, 7, 8, 9, 10, 11, 12];
    for (after, limit) in [
        (0, 99),
        (0, 1),
        (1, 2),
        (2, 3),
        (4, 99),
        (11, 5),
        (12, 5),
        (99, 5),
        (0, 0),
    ] {
        let kept = events(store, &owner, "t", after, limit).await;
        let wanted = all.iter().copied().enumerate();
        let wanted = wanted.filter(|(_, number)| *number > after).take(limit);
        let wanted: Vec<_> = wanted
            .map(|(index, number)| (number, piece(&working, index)))
            .map(|(number, event)| (number, serde_json::to_value(event).ok()))
            .collect();
        let kept: Vec<_> = kept
            .into_iter()
            .map(|kept| (kept.number, serde_json::to_value(kept.event).ok()))
            .collect();
        assert_eq!(kept, wanted, "at most {limit} events after {after}");
    }
}

pub(super) async fn events_stay_for_a_day_after_the_end(store: &dyn TaskStore) {
    let owner = alice();
    create(store, &owner, &task("t", TaskState::Working, 1)).await;
    turn(store, &owner, 1, &task("t", TaskState::Completed, 2)).await;
    let soon = start().plus(EVENTS_KEPT - Duration::from_secs(60));
    let orphans = store.take_orphans(&lease("one", soon), soon, 10).await;
    assert_eq!(orphans, Ok(vec![]), "a task that is over is no orphan");
    let kept = events(store, &owner, "t", 0, 10).await;
    assert_eq!(
        kept.len(),
        1,
        "its events are there a minute before the day is over"
    );
}

pub(super) async fn any_text_is_an_id(store: &dyn TaskStore) {
    let owner = alice();
    for (index, id) in HOSTILE_IDS.into_iter().enumerate() {
        let none = store.get(&owner, id).await;
        assert_eq!(none, Ok(None), "{id:?} is none of the others");
        create(store, &owner, &task(id, TaskState::Working, index as u64)).await;
    }
    for (index, id) in HOSTILE_IDS.into_iter().enumerate() {
        let kept = store.get(&owner, id).await.expect("an answer");
        let kept = kept.map(|kept| kept.task.as_ref().clone());
        let want = task(id, TaskState::Working, index as u64);
        assert_eq!(kept, Some(want), "{id:?} is kept to the byte");
        turn(store, &owner, 1, &task(id, TaskState::Completed, 50)).await;
        assert_eq!(events(store, &owner, id, 0, 9).await.len(), 1, "{id:?}");
        let mut other = task("of the context", TaskState::Working, 1);
        other.id = format!("context {index}");
        id.clone_into(&mut other.context_id);
        create(store, &owner, &other).await;
    }
    for (index, id) in HOSTILE_IDS.into_iter().enumerate() {
        let query = TaskQuery {
            context_id: Some(id.to_owned()),
            page_size: 10,
            ..TaskQuery::default()
        };
        let page = store.list(&owner, &query).await.expect("a page");
        assert_eq!(page.total, 1, "the conversation {id:?}");
        assert_eq!(page.tasks[0].id, format!("context {index}"), "of {id:?}");
    }
}

pub(super) async fn long_ids_are_refused(store: &dyn TaskStore) {
    let owner = alice();
    let longest = "é".repeat(MAX_ID_BYTES / 2);
    create(store, &owner, &task(&longest, TaskState::Working, 1)).await;
    let kept = store.get(&owner, &longest).await.expect("an answer");
    assert!(kept.is_some(), "the longest ID is kept");
    let longer = format!("{longest}a");
    let new = change(0, &task(&longer, TaskState::Working, 1), vec![]);
    let told = store.create(&owner, &new, None).await;
    assert!(is_too_long(&told), "a longer one is refused: {told:?}");
    let told = store.get(&owner, &longer).await;
    assert_eq!(told, Ok(None), "and is not there");
    let told = store.events(&owner, &longer, 0, 1).await;
    assert_eq!(told, Err(StoreError::NotFound), "nor has it events");
}
