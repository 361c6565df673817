//! Callers of A2A 0.3 against an agent that serves them: their words, and every proof of 1.0.

mod common;

use std::sync::Arc;

use common::obedient::Obedient;
use common::raw::{Raw, Told, claims};
use common::{Failure, World};
use countersign::a2a::{ErrorKind, SendMessageConfiguration, StreamResponse, TaskState, Version};
use countersign::card::{EXTENSION_URI, ProtocolBinding};
use countersign::client::{Client, ClientError, OnBehalfOf};
use countersign::clock::SystemClock;
use countersign::workload::Workload;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

struct Bench {
    world: World,
    one: Workload,
}

impl Bench {
    async fn new(serves_v03: bool) -> Result<Self, Failure> {
        let clock = Arc::new(SystemClock);
        let world = World::made(clock, Obedient, |worker| worker.allow_v0_3(serves_v03)).await?;
        let one = world.client("one").await?.workload().clone();
        Ok(Self { world, one })
    }

    /// A proved request; `version` is its header, if it has one.
    fn request(
        &self,
        method: Method,
        path: &str,
        version: Option<&'static str>,
        body: &str,
    ) -> Result<Raw, Failure> {
        let peer = self.world.worker.peer();
        let claims = claims(self.world.authority.issuer(), &self.one, peer);
        let token = self.world.authority.danger().token(&claims)?;
        let mut raw = Raw::new(&self.one, peer, token.expose())?;
        raw.parts.method = method;
        raw.parts.uri = peer.uri(path)?;
        raw.parts.headers.remove("a2a-version");
        if let Some(version) = version {
            let version = HeaderValue::from_static(version);
            raw.parts.headers.insert("a2a-version", version);
        }
        if body.is_empty() {
            raw.parts.headers.remove(CONTENT_TYPE);
        }
        raw.body = body.as_bytes().to_vec();
        Ok(raw)
    }

    async fn send(&self, mut raw: Raw) -> Result<Told, Failure> {
        raw.sign()?;
        raw.send().await
    }

    /// A call of JSON-RPC without a version.
    async fn call(&self, method: &str, params: Value) -> Result<Value, Failure> {
        let body = json!({"jsonrpc": "2.0", "id": "r-1", "method": method, "params": params});
        let told = self.send(self.request(Method::POST, "/a2a", None, &body.to_string())?);
        let told = told.await?;
        assert_eq!(told.status, StatusCode::OK, "{}", told.body);
        let answer: Value = serde_json::from_str(&told.body)?;
        assert_eq!(answer["id"], "r-1");
        Ok(answer)
    }

    /// A call of HTTP+JSON without a version.
    async fn rest(&self, method: Method, path: &str, body: &str) -> Result<(u16, Value), Failure> {
        let path = format!("/a2a/rest/v1{path}");
        let told = self.send(self.request(method, &path, None, body)?).await?;
        let value = serde_json::from_str(&told.body)?;
        Ok((told.status.as_u16(), value))
    }

    async fn stream(&self, path: &str, body: &str) -> Result<Vec<Value>, Failure> {
        let told = self
            .send(self.request(Method::POST, path, None, body)?)
            .await?;
        assert_eq!(told.status, StatusCode::OK, "{}", told.body);
        let data = told
            .body
            .lines()
            .filter_map(|line| line.strip_prefix("data:"));
        let events = data.map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok(events)
    }
}

fn message(text: &str) -> Value {
    json!({"message": {"kind": "message", "messageId": "m-1", "role": "user",
        "parts": [{"kind": "text", "text": text}]}})
}

