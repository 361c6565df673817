//! Who is told of a task.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign::a2a::{A2aError, Artifact, Part, SendMessageConfiguration, TaskState};
use countersign::clock::{Clock, SystemClock};
use countersign::id::SpiffeId;
use countersign::server::push::{PushPolicy, PushSettings};
use countersign::server::store::MemoryPushConfigStore;
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
use tokio::sync::mpsc;

use crate::world::{
    Failure, Receiving, TASK, WORKER, World, next, number_of, numbers, until, worker,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_task_is_told_with_every_proof() -> Result<(), Failure> {
    let world = World::new().await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let one = Receiving::start(&world.workload("one").await?, sender).await?;
    let push = world.push(world.settings());
    world.task(TASK, 3).await?;
    push.register(&world.owner, TASK, one.expect()?, 0).await?;
    for number in 1..=3 {
        let notification = next(&mut notifications).await?;
        assert_eq!(number_of(&notification), number);
        assert_eq!(notification.task_id, TASK);
        let from = notification.from.as_ref().map(SpiffeId::as_str);
        assert_eq!(from, Some(WORKER));
    }
    push.shutdown().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_owner_is_told() -> Result<(), Failure> {
    let world = World::new().await?;
    // Another agent of the same domain took the address.
    let (sender, mut stolen) = mpsc::channel(9);
    let workload = world.workload("two").await?;
    let two = Receiving::start(&workload, sender).await?;
    let address: SocketAddr = two.url["https://".len()..]
        .split('/')
        .next()
        .ok_or("no")?
        .parse()?;
    let config = two.expect()?;
    let push = world.push(world.settings());
    world.task(TASK, 2).await?;
    push.register(&world.owner, TASK, config.clone(), 0).await?;
    until("it is not let in", || {
        two.refused.load(Ordering::SeqCst) > 0
    })
    .await?;
    // The owner comes back to its address, and is told as if nothing had been.
    drop(two);
    let (sender, mut notifications) = mpsc::channel(9);
    let workload = world.workload("one").await?;
    let one = loop {
        // The port is free once the other is gone.
        match Receiving::at(address, &workload, sender.clone()).await {
            Ok(one) => break one,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    one.receiver.resume(worker(), &config)?;
    world
        .pass_until("both are told", || notifications.len() == 2)
        .await?;
    assert_eq!(numbers(&mut notifications, 2).await?, [1, 2]);
    assert!(stolen.try_recv().is_err());
    Ok(())
}

/// Works, and has a result.
struct Busy;

#[async_trait]
impl AgentExecutor for Busy {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.working();
        events.flushed().await;
        events.artifact(Artifact::new(Part::text("the result")));
        events.complete(Some(Part::text("done")));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_asks_for_it_with_its_message_is_told_of_its_task() -> Result<(), Failure> {
    let settings = PushSettings::new(Arc::new(MemoryPushConfigStore::default()))
        .policy(PushPolicy::default().danger().allow_loopback())
        .before_answer(Duration::from_secs(30));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let world = crate::common::World::made(clock, Busy, |agent| agent.push(settings)).await?;
    let client = world.client("one").await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let one = Receiving::start(client.workload(), sender).await?;
    let configuration = SendMessageConfiguration {
        task_push_notification_config: Some(one.expect()?),
        ..SendMessageConfiguration::default()
    };
    let call = client.on_own_behalf().call(world.worker.peer());
    let answer = call.configuration(configuration).send("work").await?;
    let task = answer.task().ok_or("no task")?;
    // The answer waited for them.
    let mut states = Vec::new();
    while let Ok(notification) = notifications.try_recv() {
        assert_eq!(notification.task_id, task.id);
        states.extend(notification.event.state());
    }
    assert_eq!(states.last(), Some(&TaskState::Completed));
    assert!(states.contains(&TaskState::Working), "{states:?}");
    Ok(())
}
