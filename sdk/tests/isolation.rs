//! Two callers of one agent: neither learns anything of the other, by any operation and binding.

mod common;

use std::sync::Arc;

use common::wire::{Wire, WireSpeaker};
use common::{Failure, World};
use countersign::a2a::{
    A2aError, CancelTaskRequest, GetTaskPushNotificationConfigRequest, GetTaskRequest,
    ListTaskPushNotificationConfigsRequest, ListTasksRequest, ListTasksResponse, Message, Part,
    Request, Response, SendMessageRequest, SendMessageResponse, SubscribeToTaskRequest, Task,
    TaskPushNotificationConfig, TaskState,
};
use countersign::clock::SystemClock;
use countersign::server::push::PushSettings;
use countersign::server::store::MemoryPushConfigStore;
use countersign::server::{Agent, AgentExecutor, EventQueue, RequestContext, async_trait};

/// Asks back, and so leaves a task that waits.
struct Asks;

#[async_trait]
impl AgentExecutor for Asks {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.input_required("Which day?");
        Ok(())
    }
}

const MISSING: &str = "00000000-0000-4000-8000-000000000000";

async fn world() -> Result<World, Failure> {
    let change = |agent: Agent| {
        let push = PushSettings::new(Arc::new(MemoryPushConfigStore::default()));
        agent.push(push).tenant("acme")
    };
    World::made(Arc::new(SystemClock), Asks, change).await
}

fn send(context: Option<&str>, task: Option<&str>, tenant: Option<&str>) -> Request {
    let mut message = Message::user(Part::text("a secret"));
    message.context_id = context.map(str::to_owned);
    message.task_id = task.map(str::to_owned);
    let mut request = Request::SendMessage(SendMessageRequest::new(message));
    request.set_tenant(tenant.map(str::to_owned));
    request
}

async fn begin(speaker: &WireSpeaker<'_>, tenant: Option<&str>) -> Result<Task, Failure> {
    match speaker.ask(&send(None, None, tenant)).await?? {
        Response::SendMessage(SendMessageResponse::Task(task)) => Ok(task),
        other => Err(format!("no task: {other:?}").into()),
    }
}

async fn list(
    speaker: &WireSpeaker<'_>,
    change: impl FnOnce(&mut ListTasksRequest),
) -> Result<ListTasksResponse, Failure> {
    let mut request = ListTasksRequest::default();
    change(&mut request);
    match speaker.ask(&Request::ListTasks(request)).await?? {
        Response::ListTasks(page) => Ok(page),
        other => Err(format!("no list: {other:?}").into()),
    }
}

/// Every operation that names a task, about this one.
fn about(id: &str) -> Vec<Request> {
    let config = GetTaskPushNotificationConfigRequest {
        task_id: id.to_owned(),
        id: "mine".into(),
        tenant: None,
    };
    let mut streaming = Message::user(Part::text("more"));
    streaming.task_id = Some(id.to_owned());
    vec![
        Request::GetTask(GetTaskRequest {
            id: id.to_owned(),
            ..GetTaskRequest::default()
        }),
        Request::CancelTask(CancelTaskRequest {
            id: id.to_owned(),
            ..CancelTaskRequest::default()
        }),
        Request::SubscribeToTask(SubscribeToTaskRequest {
            id: id.to_owned(),
            tenant: None,
        }),
        send(None, Some(id), None),
        Request::SendStreamingMessage(SendMessageRequest::new(streaming)),
        Request::CreateTaskPushNotificationConfig(TaskPushNotificationConfig {
            task_id: Some(id.to_owned()),
            id: Some("mine".into()),
            url: "https://hooks.example/".into(),
            ..TaskPushNotificationConfig::default()
        }),
        Request::GetTaskPushNotificationConfig(config.clone()),
        Request::ListTaskPushNotificationConfigs(ListTaskPushNotificationConfigsRequest {
            task_id: id.to_owned(),
            ..ListTaskPushNotificationConfigsRequest::default()
        }),
        Request::DeleteTaskPushNotificationConfig(config),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_task_and_a_missing_one_are_told_of_in_the_same_words() -> Result<(), Failure> {
    let world = world().await?;
    for &wire in Wire::ALL {
        let alice = WireSpeaker::new(&world, wire, "one", "alice").await?;
        let mine = begin(&alice, None).await?;
        for (agent, user) in [("one", "bob"), ("two", "alice"), ("two", "bob")] {
            let stranger = WireSpeaker::new(&world, wire, agent, user).await?;
            for (foreign, missing) in about(&mine.id).iter().zip(&about(MISSING)) {
                let what = format!(
                    "{:?} by {agent} for {user} over {wire:?}",
                    foreign.operation()
                );
                let foreign = stranger.open(foreign).await?.told().await?;
                let missing = stranger.open(missing).await?.told().await?;
                let foreign = foreign.replace(&mine.id, MISSING);
                assert_eq!(foreign, missing, "{what}");
                assert!(!foreign.contains("secret"), "{what}: {foreign}");
            }
        }
        // Nothing that the strangers tried has changed it.
        let get = &about(&mine.id)[0];
        let Response::Task(now) = alice.ask(get).await?? else {
            return Err("no task".into());
        };
        assert_eq!(now.status.state, TaskState::InputRequired, "{wire:?}");
        assert_eq!(now.history.len(), 1, "{wire:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_contexts_and_page_tokens_are_of_no_use_to_others() -> Result<(), Failure> {
    let world = world().await?;
    for &wire in Wire::ALL {
        let alice = WireSpeaker::new(&world, wire, "one", "alice").await?;
        let bob = WireSpeaker::new(&world, wire, "one", "bob").await?;
        let before = list(&bob, |_| {}).await?.total_size;
        let mine = begin(&alice, None).await?;
        begin(&alice, None).await?;
        assert_eq!(list(&bob, |_| {}).await?.total_size, before, "{wire:?}");
        let in_context = |list: &mut ListTasksRequest| {
            list.context_id = Some(mine.context_id.clone());
        };
        let theirs = list(&bob, in_context).await?;
        assert_eq!((theirs.total_size, theirs.tasks.len()), (0, 0), "{wire:?}");

        // A context of the same name is another one.
        let request = send(Some(&mine.context_id), None, None);
        bob.ask(&request).await??;
        assert_eq!(list(&alice, in_context).await?.total_size, 1, "{wire:?}");
        assert_eq!(list(&bob, in_context).await?.total_size, 1, "{wire:?}");

        let first = list(&alice, |list| list.page_size = Some(1)).await?;
        assert!(!first.next_page_token.is_empty(), "{wire:?}");
        let stolen = Request::ListTasks(ListTasksRequest {
            page_token: Some(first.next_page_token),
            ..ListTasksRequest::default()
        });
        let refused = bob.ask(&stolen).await?;
        assert!(refused.is_err(), "{wire:?}: {refused:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_one_tenant_are_not_seen_at_another() -> Result<(), Failure> {
    let world = world().await?;
    for &wire in Wire::ALL {
        let alice = WireSpeaker::new(&world, wire, "two", "alice").await?;
        let here = begin(&alice, None).await?;
        let there = begin(&alice, Some("acme")).await?;
        for (tenant, id, found) in [
            (None, &here.id, true),
            (Some("acme"), &there.id, true),
            (Some("acme"), &here.id, false),
            (None, &there.id, false),
        ] {
            let mut get = about(id).swap_remove(0);
            get.set_tenant(tenant.map(str::to_owned));
            let got = alice.ask(&get).await?;
            assert_eq!(got.is_ok(), found, "{wire:?} {tenant:?}");
        }
    }
    Ok(())
}
