//! The operations on configurations, each within its owner's bounds.

use super::*;
use crate::a2a::{
    A2aError, AuthenticationInfo, ErrorKind, GetTaskPushNotificationConfigRequest,
    ListTaskPushNotificationConfigsRequest,
};
use crate::httpsig::WebUrl;
use crate::server::push::{HostPattern, WebhookRule};

const URL: &str = "https://hooks.example/x";

async fn world() -> (World, PushNotifications) {
    let world = World::new().await;
    world.names.say("hooks.example", &[&["93.184.216.34"]]);
    let push = world.push(world.settings(PushPolicy::default()));
    (world, push)
}

fn of_task(task_id: &str, id: Option<&str>) -> TaskPushNotificationConfig {
    TaskPushNotificationConfig {
        task_id: Some(task_id.to_owned()),
        id: id.map(str::to_owned),
        token: Some("t0ken".to_owned()),
        authentication: Some(AuthenticationInfo {
            scheme: "Bearer".to_owned(),
            credentials: Some("s3cret".to_owned()),
        }),
        ..config(URL)
    }
}

fn named(task_id: &str, id: &str) -> GetTaskPushNotificationConfigRequest {
    GetTaskPushNotificationConfigRequest {
        task_id: task_id.to_owned(),
        id: id.to_owned(),
        ..Default::default()
    }
}

fn page(page_size: i32, token: &str) -> ListTaskPushNotificationConfigsRequest {
    ListTaskPushNotificationConfigsRequest {
        task_id: TASK.to_owned(),
        page_size,
        page_token: Some(token.to_owned()),
        ..Default::default()
    }
}

