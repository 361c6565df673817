//! Push configurations as they are set and shown.

use super::given::{HOSTILE_IDS, alice, config, is_too_long, others};
use crate::a2a::{AuthenticationInfo, TaskPushNotificationConfig};
use crate::server::store::{MAX_ID_BYTES, PushConfigStore};

async fn set(store: &dyn PushConfigStore, config: &TaskPushNotificationConfig) {
    let told = store.set(&alice(), config, 0).await;
    assert_eq!(told, Ok(()), "a configuration is kept");
}

async fn ids(store: &dyn PushConfigStore, after: Option<&str>, limit: usize) -> Vec<String> {
    let found = store.list(&alice(), "t", after, limit).await;
    let found = found.expect("a list").into_iter();
    found.filter_map(|config| config.id).collect()
}

pub(super) async fn a_configuration_comes_back_as_it_was_set(store: &dyn PushConfigStore) {
    let none = store.get(&alice(), "t", "c").await;
    assert_eq!(none, Ok(None), "an empty store has none");
    let mut wanted = config("t", "c");
    wanted.tenant = Some("tenant".to_owned());
    wanted.authentication = Some(AuthenticationInfo {
        scheme: "Bearer".to_owned(),
        credentials: Some("'\0\u{1f600}".to_owned()),
    });
    set(store, &wanted).await;
    let kept = store.get(&alice(), "t", "c").await;
    assert_eq!(
        kept,
        Ok(Some(wanted.clone())),
        "it comes back as it was set"
    );
    "https://other.example/".clone_into(&mut wanted.url);
    set(store, &wanted).await;
    let kept = store.get(&alice(), "t", "c").await;
    assert_eq!(kept, Ok(Some(wanted.clone())), "the later takes its place");
    let listed = store.list(&alice(), "t", None, 9).await;
    assert_eq!(listed, Ok(vec![wanted]), "and there is one");
}

pub(super) async fn somebody_elses_configuration_looks_missing(store: &dyn PushConfigStore) {
    let mine = config("t", "c");
    set(store, &mine).await;
    for other in others() {
        let told = store.get(&other, "t", "c").await;
        assert_eq!(told, Ok(None), "{other:?} gets it");
        let told = store.list(&other, "t", None, 9).await;
        assert_eq!(told, Ok(vec![]), "{other:?} lists it");
        let told = store.delete(&other, "t", "c").await;
        assert_eq!(told, Ok(()), "{other:?} deletes it");
        let mut theirs = config("t", "c");
        "https://theirs.example/".clone_into(&mut theirs.url);
        let told = store.set(&other, &theirs, 0).await;
        assert_eq!(told, Ok(()), "{other:?} has its own");
        let told = store.get(&alice(), "t", "c").await;
        assert_eq!(told, Ok(Some(mine.clone())), "it stays as it was");
        let told = store.delete(&other, "t", "c").await;
        assert_eq!(told, Ok(()), "{other:?} deletes its own");
    }
    let told = store.get(&alice(), "t", "c").await;
    assert_eq!(told, Ok(Some(mine)), "it is there still");
}

pub(super) async fn a_list_is_by_id_and_in_pages(store: &dyn PushConfigStore) {
    for id in ["b", "a", "é", "B", "aa"] {
        set(store, &config("t", id)).await;
        set(store, &config("another", id)).await;
    }
    let all = ["B", "a", "aa", "b", "é"];
    assert_eq!(ids(store, None, 9).await, all, "byte by byte");
    assert_eq!(ids(store, None, 2).await, all[..2], "at most two");
    assert_eq!(ids(store, Some("a"), 2).await, all[2..4], "after one");
    assert_eq!(
        ids(store, Some("aaa"), 9).await,
        all[3..],
        "after none of them"
    );
    assert_eq!(ids(store, Some("é"), 9).await, all[5..], "after the last");
    assert_eq!(ids(store, None, 0).await, all[..0], "none");
}

pub(super) async fn deleting_twice_is_deleting_once(store: &dyn PushConfigStore) {
    set(store, &config("t", "a")).await;
    set(store, &config("t", "b")).await;
    for _ in 0..2 {
        let told = store.delete(&alice(), "t", "a").await;
        assert_eq!(told, Ok(()), "it is gone");
        assert_eq!(ids(store, None, 9).await, ["b"], "the other is there");
        assert_eq!(store.get(&alice(), "t", "a").await, Ok(None), "gone");
    }
}

pub(super) async fn any_text_is_an_id(store: &dyn PushConfigStore) {
    // An empty one is none, as on the wire.
    let ids = &HOSTILE_IDS[1..];
    for task in ids {
        for id in ids {
            let told = store.get(&alice(), task, id).await;
            assert_eq!(told, Ok(None), "{task:?} {id:?} is none of the others");
            set(store, &config(task, id)).await;
        }
    }
    for task in ids {
        let found = store.list(&alice(), task, None, 99).await.expect("a list");
        assert_eq!(found.len(), ids.len(), "of {task:?}");
        for id in ids {
            let told = store.get(&alice(), task, id).await;
            assert_eq!(told, Ok(Some(config(task, id))), "{task:?} {id:?}");
        }
    }
}

pub(super) async fn what_has_no_name_is_refused(store: &dyn PushConfigStore) {
    let mut nameless = config("t", "c");
    nameless.id = None;
    let mut taskless = config("t", "c");
    taskless.task_id = None;
    for config in [nameless, taskless, config("t", ""), config("", "c")] {
        let told = store.set(&alice(), &config, 0).await;
        let reason = told.map_err(|error| error.reason());
        assert_eq!(reason, Err("store.not_found"), "without a name");
    }
    let longer = "a".repeat(MAX_ID_BYTES + 1);
    for config in [config("t", &longer), config(&longer, "c")] {
        let told = store.set(&alice(), &config, 0).await;
        assert!(is_too_long(&told), "a name that is too long: {told:?}");
    }
    set(store, &config("t", &longer[1..])).await;
    let told = store.get(&alice(), "t", &longer).await;
    assert_eq!(told, Ok(None), "what is too long is not there");
    assert_eq!(ids(store, Some(&longer), 9).await, [""; 0], "nor after it");
}
