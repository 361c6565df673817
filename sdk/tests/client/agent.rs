//! Against an agent of ours.

use std::pin::pin;
use std::sync::Arc;

use countersign::a2a::{
    A2aError, AGENT_CARD_PATH, AgentSkill, Artifact, ErrorKind, ListTasksRequest, Part,
    SendMessageConfiguration, StreamResponse, TaskState,
};
use countersign::card::{AuthorizationRequest, ProtocolBinding};
use countersign::client::ClientError;
use countersign::clock::SystemClock;
use countersign::server::{Agent, AgentExecutor, EventQueue, RequestContext, async_trait};
use futures_util::TryStreamExt as _;

use crate::common::{Failure, World};

/// Does what the message says.
struct Obedient;

#[async_trait]
impl AgentExecutor for Obedient {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        match ctx.text().as_str() {
            "wait" => {
                events.working();
                ctx.cancelled().await;
            }
            "pay" => {
                let scopes = "work".parse().expect("a scope");
                events.auth_required(&AuthorizationRequest::new(scopes, "It costs 80 euros"));
            }
            said if said.starts_with("Authorized: ") => {
                events.complete(Some(Part::text("paid")));
            }
            _ => {
                events.working();
                events.artifact(Artifact::new(Part::text("the result")));
                events.complete(Some(Part::text("done")));
            }
        }
        Ok(())
    }
}

async fn world(change: impl FnOnce(Agent) -> Agent) -> Result<World, Failure> {
    World::made(Arc::new(SystemClock), Obedient, change).await
}

