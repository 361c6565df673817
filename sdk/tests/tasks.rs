//! Tasks over the JSON-RPC binding: answers, streams, cancelling, and whose task is whose.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Failure, World};
use countersign::a2a::{
    A2aError, AgentSkill, Artifact, ErrorKind, Message, Part, SendMessageConfiguration,
    StreamResponse, TaskState,
};
use countersign::client::ClientError;
use countersign::clock::UnixTime;
use countersign::policy::{Owner, Policy};
use countersign::server::store::{
    Lease, MemoryTaskStore, Orphan, StoreError, StoredEvent, StoredTask, TaskChange, TaskPage,
    TaskQuery, TaskStore,
};
use countersign::server::{Agent, AgentExecutor, EventQueue, RequestContext, async_trait};
use countersign::tls;

/// Does what the message says.
struct Obedient;

#[async_trait]
impl AgentExecutor for Obedient {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        match ctx.text().as_str() {
            "reply" => {
                events.reply(format!("for {}", ctx.caller()));
            }
            "task" => {
                events.working();
                events.artifact(Artifact::new(Part::text("the result")));
                events.complete(Some(Part::text("done")));
            }
            "wait" => {
                events.working();
                ctx.cancelled().await;
            }
            "ask" => {
                events.input_required("Which day?");
            }
            "panic" => panic!("the executor panics, as the test wants"),
            "panic late" => {
                events.working();
                panic!("the executor panics, as the test wants");
            }
            "nothing" => {}
            "error" => return Err(A2aError::new(ErrorKind::ContentTypeNotSupported, "no")),
            other => {
                events.complete(Some(Part::text(format!("so: {other}"))));
            }
        }
        Ok(())
    }
}

fn kind(error: &ClientError) -> Option<ErrorKind> {
    match error {
        ClientError::Agent(error) => Some(error.kind()),
        _ => None,
    }
}

