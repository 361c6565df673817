//! The conversation, and what is told in it by whichever way it is held.

use std::time::Duration;

use countersign::a2a::{
    A2aError, CancelTaskRequest, GetExtendedAgentCardRequest, GetTaskPushNotificationConfigRequest,
    GetTaskRequest, ListTaskPushNotificationConfigsRequest, ListTasksRequest, ListTasksResponse,
    Message, Part, Request, Response, SendMessageConfiguration, SendMessageRequest,
    SendMessageResponse, StreamResponse, SubscribeToTaskRequest, Task, TaskPushNotificationConfig,
    TaskState,
};
use countersign::card::EXTENSION_URI;
use countersign::server::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use serde::Serialize;
use serde_json::{Value, json};

use crate::common::Failure;
use crate::common::wire::{Outcome, Wire};

/// A way to ask an agent: a binding, or none.
#[async_trait]
pub(crate) trait Speaker: Send + Sync {
    /// Which way it is.
    fn way(&self) -> String;

    /// How the agent's executor calls who asks.
    fn caller(&self) -> &str;

    /// Asks for the one answer.
    async fn ask(&self, request: &Request) -> Result<Outcome<Response>, Failure>;

    /// Asks for a stream; its last item may be an error.
    async fn open(&self, request: &Request) -> Result<Outcome<Stream>, Failure>;

    /// Asks for a stream and gives the whole of it.
    async fn stream(&self, request: &Request) -> Result<Outcome<Vec<StreamResponse>>, Failure> {
        let mut stream = match self.open(request).await? {
            Ok(stream) => stream,
            Err(error) => return Ok(Err(error)),
        };
        let mut all = Vec::new();
        while let Some(event) = stream.next().await {
            match event? {
                Ok(event) => all.push(event),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(all))
    }
}

/// Events as they come.
pub(crate) type Stream = BoxStream<'static, Result<Outcome<StreamResponse>, Failure>>;

/// What was told at each step.
pub(crate) type Transcript = Vec<(&'static str, Value)>;

pub(crate) fn message(text: &str, context: &str) -> SendMessageRequest {
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

/// Puts `the caller` where the executor named who asked.
fn name_nobody(told: &mut Value, caller: &str) {
    match told {
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| name_nobody(member, caller)),
        Value::Array(items) => items.iter_mut().for_each(|item| name_nobody(item, caller)),
        Value::String(text) => *text = text.replace(caller, "the caller"),
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
        Ok(Response::AgentCard(card)) => {
            json!(card.skills.iter().map(|s| &s.name).collect::<Vec<_>>())
        }
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

/// A conversation and what was told in it so far.
struct Talk<'a> {
    speaker: &'a dyn Speaker,
    context: String,
    lines: Transcript,
}

impl<'a> Talk<'a> {
    fn new(speaker: &'a dyn Speaker) -> Self {
        Self {
            context: format!("conversation over {}", speaker.way()),
            speaker,
            lines: Vec::new(),
        }
    }

    /// Keeps what was told, whoever was told it.
    fn write(&mut self, step: &'static str, mut told: Value) {
        name_nobody(&mut told, self.speaker.caller());
        self.lines.push((step, told));
    }

    async fn ask(
        &mut self,
        step: &'static str,
        request: Request,
    ) -> Result<Outcome<Response>, Failure> {
        let answer = self.speaker.ask(&request).await?;
        self.write(step, outcome(&answer));
        Ok(answer)
    }

    async fn hear(&mut self, step: &'static str, request: Request) -> Result<(), Failure> {
        self.ask(step, request).await.map(drop)
    }

    async fn stream(&mut self, step: &'static str, request: Request) -> Result<(), Failure> {
        let told = self.speaker.stream(&request).await?;
        self.write(step, events(&told));
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

pub(crate) fn get(id: &str, history_length: Option<i32>) -> Request {
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

pub(crate) fn subscribe(id: &str) -> Request {
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
    let at_once = at_once("ask", &talk.context);
    // How far the task is by then is a matter of time.
    let mut waiting = task_of(&talk.speaker.ask(&at_once).await?)?;
    until_asked(talk, &waiting).await?;
    waiting.status.state = TaskState::Submitted;
    waiting.status.message = None;
    talk.write("at once", shown(&waiting));
    let mut stream = talk.speaker.open(&subscribe(&waiting.id)).await??;
    let first = stream.next().await.ok_or("no event")???;
    assert!(matches!(first, StreamResponse::Task(_)), "{first:?}");
    talk.write("the first event", shown(&first));
    talk.hear("canceled", cancel(&waiting.id)).await?;
    while let Some(event) = stream.next().await {
        talk.write("a later event", shown(&event??));
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

/// Holds the conversation.
pub(crate) async fn hold(speaker: &dyn Speaker) -> Result<Transcript, Failure> {
    let mut talk = Talk::new(speaker);
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

/// What is wrong in what was told: the steps with the place in each and what must stand there.
pub(crate) fn wrong_in(told: &Transcript) -> Vec<String> {
    let line = |step: &str| {
        let found = told.iter().find(|(name, _)| *name == step);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut wrong = Vec::new();
    for (step, pointer, want) in [
        (
            "a message for a message",
            "/message/parts/0/text",
            json!("for the caller"),
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
            json!("for the caller"),
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
        ("the extended card", "/1", json!("More")),
        ("at a tenant", "/totalSize", json!(0)),
        ("at no tenant", "/fields", json!(["tenant"])),
    ] {
        let found = line(step).pointer(pointer).cloned().unwrap_or_default();
        if found != want {
            wrong.push(format!("{step} {pointer}: {}", line(step)));
        }
    }
    wrong
}

/// What was told, without the skill that was permitted: a task keeps it only of a proved caller.
pub(crate) fn without_permits(told: &Transcript) -> Transcript {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.values_mut().for_each(strip);
                let kept = members.get_mut("metadata").and_then(Value::as_object_mut);
                if kept.is_some_and(|kept| kept.remove(EXTENSION_URI).is_some() && kept.is_empty())
                {
                    members.remove("metadata");
                }
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut told = told.clone();
    told.iter_mut().for_each(|(_, value)| strip(value));
    told
}

/// Where two conversations differ.
pub(crate) fn differences(way: Wire, got: &Transcript, want: &Transcript) -> Vec<String> {
    assert_eq!(got.len(), want.len(), "{way:?}");
    let differ = got.iter().zip(want).filter(|(got, want)| got != want);
    let shown = differ.map(|(got, want)| format!("{way:?}: {got:?}, not {want:?}"));
    shown.collect()
}
