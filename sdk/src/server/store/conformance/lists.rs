//! Lists and their pages.

use std::collections::BTreeSet;

use super::given::{alice, bob, create, ids, page, task, turn};
use crate::a2a::{Task, TaskState};
use crate::policy::Owner;
use crate::server::store::{TaskCursor, TaskQuery, TaskStore};

const STATES: [TaskState; 3] = [
    TaskState::Working,
    TaskState::InputRequired,
    TaskState::Completed,
];

fn first(size: u32) -> TaskQuery {
    TaskQuery {
        page_size: size,
        ..TaskQuery::default()
    }
}

/// Thirty tasks in every combination of three states and two conversations, several of one time.
async fn fill(store: &dyn TaskStore, owner: &Owner) -> Vec<Task> {
    let mut tasks = Vec::new();
    for index in 0..30_u64 {
        let state = STATES[index as usize % 3];
        let mut new = task(&format!("task {index}"), state, index * 7 % 10 * 1000);
        let context = if index % 2 == 0 { "even" } else { "odd" };
        context.clone_into(&mut new.context_id);
        create(store, owner, &new).await;
        tasks.push(new);
    }
    tasks
}

/// What `query` should find, in order, whatever its page.
fn wanted<'a>(tasks: &'a [Task], query: &TaskQuery) -> Vec<&'a str> {
    let wanted = tasks.iter().filter(|task| {
        let context = query.context_id.as_ref();
        let of_context = context.is_none_or(|context| task.context_id == *context);
        let in_state = query.state.is_none_or(|state| task.status.state == state);
        let oldest = query.not_before_ms;
        let is_new = oldest.is_none_or(|oldest| TaskCursor::of(task).status_ms >= oldest);
        of_context && in_state && is_new
    });
    let mut wanted: Vec<&Task> = wanted.collect();
    wanted.sort_by_key(|task| std::cmp::Reverse(TaskCursor::of(task)));
    wanted.into_iter().map(|task| task.id.as_str()).collect()
}

/// The IDs on all pages; `between` runs after each.
async fn walk(
    store: &dyn TaskStore,
    owner: &Owner,
    mut query: TaskQuery,
    mut between: impl AsyncFnMut(),
) -> Vec<String> {
    let mut seen = Vec::new();
    for _ in 0..100 {
        let found = page(store, owner, &query).await;
        let size = query.page_size as usize;
        assert!(found.tasks.len() <= size, "a page of at most {size}");
        seen.extend(ids(&found).into_iter().map(str::to_owned));
        let Some(next) = found.next else {
            return seen;
        };
        assert_eq!(found.tasks.len(), size, "only the last page is shorter");
        let last = found.tasks.last().map(|task| TaskCursor::of(task));
        assert_eq!(Some(&next), last.as_ref(), "the next begins after the last");
        query.after = Some(next);
        between().await;
    }
    panic!("pages without end: {seen:?}");
}

pub(super) async fn the_newest_status_comes_first(store: &dyn TaskStore) {
    let owner = alice();
    // Of one time by ID, byte by byte from the last: as no language sorts.
    for (id, millis) in [
        ("a", 5),
        ("Z", 5),
        ("é", 5),
        ("aa", 5),
        ("\u{ffff}", 5),
        ("\u{10000}", 5),
        ("old", 4),
        ("new", 6),
    ] {
        create(store, &owner, &task(id, TaskState::Working, millis)).await;
    }
    let mut timeless = task("timeless", TaskState::Working, 0);
    timeless.status.timestamp = None;
    create(store, &owner, &timeless).await;
    let mut ancient = task("ancient", TaskState::Working, 0);
    ancient.status.timestamp = "1960-05-01T00:00:00.5Z".parse().ok();
    create(store, &owner, &ancient).await;
    let found = page(store, &owner, &first(20)).await;
    let want = [
        "new",
        "\u{10000}",
        "\u{ffff}",
        "é",
        "aa",
        "a",
        "Z",
        "old",
        "timeless",
        "ancient",
    ];
    assert_eq!(
        ids(&found),
        want,
        "newest status first, then by ID from the last"
    );
    assert_eq!((found.total, found.next), (10, None), "on one page");
}

pub(super) async fn filters_keep_what_they_name(store: &dyn TaskStore) {
    let owner = alice();
    let tasks = fill(store, &owner).await;
    create(store, &bob(), &task("bob's", TaskState::Working, 5000)).await;
    let at = |index: usize| TaskCursor::of(&tasks[index]).status_ms;
    let contexts = [None, Some("even"), Some("odd"), Some("missing"), Some("")];
    let states = [
        None,
        Some(STATES[0]),
        Some(STATES[2]),
        Some(TaskState::Failed),
    ];
    let times = [
        None,
        Some(at(0)),
        Some(at(1)),
        Some(at(1) + 1),
        Some(i64::MIN),
        Some(i64::MAX),
    ];
    for context in contexts {
        for state in states {
            for not_before_ms in times {
                let query = TaskQuery {
                    context_id: context.map(str::to_owned),
                    state,
                    not_before_ms,
                    page_size: 50,
                    after: None,
                    total: None,
                };
                let found = page(store, &owner, &query).await;
                let want = wanted(&tasks, &query);
                assert_eq!(ids(&found), want, "{query:?}");
                assert_eq!(found.total, want.len() as u64, "the total of {query:?}");
                assert_eq!(found.next, None, "nothing follows in {query:?}");
            }
        }
    }
}

