//! One conversation over every binding: all eleven operations, with the same results.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::wire::{Outcome, Speaker, Wire, kind};
use common::{Failure, World};
use countersign::a2a::{
    A2aError, AgentExtension, AgentSkill, Artifact, CancelTaskRequest, ErrorKind,
    GetExtendedAgentCardRequest, GetTaskPushNotificationConfigRequest, GetTaskRequest,
    ListTaskPushNotificationConfigsRequest, ListTasksRequest, ListTasksResponse, Message, Part,
    Request, Response, SendMessageConfiguration, SendMessageRequest, SendMessageResponse,
    StreamResponse, SubscribeToTaskRequest, Task, TaskPushNotificationConfig,
};
use countersign::clock::SystemClock;
use countersign::server::push::PushSettings;
use countersign::server::store::MemoryPushConfigStore;
use countersign::server::{Agent, AgentExecutor, EventQueue, RequestContext, async_trait};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

/// Does what the message says.
struct Obedient;

#[async_trait]
impl AgentExecutor for Obedient {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        match ctx.text().as_str() {
            "reply" => {
                events.reply(format!("for {}", ctx.caller()));
            }
            "ask" => {
                events.input_required("Which day?");
            }
            "wait" => {
                events.working();
                ctx.cancelled().await;
            }
            "error" => return Err(A2aError::new(ErrorKind::ContentTypeNotSupported, "no")),
            other => {
                events.working();
                events.artifact(Artifact::new(Part::text("the result")));
                events.complete(Some(Part::text(format!("so: {other}"))));
            }
        }
        Ok(())
    }
}

async fn world() -> Result<World, Failure> {
    let change = |agent: Agent| {
        let push = PushSettings::new(Arc::new(MemoryPushConfigStore::default()));
        let extension = AgentExtension {
            uri: "urn:test:ext".into(),
            ..AgentExtension::default()
        };
        agent
            .push(push)
            .tenant("acme")
            .extension(extension)
            .extended_card(|_, mut card| {
                card.skills
                    .push(AgentSkill::new("more", "More", "Does more").tagged(["more"]));
                card
            })
    };
    World::made(Arc::new(SystemClock), Obedient, change).await
}

fn message(text: &str, context: &str) -> SendMessageRequest {
    let mut message = Message::user(Part::text(text));
    message.context_id = Some(context.to_owned());
    SendMessageRequest::new(message)
}

fn at_once(text: &str, context: &str) -> Request {
    let mut request = message(text, context);
    request.configuration = Some(SendMessageConfiguration {
        return_immediately: true,
        ..SendMessageConfiguration::default()
    });
    Request::SendMessage(request)
}

/// What was told, without what differs from one call to the next.
fn shown<T: Serialize>(answer: &T) -> Value {
    let mut value = serde_json::to_value(answer).expect("JSON");
    blank(&mut value);
    value
}

fn blank(value: &mut Value) {
    const DIFFERS: [&str; 7] = [
        "id",
        "taskId",
        "contextId",
        "messageId",
        "artifactId",
        "timestamp",
        "nextPageToken",
    ];
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if DIFFERS.contains(&&**name) && member.as_str().is_some_and(|s| !s.is_empty()) {
                    *member = json!("…");
                }
                blank(member);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blank),
        _ => {}
    }
}

fn outcome(outcome: &Outcome<Response>) -> Value {
    match outcome {
        Ok(Response::SendMessage(answer)) => shown(answer),
        Ok(Response::Task(task)) => shown(task),
        Ok(Response::ListTasks(page)) => listed(page),
        Ok(Response::TaskPushNotificationConfig(config)) => shown(config),
        Ok(Response::ListTaskPushNotificationConfigs(page)) => shown(page),
        Ok(Response::Empty) => json!({}),
        Ok(Response::AgentCard(card)) => shown(&(&card.skills, card.signatures.len())),
        Err(error) => failure(error),
    }
}

/// Tasks of the same second come in any order, and so any of them may stand on a page of two.
fn listed(page: &ListTasksResponse) -> Value {
    let mut value = shown(page);
    if page.page_size == 2 {
        value["tasks"] = page.tasks.len().into();
    } else if let Some(tasks) = value["tasks"].as_array_mut() {
        tasks.sort_by_key(Value::to_string);
    }
    value
}

fn failure(error: &A2aError) -> Value {
    let fields: Vec<_> = error.violations().iter().map(|v| v.field.clone()).collect();
    json!({ "error": error.kind().name(), "fields": fields })
}