fn kind<T>(answer: Result<T, A2aError>) -> Option<ErrorKind> {
    answer.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_configuration_is_read_as_it_was_created_until_it_is_deleted() {
    let (world, push) = world().await;
    let owner = &world.owner;
    let made = push.create(owner, of_task(TASK, None)).await.expect("made");
    let id = made.id.clone().expect("made by the server");
    assert_eq!(made, of_task(TASK, Some(&id)));
    let read = push.get(owner, &named(TASK, &id)).await;
    assert_eq!(read.expect("it is there"), made);
    let mine = push.create(owner, of_task(TASK, Some("mine"))).await;
    assert_eq!(mine.expect("made").id.as_deref(), Some("mine"));
    let list = push.list(owner, &page(0, "")).await.expect("a list");
    assert_eq!(list.configs.len(), 2);
    assert_eq!(list.next_page_token, "");
    for _ in 0..2 {
        assert_eq!(kind(push.delete(owner, &named(TASK, &id)).await), None);
    }
    let gone = push.get(owner, &named(TASK, &id)).await;
    assert_eq!(kind(gone), Some(ErrorKind::TaskNotFound));
}

#[tokio::test]
async fn what_is_somebody_elses_looks_as_if_it_were_not_there() {
    let (world, push) = world().await;
    let made = push.create(&world.owner, of_task(TASK, Some("p"))).await;
    assert!(made.is_ok());
    let other = owner("/agent/two");
    for (owner, task) in [(&other, TASK), (&world.owner, "t-2")] {
        let not_found = Some(ErrorKind::TaskNotFound);
        let list = ListTaskPushNotificationConfigsRequest {
            task_id: task.to_owned(),
            ..page(0, "")
        };
        assert_eq!(
            kind(push.create(owner, of_task(task, None)).await),
            not_found
        );
        assert_eq!(kind(push.get(owner, &named(task, "p")).await), not_found);
        assert_eq!(kind(push.list(owner, &list).await), not_found);
        assert_eq!(kind(push.delete(owner, &named(task, "p")).await), not_found);
    }
    assert!(push.get(&world.owner, &named(TASK, "p")).await.is_ok());
}

#[tokio::test]
async fn a_task_has_a_bounded_number_of_configurations() {
    let (world, _) = world().await;
    let settings = world.settings(PushPolicy::default()).max_per_task(2);
    let push = world.push(settings);
    let create = |id: &'static str| push.create(&world.owner, of_task(TASK, Some(id)));
    assert_eq!(kind(create("a").await), None);
    assert_eq!(kind(create("b").await), None);
    assert_eq!(kind(create("c").await), Some(ErrorKind::InvalidParams));
    assert_eq!(kind(create("b").await), None, "in place of the other b");
    push.delete(&world.owner, &named(TASK, "a"))
        .await
        .expect("deleted");
    assert_eq!(kind(create("c").await), None);
}

#[tokio::test]
async fn pages_have_exact_edges_and_tokens_are_for_one_list() {
    let (world, push) = world().await;
    let owner = &world.owner;
    for id in ["a", "b", "c"] {
        push.create(owner, of_task(TASK, Some(id)))
            .await
            .expect("made");
    }
    let ids = |list: &crate::a2a::ListTaskPushNotificationConfigsResponse| -> Vec<String> {
        list.configs.iter().filter_map(|c| c.id.clone()).collect()
    };
    let first = push.list(owner, &page(2, "")).await.expect("a page");
    assert_eq!(ids(&first), ["a", "b"]);
    let second = push.list(owner, &page(2, &first.next_page_token)).await;
    let second = second.expect("a page");
    assert_eq!(
        (ids(&second), second.next_page_token.as_str()),
        (vec!["c".to_owned()], "")
    );
    let whole = push.list(owner, &page(3, "")).await.expect("a page");
    assert_eq!(whole.next_page_token, "");
    for (size, wrong) in [
        (-1, true),
        (0, false),
        (1, false),
        (100, false),
        (101, true),
    ] {
        let got = kind(push.list(owner, &page(size, "")).await);
        assert_eq!(got.is_some(), wrong, "{size}");
    }
    // The token of another owner's list, or of another task's, begins no page of ours.
    let other = owner_token(&self::owner("/agent/two"), TASK);
    for token in [other.as_str(), &owner_token(owner, "t-2"), "b", "####"] {
        let got = kind(push.list(owner, &page(2, token)).await);
        assert_eq!(got, Some(ErrorKind::InvalidParams), "{token}");
    }
    assert!(
        push.list(owner, &page(2, &owner_token(owner, TASK)))
            .await
            .is_ok()
    );
}

fn owner_token(owner: &Owner, task: &str) -> String {
    crate::server::push::page::token_after(owner, task, "b")
}

#[tokio::test]
async fn where_agents_share_a_task_they_do_not_share_secrets() {
    let (world, _) = world().await;
    let shared = Owner::from_text("{}").expect("an owner");
    assert!(shared.agent().is_none());
    let first = change("t-9", TaskState::Submitted, 0);
    world
        .tasks
        .create(&shared, &first, None)
        .await
        .expect("created");
    let policy = PushPolicy::default()
        .web("hooks.example")
        .expect("a pattern");
    let push = world.push(world.settings(policy));
    let made = push
        .create(&shared, of_task("t-9", Some("p")))
        .await
        .expect("made");
    assert_eq!(made.token.as_deref(), Some("t0ken"), "its maker knows it");
    let read = push.get(&shared, &named("t-9", "p")).await.expect("read");
    assert_eq!(read.token, None);
    let authentication = read.authentication.expect("it is there");
    assert_eq!(authentication.scheme, "Bearer");
    assert_eq!(authentication.credentials, None);
}

#[tokio::test]
async fn an_id_is_bounded_and_header_values_are_checked_when_created() {
    let (world, push) = world().await;
    let owner = &world.owner;
    let long = |n: usize| of_task(TASK, Some(&"i".repeat(n)));
    assert_eq!(kind(push.create(owner, long(512)).await), None);
    let invalid = Some(ErrorKind::InvalidParams);
    assert_eq!(kind(push.create(owner, long(513)).await), invalid);
    let broken = TaskPushNotificationConfig {
        token: Some("a\r\nb: c".to_owned()),
        ..of_task(TASK, None)
    };
    assert_eq!(kind(push.create(owner, broken).await), invalid);
}

#[tokio::test]
async fn the_caller_is_not_told_where_a_name_leads() {
    let (world, push) = world().await;
    world.names.say("inside.example", &[&["10.0.0.7"]]);
    let url = |url: &str| TaskPushNotificationConfig {
        url: url.to_owned(),
        ..of_task(TASK, None)
    };
    let told = |config| async {
        let refused = push.create(&world.owner, config).await;
        let refused = refused.expect_err("it is refused");
        format!("{refused:?}")
    };
    let inside = told(url("https://inside.example/")).await;
    let nowhere = told(url("https://nowhere.example/")).await;
    assert_eq!(inside, nowhere);
    assert!(!inside.contains("10.0.0.7"), "{inside}");
}

#[test]
fn the_policy_says_who_must_be_at_the_webhook() {
    let bus = || "spiffe://push.test/agent/bus".parse().expect("an ID");
    let at = |at: &str| HostPattern::new(at).expect("a pattern");
    let listed = PushPolicy::default()
        .agent("bus.example", "/events/", bus())
        .and_then(|policy| policy.web("*.web.example"))
        .expect("patterns");
    let only = listed.clone().only_listed();
    let owners = only.clone().rule(WebhookRule::OwnersAgent { at: at("*") });
    let plain = PushPolicy::default().danger().allow_plain_http();
    let mine = owner("/agent/one");
    let shared = Owner::from_text("{}").expect("an owner");
    let one = "Ok(Agent(spiffe://push.test/agent/one))";
    let the_bus = "Ok(Agent(spiffe://push.test/agent/bus))";
    for (policy, url, owner, want) in [
        (&listed, "https://bus.example/events/", &mine, the_bus),
        (
            &listed,
            "https://bus.example/events/7?k=v",
            &shared,
            the_bus,
        ),
        // Where else that agent would hear us is not for a caller to say.
        (&listed, "https://bus.example/", &mine, "push.not_allowed"),
        (
            &listed,
            "https://bus.example/a2a/rest/tasks/t:cancel",
            &mine,
            "push.not_allowed",
        ),
        (
            &listed,
            "https://bus.example/events/../admin",
            &mine,
            "push.not_allowed",
        ),
        (
            &listed,
            "https://bus.example:8443/events",
            &shared,
            "push.not_allowed",
        ),
        (&listed, "https://a.web.example/", &mine, "Ok(Web)"),
        (&listed, "https://a.b.web.example/", &mine, "Ok(Web)"),
        (&listed, "https://web.example/", &mine, one),
        (&listed, "https://aweb.example/", &mine, one),
        (&listed, "https://other.example/", &mine, one),
        (&listed, "https://93.184.216.34/", &mine, one),
        (
            &listed,
            "https://other.example/",
            &shared,
            "push.not_allowed",
        ),
        (&listed, "http://a.web.example/", &mine, "push.not_allowed"),
        (&only, "https://other.example/", &mine, "push.not_allowed"),
        (&only, "https://a.web.example/", &mine, "Ok(Web)"),
        (&owners, "https://other.example/", &mine, one),
        (&plain, "http://other.example/", &mine, "Ok(Nothing)"),
        (&plain, "https://other.example/", &mine, one),
    ] {
        let url: WebUrl = url.parse().expect("a URL");
        let got = match policy.proof(&url, owner) {
            Err(error) => error.reason().to_owned(),
            good => format!("{good:?}"),
        };
        assert_eq!(got, want, "{url}");
    }
    for wrong in [
        "",
        "*.",
        "**",
        "a*",
        "*.*",
        "Hooks.example",
        "a b",
        "127.0.0.1",
        "a:443",
        "a/b",
    ] {
        assert!(HostPattern::new(wrong).is_err(), "{wrong}");
    }
}