/// The same in the proto's JSON, with the proto's names.
fn proto(text: &str, blocking: bool) -> String {
    json!({"request": {"message_id": "m-1", "role": "ROLE_USER", "content": [{"text": text}]},
        "configuration": {"blocking": blocking}})
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_of_0_3_is_served_over_json_rpc() -> Result<(), Failure> {
    let bench = Bench::new(true).await?;
    let answer = bench.call("message/send", message("hello")).await?;
    let reply = &answer["result"];
    assert_eq!(
        (&reply["kind"], &reply["role"]),
        (&json!("message"), &json!("agent"))
    );
    let said = json!({"kind": "text", "text": "for one for alice"});
    assert_eq!(reply["parts"], json!([said]));

    let answer = bench.call("message/send", message("task")).await?;
    let task = &answer["result"];
    assert_eq!(
        (&task["kind"], &task["status"]["state"]),
        (&json!("task"), &json!("completed"))
    );
    assert_eq!(task["artifacts"][0]["parts"][0]["text"], "the result");
    assert_eq!(task["history"][0]["role"], "user");
    let same = json!({"id": task["id"], "historyLength": 1});
    let read = bench.call("tasks/get", same).await?;
    assert_eq!(read["result"]["status"], task["status"]);

    let again = bench
        .call("tasks/cancel", json!({"id": task["id"]}))
        .await?;
    assert_eq!(again["error"]["code"], -32002);
    let none = bench.call("tasks/get", json!({"id": "nobody"})).await?;
    assert_eq!(none["error"]["code"], -32001);
    let wrong = bench
        .call("message/send", json!({"message": {"role": "user"}}))
        .await?;
    assert_eq!(wrong["error"]["code"], -32602);
    let shown = wrong["error"]["message"].as_str().ok_or("a message")?;
    assert!(shown.contains("message.messageId"), "{shown}");
    let no = bench.call("tasks/list", json!({})).await?;
    assert_eq!(no["error"]["code"], -32601);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_0_3_tells_kinds_and_which_event_is_final() -> Result<(), Failure> {
    let bench = Bench::new(true).await?;
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": "message/stream",
        "params": message("task")});
    let events = bench.stream("/a2a", &body.to_string()).await?;
    let seen: Vec<_> = events
        .iter()
        .map(|event| {
            assert_eq!(event["id"], 7);
            let result = &event["result"];
            (
                result["kind"].as_str().unwrap_or_default(),
                &result["final"],
            )
        })
        .collect();
    let (no, yes, absent) = (json!(false), json!(true), Value::Null);
    assert_eq!(
        seen,
        [
            ("task", &absent),
            ("status-update", &no),
            ("artifact-update", &absent),
            ("status-update", &yes)
        ]
    );
    let events = bench
        .stream("/a2a/rest/v1/message:stream", &proto("task", true))
        .await?;
    let names: Vec<_> = events
        .iter()
        .filter_map(|event| event.as_object()?.keys().next())
        .collect();
    assert_eq!(
        names,
        ["task", "statusUpdate", "artifactUpdate", "statusUpdate"]
    );
    let last = &events[3]["statusUpdate"];
    assert_eq!(last["status"]["state"], "TASK_STATE_COMPLETED");
    assert_eq!(last["final"], true);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_0_3_is_answered_at_once_canceled_and_no_longer_followed() -> Result<(), Failure>
{
    let bench = Bench::new(true).await?;
    let mut params = message("wait");
    params["configuration"] = json!({"blocking": false});
    let begun = bench.call("message/send", params).await?;
    let id = &begun["result"]["id"];
    assert!(id.is_string(), "{begun}");
    let canceled = bench.call("tasks/cancel", json!({ "id": id })).await?;
    assert_eq!(canceled["result"]["status"]["state"], "canceled");
    let followed = bench.call("tasks/resubscribe", json!({ "id": id })).await?;
    assert_eq!(followed["error"]["code"], -32004);

    let asked = bench.call("message/send", message("ask")).await?;
    let task = &asked["result"];
    assert_eq!(task["status"]["state"], "input-required");
    assert_eq!(task["status"]["message"]["parts"][0]["text"], "Which day?");
    let mut more = message("task");
    more["message"]["taskId"] = task["id"].clone();
    let done = bench.call("message/send", more).await?;
    assert_eq!(done["result"]["id"], task["id"]);
    assert_eq!(done["result"]["status"]["state"], "completed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_of_0_3_is_served_over_http_json() -> Result<(), Failure> {
    let bench = Bench::new(true).await?;
    let (status, answer) = bench
        .rest(Method::POST, "/message:send", &proto("hello", true))
        .await?;
    assert_eq!(status, 200, "{answer}");
    let said = json!([{"text": "for one for alice"}]);
    assert_eq!(answer["message"]["content"], said);
    assert_eq!(answer["message"]["role"], "ROLE_AGENT");
    // As the specification's text shows it.
    let body = message("task").to_string();
    let (_, answer) = bench.rest(Method::POST, "/message:send", &body).await?;
    let id = answer["task"]["id"].as_str().ok_or("a task")?;
    let (status, task) = bench
        .rest(Method::GET, &format!("/tasks/{id}?historyLength=1"), "")
        .await?;
    assert_eq!((status, &task["id"]), (200, &answer["task"]["id"]));
    for (method, path, want, code, name) in [
        (
            Method::GET,
            "/tasks/nobody",
            404,
            -32001,
            "TaskNotFoundError",
        ),
        (
            Method::GET,
            "/tasks",
            400,
            -32004,
            "UnsupportedOperationError",
        ),
        (Method::GET, "/nothing", 404, -32601, "MethodNotFoundError"),
        (
            Method::DELETE,
            "/tasks/nobody",
            405,
            -32601,
            "MethodNotFoundError",
        ),
    ] {
        let (status, error) = bench.rest(method, path, "").await?;
        assert_eq!(status, want, "{path}: {error}");
        assert_eq!(
            (&error["code"], &error["type"]),
            (&json!(code), &json!(name))
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_0_3_brings_every_proof_of_one_of_1_0() -> Result<(), Failure> {
    type Change = fn(&mut Raw);
    let bench = Bench::new(true).await?;
    let rpc = json!({"jsonrpc": "2.0", "id": 1, "method": "message/send",
        "params": message("hello")})
    .to_string();
    let rest = proto("hello", true);
    let places = [("/a2a", &rpc), ("/a2a/rest/v1/message:send", &rest)];
    let before: [(Change, StatusCode, &str); 1] = [(
        |raw| {
            raw.parts.headers.remove(AUTHORIZATION);
        },
        StatusCode::UNAUTHORIZED,
        "token.missing",
    )];
    let after: [(Change, StatusCode, &str); 2] = [
        (
            |raw| {
                raw.parts.headers.remove("signature");
            },
            StatusCode::FORBIDDEN,
            "signature.missing",
        ),
        (
            |raw| raw.body.push(b' '),
            StatusCode::FORBIDDEN,
            "signature.digest",
        ),
    ];
    for (path, body) in places {
        let good = || bench.request(Method::POST, path, Some("0.3"), body);
        let last = || {
            let records = bench.world.log.records();
            let reason = records.last().and_then(|record| record.reason.clone());
            reason.map(|reason| reason.to_string())
        };
        let told = bench.send(good()?).await?;
        assert_eq!((told.status, last()), (StatusCode::OK, None), "{path}");
        for (change, status, reason) in before {
            let mut raw = good()?;
            change(&mut raw);
            let told = bench.send(raw).await?;
            assert_eq!(
                (told.status, last().as_deref()),
                (status, Some(reason)),
                "{path}"
            );
        }
        for (change, status, reason) in after {
            let mut raw = good()?;
            raw.sign()?;
            change(&mut raw);
            let told = raw.send().await?;
            assert_eq!(
                (told.status, last().as_deref()),
                (status, Some(reason)),
                "{path}"
            );
        }
    }
    // The policy is asked for the skill that a message names.
    let mut params = message("hello");
    params["message"]["metadata"] = json!({EXTENSION_URI: {"skill": "other"}});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": params});
    let raw = bench.request(Method::POST, "/a2a", None, &body.to_string())?;
    assert_eq!(bench.send(raw).await?.status, StatusCode::FORBIDDEN);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_told_apart_and_0_3_is_off_unless_asked_for() -> Result<(), Failure> {
    let old = json!({"jsonrpc": "2.0", "id": 1, "method": "message/send",
        "params": message("hello")});
    let new = json!({"jsonrpc": "2.0", "id": 1, "method": "SendMessage",
        "params": {"message": {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "hi"}]}}});
    for (serves, version, body, want) in [
        (true, None, &old, None),
        (true, Some("0.3"), &old, None),
        (true, Some("0.3.0"), &old, None),
        (true, Some("1.0"), &new, None),
        (true, Some("1.0"), &old, Some(-32601)),
        // A method of 1.0 whose version was forgotten: the client is told so.
        (true, None, &new, Some(-32009)),
        (true, Some("0.2"), &old, Some(-32009)),
        (false, None, &old, Some(-32009)),
        (false, Some("0.3"), &old, Some(-32009)),
        (false, Some("1.0"), &new, None),
    ] {
        let bench = Bench::new(serves).await?;
        let raw = bench.request(Method::POST, "/a2a", version, &body.to_string())?;
        let told = bench.send(raw).await?;
        let answer: Value = serde_json::from_str(&told.body)?;
        let code = answer["error"]["code"].as_i64();
        assert_eq!(
            code, want,
            "{serves} {version:?} {}: {answer}",
            body["method"]
        );
    }
    let bench = Bench::new(false).await?;
    let path = "/a2a/rest/v1/message:send";
    let raw = bench.request(Method::POST, path, None, &proto("hello", true))?;
    let told = bench.send(raw).await?;
    assert_eq!(told.status, StatusCode::BAD_REQUEST, "{}", told.body);
    assert!(told.body.contains("VERSION_NOT_SUPPORTED"), "{}", told.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_names_0_3_behind_1_0_and_only_when_it_is_served() -> Result<(), Failure> {
    let bindings = if cfg!(feature = "grpc") { 3 } else { 2 };
    for (serves, want) in [(false, 0), (true, bindings)] {
        let bench = Bench::new(serves).await?;
        let client = bench.world.client("one").await?;
        let card = client.card(bench.world.worker.peer()).await?;
        let interfaces = &card.card().supported_interfaces;
        let of_03 = |at: usize| interfaces[at].protocol_version == "0.3";
        let count = (0..interfaces.len()).filter(|at| of_03(*at)).count();
        assert_eq!(count, want);
        assert!(!of_03(0));
        // Its form is of 0.3 only for who asks for that in so many words.
        let path = "/.well-known/agent-card.json";
        let by_query = format!("{path}?A2A-Version=0.3");
        for (path, version, asks) in [
            (path, None, false),
            (path, Some("1.0"), false),
            (path, Some("0.3"), true),
            (&by_query, None, true),
        ] {
            let raw = bench.request(Method::GET, path, version, "")?;
            let card: Value = serde_json::from_str(&bench.send(raw).await?.body)?;
            let old = asks && serves;
            assert_eq!(card.get("url").is_some(), old, "{path} {version:?}");
            assert_eq!(card.get("supportedInterfaces").is_some(), !old);
            assert_eq!(card.get("signatures").is_some(), !old);
        }
    }
    Ok(())
}

/// A client of one's own for alice, which allows 0.3 or does not.
async fn client(bench: &Bench, allows_v03: bool) -> Result<OnBehalfOf, Failure> {
    let builder = Client::builder(bench.one.clone(), bench.world.authority.oauth_endpoint());
    let client = if allows_v03 {
        builder.allow_v0_3().build()?
    } else {
        builder.build()?
    };
    let grant = client.oauth().login("alice", &"work".parse()?).await?;
    Ok(client.on_behalf_of_user(grant))
}

const BINDINGS: [ProtocolBinding; 2] = [ProtocolBinding::JsonRpc, ProtocolBinding::HttpJson];

#[tokio::test(flavor = "multi_thread")]
async fn our_client_calls_an_agent_of_0_3_over_both_bindings() -> Result<(), Failure> {
    let bench = Bench::new(true).await?;
    let alice = client(&bench, true).await?;
    for binding in BINDINGS {
        let call = || {
            let call = alice.call(bench.world.worker.peer()).skill("work");
            call.binding(binding).version(Version::V0_3)
        };
        let answer = call().send("hello").await?;
        assert_eq!(answer.text(), "for one for alice", "{binding}");
        let answer = call().send("task").await?;
        let task = answer.task().ok_or("a task")?;
        assert_eq!(task.status.state, TaskState::Completed);
        assert_eq!(answer.text(), "the result\ndone");
        let read = call().get_task(&task.id, None).await?;
        assert_eq!(read.status, task.status);

        let mut events = call().stream("task").await?;
        let mut seen = Vec::new();
        while let Some(event) = events.next().await {
            seen.push(match event? {
                StreamResponse::Task(_) => "task",
                StreamResponse::StatusUpdate(_) => "status",
                StreamResponse::ArtifactUpdate(_) => "artifact",
                StreamResponse::Message(_) => "message",
            });
        }
        assert_eq!(seen, ["task", "status", "artifact", "status"], "{binding}");

        let at_once = SendMessageConfiguration {
            return_immediately: true,
            ..SendMessageConfiguration::default()
        };
        let begun = call().configuration(at_once).send("wait").await?;
        let id = begun.task().ok_or("a task")?.id.clone();
        let canceled = call().cancel_task(&id).await?;
        assert_eq!(canceled.status.state, TaskState::Canceled);
        let error = call().get_task("nobody", None).await.expect_err("no task");
        match error {
            ClientError::Agent(error) => assert_eq!(error.kind(), ErrorKind::TaskNotFound),
            other => return Err(other.into()),
        }
        let error = call().list_tasks(Default::default()).await;
        let error = error.expect_err("0.3 has no list");
        assert!(matches!(error, ClientError::NotInBinding { .. }), "{error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_takes_0_3_only_where_it_was_allowed_and_pinned() -> Result<(), Failure> {
    let bench = Bench::new(true).await?;
    let peer = bench.world.worker.peer();
    // Allowed, but the card offers 1.0: only there are tenants and lists.
    let alice = client(&bench, true).await?;
    let listed = alice.call(peer).list_tasks(Default::default()).await;
    assert!(!matches!(listed, Err(ClientError::NotInBinding { .. })));
    // Not allowed, so not taken however clearly it is named.
    let strict = client(&bench, false).await?;
    let pinned = strict.call(peer).version(Version::V0_3);
    let error = pinned.send("hello").await.expect_err("not allowed");
    assert!(matches!(error, ClientError::Unsatisfiable(_)), "{error}");
    // An agent that does not serve it gives no interface of it.
    let bench = Bench::new(false).await?;
    let alice = client(&bench, true).await?;
    let pinned = alice.call(bench.world.worker.peer()).version(Version::V0_3);
    let error = pinned.send("hello").await.expect_err("not served");
    assert!(matches!(error, ClientError::Unsatisfiable(_)), "{error}");
    Ok(())
}