fn events(outcome: &Outcome<Vec<StreamResponse>>) -> Value {
    match outcome {
        Ok(events) => shown(events),
        Err(error) => failure(error),
    }
}

fn task_of(answer: &Outcome<Response>) -> Result<Task, Failure> {
    match answer {
        Ok(Response::SendMessage(SendMessageResponse::Task(task)) | Response::Task(task)) => {
            Ok(task.clone())
        }
        other => Err(format!("no task: {other:?}").into()),
    }
}

/// The transcript of the conversation.
struct Talk<'a> {
    speaker: Speaker<'a>,
    context: String,
    lines: Vec<(&'static str, Value)>,
}

impl<'a> Talk<'a> {
    async fn new(world: &'a World, wire: Wire) -> Result<Self, Failure> {
        Ok(Self {
            speaker: Speaker::new(world, wire, "one", "alice").await?,
            context: format!("conversation over {wire:?}"),
            lines: Vec::new(),
        })
    }

    async fn ask(
        &mut self,
        step: &'static str,
        request: Request,
    ) -> Result<Outcome<Response>, Failure> {
        let answer = self.speaker.ask(&request).await?;
        self.lines.push((step, outcome(&answer)));
        Ok(answer)
    }

    async fn hear(&mut self, step: &'static str, request: Request) -> Result<(), Failure> {
        self.ask(step, request).await.map(drop)
    }

    async fn stream(&mut self, step: &'static str, request: Request) -> Result<(), Failure> {
        let told = self.speaker.stream(&request).await?;
        self.lines.push((step, events(&told)));
        Ok(())
    }

    fn say(&self, text: &str) -> Request {
        Request::SendMessage(message(text, &self.context))
    }

    fn in_task(&self, text: &str, task: &Task) -> Request {
        let mut request = message(text, &task.context_id);
        request.message.task_id = Some(task.id.clone());
        Request::SendMessage(request)
    }
}

fn get(id: &str, history_length: Option<i32>) -> Request {
    Request::GetTask(GetTaskRequest {
        id: id.to_owned(),
        history_length,
        tenant: None,
    })
}

fn cancel(id: &str) -> Request {
    Request::CancelTask(CancelTaskRequest {
        id: id.to_owned(),
        ..CancelTaskRequest::default()
    })
}

fn subscribe(id: &str) -> Request {
    Request::SubscribeToTask(SubscribeToTaskRequest {
        id: id.to_owned(),
        tenant: None,
    })
}

async fn sending(talk: &mut Talk<'_>) -> Result<Task, Failure> {
    talk.hear("a message for a message", talk.say("reply"))
        .await?;
    let done = talk.ask("a message for a task", talk.say("work")).await?;
    let done = task_of(&done)?;
    talk.hear("an error of the executor", talk.say("error"))
        .await?;
    let request = Request::SendStreamingMessage(message("work", &talk.context));
    talk.stream("a stream", request).await?;
    let request = Request::SendStreamingMessage(message("reply", &talk.context));
    talk.stream("a stream of one message", request).await?;
    let asked = task_of(&talk.ask("a question", talk.say("ask")).await?)?;
    talk.hear("its answer", talk.in_task("work", &asked))
        .await?;
    talk.hear("a word too late", talk.in_task("more", &done))
        .await?;
    let mut stray = done.clone();
    "elsewhere".clone_into(&mut stray.context_id);
    talk.hear("another context", talk.in_task("more", &stray))
        .await?;
    let mut nothing = message("", &talk.context);
    nothing.message.parts.clear();
    talk.hear("no parts", Request::SendMessage(nothing.clone()))
        .await?;
    talk.stream(
        "no parts of a stream",
        Request::SendStreamingMessage(nothing),
    )
    .await?;
    Ok(done)
}

async fn reading(talk: &mut Talk<'_>, done: &Task) -> Result<(), Failure> {
    talk.hear("a task", get(&done.id, None)).await?;
    talk.hear("a task without history", get(&done.id, Some(0)))
        .await?;
    talk.hear("a negative history", get(&done.id, Some(-1)))
        .await?;
    talk.hear("a missing task", get("no-such-task", None))
        .await?;
    let list = |change: fn(&mut ListTasksRequest)| {
        let mut request = ListTasksRequest {
            context_id: Some(talk.context.clone()),
            ..ListTasksRequest::default()
        };
        change(&mut request);
        request
    };
    let all = list(|_| {});
    let with_artifacts = list(|list| list.include_artifacts = Some(true));
    let mut pages = list(|list| list.page_size = Some(2));
    let too_many = list(|list| list.page_size = Some(101));
    talk.hear("a list", Request::ListTasks(all)).await?;
    talk.hear("a list with artifacts", Request::ListTasks(with_artifacts))
        .await?;
    let first = talk
        .ask("a page", Request::ListTasks(pages.clone()))
        .await?;
    let Ok(Response::ListTasks(first)) = first else {
        return Err("no page".into());
    };
    pages.page_token = Some(first.next_page_token);
    talk.hear("the next page", Request::ListTasks(pages.clone()))
        .await?;
    pages.page_token = Some("forged".into());
    talk.hear("a forged token", Request::ListTasks(pages))
        .await?;
    talk.hear("a page too long", Request::ListTasks(too_many))
        .await?;
    Ok(())
}