fn at_once() -> SendMessageConfiguration {
    SendMessageConfiguration {
        return_immediately: true,
        ..SendMessageConfiguration::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_answers_with_a_message_or_with_a_task() -> Result<(), Failure> {
    let world = World::with(Obedient).await?;
    let one = world.client_for("one", "alice").await?;
    let answer = one.call(world.worker.peer()).send("reply").await?;
    assert_eq!(answer.text(), "for one for alice");
    assert!(answer.task().is_none());
    let answer = one.call(world.worker.peer()).send("task").await?;
    let task = answer.task().ok_or("a task")?;
    assert_eq!(task.status.state, TaskState::Completed);
    assert_eq!(answer.text(), "the result\ndone");
    let kept = one
        .call(world.worker.peer())
        .get_task(&task.id, Some(0))
        .await?;
    assert!(kept.history.is_empty());
    assert_eq!(kept.status, task.status);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_begins_with_the_task_and_ends_with_its_last_state() -> Result<(), Failure> {
    let world = World::with(Obedient).await?;
    let one = world.client_for("one", "alice").await?;
    let mut events = one.call(world.worker.peer()).stream("task").await?;
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        seen.push(match event? {
            StreamResponse::Task(_) => "task",
            StreamResponse::StatusUpdate(update) => match update.status.state {
                TaskState::Working => "working",
                TaskState::Completed => "completed",
                _ => "another state",
            },
            StreamResponse::ArtifactUpdate(_) => "artifact",
            StreamResponse::Message(_) => "message",
        });
    }
    assert_eq!(seen, ["task", "working", "artifact", "completed"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_task_looks_exactly_like_a_missing_one() -> Result<(), Failure> {
    let world = World::with(Obedient).await?;
    let peer = world.worker.peer();
    let alice = world.client_for("one", "alice").await?;
    let answer = alice
        .call(peer)
        .configuration(at_once())
        .send("wait")
        .await?;
    let mine = answer.task().ok_or("a task")?.clone();
    assert_eq!(alice.call(peer).get_task(&mine.id, None).await?.id, mine.id);
    let strangers = [
        ("another person", world.client_for("one", "bob").await?),
        ("another agent", world.client_for("two", "alice").await?),
        (
            "the agent for itself",
            world.client("one").await?.on_own_behalf(),
        ),
    ];
    for (who, stranger) in strangers {
        let shown = async |id: &str| {
            let got = stranger.call(peer).get_task(id, None).await;
            let get = got.expect_err("not theirs").to_string();
            let got = stranger.call(peer).cancel_task(id).await;
            let cancel = got.expect_err("not theirs").to_string();
            let mut in_task = mine.clone();
            in_task.id = id.to_owned();
            let got = stranger.call(peer).in_task(&in_task).send("more").await;
            (get, cancel, got.expect_err("not theirs").to_string())
        };
        assert_eq!(shown(&mine.id).await, shown("no-such-task").await, "{who}");
    }
    let running = alice.call(peer).get_task(&mine.id, None).await?;
    assert_eq!(running.status.state, TaskState::Working);
    let over = alice.call(peer).cancel_task(&mine.id).await?;
    assert_eq!(over.status.state, TaskState::Canceled);
    let again = alice
        .call(peer)
        .cancel_task(&mine.id)
        .await
        .expect_err("over");
    assert_eq!(kind(&again), Some(ErrorKind::TaskNotCancelable));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_asks_goes_on_with_the_answer() -> Result<(), Failure> {
    let world = World::with(Obedient).await?;
    let peer = world.worker.peer();
    let alice = world.client_for("one", "alice").await?;
    let answer = alice.call(peer).send("ask").await?;
    let asked = answer.task().ok_or("a task")?.clone();
    assert_eq!(asked.status.state, TaskState::InputRequired);
    let answer = alice.call(peer).in_task(&asked).send("Friday").await?;
    let done = answer.task().ok_or("a task")?;
    assert_eq!(
        (&done.id, done.status.state),
        (&asked.id, TaskState::Completed)
    );
    let said: Vec<_> = done.history.iter().map(Message::text).collect();
    assert_eq!(said, ["ask", "Which day?", "Friday"]);
    let late = alice
        .call(peer)
        .in_task(done)
        .send("Saturday")
        .await
        .expect_err("over");
    assert_eq!(kind(&late), Some(ErrorKind::UnsupportedOperation));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_that_fails_gives_an_error_and_the_server_goes_on() -> Result<(), Failure> {
    let world = World::with(Obedient).await?;
    let alice = world.client_for("one", "alice").await?;
    for (text, want) in [
        ("panic", ErrorKind::Internal),
        ("nothing", ErrorKind::Internal),
        ("error", ErrorKind::ContentTypeNotSupported),
    ] {
        let error = alice
            .call(world.worker.peer())
            .send(text)
            .await
            .expect_err(text);
        assert_eq!(kind(&error), Some(want), "{text}");
        assert!(!error.to_string().contains("as the test wants"), "{error}");
    }
    let answer = alice.call(world.worker.peer()).send("panic late").await?;
    let task = answer.task().ok_or("a task")?;
    assert_eq!(task.status.state, TaskState::Failed);
    let answer = alice
        .call(world.worker.peer())
        .send(Message::user(Part::text("reply")))
        .await?;
    assert_eq!(answer.text(), "for one for alice");
    Ok(())
}

/// Asks at first and then counts how often it goes on.
struct Asks(Arc<AtomicUsize>);

#[async_trait]
impl AgentExecutor for Asks {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        if ctx.task().history.len() == 1 {
            events.input_required("Sure?");
        } else {
            self.0.fetch_add(1, Ordering::SeqCst);
            events.complete(ctx.skill().map(Part::text));
        }
        Ok(())
    }
}

/// A store that is as far away as one over the network.
#[derive(Default)]
struct Far(MemoryTaskStore);

#[async_trait]
impl TaskStore for Far {
    async fn create(
        &self,
        owner: &Owner,
        first: &TaskChange,
        lease: Option<&Lease>,
    ) -> Result<u64, StoreError> {
        self.0.create(owner, first, lease).await
    }

    async fn get(&self, owner: &Owner, id: &str) -> Result<Option<StoredTask>, StoreError> {
        let got = self.0.get(owner, id).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        got
    }

    async fn append(&self, owner: &Owner, change: &TaskChange) -> Result<u64, StoreError> {
        self.0.append(owner, change).await
    }

    async fn events(
        &self,
        owner: &Owner,
        id: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.0.events(owner, id, after, limit).await
    }

    async fn list(&self, owner: &Owner, query: &TaskQuery) -> Result<TaskPage, StoreError> {
        self.0.list(owner, query).await
    }

    async fn acquire(
        &self,
        owner: &Owner,
        id: &str,
        lease: &Lease,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        self.0.acquire(owner, id, lease, now).await
    }

    async fn release(&self, owner: &Owner, id: &str, instance: &str) -> Result<(), StoreError> {
        self.0.release(owner, id, instance).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StoreError> {
        self.0.renew(lease).await
    }

    async fn take_orphans(
        &self,
        lease: &Lease,
        now: UnixTime,
        limit: usize,
    ) -> Result<Vec<Orphan>, StoreError> {
        self.0.take_orphans(lease, now, limit).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_answers_at_once_do_not_both_go_on_with_a_task() -> Result<(), Failure> {
    let times = Arc::new(AtomicUsize::new(0));
    let world = World::with(Asks(times.clone())).await?;
    let workload = tls::enrol(world.authority.enrol("worker")?).await?;
    let skill = AgentSkill::new("work", "Work", "Works").tagged(["work"]);
    let far = Agent::new(
        "worker",
        "Works",
        workload,
        world.authority.oauth_endpoint(),
    )
    .skill(skill)
    .policy(Policy::from_toml(common::POLICY)?)
    .store(Arc::new(Far::default()))
    .serve("127.0.0.1:0", Asks(times.clone()))
    .await?;
    let alice = world.client_for("one", "alice").await?;
    let asked = alice.call(far.peer()).send("charge").await?;
    let asked = asked.task().ok_or("a task")?.clone();
    let yes = async || alice.call(far.peer()).in_task(&asked).send("yes").await;
    let (one, two) = tokio::join!(yes(), yes());
    assert_eq!(times.load(Ordering::SeqCst), 1, "the work was done twice");
    let refused = one.and(two).expect_err("only one goes on");
    assert_eq!(kind(&refused), Some(ErrorKind::UnsupportedOperation));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_goes_on_only_about_the_skill_it_was_begun_for() -> Result<(), Failure> {
    let times = Arc::new(AtomicUsize::new(0));
    let world = World::with(Asks(times.clone())).await?;
    let workload = tls::enrol(world.authority.enrol("worker")?).await?;
    let skill = |id: &str| AgentSkill::new(id, "Work", "Works").tagged(["work"]);
    let policy = common::POLICY.replace("[\"work\"]\nscopes", "[\"work\", \"look\"]\nscopes");
    let policy = format!("{policy}[skills.look]\n");
    let both = Agent::new(
        "worker",
        "Works",
        workload,
        world.authority.oauth_endpoint(),
    )
    .skill(skill("work"))
    .skill(skill("look"))
    .policy(Policy::from_toml(&policy)?)
    .serve("127.0.0.1:0", Asks(times.clone()))
    .await?;
    let alice = world.client_for("one", "alice").await?;
    let asked = alice.call(both.peer()).skill("work").send("charge").await?;
    let asked = asked.task().ok_or("a task")?.clone();
    let looks = alice.call(both.peer()).skill("look").in_task(&asked);
    let refused = looks.send("yes").await.expect_err("another skill");
    assert_eq!(kind(&refused), Some(ErrorKind::InvalidParams));
    assert_eq!(times.load(Ordering::SeqCst), 0);
    let works = alice.call(both.peer()).skill("work").in_task(&asked);
    assert_eq!(works.send("yes").await?.text(), "work");
    Ok(())
}
