//! Requests to a wrong place: paths, methods and services that there are not.

use countersign::a2a::Operation;
use http::Method;

use super::plain::Plain;
use super::sent::{Sent, good};
use super::told::{METHOD, PARAMS, TASK_NOT_FOUND, Told};
use crate::common::Failure;
use crate::common::findings::{Findings, panics};
use crate::common::wire::Wire;

/// No operation has this path or this method.
fn misplaced(status: i64) -> Told {
    Told::Error(METHOD.0.to_owned(), status, Vec::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_takes_its_own_methods_only() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    for operation in Operation::ALL {
        let params = good(operation, &plain.task);
        let sent = Sent::over(Wire::HttpJson, operation, &params).ok_or("a good request")?;
        for method in [
            "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
        ] {
            let method: Method = method.parse()?;
            let asked = sent.clone().to(method.clone(), sent.path.clone());
            let got = plain.open(asked).await?;
            if got.status() != 405 {
                // Another operation has this path and this method, or it is this one.
                let other = matches!(method.as_str(), "GET" | "POST" | "DELETE");
                findings.expect(format!("{operation} by {method}"), other, true);
                continue;
            }
            let got = got.whole().await?;
            let allowed = got.headers.get("allow").and_then(|v| v.to_str().ok());
            let allowed = allowed.unwrap_or_default().to_owned();
            let own = allowed
                .split(", ")
                .any(|allowed| allowed == sent.method.as_str());
            findings.expect(format!("{operation} by {method}: {allowed}"), own, true);
            let lists = allowed
                .split(", ")
                .any(|allowed| allowed == method.as_str());
            findings.expect(format!("{operation} by {method}: {allowed}"), lists, false);
            let told = got.told(Wire::HttpJson);
            findings.result(format!("{operation} by {method}"), told, misplaced(405));
        }
    }
    plain.still_serves().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_none_is_told_in_the_bindings_form() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    let get = Sent::over(Wire::HttpJson, Operation::ListTasks, &serde_json::json!({}));
    let get = get.ok_or("a good request")?;
    let missing = || Told::error(Wire::HttpJson, TASK_NOT_FOUND, &[]);
    let wrong = |field: &str| Told::error(Wire::HttpJson, PARAMS, &[field]);
    for (path, want) in [
        ("/tasks", Told::Answer),
        ("/acme/tasks", Told::Answer),
        // The base itself is none either.
        ("", misplaced(404)),
        ("/", misplaced(404)),
        ("?x=1", misplaced(404)),
        ("/nothing", misplaced(404)),
        ("/tasks/", misplaced(404)),
        ("/tasks//", misplaced(404)),
        ("//tasks", misplaced(404)),
        ("/task", misplaced(404)),
        ("/TASKS", misplaced(404)),
        ("/tasks/t/", misplaced(404)),
        ("/tasks/t/u", misplaced(404)),
        ("/tasks/:cancel", misplaced(404)),
        ("/tasks/t/pushNotificationConfigs/", misplaced(404)),
        ("/tasks/t/pushNotificationConfigs/c/d", misplaced(404)),
        ("/acme/acme/tasks", misplaced(404)),
        ("/v1/tasks/t", wrong("tenant")),
        ("/%61cme/tasks", Told::Answer),
        ("/acme%2Ftasks", misplaced(404)),
        ("/%2e%2e/tasks", wrong("tenant")),
        ("/tasks/%2e%2e", missing()),
        ("/tasks/..", missing()),
        ("/tasks/..%2f..%2fadmin", missing()),
        ("/tasks/..%5c..%5cadmin", missing()),
        ("/tasks/%252e", missing()),
        ("/tasks/t%3Acancel", missing()),
        ("/tasks/t:approve", missing()),
        ("/tasks/%00", wrong("id")),
        ("/tasks/a%0d%0aSet-Cookie:x", wrong("id")),
        ("/tasks/%7f", wrong("id")),
        ("/tasks/%ff", wrong("id")),
        ("/tasks/%c0%af", wrong("id")),
        ("/tasks/%ed%a0%80", wrong("id")),
        ("/tasks/%", wrong("id")),
        ("/tasks/%zz", wrong("id")),
        ("/%ff/tasks", wrong("tenant")),
        ("/tasks?pageSize=1&pageSize=2", wrong("pageSize")),
        ("/tasks?pageSize=%ff", wrong("pageSize")),
        ("/tasks?contextId=%00", wrong("contextId")),
        (
            "/tasks?status=TASK_STATE_WORKING&status=TASK_STATE_WORKING",
            wrong("status"),
        ),
        ("/tasks?tenant=nowhere", wrong("tenant")),
        ("/acme/tasks?tenant=other", wrong("tenant")),
        ("/tasks?later=1&later=2&%zz&=", Told::Answer),
    ] {
        let sent = get.clone().to(Method::GET, format!("/a2a/rest{path}"));
        findings.result(path, plain.told(sent).await, want);
    }
    plain.still_serves().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_binding_serves_is_a_status_of_http() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    for &wire in Wire::ALL {
        let params = good(Operation::GetTask, &plain.task);
        let sent = Sent::over(wire, Operation::GetTask, &params).ok_or("a good request")?;
        let own: &[(&str, &str, u16)] = match wire {
            Wire::JsonRpc => &[
                ("GET", "/a2a", 405),
                ("PUT", "/a2a", 405),
                ("POST", "/a2a/x", 404),
                ("POST", "/A2A", 404),
                ("POST", "//a2a", 404),
                ("POST", "/", 404),
            ],
            Wire::HttpJson => &[
                ("GET", "/tasks/t", 404),
                ("GET", "/a2a/rests/tasks/t", 404),
                ("GET", "/a2a/./rest/tasks/t", 404),
                ("GET", "/.well-known/agent-card.json/x", 404),
                ("POST", "/.well-known/agent-card.json", 405),
            ],
            #[cfg(feature = "grpc")]
            Wire::Grpc => &[
                ("GET", "/lf.a2a.v1.A2AService/GetTask", 405),
                ("POST", "/lf.a2a.v1.A2AService", 404),
                ("POST", "/lf.a2a.v1.A2AService/", 404),
                ("POST", "/lf.a2a.v1.A2AService/GetTask/x", 404),
                ("POST", "/lf.a2a.v2.A2AService/GetTask", 404),
                ("POST", "/a2a.v1.A2AService/GetTask", 404),
                (
                    "POST",
                    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                    404,
                ),
            ],
        };
        for &(method, path, want) in own {
            let asked = sent.clone().to(method.parse()?, path);
            let got = plain.send(asked).await?;
            findings.expect(format!("{wire:?}: {method} {path}"), got.status, want);
        }
    }
    plain.still_serves().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}