pub(crate) fn bindings() -> Vec<ProtocolBinding> {
    let grpc = cfg!(feature = "grpc");
    let all = ProtocolBinding::ALL.into_iter();
    all.filter(|binding| grpc || *binding != ProtocolBinding::Grpc)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_on_tasks_is_the_same_over_every_binding() -> Result<(), Failure> {
    let world = world(|agent| agent).await?;
    let one = world.client_for("one", "alice").await?;
    for binding in bindings() {
        let call = || one.call(world.worker.peer()).binding(binding);
        let answer = call().send("task").await?;
        let done = answer.task().ok_or("a task")?;
        assert_eq!(answer.text(), "the result\ndone", "{binding}");
        assert_eq!(call().get_task(&done.id, None).await?.status, done.status);

        let mut events = call().stream("task").await?;
        let mut states = Vec::new();
        while let Some(event) = events.next().await {
            states.extend(event?.state());
        }
        assert_eq!(states.last(), Some(&TaskState::Completed), "{binding}");

        let at_once = SendMessageConfiguration {
            return_immediately: true,
            ..SendMessageConfiguration::default()
        };
        let answer = call().configuration(at_once).send("wait").await?;
        let waiting = answer.task().ok_or("a task")?.id.clone();
        let mut followed = call().subscribe(&waiting).await?;
        let first = followed.next().await.ok_or("an event")??;
        assert!(
            matches!(first, StreamResponse::Task(_)),
            "{binding}: {first:?}"
        );
        let over = call().cancel_task(&waiting).await?;
        assert_eq!(over.status.state, TaskState::Canceled, "{binding}");
        let mut last = None;
        while let Some(event) = followed.next().await {
            last = event?.state().or(last);
        }
        assert_eq!(last, Some(TaskState::Canceled), "{binding}");

        let missing = call().get_task("no-such-task", None).await;
        match missing.expect_err("there is none") {
            ClientError::Agent(error) => assert_eq!(error.kind(), ErrorKind::TaskNotFound),
            other => panic!("{binding}: {other}"),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tasks_walks_over_every_page() -> Result<(), Failure> {
    let world = world(|agent| agent).await?;
    let one = world.client_for("one", "alice").await?;
    for _ in 0..5 {
        one.call(world.worker.peer()).send("task").await?;
    }
    for binding in bindings() {
        let call = || one.call(world.worker.peer()).binding(binding);
        let two = || ListTasksRequest {
            page_size: Some(2),
            ..ListTasksRequest::default()
        };
        let page = call().list_tasks(two()).await?;
        assert_eq!((page.tasks.len(), page.total_size), (2, 5), "{binding}");
        let mut tasks = pin!(call().all_tasks(two()));
        let mut seen = std::collections::BTreeSet::new();
        while let Some(task) = tasks.try_next().await? {
            assert!(seen.insert(task.id), "{binding}: twice");
        }
        assert_eq!(seen.len(), 5, "{binding}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extended_card_counts_in_its_session_and_in_no_other() -> Result<(), Failure> {
    let extra = || AgentSkill::new("more", "More", "For known callers").tagged(["more"]);
    let world = world(|agent| {
        agent.extended_card(move |_, mut card| {
            card.skills.push(extra());
            card
        })
    })
    .await?;
    let peer = world.worker.peer();
    let one = world.client_for("one", "alice").await?;
    let public = one.call(peer).skill("more").send("task").await;
    assert_eq!(
        public.map(drop).map_err(|e| e.reason()),
        Err("client.no_skill")
    );
    for binding in bindings() {
        let card = one.call(peer).binding(binding).extended_card().await?;
        assert_eq!(
            (card.agent(), card.card().skills.len()),
            (peer.id(), 2),
            "{binding}"
        );
    }
    // The policy has the last word; but the client knows the skill now.
    let known = one.call(peer).skill("more").send("task").await;
    let reason = known.map(drop).map_err(|e| e.reason());
    assert_ne!(reason, Err("client.no_skill"));
    let other = world.client_for("one", "alice").await?;
    let other = other.call(peer).skill("more").send("task").await;
    assert_eq!(
        other.map(drop).map_err(|e| e.reason()),
        Err("client.no_skill")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_found_by_its_origin_or_the_address_of_its_card() -> Result<(), Failure> {
    let world = world(|agent| agent).await?;
    let client = world.client("one").await?;
    let (origin, id) = (
        world.worker.peer().origin(),
        world.worker.peer().id().as_str(),
    );
    for url in [origin.to_owned(), format!("{origin}{AGENT_CARD_PATH}")] {
        let worker = client.connect(&url, id).await?;
        assert_eq!(worker.card().name, "worker");
        let alice = client.oauth().login("alice", &"work".parse()?).await?;
        let answer = client
            .on_behalf_of_user(alice)
            .call(&worker)
            .send("task")
            .await?;
        assert_eq!(answer.text(), "the result\ndone");
    }
    let other = "spiffe://test.example/agent/two";
    for (url, id, want) in [
        (origin.to_owned(), other, "tls.peer_not_expected"),
        (format!("{origin}/a2a"), id, "client.peer_url"),
        (origin.replace("https", "http"), id, "client.peer_url"),
    ] {
        let refused = client.connect(&url, id).await;
        assert_eq!(
            refused.map(drop).map_err(|e| e.reason()),
            Err(want),
            "{url} {id}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_waits_for_an_authorization_is_given_it() -> Result<(), Failure> {
    let world = world(|agent| agent).await?;
    let peer = world.worker.peer();
    let one = world.client_for("one", "alice").await?;
    let answer = one.call(peer).send("pay").await?;
    let request = answer.authorization_request().ok_or("a request")?;
    assert_eq!(request.reason, "It costs 80 euros");
    let task = answer.task().ok_or("a task")?;
    let nowhere = one.call(peer).authorize(&request).await;
    assert_eq!(
        nowhere.map(drop).map_err(|e| e.reason()),
        Err("client.no_task")
    );
    // Scopes that nobody granted are not to be had by being asked for.
    let more = AuthorizationRequest::new("work rule".parse()?, "more");
    let refused = one.call(peer).in_task(task).authorize(&more).await;
    assert_eq!(
        refused.map(drop).map_err(|e| e.reason()),
        Err("oauth.refused")
    );
    let paid = one.call(peer).in_task(task).authorize(&request).await?;
    assert_eq!(paid.text(), "paid");
    assert!(paid.authorization_request().is_none());
    Ok(())
}