async fn following(talk: &mut Talk<'_>, done: &Task) -> Result<(), Failure> {
    let begun = talk.ask("at once", at_once("ask", &talk.context)).await?;
    let waiting = task_of(&begun)?;
    until_asked(talk, &waiting).await?;
    let opened = talk.speaker.open(&subscribe(&waiting.id)).await?;
    let mut stream = opened.events().await??;
    let first = stream.next().await?.ok_or("no event")??;
    assert!(matches!(first, StreamResponse::Task(_)), "{first:?}");
    talk.lines.push(("the first event", shown(&first)));
    talk.hear("canceled", cancel(&waiting.id)).await?;
    while let Some(event) = stream.next().await? {
        talk.lines.push(("a later event", shown(&event?)));
    }
    talk.hear("canceled again", cancel(&waiting.id)).await?;
    talk.hear("a missing task canceled", cancel("no-such-task"))
        .await?;
    talk.stream("a task that is over followed", subscribe(&done.id))
        .await?;
    talk.stream("a missing task followed", subscribe("no-such-task"))
        .await?;
    Ok(())
}

/// The answer to a message that returns at once may come before the executor asked.
async fn until_asked(talk: &Talk<'_>, task: &Task) -> Result<(), Failure> {
    for _ in 0..500 {
        let now = task_of(&talk.speaker.ask(&get(&task.id, None)).await?)?;
        if now.status.state.is_interrupted() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("the executor did not ask".into())
}

async fn pushing(talk: &mut Talk<'_>, done: &Task) -> Result<(), Failure> {
    let config = |task: &str, url: &str| {
        Request::CreateTaskPushNotificationConfig(TaskPushNotificationConfig {
            task_id: Some(task.to_owned()),
            id: Some("mine".into()),
            url: url.to_owned(),
            ..TaskPushNotificationConfig::default()
        })
    };
    let named = |task: &str| GetTaskPushNotificationConfigRequest {
        task_id: task.to_owned(),
        id: "mine".into(),
        tenant: None,
    };
    let list = |task: &str| {
        Request::ListTaskPushNotificationConfigs(ListTaskPushNotificationConfigsRequest {
            task_id: task.to_owned(),
            ..ListTaskPushNotificationConfigsRequest::default()
        })
    };
    let read = |task: &str| Request::GetTaskPushNotificationConfig(named(task));
    let delete = |task: &str| Request::DeleteTaskPushNotificationConfig(named(task));
    let hook = "https://9.9.9.9/told";
    for (step, request) in [
        ("a webhook", config(&done.id, hook)),
        ("the webhook read", read(&done.id)),
        ("the webhooks listed", list(&done.id)),
        ("the webhook deleted", delete(&done.id)),
        ("deleted again", delete(&done.id)),
        ("read too late", read(&done.id)),
        ("no webhooks", list(&done.id)),
        ("a webhook of a missing task", config("no-such-task", hook)),
        ("no address", config(&done.id, "")),
        ("a missing task's webhooks", list("no-such-task")),
    ] {
        talk.hear(step, request).await?;
    }
    Ok(())
}

async fn conversation(world: &World, wire: Wire) -> Result<Vec<(&'static str, Value)>, Failure> {
    let mut talk = Talk::new(world, wire).await?;
    let done = sending(&mut talk).await?;
    reading(&mut talk, &done).await?;
    following(&mut talk, &done).await?;
    pushing(&mut talk, &done).await?;
    let card = Request::GetExtendedAgentCard(GetExtendedAgentCardRequest::default());
    talk.hear("the extended card", card).await?;
    let mut elsewhere = ListTasksRequest {
        tenant: Some("acme".into()),
        ..ListTasksRequest::default()
    };
    talk.hear("at a tenant", Request::ListTasks(elsewhere.clone()))
        .await?;
    elsewhere.tenant = Some("nowhere".into());
    talk.hear("at no tenant", Request::ListTasks(elsewhere))
        .await?;
    Ok(talk.lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_binding_gives_the_same_answers_and_errors() -> Result<(), Failure> {
    let world = world().await?;
    let told = conversation(&world, Wire::JsonRpc).await?;
    let line = |step: &str| {
        let found = told.iter().find(|(name, _)| *name == step);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut wrong = Vec::new();
    for (step, pointer, want) in [
        (
            "a message for a message",
            "/message/parts/0/text",
            json!("for one for alice"),
        ),
        (
            "a message for a task",
            "/task/status/state",
            json!("TASK_STATE_COMPLETED"),
        ),
        (
            "an error of the executor",
            "/error",
            json!("CONTENT_TYPE_NOT_SUPPORTED"),
        ),
        (
            "a stream",
            "/0/task/status/state",
            json!("TASK_STATE_SUBMITTED"),
        ),
        (
            "a stream",
            "/3/statusUpdate/status/state",
            json!("TASK_STATE_COMPLETED"),
        ),
        (
            "a stream of one message",
            "/0/message/parts/0/text",
            json!("for one for alice"),
        ),
        (
            "a question",
            "/task/status/state",
            json!("TASK_STATE_INPUT_REQUIRED"),
        ),
        (
            "its answer",
            "/task/status/state",
            json!("TASK_STATE_COMPLETED"),
        ),
        ("a word too late", "/error", json!("UNSUPPORTED_OPERATION")),
        ("another context", "/fields", json!(["message.contextId"])),
        ("no parts", "/fields", json!(["message.parts"])),
        ("no parts of a stream", "/fields", json!(["message.parts"])),
        ("a task without history", "/history", Value::Null),
        ("a negative history", "/error", json!("INVALID_PARAMS")),
        ("a missing task", "/error", json!("TASK_NOT_FOUND")),
        ("a list", "/totalSize", json!(3)),
        ("a list", "/tasks/0/artifacts", Value::Null),
        (
            "a list with artifacts",
            "/tasks/0/artifacts/0/parts/0/text",
            json!("the result"),
        ),
        ("a page", "/nextPageToken", json!("…")),
        ("the next page", "/nextPageToken", json!("")),
        ("a forged token", "/error", json!("INVALID_PARAMS")),
        ("a page too long", "/fields", json!(["pageSize"])),
        (
            "the first event",
            "/task/status/state",
            json!("TASK_STATE_INPUT_REQUIRED"),
        ),
        ("canceled", "/status/state", json!("TASK_STATE_CANCELED")),
        (
            "a later event",
            "/statusUpdate/status/state",
            json!("TASK_STATE_CANCELED"),
        ),
        ("canceled again", "/error", json!("TASK_NOT_CANCELABLE")),
        ("a missing task canceled", "/error", json!("TASK_NOT_FOUND")),
        (
            "a task that is over followed",
            "/error",
            json!("UNSUPPORTED_OPERATION"),
        ),
        ("a missing task followed", "/error", json!("TASK_NOT_FOUND")),
        ("a webhook", "/url", json!("https://9.9.9.9/told")),
        ("the webhook read", "/url", json!("https://9.9.9.9/told")),
        (
            "the webhooks listed",
            "/configs/0/url",
            json!("https://9.9.9.9/told"),
        ),
        ("the webhook deleted", "", json!({})),
        ("deleted again", "", json!({})),
        ("no webhooks", "/configs/0", Value::Null),
        (
            "a webhook of a missing task",
            "/error",
            json!("TASK_NOT_FOUND"),
        ),
        ("no address", "/fields", json!(["url"])),
        (
            "a missing task's webhooks",
            "/error",
            json!("TASK_NOT_FOUND"),
        ),
        ("the extended card", "/0/1/name", json!("More")),
        ("the extended card", "/1", json!(1)),
        ("at a tenant", "/totalSize", json!(0)),
        ("at no tenant", "/fields", json!(["tenant"])),
    ] {
        let found = line(step).pointer(pointer).cloned().unwrap_or_default();
        if found != want {
            wrong.push(format!("{step} {pointer}: {}", line(step)));
        }
    }
    for &wire in &Wire::ALL[1..] {
        let other = conversation(&world, wire).await?;
        assert_eq!(other.len(), told.len(), "{wire:?}");
        let differ = other.iter().zip(&told).filter(|(got, want)| got != want);
        wrong.extend(differ.map(|(got, want)| format!("{wire:?}: {got:?}, not {want:?}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_extensions_are_the_same_on_every_binding() -> Result<(), Failure> {
    let world = world().await?;
    let request = get("no-such-task", None);
    for &wire in Wire::ALL {
        let mut speaker = Speaker::new(&world, wire, "one", "alice").await?;
        for (version, want) in [
            ("1.0", ErrorKind::TaskNotFound),
            ("0.3", ErrorKind::VersionNotSupported),
            ("99.0", ErrorKind::VersionNotSupported),
            ("", ErrorKind::VersionNotSupported),
        ] {
            speaker.headers = vec![("a2a-version", version.to_owned())];
            let got = speaker.ask(&request).await?;
            assert_eq!(kind(&got), Some(want), "{wire:?} {version:?}");
        }
        for (name, named, echoed) in [
            ("a2a-extensions", "urn:test:ext", Some("urn:test:ext")),
            ("a2a-extensions", "urn:x,urn:test:ext", Some("urn:test:ext")),
            ("x-a2a-extensions", "urn:test:ext", Some("urn:test:ext")),
            ("a2a-extensions", "urn:x", None),
        ] {
            speaker.headers = vec![(name, named.to_owned())];
            let answered = speaker.open(&request).await?;
            let told = answered.headers.get("a2a-extensions").map(|v| v.to_str());
            assert_eq!(told.transpose()?, echoed, "{wire:?} {name}: {named}");
            assert_eq!(
                kind(&answered.answer().await?),
                Some(ErrorKind::TaskNotFound)
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_extension_that_is_not_named_refuses_the_call() -> Result<(), Failure> {
    let change = |agent: Agent| {
        agent.extension(AgentExtension {
            uri: "urn:must".into(),
            required: true,
            ..AgentExtension::default()
        })
    };
    let world = World::made(Arc::new(SystemClock), Obedient, change).await?;
    for &wire in Wire::ALL {
        let mut speaker = Speaker::new(&world, wire, "one", "alice").await?;
        let request = get("no-such-task", None);
        let got = speaker.ask(&request).await?;
        assert_eq!(
            kind(&got),
            Some(ErrorKind::ExtensionSupportRequired),
            "{wire:?}"
        );
        speaker.headers = vec![("a2a-extensions", "urn:must".to_owned())];
        let got = speaker.ask(&request).await?;
        assert_eq!(kind(&got), Some(ErrorKind::TaskNotFound), "{wire:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_does_not_declare_it_refuses() -> Result<(), Failure> {
    let change = |agent: Agent| agent.streaming(false);
    let world = World::made(Arc::new(SystemClock), Obedient, change).await?;
    let config = TaskPushNotificationConfig {
        task_id: Some("t".into()),
        url: "https://hooks.example/".into(),
        ..TaskPushNotificationConfig::default()
    };
    for &wire in Wire::ALL {
        let speaker = Speaker::new(&world, wire, "one", "alice").await?;
        let streams = Request::SendStreamingMessage(message("reply", "c"));
        for request in [streams, subscribe("t")] {
            let got = speaker.stream(&request).await?;
            assert_eq!(
                kind(&got),
                Some(ErrorKind::UnsupportedOperation),
                "{wire:?}"
            );
        }
        let card = Request::GetExtendedAgentCard(GetExtendedAgentCardRequest::default());
        let push = Request::CreateTaskPushNotificationConfig(config.clone());
        for (request, want) in [
            (card, ErrorKind::UnsupportedOperation),
            (push, ErrorKind::PushNotificationNotSupported),
        ] {
            assert_eq!(kind(&speaker.ask(&request).await?), Some(want), "{wire:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_proof_gets_the_same_challenge_on_every_binding() -> Result<(), Failure> {
    let world = world().await?;
    for &wire in Wire::ALL {
        let mut speaker = Speaker::new(&world, wire, "one", "alice").await?;
        speaker.headers = vec![("authorization", "Basic YTpi".to_owned())];
        let answered = speaker.open(&get("t", None)).await?;
        let challenge = answered.headers.get("www-authenticate");
        let challenge = challenge.ok_or("no challenge")?.to_str()?.to_owned();
        assert!(challenge.starts_with("Bearer"), "{wire:?}: {challenge}");
        let status = answered.status;
        let got = answered.answer().await?;
        assert_eq!(kind(&got), Some(ErrorKind::Unauthenticated), "{wire:?}");
        let over_http = matches!(wire, Wire::JsonRpc | Wire::HttpJson);
        let want = if over_http {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::OK
        };
        assert_eq!(status, want, "{wire:?}");
    }
    Ok(())
}
