//! Malformed, oversized, repeated and nested inputs over real TLS: each refused with its reason,
//! recorded once, and the peer told no more than a status.

use std::sync::Arc;
use std::time::Duration;

use crate::common::raw::{Raw, Told, claims};
use crate::common::{Failure, World};
use countersign::a2a::A2aError;
use countersign::clock::{Skew, SystemClock};
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
use countersign::workload::Workload;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

struct Reply;

#[async_trait]
impl AgentExecutor for Reply {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply(format!("served {}", ctx.caller()));
        Ok(())
    }
}

struct Bench {
    world: World,
    one: Workload,
}

impl Bench {
    async fn new() -> Result<Self, Failure> {
        let world = World::with(Reply).await?;
        let one = world.client("one").await?.workload().clone();
        Ok(Self { world, one })
    }

    fn claims(&self) -> Value {
        claims(
            self.world.authority.issuer(),
            &self.one,
            self.world.worker.peer(),
        )
    }

    fn raw(&self, claims: &Value) -> Result<Raw, Failure> {
        let token = self.world.authority.danger().token(claims)?;
        Raw::new(&self.one, self.world.worker.peer(), token.expose())
    }

    /// Sends and gives what the caller was told and what was recorded.
    async fn send(&self, raw: Raw) -> Result<(Told, String), Failure> {
        let before = self.world.log.records().len();
        let told = raw.send().await?;
        let records = self.world.log.records();
        let [record] = &records[before..] else {
            return Err(format!("{} records for one call", records.len() - before).into());
        };
        let reason = record
            .reason
            .as_ref()
            .map_or("served", |reason| reason.as_str());
        Ok((told, reason.to_owned()))
    }

