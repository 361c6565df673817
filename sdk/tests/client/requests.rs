//! What goes out.

use std::sync::{Arc, Mutex};

use countersign::a2a::{
    Operation, SecurityScheme, StringList, TaskPushNotificationConfig, TaskState,
};
use countersign::card::{EXTENSION_URI, ProtocolBinding};
use countersign::client::{
    AfterCall, BeforeCall, CallInterceptor, ClientError, StaticCredentials, async_trait,
};
use countersign::secret::Secret;
use serde_json::json;

use super::streams::{Idle, quick};
use crate::common::double::{self, Seen, double, task};
use crate::common::{Failure, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_of_the_interface_is_echoed_in_every_request() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let tenant = |card: &mut countersign::a2a::AgentCard| {
        for interface in &mut card.supported_interfaces {
            interface.tenant = Some("acme".into());
        }
    };
    let script = |seen: &Seen, _| match seen.body["method"].as_str() {
        Some(_) => double::result(&json!(task(TaskState::Working))),
        None => double::json_body(&json!(task(TaskState::Working))),
    };
    let (peer, heard) = double(&world, tenant, script).await?;
    let one = quick(&world, |builder| builder).await?.on_own_behalf();
    one.call(&peer).get_task("t-1", None).await?;
    let rest = one.call(&peer).binding(ProtocolBinding::HttpJson);
    rest.get_task("t-1", None).await?;
    let heard = heard.all();
    assert_eq!(heard[0].body["params"]["tenant"], "acme");
    assert_eq!(heard[1].uri.path(), "/a2a/rest/acme/tasks/t-1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn our_preference_counts_only_where_it_is_given() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let script = |seen: &Seen, _| match seen.body["method"].as_str() {
        Some(_) => double::result(&json!(task(TaskState::Working))),
        None => double::json_body(&json!(task(TaskState::Working))),
    };
    let (peer, heard) = double(&world, |_| {}, script).await?;
    let (json, rest) = (ProtocolBinding::JsonRpc, ProtocolBinding::HttpJson);
    let plain = quick(&world, |builder| builder).await?;
    plain
        .on_own_behalf()
        .call(&peer)
        .get_task("t-1", None)
        .await?;
    let ours = quick(&world, |builder| builder.bindings([rest, json])).await?;
    ours.on_own_behalf()
        .call(&peer)
        .get_task("t-1", None)
        .await?;
    assert_eq!(heard.whats(), ["GetTask", "GET /a2a/rest/tasks/t-1"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_where_the_card_wants_it_and_only_to_that_agent() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let keyed = |card: &mut countersign::a2a::AgentCard| {
        let scheme = json!({"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}});
        let scheme: SecurityScheme = serde_json::from_value(scheme).expect("a scheme");
        card.security_schemes.insert("partner".into(), scheme);
        // Named, so that no implementation leaves it out.
        let named = StringList {
            list: vec!["call".into()],
        };
        for requirement in &mut card.security_requirements {
            requirement.schemes.insert("partner".into(), named.clone());
        }
    };
    let script = |_: &Seen, _| double::result(&json!(task(TaskState::Working)));
    let (peer, heard) = double(&world, keyed, script).await?;
    let none = quick(&world, |builder| builder).await?;
    let refused = none.on_own_behalf().call(&peer).get_task("t-1", None).await;
    assert_eq!(
        refused.map(drop).map_err(|e| e.reason()),
        Err("card.unsatisfiable")
    );
    let other = "spiffe://test.example/agent/two".parse()?;
    let key = || Secret::new("k-1".into());
    let others = StaticCredentials::default().with(&other, "partner", key());
    let others = quick(&world, |builder| builder.credentials(others)).await?;
    let refused = others
        .on_own_behalf()
        .call(&peer)
        .get_task("t-1", None)
        .await;
    assert_eq!(
        refused.map(drop).map_err(|e| e.reason()),
        Err("card.unsatisfiable")
    );
    assert!(heard.all().is_empty());
    let held = StaticCredentials::default().with(peer.id(), "partner", key());
    let held = quick(&world, |builder| builder.credentials(held)).await?;
    held.on_own_behalf()
        .call(&peer)
        .get_task("t-1", None)
        .await?;
    let heard = heard.all();
    assert_eq!(heard[0].header("x-key"), "k-1");
    assert!(heard[0].header("authorization").starts_with("Bearer "));
    Ok(())
}

#[derive(Clone, Debug, Default)]
struct Watch(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl CallInterceptor for Watch {
    async fn before(&self, call: &mut BeforeCall<'_>) -> Result<(), ClientError> {
        if call.operation() == Operation::CancelTask {
            let what = "tasks are not canceled here".to_owned();
            return Err(ClientError::Intercepted { what });
        }
        let forged = call.insert_header("signature", "sig1=:AAAA:");
        assert_eq!(forged.map_err(|e| e.reason()), Err("client.header"));
        call.insert_header("x-cost-center", "42")
    }

    async fn after(&self, call: &AfterCall<'_>) {
        let reason = call.error.map(ClientError::reason);
        let line = format!("{} {:?} {reason:?}", call.operation, call.status);
        self.0.lock().expect("not poisoned").push(line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interceptor_sees_every_attempt_and_forges_nothing() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let script = |_: &Seen, before| match before {
        0 => double::status(503, "retry-after", "0"),
        _ => double::result(&json!(task(TaskState::Working))),
    };
    let (peer, heard) = double(&world, |_| {}, script).await?;
    let watch = Watch::default();
    let seen = watch.clone();
    let one = quick(&world, |builder| builder.intercept(watch))
        .await?
        .on_own_behalf();
    one.call(&peer).get_task("t-1", None).await?;
    let stopped = one.call(&peer).cancel_task("t-1").await;
    assert_eq!(
        stopped.map(drop).map_err(|e| e.reason()),
        Err("client.intercepted")
    );
    assert_eq!(heard.all().len(), 2);
    assert!(
        heard
            .all()
            .iter()
            .all(|seen| seen.header("x-cost-center") == "42")
    );
    assert_eq!(
        *seen.0.lock().expect("not poisoned"),
        [
            r#"GetTask Some(503) Some("client.busy")"#,
            "GetTask Some(200) None",
            r#"CancelTask None Some("client.intercepted")"#,
        ]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn push_configurations_are_made_read_listed_and_deleted() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let script = |seen: &Seen, _| {
        let config = json!({"taskId": "t-1", "id": "p-1", "url": "https://push.example/x"});
        let rest = seen.body["method"].is_null();
        let value = match seen.what().as_str() {
            "DeleteTaskPushNotificationConfig" => json!({}),
            "ListTaskPushNotificationConfigs" => {
                let first = seen.body["params"]["pageToken"].is_null();
                let next = if first { "more" } else { "" };
                json!({"configs": [config], "nextPageToken": next})
            }
            "GET /a2a/rest/tasks/t-1/pushNotificationConfigs" => json!({"configs": [config]}),
            _ => config,
        };
        if rest {
            double::json_body(&value)
        } else {
            double::result(&value)
        }
    };
    let (peer, heard) = double(&world, |_| {}, script).await?;
    let one = quick(&world, |builder| builder).await?.on_own_behalf();
    for (binding, listed) in [
        (ProtocolBinding::JsonRpc, 2),
        (ProtocolBinding::HttpJson, 1),
    ] {
        let call = || one.call(&peer).binding(binding);
        let config = TaskPushNotificationConfig {
            task_id: Some("t-1".into()),
            url: "https://push.example/x".into(),
            ..TaskPushNotificationConfig::default()
        };
        let made = call().create_push_config(config).await?;
        assert_eq!(made.id.as_deref(), Some("p-1"), "{binding}");
        assert_eq!(call().get_push_config("t-1", "p-1").await?, made);
        assert_eq!(
            call().list_push_configs("t-1").await?.len(),
            listed,
            "{binding}"
        );
        call().delete_push_config("t-1", "p-1").await?;
    }
    let deleted = "DELETE /a2a/rest/tasks/t-1/pushNotificationConfigs/p-1";
    assert_eq!(heard.whats().last().map(String::as_str), Some(deleted));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_a_task_is_about_its_skill_and_says_when_its_work_is_worth_nothing()
-> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let script = |_: &Seen, _| double::result(&json!({ "task": task(TaskState::Working) }));
    let (peer, heard) = double(&world, |_| {}, script).await?;
    let one = quick(&world, |builder| builder).await?.on_own_behalf();
    let mut waiting = task(TaskState::InputRequired);
    let begun_for = json!({ "skill": "work" });
    waiting.metadata.insert(EXTENSION_URI.into(), begun_for);
    let end = "2030-01-01T00:00:00Z".parse()?;
    one.call(&peer).send("new").await?;
    one.call(&peer).in_task(&waiting).send("more").await?;
    let hurried = one.call(&peer).in_task(&waiting).finish_by(end);
    hurried.send("quick").await?;
    let said: Vec<_> = heard.all().iter().map(Seen::said).collect();
    let deadline = json!({ "skill": "work", "deadline": "2030-01-01T00:00:00.000Z" });
    assert_eq!(
        said,
        [None, Some(json!({ "skill": "work" })), Some(deadline)]
    );
    let named = |seen: &Seen| seen.header("a2a-extensions").to_owned();
    assert_eq!(named(&heard.all()[2]), EXTENSION_URI);
    Ok(())
}
