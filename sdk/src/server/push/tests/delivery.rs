//! Deliveries to receivers that answer in all ways.

use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::a2a::{AuthenticationInfo, DeleteTaskPushNotificationConfigRequest};

/// Who forgets the configuration `p`, and what it keeps in its place.
type Forgets = (
    Arc<MemoryPushConfigStore>,
    Owner,
    Option<TaskPushNotificationConfig>,
);

/// A receiver that remembers what it got and answers as it is told.
#[derive(Clone)]
struct Hook {
    url: String,
    got: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<Vec<StatusCode>>>,
    /// Forgets the configuration `p` of this task, or sets it anew, while it is being told.
    forgets: Arc<Mutex<Option<Forgets>>>,
}

impl Hook {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let hook = Self {
            url: format!("http://{address}/hook?x=1"),
            got: Arc::default(),
            answers: Arc::default(),
            forgets: Arc::default(),
        };
        let answer = async |State(hook): State<Self>, headers: HeaderMap, body: String| {
            hook.got.lock().expect("no panic").push((headers, body));
            let forgets = hook.forgets.lock().expect("no panic").take();
            if let Some((configs, owner, instead)) = forgets {
                configs.delete(&owner, TASK, "p").await.expect("deleted");
                if let Some(config) = instead {
                    configs.set(&owner, &config, 0).await.expect("kept");
                }
            }
            let mut answers = hook.answers.lock().expect("no panic");
            if answers.is_empty() {
                return StatusCode::OK;
            }
            answers.remove(0)
        };
        let router = Router::new().route("/hook", post(answer));
        let router = router.with_state(hook.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        hook
    }

    fn answer(&self, answers: &[StatusCode]) {
        *self.answers.lock().expect("no panic") = answers.to_vec();
    }

    fn got(&self) -> usize {
        self.got.lock().expect("no panic").len()
    }

    /// The states that it was told of, in their order.
    fn states(&self) -> Vec<String> {
        let got = self.got.lock().expect("no panic");
        let state = |(_, body): &(HeaderMap, String)| {
            let event: serde_json::Value = serde_json::from_str(body).expect("JSON");
            event["task"]["status"]["state"]
                .as_str()
                .expect("a state")
                .to_owned()
        };
        got.iter().map(state).collect()
    }
}

fn on_loopback() -> PushPolicy {
    PushPolicy::default()
        .danger()
        .allow_plain_http()
        .danger()
        .allow_loopback()
}

async fn is_there(world: &World, id: &str) -> bool {
    let found = world.configs.get(&world.owner, TASK, id).await;
    found.expect("read").is_some()
}

#[tokio::test]
async fn events_come_in_their_order_with_every_header() {
    let (world, hook) = (World::new().await, Hook::start().await);
    let push = world.push(world.settings(on_loopback()));
    push.start();
    let config = TaskPushNotificationConfig {
        token: Some("t0ken".to_owned()),
        authentication: Some(AuthenticationInfo {
            scheme: "Bearer".to_owned(),
            credentials: Some("s3cret".to_owned()),
        }),
        ..config(&hook.url)
    };
    push.register(&world.owner, TASK, config, 0)
        .await
        .expect("kept");
    until("the first event", async || hook.got() == 1).await;
    for state in [TaskState::Working, TaskState::Completed] {
        world.happens(state).await;
        push.wake(&world.owner, TASK).await;
    }
    until("all events", async || hook.got() == 3).await;
    let want = [
        "TASK_STATE_SUBMITTED",
        "TASK_STATE_WORKING",
        "TASK_STATE_COMPLETED",
    ];
    assert_eq!(hook.states(), want);
    let got = hook.got.lock().expect("no panic").clone();
    for (number, (headers, _)) in (1..).zip(&got) {
        let get = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        assert_eq!(get("content-type"), Some("application/a2a+json"));
        assert_eq!(get("a2a-version"), Some("1.0"));
        assert_eq!(get("authorization"), Some("Bearer s3cret"));
        assert_eq!(get("a2a-notification-token"), Some("t0ken"));
        assert_eq!(get("x-a2a-notification-token"), Some("t0ken"));
        assert_eq!(
            get("idempotency-key"),
            Some(format!("\"{number}\"").as_str())
        );
        let input = get("signature-input").expect("it is signed");
        for component in [
            "\"@method\"",
            "\"@authority\"",
            "\"@path\"",
            "\"@query\"",
            "\"content-type\"",
            "\"content-digest\"",
            "\"authorization\"",
            "\"a2a-version\"",
            "\"idempotency-key\"",
            "\"signature-agent\";key=",
        ] {
            assert!(input.contains(component), "{component} in {input}");
        }
    }
    push.shutdown().await;
}