    async fn signed(&self, mut raw: Raw) -> Result<(Told, String), Failure> {
        raw.sign()?;
        self.send(raw).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_request_is_served() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let (told, reason) = bench.signed(bench.raw(&bench.claims())?).await?;
    assert_eq!((told.status, reason.as_str()), (StatusCode::OK, "served"));
    assert!(told.body.contains("served one for alice"), "{}", told.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_one_wrong_claim_is_refused_by_that_claim() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let now = bench.one.clock().now().secs();
    let me = bench.one.id().as_str();
    let nested = |depth: usize| {
        let mut act = json!({ "sub": "agent-0" });
        for level in 1..depth - 1 {
            act = json!({ "sub": format!("agent-{level}"), "act": act });
        }
        json!({ "sub": me, "act": act })
    };
    let cases = [
        ("iss", json!("https://other.example"), "token.issuer"),
        (
            "aud",
            json!("spiffe://test.example/agent/two"),
            "token.audience",
        ),
        (
            "aud",
            json!([bench.world.worker.peer().id(), "x"]),
            "token.audience",
        ),
        ("exp", json!(now - 6), "token.expired"),
        ("nbf", json!(now + 60), "token.not_yet_valid"),
        ("cnf", Value::Null, "token.unbound"),
        (
            "act",
            json!({ "sub": "spiffe://test.example/agent/two" }),
            "delegation.actor_not_peer",
        ),
        (
            "act",
            json!({ "sub": "x", "act": { "sub": me } }),
            "delegation.inverted",
        ),
        ("act", json!([{ "sub": me }]), "delegation.malformed"),
        ("act", Value::Null, "delegation.impersonation"),
        ("act", nested(11), "delegation.too_deep"),
        ("scope", json!("other"), "policy.scope_not_granted"),
    ];
    for (claim, value, want) in cases {
        let mut claims = bench.claims();
        if value.is_null() {
            claims.as_object_mut().ok_or("an object")?.remove(claim);
        } else {
            claims[claim] = value.clone();
        }
        let (told, reason) = bench.signed(bench.raw(&claims)?).await?;
        assert_eq!(reason, want, "{claim} = {value}");
        assert_ne!(told.status, StatusCode::OK, "{claim} = {value}");
        let word = want.split('.').nth(1).unwrap_or_default();
        assert!(!told.body.contains(word), "the peer was told {}", told.body);
    }
    let mut claims = bench.claims();
    claims["act"] = nested(10);
    let (_, reason) = bench.signed(bench.raw(&claims)?).await?;
    assert_eq!(reason, "served", "ten actors are accepted");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_missing_repeated_or_malformed_are_refused() -> Result<(), Failure> {
    type Change = fn(&mut Raw);
    let bench = Bench::new().await?;
    let after_signing: [(&str, Change, &str, StatusCode); 6] = [
        (
            "no signature",
            |r| {
                r.parts.headers.remove("signature");
            },
            "signature.missing",
            StatusCode::FORBIDDEN,
        ),
        (
            "no signature input",
            |r| {
                r.parts.headers.remove("signature-input");
            },
            "signature.missing",
            StatusCode::FORBIDDEN,
        ),
        (
            "input that is no dictionary",
            |r| set(r, "signature-input", "=(("),
            "signature.malformed",
            StatusCode::BAD_REQUEST,
        ),
        (
            "signature that is no bytes",
            |r| set(r, "signature", "sig1=1"),
            "signature.malformed",
            StatusCode::BAD_REQUEST,
        ),
        (
            "another version after signing",
            |r| set(r, "a2a-version", "0.3"),
            "signature.invalid",
            StatusCode::FORBIDDEN,
        ),
        (
            "another path",
            |r| {
                r.parts.uri = format!("{}/a2a?x=1", r.peer.origin())
                    .parse()
                    .expect("a URI")
            },
            "signature.invalid",
            StatusCode::FORBIDDEN,
        ),
    ];
    for (name, change, want, status) in after_signing {
        let mut raw = bench.raw(&bench.claims())?;
        raw.sign()?;
        change(&mut raw);
        let (told, reason) = bench.send(raw).await?;
        assert_eq!((reason.as_str(), told.status), (want, status), "{name}");
        assert_eq!(told.accept_signature, want == "signature.missing", "{name}");
    }
    let before_signing: [(&str, Change, &str, StatusCode); 5] = [
        (
            "no token",
            |r| {
                r.parts.headers.remove(AUTHORIZATION);
            },
            "token.missing",
            StatusCode::UNAUTHORIZED,
        ),
        (
            "two tokens",
            |r| {
                let again = r.parts.headers[AUTHORIZATION].clone();
                r.parts.headers.append(AUTHORIZATION, again);
            },
            "token.malformed",
            StatusCode::UNAUTHORIZED,
        ),
        (
            "another scheme",
            |r| set(r, "authorization", "Basic YTpi"),
            "token.malformed",
            StatusCode::UNAUTHORIZED,
        ),
        (
            "signed too long ago",
            |r| r.signed_at = r.signed_at.minus(std::time::Duration::from_secs(70)),
            "signature.expired",
            StatusCode::FORBIDDEN,
        ),
        (
            "signed in the future",
            |r| r.signed_at = r.signed_at.plus(std::time::Duration::from_secs(10)),
            "signature.not_yet",
            StatusCode::FORBIDDEN,
        ),
    ];
    for (name, change, want, status) in before_signing {
        let mut raw = bench.raw(&bench.claims())?;
        change(&mut raw);
        let (told, reason) = bench.signed(raw).await?;
        assert_eq!((reason.as_str(), told.status), (want, status), "{name}");
        assert_eq!(
            told.challenge.is_some(),
            status == StatusCode::UNAUTHORIZED,
            "{name}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_clocks_may_differ_is_a_setting() -> Result<(), Failure> {
    let ahead = Duration::from_secs(20);
    for (skew, want) in [(19, "signature.not_yet"), (30, "served")] {
        let skew = Skew::new(Duration::from_secs(skew)).ok_or("a skew")?;
        let world = World::made(Arc::new(SystemClock), Reply, |agent| agent.skew(skew)).await?;
        let one = world.client("one").await?.workload().clone();
        let bench = Bench { world, one };
        let mut raw = bench.raw(&bench.claims())?;
        // Two seconds may pass on the way.
        raw.signed_at = raw.signed_at.plus(ahead + Duration::from_secs(2));
        assert_eq!(bench.signed(raw).await?.1, want);
    }
    Ok(())
}

fn set(raw: &mut Raw, name: &'static str, value: &'static str) {
    raw.parts
        .headers
        .insert(name, HeaderValue::from_static(value));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_break_a_rule_get_the_protocols_error() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let deep = |levels: usize| {
        let value = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"jsonrpc":"2.0","id":7,"method":"GetTask","params":{value}}}"#)
    };
    let cases = [
        ("not JSON", "{".to_owned(), -32700),
        ("a batch", "[]".to_owned(), -32600),
        ("a repeated member", r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":7,"method":"GetTask"}"#.to_owned(), -32600),
        ("too deep", deep(64), -32600),
        ("params of the wrong type", deep(2), -32600),
        ("no method", r#"{"jsonrpc":"2.0","id":7}"#.to_owned(), -32600),
        ("an unknown method", r#"{"jsonrpc":"2.0","id":7,"method":"Hack","params":{}}"#.to_owned(), -32601),
        ("no message", r#"{"jsonrpc":"2.0","id":7,"method":"SendMessage","params":{}}"#.to_owned(), -32602),
        ("no parts", r#"{"jsonrpc":"2.0","id":7,"method":"SendMessage","params":{"message":{"messageId":"m","role":"ROLE_USER","parts":[]}}}"#.to_owned(), -32602),
        ("an unknown role", r#"{"jsonrpc":"2.0","id":7,"method":"SendMessage","params":{"message":{"messageId":"m","role":"ROLE_KING","parts":[{"text":"x"}]}}}"#.to_owned(), -32602),
        ("a negative history", r#"{"jsonrpc":"2.0","id":7,"method":"GetTask","params":{"id":"t","historyLength":-1}}"#.to_owned(), -32602),
        ("a task that is missing", r#"{"jsonrpc":"2.0","id":7,"method":"GetTask","params":{"id":"t"}}"#.to_owned(), -32001),
    ];
    for (name, body, want) in cases {
        let mut raw = bench.raw(&bench.claims())?;
        raw.body = body.into_bytes();
        let (told, reason) = bench.signed(raw).await?;
        assert_eq!(told.status, StatusCode::OK, "{name}");
        let answer: Value = serde_json::from_str(&told.body)?;
        assert_eq!(
            answer.pointer("/error/code"),
            Some(&json!(want)),
            "{name}: {}",
            told.body
        );
        assert!(answer.pointer("/error/data/0/reason").is_some(), "{name}");
        // Whatever was found before the executor is a refusal, with its own word.
        let served = want == -32001;
        assert_eq!(reason == "served", served, "{name}: {reason}");
        assert!(served || reason.starts_with("a2a."), "{name}: {reason}");
    }
    let mut raw = bench.raw(&bench.claims())?;
    raw.parts
        .headers
        .insert("a2a-version", HeaderValue::from_static("0.3"));
    let (told, reason) = bench.signed(raw).await?;
    assert!(told.body.contains("-32009"), "{}", told.body);
    assert_eq!(reason, "a2a.version_not_supported");
    let mut raw = bench.raw(&bench.claims())?;
    raw.parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    let (told, reason) = bench.signed(raw).await?;
    assert!(told.body.contains("-32005"), "{}", told.body);
    assert_eq!(reason, "a2a.content_type_not_supported");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_ends_exactly_at_4_mib() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let body = |len: usize| {
        let head = r#"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":""#;
        let tail = r#""}]}}}"#;
        format!("{head}{}{tail}", "x".repeat(len - head.len() - tail.len())).into_bytes()
    };
    let mut raw = bench.raw(&bench.claims())?;
    raw.body = body(4 << 20);
    let (told, reason) = bench.signed(raw).await?;
    assert_eq!(
        (told.status, reason.as_str()),
        (StatusCode::OK, "served"),
        "{}",
        told.body
    );
    let mut raw = bench.raw(&bench.claims())?;
    raw.body = body((4 << 20) + 1);
    let (told, reason) = bench.signed(raw).await?;
    assert_eq!(
        (told.status, reason.as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "body.too_long")
    );
    Ok(())
}
