//! Receivers that are away, slow or refuse.

use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign::clock::Clock as _;
use countersign::server::push::AtOnce;
use tokio::sync::mpsc;

use crate::door::Door;
use crate::world::{Failure, Receiving, TASK, World, numbers, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_away_gets_everything_in_order() -> Result<(), Failure> {
    let world = World::new().await?;
    let door = Door::with_room(2, true);
    let one = Receiving::start(&world.workload("one").await?, door.clone()).await?;
    let push = world.push(world.settings());
    world.task(TASK, 40).await?;
    push.register(&world.owner, TASK, one.expect()?, 0).await?;
    // Two are taken, the third is refused and tried again after a pause.
    until("the third is refused", || door.asked() == 3).await?;
    world
        .pass_until("it is tried again and again", || door.asked() >= 6)
        .await?;
    assert_eq!(door.taken(), [1, 2]);
    door.room.store(99, Ordering::SeqCst);
    world
        .pass_until("all are taken", || door.taken().len() >= 40)
        .await?;
    assert_eq!(door.taken(), (1..=40).collect::<Vec<i64>>());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_before_a_restart_is_delivered_after_it() -> Result<(), Failure> {
    for graceful in [false, true] {
        let world = World::new().await?;
        let door = Door::with_room(2, false);
        let one = Receiving::start(&world.workload("one").await?, door.clone()).await?;
        world.task(TASK, 5).await?;
        let settings = world.settings().timeout(Duration::from_secs(1));
        let push = world.push(settings.clone());
        push.register(&world.owner, TASK, one.expect()?, 0).await?;
        until("the third is on its way", || door.asked() == 3).await?;
        if graceful {
            push.shutdown().await;
        }
        drop(push);
        door.room.store(99, Ordering::SeqCst);
        // What a process held that is gone is free after a while.
        world
            .clock
            .set(world.clock.now().plus(Duration::from_secs(200)));
        let _push = world.push(settings);
        until("all are taken", || door.taken().len() >= 5).await?;
        assert_eq!(door.taken(), [1, 2, 3, 4, 5]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_does_not_keep_another_waiting() -> Result<(), Failure> {
    let world = World::new().await?;
    let workload = world.workload("one").await?;
    let slow = Door::with_room(0, false);
    let hung = Receiving::start(&workload, slow.clone()).await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let quick = Receiving::start(&workload, sender).await?;
    let at_once = AtOnce {
        all: 3,
        receiver: 2,
        owner: 3,
    };
    let settings = world.settings().timeout(Duration::from_secs(30));
    let push = world.push(settings.at_once(at_once));
    for task in 0..9 {
        let id = format!("slow-{task}");
        world.task(&id, 3).await?;
        push.register(&world.owner, &id, hung.expect()?, 0).await?;
    }
    until("the slow one holds its two", || slow.asked() == 2).await?;
    world.task(TASK, 3).await?;
    push.register(&world.owner, TASK, quick.expect()?, 0)
        .await?;
    assert_eq!(numbers(&mut notifications, 3).await?, [1, 2, 3]);
    assert!(slow.taken().is_empty());
    Ok(())
}