pub(super) async fn a_change_moves_a_task_within_every_list(store: &dyn TaskStore) {
    let owner = alice();
    let mut tasks = fill(store, &owner).await;
    for (index, state, millis) in [
        (3, TaskState::Completed, 99_000),
        (4, TaskState::Failed, 500),
        (5, TaskState::Working, 500),
    ] {
        let changed: &mut Task = &mut tasks[index];
        changed.status = task("", state, millis).status;
        turn(store, &owner, 1, changed).await;
    }
    for state in [
        None,
        Some(STATES[0]),
        Some(STATES[1]),
        Some(STATES[2]),
        Some(TaskState::Failed),
    ] {
        for context in [None, Some("even"), Some("odd")] {
            let query = TaskQuery {
                state,
                context_id: context.map(str::to_owned),
                ..first(50)
            };
            let found = page(store, &owner, &query).await;
            let want = wanted(&tasks, &query);
            assert_eq!(ids(&found), want, "{query:?}");
            assert_eq!(found.total, want.len() as u64, "the total of {query:?}");
        }
    }
}

pub(super) async fn pages_of_every_size_have_each_task_once(store: &dyn TaskStore) {
    let owner = alice();
    let tasks = fill(store, &owner).await;
    let mut queries = vec![first(1)];
    queries.push(TaskQuery {
        context_id: Some("odd".to_owned()),
        ..first(1)
    });
    queries.push(TaskQuery {
        state: Some(TaskState::Working),
        not_before_ms: Some(TaskCursor::of(&tasks[1]).status_ms),
        ..first(1)
    });
    queries.push(TaskQuery {
        context_id: Some("even".to_owned()),
        state: Some(TaskState::Completed),
        ..first(1)
    });
    for mut query in queries {
        let want = wanted(&tasks, &query);
        for size in [1, 2, 3, 5, 15, 29, 30, 31] {
            query.page_size = size;
            let seen = walk(store, &owner, query.clone(), async || ()).await;
            assert_eq!(seen, want, "in pages of {size}");
        }
        query.page_size = 0;
        let found = page(store, &owner, &query).await;
        assert_eq!(found.tasks.len(), 0, "no task on a page of none");
        assert_eq!(found.total, want.len() as u64, "but their number");
    }
}

pub(super) async fn pages_lose_nothing_while_tasks_are_added(store: &dyn TaskStore) {
    let owner = alice();
    let tasks = fill(store, &owner).await;
    let mut added = 0;
    let seen = walk(store, &owner, first(4), async || {
        // Newer than all, older than all, and in their midst.
        for millis in [90_000, 0, 4500] {
            let id = format!("added {added}");
            create(store, &owner, &task(&id, TaskState::Working, millis)).await;
            added += 1;
        }
    });
    let seen = seen.await;
    assert!(added > 9, "tasks were added between the pages");
    let once: BTreeSet<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(once.len(), seen.len(), "no task is on two pages: {seen:?}");
    let kept: Vec<&str> = seen.iter().map(String::as_str).collect();
    let kept: Vec<&str> = kept
        .into_iter()
        .filter(|id| !id.starts_with("added"))
        .collect();
    assert_eq!(kept, wanted(&tasks, &first(4)), "none is lost");
}

pub(super) async fn a_place_need_not_be_a_task(store: &dyn TaskStore) {
    let owner = alice();
    for (id, millis) in [("a", 1), ("c", 2), ("e", 2)] {
        create(store, &owner, &task(id, TaskState::Working, millis)).await;
    }
    let base = TaskCursor::of(&task("", TaskState::Working, 0)).status_ms;
    for (status_ms, id, want) in [
        (base + 9, "x", vec!["e", "c", "a"]),
        (base + 2, "d", vec!["c", "a"]),
        (base + 2, "c", vec!["a"]),
        (base + 2, "", vec!["a"]),
        (base + 1, "a", vec![]),
        (i64::MIN, "a", vec![]),
        (i64::MAX, "'\0", vec!["e", "c", "a"]),
    ] {
        let id = id.to_owned();
        let query = TaskQuery {
            after: Some(TaskCursor { status_ms, id }),
            ..first(9)
        };
        let found = page(store, &owner, &query).await;
        assert_eq!(ids(&found), want, "after {:?}", query.after);
        assert_eq!(found.total, 3, "the total is of all pages");
        let none = TaskQuery {
            not_before_ms: Some(base + 100),
            ..query
        };
        let found = page(store, &owner, &none).await;
        assert_eq!((ids(&found), found.total), (vec![], 0), "none is so new");
    }
}
