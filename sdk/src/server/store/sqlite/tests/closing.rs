//! What is left of a store that was closed: the file.

use std::path::Path;

use futures_util::StreamExt as _;

use super::{create, folder, open, total};
use crate::a2a::TaskState;
use crate::server::store::{PushConfigStore, TaskStore};

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let names = entries.map(|entry| entry.expect("a file").file_name().into_string());
    let mut names: Vec<_> = names.map(|name| name.expect("a name")).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_closed_store_leaves_one_file_and_nobody_who_follows_it() {
    let folder = folder();
    let store = open(&folder.path().join("tasks.db")).await;
    create(&store, "a", TaskState::Working).await;
    assert_eq!(total(&store, None).await, 1, "there was a reader");
    // One that was left just now, and one that is still asked.
    let mut left = store.changes().expect("it can be shared");
    left.next().await.expect("word");
    drop(left);
    let mut followed = store.changes().expect("it can be shared");
    followed.next().await.expect("word");
    let (end, ()) = tokio::join!(followed.next(), store.close());
    assert_eq!(end, None);
    assert_eq!(names(folder.path()), ["tasks.db"]);
}

#[tokio::test]
async fn who_is_done_closes_the_store_only_when_nobody_else_needs_it() {
    let folder = folder();
    let store = open(&folder.path().join("tasks.db")).await;
    create(&store, "a", TaskState::Working).await;
    let (tasks, configs) = (store.clone(), store.clone());
    TaskStore::close(&tasks).await;
    TaskStore::close(&tasks).await;
    PushConfigStore::close(&configs).await;
    assert_eq!(total(&store, None).await, 1, "it is still needed");
    TaskStore::close(&store).await;
    assert_eq!(names(folder.path()), ["tasks.db"]);
}
