//! Streams whose token expires while they last.

use std::sync::Arc;
use std::time::Duration;

use countersign::a2a::{A2aError, Artifact, Part, StreamResponse, TaskState};
use countersign::card::ProtocolBinding;
use countersign::client::{ClientError, EventStream, RetryPolicy};
use countersign::clock::{Clock as _, ManualClock, SystemClock};
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
use tokio::sync::Semaphore;

use crate::agent::bindings;
use crate::common::{Failure, World};
use crate::streams::quick;

/// Longer than a token lives, and shorter than a certificate.
const LONG: Duration = Duration::from_secs(600);

/// Does its next step when the test has it.
struct Steps(Arc<Semaphore>);

#[async_trait]
impl AgentExecutor for Steps {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        let step = async || self.0.acquire().await.expect("never closed").forget();
        events.working();
        step().await;
        events.artifact(Artifact::new(Part::text("a piece")));
        step().await;
        events.complete(None);
        Ok(())
    }
}

struct Stage {
    clock: Arc<ManualClock>,
    steps: Arc<Semaphore>,
    world: World,
}

async fn stage() -> Result<Stage, Failure> {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let steps = Arc::new(Semaphore::new(0));
    let world = World::at(clock.clone(), Steps(steps.clone())).await?;
    Ok(Stage {
        clock,
        steps,
        world,
    })
}

impl Stage {
    /// A stream that has shown that the task is at work, and whose token has expired since.
    async fn expired(
        &self,
        binding: ProtocolBinding,
        policy: RetryPolicy,
    ) -> Result<EventStream, Failure> {
        let client = quick(&self.world, |builder| builder.retries(policy)).await?;
        let call = client.on_own_behalf().call(self.world.worker.peer());
        let mut events = call.binding(binding).stream("go").await?;
        while next(&mut events).await?.state() != Some(TaskState::Working) {}
        self.clock.set(self.clock.now().plus(LONG));
        self.steps.add_permits(1);
        Ok(events)
    }
}

async fn next(events: &mut EventStream) -> Result<StreamResponse, Failure> {
    let next = tokio::time::timeout(Duration::from_secs(60), events.next()).await?;
    Ok(next.ok_or("the stream ended")??)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_token_expired_goes_on_with_a_new_one() -> Result<(), Failure> {
    for binding in bindings() {
        let stage = stage().await?;
        let policy = RetryPolicy {
            first_wait: Duration::from_millis(1),
            ..RetryPolicy::default()
        };
        let mut events = stage.expired(binding, policy).await?;
        // What happened since is in the task, which a new subscription begins with.
        let StreamResponse::Task(task) = next(&mut events).await? else {
            return Err(format!("{binding}: the stream went on with its old token").into());
        };
        assert_eq!(task.artifacts.len(), 1, "{binding}");
        stage.steps.add_permits(1);
        let last = next(&mut events).await?;
        assert_eq!(last.state(), Some(TaskState::Completed), "{binding}");
        assert!(events.next().await.is_none(), "{binding}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_why_it_ends_with_its_token() -> Result<(), Failure> {
    for binding in bindings() {
        let stage = stage().await?;
        let mut events = stage.expired(binding, RetryPolicy::NEVER).await?;
        let ended = tokio::time::timeout(Duration::from_secs(60), events.next()).await?;
        match ended.ok_or("an error")? {
            Err(ClientError::Refused { status: 401, .. }) => {}
            other => return Err(format!("{binding}: {other:?}").into()),
        }
        assert!(events.next().await.is_none(), "{binding}");
    }
    Ok(())
}
