//! Lists that never end.

use std::pin::pin;

use countersign::a2a::{Task, TaskState};
use countersign::client::{Client, ClientError, OnBehalfOf, RetryPolicy};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::common::double::task;
use super::fake::{Idle, MAX};
use crate::common::double::{self, Heard, Seen, double};
use crate::common::findings::Findings;
use crate::common::{Failure, World};
use countersign::client::Peer;

/// A client, and a peer whose page `n` is `page(n)`; the page after it is `n + 1`.
async fn stage(
    world: &World,
    page: impl Fn(usize) -> Value + Send + Sync + 'static,
) -> Result<(OnBehalfOf, Peer, Heard), Failure> {
    let script = move |seen: &Seen, _| {
        let asked = seen.body["params"]["pageToken"].as_str();
        let asked = asked.and_then(|token| token.parse().ok()).unwrap_or(0);
        let mut page = page(asked);
        if page.get("nextPageToken").is_none() {
            page["nextPageToken"] = (asked + 1).to_string().into();
        }
        double::result(&page)
    };
    let (peer, heard) = double(world, |_| {}, script).await?;
    let workload = world.client("one").await?.workload().clone();
    let client = Client::builder(workload, world.authority.oauth_endpoint())
        .retries(RetryPolicy::NEVER)
        .max_answer(MAX)
        .build()?;
    Ok((client.on_own_behalf(), peer, heard))
}

fn configs(count: usize, url: usize) -> Value {
    let url = format!("https://hooks.example/{}", "x".repeat(url));
    json!({"configs": vec![json!({"taskId": "t-1", "id": "p", "url": url}); count]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_webhooks_that_never_ends_is_given_up() -> Result<(), Failure> {
    type Page = fn(usize) -> Value;
    let world = World::with(Idle).await?;
    let mut findings = Findings::default();
    let cases: [(&str, Page, Result<usize, &str>, usize); 6] = [
        (
            "one page",
            |_| json!({"configs": [], "nextPageToken": ""}),
            Ok(0),
            1,
        ),
        (
            "as many as may be",
            |page| {
                let mut configs = configs(100, 0);
                if page == 9 {
                    configs["nextPageToken"] = "".into();
                }
                configs
            },
            Ok(1000),
            10,
        ),
        ("more", |_| configs(100, 0), Err("client.endless"), 11),
        (
            "large ones",
            |_| configs(1, MAX / 4),
            Err("client.answer_too_long"),
            4,
        ),
        (
            "nothing, page after page",
            |_| json!({}),
            Err("client.endless"),
            17,
        ),
        (
            "the same page again",
            |_| json!({"nextPageToken": "same"}),
            Ok(0),
            2,
        ),
    ];
    for (name, page, want, pages) in cases {
        let (one, peer, heard) = stage(&world, page).await?;
        let got = one.call(&peer).list_push_configs("t-1").await;
        let got = got.map(|configs| configs.len());
        findings.expect(name, got.map_err(|error| error.reason()), want);
        findings.expect(format!("{name}, pages"), heard.all().len(), pages);
    }
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_over_tasks_that_brings_nothing_is_given_up() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let page = |page| {
        let tasks: &[Task] = if page == 0 {
            &[task(TaskState::Working)]
        } else {
            &[]
        };
        json!({"tasks": tasks, "totalSize": 9, "pageSize": 50})
    };
    let (one, peer, heard) = stage(&world, page).await?;
    let walk = pin!(one.call(&peer).all_tasks(Default::default()));
    let came: Vec<Result<Task, ClientError>> = walk.collect().await;
    let came: Vec<_> = came
        .into_iter()
        .map(|t| t.map_err(|e| e.reason()))
        .collect();
    assert_eq!(came, [Ok(task(TaskState::Working)), Err("client.endless")]);
    assert_eq!(heard.all().len(), 1 + 17);
    Ok(())
}