#[tokio::test]
async fn only_a_success_is_a_delivery_and_a_farewell_is_obeyed() {
    for (answers, requests, kept) in [
        (vec![StatusCode::NO_CONTENT], 1, true),
        (vec![StatusCode::ACCEPTED], 1, true),
        (vec![StatusCode::BAD_REQUEST], 2, true),
        (vec![StatusCode::UNAUTHORIZED], 2, true),
        (vec![StatusCode::SEE_OTHER], 2, true),
        (
            vec![
                StatusCode::INTERNAL_SERVER_ERROR,
                StatusCode::TOO_MANY_REQUESTS,
            ],
            3,
            true,
        ),
        (vec![StatusCode::NOT_FOUND], 1, false),
        (vec![StatusCode::GONE], 1, false),
    ] {
        let (world, hook) = (World::new().await, Hook::start().await);
        hook.answer(&answers);
        let push = world.push(world.settings(on_loopback()));
        world.keep("p", &hook.url).await;
        push.start();
        until("as many requests", async || hook.got() == requests).await;
        until("what becomes of it", async || {
            is_there(&world, "p").await == kept
        })
        .await;
        // Nothing more comes: the event is delivered, or its receiver forgotten.
        push.shutdown().await;
        assert_eq!(hook.got(), requests, "{answers:?}");
        assert_eq!(is_there(&world, "p").await, kept, "{answers:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_is_never_reached_is_forgotten_at_last() {
    let (world, hook) = (World::new().await, Hook::start().await);
    hook.answer(&[StatusCode::INTERNAL_SERVER_ERROR; 9]);
    // Pauses of 1 s and no more.
    let settings = world.settings(on_loopback());
    let push = world.push(settings.give_up_after(Duration::from_secs(1)));
    world.keep("p", &hook.url).await;
    push.start();
    until("it is forgotten", async || !is_there(&world, "p").await).await;
    assert_eq!(hook.got(), 2);
}

#[tokio::test]
async fn after_it_is_deleted_nothing_is_sent() {
    let (world, hook) = (World::new().await, Hook::start().await);
    let push = world.push(world.settings(on_loopback()));
    push.start();
    let made = push
        .register(&world.owner, TASK, config(&hook.url), 0)
        .await;
    let id = made.expect("kept").id.expect("an ID");
    until("the first event", async || hook.got() == 1).await;
    let request = DeleteTaskPushNotificationConfigRequest {
        task_id: TASK.to_owned(),
        id,
        ..Default::default()
    };
    push.delete(&world.owner, &request).await.expect("deleted");
    world.happens(TaskState::Completed).await;
    push.wake(&world.owner, TASK).await;
    // Another one is told, so the worker has looked.
    let other = Hook::start().await;
    world.keep("other", &other.url).await;
    push.wake(&world.owner, TASK).await;
    until("the other is told", async || other.got() == 2).await;
    assert_eq!(hook.got(), 1);
}

#[tokio::test]
async fn nothing_is_sent_after_it_is_deleted_in_the_middle_of_a_delivery() {
    let (world, hook) = (World::new().await, Hook::start().await);
    for _ in 0..3 {
        world.happens(TaskState::Working).await;
    }
    let forgets = (world.configs.clone(), world.owner.clone(), None);
    *hook.forgets.lock().expect("no panic") = Some(forgets);
    world.keep("p", &hook.url).await;
    let other = Hook::start().await;
    world.keep("q", &other.url).await;
    let push = world.push(world.settings(on_loopback()));
    push.start();
    until("the other is told", async || other.got() == 4).await;
    push.shutdown().await;
    assert_eq!(hook.got(), 1);
}

#[tokio::test]
async fn what_is_set_anew_in_the_middle_of_a_delivery_is_told_at_its_new_place_only() {
    let (world, hook, new) = (World::new().await, Hook::start().await, Hook::start().await);
    for _ in 0..3 {
        world.happens(TaskState::Working).await;
    }
    let instead = TaskPushNotificationConfig {
        id: Some("p".to_owned()),
        task_id: Some(TASK.to_owned()),
        ..config(&new.url)
    };
    let forgets = (world.configs.clone(), world.owner.clone(), Some(instead));
    *hook.forgets.lock().expect("no panic") = Some(forgets);
    world.keep("p", &hook.url).await;
    let push = world.push(world.settings(on_loopback()));
    push.start();
    until("the new place is told", async || new.got() == 4).await;
    push.shutdown().await;
    assert_eq!((hook.got(), new.got()), (1, 4));
}

#[tokio::test]
async fn a_configuration_of_an_existing_task_is_told_of_what_comes() {
    let (world, hook) = (World::new().await, Hook::start().await);
    let push = world.push(world.settings(on_loopback()));
    push.start();
    let config = TaskPushNotificationConfig {
        task_id: Some(TASK.to_owned()),
        ..config(&hook.url)
    };
    push.create(&world.owner, config).await.expect("made");
    world.happens(TaskState::Completed).await;
    push.wake(&world.owner, TASK).await;
    until("the event", async || hook.got() == 1).await;
    assert_eq!(hook.states(), ["TASK_STATE_COMPLETED"]);
}

#[tokio::test]
async fn an_answer_waits_for_the_notifications_when_it_is_told_to() {
    let (world, hook, broken) = (World::new().await, Hook::start().await, Hook::start().await);
    broken.answer(&[StatusCode::INTERNAL_SERVER_ERROR; 99]);
    // Longer than the test may take: it does not end by that.
    let settings = world
        .settings(on_loopback())
        .before_answer(Duration::from_secs(999));
    let push = world.push(settings);
    push.start();
    world.keep("p", &hook.url).await;
    world.keep("q", &broken.url).await;
    for number in 2..=9 {
        assert_eq!(world.happens(TaskState::Working).await, number);
        push.settle(&world.owner, TASK).await;
        assert_eq!(hook.got() as u64, number);
        assert!(broken.got() > 0);
        // One that waits for its next attempt is not waited for.
        let waiting = world.configs.delete(&world.owner, TASK, "q").await;
        waiting.expect("deleted");
    }
    push.settle(&world.owner, TASK).await;
    let unset = world.push(world.settings(on_loopback()));
    world.happens(TaskState::Completed).await;
    unset.settle(&world.owner, TASK).await;
    assert_eq!(hook.got(), 9);
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_secret() {
    let world = World::new().await;
    let config = TaskPushNotificationConfig {
        token: Some("t0ken".to_owned()),
        authentication: Some(AuthenticationInfo {
            scheme: "Bearer".to_owned(),
            credentials: Some("s3cret".to_owned()),
        }),
        ..config("http://127.0.0.1:1/")
    };
    let push = world.push(world.settings(on_loopback()));
    let kept = push
        .register(&world.owner, TASK, config, 0)
        .await
        .expect("kept");
    let now = push.worker().now();
    let lease = crate::server::store::Lease {
        instance: "i".to_owned(),
        until: now,
    };
    let due = world.configs.take_due(&lease, now, 9).await.expect("read");
    for text in [format!("{kept:?}"), format!("{due:?}"), format!("{push:?}")] {
        assert!(
            !text.contains("s3cret") && !text.contains("t0ken"),
            "{text}"
        );
    }
}
